/* A map: a job whose work is that of the jobs that it appends, one for each item of a list. */
#include "domain/moves.h"

void orc_items_count(struct orc_execution *execution, uint32_t first) {
    for (uint32_t i = first; i < execution->plan->job_count; i++) {
        int32_t owner = execution->plan->jobs[i].owner;
        if (owner >= 0 && !orc_job_terminal(&execution->jobs[i])) {
            execution->jobs[owner].items_open++;
        }
    }
}

static bool ended_badly(const struct orc_job *job) {
    return job->state != ORC_JOB_COMPLETED && !job->removed;
}

void orc_item_ended(const struct orc_step *step, uint32_t job) {
    const struct orc_execution *execution = step->execution;
    int32_t owner = execution->plan->jobs[job].owner;
    if (owner < 0 || execution->jobs[owner].state != ORC_JOB_RUNNING) {
        return; /* one that is not at work yet looks at its items when it begins */
    }
    bool fails = execution->plan->jobs[owner].map == ORC_MAP_FAIL && ended_badly(&execution->jobs[job]);
    if (fails || execution->jobs[owner].items_open == 0) {
        orc_emit(step, ORC_COMMAND_GATHER, (uint32_t)owner, NULL);
    }
}

void orc_items_cancel(const struct orc_step *step, uint32_t map) {
    const struct orc_execution *execution = step->execution;
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        if (execution->plan->jobs[i].owner == (int32_t)map && !orc_job_terminal(&execution->jobs[i])) {
            orc_job_cancel(step, i);
            orc_failure_spread(step, i);
        }
    }
}
