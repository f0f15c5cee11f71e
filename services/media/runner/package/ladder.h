/*
 * ladder: the sizes in which a picture is streamed. Pure.
 */
#ifndef MED_LADDER_H
#define MED_LADDER_H

#include "cs/catalog.h"
#include "graph/graph.h"

enum { MED_LADDER_MAX = CS_PACKAGE_RUNGS_MAX + 1 };

struct med_rung {
    int width;
    int height;
    int64_t bits_per_s; /* no second has many more */
    char stem[32];      /* of its files' names: "video_720", or "video_source" */
};

/* From the highest to the lowest; at least one. wanted: from the highest to the lowest, even, of different heights.
 * Those that would enlarge the picture are left out; its own size is the first where that lies between two of them. */
size_t med_ladder(const struct med_picture_format *picture, const struct cs_package_rung *wanted, size_t count,
                  struct med_rung ret_rungs[MED_LADDER_MAX]);

#endif
