/*
 * scene_view: the scenes of an execution, as Elix's clients see them: the items of its map "scenes", or of its first
 * map.
 *
 * A scene's id is "EXECUTION:JOB". Its status is pending, processing, completed or failed.
 *
 * Threads  pure.
 */
#ifndef GW_VIEW_SCENE_VIEW_H
#define GW_VIEW_SCENE_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/mem.h"

enum gw_scene_status { GW_SCENE_PENDING, GW_SCENE_PROCESSING, GW_SCENE_COMPLETED, GW_SCENE_FAILED };

struct gw_scene {
    const char *job; /* its id in the plan */
    uint32_t index;
    enum gw_scene_status status;
    const Callsheet__V1__JobStatus *state; /* NULL: its map has not begun */
};

struct gw_scenes {
    const Callsheet__V1__Execution *execution;
    const Callsheet__V1__JobStatus *map; /* NULL: it has none */
    struct gw_scene *items;              /* by index, without those that were removed */
    size_t count;
    size_t by_status[GW_SCENE_FAILED + 1];
};

struct gw_scenes gw_scenes_of(const Callsheet__V1__Execution *execution, struct cs_arena *arena);
const struct gw_scene *gw_scenes_find(const struct gw_scenes *scenes, const char *job); /* or NULL */
const char *gw_scene_status_word(enum gw_scene_status status);
/* pending, approved, processing, completed or failed: what an execution is to these clients. */
const char *gw_elix_status(const Callsheet__V1__Execution *execution);

/* The stage of requirements 3.12 with its percentage, which never falls; a word of ours for none. */
struct gw_stage {
    const char *name;
    double percentage;
};
struct gw_stage gw_stage_of(const struct gw_scenes *scenes);

json_t *gw_view_scene(const struct gw_scenes *scenes, const struct gw_scene *scene, struct cs_arena *arena);
/* {job_id, total_scenes, completed_scenes, progress_percentage, progress, scenes} */
json_t *gw_view_scenes(const struct gw_scenes *scenes, struct cs_arena *arena);
/* {percentage, stage, total_scenes, completed_scenes, processing_scenes, failed_scenes}: of the scenes alone. */
json_t *gw_view_scene_progress(const struct gw_scenes *scenes);
/* GET /api/v3/jobs/ID */
json_t *gw_view_elix_job(const struct gw_scenes *scenes);

#endif
