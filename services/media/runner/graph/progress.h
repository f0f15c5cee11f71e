/*
 * progress: how far a job is, told now and then, in media time.
 */
#ifndef MED_PROGRESS_H
#define MED_PROGRESS_H

#include <stdbool.h>

#include "render.h"

struct med_progress {
    const struct med_render_events *events; /* NULL: nobody listens */
    const char *stage;
    int64_t length_us;
    bool part; /* of a job of which nobody knows how much it is: no fraction is told */
    /* below: progress.c's */
    int64_t began_ms;
    int64_t told_ms;
    bool ended;
};

struct med_progress med_progress_begin(const struct med_render_events *events, const char *stage, int64_t length_us);
/* Not more often than ten times a second; all of it always, once. */
void med_progress_tell(struct med_progress *progress, int64_t done_us);

#endif
