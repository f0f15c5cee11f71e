#include "view/scene_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"
#include "view/json_parts.h"

#define SET(object, name, value) ((void)json_object_set_new(object, name, value))
#define JOB(word) CALLSHEET__V1__JOB_STATE__JOB_STATE_##word
#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word

static const char map_name[] = "map"; /* the operation */
static const char usual_map[] = "scenes";

/* ---- reading ---- */

static const Callsheet__V1__JobStatus *find_map(const Callsheet__V1__Execution *execution) {
    const Callsheet__V1__JobStatus *first = NULL;
    for (size_t i = 0; i < execution->n_jobs; i++) {
        const Callsheet__V1__JobStatus *job = execution->jobs[i];
        if (strcmp(job->operation, map_name) != 0) {
            continue;
        }
        if (strcmp(job->id, usual_map) == 0) {
            return job;
        }
        first = first != NULL ? first : job;
    }
    return first;
}

static enum gw_scene_status status_of(const Callsheet__V1__JobStatus *job) {
    switch (job->state) {
    case JOB(RUNNING):
    case JOB(RETRYING):
        return GW_SCENE_PROCESSING;
    case JOB(COMPLETED):
        return GW_SCENE_COMPLETED;
    case JOB(FAILED):
    case JOB(CANCELLED):
    case JOB(SKIPPED):
        return GW_SCENE_FAILED;
    default:
        return GW_SCENE_PENDING;
    }
}

static bool was_removed(const Callsheet__V1__JobStatus *job) {
    return job->state == JOB(SKIPPED) && job->error != NULL && strcmp(job->error->code, "removed") == 0;
}

static void add(struct gw_scenes *scenes, struct gw_scene scene) {
    scenes->items[scenes->count++] = scene;
    scenes->by_status[scene.status]++;
}

static void add_jobs(struct gw_scenes *scenes) {
    for (size_t i = 0; i < scenes->execution->n_jobs; i++) {
        const Callsheet__V1__JobStatus *job = scenes->execution->jobs[i];
        if (strcmp(job->parent, scenes->map->id) == 0 && !was_removed(job)) {
            add(scenes, (struct gw_scene){job->id, job->index, status_of(job), job});
        }
    }
}

/* Those that are no jobs yet; of a map that ended before it began they have failed with it. */
static void add_known(struct gw_scenes *scenes, struct cs_arena *arena) {
    for (size_t i = 0; i < scenes->map->n_items; i++) {
        const char *id = cs_arena_sprintf(arena, "%s.%u", scenes->map->id, scenes->map->items[i]);
        add(scenes, (struct gw_scene){id, scenes->map->items[i], GW_SCENE_PENDING, NULL});
    }
}

static int by_index(const void *a, const void *b) {
    const struct gw_scene *left = a;
    const struct gw_scene *right = b;
    return left->index < right->index ? -1 : left->index > right->index;
}

struct gw_scenes gw_scenes_of(const Callsheet__V1__Execution *execution, struct cs_arena *arena) {
    struct gw_scenes scenes = {.execution = execution, .map = find_map(execution)};
    if (scenes.map == NULL) {
        return scenes;
    }
    scenes.items = cs_arena_array(arena, execution->n_jobs + scenes.map->n_items, sizeof(*scenes.items));
    add_jobs(&scenes);
    add_known(&scenes, arena);
    qsort(scenes.items, scenes.count, sizeof(*scenes.items), by_index);
    return scenes;
}

const struct gw_scene *gw_scenes_find(const struct gw_scenes *scenes, const char *job) {
    for (size_t i = 0; i < scenes->count; i++) {
        if (strcmp(scenes->items[i].job, job) == 0) {
            return &scenes->items[i];
        }
    }
    return NULL;
}

/* ---- words ---- */

const char *gw_scene_status_word(enum gw_scene_status status) {
    static const char *const words[] = {"pending", "processing", "completed", "failed"};
    return words[status];
}

static bool awaits_approval(const Callsheet__V1__Execution *execution) {
    return execution->approval != NULL &&
           execution->approval->state == CALLSHEET__V1__APPROVAL_STATE__APPROVAL_STATE_AWAITED;
}

const char *gw_elix_status(const Callsheet__V1__Execution *execution) {
    switch (execution->state) {
    case STATE(PENDING):
        return awaits_approval(execution) ? "pending" : "approved";
    case STATE(PROCESSING):
        return "processing";
    case STATE(COMPLETED):
        return "completed";
    default:
        return "failed";
    }
}

/* ---- stages ---- */

static bool depends_on(const Callsheet__V1__JobStatus *job, const char *id) {
    for (size_t i = 0; i < job->n_depends_on; i++) {
        if (strcmp(job->depends_on[i], id) == 0) {
            return true;
        }
    }
    return false;
}

/* What puts the scenes together: the first that depends on the map. */
static const Callsheet__V1__JobStatus *find_stitch(const struct gw_scenes *scenes) {
    for (size_t i = 0; i < scenes->execution->n_jobs; i++) {
        if (depends_on(scenes->execution->jobs[i], scenes->map->id)) {
            return scenes->execution->jobs[i];
        }
    }
    return NULL;
}

static struct gw_stage stage_of_rendering(const struct gw_scenes *scenes) {
    size_t done = scenes->by_status[GW_SCENE_COMPLETED] + scenes->by_status[GW_SCENE_FAILED];
    if (done == 0 && scenes->by_status[GW_SCENE_PROCESSING] == 0) {
        return (struct gw_stage){"starting_render", 10};
    }
    return (struct gw_stage){"rendering", 10 + 65 * (double)done / (double)scenes->count};
}

static struct gw_stage stage_of_open(const struct gw_scenes *scenes) {
    if (scenes->map == NULL || scenes->map->state == JOB(WAITING)) {
        return (struct gw_stage){"initializing", 5};
    }
    if (scenes->map->state != JOB(COMPLETED)) {
        return scenes->count != 0 ? stage_of_rendering(scenes) : (struct gw_stage){"starting_render", 10};
    }
    const Callsheet__V1__JobStatus *stitch = find_stitch(scenes);
    if (stitch != NULL && stitch->state == JOB(COMPLETED)) {
        return (struct gw_stage){"stitching_complete", 90};
    }
    if (stitch != NULL && (stitch->state == JOB(RUNNING) || stitch->state == JOB(RETRYING))) {
        return (struct gw_stage){"stitching_videos", 80};
    }
    bool partial = scenes->by_status[GW_SCENE_FAILED] != 0;
    return (struct gw_stage){partial ? "partial_rendering_complete" : "rendering_complete", 75};
}

static struct gw_stage stage_of_failed(const struct gw_scenes *scenes) {
    const Callsheet__V1__JobStatus *stitch = scenes->map != NULL ? find_stitch(scenes) : NULL;
    if (scenes->count != 0 && scenes->by_status[GW_SCENE_FAILED] == scenes->count) {
        return (struct gw_stage){"all_renders_failed", 0};
    }
    if (stitch != NULL && stitch->state == JOB(FAILED)) {
        return (struct gw_stage){"stitching_failed", 80};
    }
    return (struct gw_stage){"failed", 0};
}

struct gw_stage gw_stage_of(const struct gw_scenes *scenes) {
    switch (scenes->execution->state) {
    case STATE(PENDING):
        return (struct gw_stage){awaits_approval(scenes->execution) ? "storyboard_ready" : "approved", 0};
    case STATE(PROCESSING):
        return stage_of_open(scenes);
    case STATE(COMPLETED):
        return (struct gw_stage){scenes->by_status[GW_SCENE_FAILED] != 0 ? "completed_partial" : "completed", 100};
    default:
        return stage_of_failed(scenes);
    }
}

/* ---- JSON ---- */

static double rounded(double value) {
    return round(value * 100) / 100;
}

/* Of the scenes alone: how many have completed. */
static double share(const struct gw_scenes *scenes) {
    return scenes->count != 0 ? rounded(100 * (double)scenes->by_status[GW_SCENE_COMPLETED] / (double)scenes->count)
                              : 0;
}

static const char *scenes_word(const struct gw_scenes *scenes) {
    if (scenes->count != 0 && scenes->by_status[GW_SCENE_COMPLETED] == scenes->count) {
        return "completed";
    }
    if (scenes->by_status[GW_SCENE_FAILED] != 0) {
        return "processing_with_errors";
    }
    bool begun = scenes->by_status[GW_SCENE_PROCESSING] != 0 || scenes->by_status[GW_SCENE_COMPLETED] != 0;
    return begun ? "processing" : "pending";
}

json_t *gw_view_scene_progress(const struct gw_scenes *scenes) {
    json_t *progress = json_object();
    SET(progress, "percentage", json_real(share(scenes)));
    SET(progress, "stage", json_string(scenes_word(scenes)));
    SET(progress, "total_scenes", json_integer((json_int_t)scenes->count));
    SET(progress, "completed_scenes", json_integer((json_int_t)scenes->by_status[GW_SCENE_COMPLETED]));
    SET(progress, "processing_scenes", json_integer((json_int_t)scenes->by_status[GW_SCENE_PROCESSING]));
    SET(progress, "failed_scenes", json_integer((json_int_t)scenes->by_status[GW_SCENE_FAILED]));
    return progress;
}

static int64_t updated_ms(const struct gw_scenes *scenes, const struct gw_scene *scene) {
    const Callsheet__V1__JobStatus *job = scene->state;
    if (job == NULL || (job->completed_at_ms == 0 && job->started_at_ms == 0)) {
        return scenes->execution->created_at_ms;
    }
    return job->completed_at_ms != 0 ? job->completed_at_ms : job->started_at_ms;
}

json_t *gw_view_scene(const struct gw_scenes *scenes, const struct gw_scene *scene, struct cs_arena *arena) {
    json_t *object = json_object();
    bool has_video = scene->state != NULL && scene->state->n_outputs != 0;
    SET(object, "id", json_string(cs_arena_sprintf(arena, "%s:%s", scenes->execution->id, scene->job)));
    SET(object, "index", json_integer(scene->index));
    SET(object, "status", json_string(gw_scene_status_word(scene->status)));
    SET(object, "provider_id", json_null()); /* what the provider calls it is not told */
    SET(object, "has_video", json_boolean(has_video));
    SET(object, "video_blob_size",
        has_video ? json_integer((json_int_t)scene->state->outputs[0]->size_bytes) : json_null());
    SET(object, "error",
        scene->state != NULL && scene->state->error != NULL ? json_string(scene->state->error->message) : json_null());
    SET(object, "inserted_at", view_time_or_null(scenes->execution->created_at_ms));
    SET(object, "updated_at", view_time_or_null(updated_ms(scenes, scene)));
    return object;
}

json_t *gw_view_scenes(const struct gw_scenes *scenes, struct cs_arena *arena) {
    json_t *body = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < scenes->count; i++) {
        (void)json_array_append_new(list, gw_view_scene(scenes, &scenes->items[i], arena));
    }
    SET(body, "job_id", json_string(scenes->execution->id));
    SET(body, "total_scenes", json_integer((json_int_t)scenes->count));
    SET(body, "completed_scenes", json_integer((json_int_t)scenes->by_status[GW_SCENE_COMPLETED]));
    SET(body, "progress_percentage", json_real(share(scenes)));
    SET(body, "progress", gw_view_scene_progress(scenes));
    SET(body, "scenes", list);
    return body;
}

static json_t *label(const Callsheet__V1__Execution *execution, const char *key) {
    for (size_t i = 0; i < execution->n_labels; i++) {
        if (strcmp(execution->labels[i]->key, key) == 0) {
            return json_string(execution->labels[i]->value);
        }
    }
    return json_null();
}

static int64_t last_ms(const Callsheet__V1__Execution *execution) {
    return execution->completed_at_ms != 0 ? execution->completed_at_ms
           : execution->started_at_ms != 0 ? execution->started_at_ms
                                           : execution->created_at_ms;
}

json_t *gw_view_elix_job(const struct gw_scenes *scenes) {
    const Callsheet__V1__Execution *execution = scenes->execution;
    struct gw_stage stage = gw_stage_of(scenes);
    json_t *body = json_object();
    SET(body, "job_id", json_string(execution->id));
    SET(body, "type", label(execution, "type"));
    SET(body, "status", json_string(gw_elix_status(execution)));
    SET(body, "video_name", label(execution, "video_name"));
    SET(body, "progress_percentage", json_real(rounded(stage.percentage)));
    SET(body, "current_stage", json_string(stage.name));
    SET(body, "progress", gw_view_scene_progress(scenes));
    SET(body, "error", execution->error[0] != '\0' ? json_string(execution->error) : json_null());
    SET(body, "inserted_at", view_time_or_null(execution->created_at_ms));
    SET(body, "updated_at", view_time_or_null(last_ms(execution)));
    return body;
}
