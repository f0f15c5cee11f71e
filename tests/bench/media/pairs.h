/* pairs: each operation, and the ffmpeg command that does the same. */
#ifndef BENCH_MEDIA_PAIRS_H
#define BENCH_MEDIA_PAIRS_H

#include "bench.h"

enum { PAIR_EQUAL_MAX = 2 };

enum pair_kind {
    PAIR_FRAMES, /* the same work; frame n shows the same in both */
    PAIR_WORK,   /* the same work, not comparable frame by frame */
    PAIR_OTHER,  /* one of them does more, or copies: told, but no part of the worst ratio; see equal */
};

struct pair {
    const char *name;
    enum pair_kind kind;
    struct job job;     /* without its output */
    const char *ffmpeg; /* arguments up to the output's name */
    const char *suffix; /* of the outputs */
    /* All that ours does, what it checks of its output among it: runs of ffmpeg one after the other, each with the names
     * of its files; NULL: not told. */
    const char *equal[PAIR_EQUAL_MAX];
};

extern const struct pair pairs[];
extern const size_t pair_count;

#endif
