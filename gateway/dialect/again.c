/* Where to begin in an execution again, and with what. */
#include <string.h>

#include "cs/base/hash.h"
#include "cs/base/text.h"
#include "dialect/reader.h"

/* A job of the execution, in a table by ids. */
struct known {
    const Callsheet__V1__JobStatus *status;
    UT_hash_handle hh;
};

static struct known *known_of(const Callsheet__V1__Execution *execution, struct cs_arena *arena) {
    struct known *all = NULL;
    struct known *rows = cs_arena_array(arena, execution->n_jobs, sizeof(*rows));
    for (size_t i = 0; i < execution->n_jobs; i++) {
        rows[i].status = execution->jobs[i];
        HASH_ADD_KEYPTR(hh, all, rows[i].status->id, strlen(rows[i].status->id), &rows[i]);
    }
    return all;
}

static const Callsheet__V1__JobStatus *find_job(struct known *known, const char *id) {
    struct known *found = NULL;
    HASH_FIND_STR(known, id, found);
    return found != NULL ? found->status : NULL;
}

/* The job as a plan would have it, with the new parameters. */
static json_t *job_of(const Callsheet__V1__JobStatus *status, const json_t *params) {
    json_t *depends_on = json_array();
    for (size_t i = 0; i < status->n_depends_on; i++) {
        (void)json_array_append_new(depends_on, json_string(status->depends_on[i]));
    }
    return json_pack("{s:s, s:s, s:O, s:o}", "id", status->id, "operation", status->operation, "params", params,
                     "dependsOn", depends_on);
}

static const char only_job[] = "job[0].";

/* Reads the parameters like those of the only job of a plan, at the client's path. */
static enum cs_status read_new_params(const Callsheet__V1__Execution *execution, const Callsheet__V1__JobStatus *status,
                                      const json_t *params, const char *path, struct cs_arena *arena,
                                      Callsheet__V1__Operation **ret_operation, struct cs_err *err) {
    Callsheet__V1__CreateExecutionRequest request = CALLSHEET__V1__CREATE_EXECUTION_REQUEST__INIT;
    Callsheet__V1__Plan plan = CALLSHEET__V1__PLAN__INIT;
    struct gw_submission submission = {.request = &request, .paths = gw_paths_create(arena)};
    CS_AUTO_JSON *jobs = json_pack("[o]", job_of(status, params));
    request.plan = &plan;
    if (execution->links != NULL) {
        request.base_execution_id = execution->links->base_execution_id;
    }
    gw_paths_add(submission.paths, "jobs", "job");
    if (read_jobs(jobs, "job", &submission, arena, err) != CS_OK) {
        const char *rest = cs_str_starts(err->path, only_job) ? err->path + strlen(only_job) : err->path;
        rest = path_member(arena, path, rest);
        cs_str_copy(err->path, sizeof(err->path), rest);
        return err->status;
    }
    *ret_operation = plan.jobs[0]->operation;
    return CS_OK;
}

static enum cs_status read_from(const json_t *object, const char *path, const Callsheet__V1__Execution *execution,
                                struct known *known_jobs, struct cs_arena *arena, Callsheet__V1__RerunJob *from,
                                struct cs_err *err) {
    static const char *const known[] = {"id", "params", NULL};
    char *id = NULL;
    callsheet__v1__rerun_job__init(from);
    CS_TRY(need_object(object, path, err));
    CS_TRY(need_only(object, path, known, arena, err));
    CS_TRY(read_text(member(object, "id"), path_member(arena, path, "id"), arena, &id, err));
    if (cs_str_empty(id)) {
        return cs_fail_at(err, path_member(arena, path, "id"), "required", "a job to begin with needs its id");
    }
    const Callsheet__V1__JobStatus *status = find_job(known_jobs, id);
    if (status == NULL) {
        return cs_fail_at(err, path_member(arena, path, "id"), "unknown_job", "the execution has no job \"%.128s\"",
                          id);
    }
    from->job_id = id;
    const json_t *params = member(object, "params");
    return params != NULL ? read_new_params(execution, status, params, path, arena, &from->operation, err) : CS_OK;
}

static enum cs_status read_all(const json_t *jobs, const Callsheet__V1__Execution *execution, struct known *known_jobs,
                               struct cs_arena *arena, Callsheet__V1__RerunExecutionRequest *into,
                               struct gw_paths *paths, struct cs_err *err) {
    into->from = cs_arena_array(arena, json_array_size(jobs), sizeof(Callsheet__V1__RerunJob *));
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        const char *path = path_element(arena, "jobs", i);
        into->from[i] = cs_arena_alloc(arena, sizeof(Callsheet__V1__RerunJob));
        CS_TRY(read_from(json_array_get(jobs, i), path, execution, known_jobs, arena, into->from[i], err));
        const char *native = path_element(arena, "from", i);
        gw_paths_add(paths, path_member(arena, native, "jobId"), path_member(arena, path, "id"));
        gw_paths_add(paths, native, path);
    }
    return CS_OK;
}

enum cs_status gw_dialect_read_rerun(const json_t *body, const Callsheet__V1__Execution *execution,
                                     struct cs_arena *arena, Callsheet__V1__RerunExecutionRequest *into,
                                     struct gw_paths *paths, struct cs_err *err) {
    static const char *const known[] = {"jobs", "idempotencyKey", NULL};
    char *key = NULL;
    CS_TRY(need_object(body, "", err));
    CS_TRY(need_only(body, "", known, arena, err));
    const json_t *jobs = member(body, "jobs");
    if (!json_is_array(jobs) || json_array_size(jobs) == 0) {
        return cs_fail_at(err, "jobs", "required", "jobs must name the jobs to begin with: [{id, params?}]");
    }
    if (json_array_size(jobs) > execution->n_jobs) {
        return cs_fail_at(err, "jobs", "too_many_jobs", "the execution has %zu jobs", execution->n_jobs);
    }
    struct known *known_jobs = known_of(execution, arena);
    enum cs_status status = read_all(jobs, execution, known_jobs, arena, into, paths, err);
    HASH_CLEAR(hh, known_jobs);
    CS_TRY(status);
    into->n_from = json_array_size(jobs);
    gw_paths_add(paths, "from", "jobs");
    CS_TRY(read_text(member(body, "idempotencyKey"), "idempotencyKey", arena, &key, err));
    into->idempotency_key = key != NULL ? key : into->idempotency_key;
    return CS_OK;
}
