/*
 * each: every operation that makes a video with sound of one, in a table: with parameters, and what it does to a film's
 * frames and flashes, worked out here once more.
 *
 * Fails    by failing the test with a sentence.
 */
#ifndef MED_EACH_H
#define MED_EACH_H

#include "flash.h"

enum { EACH_FLASHES_MAX = 64, EACH_INPUTS_MAX = 3 };

/* What a film should show. */
struct each_flash {
    double from; /* seconds */
    double until;
    bool sure; /* else it may be dim, cut or out of reach of its sound */
};

struct each_film {
    int rate_num;
    int rate_den;
    int64_t frames;
    bool on_grid; /* every picture is one of the fixture's, none was left out or doubled on the way */
    size_t count;
    struct each_flash flashes[EACH_FLASHES_MAX];
};

struct each_op {
    const char *name;
    const char *json;                    /* @ is the video, #1 … what else it needs */
    const char *inputs[EACH_INPUTS_MAX]; /* of #1 … */
    const char *suffix;                  /* of its output */
    bool alone;                          /* cannot be a step before or behind another one */
    bool last;                           /* nothing comes behind it: its pictures and sound are muxed to be looked at */
    bool of_own_sound;                   /* #1 is what extractAudio gives of the video */
    void (*plan)(const struct each_film *in, const struct each_film *fixture, struct each_film *out);
};

extern const struct each_op each_ops[];
extern const size_t each_ops_count;

/* The fixture of that rate, and what operations need besides their video; returns its path. */
const char *each_prepare(struct studio *studio, int rate_num, int rate_den, int seconds, struct each_film *ret_fixture);
/* Runs it on a film; what is to be looked at is DIR/<output><suffix>, whose name is returned. */
const char *each_run(struct studio *studio, const struct each_op *op, const struct each_film *in, const char *path,
                     const char *output);
/* The same of both, as one job; between: what the first one makes. */
const char *each_run_both(struct studio *studio, const struct each_op *first, const struct each_film *in,
                          const struct each_op *second, const struct each_film *between, const char *path,
                          const char *output);

#endif
