#include "captions/group.h"

static size_t width_with(const struct med_word *word, size_t characters) {
    return characters == 0 ? word->characters : characters + word->characters + (word->glued ? 0 : 1);
}

static bool fits(const struct med_group *group, const struct med_words *words, const struct med_word *next,
                 size_t characters, const struct med_style *style) {
    const struct med_word *first = &words->items[group->first];
    if (style->keeps_cues && (first->cue != 0 || next->cue != 0)) {
        return first->cue == next->cue;
    }
    return group->count < style->words_max && next->end_cs - first->start_cs <= style->duration_max_cs &&
           width_with(next, characters) <= style->characters_max;
}

static void settle_ends(struct med_groups *groups, const struct med_words *words, const struct med_style *style) {
    for (size_t i = 0; i < groups->count; i++) {
        struct med_group *group = &groups->items[i];
        group->start_cs = words->items[group->first].start_cs;
        group->end_cs = group->start_cs;
        for (size_t w = 0; w < group->count; w++) {
            int64_t end = words->items[group->first + w].end_cs;
            group->end_cs = end > group->end_cs ? end : group->end_cs;
        }
    }
    for (size_t i = 0; i + 1 < groups->count; i++) {
        struct med_group *group = &groups->items[i];
        int64_t next = groups->items[i + 1].start_cs;
        bool says_itself = style->keeps_cues && words->items[group->first].cue != 0;
        if (!says_itself && group->end_cs > next - MED_GAP_CS) {
            group->end_cs = next;
        }
    }
}

struct med_groups med_group_words(const struct med_words *words, const struct med_style *style,
                                  struct cs_arena *arena) {
    struct med_groups groups = {.items = cs_arena_array(arena, words->count, sizeof(struct med_group))};
    size_t characters = 0;
    for (size_t i = 0; i < words->count; i++) {
        const struct med_word *word = &words->items[i];
        struct med_group *group = groups.count > 0 ? &groups.items[groups.count - 1] : NULL;
        if (group == NULL || !fits(group, words, word, characters, style)) {
            groups.items[groups.count++] = (struct med_group){.first = i, .count = 1};
            characters = word->characters;
        } else {
            group->count++;
            characters = width_with(word, characters);
        }
    }
    settle_ends(&groups, words, style);
    return groups;
}
