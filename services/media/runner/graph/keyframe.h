/*
 * keyframe: one picture of a file without any others: the last key frame at or before a time.
 *
 * Cheap    one packet is decoded, whatever the length of a group of pictures. What cannot be found or decoded in this
 *          way is made as usual, exactly at its time.
 */
#ifndef MED_KEYFRAME_H
#define MED_KEYFRAME_H

#include "graph/clip.h"

/* One frame; clip is a file, and from_ticks the time. As med_clip_video otherwise. */
struct med_video *med_keyframe(struct med_graph *graph, const struct med_clip *clip,
                               const struct med_picture_format *format, enum med_fit_mode mode, enum med_anchor anchor);

/* How far before its time a key frame may be, in ticks; 0: not known, or such pictures would not be whole. */
int64_t med_keyframe_reach(const struct med_clip *clip);

#endif
