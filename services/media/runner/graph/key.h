/*
 * key: makes what is near a colour transparent, by FFmpeg's chromakey: how far a pixel's Cb and Cr are off, on average
 * with the eight around it. That filter measures each pixel nine times, and takes longer than encoding.
 */
#ifndef MED_KEY_H
#define MED_KEY_H

#include <libavutil/frame.h>
#include <stdint.h>

#include "cs/base/err.h"

/* A colour that becomes transparent, and what is near it. */
struct med_key {
    uint32_t rgb;      /* 0xRRGGBB */
    double similarity; /* 0.01 … 1: of all colours, how far off they may be */
    double blend;      /* 0 … 1: beyond that, how far half transparency reaches */
};

/* A picture in YUVA 4:4:4, BT.709: what is transparent stays so. */
enum cs_status med_key_apply(const struct med_key *key, AVFrame *picture, struct cs_err *err) CS_MUST_USE;

#endif
