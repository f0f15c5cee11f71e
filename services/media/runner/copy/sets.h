/*
 * sets: the parameter sets of a stream, from its header, and packets as units behind start codes.
 *
 * Owns     bytes lie in the arena.
 */
#ifndef MED_SETS_H
#define MED_SETS_H

#include <libavcodec/avcodec.h>

#include "copy/nal.h"
#include "cs/base/mem.h"

struct med_set {
    struct med_nal nal;
    int id;
    int parent; /* the set that it refers to, -1: none */
};

struct med_sets {
    enum AVCodecID codec;
    int length_size; /* of the packets, see nal.h */
    struct med_set list[MED_NAL_SETS_MAX];
    size_t count;
};

/* false: no header, or a damaged one. */
bool med_sets_read(const AVCodecParameters *params, struct cs_arena *arena, struct med_sets *ret_sets);
bool med_sets_equal(const struct med_sets *a, const struct med_sets *b);
/* Whether this very set is one of them. */
bool med_sets_hold(const struct med_sets *sets, const struct med_nal *nal);
/* An id that no set of any kind has; -1: none is left. */
int med_sets_free_id(const struct med_sets *sets, int id_max);

/* All sets, each behind a start code. */
void med_sets_put(const struct med_sets *sets, struct cs_buf *buf);
/* The units of a packet, each behind a start code, without parameter sets and delimiters. false: damaged. */
bool med_sets_put_packet(const struct med_sets *sets, const uint8_t *data, size_t size, struct cs_buf *buf);
/* false: it brings a parameter set that is none of them. */
bool med_sets_cover_packet(const struct med_sets *sets, const uint8_t *data, size_t size);

#endif
