/* What plans say about failure: as the proto has it, in its JSON names and words. */
#include "dialect/reader.h"

static const char *const of_jobs[] = {
    "dependencyPolicy", "optionalDependencies", "timeoutMs", "queueTimeoutMs", "retry", NULL};
static const char *const of_plans[] = {"onFailure", NULL};

enum cs_status read_members(const json_t *object, const char *const *names,
                            const ProtobufCMessageDescriptor *descriptor, const char *path, struct cs_arena *arena,
                            ProtobufCMessage **ret_message, struct cs_err *err) {
    CS_AUTO_JSON *some = json_object();
    for (const char *const *name = names; *name != NULL; name++) {
        const json_t *value = member(object, *name);
        if (value != NULL) {
            (void)json_object_set(some, *name, (json_t *)value);
        }
    }
    *ret_message = NULL;
    return json_object_size(some) != 0 ? cs_json_to_message(some, descriptor, path, arena, ret_message, err) : CS_OK;
}

enum cs_status read_job_failure(struct job_reader *job, const json_t *object, Callsheet__V1__Job *into,
                                struct cs_err *err) {
    ProtobufCMessage *message = NULL;
    CS_TRY(read_members(object, of_jobs, &callsheet__v1__job__descriptor, job->client, job->arena, &message, err));
    if (message != NULL) {
        const Callsheet__V1__Job *read = (const Callsheet__V1__Job *)message;
        into->dependency_policy = read->dependency_policy;
        into->optional_dependencies = read->optional_dependencies;
        into->n_optional_dependencies = read->n_optional_dependencies;
        into->timeout_ms = read->timeout_ms;
        into->queue_timeout_ms = read->queue_timeout_ms;
        into->retry = read->retry;
    }
    return CS_OK;
}

enum cs_status read_plan_failure(const json_t *plan, const char *path, struct gw_submission *submission,
                                 struct cs_arena *arena, struct cs_err *err) {
    ProtobufCMessage *message = NULL;
    CS_TRY(read_members(plan, of_plans, &callsheet__v1__plan__descriptor, path, arena, &message, err));
    if (message != NULL) {
        submission->request->plan->on_failure = ((const Callsheet__V1__Plan *)message)->on_failure;
        gw_paths_add(submission->paths, "onFailure", path_member(arena, path, "onFailure"));
    }
    return CS_OK;
}
