/*
 * group: words into captions that are shown together.
 *
 * A caption ends when it has style.words_max words, or when the next word would make it longer than duration_max_cs or
 * characters_max (with spaces). It stays until its last word ends, at most until the next caption starts; a gap shorter
 * than MED_GAP_CS is closed, so captions do not flicker.
 */
#ifndef MED_GROUP_H
#define MED_GROUP_H

#include "captions/style.h"
#include "captions/words.h"

enum { MED_GAP_CS = 20 };

struct med_group {
    size_t first;
    size_t count;
    int64_t start_cs;
    int64_t end_cs;
};

struct med_groups {
    struct med_group *items;
    size_t count;
};

struct med_groups med_group_words(const struct med_words *words, const struct med_style *style, struct cs_arena *arena);

#endif
