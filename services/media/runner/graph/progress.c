#include "graph/progress.h"

#include "cs/base/clock.h"

enum { EVERY_MS = 100 };

struct med_progress med_progress_begin(const struct med_render_events *events, const char *stage, int64_t length_us) {
    int64_t now_ms = cs_clock_mono_ms();
    return (struct med_progress){
        .events = events, .stage = stage, .length_us = length_us, .began_ms = now_ms, .told_ms = now_ms};
}

void med_progress_tell(struct med_progress *progress, int64_t done_us) {
    int64_t now_ms = cs_clock_mono_ms();
    bool all = done_us >= progress->length_us;
    if (progress->events == NULL || progress->events->progress == NULL ||
        (all ? progress->ended : now_ms - progress->told_ms < EVERY_MS)) {
        return;
    }
    Callsheet__V1__Progress wire = CALLSHEET__V1__PROGRESS__INIT;
    wire.stage = (char *)(uintptr_t)progress->stage;
    wire.media_time_us = done_us;
    wire.media_duration_us = progress->length_us;
    if (!progress->part && progress->length_us > 0) {
        wire.fraction = all ? 1 : (double)done_us / (double)progress->length_us;
    }
    if (now_ms > progress->began_ms) {
        wire.speed = (double)done_us / 1000 / (double)(now_ms - progress->began_ms);
    }
    progress->events->progress(&wire, progress->events->user);
    progress->told_ms = now_ms;
    progress->ended = all;
}
