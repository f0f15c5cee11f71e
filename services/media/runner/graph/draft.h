/*
 * draft: the pictures of a clip, small and grey, one after the other: for a look at all of them before the work begins.
 *
 * Cheap: decoders leave out what only makes pictures finer and decode them smaller where they can; unless every picture
 * is wanted, those go that no other is made from. At least about six a second remain.
 */
#ifndef MED_DRAFT_H
#define MED_DRAFT_H

#include "graph/clip.h"

struct med_draft;

struct med_draft_wish {
    struct med_picture_format format; /* the clip's own; frames are counted at its rate */
    int64_t frames;                   /* of the clip; none behind them */
    int64_t from;                     /* no picture is given of an earlier frame */
    int width;                        /* of the small pictures */
    int height;
    bool every;
};

/* A draft of what an earlier operation makes is made in the graph. */
enum cs_status med_draft_open(struct med_graph *graph, const struct med_clip *clip, const struct med_draft_wish *wish,
                              struct med_draft **ret_draft, struct cs_err *err) CS_MUST_USE;
/* *ret_frame: at which the picture is shown, more than that of the one before; -1 at the end. */
enum cs_status med_draft_next(struct med_draft *draft, uint8_t *ret_grey, int64_t *ret_frame,
                              struct cs_err *err) CS_MUST_USE;
void med_draft_close(struct med_draft *draft);
CS_DEFINE_AUTO(med_draft, med_draft_close)

#endif
