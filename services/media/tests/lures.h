/*
 * lures: files under innocent names that name another one, in each format that FFmpeg would follow.
 *
 * Fails    by failing the test with a sentence.
 */
#ifndef MED_TEST_LURES_H
#define MED_TEST_LURES_H

#include <stdbool.h>
#include <stddef.h>

#include "cs/base/mem.h"

struct lure {
    const char *path;
    const char *options; /* with which the ffmpeg program follows it; NULL: not even that does */
    bool file;           /* it names the canary; else the address */
};

enum { LURES_MAX = 32 };

/* Writes them all into a directory; canary: the path of a file; address: "http://127.0.0.1:1234/…". Returns how many.
 */
size_t lures_write(struct cs_arena *arena, const char *dir, const char *canary, const char *address,
                   struct lure ret_lures[LURES_MAX]);

#endif
