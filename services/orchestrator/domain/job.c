#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "domain/moves.h"

bool orc_job_terminal(const struct orc_job *job) {
    return job->state >= ORC_JOB_COMPLETED && job->state <= ORC_JOB_SKIPPED;
}

/* ---- one function moves a job ---- */

int64_t orc_job_due_ms(const struct orc_job *job) {
    switch (job->state) {
    case ORC_JOB_RUNNING:
        return job->deadline_ms + ORC_ATTEMPT_GRACE_MS;
    case ORC_JOB_RETRYING:
        return job->wake_at_ms;
    default:
        return job->deadline_ms;
    }
}

static bool timed(const struct orc_plan_job *node, int state) {
    return state == ORC_JOB_RUNNING || state == ORC_JOB_RETRYING ||
           (state == ORC_JOB_READY && node->queue_timeout_ms != 0) ||
           (state == ORC_JOB_AWAITING_APPROVAL && node->approval != NULL && node->approval->timeout_ms != 0);
}

static void timed_insert(struct orc_execution *execution, uint32_t index) {
    struct orc_job *job = &execution->jobs[index];
    job->timed_prev = -1;
    job->timed_next = execution->timed_first;
    if (job->timed_next >= 0) {
        execution->jobs[job->timed_next].timed_prev = (int32_t)index;
    }
    execution->timed_first = (int32_t)index;
}

static void timed_remove(struct orc_execution *execution, uint32_t index) {
    struct orc_job *job = &execution->jobs[index];
    if (job->timed_prev >= 0) {
        execution->jobs[job->timed_prev].timed_next = job->timed_next;
    } else {
        execution->timed_first = job->timed_next;
    }
    if (job->timed_next >= 0) {
        execution->jobs[job->timed_next].timed_prev = job->timed_prev;
    }
    job->timed_prev = job->timed_next = -1;
}

enum cs_status orc_job_move(struct orc_execution *execution, uint32_t index, enum orc_job_move move,
                            struct cs_err *err) {
    struct orc_job *job = &execution->jobs[index];
    int state = job->state;
    CS_TRY(cs_fsm_step(&orc_job_fsm, &state, move, err));
    const struct orc_plan_job *node = &execution->plan->jobs[index];
    if (timed(node, job->state) != timed(node, state)) {
        (timed(node, state) ? timed_insert : timed_remove)(execution, index);
    }
    job->state = (uint8_t)state;
    job->deadline_ms = state == ORC_JOB_RUNNING ? job->deadline_ms : 0;
    job->wake_at_ms = 0;
    if (orc_job_terminal(job)) {
        execution->open_jobs--;
        if (node->owner >= 0) {
            execution->jobs[node->owner].items_open--;
        }
        free(cs_steal(&job->checkpoint));
        job->checkpoint_size = 0;
    }
    return CS_OK;
}

static void must_move(const struct orc_step *step, uint32_t job, enum orc_job_move move) {
    struct cs_err err = {0};
    orc_must(orc_job_move(step->execution, job, move, &err), &err);
}

void orc_job_set_error(struct orc_job *job, enum orc_failure_class failure_class, const char *code,
                       const char *message) {
    free(job->error_code);
    free(job->error_message);
    job->failure_class = failure_class;
    job->error_code = code != NULL ? cs_strdup(code) : NULL;
    job->error_message = message != NULL ? cs_strdup(message) : NULL;
}

/* ---- consequences ---- */

void orc_job_wait_for_worker(struct orc_execution *execution, uint32_t job, int64_t now_ms) {
    int64_t limit_ms = execution->plan->jobs[job].queue_timeout_ms;
    execution->jobs[job].deadline_ms = limit_ms != 0 ? now_ms + limit_ms : 0;
}

/* After it became ready. */
void orc_job_offer(const struct orc_step *step, uint32_t job) {
    orc_job_wait_for_worker(step->execution, job, step->event->at_ms);
    orc_emit(step, ORC_COMMAND_DISPATCH, job, NULL);
}

void orc_job_release(const struct orc_step *step, uint32_t job) {
    if (orc_execution_awaits_approval(step->execution) || orc_approval_asked(step, job)) {
        return;
    }
    must_move(step, job, ORC_JOB_RELEASE);
    orc_job_offer(step, job);
}

static void end(const struct orc_step *step, uint32_t job, enum orc_job_move move) {
    must_move(step, job, move);
    step->execution->jobs[job].completed_at_ms = step->event->at_ms;
    orc_item_ended(step, job);
}

enum orc_verdict orc_verdict_on(const struct orc_plan_job *node, const struct orc_job *job, bool completed,
                                bool optional) {
    switch ((enum orc_dependency_policy)node->policy) {
    case ORC_DEPENDENCY_ANY:
        return completed ? ORC_RUNS : job->unmet == 0 ? ORC_CANNOT_RUN : ORC_WAITS;
    case ORC_DEPENDENCY_ALWAYS:
        return job->unmet == 0 ? ORC_RUNS : ORC_WAITS;
    case ORC_DEPENDENCY_ALL:
    case ORC_DEPENDENCY_DEFAULT:
        break;
    }
    if (!completed && !optional) {
        return ORC_CANNOT_RUN;
    }
    return job->unmet == 0 ? ORC_RUNS : ORC_WAITS;
}

void orc_job_skip(const struct orc_step *step, uint32_t job, const char *code, const char *message) {
    end(step, job, ORC_JOB_SKIP);
    orc_job_set_error(&step->execution->jobs[job], ORC_FAILURE_UNSPECIFIED, code, message);
}

/* Without a parent that was taken away it is taken away too; without one that failed it has failed. */
static void skip_child(const struct orc_step *step, uint32_t child, uint32_t ended) {
    const struct orc_execution *execution = step->execution;
    const struct orc_plan_job *node = &execution->plan->jobs[child];
    bool removed = execution->jobs[ended].removed;
    for (uint32_t i = 0; i < node->parent_count && removed; i++) {
        const struct orc_job *parent = &execution->jobs[node->parents[i]];
        removed = !orc_job_terminal(parent) || parent->state == ORC_JOB_COMPLETED || parent->removed;
    }
    if (removed) {
        step->execution->jobs[child].removed = true;
        orc_job_skip(step, child, "removed", "Removed with a job that it depends on");
    } else {
        orc_job_skip(step, child, "dependency_failed", "Dependency job failed");
    }
}

/* A job has ended: releases the children that can run now; those that never can are skipped and returned. */
static uint32_t tell_children(const struct orc_step *step, uint32_t ended, uint32_t *ret_skipped) {
    struct orc_execution *execution = step->execution;
    const struct orc_plan_job *node = &execution->plan->jobs[ended];
    bool completed = execution->jobs[ended].state == ORC_JOB_COMPLETED;
    uint32_t skipped = 0;
    for (uint32_t i = 0; i < node->child_count; i++) {
        uint32_t child = node->children[i];
        struct orc_job *job = &execution->jobs[child];
        job->unmet--;
        if (job->state != ORC_JOB_WAITING) {
            continue;
        }
        enum orc_verdict verdict = orc_verdict_on(&execution->plan->jobs[child], job, completed, node->optional_for[i]);
        if (verdict == ORC_RUNS) {
            orc_job_release(step, child);
        } else if (verdict == ORC_CANNOT_RUN) {
            skip_child(step, child, ended);
            assert(ret_skipped != NULL); /* a parent that completed dooms nobody */
            ret_skipped[skipped++] = child;
        }
    }
    return skipped;
}

/* The bad end of a job and of all that cannot run because of it, in this one step; no recursion: a chain may be 10,000
 * long. */
void orc_failure_spread(const struct orc_step *step, uint32_t ended) {
    struct orc_execution *execution = step->execution;
    uint32_t *stack = cs_alloc_array(execution->plan->job_count, sizeof(*stack));
    uint32_t depth = 0;
    stack[depth++] = ended;
    while (depth > 0) {
        uint32_t bad = stack[--depth];
        execution->doomed |= execution->plan->jobs[bad].decisive && !execution->jobs[bad].removed;
        depth += tell_children(step, bad, &stack[depth]); /* each job once: the stack cannot overflow */
    }
    free(stack);
}

static void finish_if_done(const struct orc_step *step) {
    if (step->execution->open_jobs == 0) {
        orc_execution_finish(step);
    }
}

void orc_job_cancel(const struct orc_step *step, uint32_t index) {
    struct orc_job *job = &step->execution->jobs[index];
    if (job->state == ORC_JOB_RUNNING) {
        orc_emit(step, ORC_COMMAND_STOP, index, job->fence);
        orc_chain_dissolve(step, index);
    }
    end(step, index, ORC_JOB_CANCEL);
    orc_job_set_error(job, ORC_FAILURE_UNSPECIFIED, NULL, NULL);
}

void orc_jobs_cancel(const struct orc_step *step) {
    orc_chains_dissolve(step);
    for (uint32_t i = 0; i < step->execution->plan->job_count; i++) {
        if (!orc_job_terminal(&step->execution->jobs[i])) {
            orc_job_cancel(step, i);
        }
    }
}

/* Fail fast: what was released is cancelled (the log cannot tell what of it ran), what waited is skipped. */
static void give_up_the_rest(const struct orc_step *step) {
    struct orc_execution *execution = step->execution;
    orc_chains_dissolve(step); /* what had joined a run was not released */
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        if (execution->jobs[i].state == ORC_JOB_WAITING) {
            orc_job_skip(step, i, "failed_fast", "Another job failed");
        } else if (!orc_job_terminal(&execution->jobs[i])) {
            orc_job_cancel(step, i);
        }
    }
}

/* ---- events of one job ---- */

/* Of all that is done in the run. */
static int64_t timeout_of(const struct orc_execution *execution, const struct orc_event *event) {
    int64_t timeout_ms = execution->plan->jobs[event->job].timeout_ms;
    for (uint32_t i = 1; i < event->chain.count; i++) {
        timeout_ms += execution->plan->jobs[event->chain.jobs[i]].timeout_ms;
    }
    return timeout_ms;
}

static enum cs_status assigned(const struct orc_step *step, struct cs_err *err) {
    struct orc_execution *execution = step->execution;
    const struct orc_event *event = step->event;
    struct orc_job *job = &execution->jobs[event->job];
    CS_TRY(orc_chain_check(step, err));
    CS_TRY(orc_job_move(execution, event->job, ORC_JOB_ASSIGN, err));
    job->attempt++;
    job->cache_miss = (uint8_t)event->cache_miss;
    memcpy(job->fence, event->fence, ORC_FENCE_BYTES);
    int64_t deadline = event->at_ms + timeout_of(execution, event);
    job->deadline_ms = deadline < execution->deadline_ms ? deadline : execution->deadline_ms;
    if (job->started_at_ms == 0) {
        job->started_at_ms = event->at_ms;
    }
    orc_execution_started(execution, job->started_at_ms);
    orc_chain_join(step);
    return CS_OK;
}

static enum cs_status started(const struct orc_step *step, struct cs_err *err) {
    struct orc_job *job = &step->execution->jobs[step->event->job];
    CS_TRY(orc_job_move(step->execution, step->event->job, ORC_JOB_RECORD_START, err));
    if (step->event->payload_size == ORC_FENCE_BYTES) {
        memcpy(job->fence, step->event->payload, ORC_FENCE_BYTES);
    }
    return CS_OK;
}

static enum cs_status checkpoint(const struct orc_step *step, struct cs_err *err) {
    const struct orc_event *event = step->event;
    struct orc_job *job = &step->execution->jobs[event->job];
    if (event->payload_size > ORC_CHECKPOINT_BYTES_MAX) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "checkpoint_too_big", "a checkpoint has at most %d bytes",
                       ORC_CHECKPOINT_BYTES_MAX);
    }
    CS_TRY(orc_job_move(step->execution, event->job, ORC_JOB_SAVE, err));
    job->checkpoint = cs_realloc(job->checkpoint, event->payload_size);
    job->checkpoint_size = (uint32_t)event->payload_size;
    if (event->payload_size != 0) {
        memcpy(job->checkpoint, event->payload, event->payload_size);
    }
    orc_emit(step, ORC_COMMAND_SAVED, event->job, job->fence);
    return CS_OK;
}

/* The result is that of the last leaf; what merely cleans up after others gives none when they do. */
static void keep_result(struct orc_execution *execution, uint32_t index) {
    const struct orc_plan_job *jobs = execution->plan->jobs;
    bool late = jobs[index].policy == ORC_DEPENDENCY_ALWAYS && execution->result_job >= 0 &&
                jobs[execution->result_job].policy != ORC_DEPENDENCY_ALWAYS;
    if (jobs[index].decisive && !late && !jobs[index].hidden) {
        execution->result_job = (int32_t)index;
    }
}

/* SUCCEEDED, REUSED or FUSED: the job has its result, or the job that it was fused into has. */
static enum cs_status complete(const struct orc_step *step, enum orc_job_move move, struct cs_err *err) {
    struct orc_execution *execution = step->execution;
    const struct orc_event *event = step->event;
    struct orc_job *job = &execution->jobs[event->job];
    if (event->payload_size > UINT32_MAX) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "result_too_big", "a result does not fit");
    }
    CS_TRY(orc_chain_check_into(step, err));
    CS_TRY(orc_job_move(execution, event->job, move, err));
    orc_chain_complete(step);
    job->completed_at_ms = event->at_ms;
    job->result = cs_alloc(event->payload_size);
    job->result_size = (uint32_t)event->payload_size;
    if (event->payload_size != 0) {
        memcpy(job->result, event->payload, event->payload_size);
    }
    orc_job_set_error(job, ORC_FAILURE_UNSPECIFIED, NULL, NULL);
    if (move == ORC_JOB_REUSE) {
        job->reused = orc_reused_create(event);
    }
    keep_result(execution, event->job);
    orc_item_ended(step, event->job);
    (void)tell_children(step, event->job, NULL); /* nothing is skipped for a parent that completed */
    finish_if_done(step);
    return CS_OK;
}

void orc_jobs_settle(const struct orc_step *step) {
    if (step->execution->plan->fail_fast && step->execution->doomed) {
        give_up_the_rest(step);
    }
    finish_if_done(step);
}

void orc_job_fail_for_good(const struct orc_step *step) {
    uint32_t failed = step->event->job;
    step->execution->jobs[failed].completed_at_ms = step->event->at_ms;
    orc_item_ended(step, failed);
    if (step->execution->plan->jobs[failed].map != ORC_MAP_NONE) {
        orc_items_cancel(step, failed);
    }
    orc_failure_spread(step, failed);
    orc_jobs_settle(step);
}

static enum orc_failure_class class_of(const struct orc_event *event) {
    return (unsigned)event->failure_class < ORC_FAILURE_CLASSES ? event->failure_class : ORC_FAILURE_UNSPECIFIED;
}

/* The plan's wishes count only where another try may help at all. */
static struct orc_retry_policy policy_of(const struct orc_plan_job *node, enum orc_failure_class failure_class) {
    struct orc_retry_policy policy = node->operation->retry[failure_class];
    if (policy.attempts_max <= 1 || node->retry.attempts_max == 0) {
        return policy;
    }
    policy.attempts_max = node->retry.attempts_max;
    policy.base_ms = node->retry.base_ms != 0 ? node->retry.base_ms : policy.base_ms;
    policy.cap_ms = node->retry.cap_ms != 0 ? node->retry.cap_ms : policy.cap_ms;
    policy.cap_ms = policy.cap_ms > policy.base_ms ? policy.cap_ms : policy.base_ms;
    return policy;
}

/* Nobody took it in time: final, because nothing was tried. */
static enum cs_status unassigned(const struct orc_step *step, struct cs_err *err) {
    const struct orc_event *event = step->event;
    CS_TRY(orc_job_move(step->execution, event->job, ORC_JOB_WAIT_IN_VAIN, err));
    orc_job_set_error(&step->execution->jobs[event->job], class_of(event), event->code, event->message);
    orc_job_fail_for_good(step);
    return CS_OK;
}

static enum cs_status failed(const struct orc_step *step, struct cs_err *err) {
    struct orc_execution *execution = step->execution;
    struct orc_event *event = step->event;
    struct orc_job *job = &execution->jobs[event->job];
    int64_t next = event->next_at_ms;
    if (event->unassigned) {
        return unassigned(step, err);
    }
    if (!step->replaying) {
        struct orc_retry_policy policy = policy_of(&execution->plan->jobs[event->job], class_of(event));
        next = orc_retry_at(&policy, job->failures + 1, event->retry_after_ms, event->chance, event->at_ms);
    }
    CS_TRY(orc_job_move(execution, event->job, next != 0 ? ORC_JOB_RETRY_LATER : ORC_JOB_FAIL, err));
    job->failures++;
    job->wake_at_ms = event->next_at_ms = next;
    orc_job_set_error(job, class_of(event), cs_str_empty(event->code) ? "failed" : event->code,
                      event->message != NULL ? event->message : "");
    if (next == 0) {
        orc_job_fail_for_good(step);
    }
    return CS_OK;
}

static enum cs_status lost(const struct orc_step *step, struct cs_err *err) {
    struct orc_execution *execution = step->execution;
    struct orc_event *event = step->event;
    struct orc_job *job = &execution->jobs[event->job];
    int64_t next = event->next_at_ms;
    if (!step->replaying) {
        next = job->losses + 1 < ORC_LOSSES_MAX ? event->at_ms : 0;
    }
    CS_TRY(orc_job_move(execution, event->job, next != 0 ? ORC_JOB_LOSE : ORC_JOB_LOSE_TOO_OFTEN, err));
    orc_chain_dissolve(step, event->job);
    job->losses++;
    event->next_at_ms = next;
    if (next != 0) {
        orc_job_offer(step, event->job);
        return CS_OK;
    }
    orc_job_set_error(job, ORC_FAILURE_INTERNAL, "worker_lost", "the worker went away again and again");
    orc_job_fail_for_good(step);
    return CS_OK;
}

static enum cs_status returned(const struct orc_step *step, struct cs_err *err) {
    struct orc_job *job = &step->execution->jobs[step->event->job];
    CS_TRY(orc_job_move(step->execution, step->event->job, ORC_JOB_GIVE_BACK, err));
    orc_chain_dissolve(step, step->event->job);
    job->wake_at_ms = step->event->at_ms + ORC_RETURN_DELAY_MS;
    return CS_OK;
}

static enum cs_status retry_due(const struct orc_step *step, struct cs_err *err) {
    CS_TRY(orc_job_move(step->execution, step->event->job, ORC_JOB_RETRY_NOW, err));
    orc_job_offer(step, step->event->job);
    return CS_OK;
}

static enum cs_status check_attempt(const struct orc_step *step, struct cs_err *err) {
    const struct orc_event *event = step->event;
    const struct orc_job *job = &step->execution->jobs[event->job];
    if (event->attempt != job->attempt) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "stale_attempt",
                       "attempt %u of job \"%s\" is not the current one, %u", event->attempt,
                       step->execution->plan->jobs[event->job].id, job->attempt);
    }
    return CS_OK;
}

static enum cs_status report(const struct orc_step *step, struct cs_err *err) {
    CS_TRY(check_attempt(step, err));
    CS_TRY(orc_chain_check_report(step, err));
    switch (step->event->kind) {
    case ORC_EVENT_STARTED:
        return started(step, err);
    case ORC_EVENT_CHECKPOINT:
        return checkpoint(step, err);
    case ORC_EVENT_SUCCEEDED:
        return complete(step, ORC_JOB_SUCCEED, err);
    case ORC_EVENT_REUSED:
        return complete(step, ORC_JOB_REUSE, err);
    case ORC_EVENT_FUSED:
        return complete(step, ORC_JOB_FUSE, err);
    case ORC_EVENT_FAILED:
        return failed(step, err);
    case ORC_EVENT_SPLIT:
        return orc_chain_split(step, err);
    case ORC_EVENT_LOST:
        return lost(step, err);
    default:
        return returned(step, err);
    }
}

enum cs_status orc_job_event(const struct orc_step *step, struct cs_err *err) {
    struct orc_event *event = step->event;
    if (event->job >= step->execution->plan->job_count) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "no_such_job", "the plan has no job number %u", event->job);
    }
    if (event->kind == ORC_EVENT_ASSIGNED) {
        CS_TRY(assigned(step, err));
    } else if (event->kind == ORC_EVENT_RETRY_DUE) {
        CS_TRY(retry_due(step, err));
    } else {
        CS_TRY(report(step, err));
    }
    event->started_at_ms = step->execution->jobs[event->job].started_at_ms;
    event->cache_miss = (enum orc_cache_miss)step->execution->jobs[event->job].cache_miss;
    return CS_OK;
}
