/*
 * encoding: as what an output is encoded. All zero is what every operation makes unless asked for something else: an
 * MP4 of H.264 and AAC, or where encoders under the GPL are not allowed, of AV1 or VP9 and AAC.
 *
 * Names    of encoders are FFmpeg's. Which there are is known from the table in encoding.c and this build.
 */
#ifndef MED_ENCODING_H
#define MED_ENCODING_H

#include <libavcodec/avcodec.h>
#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"

enum med_container {
    MED_MP4, /* moov first, as with MOV and M4A */
    MED_M4A,
    MED_MP3,
    MED_WAV,
    MED_MOV,
    MED_WEBM, /* its index first */
    MED_MKV,
    MED_FLAC,
    MED_OGG, /* Opus */
};

struct med_encoding {
    enum med_container container;
    const char *encoder;       /* of the picture; NULL: the usual one */
    double quality;            /* 1 (small) … 100 (good), the same for every codec; 0: what editing wants */
    int64_t bits_per_s;        /* of the picture, instead of quality: never much more, on average a little less; 0 */
    int64_t bits_per_s_max;    /* with quality; 0: as many as it takes */
    int64_t keyframe_frames;   /* closed groups of exactly that length; 0: at most two seconds, at cuts sooner */
    int lookahead_frames;      /* that x264 keeps to plan by; 0: as many as usual */
    const char *sound_encoder; /* NULL: the container's */
    int64_t sound_bits_per_s;  /* 0: the codec's usual */
    int sound_rate;            /* samples a second, which the codec must know; 0: 48,000 */
    int sound_channels;        /* 1 or 2; 0: 2 */
};

/* The encoder for a codec ("h264" "hevc" "vp9" "av1"): the wanted one, or with "" the first that is there.
 * INVALID_ARGUMENT "unknown_encoder" one that is not of that codec; UNIMPLEMENTED "encoder_unavailable" when this build
 * has none, or only such as are licensed under the GPL and no_gpl is set. */
enum cs_status med_encoding_choose(const char *codec, const char *wanted, bool no_gpl, const char **ret_encoder,
                                   struct cs_err *err) CS_MUST_USE;

/* What every operation uses unless asked for another: libx264, or with no_gpl the first of AV1 and VP9 that is there.
 * UNIMPLEMENTED "encoder_unavailable" */
enum cs_status med_encoding_usual(bool no_gpl, const char **ret_encoder, struct cs_err *err) CS_MUST_USE;

/* Options of the encoder's own, and those of the context that depend on it. `format` fields are set before.
 * INTERNAL "encoder" when the encoder is not in the table. */
enum cs_status med_encoding_apply(const struct med_encoding *encoding, int threads, AVCodecContext *encoder,
                                  struct cs_err *err) CS_MUST_USE;

/* By the end of a file's name; MP4 for others. */
enum med_container med_container_of(const char *name);
const char *med_container_muxer(enum med_container container);
/* The encoder of sound that a file of this kind has unless told. */
const char *med_container_sound(enum med_container container);

#endif
