/*
 * copy: an output whose picture is stretches of its inputs, made by copying what needs no change. H.264 and HEVC in
 * MP4, MOV, Matroska and MPEG-TS.
 *
 * Closed groups of pictures, proven by the stream's own bits, are copied; only the frames at either end of a stretch,
 * and stretches of inputs that differ from the others, are encoded again (splice.h). The joins of the finished file are
 * decoded and compared with the sources (check.h). Sound is copied likewise where it can be (sound_plan.h), else
 * encoded once, as always, and the report says why.
 *
 * Whether to copy at all is decided by the work that it saves. Whenever it is not to be had, the caller encodes
 * everything as if there were no copying, and can say why:
 *
 *     no_file container codec damaged rotated sample_aspect size frame_rate variable_rate hdr pixel_format interlaced
 *     parameter_sets colours open_groups no_whole_group not_worth_it       nothing was written
 *     mismatch failed                                                      the file is to be written again
 */
#ifndef MED_COPY_H
#define MED_COPY_H

#include "graph/made.h"
#include "render.h"

struct med_copy {
    double share;                    /* of the frames; 0: nothing was copied */
    const char *reason;              /* why nothing was, else NULL */
    Callsheet__V1__Quality *quality; /* of the file; NULL: nothing was copied */
};

/* *ret_facts is NULL when the caller has to encode. Fails only with what would fail then, too: UNAVAILABLE and
 * OUT_OF_RANGE. made has pieces. */
enum cs_status med_copy_run(const struct med_made *made, const Callsheet__V1__RunnerLimits *limits,
                            const struct med_render_events *events, int fd, struct cs_arena *arena,
                            struct med_copy *ret_copy, Callsheet__V1__MediaFacts **ret_facts,
                            struct cs_err *err) CS_MUST_USE;

#endif
