/*
 * fake_cache: store/cache.h in memory, beside the fake store.
 */
#ifndef ORC_ENGINE_TESTS_FAKE_CACHE_H
#define ORC_ENGINE_TESTS_FAKE_CACHE_H

#include "store/cache.h"

void fake_cache_reset(void);
/* After a commit. */
void fake_cache_keep(const struct orc_row_kept *rows, size_t count);

/* From now on everything is being made by somebody elsewhere (held), or not any more. */
void fake_cache_hold(bool held);
int fake_cache_asks(void);      /* statements */
int fake_cache_questions(void); /* in them */
int fake_cache_results(void);   /* rows with a result */
int fake_cache_leaders(void);   /* rows that say who makes one */

#endif
