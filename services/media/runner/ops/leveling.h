/*
 * leveling: the one gain that brings sound to a loudness, and whether its peaks have to be limited for it.
 */
#ifndef MED_LEVELING_H
#define MED_LEVELING_H

#include "graph/encoding.h"
#include "graph/loudness.h"
#include "ops/ops.h"

struct med_leveling {
    /* The sound at a level, in a graph: as often as it takes. */
    struct med_audio *(*build)(struct med_graph *graph, const void *ctx, const struct med_level *level);
    const void *ctx;
    double target;        /* LUFS */
    double true_peak_max; /* dBTP */
    struct med_encoding encoding;
    bool best_effort; /* what cannot be reached is come near to */
    bool tries_file;  /* the finished file is what is tried: med_leveling_judge */
};

struct med_leveled {
    bool silent; /* nothing is done then */
    struct med_loudness input;
    struct med_level level;
    int tries;
};

/* Finds the level without an encoder; then, unless the file is tried, encodes and measures until what will be encoded
 * is within 0.2 LU of the target with its peaks below the limit; FAILED_PRECONDITION "loudness_unreachable" when no
 * gain does it. */
enum cs_status med_leveling_choose(struct med_job *job, const struct med_leveling *leveling,
                                   struct med_leveled *ret_leveled, struct cs_err *err) CS_MUST_USE;

/* What a file has that was made at this level: good, or it has to be made again at the level that is there then; fails
 * as choosing does. */
enum cs_status med_leveling_judge(const struct med_leveling *leveling, const struct med_loudness *got,
                                  struct med_leveled *leveled, bool *ret_again, struct cs_err *err) CS_MUST_USE;

/* Of the sound of a finished file. */
enum cs_status med_leveling_measure(struct med_job *job, int fd, struct med_loudness *ret_loudness,
                                    struct cs_err *err) CS_MUST_USE;

#endif
