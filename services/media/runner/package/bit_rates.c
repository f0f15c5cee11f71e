#include "graph/timeline.h"
#include "package/playlist.h"

static int64_t rate_of(int64_t size_bytes, int64_t ticks) {
    return ticks > 0 ? av_rescale_rnd(size_bytes, 8 * MED_TICKS_PER_S, ticks, AV_ROUND_UP) : 0;
}

/* Of runs that begin with this segment. */
static int64_t peak_from(const struct med_segments *segments, size_t first, int64_t segment_ticks) {
    int64_t ticks = 0;
    int64_t bytes = 0;
    int64_t peak = 0;
    for (size_t i = first; i < segments->count && ticks <= segment_ticks + segment_ticks / 2; i++) {
        ticks += segments->parts[i].length_ticks;
        bytes += segments->parts[i].size_bytes;
        bool counts = ticks >= segment_ticks / 2 && ticks <= segment_ticks + segment_ticks / 2;
        int64_t rate = counts ? rate_of(bytes, ticks) : 0;
        peak = rate > peak ? rate : peak;
    }
    return peak;
}

void med_bit_rates(const struct med_segments *segments, int64_t segment_ticks, int64_t *ret_peak,
                   int64_t *ret_average) {
    int64_t ticks = 0;
    int64_t bytes = 0;
    int64_t peak = 0;
    for (size_t i = 0; i < segments->count; i++) {
        int64_t rate = peak_from(segments, i, segment_ticks);
        peak = rate > peak ? rate : peak;
        ticks += segments->parts[i].length_ticks;
        bytes += segments->parts[i].size_bytes;
    }
    *ret_average = rate_of(bytes, ticks);
    *ret_peak = peak > *ret_average ? peak : *ret_average; /* shorter than half a segment as a whole */
}
