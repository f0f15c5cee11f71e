#include "edit/cue_lint.h"

static void look_at(const struct med_words *words, const struct med_cue *cue, struct med_cue_lint *lint) {
    size_t line = 0;
    size_t lines = 1;
    size_t all = 0;
    for (size_t i = 0; i < cue->word_count; i++) {
        const struct med_word *word = &words->items[cue->first_word + i];
        bool breaks = i > 0 && (i == cue->line_break || word->line != word[-1].line);
        size_t space = i > 0 && !word->glued && !breaks;
        line = breaks ? word->characters : line + space + word->characters;
        all += (breaks || space) + word->characters;
        lines += breaks;
        lint->characters_per_line = line > lint->characters_per_line ? line : lint->characters_per_line;
    }
    lint->lines = lines > lint->lines ? lines : lint->lines;
    if (cue->end_ms > cue->start_ms) {
        double rate = (double)all * 1000 / (double)(cue->end_ms - cue->start_ms);
        lint->characters_per_second = rate > lint->characters_per_second ? rate : lint->characters_per_second;
    }
}

struct med_cue_lint med_cue_lint(const struct med_words *words, const struct med_cues *cues) {
    struct med_cue_lint lint = {0};
    for (size_t i = 0; i < cues->count; i++) {
        look_at(words, &cues->items[i], &lint);
    }
    return lint;
}
