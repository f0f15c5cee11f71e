/*
 * figures: samples in, percentiles out.
 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include "cs/base/mem.h"

struct samples {
    int64_t *ns;
    size_t count;
    size_t capacity;
};

void samples_add(struct samples *samples, int64_t ns);
/* p in percent; 0 without samples. */
double samples_ms(struct samples *samples, double p);
void samples_fini(struct samples *samples);

/* One line for people, one member for programs. */
struct figures {
    struct cs_buf json;
};
void figure(struct figures *figures, const char *name, double value, const char *unit, const char *words);
/* Only the member. */
void figure_quiet(struct figures *figures, const char *name, double value);
/* Writes {"name": value, …}; the folder exists. */
enum cs_status figures_write(const struct figures *figures, const char *path, struct cs_err *err) CS_MUST_USE;
void figures_fini(struct figures *figures);

#endif
