#include "edit/retime.h"

int64_t med_retime(const struct med_words *words, const struct med_cut_plan *plan, int64_t overlap_cs,
                   struct cs_arena *arena, struct med_words *ret_words) {
    struct med_words out = {.items = cs_arena_array(arena, words->count + 1, sizeof(struct med_word))};
    int64_t at_cs = 0; /* where the span begins afterwards */
    size_t word = 0;
    bool first = true;
    for (size_t i = 0; i < plan->count; i++) {
        const struct med_cut_span *span = &plan->spans[i];
        bool joined = i > 0 && plan->spans[i - 1].keep && plan->spans[i - 1].end_cs == span->start_cs;
        if (!span->keep) {
            continue;
        }
        at_cs -= first || joined ? 0 : overlap_cs;
        first = false;
        for (; word < words->count; word++) {
            struct med_word copy = words->items[word];
            int64_t middle_cs = (copy.start_cs + copy.end_cs) / 2;
            if (middle_cs >= span->end_cs) {
                break;
            }
            if (middle_cs < span->start_cs) {
                continue;
            }
            int64_t start_cs = copy.start_cs > span->start_cs ? copy.start_cs : span->start_cs;
            int64_t end_cs = copy.end_cs < span->end_cs ? copy.end_cs : span->end_cs;
            copy.start_cs = start_cs - span->start_cs + at_cs;
            copy.end_cs = end_cs - span->start_cs + at_cs;
            struct med_word *last = out.count > 0 ? &out.items[out.count - 1] : NULL;
            if (last != NULL && last->end_cs > copy.start_cs) {
                last->end_cs = copy.start_cs > last->start_cs ? copy.start_cs : last->start_cs;
                copy.start_cs = last->end_cs;
                copy.end_cs = copy.end_cs > copy.start_cs ? copy.end_cs : copy.start_cs;
            }
            out.items[out.count++] = copy;
        }
        at_cs += span->end_cs - span->start_cs;
    }
    *ret_words = out;
    return at_cs;
}
