/*
 * lower_third: a name and what it is of, in the lower third of a picture for a while.
 */
#ifndef MED_LOWER_THIRD_H
#define MED_LOWER_THIRD_H

#include "captions/fonts.h"
#include "ops/ops.h"

struct med_lower_third {
    const char *document; /* ASS; NULL: there is none */
    size_t document_bytes;
    struct med_font_set fonts;
};

/* wire may be NULL. made: the picture that it is drawn on. Fails at "lowerThird.…": "out_of_range", "unknown_word",
 * "bad_color". */
enum cs_status med_lower_third_read(struct med_job *job, const Callsheet__V1__LowerThird *wire,
                                    const struct med_picture_format *format, int64_t frames,
                                    struct med_lower_third *ret_third, struct cs_err *err) CS_MUST_USE;

#endif
