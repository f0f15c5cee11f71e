/*
 * imprint: what the coded pictures of a stream add up to, however a container frames their units: what went into a file
 * is what is read from it when both leave the same. H.264 and HEVC; of other codecs there is none.
 */
#ifndef MED_IMPRINT_H
#define MED_IMPRINT_H

#include <libavcodec/avcodec.h>
#include <stdbool.h>
#include <stdint.h>

struct med_imprint {
    int64_t packets; /* 0: none */
    uint64_t sum;
};

/* The next packet of the stream, in the order of decoding. */
void med_imprint_add(struct med_imprint *imprint, const AVCodecParameters *params, const AVPacket *packet);
bool med_imprint_equal(const struct med_imprint *a, const struct med_imprint *b);

#endif
