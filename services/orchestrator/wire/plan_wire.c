#include "wire/plan_wire.h"

#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/crypto.h"
#include "cs/rpc.h"
#include "wire/approval_wire.h"
#include "wire/cache_wire.h"
#include "wire/execution_wire.h"
#include "wire/external_wire.h"
#include "wire/failure_rules.h"
#include "wire/fusion_wire.h"
#include "wire/map_wire.h"
#include "wire/queue_wire.h"
#include "wire/request_check.h"

/* How to read a plan: a client's is checked, one from the log was. */
enum trust { FROM_CLIENT, FROM_LOG };

static bool is_import(const Callsheet__V1__Job *job) {
    return job->operation != NULL && job->operation->params_case == CALLSHEET__V1__OPERATION__PARAMS_IMPORT;
}

void orc_submission_destroy(struct orc_submission *submission) {
    if (submission == NULL) {
        return;
    }
    free(submission->request);
    cs_arena_destroy(submission->arena); /* holds the submission itself */
}

/* ---- jobs -> drafts; everything in the scratch arena ---- */

static enum cs_status check_job(const Callsheet__V1__Job *job, const struct cs_operation *row, struct cs_err *err) {
    if (strlen(job->output) > ORC_OUTPUT_LABEL_BYTES_MAX) {
        return cs_fail_at(err, "output", "bad_output", "a job's output label has at most %d bytes",
                          ORC_OUTPUT_LABEL_BYTES_MAX);
    }
    CS_TRY(orc_job_queueing_check(job, err));
    CS_TRY(orc_job_cache_check(job, row, err));
    if (row->internal && !is_import(job)) {
        return cs_fail_at(err, "operation", "operation_not_allowed", "\"%s\" is not for plans", row->name);
    }
    if (protobuf_c_message_get_packed_size(&job->operation->base) > CS_JOB_PARAMS_BYTES_MAX) {
        return cs_fail_at(err, "params", "params_too_big", "a job's parameters have at most %d bytes",
                          CS_JOB_PARAMS_BYTES_MAX);
    }
    if (cs_catalog_check(job->operation, err) != CS_OK || orc_external_check(job->operation, err) != CS_OK) {
        return cs_err_at(err, "params");
    }
    CS_TRY(orc_approval_check(job->requires_approval, err));
    return orc_failure_rules_check(job, err);
}

static enum cs_status read_inputs(Callsheet__V1__Job *job, size_t index, enum trust trust, struct cs_arena *scratch,
                                  struct orc_job_draft *draft, struct cs_err *err) {
    struct cs_media_slot *slots = NULL;
    size_t count = 0;
    if (cs_catalog_media_slots(job->operation, scratch, &slots, &count, err) != CS_OK) {
        return cs_err_at(err, "params");
    }
    struct orc_input *inputs = cs_arena_array(scratch, count, sizeof(*inputs));
    const char **jobs = cs_arena_array(scratch, count, sizeof(*jobs));
    const char **paths = cs_arena_array(scratch, count, sizeof(*paths));
    for (size_t i = 0; i < count; i++) {
        Callsheet__V1__MediaRef *ref = slots[i].ref;
        if (trust == FROM_CLIENT && ref->source_case == CALLSHEET__V1__MEDIA_REF__SOURCE_UPLOAD) {
            (void)cs_fail_at(err, slots[i].path, "upload_not_found", "there is no upload of this id");
            return cs_err_at(err, "params");
        }
        ref->input = (uint32_t)i + 1;
        ref->step = 0;
        inputs[i] = (struct orc_input){
            .job = -1,
            .url = ref->source_case == CALLSHEET__V1__MEDIA_REF__SOURCE_URL ? ref->url : NULL,
            .upload = ref->source_case == CALLSHEET__V1__MEDIA_REF__SOURCE_UPLOAD ? ref->upload : NULL,
            .accepts = (int)slots[i].accepts,
            .output = ref->source_case == CALLSHEET__V1__MEDIA_REF__SOURCE_JOB ? ref->output : 0,
        };
        jobs[i] = ref->source_case == CALLSHEET__V1__MEDIA_REF__SOURCE_JOB ? ref->job : NULL;
        paths[i] = cs_arena_sprintf(scratch, "jobs[%zu].params.%s", index, slots[i].path);
    }
    draft->inputs = inputs;
    draft->input_jobs = jobs;
    draft->input_paths = paths;
    draft->input_count = (uint32_t)count;
    return CS_OK;
}

static bool is_map(const Callsheet__V1__Job *job) {
    return job->operation->params_case == CALLSHEET__V1__OPERATION__PARAMS_MAP;
}

static int output_type_of(const Callsheet__V1__Job *job) {
    if (is_map(job)) {
        return orc_map_output_type(job->operation->map);
    }
    if (job->operation->params_case == CALLSHEET__V1__OPERATION__PARAMS_EXTERNAL) {
        return (int)job->operation->external->output;
    }
    return is_import(job) ? (int)job->operation->import->output : (int)cs_catalog_output_type(job->operation);
}

static int more_type_of(const Callsheet__V1__Job *job) {
    return is_import(job) ? (int)job->operation->import->more_output : (int)cs_catalog_more_type(job->operation);
}

/* What it is to the jobs of a map, and what they are to it. */
static void read_map(const Callsheet__V1__Job *job, struct orc_job_draft *draft) {
    draft->output_type = output_type_of(job);
    draft->more_type = more_type_of(job);
    draft->owner = cs_str_empty(job->parent) ? NULL : job->parent;
    draft->item = job->index;
    draft->expanded = job->expanded;
    if (is_map(job)) {
        const Callsheet__V1__Map *map = job->operation->map;
        bool skips = map->on_item_failure == CALLSHEET__V1__ITEM_FAILURE__ITEM_FAILURE_SKIP;
        draft->map = skips ? ORC_MAP_SKIP : ORC_MAP_FAIL;
        draft->parallel_max = map->max_parallel != 0 ? map->max_parallel : ORC_MAP_PARALLEL_DEFAULT;
    }
}

static enum cs_status read_job(const Callsheet__V1__Plan *plan, size_t index, enum trust trust,
                               struct cs_arena *scratch, struct orc_job_draft *draft, struct cs_err *err) {
    Callsheet__V1__Job *job = plan->jobs[index];
    const struct cs_operation *row = job->operation != NULL ? cs_catalog_by_case(job->operation->params_case) : NULL;
    if (row == NULL || cs_operation_params(job->operation) == NULL) {
        return cs_fail_at(err, "operation", "unknown_operation", "a job needs an operation that this server knows");
    }
    if (trust == FROM_CLIENT) {
        CS_TRY(check_job(job, row, err));
    }
    if (trust == FROM_CLIENT && is_map(job)) {
        CS_TRY(orc_map_check(job, scratch, err)); /* its dependencies are kept with it */
    }
    CS_TRY(read_inputs(job, index, trust, scratch, draft, err));
    size_t size = protobuf_c_message_get_packed_size(&job->operation->base);
    uint8_t *params = cs_arena_alloc(scratch, size);
    (void)protobuf_c_message_pack(&job->operation->base, params);
    draft->id = job->id;
    draft->output = job->output;
    draft->operation = orc_operation_by_case(row->which);
    draft->hidden = is_import(job);
    draft->base_job = draft->hidden ? job->operation->import->job_id : job->reference ? job->id : NULL;
    orc_job_queueing(plan, job, draft);
    draft->params = params;
    draft->params_size = (uint32_t)size;
    read_map(job, draft);
    draft->depends_on = (const char *const *)job->depends_on;
    draft->depends_on_count = (uint32_t)job->n_depends_on;
    draft->cache = orc_job_cache(plan, job, row);
    draft->approval = orc_approval_rule_from(job->requires_approval, scratch);
    orc_failure_rules_read(job, draft);
    return CS_OK;
}

/* ---- the graph ---- */

/* Whether a job gives, or may give, something that fits. */
static bool may_fit(const Callsheet__V1__Job *source, const struct orc_plan_job *planned, int accepts) {
    return (is_import(source) && source->operation->import->unknown_output) || orc_job_gives(planned, accepts);
}

static enum cs_status check_types(const Callsheet__V1__Plan *message, const struct orc_plan *plan,
                                  const struct orc_job_draft *drafts, struct cs_err *err) {
    for (uint32_t i = 0; i < plan->job_count; i++) {
        for (uint32_t k = 0; k < plan->jobs[i].input_count; k++) {
            const struct orc_input *input = &plan->jobs[i].inputs[k];
            if (input->job < 0) {
                continue;
            }
            const struct orc_plan_job *source = &plan->jobs[input->job];
            if (!may_fit(message->jobs[input->job], source, input->accepts)) {
                return cs_fail_at(err, drafts[i].input_paths[k], "type_mismatch",
                                  "job \"%s\" (%s) gives no output of the type that is needed here", source->id,
                                  source->operation->name);
            }
        }
    }
    return CS_OK;
}

static int compare_ids(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum cs_status check_roots(const Callsheet__V1__Plan *plan, struct cs_arena *scratch, struct cs_err *err) {
    if (plan->n_root_job_ids > ORC_PLAN_JOBS_MAX) {
        return cs_fail_at(err, "rootJobIds", "too_many_jobs", "a plan has at most %d jobs", ORC_PLAN_JOBS_MAX);
    }
    const char **ids = cs_arena_array(scratch, plan->n_jobs, sizeof(*ids));
    for (size_t i = 0; i < plan->n_jobs; i++) {
        ids[i] = plan->jobs[i]->id;
    }
    qsort(ids, plan->n_jobs, sizeof(*ids), compare_ids);
    for (size_t i = 0; i < plan->n_root_job_ids; i++) {
        if (bsearch(&plan->root_job_ids[i], ids, plan->n_jobs, sizeof(*ids), compare_ids) == NULL) {
            char path[48];
            (void)snprintf(path, sizeof(path), "rootJobIds[%zu]", i);
            return cs_fail_at(err, path, "unknown_root_job", "no job of the plan has this id");
        }
    }
    return CS_OK;
}

static enum cs_status read_jobs(const Callsheet__V1__Plan *message, enum trust trust, struct cs_arena *scratch,
                                struct orc_job_draft **ret_drafts, struct cs_err *err) {
    struct orc_job_draft *drafts = cs_arena_array(scratch, message->n_jobs, sizeof(*drafts));
    for (size_t i = 0; i < message->n_jobs; i++) {
        if (read_job(message, i, trust, scratch, &drafts[i], err) != CS_OK) {
            char prefix[32];
            (void)snprintf(prefix, sizeof(prefix), "jobs[%zu]", i);
            return cs_err_at(err, prefix);
        }
    }
    orc_fusion_read(message, scratch, drafts);
    *ret_drafts = drafts;
    return CS_OK;
}

enum cs_status orc_drafts_from(const Callsheet__V1__Plan *message, bool checked, struct cs_arena *arena,
                               struct orc_job_draft **ret_drafts, struct cs_err *err) {
    return read_jobs(message, checked ? FROM_LOG : FROM_CLIENT, arena, ret_drafts, err);
}

static enum cs_status read_plan(Callsheet__V1__Plan *message, enum trust trust, struct cs_arena *scratch,
                                struct cs_arena *arena, struct orc_plan **ret_plan, struct cs_err *err) {
    if (message == NULL) {
        return cs_fail_at(err, "plan", "missing_plan", "a request needs a plan");
    }
    if (message->n_jobs > ORC_PLAN_JOBS_MAX) {
        return cs_fail_at(err, "jobs", "too_many_jobs", "a plan has at most %d jobs", ORC_PLAN_JOBS_MAX);
    }
    if (trust == FROM_CLIENT) {
        CS_TRY(orc_plan_queueing_check(message, err));
        CS_TRY(orc_plan_cache_check(message, err));
        CS_TRY(orc_intermediates_check(message, err));
    }
    struct orc_job_draft *drafts = NULL;
    struct orc_plan *plan = NULL;
    CS_TRY(read_jobs(message, trust, scratch, &drafts, err));
    CS_TRY(orc_plan_build(drafts, message->n_jobs, arena, &plan, err));
    plan->priority = message->priority != NULL ? (uint8_t)message->priority->value : (uint8_t)ORC_PRIORITY_DEFAULT;
    plan->cache = (uint8_t)message->cache;
    plan->discards = orc_plan_discards(message);
    plan->fail_fast = message->on_failure == CALLSHEET__V1__ON_FAILURE__ON_FAILURE_FAIL_FAST;
    if (trust == FROM_CLIENT) {
        CS_TRY(orc_failure_rules_check_plan(message, err));
        CS_TRY(check_types(message, plan, drafts, err));
        CS_TRY(check_roots(message, scratch, err));
    }
    *ret_plan = plan;
    return CS_OK;
}

/* ---- the whole request ---- */

/* A copy without the plan. */
static enum cs_status copy_envelope(const Callsheet__V1__CreateExecutionRequest *request, struct cs_arena *scratch,
                                    struct cs_arena *arena, const Callsheet__V1__CreateExecutionRequest **ret_envelope,
                                    struct cs_err *err) {
    Callsheet__V1__CreateExecutionRequest bare = *request;
    bare.plan = NULL;
    size_t size = protobuf_c_message_get_packed_size(&bare.base);
    uint8_t *bytes = cs_arena_alloc(scratch, size);
    (void)protobuf_c_message_pack(&bare.base, bytes);
    ProtobufCMessage *copy = NULL;
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__create_execution_request__descriptor, bytes, size, arena, &copy,
                                       err));
    *ret_envelope = (const Callsheet__V1__CreateExecutionRequest *)copy;
    return CS_OK;
}

static const char *base_of(const Callsheet__V1__CreateExecutionRequest *envelope) {
    return cs_str_empty(envelope->base_execution_id) ? NULL : envelope->base_execution_id;
}

static enum cs_status internal_field(const char *path, const char *name, struct cs_err *err) {
    return cs_fail_at(err, path, "internal_field", "%s is not for clients", name);
}

const char *orc_job_internal_field(const Callsheet__V1__Job *job) {
    return job->reference               ? "reference"
           : !cs_str_empty(job->parent) ? "parent"
           : job->index != 0            ? "index"
           : job->expanded              ? "expanded"
                                        : NULL;
}

enum cs_status orc_request_check_internal(const Callsheet__V1__CreateExecutionRequest *request, struct cs_err *err) {
    if (!cs_str_empty(request->retry_of) || !cs_str_empty(request->rerun_of)) {
        const char *name = cs_str_empty(request->retry_of) ? "rerunOf" : "retryOf";
        return internal_field(name, name, err);
    }
    for (size_t i = 0; request->plan != NULL && i < request->plan->n_jobs; i++) {
        char path[48];
        const char *name = orc_job_internal_field(request->plan->jobs[i]);
        if (name != NULL) {
            (void)snprintf(path, sizeof(path), "jobs[%zu].%s", i, name);
            return internal_field(path, name, err);
        }
        if (is_import(request->plan->jobs[i])) {
            (void)snprintf(path, sizeof(path), "jobs[%zu].operation", i);
            return cs_fail_at(err, path, "operation_not_allowed", "\"import\" is not for plans");
        }
    }
    return CS_OK;
}

/* request_sha256 NULL: that of the request. */
static enum cs_status fill_submission(struct orc_submission *submission, Callsheet__V1__CreateExecutionRequest *request,
                                      const unsigned char *request_sha256, struct cs_arena *scratch,
                                      struct cs_err *err) {
    CS_TRY(orc_request_check(request, err));
    CS_TRY(orc_approval_check(request->requires_approval, err));
    CS_TRY(read_plan(request->plan, FROM_CLIENT, scratch, submission->arena, &submission->plan, err));
    CS_TRY(copy_envelope(request, scratch, submission->arena, &submission->envelope, err));
    submission->tenant = submission->envelope->tenant;
    submission->idempotency_key = submission->envelope->idempotency_key;
    submission->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : ORC_TIMEOUT_MS_DEFAULT;
    submission->has_webhook = request->webhook != NULL;
    submission->request_size = protobuf_c_message_get_packed_size(&request->base);
    submission->request = cs_alloc(submission->request_size);
    (void)protobuf_c_message_pack(&request->base, submission->request);
    submission->plan->base = base_of(submission->envelope);
    submission->plan->approval = orc_approval_rule_from(request->requires_approval, submission->arena);
    if (request_sha256 != NULL) {
        memcpy(submission->request_sha256, request_sha256, sizeof(submission->request_sha256));
    } else {
        cs_sha256_of(submission->request, submission->request_size, submission->request_sha256);
    }
    return CS_OK;
}

/* Most plans fit into one block of that size. */
static size_t arena_bytes(const Callsheet__V1__Plan *plan) {
    enum { BASE = 512, A_JOB = sizeof(struct orc_plan_job) + 80 /* its texts, parameters and edges */ };
    size_t jobs = plan != NULL ? plan->n_jobs : 0;
    return BASE + A_JOB * (jobs < ORC_PLAN_JOBS_MAX ? jobs : ORC_PLAN_JOBS_MAX);
}

static enum cs_status make_submission(Callsheet__V1__CreateExecutionRequest *request,
                                      const unsigned char *request_sha256, const struct cs_trace *trace,
                                      struct orc_submission **ret_submission, struct cs_err *err) {
    CS_AUTO(cs_arena) *scratch = cs_arena_create();
    struct cs_arena *arena = cs_arena_create_sized(arena_bytes(request->plan)); /* lives as long as the execution */
    CS_AUTO(orc_submission) *submission = cs_arena_alloc(arena, sizeof(*submission));
    submission->arena = arena;
    submission->trace = *trace;
    CS_TRY(fill_submission(submission, request, request_sha256, scratch, err));
    *ret_submission = cs_steal(&submission);
    return CS_OK;
}

enum cs_status orc_submission_from(Callsheet__V1__CreateExecutionRequest *request, const struct cs_trace *trace,
                                   struct orc_submission **ret_submission, struct cs_err *err) {
    CS_TRY(orc_request_check_internal(request, err));
    return make_submission(request, NULL, trace, ret_submission, err);
}

enum cs_status orc_submission_resolved(Callsheet__V1__CreateExecutionRequest *request,
                                       const unsigned char *request_sha256, const struct cs_trace *trace,
                                       struct orc_submission **ret_submission, struct cs_err *err) {
    return make_submission(request, request_sha256, trace, ret_submission, err);
}

static enum cs_status reread(const void *bytes, size_t size_bytes, struct cs_arena *arena,
                             const Callsheet__V1__CreateExecutionRequest **ret_envelope, struct orc_plan **ret_plan,
                             struct cs_err *err) {
    CS_AUTO(cs_arena) *scratch = cs_arena_create();
    ProtobufCMessage *message = NULL;
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__create_execution_request__descriptor, bytes, size_bytes, scratch,
                                       &message, err));
    Callsheet__V1__CreateExecutionRequest *request = (Callsheet__V1__CreateExecutionRequest *)message;
    const Callsheet__V1__CreateExecutionRequest *envelope = NULL;
    CS_TRY(copy_envelope(request, scratch, arena, &envelope, err));
    CS_TRY(read_plan(request->plan, FROM_LOG, scratch, arena, ret_plan, err));
    (*ret_plan)->base = base_of(envelope);
    (*ret_plan)->approval = orc_approval_rule_from(request->requires_approval, arena);
    *ret_envelope = envelope;
    return CS_OK;
}

enum cs_status orc_plan_from_request(const void *bytes, size_t size_bytes, struct cs_arena *arena,
                                     const Callsheet__V1__CreateExecutionRequest **ret_envelope,
                                     struct orc_plan **ret_plan, struct cs_err *err) {
    struct cs_err cause = {0};
    if (reread(bytes, size_bytes, arena, ret_envelope, ret_plan, &cause) != CS_OK) {
        return cs_fail(err, CS_DATA_LOSS, "bad_request_row", "a stored request makes no plan: %s", cause.message);
    }
    return CS_OK;
}
