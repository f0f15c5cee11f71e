#include "wire/change_wire.h"

#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/rpc.h"
#include "wire/execution_wire.h"
#include "wire/map_wire.h"
#include "wire/plan_wire.h"

void orc_change_destroy(struct orc_change *change) {
    if (change != NULL) {
        cs_arena_destroy(change->arena);
    }
}

static struct orc_change *new_change(enum orc_event_kind kind) {
    struct cs_arena *arena = cs_arena_create();
    struct orc_change *change = cs_arena_alloc(arena, sizeof(*change));
    *change = (struct orc_change){.arena = arena, .kind = kind};
    return change;
}

/* ---- alone ---- */

/* A copy: the message of a call goes with it. */
static enum cs_status copy_message(const ProtobufCMessage *message, struct cs_arena *arena, ProtobufCMessage **ret_copy,
                                   struct cs_err *err) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = cs_arena_alloc(arena, size);
    (void)protobuf_c_message_pack(message, bytes);
    return cs_rpc_message_unpack_arena(message->descriptor, bytes, size, arena, ret_copy, err);
}

static enum cs_status check_jobs(const Callsheet__V1__Plan *plan, struct cs_err *err) {
    for (size_t i = 0; i < plan->n_jobs; i++) {
        const char *name = orc_job_internal_field(plan->jobs[i]);
        const Callsheet__V1__Operation *operation = plan->jobs[i]->operation;
        char path[48];
        if (name != NULL) {
            (void)snprintf(path, sizeof(path), "jobs[%zu].%s", i, name);
            return cs_fail_at(err, path, "internal_field", "%s is not for clients", name);
        }
        if (operation != NULL && operation->params_case == CALLSHEET__V1__OPERATION__PARAMS_IMPORT) {
            (void)snprintf(path, sizeof(path), "jobs[%zu].operation", i);
            return cs_fail_at(err, path, "operation_not_allowed", "\"import\" is not for plans");
        }
    }
    return CS_OK;
}

static enum cs_status read_drafts(struct orc_change *change, const Callsheet__V1__Plan *plan, struct cs_err *err) {
    ProtobufCMessage *copy = NULL;
    CS_TRY(copy_message(&plan->base, change->arena, &copy, err));
    change->plan = (Callsheet__V1__Plan *)copy;
    return orc_drafts_from(change->plan, false, change->arena, &change->drafts, err);
}

enum cs_status orc_change_from_append(const Callsheet__V1__AppendJobsRequest *request, struct orc_change **ret_change,
                                      struct cs_err *err) {
    CS_AUTO(orc_change) *change = new_change(ORC_EVENT_APPENDED);
    Callsheet__V1__Plan plan = CALLSHEET__V1__PLAN__INIT;
    plan.n_jobs = request->n_jobs;
    plan.jobs = request->jobs;
    if (plan.n_jobs == 0) {
        return cs_fail_at(err, "jobs", "no_jobs", "there is nothing to append");
    }
    if (plan.n_jobs > ORC_PLAN_JOBS_MAX) {
        return cs_fail_at(err, "jobs", "too_many_jobs", "a plan has at most %d jobs", ORC_PLAN_JOBS_MAX);
    }
    CS_TRY(check_jobs(&plan, err));
    CS_TRY(read_drafts(change, &plan, err));
    *ret_change = cs_steal(&change);
    return CS_OK;
}

enum cs_status orc_change_from_items(Callsheet__V1__Plan *plan, struct orc_change **ret_change, struct cs_err *err) {
    CS_AUTO(orc_change) *change = new_change(ORC_EVENT_APPENDED);
    CS_TRY(read_drafts(change, plan, err));
    *ret_change = cs_steal(&change);
    return CS_OK;
}

enum cs_status orc_change_from_edit(const Callsheet__V1__EditJobRequest *request, struct orc_change **ret_change,
                                    struct cs_err *err) {
    CS_AUTO(orc_change) *change = new_change(ORC_EVENT_EDITED);
    Callsheet__V1__Job job = CALLSHEET__V1__JOB__INIT;
    Callsheet__V1__Job *jobs = &job;
    Callsheet__V1__Plan plan = CALLSHEET__V1__PLAN__INIT;
    change->job = cs_arena_strdup(change->arena, request->job_id);
    job.operation = request->operation;
    plan.n_jobs = 1;
    plan.jobs = &jobs;
    enum cs_status status = check_jobs(&plan, err);
    status = status == CS_OK ? read_drafts(change, &plan, err) : status;
    if (status != CS_OK) {
        static const char prefix[] = "jobs[0].";
        size_t length = strncmp(err->path, prefix, sizeof(prefix) - 1) == 0 ? sizeof(prefix) - 1 : 0;
        memmove(err->path, err->path + length, strlen(err->path + length) + 1);
        return status;
    }
    *ret_change = cs_steal(&change);
    return CS_OK;
}

enum cs_status orc_change_from_remove(const Callsheet__V1__RemoveJobRequest *request, struct orc_change **ret_change,
                                      __attribute__((unused)) struct cs_err *err) {
    struct orc_change *change = new_change(ORC_EVENT_REMOVED);
    change->job = cs_arena_strdup(change->arena, request->job_id);
    change->cascade = request->cascade;
    *ret_change = change;
    return CS_OK;
}

/* ---- against the plan ---- */

static bool same_text(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool has_parent(const struct orc_plan *plan, const struct orc_plan_job *job, const char *id) {
    for (uint32_t i = 0; i < job->parent_count; i++) {
        if (strcmp(plan->jobs[job->parents[i]].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static bool names(const struct orc_job_draft *draft, const char *id) {
    for (uint32_t i = 0; i < draft->input_count; i++) {
        if (draft->input_jobs[i] != NULL && strcmp(draft->input_jobs[i], id) == 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < draft->depends_on_count; i++) {
        if (strcmp(draft->depends_on[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static bool same_parents(const struct orc_plan *plan, const struct orc_plan_job *job,
                         const struct orc_job_draft *draft) {
    for (uint32_t i = 0; i < job->parent_count; i++) {
        if (!names(draft, plan->jobs[job->parents[i]].id)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < draft->input_count; i++) {
        if (draft->input_jobs[i] != NULL && !has_parent(plan, job, draft->input_jobs[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < draft->depends_on_count; i++) {
        if (!has_parent(plan, job, draft->depends_on[i])) {
            return false;
        }
    }
    return true;
}

static bool same_optional(const struct orc_plan *plan, const struct orc_plan_job *job,
                          const struct orc_job_draft *draft) {
    for (uint32_t i = 0; i < job->parent_count; i++) {
        bool optional = false;
        for (uint32_t n = 0; n < draft->optional_count; n++) {
            optional |= strcmp(draft->optional[n], plan->jobs[job->parents[i]].id) == 0;
        }
        if (optional != job->optional[i]) {
            return false;
        }
    }
    return true;
}

static bool same_rules(const struct orc_plan_job *job, const struct orc_job_draft *draft) {
    int64_t timeout_ms = draft->timeout_ms != 0 ? draft->timeout_ms : draft->operation->timeout_ms;
    int policy = draft->policy == ORC_DEPENDENCY_DEFAULT ? (int)ORC_DEPENDENCY_ALL : (int)draft->policy;
    return strcmp(job->output, draft->output) == 0 && same_text(job->concurrency_key, draft->concurrency_key) &&
           job->concurrency_limit == draft->concurrency_limit && job->priority == draft->priority &&
           job->policy == policy && job->timeout_ms == timeout_ms && job->queue_timeout_ms == draft->queue_timeout_ms &&
           job->retry.attempts_max == draft->retry.attempts_max && job->retry.base_ms == draft->retry.base_ms &&
           job->retry.cap_ms == draft->retry.cap_ms;
}

static bool same_job(const struct orc_plan *plan, const struct orc_plan_job *job, const struct orc_job_draft *draft) {
    return job->operation == draft->operation && job->params_size == draft->params_size &&
           memcmp(job->params, draft->params, job->params_size) == 0 && same_rules(job, draft) &&
           same_parents(plan, job, draft) && same_optional(plan, job, draft);
}

/* What jobs do not say they have from the plan, and that is kept with them. */
static enum cs_status read_again(struct orc_change *change, const struct orc_plan *plan, struct cs_err *err) {
    Callsheet__V1__Plan *added = change->plan;
    if (added->priority == NULL) {
        added->priority = cs_arena_alloc(change->arena, sizeof(*added->priority));
        google__protobuf__uint32_value__init(added->priority);
        added->priority->value = plan->priority;
    }
    added->cache = (Callsheet__V1__CacheMode)plan->cache;
    added->intermediates = plan->discards ? CALLSHEET__V1__INTERMEDIATES__INTERMEDIATES_DISCARD
                                          : CALLSHEET__V1__INTERMEDIATES__INTERMEDIATES_UNSPECIFIED;
    return orc_drafts_from(added, true, change->arena, &change->drafts, err);
}

/* Leaves out those that are there already. */
static enum cs_status drop_present(struct orc_change *change, const struct orc_plan *plan, struct cs_err *err) {
    size_t kept = 0;
    for (size_t i = 0; i < change->plan->n_jobs; i++) {
        int32_t there = orc_plan_find(plan, change->drafts[i].id);
        if (there >= 0 && !same_job(plan, &plan->jobs[there], &change->drafts[i])) {
            char path[48];
            (void)snprintf(path, sizeof(path), "jobs[%zu].id", i);
            (void)cs_fail(err, CS_ALREADY_EXISTS, "job_exists", "the plan has another job \"%s\"",
                          change->drafts[i].id);
            return cs_err_at(err, path);
        }
        if (there < 0) {
            change->plan->jobs[kept] = change->plan->jobs[i];
            change->drafts[kept++] = change->drafts[i];
        }
    }
    change->plan->n_jobs = kept;
    return CS_OK;
}

/* Whether the named job gives something that fits, or that is not known yet; or there is no such job, which the plan
 * will say. */
static bool may_fit(const struct orc_change *change, const struct orc_plan *plan, const char *id, int accepts) {
    for (size_t i = 0; change->kind == ORC_EVENT_APPENDED && i < change->plan->n_jobs; i++) {
        const struct orc_job_draft *draft = &change->drafts[i];
        if (strcmp(draft->id, id) == 0) {
            return orc_media_fits(draft->output_type, accepts) ||
                   (draft->more_type != 0 && orc_media_fits(draft->more_type, accepts));
        }
    }
    int32_t there = orc_plan_find(plan, id);
    return there < 0 || plan->jobs[there].hidden || orc_job_gives(&plan->jobs[there], accepts);
}

static enum cs_status check_types(const struct orc_change *change, const struct orc_plan *plan, struct cs_err *err) {
    for (size_t i = 0; i < change->plan->n_jobs; i++) {
        const struct orc_job_draft *draft = &change->drafts[i];
        for (uint32_t n = 0; n < draft->input_count; n++) {
            if (draft->input_jobs[n] != NULL &&
                !may_fit(change, plan, draft->input_jobs[n], draft->inputs[n].accepts)) {
                return cs_fail_at(err, draft->input_paths[n], "type_mismatch",
                                  "job \"%s\" gives no output of the type that is needed here", draft->input_jobs[n]);
            }
        }
    }
    return CS_OK;
}

static void pack(struct orc_change *change, const ProtobufCMessage *message) {
    change->payload_size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = cs_arena_alloc(change->arena, change->payload_size);
    (void)protobuf_c_message_pack(message, bytes);
    change->payload = bytes;
    change->addition = (struct orc_addition){
        .drafts = change->drafts, .count = change->plan->n_jobs, .size_bytes = change->payload_size};
}

static enum cs_status fit_jobs(struct orc_change *change, const struct orc_plan *plan, struct cs_err *err) {
    CS_TRY(read_again(change, plan, err));
    CS_TRY(drop_present(change, plan, err));
    CS_TRY(check_types(change, plan, err));
    change->done = change->plan->n_jobs == 0;
    pack(change, &change->plan->base);
    return CS_OK;
}

/* The change becomes an edit of the map. */
static enum cs_status edit_without(struct orc_change *change, Callsheet__V1__Operation *operation, uint32_t item,
                                   const char *map_id, struct cs_err *err) {
    Callsheet__V1__Map *map = operation->map;
    uint32_t *without = cs_arena_array(change->arena, map->n_without + 1, sizeof(*without));
    for (size_t i = 0; i < map->n_without; i++) {
        without[i] = map->without[i];
    }
    without[map->n_without++] = item;
    map->without = without;
    change->plan = cs_arena_alloc(change->arena, sizeof(*change->plan));
    callsheet__v1__plan__init(change->plan);
    Callsheet__V1__Job *job = cs_arena_alloc(change->arena, sizeof(*job));
    callsheet__v1__job__init(job);
    job->operation = operation;
    change->plan->jobs = cs_arena_copy(change->arena, &job, sizeof(Callsheet__V1__Job *));
    change->plan->n_jobs = 1;
    change->kind = ORC_EVENT_EDITED;
    change->job = map_id;
    return orc_drafts_from(change->plan, true, change->arena, &change->drafts, err);
}

/* "scenes.2" of a map "scenes" whose items are not in the plan yet: the map without it. */
static enum cs_status leave_out(struct orc_change *change, const struct orc_plan *plan, struct cs_err *err) {
    char *map_id = cs_arena_strdup(change->arena, change->job);
    char *dot = strrchr(map_id, '.');
    int64_t item = 0;
    if (dot == NULL || !cs_parse_i64(dot + 1, 0, UINT32_MAX, &item)) {
        return CS_OK;
    }
    *dot = '\0';
    int32_t index = orc_plan_find(plan, map_id);
    if (index < 0 || plan->jobs[index].map == ORC_MAP_NONE || plan->jobs[index].expanded) {
        return CS_OK;
    }
    ProtobufCMessage *message = NULL;
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__operation__descriptor, plan->jobs[index].params,
                                       plan->jobs[index].params_size, change->arena, &message, err));
    Callsheet__V1__Operation *operation = (Callsheet__V1__Operation *)message;
    Callsheet__V1__Map *map = operation->map;
    if ((uint64_t)item >= map->n_items || orc_map_leaves_out(map, (size_t)item)) {
        return CS_OK;
    }
    return edit_without(change, operation, (uint32_t)item, map_id, err);
}

static enum cs_status find_job(struct orc_change *change, const struct orc_plan *plan, struct cs_err *err) {
    int32_t index = orc_plan_find(plan, change->job);
    if (index < 0 && change->kind == ORC_EVENT_REMOVED) {
        CS_TRY(leave_out(change, plan, err)); /* it may be an edit of a map now */
        index = orc_plan_find(plan, change->job);
    }
    if (index < 0 || plan->jobs[index].hidden) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_job", "Job not found");
    }
    change->index = (uint32_t)index;
    return CS_OK;
}

enum cs_status orc_change_fit(struct orc_change *change, const struct orc_plan *plan, struct cs_err *err) {
    if (change->kind == ORC_EVENT_APPENDED) {
        return fit_jobs(change, plan, err);
    }
    CS_TRY(find_job(change, plan, err));
    if (change->kind == ORC_EVENT_REMOVED) {
        return CS_OK;
    }
    if (change->drafts[0].operation != plan->jobs[change->index].operation) {
        return cs_fail_at(err, "operation", "other_operation", "job \"%s\" is %s; only its parameters can change",
                          change->job, plan->jobs[change->index].operation->name);
    }
    CS_TRY(check_types(change, plan, err));
    pack(change, &change->plan->base);
    return CS_OK;
}

/* ---- from the log ---- */

enum cs_status orc_addition_from_log(enum orc_event_kind kind, const void *payload, size_t size_bytes,
                                     struct cs_arena *arena, const struct orc_addition **ret_addition,
                                     struct cs_err *err) {
    ProtobufCMessage *message = NULL;
    struct orc_job_draft *drafts = NULL;
    struct cs_err cause = {0};
    if (cs_rpc_message_unpack_arena(&callsheet__v1__plan__descriptor, payload, size_bytes, arena, &message, &cause) !=
            CS_OK ||
        orc_drafts_from((const Callsheet__V1__Plan *)message, true, arena, &drafts, &cause) != CS_OK) {
        return cs_fail(err, CS_DATA_LOSS, "bad_event_row", "an event of kind %d does not make jobs any more: %s",
                       (int)kind, cause.message);
    }
    struct orc_addition *addition = cs_arena_alloc(arena, sizeof(*addition));
    *addition = (struct orc_addition){
        .drafts = drafts, .count = ((const Callsheet__V1__Plan *)message)->n_jobs, .size_bytes = size_bytes};
    *ret_addition = addition;
    return CS_OK;
}
