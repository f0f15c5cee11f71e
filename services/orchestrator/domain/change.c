/* Changes of a plan that is under way: jobs are appended; one that has not started is edited or removed. */
#include <stdlib.h>
#include <string.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "domain/moves.h"

enum { DEPENDENTS_SHOWN_MAX = 5 };

bool orc_job_unstarted(const struct orc_execution *execution, uint32_t job) {
    const struct orc_job *state = &execution->jobs[job];
    return !orc_job_terminal(state) && state->attempt == 0 && !execution->plan->jobs[job].expanded;
}

/* The execution grows its plan; nobody else writes to it. */
static struct orc_plan *plan_of(const struct orc_execution *execution) {
    return (struct orc_plan *)execution->plan;
}

static enum cs_status check_open(const struct orc_execution *execution, struct cs_err *err) {
    if (orc_execution_terminal(execution)) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "already_ended", "the execution has already ended");
    }
    return CS_OK;
}

static enum cs_status check_unstarted(const struct orc_step *step, struct cs_err *err) {
    const struct orc_execution *execution = step->execution;
    uint32_t job = step->event->job;
    CS_TRY(check_open(execution, err));
    if (job >= execution->plan->job_count) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "no_such_job", "the plan has no job number %u", job);
    }
    if (!orc_job_unstarted(execution, job)) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "already_started", "job \"%s\" has already started or ended",
                       execution->plan->jobs[job].id);
    }
    return CS_OK;
}

/* ---- append ---- */

static void grow(struct orc_execution *execution, uint32_t before) {
    uint32_t count = execution->plan->job_count;
    execution->jobs = cs_realloc(execution->jobs, count * sizeof(*execution->jobs));
    memset(&execution->jobs[before], 0, (count - before) * sizeof(*execution->jobs));
    for (uint32_t i = before; i < count; i++) {
        execution->jobs[i].state = ORC_JOB_WAITING;
        execution->jobs[i].timed_prev = execution->jobs[i].timed_next = -1;
        execution->jobs[i].fused_prev = execution->jobs[i].fused_next = execution->jobs[i].fused_into = -1;
    }
    for (uint32_t i = before; i < count; i++) {
        const struct orc_plan_job *node = &execution->plan->jobs[i];
        for (uint32_t n = 0; n < node->parent_count; n++) {
            execution->jobs[i].unmet += !orc_job_terminal(&execution->jobs[node->parents[n]]);
        }
    }
    execution->open_jobs += count - before;
    orc_items_count(execution, before);
}

enum orc_verdict orc_verdict_of(const struct orc_execution *execution, uint32_t index) {
    const struct orc_plan_job *node = &execution->plan->jobs[index];
    const struct orc_job *job = &execution->jobs[index];
    if (node->parent_count == 0) {
        return ORC_RUNS;
    }
    enum orc_verdict verdict = ORC_WAITS;
    for (uint32_t i = 0; i < node->parent_count; i++) {
        const struct orc_job *parent = &execution->jobs[node->parents[i]];
        if (!orc_job_terminal(parent)) {
            continue;
        }
        enum orc_verdict now = orc_verdict_on(node, job, parent->state == ORC_JOB_COMPLETED, node->optional[i]);
        if (now == (node->policy == ORC_DEPENDENCY_ANY ? ORC_RUNS : ORC_CANNOT_RUN)) {
            return now; /* one such parent decides */
        }
        verdict = now;
    }
    return verdict;
}

/* First what can run, so that a skip does not take away its last chance; then all that cannot, before any of them is
 * told of the others. */
static void release_new(const struct orc_step *step, uint32_t before) {
    struct orc_execution *execution = step->execution;
    uint32_t *skipped = cs_alloc_array(execution->plan->job_count - before, sizeof(*skipped));
    uint32_t count = 0;
    for (uint32_t i = before; i < execution->plan->job_count; i++) {
        enum orc_verdict verdict = orc_verdict_of(execution, i);
        if (verdict == ORC_RUNS) {
            orc_job_release(step, i);
        } else if (verdict == ORC_CANNOT_RUN) {
            skipped[count++] = i;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        orc_job_skip(step, skipped[i], "dependency_failed", "Dependency job failed");
    }
    for (uint32_t i = 0; i < count; i++) {
        orc_failure_spread(step, skipped[i]);
    }
    free(skipped);
}

/* What had ended badly may have a dependent now that gets along without it. */
static void judge_again(struct orc_execution *execution) {
    execution->doomed = false;
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        const struct orc_job *job = &execution->jobs[i];
        bool bad = job->state == ORC_JOB_FAILED || (job->state == ORC_JOB_SKIPPED && !job->removed);
        execution->doomed |= bad && execution->plan->jobs[i].decisive;
    }
}

/* Whether job `a` is the result rather than `b`: the later one, and none of the policy `always` if there is another. */
static bool rather(const struct orc_execution *execution, uint32_t a, int32_t b) {
    if (b < 0) {
        return true;
    }
    bool a_always = execution->plan->jobs[a].policy == ORC_DEPENDENCY_ALWAYS;
    bool b_always = execution->plan->jobs[b].policy == ORC_DEPENDENCY_ALWAYS;
    if (a_always != b_always) {
        return b_always;
    }
    return execution->jobs[a].completed_at_ms > execution->jobs[b].completed_at_ms;
}

/* The result was that of a leaf, which has a dependent now. */
static void find_result(struct orc_execution *execution) {
    if (execution->result_job < 0 || execution->plan->jobs[execution->result_job].decisive) {
        return;
    }
    execution->result_job = -1;
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        const struct orc_plan_job *node = &execution->plan->jobs[i];
        if (node->decisive && !node->hidden && execution->jobs[i].state == ORC_JOB_COMPLETED &&
            rather(execution, i, execution->result_job)) {
            execution->result_job = (int32_t)i;
        }
    }
}

static enum cs_status append(const struct orc_step *step, struct cs_err *err) {
    struct orc_execution *execution = step->execution;
    const struct orc_addition *addition = step->event->addition;
    uint32_t before = execution->plan->job_count;
    CS_TRY(check_open(execution, err));
    if (addition->count == 0) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "no_jobs", "there is nothing to append");
    }
    CS_TRY(orc_chain_check_kept(execution, addition, err));
    CS_TRY(orc_plan_append(plan_of(execution), addition, err));
    grow(execution, before);
    orc_chain_keep(step, addition);
    judge_again(execution);
    find_result(execution);
    release_new(step, before);
    orc_jobs_settle(step);
    return CS_OK;
}

/* ---- edit ---- */

static enum cs_status edit(const struct orc_step *step, struct cs_err *err) {
    struct orc_execution *execution = step->execution;
    uint32_t job = step->event->job;
    CS_TRY(check_unstarted(step, err));
    CS_TRY(orc_chain_check_kept(execution, step->event->addition, err));
    CS_TRY(orc_plan_edit(plan_of(execution), job, step->event->addition, err));
    orc_chain_keep(step, step->event->addition);
    if (execution->jobs[job].state == ORC_JOB_READY) {
        orc_job_offer(step, job); /* it may have to wait elsewhere now */
    }
    return CS_OK;
}

/* ---- remove ---- */

/* A child that would never run without the job. */
static bool needs(const struct orc_execution *execution, const struct orc_plan_job *node, uint32_t child) {
    struct orc_job then = execution->jobs[node->children[child]];
    if (then.state != ORC_JOB_WAITING) {
        return false;
    }
    then.unmet--;
    return orc_verdict_on(&execution->plan->jobs[node->children[child]], &then, false, node->optional_for[child]) ==
           ORC_CANNOT_RUN;
}

static enum cs_status check_dependents(const struct orc_execution *execution, uint32_t job, struct cs_err *err) {
    const struct orc_plan_job *node = &execution->plan->jobs[job];
    CS_AUTO_BUF names = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->child_count; i++) {
        if (needs(execution, node, i) && count++ < DEPENDENTS_SHOWN_MAX) {
            cs_buf_printf(&names, "%s%s", names.size != 0 ? ", " : "", execution->plan->jobs[node->children[i]].id);
        }
    }
    if (count == 0) {
        return CS_OK;
    }
    return cs_fail(err, CS_FAILED_PRECONDITION, "has_dependents", "%u jobs cannot run without \"%s\": %s%s", count,
                   node->id, names.data, count > DEPENDENTS_SHOWN_MAX ? ", …" : "");
}

static enum cs_status remove_job(const struct orc_step *step, struct cs_err *err) {
    struct orc_execution *execution = step->execution;
    uint32_t job = step->event->job;
    CS_TRY(check_unstarted(step, err));
    if (!step->replaying && !step->event->cascade) {
        CS_TRY(check_dependents(execution, job, err));
    }
    execution->jobs[job].removed = true;
    orc_job_skip(step, job, "removed", "Removed before it started");
    orc_failure_spread(step, job);
    orc_jobs_settle(step);
    return CS_OK;
}

enum cs_status orc_change_event(const struct orc_step *step, struct cs_err *err) {
    switch (step->event->kind) {
    case ORC_EVENT_APPENDED:
        return append(step, err);
    case ORC_EVENT_EDITED:
        return edit(step, err);
    default:
        return remove_job(step, err);
    }
}
