/*
 * fit_words: the words for how a picture becomes a frame of another shape.
 */
#ifndef MED_OPS_FIT_WORDS_H
#define MED_OPS_FIT_WORDS_H

#include "graph/fit.h"

/* "pad" "crop" "blurPad" "stretch"; "#RRGGBB" or "" for black. path: of the word, for errors. */
enum cs_status med_fit_read(const char *word, const char *path, const char *pad_color, struct med_fit *ret_fit,
                            struct cs_err *err) CS_MUST_USE;

#endif
