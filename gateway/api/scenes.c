/*
 * Scenes, as Elix's clients know them: /api/v3/jobs/ID and its scenes. A job there is an execution here, a scene an
 * item of its map.
 */
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "api/call.h"
#include "api/errors.h"
#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "view/scene_view.h"

#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word

/* One request under way; lives in the request's arena. */
struct asking {
    struct gw_call *call;
    char *execution;
    char *scene_id; /* as the client calls it, "" for none */
    char *job;      /* the scene's, "" for none */
    void (*go_on)(struct asking *asking, const struct gw_scenes *scenes, const struct gw_scene *scene);
    const char *told; /* JSON: what the answer says beside the new execution */
    bool with_scene;  /* it begins with the scene, or goes on without */
};

static struct cs_arena *arena_of(const struct asking *asking) {
    return gw_request_arena(asking->call->request);
}

static void start(struct asking *asking, const char *method, const ProtobufCMessage *message) {
    gw_call_start(asking->call, &callsheet__v1__orchestrator__descriptor, method, message);
}

/* ---- errors in their words ---- */

static void answer(const struct asking *asking, unsigned status, json_t *body) {
    gw_answer_header(asking->call->request, "Cache-Control", "no-store");
    gw_answer_json(asking->call->request, status, body);
}

static void answer_no_job(struct gw_request *request, const char *id) {
    gw_answer_json(request, 404, json_pack("{s:s, s:s}", "error", "Job not found", "job_id", id));
}

static void answer_unlike(const struct asking *asking, const char *field, const char *why) {
    answer(asking, 422, json_pack("{s:s, s:{s:[s]}}", "error", "Validation failed", "details", field, why));
}

static void answer_failure(const struct asking *asking, const struct cs_err *err) {
    if (err->status == CS_NOT_FOUND) {
        answer_no_job(asking->call->request, asking->execution);
    } else {
        struct cs_err told = gw_error_of_call(err);
        gw_answer_error(asking->call->request, &told);
    }
}

/* ---- which scene of which job ---- */

/* "ID" or "ID/scenes/SCENE", and behind it perhaps "/regenerate", which the route has cut off. */
static struct asking *asking_of(struct gw_api *api, struct gw_request *request, const char *arg) {
    struct asking *asking = cs_arena_alloc(gw_request_arena(request), sizeof(*asking));
    asking->execution = cs_arena_strdup(gw_request_arena(request), arg);
    asking->scene_id = asking->job = (char *)"";
    char *slash = strchr(asking->execution, '/');
    if (slash != NULL) {
        *slash = '\0';
        asking->scene_id = strrchr(slash + 1, '/') + 1;
        char *colon = strchr(asking->scene_id, ':');
        asking->job = colon != NULL ? colon + 1 : asking->scene_id;
    }
    asking->call = gw_call_create(api, request, NULL);
    asking->call->user = asking;
    return asking;
}

/* "EXECUTION:JOB" of another execution. */
static bool is_of_another(const struct asking *asking) {
    size_t length = (size_t)(asking->job - asking->scene_id);
    return length != 0 &&
           (length - 1 != strlen(asking->execution) || strncmp(asking->scene_id, asking->execution, length - 1) != 0);
}

static void on_execution(const ProtobufCMessage *reply, const struct cs_err *err, void *user) {
    struct asking *asking = user;
    if (reply == NULL) {
        answer_failure(asking, err);
        return;
    }
    struct gw_scenes scenes = gw_scenes_of((const Callsheet__V1__Execution *)reply, arena_of(asking));
    if (asking->scene_id[0] == '\0') {
        asking->go_on(asking, &scenes, NULL);
        return;
    }
    const struct gw_scene *scene = gw_scenes_find(&scenes, asking->job);
    if (is_of_another(asking)) {
        answer(asking, 422, json_pack("{s:s}", "error", "Scene does not belong to this job"));
    } else if (scene == NULL) {
        answer(asking, 404, json_pack("{s:s, s:s}", "error", "Scene not found", "scene_id", asking->scene_id));
    } else {
        asking->go_on(asking, &scenes, scene);
    }
}

static void look(struct gw_api *api, struct gw_request *request, const char *arg,
                 void (*go_on)(struct asking *asking, const struct gw_scenes *scenes, const struct gw_scene *scene)) {
    Callsheet__V1__GetExecutionRequest get = CALLSHEET__V1__GET_EXECUTION_REQUEST__INIT;
    struct asking *asking = asking_of(api, request, arg);
    if (!cs_id_valid(asking->execution, GW_EXECUTION_ID_MAX)) {
        answer_no_job(request, asking->execution);
        return;
    }
    asking->go_on = go_on;
    asking->call->ended = on_execution;
    get.tenant = (char *)gw_request_tenant(request);
    get.execution_id = asking->execution;
    start(asking, "GetExecution", &get.base);
}

/* ---- reading ---- */

static void answer_job(struct asking *asking, const struct gw_scenes *scenes,
                       __attribute__((unused)) const struct gw_scene *scene) {
    answer(asking, 200, gw_view_elix_job(scenes));
}

static void answer_scenes(struct asking *asking, const struct gw_scenes *scenes,
                          __attribute__((unused)) const struct gw_scene *scene) {
    answer(asking, 200, gw_view_scenes(scenes, arena_of(asking)));
}

static void answer_scene(struct asking *asking, const struct gw_scenes *scenes, const struct gw_scene *scene) {
    json_t *view = gw_view_scene(scenes, scene, arena_of(asking));
    (void)json_object_set_new(view, "job_id", json_string(asking->execution));
    answer(asking, 200,
           json_pack("{s:o, s:s, s:s}", "scene", view, "job_id", asking->execution, "job_status",
                     gw_elix_status(scenes->execution)));
}

void gw_handle_elix_job(struct gw_api *api, struct gw_request *request, const char *arg) {
    look(api, request, arg, answer_job);
}

void gw_handle_scenes(struct gw_api *api, struct gw_request *request, const char *arg) {
    look(api, request, arg, answer_scenes);
}

void gw_handle_scene(struct gw_api *api, struct gw_request *request, const char *arg) {
    look(api, request, arg, answer_scene);
}

/* ---- again, without or with the scene: a new execution ---- */

/* As text: a call may be the last that is heard of it. */
static void keep_told(struct asking *asking, json_t *body) {
    char *text = json_dumps(body, JSON_COMPACT);
    asking->told = cs_arena_strdup(arena_of(asking), text);
    free(text);
    json_decref(body);
}

static void on_new_job(const ProtobufCMessage *reply, const struct cs_err *err, void *user) {
    struct asking *asking = user;
    const Callsheet__V1__CreateExecutionReply *created = (const Callsheet__V1__CreateExecutionReply *)reply;
    if (reply == NULL) {
        answer_failure(asking, err);
        return;
    }
    json_t *body = json_loads(asking->told, 0, NULL);
    if (asking->with_scene) {
        const char *id = cs_arena_sprintf(arena_of(asking), "%s:%s", created->execution_id, asking->job);
        (void)json_object_set_new(json_object_get(body, "scene"), "id", json_string(id));
    }
    (void)json_object_set_new(body, "job_id", json_string(created->execution_id));
    (void)json_object_set_new(body, "previous_job_id", json_string(asking->execution));
    answer(asking, 200, body);
}

static void start_rerun(struct asking *asking) {
    Callsheet__V1__RerunExecutionRequest rerun = CALLSHEET__V1__RERUN_EXECUTION_REQUEST__INIT;
    Callsheet__V1__RerunJob from = CALLSHEET__V1__RERUN_JOB__INIT;
    Callsheet__V1__RerunJob *froms[] = {&from};
    rerun.tenant = (char *)gw_request_tenant(asking->call->request);
    rerun.execution_id = asking->execution;
    from.job_id = asking->job;
    if (asking->with_scene) {
        rerun.from = froms;
        rerun.n_from = 1;
    } else {
        rerun.without = &asking->job;
        rerun.n_without = 1;
    }
    asking->call->ended = on_new_job;
    start(asking, "RerunExecution", &rerun.base);
}

/* It may have ended by itself meanwhile. */
static void on_superseded(const ProtobufCMessage *reply, const struct cs_err *err, void *user) {
    struct asking *asking = user;
    if (reply != NULL || err->status == CS_FAILED_PRECONDITION) {
        start_rerun(asking);
        return;
    }
    answer_failure(asking, err);
}

static void supersede(struct asking *asking) {
    Callsheet__V1__CancelExecutionRequest cancel = CALLSHEET__V1__CANCEL_EXECUTION_REQUEST__INIT;
    cancel.tenant = (char *)gw_request_tenant(asking->call->request);
    cancel.execution_id = asking->execution;
    cancel.reason = (char *)"superseded: a scene is made anew";
    asking->call->ended = on_superseded;
    start(asking, "CancelExecution", &cancel.base);
}

static bool is_open(const Callsheet__V1__Execution *execution) {
    return execution->state == STATE(PENDING) || execution->state == STATE(PROCESSING);
}

static void regenerate(struct asking *asking, const struct gw_scenes *scenes, const struct gw_scene *scene) {
    if (scene->status != GW_SCENE_COMPLETED && scene->status != GW_SCENE_FAILED) {
        const char *reason =
            cs_arena_sprintf(arena_of(asking), "Scene is currently %s", gw_scene_status_word(scene->status));
        answer(asking, 422,
               json_pack("{s:s, s:s, s:s}", "error", "Scene cannot be regenerated", "scene_id", asking->scene_id,
                         "reason", reason));
        return;
    }
    const struct gw_scene anew = {scene->job, scene->index, GW_SCENE_PENDING, NULL};
    keep_told(asking, json_pack("{s:s, s:o}", "message", "Scene marked for regeneration", "scene",
                                gw_view_scene(scenes, &anew, arena_of(asking))));
    asking->with_scene = true;
    if (is_open(scenes->execution)) {
        supersede(asking);
    } else {
        start_rerun(asking);
    }
}

void gw_handle_scene_regenerate(struct gw_api *api, struct gw_request *request, const char *arg) {
    look(api, request, arg, regenerate);
}

/* ---- delete ---- */

static json_t *deleted(const struct asking *asking) {
    return json_pack("{s:s, s:s, s:s}", "message", "Scene deleted successfully", "scene_id", asking->scene_id, "job_id",
                     asking->execution);
}

static void answer_undeletable(const struct asking *asking, const char *reason) {
    answer(asking, 422, json_pack("{s:s, s:s}", "error", "Scene cannot be deleted", "reason", reason));
}

static void on_removed(const ProtobufCMessage *reply, const struct cs_err *err, void *user) {
    struct asking *asking = user;
    if (reply != NULL) {
        answer(asking, 200, deleted(asking));
    } else if (err->status == CS_FAILED_PRECONDITION) {
        answer_undeletable(asking, err->message);
    } else {
        answer_failure(asking, err);
    }
}

static void delete_scene(struct asking *asking, const struct gw_scenes *scenes,
                         __attribute__((unused)) const struct gw_scene *scene) {
    if (scenes->execution->state == STATE(PROCESSING)) {
        answer_undeletable(asking, "Cannot delete scene while job is processing");
        return;
    }
    if (!is_open(scenes->execution)) {
        keep_told(asking, deleted(asking));
        start_rerun(asking);
        return;
    }
    Callsheet__V1__RemoveJobRequest take_away = CALLSHEET__V1__REMOVE_JOB_REQUEST__INIT;
    take_away.tenant = (char *)gw_request_tenant(asking->call->request);
    take_away.execution_id = asking->execution;
    take_away.job_id = asking->job;
    asking->call->ended = on_removed;
    start(asking, "RemoveJob", &take_away.base);
}

void gw_handle_scene_delete(struct gw_api *api, struct gw_request *request, const char *arg) {
    look(api, request, arg, delete_scene);
}

/* ---- update: what the work has not shown, nobody can say ---- */

static bool is_known_status(const char *word) {
    for (int status = GW_SCENE_PENDING; status <= GW_SCENE_FAILED; status++) {
        if (cs_str_eq(word, gw_scene_status_word((enum gw_scene_status)status))) {
            return true;
        }
    }
    return false;
}

/* What it says of the scene as it is; NULL when that is nothing new. */
static const char *unlike(const json_t *body, const struct gw_scene *scene, const char **ret_field) {
    const json_t *status = json_object_get(body, "status");
    const json_t *provider_id = json_object_get(body, "provider_id");
    *ret_field = "status";
    if (status != NULL && !is_known_status(json_string_value(status))) {
        return "is invalid";
    }
    if (status != NULL && !cs_str_eq(json_string_value(status), gw_scene_status_word(scene->status))) {
        return "follows from the work: regenerate or delete the scene";
    }
    *ret_field = "provider_id";
    return provider_id != NULL && !json_is_null(provider_id) ? "is given by the provider" : NULL;
}

static void update(struct asking *asking, const struct gw_scenes *scenes, const struct gw_scene *scene) {
    CS_AUTO_JSON *body = NULL;
    struct cs_err err = {0};
    if (gw_body_read(asking->call->request, &body, &err) != CS_OK) {
        gw_answer_error(asking->call->request, &err);
        return;
    }
    const char *word = json_string_value(json_object_get(body, "status"));
    bool again =
        cs_str_eq(word, "pending") && (scene->status == GW_SCENE_COMPLETED || scene->status == GW_SCENE_FAILED);
    if (again && json_object_get(body, "provider_id") == NULL) {
        regenerate(asking, scenes, scene);
        return;
    }
    const char *field = NULL;
    const char *why = unlike(body, scene, &field);
    if (why != NULL) {
        answer_unlike(asking, field, why);
        return;
    }
    answer(asking, 200,
           json_pack("{s:s, s:o, s:s}", "message", "Scene updated successfully", "scene",
                     gw_view_scene(scenes, scene, arena_of(asking)), "job_id", asking->execution));
}

void gw_handle_scene_update(struct gw_api *api, struct gw_request *request, const char *arg) {
    if (!gw_auth_is_operator(api->auth, gw_request_header(request, "Authorization"),
                             gw_request_header(request, "X-Api-Key"))) {
        gw_answer_json(request, 403, json_pack("{s:s}", "error", "Only an operator may update scenes"));
        return;
    }
    look(api, request, arg, update);
}
