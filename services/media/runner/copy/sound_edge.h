/*
 * sound_edge: the few places of sound between copied packets, encoded again so that decoders hear no join.
 *
 * A packet of AAC is half of what is heard at two places: that its neighbours cancel its aliasing, the edge is encoded
 * from what their sources decode to, by an encoder that heard it from a little earlier on.
 *
 * Owns     med_sound_edge_fini frees what it holds. All of it is small: MED_EDGE_PLACES and a few more.
 */
#ifndef MED_COPY_SOUND_EDGE_H
#define MED_COPY_SOUND_EDGE_H

#include "copy/sound_plan.h"
#include "graph/aac.h"

enum {
    MED_EDGE_WARM = 2,   /* places that the encoder hears before */
    MED_EDGE_BEHIND = 2, /* and behind: it looks ahead */
    MED_EDGE_CHANNELS_MAX = MED_AAC_CHANNELS_MAX,
    MED_EDGE_WINDOW = MED_EDGE_PLACES + MED_EDGE_WARM + MED_EDGE_BEHIND,
};

struct med_sound_edge {
    const struct med_sound_plan *plan;
    int64_t first; /* encoded places */
    int64_t end;
    float *heard[MED_EDGE_CHANNELS_MAX]; /* MED_EDGE_WINDOW places from first - MED_EDGE_WARM on */
    AVPacket *packets[MED_EDGE_PLACES];  /* by place */
};

/* Silence. */
void med_sound_edge_begin(struct med_sound_edge *edge, const struct med_sound_plan *plan, int64_t first, int64_t end);
void med_sound_edge_fini(struct med_sound_edge *edge);

/* A decoded place of a piece, which is added where the piece is heard; where it is cut, it ends softly. */
void med_sound_edge_hear(struct med_sound_edge *edge, const AVFrame *frame, int64_t place,
                         const struct med_sound_piece *piece);
enum cs_status med_sound_edge_encode(struct med_sound_edge *edge, struct cs_err *err) CS_MUST_USE;
/* Whether a place of the output decodes to what is wanted: noise_max is the power of what is off in any short block,
 * against that of the loudest block of its place and the two beside it. */
bool med_sound_edge_agrees(const struct med_sound_edge *edge, const AVFrame *frame, int64_t place, float noise_max);

#endif
