/* Whether jobs may have results of others that did the same work, and whether their own are kept: as the proto has it,
 * in its JSON names and words. */
#include "dialect/reader.h"

static const char *const job_names[] = {"cache", "keepOutput", NULL};
static const char *const plan_names[] = {"cache", "intermediates", NULL};

enum cs_status read_job_cache(struct job_reader *job, const json_t *object, Callsheet__V1__Job *into,
                              struct cs_err *err) {
    ProtobufCMessage *message = NULL;
    CS_TRY(read_members(object, job_names, &callsheet__v1__job__descriptor, job->client, job->arena, &message, err));
    if (message != NULL) {
        into->cache = ((const Callsheet__V1__Job *)message)->cache;
        into->keep_output = ((const Callsheet__V1__Job *)message)->keep_output;
    }
    return CS_OK;
}

enum cs_status read_plan_cache(const json_t *plan, const char *path, struct gw_submission *submission,
                               struct cs_arena *arena, struct cs_err *err) {
    ProtobufCMessage *message = NULL;
    CS_TRY(read_members(plan, plan_names, &callsheet__v1__plan__descriptor, path, arena, &message, err));
    if (message != NULL) {
        submission->request->plan->cache = ((const Callsheet__V1__Plan *)message)->cache;
        submission->request->plan->intermediates = ((const Callsheet__V1__Plan *)message)->intermediates;
        gw_paths_add(submission->paths, "cache", path_member(arena, path, "cache"));
        gw_paths_add(submission->paths, "intermediates", path_member(arena, path, "intermediates"));
    }
    return CS_OK;
}
