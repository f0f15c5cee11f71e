/*
 * times: when a cue is shown, as people write it: "00:00:02,345", "1:02.5", "0:00:04:56".
 */
#ifndef MED_SUBTITLE_TIMES_H
#define MED_SUBTITLE_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The digits that a format has; others are read, too. */
struct med_time_shape {
    size_t hour_digits_min; /* 0: hours may be left out */
    size_t fraction_digits;
    const char *fraction_marks; /* ",." */
};

/* Reads up to `end` and leaves *text behind the time. False: there is none. *bad grows for another shape. */
bool med_time_read(const char **text, const char *end, const struct med_time_shape *shape, int64_t *ret_cs,
                   size_t *bad);

#endif
