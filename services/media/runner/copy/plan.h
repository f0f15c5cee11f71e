/*
 * plan: which frames of a stretch are copied, and which are encoded again. Pure.
 *
 * A copied run starts at a key picture that closes its group and is the longest one, in order of decoding, whose
 * pictures are neighbours in order of presentation and lie inside the stretch: nothing in it needs anything outside.
 * Between the runs, and at either end, frames are decoded and encoded.
 */
#ifndef MED_COPY_PLAN_H
#define MED_COPY_PLAN_H

#include "copy/index.h"

enum { MED_COPY_RUN_MIN = 8 /* frames; shorter ones are not worth a join */ };

struct med_copy_part {
    bool copied;
    int64_t first;  /* frame of the input */
    int64_t frames; /* as many packets, when copied */
    int64_t out;    /* frame of the output */
    /* copied: its first packet, and the last key picture in it that closes a group.
     * encoded: where decoding begins. */
    struct med_spot from;
    struct med_spot last_key;
    int64_t last_key_frame; /* of the input */
    int reorder;            /* copied: by how many frames packets come later than their pictures are shown */
    bool cut;               /* copied: ends inside a group */
};

struct med_copy_parts {
    struct med_copy_part *list;
    size_t count;
    int64_t copied;  /* frames */
    int64_t encoded; /* frames */
    int64_t decoded; /* frames that are decoded for those, at least */
    int64_t read;    /* packets of the inputs */
};

/* Adds the parts of a stretch that becomes frame `out` and later ones. */
void med_copy_plan(const struct med_copy_index *index, int64_t first, int64_t frames, int64_t out,
                   struct med_copy_parts *parts);
void med_copy_parts_fini(struct med_copy_parts *parts);

#endif
