/* Chains of jobs that are done in one run, because nobody else wants what lies between them. */
#include <string.h>

#include "domain/moves.h"

/* ---- which jobs ---- */

/* Nothing that it asks for itself keeps it out of a run with others. */
static bool may_join(const struct orc_execution *execution, uint32_t index) {
    const struct orc_plan_job *node = &execution->plan->jobs[index];
    const struct orc_job *job = &execution->jobs[index];
    return node->map == ORC_MAP_NONE && !job->apart && job->checkpoint == NULL && node->cache == ORC_CACHE_OFF &&
           !node->hidden && node->base_job == NULL && node->owner < 0;
}

/* It takes what the other one gives in one place, and no other of its outputs than the first. */
static bool takes_once(const struct orc_plan_job *node, uint32_t from) {
    uint32_t count = 0;
    bool first = true;
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i].job == (int32_t)from) {
            count++;
            first &= node->inputs[i].output <= 1;
        }
    }
    return count == 1 && first;
}

/* The job that can be done in the same run after it, or -1. */
static int32_t next_of(const struct orc_execution *execution, uint32_t index) {
    const struct orc_plan_job *node = &execution->plan->jobs[index];
    if (!node->fusible || !node->discards || node->child_count != 1 || node->optional_for[0] ||
        !may_join(execution, index)) {
        return -1;
    }
    uint32_t child = node->children[0];
    const struct orc_plan_job *next = &execution->plan->jobs[child];
    const struct orc_job *job = &execution->jobs[child];
    bool waits = job->state == ORC_JOB_WAITING && job->unmet == 1;
    bool free = next->policy == ORC_DEPENDENCY_ALL && next->approval == NULL && may_join(execution, child);
    return waits && free && (next->fusible || next->ends_run) && takes_once(next, index) ? (int32_t)child : -1;
}

void orc_chain_find(const struct orc_execution *execution, uint32_t job, struct orc_chain *ret_chain) {
    *ret_chain = (struct orc_chain){.count = 1, .jobs = {job}};
    for (int32_t next = next_of(execution, job); next >= 0 && ret_chain->count < ORC_FUSED_MAX;
         next = next_of(execution, (uint32_t)next)) {
        ret_chain->jobs[ret_chain->count++] = (uint32_t)next;
    }
}

void orc_chain_of(const struct orc_execution *execution, uint32_t job, struct orc_chain *ret_chain) {
    while (execution->jobs[job].fused_prev >= 0) {
        job = (uint32_t)execution->jobs[job].fused_prev;
    }
    *ret_chain = (struct orc_chain){.count = 1, .jobs = {job}};
    for (int32_t next = execution->jobs[job].fused_next; next >= 0 && ret_chain->count < ORC_FUSED_MAX;
         next = execution->jobs[next].fused_next) {
        ret_chain->jobs[ret_chain->count++] = (uint32_t)next;
    }
}

/* ---- joining ---- */

enum cs_status orc_chain_check(const struct orc_step *step, struct cs_err *err) {
    const struct orc_chain *chain = &step->event->chain;
    if (chain->count <= 1) {
        return CS_OK;
    }
    struct orc_chain found;
    orc_chain_find(step->execution, step->event->job, &found);
    if (chain->count > found.count || memcmp(chain->jobs, found.jobs, chain->count * sizeof(chain->jobs[0])) != 0) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "not_a_chain", "these jobs cannot be done in one run");
    }
    return CS_OK;
}

static void must_move(const struct orc_step *step, uint32_t job, enum orc_job_move move) {
    struct cs_err err = {0};
    orc_must(orc_job_move(step->execution, job, move, &err), &err);
}

void orc_chain_join(const struct orc_step *step) {
    struct orc_execution *execution = step->execution;
    const struct orc_chain *chain = &step->event->chain;
    const struct orc_job *first = &execution->jobs[step->event->job];
    if (chain->count <= 1) {
        return;
    }
    execution->fuses = true;
    orc_execution_started(execution, step->event->at_ms); /* clocks go back, too: the first job may have begun later */
    for (uint32_t i = 1; i < chain->count; i++) {
        struct orc_job *job = &execution->jobs[chain->jobs[i]];
        must_move(step, chain->jobs[i], ORC_JOB_JOIN);
        job->attempt++;
        memcpy(job->fence, first->fence, ORC_FENCE_BYTES);
        job->deadline_ms = first->deadline_ms;
        job->started_at_ms = step->event->at_ms;
        job->fused_prev = (int32_t)chain->jobs[i - 1];
        execution->jobs[chain->jobs[i - 1]].fused_next = (int32_t)chain->jobs[i];
    }
}

/* ---- leaving ---- */

void orc_chain_dissolve(const struct orc_step *step, uint32_t job) {
    struct orc_execution *execution = step->execution;
    int32_t next = execution->jobs[job].fused_next;
    execution->jobs[job].fused_next = -1;
    while (next >= 0) {
        struct orc_job *left = &execution->jobs[next];
        must_move(step, (uint32_t)next, ORC_JOB_LEAVE);
        left->attempt = 0; /* what waits was never tried: its run was not its own */
        left->started_at_ms = 0;
        next = left->fused_next;
        left->fused_prev = left->fused_next = -1;
    }
}

void orc_chains_dissolve(const struct orc_step *step) {
    for (uint32_t i = 0; i < step->execution->plan->job_count; i++) {
        const struct orc_job *job = &step->execution->jobs[i];
        if (job->fused_next >= 0 && job->fused_prev < 0) {
            orc_chain_dissolve(step, i);
        }
    }
}

/* ---- completing ---- */

enum cs_status orc_chain_check_into(const struct orc_step *step, struct cs_err *err) {
    const struct orc_event *event = step->event;
    bool there = event->chain.count != 0;
    if (there && (event->chain.jobs[0] >= step->execution->plan->job_count || event->chain.jobs[0] == event->job)) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "no_such_job", "there is no other job number %u",
                       event->chain.jobs[0]);
    }
    if ((there && event->kind == ORC_EVENT_SUCCEEDED) || (!there && event->kind == ORC_EVENT_FUSED)) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "illegal_transition",
                       "job \"%s\" has its own output or another job has it",
                       step->execution->plan->jobs[event->job].id);
    }
    return CS_OK;
}

void orc_chain_complete(const struct orc_step *step) {
    struct orc_execution *execution = step->execution;
    struct orc_job *job = &execution->jobs[step->event->job];
    if (step->event->chain.count != 0) {
        job->fused_into = (int32_t)step->event->chain.jobs[0];
        execution->fuses = true;
    }
    if (job->fused_next >= 0) {
        execution->jobs[job->fused_next].fused_prev = -1;
        job->fused_next = -1;
    }
}

/* ---- reports ---- */

enum cs_status orc_chain_check_report(const struct orc_step *step, struct cs_err *err) {
    const struct orc_job *job = &step->execution->jobs[step->event->job];
    enum orc_event_kind kind = step->event->kind;
    if (step->replaying) {
        return CS_OK; /* the log does not tell who ran with whom */
    }
    bool of_run = kind == ORC_EVENT_FUSED || kind == ORC_EVENT_SPLIT;
    bool of_both = kind == ORC_EVENT_LOST || kind == ORC_EVENT_RETURNED;
    if (job->fused_prev >= 0 || (!of_both && of_run != (job->fused_next >= 0))) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "illegal_transition", "job \"%s\" is %s in one run with others",
                       step->execution->plan->jobs[step->event->job].id, of_run ? "not" : "done");
    }
    return CS_OK;
}

static enum cs_status check_members(const struct orc_step *step, struct cs_err *err) {
    for (uint32_t i = 0; i < step->event->chain.count; i++) {
        if (step->event->chain.jobs[i] >= step->execution->plan->job_count) {
            return cs_fail(err, CS_FAILED_PRECONDITION, "no_such_job", "the plan has no job number %u",
                           step->event->chain.jobs[i]);
        }
    }
    return CS_OK;
}

enum cs_status orc_chain_split(const struct orc_step *step, struct cs_err *err) {
    struct orc_execution *execution = step->execution;
    struct orc_event *event = step->event;
    if (!step->replaying) {
        orc_chain_of(execution, event->job, &event->chain);
    }
    CS_TRY(check_members(step, err));
    CS_TRY(orc_job_move(execution, event->job, ORC_JOB_SPLIT, err));
    orc_chain_dissolve(step, event->job);
    for (uint32_t i = 0; i < event->chain.count; i++) {
        execution->jobs[event->chain.jobs[i]].apart = true;
    }
    execution->jobs[event->job].losses = 0; /* they say nothing about the job alone */
    orc_job_offer(step, event->job);
    return CS_OK;
}

/* ---- results that are asked for later ---- */

/* Calls `each` with every job of the plan that one of the drafts takes a result of. */
static enum cs_status for_sources(const struct orc_execution *execution, const struct orc_addition *addition,
                                  enum cs_status (*each)(const struct orc_execution *execution, uint32_t job, void *ctx,
                                                         struct cs_err *err),
                                  void *ctx, struct cs_err *err) {
    for (size_t i = 0; i < addition->count && execution->fuses; i++) {
        const struct orc_job_draft *draft = &addition->drafts[i];
        for (uint32_t n = 0; n < draft->input_count; n++) {
            int32_t source = draft->input_jobs[n] != NULL ? orc_plan_find(execution->plan, draft->input_jobs[n]) : -1;
            if (source >= 0) {
                CS_TRY(each(execution, (uint32_t)source, ctx, err));
            }
        }
    }
    return CS_OK;
}

static enum cs_status check_kept(const struct orc_execution *execution, uint32_t job, __attribute__((unused)) void *ctx,
                                 struct cs_err *err) {
    int32_t into = execution->jobs[job].fused_into;
    if (into < 0) {
        return CS_OK;
    }
    return cs_fail(err, CS_FAILED_PRECONDITION, "output_discarded",
                   "job \"%s\" was done in one run with \"%s\", and what it gave was not kept",
                   execution->plan->jobs[job].id, execution->plan->jobs[into].id);
}

enum cs_status orc_chain_check_kept(const struct orc_execution *execution, const struct orc_addition *addition,
                                    struct cs_err *err) {
    return for_sources(execution, addition, check_kept, NULL, err);
}

/* Its first job runs alone from now on, from the beginning. */
static enum cs_status keep(const struct orc_execution *execution, uint32_t job, void *ctx, struct cs_err *err) {
    const struct orc_step *step = ctx;
    if (execution->jobs[job].fused_next < 0) {
        return CS_OK;
    }
    struct orc_chain chain;
    orc_chain_of(execution, job, &chain);
    orc_emit(step, ORC_COMMAND_STOP, chain.jobs[0], execution->jobs[chain.jobs[0]].fence);
    CS_TRY(orc_job_move(step->execution, chain.jobs[0], ORC_JOB_LOSE, err));
    orc_chain_dissolve(step, chain.jobs[0]);
    orc_job_offer(step, chain.jobs[0]);
    return CS_OK;
}

void orc_chain_keep(const struct orc_step *step, const struct orc_addition *addition) {
    struct cs_err err = {0};
    orc_must(for_sources(step->execution, addition, keep, (void *)step, &err), &err);
}
