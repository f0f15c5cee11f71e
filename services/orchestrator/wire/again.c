#include "wire/again.h"

#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/crypto.h"
#include "cs/rpc.h"
#include "wire/cache_wire.h"
#include "wire/grown.h"
#include "wire/names.h"

/* The old execution, read. */
struct old {
    Callsheet__V1__CreateExecutionRequest *request;
    const Callsheet__V1__Execution *summary;
};

void orc_retry_key(const char *execution, char ret_key[ORC_AGAIN_KEY_SIZE]) {
    (void)snprintf(ret_key, ORC_AGAIN_KEY_SIZE, "\001retry:%s", execution); /* clients' keys have no such byte */
}

static enum cs_status read_old(const struct orc_earlier *earlier, struct cs_arena *arena, struct old *old,
                               struct cs_err *err) {
    ProtobufCMessage *request = NULL;
    ProtobufCMessage *summary = NULL;
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__create_execution_request__descriptor, earlier->request,
                                       earlier->request_size, arena, &request, err));
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__execution__descriptor, earlier->summary, earlier->summary_size,
                                       arena, &summary, err));
    old->request = (Callsheet__V1__CreateExecutionRequest *)request;
    old->summary = (const Callsheet__V1__Execution *)summary;
    return orc_request_grow(old->request, earlier->events, earlier->event_count, old->summary, arena, err);
}

static enum cs_status check_ended(const struct orc_earlier *earlier, struct cs_err *err) {
    if (earlier->summary == NULL) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "not_ended", "the execution has not ended");
    }
    return CS_OK;
}

/* Takes from the old one what the new one need not run. */
static void reuse(const struct orc_earlier *earlier, const struct old *old, const bool *again, const char *reason,
                  struct orc_submission *submission) {
    submission->origin = cs_arena_strdup(submission->arena, earlier->id);
    submission->reuses = orc_reuses_of_earlier(submission->plan, old->summary, again, reason, submission->arena);
}

/* ---- retry ---- */

enum cs_status orc_retry_from(const struct orc_earlier *earlier, const char *key, const struct cs_trace *trace,
                              struct orc_submission **ret_submission, struct cs_err *err) {
    CS_AUTO(cs_arena) *scratch = cs_arena_create();
    struct old old = {0};
    unsigned char digest[32];
    char derived[ORC_AGAIN_KEY_SIZE];
    CS_TRY(check_ended(earlier, err));
    if (earlier->state == ORC_EXECUTION_COMPLETED) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "not_failed", "the execution has completed: nothing to retry");
    }
    CS_TRY(read_old(earlier, scratch, &old, err));
    orc_retry_key(earlier->id, derived);
    cs_sha256_of(derived, strlen(derived), digest); /* what was asked for, by whatever key */
    old.request->idempotency_key = key != NULL ? (char *)key : (char *)protobuf_c_empty_string;
    old.request->retry_of = (char *)earlier->id;
    old.request->rerun_of = (char *)protobuf_c_empty_string;
    struct orc_submission *submission = NULL;
    CS_TRY(orc_submission_resolved(old.request, digest, trace, &submission, err));
    if (key == NULL) {
        submission->idempotency_key = cs_arena_strdup(submission->arena, derived);
    }
    reuse(earlier, &old, NULL, "retry", submission);
    *ret_submission = submission;
    return CS_OK;
}

/* ---- rerun ---- */

static enum cs_status check_from(const Callsheet__V1__RerunExecutionRequest *request, struct cs_err *err) {
    if (request->n_from == 0 && request->n_without == 0) {
        return cs_fail_at(err, "from", "no_jobs", "a rerun needs a job to begin with");
    }
    if (request->n_from > ORC_RERUN_JOBS_MAX || request->n_without > ORC_RERUN_JOBS_MAX) {
        return cs_fail_at(err, "from", "too_many_jobs", "a rerun begins with at most %d jobs", ORC_RERUN_JOBS_MAX);
    }
    return CS_OK;
}

/* Those that a client sees. */
static struct orc_named *names_of(const struct orc_plan *plan, struct cs_arena *scratch) {
    struct orc_named *names = NULL;
    for (uint32_t i = 0; i < plan->job_count; i++) {
        if (!plan->jobs[i].hidden) {
            names = orc_names_add(names, plan->jobs[i].id, i, scratch);
        }
    }
    return names;
}

/* Puts new parameters into the old plan and marks where to begin. */
static enum cs_status apply(const Callsheet__V1__RerunJob *from, const struct orc_plan *plan, struct orc_named *names,
                            Callsheet__V1__Plan *message, bool *again, struct cs_err *err) {
    const struct orc_named *named = orc_names_find(names, from->job_id);
    if (named == NULL) {
        return cs_fail_at(err, "jobId", "unknown_job", "the plan has no job \"%.128s\"", from->job_id);
    }
    size_t job = named->index;
    if (again[job]) {
        return cs_fail_at(err, "jobId", "duplicate_job", "job \"%s\" is named already", plan->jobs[job].id);
    }
    again[job] = true;
    if (from->operation == NULL) {
        orc_job_cache_refresh(message, message->jobs[job]); /* what it gave is not what is wanted */
        return CS_OK;
    }
    if (from->operation->params_case != message->jobs[job]->operation->params_case) {
        return cs_fail_at(err, "params", "other_operation", "job \"%s\" is a %s and stays one", plan->jobs[job].id,
                          plan->jobs[job].operation->name);
    }
    message->jobs[job]->operation = from->operation;
    return CS_OK;
}

/* All that depends on what is marked. */
static void spread(const struct orc_plan *plan, bool *again, struct cs_arena *scratch) {
    uint32_t *stack = cs_arena_array(scratch, plan->job_count, sizeof(*stack));
    uint32_t depth = 0;
    for (uint32_t i = 0; i < plan->job_count; i++) {
        if (again[i]) {
            stack[depth++] = i;
        }
    }
    while (depth > 0) {
        const struct orc_plan_job *job = &plan->jobs[stack[--depth]];
        for (uint32_t i = 0; i < job->child_count; i++) {
            if (!again[job->children[i]]) {
                again[job->children[i]] = true;
                stack[depth++] = job->children[i];
            }
        }
    }
}

/* Items that begin again, or go: their map gathers them anew, and all that depends on it. Those whose map itself begins
 * again go: it makes new ones. */
static void mark_maps(const struct orc_plan *plan, Callsheet__V1__Plan *message, bool *again, bool *drop,
                      struct cs_arena *scratch) {
    bool *gathers = cs_arena_array(scratch, plan->job_count, sizeof(*gathers));
    spread(plan, again, scratch);
    for (uint32_t i = 0; i < plan->job_count; i++) {
        int32_t owner = plan->jobs[i].owner;
        drop[i] |= owner >= 0 && again[owner];
        gathers[owner >= 0 ? (uint32_t)owner : i] |= owner >= 0 && !again[owner] && (again[i] || drop[i]);
    }
    for (uint32_t i = 0; i < plan->job_count; i++) {
        message->jobs[i]->expanded = message->jobs[i]->expanded && !again[i];
    }
    for (uint32_t i = 0; i < plan->job_count; i++) {
        again[i] |= gathers[i];
    }
    spread(plan, again, scratch);
}

static enum cs_status mark_without(const Callsheet__V1__RerunExecutionRequest *request, const struct orc_plan *plan,
                                   struct orc_named *names, bool *drop, struct cs_err *err) {
    for (size_t i = 0; i < request->n_without; i++) {
        const struct orc_named *named = orc_names_find(names, request->without[i]);
        char path[32];
        (void)snprintf(path, sizeof(path), "without[%zu]", i);
        if (named == NULL) {
            return cs_fail_at(err, path, "unknown_job", "the plan has no job \"%.128s\"", request->without[i]);
        }
        if (plan->jobs[named->index].owner < 0) {
            return cs_fail_at(err, path, "not_an_item", "job \"%s\" is not an item of a map", named->id);
        }
        drop[named->index] = true;
    }
    return CS_OK;
}

/* What the request names: where to begin, and what goes. */
static enum cs_status mark_named(const Callsheet__V1__RerunExecutionRequest *request, const struct orc_plan *plan,
                                 struct orc_named *names, Callsheet__V1__Plan *message, bool *again, bool *drop,
                                 struct cs_err *err) {
    CS_TRY(mark_without(request, plan, names, drop, err));
    for (size_t i = 0; i < request->n_from; i++) {
        if (apply(request->from[i], plan, names, message, again, err) != CS_OK) {
            char prefix[32];
            (void)snprintf(prefix, sizeof(prefix), "from[%zu]", i);
            return cs_err_at(err, prefix);
        }
    }
    return CS_OK;
}

static enum cs_status mark(const Callsheet__V1__RerunExecutionRequest *request,
                           Callsheet__V1__CreateExecutionRequest *old, struct cs_arena *scratch, bool **ret_again,
                           struct cs_err *err) {
    Callsheet__V1__Plan *message = old->plan;
    size_t size = protobuf_c_message_get_packed_size(&old->base);
    uint8_t *bytes = cs_arena_alloc(scratch, size);
    (void)protobuf_c_message_pack(&old->base, bytes);
    const Callsheet__V1__CreateExecutionRequest *envelope = NULL;
    struct orc_plan *plan = NULL;
    CS_TRY(orc_plan_from_request(bytes, size, scratch, &envelope, &plan, err));
    bool *again = cs_arena_array(scratch, plan->job_count, sizeof(*again));
    bool *drop = cs_arena_array(scratch, plan->job_count, sizeof(*drop));
    struct orc_named *names = names_of(plan, scratch);
    enum cs_status status = mark_named(request, plan, names, message, again, drop, err);
    orc_names_clear(names);
    CS_TRY(status);
    mark_maps(plan, message, again, drop, scratch);
    for (uint32_t i = 0; i < plan->job_count; i++) {
        message->jobs[i]->reference = message->jobs[i]->reference && !again[i]; /* it runs now */
    }
    orc_plan_drop(message, drop, again, scratch);
    *ret_again = again;
    return CS_OK;
}

static void digest_of(const Callsheet__V1__RerunExecutionRequest *request, struct cs_arena *scratch,
                      unsigned char ret_digest[32]) {
    size_t size = protobuf_c_message_get_packed_size(&request->base);
    uint8_t *bytes = cs_arena_alloc(scratch, size);
    (void)protobuf_c_message_pack(&request->base, bytes);
    cs_sha256_of(bytes, size, ret_digest);
}

enum cs_status orc_rerun_from(const struct orc_earlier *earlier, const Callsheet__V1__RerunExecutionRequest *request,
                              const struct cs_trace *trace, struct orc_submission **ret_submission,
                              struct cs_err *err) {
    CS_AUTO(cs_arena) *scratch = cs_arena_create();
    struct old old = {0};
    bool *again = NULL;
    unsigned char digest[32];
    CS_TRY(check_ended(earlier, err));
    CS_TRY(check_from(request, err));
    CS_TRY(read_old(earlier, scratch, &old, err));
    digest_of(request, scratch, digest);
    CS_TRY(mark(request, old.request, scratch, &again, err));
    old.request->idempotency_key = request->idempotency_key;
    old.request->retry_of = (char *)protobuf_c_empty_string;
    old.request->rerun_of = (char *)earlier->id;
    struct orc_submission *submission = NULL;
    CS_TRY(orc_submission_resolved(old.request, digest, trace, &submission, err));
    reuse(earlier, &old, again, "rerun", submission);
    *ret_submission = submission;
    return CS_OK;
}
