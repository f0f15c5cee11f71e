/*
 * fixture: small plans and a readable print of an execution, for the tests of the domain and the simulator.
 */
#ifndef ORC_DOMAIN_TESTS_FIXTURE_H
#define ORC_DOMAIN_TESTS_FIXTURE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/mem.h"
#include "domain/execution.h"
#include "domain/fsm.h"
#include "domain/plan.h"

#define RETRY_TWICE                                                                                                    \
    { .attempts_max = 3, .base_ms = 1000, .cap_ms = 60000 }
#define RETRY_NEVER                                                                                                    \
    { .attempts_max = 1 }
#define POLICIES                                                                                                       \
    .retry = {                                                                                                         \
        [ORC_FAILURE_UNSPECIFIED] = RETRY_TWICE,      [ORC_FAILURE_INVALID_INPUT] = RETRY_NEVER,                       \
        [ORC_FAILURE_TRANSIENT] = RETRY_TWICE,        [ORC_FAILURE_RATE_LIMITED] = RETRY_TWICE,                        \
        [ORC_FAILURE_TIMEOUT] = RETRY_TWICE,          [ORC_FAILURE_CODEC_UNSUPPORTED] = RETRY_NEVER,                   \
        [ORC_FAILURE_CONTENT_REJECTED] = RETRY_NEVER, [ORC_FAILURE_AUTH] = RETRY_NEVER,                                \
        [ORC_FAILURE_BILLING] = RETRY_NEVER,          [ORC_FAILURE_INTERNAL] = RETRY_TWICE,                            \
        [ORC_FAILURE_OUTCOME_UNKNOWN] = RETRY_NEVER,  [ORC_FAILURE_CANCELLED] = RETRY_NEVER,                           \
    }

static const struct orc_operation fixture_merge = {.name = "merge", .timeout_ms = 600000, POLICIES};
static const struct orc_operation fixture_generate = {
    .name = "generateVideo", .timeout_ms = 3600000, .paid = true, POLICIES};

/* One line per job: id and the ids it depends on, "a", "b", "merge<a,b". An id starting with "g" is paid. "join|a,b"
 * runs after any, "join!a,b" always; a parent with a question mark is optional, "join<a,b?". */
__attribute__((unused)) static struct orc_plan *fixture_plan(struct cs_arena *arena, const char *const *lines,
                                                             size_t count) {
    struct orc_job_draft *drafts = cs_arena_array(arena, count, sizeof(*drafts));
    for (size_t i = 0; i < count; i++) {
        char *line = cs_arena_strdup(arena, lines[i]);
        char *rest = strpbrk(line, "<|!");
        char mark = rest != NULL ? *rest : '<';
        const char **optional = cs_arena_array(arena, strlen(line) + 1, sizeof(*optional));
        uint32_t optional_count = 0;
        const char **depends_on = cs_arena_array(arena, strlen(line) + 1, sizeof(*depends_on));
        uint32_t depends_on_count = 0;
        if (rest != NULL) {
            *rest++ = '\0';
            char *save = NULL;
            for (char *id = strtok_r(rest, ",", &save); id != NULL; id = strtok_r(NULL, ",", &save)) {
                depends_on[depends_on_count++] = id;
                if (id[strlen(id) - 1] == '?') {
                    id[strlen(id) - 1] = '\0';
                    optional[optional_count++] = id;
                }
            }
        }
        drafts[i] = (struct orc_job_draft){
            .id = line,
            .output = "",
            .operation = line[0] == 'g' ? &fixture_generate : &fixture_merge,
            .params = "",
            .depends_on = depends_on,
            .depends_on_count = depends_on_count,
            .policy = mark == '|'   ? ORC_DEPENDENCY_ANY
                      : mark == '!' ? ORC_DEPENDENCY_ALWAYS
                                    : ORC_DEPENDENCY_DEFAULT,
            .optional = optional,
            .optional_count = optional_count,
        };
    }
    struct orc_plan *plan = NULL;
    struct cs_err err = {0};
    if (orc_plan_build(drafts, count, arena, &plan, &err) != CS_OK) {
        (void)fprintf(stderr, "fixture: %s\n", err.message);
        abort();
    }
    return plan;
}

/* To set what the lines do not say, before the beginning. */
static inline struct orc_plan *fixture_mutable(const struct orc_plan *plan) {
    return (struct orc_plan *)plan;
}

/* Volatile: the log does not tell that it runs, and it is told then that it waits. */
static inline bool fixture_joined(const struct orc_job *job) {
    return job->state == ORC_JOB_RUNNING && job->fused_prev >= 0;
}

static inline bool fixture_pending(const struct orc_job *job) {
    return job->state == ORC_JOB_READY || job->state == ORC_JOB_RUNNING || job->state == ORC_JOB_RETRYING;
}

/* Everything that is known of an execution. durable: only what the log keeps, so that a replayed execution prints the
 * same. */
__attribute__((unused)) static void fixture_print(const struct orc_execution *e, bool durable, struct cs_buf *out) {
    bool open = !orc_execution_terminal(e);
    cs_buf_printf(
        out, "%s state=%s open=%u seq=%" PRIu64 " started=%" PRId64 " completed=%" PRId64 " result=%d error=%s\n",
        e->id, durable && open ? "open" : orc_execution_fsm.state_names[e->state], e->open_jobs, e->seq,
        durable && open ? 0 : e->started_at_ms, e->completed_at_ms, e->result_job, e->error != NULL ? e->error : "-");
    cs_buf_printf(out, "delivery %s tries=%u next=%" PRId64 " delivered=%" PRId64 " error=%s",
                  orc_delivery_fsm.state_names[e->delivery.state], e->delivery.tries,
                  durable ? 0 : e->delivery.next_try_at_ms, e->delivery.delivered_at_ms,
                  e->delivery.last_error != NULL ? e->delivery.last_error : "-");
    cs_buf_printf(out, durable ? "\n" : " flying=%d losses=%u\n", e->delivery.in_flight, e->delivery.losses);
    for (uint32_t i = 0; i < e->plan->job_count; i++) {
        const struct orc_job *job = &e->jobs[i];
        bool joined = durable && fixture_joined(job);
        bool volatile_state = durable && fixture_pending(job);
        bool unknown = volatile_state || (durable && job->state == ORC_JOB_CANCELLED);
        cs_buf_printf(
            out,
            "%s %s attempt=%u started=%" PRId64 " failures=%u losses=%u unmet=%u wake=%" PRId64 " end=%" PRId64
            " class=%d code=%s message=%s checkpoint=%.*s result=%.*s reused=%s apart=%d into=%d\n",
            e->plan->jobs[i].id,
            joined           ? orc_job_fsm.state_names[ORC_JOB_WAITING]
            : volatile_state ? "pending"
                             : orc_job_fsm.state_names[job->state],
            unknown ? 0 : job->attempt, unknown ? 0 : job->started_at_ms, job->failures, job->losses, job->unmet,
            durable ? 0 : job->wake_at_ms, job->completed_at_ms, (int)job->failure_class,
            job->error_code != NULL ? job->error_code : "-", job->error_message != NULL ? job->error_message : "-",
            (int)job->checkpoint_size, job->checkpoint != NULL ? (const char *)job->checkpoint : "",
            (int)job->result_size, job->result != NULL ? (const char *)job->result : "",
            job->reused != NULL ? job->reused->execution : "-", job->apart, job->fused_into);
    }
}

#endif
