#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "domain/moves.h"

enum { LISTED_MAX = 20 };

static const char *error_of(const struct orc_job *job) {
    return !cs_str_empty(job->error_message) ? job->error_message : job->error_code;
}

/* What the orchestrator was to fetch for others is not among the jobs that clients know. */
static const struct orc_job *failed_import(const struct orc_execution *execution) {
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        if (execution->plan->jobs[i].hidden && execution->jobs[i].state == ORC_JOB_FAILED) {
            return &execution->jobs[i];
        }
    }
    return NULL;
}

static uint32_t count_failed(const struct orc_execution *execution, uint32_t *ret_first) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        if (execution->jobs[i].state == ORC_JOB_FAILED && count++ == 0) {
            *ret_first = i;
        }
    }
    return count;
}

/* The failed jobs in plan order, each as "<op><before><error><after>". */
static void put_failed(struct cs_buf *out, const struct orc_execution *execution, const char *before, const char *after,
                       const char *separator) {
    uint32_t listed = 0;
    for (uint32_t i = 0; i < execution->plan->job_count && listed < LISTED_MAX; i++) {
        if (execution->jobs[i].state == ORC_JOB_FAILED) {
            cs_buf_printf(out, "%s%s%s%s%s", listed++ != 0 ? separator : "", execution->plan->jobs[i].operation->name,
                          before, error_of(&execution->jobs[i]), after);
        }
    }
}

char *orc_failure_text(const struct orc_execution *execution) {
    uint32_t first = 0;
    uint32_t count = count_failed(execution, &first);
    const struct orc_job *import = failed_import(execution);
    if (import != NULL) {
        return cs_strdup(error_of(import));
    }
    if (count == 0) {
        return cs_strdup("Execution failed due to dependency errors");
    }
    if (count == 1) {
        return cs_sprintf("Job '%s' failed: %s", execution->plan->jobs[first].operation->name,
                          error_of(&execution->jobs[first]));
    }
    struct cs_buf text = {0};
    cs_buf_printf(&text, "%u jobs failed: ", count);
    put_failed(&text, execution, " (", ")", ", ");
    if (count > LISTED_MAX) {
        cs_buf_puts(&text, ", …");
    }
    return cs_buf_steal(&text);
}

char *orc_failure_list(const struct orc_execution *execution) {
    uint32_t first = 0;
    const struct orc_job *import = failed_import(execution);
    if (import != NULL) {
        return cs_strdup(error_of(import));
    }
    if (count_failed(execution, &first) == 0) {
        return NULL;
    }
    struct cs_buf text = {0};
    put_failed(&text, execution, ": ", "", "; ");
    return cs_buf_steal(&text);
}
