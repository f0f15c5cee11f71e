/*
 * witness: what pictures of the sources look like, by frame of the output, for the check of what was copied.
 *
 * Decoding for the edges passes them anyway; where it does not, the check decodes the source itself.
 */
#ifndef MED_COPY_WITNESS_H
#define MED_COPY_WITNESS_H

#include <libavutil/frame.h>
#include <stdbool.h>
#include <stdint.h>

#include "cs/base/mem.h"

struct med_witness {
    int64_t out; /* frame of the output */
    uint8_t hash[16];
};

struct med_witnesses {
    struct cs_buf list; /* of struct med_witness */
};

void med_witness_add(struct med_witnesses *witnesses, const AVFrame *picture, int64_t out);
/* By frame; later ones of the same frame are dropped. */
void med_witness_sort(struct med_witnesses *witnesses);
/* Of sorted ones; NULL: nobody saw it. */
const struct med_witness *med_witness_find(const struct med_witnesses *witnesses, int64_t out);
bool med_witness_agrees(const struct med_witness *witness, const AVFrame *picture);
void med_witness_fini(struct med_witnesses *witnesses);

#endif
