#include "ops/sound_track.h"

#include <math.h>

#include "graph/bed.h"
#include "graph/loop.h"
#include "graph/timeline.h"

enum { REPEATS_MAX = 20000 };

static const double most_s = 24 * 3600;

static int64_t samples_of(double seconds) {
    return seconds > 0 ? llround(fmin(seconds, most_s) * MED_SAMPLE_RATE) : 0;
}

double med_gain_of_volume(double volume) {
    return volume > 0 ? 20 * log10(volume) : -HUGE_VAL;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

enum cs_status med_sound_track_lay(struct med_sound_track *track, int64_t output, struct cs_err *err) {
    int64_t skipped = samples_of(track->trim_s);
    int64_t length = av_rescale(track->clip.facts->audio.length_ticks, MED_SAMPLE_RATE, MED_TICKS_PER_S);
    track->start = samples_of(track->start_s);
    track->period = length - skipped;
    if (track->period < 1) {
        return cs_fail_at(err, track->trim_path != NULL ? track->trim_path : track->clip.path, "out_of_range",
                          "nothing is left of the sound");
    }
    int64_t room = output - track->start;
    int64_t natural = track->loop ? room : track->period;
    track->samples = smaller(room, track->duration_s > 0 ? smaller(samples_of(track->duration_s), natural) : natural);
    track->clip.from_ticks = med_ticks_from(skipped, (AVRational){1, MED_SAMPLE_RATE});
    if (track->loop && track->samples / track->period >= REPEATS_MAX) {
        return cs_fail_at(err, track->clip.path, "too_short", "a sound may be repeated %d times at most", REPEATS_MAX);
    }
    return CS_OK;
}

bool med_sound_track_is_heard(const struct med_sound_track *track) {
    return track->samples > 0 && isfinite(track->gain_db);
}

struct med_sound_part med_sound_track_part(struct med_graph *graph, const struct med_sound_track *track) {
    static const AVRational samples = {MED_SAMPLE_RATE, 1};
    const struct med_shape shape = {
        .gain_db = track->gain_db,
        .fade_in = samples_of(track->fade_in_s),
        .fade_out = samples_of(track->fade_out_s),
    };
    struct med_audio *sound = track->samples > track->period
                                  ? med_loop_audio(graph, &track->clip, track->samples, samples, track->period, 1)
                                  : med_clip_audio(graph, &track->clip, track->samples, 1);
    return (struct med_sound_part){.audio = med_shape(graph, sound, &shape), .start = track->start};
}
