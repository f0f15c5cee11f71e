/*
 * cue_lint: how hard cues are to read: their longest line, most lines, and most characters a second.
 */
#ifndef MED_CUE_LINT_H
#define MED_CUE_LINT_H

#include "edit/retime.h"

struct med_cue_lint {
    size_t characters_per_line;
    size_t lines;
    double characters_per_second; /* spaces count; of cues that are shown for some time */
};

struct med_cue_lint med_cue_lint(const struct med_words *words, const struct med_cues *cues);

#endif
