/*
 * seed: the same words give the same numbers, on every machine.
 */
#ifndef MED_SEED_H
#define MED_SEED_H

#include <stdint.h>

struct med_seed {
    uint64_t state;
};

/* From a prompt and a number (0 when none was given). */
struct med_seed med_seed_from(const char *prompt, int64_t number);
uint64_t med_seed_next(struct med_seed *seed);
double med_seed_range(struct med_seed *seed, double low, double high);

#endif
