/*
 * refine: a cut plan made better by listening to the recording, and explained.
 *
 * Snap     Where something is cut out, the cut moves to the quietest place within reach, the nearest of several; never
 *          into a word, and never so that the cut becomes shorter than the rules allow.
 * Threads  pure. Texts live in the arena.
 */
#ifndef MED_REFINE_H
#define MED_REFINE_H

#include "edit/cut_plan.h"
#include "edit/levels.h"

enum { MED_CONTEXT_WORDS = 4 /* on each side of a cut */ };

void med_cut_plan_snap(struct med_cut_plan *plan, const struct med_words *words, const struct med_cut_rules *rules,
                       const struct med_levels *levels, int64_t reach_cs);
/* Says how loud it is where cuts begin and end, and makes a silence that is none less certain. Returns the loudest
 * place, in dB; MED_LEVEL_DB_MIN when nothing is cut. */
double med_cut_plan_measure(struct med_cut_plan *plan, const struct med_levels *levels);
/* "that is what [um you know] we did" */
void med_cut_plan_explain(struct med_cut_plan *plan, const struct med_words *words, struct cs_arena *arena);

#endif
