/*
 * compose: layers over one another, as one picture and one sound.
 *
 * layers_read turns the layers of a plan into when and where each is; what it leaves is described as an operation's
 * output.
 *
 * Fails    at the layer's own path: "no_video", "no_main_layer", "no_duration", "timeline_too_long", those of
 *          cs/placement.h, and those of the inputs.
 */
#ifndef MED_COMPOSE_H
#define MED_COMPOSE_H

#include "ops/ops.h"

/* A layer, and how its fields are called where errors are read. */
struct med_layer_wire {
    const Callsheet__V1__LayerItem *item;
    const char *path;        /* "layers[2]"; "" when its fields are those of the operation */
    const char *media_path;  /* "layers[2].media" */
    const char *parts_path;  /* "layers[2].timeline": then "[3]" */
    const char *part_member; /* and ".media" */
};

struct med_compose_wish {
    const struct med_layer_wire *layers;
    size_t count;
    size_t main;    /* index */
    double seconds; /* 0: those of the main layer, or of the first that has a length */
    uint32_t width; /* 0: the main layer's */
    uint32_t height;
};

enum cs_status med_compose(struct med_job *job, const struct med_compose_wish *wish, struct med_made *ret_made,
                           struct cs_err *err) CS_MUST_USE;

#endif
