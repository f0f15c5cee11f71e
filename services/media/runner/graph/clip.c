#include "graph/clip.h"

#include "graph/made.h"
#include "graph/timeline.h"

enum { SETTLE_MS = 250 }; /* what a sound decoder hears before it is trusted */

int64_t med_clip_seek_ticks(const struct med_clip *clip, int64_t start_ticks) {
    int64_t settle_ticks = SETTLE_MS * MED_TICKS_PER_S / 1000;
    return clip->from_ticks > settle_ticks ? start_ticks + clip->from_ticks - settle_ticks : INT64_MIN;
}

bool med_clip_is_divisible(const struct med_clip *clip) {
    return clip->made == NULL || clip->made->divisible;
}
