/*
 * camera: moves a window after what was seen, the way a camera would: shot by shot it rests, pans evenly or follows.
 *
 * Within a shot it never jumps: it is no faster than MED_CAMERA_SPEED windows a second and changes its speed by no more
 * than MED_CAMERA_PUSH windows a second each second. Where things stay about the same place, it rests.
 */
#ifndef MED_REFRAME_CAMERA_H
#define MED_REFRAME_CAMERA_H

#include "reframe/path.h"
#include "reframe/saliency.h"
#include "reframe/shots.h"

#define MED_CAMERA_SPEED 1.2
#define MED_CAMERA_PUSH 2.0

/* path: its sizes, rate and frames are set; its shots are made here, in the arena. One of its window's sides is the
 * picture's. sights: in order of frames. cuts: where shots begin, the first at 0. */
void med_camera_shoot(struct med_path *path, const struct med_sight *sights, size_t sight_count,
                      const struct med_cut *cuts, size_t cut_count, struct cs_arena *arena);

#endif
