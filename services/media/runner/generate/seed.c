#include "generate/seed.h"

/* FNV-1a over the words, then splitmix64. */
struct med_seed med_seed_from(const char *prompt, int64_t number) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)number;
    for (const unsigned char *c = (const unsigned char *)prompt; *c != '\0'; c++) {
        hash = (hash ^ *c) * UINT64_C(0x100000001b3);
    }
    return (struct med_seed){.state = hash};
}

uint64_t med_seed_next(struct med_seed *seed) {
    uint64_t z = (seed->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double med_seed_range(struct med_seed *seed, double low, double high) {
    return low + (high - low) * ((double)(med_seed_next(seed) >> 11) / 9007199254740992.0);
}
