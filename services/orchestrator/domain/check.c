/* The rules that hold after every step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/moves.h"

static void rule(bool holds, const char *words, const struct orc_execution *execution, uint32_t job) {
    if (!holds) {
        (void)fprintf(
            stderr,
            "{\"level\":\"error\",\"event\":\"broken rule of the domain\",\"rule\":\"%s\",\"execution\":\"%s\","
            "\"job\":%u}\n",
            words, execution->id, job);
        abort();
    }
}

static bool timed(const struct orc_execution *execution, uint32_t index) {
    const struct orc_job *job = &execution->jobs[index];
    return job->state == ORC_JOB_RUNNING || job->state == ORC_JOB_RETRYING ||
           ((job->state == ORC_JOB_READY || job->state == ORC_JOB_AWAITING_APPROVAL) && job->deadline_ms != 0);
}

static bool running_or_retrying(const struct orc_job *job) {
    return job->state == ORC_JOB_RUNNING || job->state == ORC_JOB_RETRYING;
}

struct parents {
    uint32_t open;
    uint32_t completed;
    uint32_t needed_bad; /* ended otherwise, and not optional */
};

static struct parents count_parents(const struct orc_execution *execution, const struct orc_plan_job *node) {
    struct parents parents = {0};
    for (uint32_t i = 0; i < node->parent_count; i++) {
        const struct orc_job *parent = &execution->jobs[node->parents[i]];
        bool completed = parent->state == ORC_JOB_COMPLETED;
        parents.open += !orc_job_terminal(parent);
        parents.completed += completed;
        parents.needed_bad += orc_job_terminal(parent) && !completed && !node->optional[i];
    }
    return parents;
}

static bool may_run(const struct orc_plan_job *node, const struct parents *parents) {
    switch ((enum orc_dependency_policy)node->policy) {
    case ORC_DEPENDENCY_ANY:
        return node->parent_count == 0 || parents->completed != 0;
    case ORC_DEPENDENCY_ALWAYS:
        return parents->open == 0;
    default:
        return parents->open == 0 && parents->needed_bad == 0;
    }
}

static bool can_never_run(const struct orc_plan_job *node, const struct parents *parents) {
    switch ((enum orc_dependency_policy)node->policy) {
    case ORC_DEPENDENCY_ANY:
        return node->parent_count != 0 && parents->open == 0 && parents->completed == 0;
    case ORC_DEPENDENCY_ALWAYS:
        return false;
    default:
        return parents->needed_bad != 0;
    }
}

static void check_parents(const struct orc_execution *execution, uint32_t index) {
    const struct orc_job *job = &execution->jobs[index];
    const struct orc_plan_job *node = &execution->plan->jobs[index];
    struct parents parents = count_parents(execution, node);
    bool open = !orc_execution_terminal(execution);
    rule(!open || job->unmet == parents.open, "unmet counts the parents that have not ended", execution, index);
    rule(job->state != ORC_JOB_WAITING || !can_never_run(node, &parents), "a job that can never run does not wait",
         execution, index);
    bool begun = execution->state == ORC_EXECUTION_PROCESSING;
    rule(job->state != ORC_JOB_WAITING || !begun || !may_run(node, &parents), "a job that may run does not wait",
         execution, index);
    bool gave_up = execution->plan->fail_fast && execution->doomed && !open;
    rule(job->state != ORC_JOB_SKIPPED || gave_up || job->removed || can_never_run(node, &parents),
         "a skipped job could never have run", execution, index);
    bool released = job->state == ORC_JOB_READY || job->state == ORC_JOB_AWAITING_APPROVAL ||
                    running_or_retrying(job) || job->state == ORC_JOB_COMPLETED || job->state == ORC_JOB_FAILED;
    bool joined = job->state == ORC_JOB_RUNNING && job->fused_prev >= 0;
    rule(!released || joined || job->reused != NULL || may_run(node, &parents), "a job runs when its policy says so",
         execution, index);
}

/* The two ends of a link of a run, and what came of a run. */
static void check_chain(const struct orc_execution *execution, uint32_t index) {
    const struct orc_job *job = &execution->jobs[index];
    rule((job->fused_prev < 0 && job->fused_next < 0) || job->state == ORC_JOB_RUNNING,
         "only running jobs are done in one run", execution, index);
    if (job->fused_next >= 0) {
        const struct orc_job *next = &execution->jobs[job->fused_next];
        const struct orc_plan_job *node = &execution->plan->jobs[index];
        rule(next->fused_prev == (int32_t)index, "a run is linked both ways", execution, index);
        rule(memcmp(job->fence, next->fence, ORC_FENCE_BYTES) == 0, "a run has one fence", execution, index);
        rule(job->deadline_ms == next->deadline_ms, "a run has one deadline", execution, index);
        rule(node->discards && !job->apart, "what lies within a run is wanted by nobody else", execution, index);
    }
    rule(job->fused_prev < 0 || job->unmet != 0, "who joined a run waits for the job before it", execution, index);
    rule(job->fused_into < 0 || job->state == ORC_JOB_COMPLETED, "what was fused into another is complete", execution,
         index);
    rule(job->state != ORC_JOB_WAITING || job->attempt == 0, "what waits was never tried", execution, index);
}

static uint32_t count_items(const struct orc_execution *execution, uint32_t map) {
    uint32_t open = 0;
    for (uint32_t i = 0; execution->plan->jobs[map].expanded && i < execution->plan->job_count; i++) {
        open += execution->plan->jobs[i].owner == (int32_t)map && !orc_job_terminal(&execution->jobs[i]);
    }
    return open;
}

static void check_approval(const struct orc_execution *execution, uint32_t index) {
    const struct orc_job *job = &execution->jobs[index];
    const struct orc_approval_rule *approval = execution->plan->jobs[index].approval;
    bool approved = job->decision != NULL && job->decision->approved;
    bool may_run = job->state == ORC_JOB_READY || running_or_retrying(job) ||
                   (job->state == ORC_JOB_COMPLETED && job->reused == NULL);
    rule(!may_run || approval == NULL || approved, "what needs an approval runs with it", execution, index);
    rule(job->state != ORC_JOB_AWAITING_APPROVAL || (approval != NULL && job->decision == NULL),
         "what awaits an approval needs one and has none", execution, index);
    rule(!may_run || execution->plan->approval == NULL || execution->decision != NULL,
         "nothing runs before the whole is approved", execution, index);
}

static void check_job(const struct orc_execution *execution, uint32_t index) {
    const struct orc_job *job = &execution->jobs[index];
    rule(job->state > ORC_JOB_NONE && job->state < ORC_JOB_STATES, "a job has a state", execution, index);
    check_parents(execution, index);
    check_approval(execution, index);
    check_chain(execution, index);
    rule((job->state == ORC_JOB_COMPLETED) == (job->result != NULL), "completed jobs have a result, others none",
         execution, index);
    rule((job->state == ORC_JOB_RETRYING) == (job->wake_at_ms != 0), "retrying jobs have a wake-up, others none",
         execution, index);
    rule(orc_job_terminal(job) == (job->completed_at_ms != 0), "ended jobs have an end", execution, index);
    rule(job->state != ORC_JOB_FAILED || job->error_code != NULL, "failed jobs say why", execution, index);
    rule(!orc_job_terminal(job) || job->checkpoint == NULL, "ended jobs keep no checkpoint", execution, index);
    rule(job->items_open == count_items(execution, index), "items_open counts the items that have not ended", execution,
         index);
    rule(!job->removed || job->state == ORC_JOB_SKIPPED, "what was removed is skipped", execution, index);
    rule(job->reused == NULL || job->state == ORC_JOB_COMPLETED, "what is reused is complete", execution, index);
    bool was_assigned = job->state == ORC_JOB_RUNNING || (job->state == ORC_JOB_COMPLETED && job->reused == NULL) ||
                        (job->state == ORC_JOB_FAILED && job->failures + job->losses != 0);
    rule(!was_assigned || (job->attempt != 0 && job->started_at_ms != 0), "what ran was assigned", execution, index);
}

static void check_timed(const struct orc_execution *execution) {
    uint32_t want = 0;
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        want += timed(execution, i);
    }
    int32_t prev = -1;
    uint32_t listed = 0;
    for (int32_t i = execution->timed_first; i >= 0 && listed <= want; i = execution->jobs[i].timed_next) {
        rule(timed(execution, (uint32_t)i) && execution->jobs[i].timed_prev == prev,
             "the timed list holds jobs that wait for a time", execution, (uint32_t)i);
        prev = i;
        listed++;
    }
    rule(listed == want, "the timed list holds every job that waits for a time", execution, 0);
}

static void check_whole(const struct orc_execution *execution, uint32_t open, bool bad) {
    bool terminal = orc_execution_terminal(execution);
    rule(execution->state > ORC_EXECUTION_NONE && execution->state < ORC_EXECUTION_STATES, "an execution has a state",
         execution, 0);
    rule(execution->open_jobs == open, "open_jobs counts the jobs that have not ended", execution, 0);
    rule(terminal || !execution->doomed || !execution->plan->fail_fast, "a plan that fails fast does not go on",
         execution, 0);
    rule(!terminal || open == 0, "a terminal execution has no open job", execution, 0);
    rule(terminal || open != 0 || execution->plan->job_count == 0, "an execution without open jobs is terminal",
         execution, 0);
    rule(execution->state != ORC_EXECUTION_COMPLETED || !bad, "completed means that every bad end was made good",
         execution, 0);
    rule(execution->doomed == bad, "doomed says that a bad end was not made good", execution, 0);
    rule(terminal == (execution->completed_at_ms != 0), "terminal executions have an end", execution, 0);
    rule((execution->state == ORC_EXECUTION_FAILED || execution->state == ORC_EXECUTION_CANCELLED) ==
             (execution->error != NULL),
         "failed and cancelled executions say why, others do not", execution, 0);
    bool delivering = execution->delivery.state != ORC_DELIVERY_NONE;
    rule(delivering == (terminal && execution->has_webhook), "a delivery exists when a terminal state asked for it",
         execution, 0);
    rule(execution->delivery.tries <= ORC_DELIVERY_TRIES_MAX, "the schedule of deliveries is bounded", execution, 0);
    rule(!execution->delivery.in_flight || execution->delivery.state == ORC_DELIVERY_PENDING,
         "only a pending delivery is in flight", execution, 0);
    rule(orc_execution_closed(execution) == (orc_execution_wake_at(execution) == INT64_MAX),
         "every open execution has a wake-up", execution, 0);
}

/* Without a dependent that might make it good. */
static bool ended_badly(const struct orc_execution *execution, uint32_t index) {
    const struct orc_plan_job *node = &execution->plan->jobs[index];
    int state = execution->jobs[index].state;
    bool alone = node->owner < 0;
    for (uint32_t i = 0; i < node->child_count; i++) {
        alone &= execution->plan->jobs[node->children[i]].policy == ORC_DEPENDENCY_ALWAYS;
    }
    return alone && (state == ORC_JOB_FAILED || (state == ORC_JOB_SKIPPED && !execution->jobs[index].removed));
}

void orc_execution_check(const struct orc_execution *execution) {
    uint32_t open = 0;
    bool bad = false;
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        check_job(execution, i);
        open += !orc_job_terminal(&execution->jobs[i]);
        bad |= ended_badly(execution, i);
    }
    check_timed(execution);
    check_whole(execution, open, bad);
}
