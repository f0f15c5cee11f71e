#include <string.h>

#include "cs/base/id.h"
#include "cs/base/text.h"
#include "dialect/reader.h"

/* Operations of the SDKs that the engine will learn. */
static const char *const later_operations[] = {"removeBackground", "removeImageBackground", NULL};

static enum cs_status find_operation(const char *name, const char *path, const struct cs_operation **ret_operation,
                                     struct cs_err *err) {
    const struct cs_operation *operation = cs_catalog_by_name(name);
    if (operation != NULL && operation->worker == CS_WORKER_TEST) {
        operation = NULL; /* for benchmarks, which bring the worker and speak gRPC: nobody here would do it */
    }
    for (const char *const *later = later_operations; operation == NULL && *later != NULL; later++) {
        if (strcmp(*later, name) == 0) {
            return fail_unsupported(path, err, "the operation %s is not supported yet", name);
        }
    }
    if (operation == NULL) {
        char shown[65];
        cs_str_copy(shown, sizeof(shown), name);
        return cs_fail_at(err, path, "unknown_operation", "there is no operation \"%s\"", shown);
    }
    if (operation->internal) {
        return cs_fail_at(err, path, "operation_not_allowed", "%s is not for plans", operation->name);
    }
    *ret_operation = operation;
    return CS_OK;
}

/* One of two names of the same member; ret_name is the one that was used (the first when none). */
static enum cs_status either(const json_t *object, const char *first, const char *second, const char *path,
                             struct cs_arena *arena, const json_t **ret_value, const char **ret_name,
                             struct cs_err *err) {
    const json_t *a = member(object, first);
    const json_t *b = member(object, second);
    if (a != NULL && b != NULL && !json_equal(a, b)) {
        return cs_fail_at(err, path_member(arena, path, second), "one_of", "%s and %s say different things", first,
                          second);
    }
    *ret_value = a != NULL ? a : b;
    *ret_name = a == NULL && b != NULL ? second : first;
    return CS_OK;
}

static enum cs_status read_id(const json_t *object, const char *path, struct cs_arena *arena, char **ret_id,
                              struct cs_err *err) {
    const char *at = path_member(arena, path, "id");
    CS_TRY(read_text(member(object, "id"), at, arena, ret_id, err));
    if (*ret_id == NULL) {
        return cs_fail_at(err, at, "required", "Each job must have an 'id' field");
    }
    if (!cs_id_valid(*ret_id, CS_JOB_ID_MAX)) {
        return cs_fail_at(err, at, "bad_id", "%s must be 1 to %d of A-Z a-z 0-9 _ . : -", at, CS_JOB_ID_MAX);
    }
    return CS_OK;
}

enum cs_status read_operation(struct job_reader *job, const json_t *object, const struct cs_operation **ret_operation,
                              struct cs_err *err) {
    const json_t *value = NULL;
    const char *name = "operation";
    char *word = NULL;
    CS_TRY(either(object, "operation", "type", job->client, job->arena, &value, &name, err));
    const char *path = path_member(job->arena, job->client, name);
    CS_TRY(read_text(value, path, job->arena, &word, err));
    if (word == NULL) {
        return cs_fail_at(err, path, "required", "Each job must have an '%s' field", name);
    }
    if (strcmp(name, "operation") != 0) {
        gw_paths_add(job->paths, path_member(job->arena, job->native, "operation"), path);
    }
    return find_operation(word, path, ret_operation, err);
}

static enum cs_status read_depends(struct job_reader *job, const json_t *object, struct cs_err *err) {
    const json_t *value = NULL;
    job->depends_name = "dependsOn";
    CS_TRY(either(object, "dependsOn", "dependencies", job->client, job->arena, &value, &job->depends_name, err));
    const char *path = path_member(job->arena, job->client, job->depends_name);
    if (strcmp(job->depends_name, "dependsOn") != 0) {
        gw_paths_add(job->paths, path_member(job->arena, job->native, "dependsOn"), path);
    }
    return read_texts(value, path, job->arena, &job->depends, &job->depends_count, err);
}

/* The typed parameters, checked by the catalogue. */
static enum cs_status read_typed(struct job_reader *job, const struct cs_operation *operation,
                                 Callsheet__V1__Operation **ret_operation, struct cs_err *err) {
    const ProtobufCMessageDescriptor *descriptor = &callsheet__v1__operation__descriptor;
    const unsigned which = operation->which; // NOLINT(clang-analyzer-core.NullDereference): it was found
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(descriptor, which);
    const char *path = path_member(job->arena, job->native, "params");
    ProtobufCMessage *params = NULL;
    CS_TRY(read_params(job, operation, err));
    if (cs_json_to_message(job->out, field->descriptor, path, job->arena, &params, err) != CS_OK) {
        return gw_paths_translate_err(job->paths, err);
    }
    Callsheet__V1__Operation *typed = cs_arena_alloc(job->arena, sizeof(*typed));
    callsheet__v1__operation__init(typed);
    typed->params_case = operation->which;
    typed->noop = (Callsheet__V1__Noop *)params; /* the union's members are all pointers */
    if (job->on_base && job->depends_count == 0) {
        cs_catalog_imply(typed, CS_BASE_RESULT, job->arena);
    }
    if (cs_catalog_check(typed, err) != CS_OK) {
        (void)cs_err_at(err, path);
        return gw_paths_translate_err(job->paths, err);
    }
    *ret_operation = typed;
    return CS_OK;
}

/* How it waits for its turn. */
static enum cs_status read_queueing(const struct job_reader *job, const json_t *object, Callsheet__V1__Job *read,
                                    struct cs_err *err) {
    char *key = NULL;
    CS_TRY(read_count(member(object, "concurrencyLimit"), path_member(job->arena, job->client, "concurrencyLimit"),
                      &read->concurrency_limit, err));
    CS_TRY(read_text(member(object, "concurrencyKey"), path_member(job->arena, job->client, "concurrencyKey"),
                     job->arena, &key, err));
    CS_TRY(read_priority(object, job->client, job->arena, &read->priority, err));
    if (key != NULL) {
        read->concurrency_key = key;
    }
    return CS_OK;
}

static enum cs_status read_job(struct job_reader *job, const json_t *object, Callsheet__V1__Job **ret_job,
                               struct cs_err *err) {
    static const char *const known[] = {"id",
                                        "operation",
                                        "type",
                                        "params",
                                        "dependencies",
                                        "dependsOn",
                                        "output",
                                        "priority",
                                        "concurrencyKey",
                                        "concurrencyLimit",
                                        "dependencyPolicy",
                                        "optionalDependencies",
                                        "timeoutMs",
                                        "queueTimeoutMs",
                                        "retry",
                                        "requiresApproval",
                                        "cache",
                                        "keepOutput",
                                        NULL};
    Callsheet__V1__Job *read = cs_arena_alloc(job->arena, sizeof(*read));
    const struct cs_operation *operation = NULL;
    char *output = NULL;
    callsheet__v1__job__init(read);
    CS_TRY(need_object(object, job->client, err));
    CS_TRY(need_only(object, job->client, known, job->arena, err));
    CS_TRY(read_id(object, job->client, job->arena, &read->id, err));
    CS_TRY(read_operation(job, object, &operation, err));
    CS_TRY(read_depends(job, object, err));
    CS_TRY(
        read_text(member(object, "output"), path_member(job->arena, job->client, "output"), job->arena, &output, err));
    job->params = member(object, "params");
    if (job->params == NULL) {
        return cs_fail_at(err, path_member(job->arena, job->client, "params"), "required",
                          "Each job must have a 'params' field");
    }
    CS_TRY(need_object(job->params, path_member(job->arena, job->client, "params"), err));
    CS_TRY(read_typed(job, operation, &read->operation, err));
    CS_TRY(read_queueing(job, object, read, err));
    CS_TRY(read_job_failure(job, object, read, err));
    CS_TRY(read_job_cache(job, object, read, err));
    CS_TRY(read_approval(object, job->client, job->arena, &read->requires_approval, err));
    read->depends_on = job->depends;
    read->n_depends_on = job->depends_count;
    if (output != NULL) {
        read->output = output;
    }
    *ret_job = read;
    return CS_OK;
}

enum cs_status read_jobs(const json_t *jobs, const char *client_jobs, struct gw_submission *submission,
                         struct cs_arena *arena, struct cs_err *err) {
    if (jobs == NULL) {
        return cs_fail_at(err, client_jobs, "required", "%s is required", client_jobs);
    }
    if (!json_is_array(jobs)) {
        return cs_fail_at(err, client_jobs, "wrong_type", "%s must be an array", client_jobs);
    }
    size_t count = json_array_size(jobs);
    if (count > CS_PLAN_JOBS_MAX) {
        return cs_fail_at(err, client_jobs, "too_many_jobs", "a plan has at most %d jobs", CS_PLAN_JOBS_MAX);
    }
    Callsheet__V1__Plan *plan = submission->request->plan;
    plan->jobs = cs_arena_array(arena, count, sizeof(Callsheet__V1__Job *));
    for (size_t i = 0; i < count; i++) {
        CS_AUTO_JSON *out = json_object();
        struct job_reader job = {
            .arena = arena,
            .paths = submission->paths,
            .client = path_element(arena, client_jobs, i),
            .native = path_element(arena, "jobs", i),
            .on_base = !cs_str_empty(submission->request->base_execution_id),
            .out = out,
        };
        CS_TRY(read_job(&job, json_array_get(jobs, i), &plan->jobs[i], err));
    }
    plan->n_jobs = count;
    return CS_OK;
}

/* ---- plans that are under way ---- */

enum cs_status gw_dialect_read_append(const json_t *body, struct cs_arena *arena,
                                      Callsheet__V1__AppendJobsRequest *request, struct gw_paths **ret_paths,
                                      struct cs_err *err) {
    static const char *const known[] = {"jobs", NULL};
    Callsheet__V1__Plan plan = CALLSHEET__V1__PLAN__INIT;
    Callsheet__V1__CreateExecutionRequest create = CALLSHEET__V1__CREATE_EXECUTION_REQUEST__INIT;
    struct gw_submission submission = {.paths = gw_paths_create(arena), .request = &create};
    create.plan = &plan;
    CS_TRY(need_object(body, "", err));
    CS_TRY(need_only(body, "", known, arena, err));
    CS_TRY(read_jobs(member(body, "jobs"), "jobs", &submission, arena, err));
    request->jobs = plan.jobs;
    request->n_jobs = plan.n_jobs;
    *ret_paths = submission.paths;
    return CS_OK;
}

enum cs_status gw_dialect_read_params(const json_t *body, const char *operation, struct cs_arena *arena,
                                      Callsheet__V1__Operation **ret_operation, struct gw_paths **ret_paths,
                                      struct cs_err *err) {
    static const char *const known[] = {"params", NULL};
    CS_AUTO_JSON *out = json_object();
    struct job_reader job = {.arena = arena, .paths = gw_paths_create(arena), .client = "", .native = "", .out = out};
    const struct cs_operation *row = NULL;
    CS_TRY(need_object(body, "", err));
    CS_TRY(need_only(body, "", known, arena, err));
    CS_TRY(find_operation(operation, "params", &row, err));
    job.params = member(body, "params");
    CS_TRY(need_object(job.params, "params", err));
    CS_TRY(read_typed(&job, row, ret_operation, err));
    *ret_paths = job.paths;
    return CS_OK;
}
