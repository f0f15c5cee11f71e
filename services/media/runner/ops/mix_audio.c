/* Music and noises under a main sound. */
#include <math.h>

#include "graph/bed.h"
#include "graph/sound.h"
#include "graph/timeline.h"
#include "ops/main_sound.h"
#include "ops/number.h"

enum { TRACKS_MAX = 64, REPEATS_MAX = 20000 };

struct track {
    struct med_clip clip;
    int64_t start;   /* samples of the output */
    int64_t samples; /* that it lasts there */
    int64_t period;  /* of one repetition, at least 1 */
    struct med_shape shape;
    bool ducks;
};

struct mix {
    struct med_main_sound main; /* first: see main_sound.c */
    double volume;
    struct track *tracks;
    size_t count;
    struct med_ducking ducking;
    int64_t fade_out;
};

static int64_t samples_of(const Google__Protobuf__DoubleValue *seconds) {
    double wanted = med_number_or(seconds, 0);
    double most = (double)24 * 3600;
    return wanted > 0 ? llround(fmin(wanted, most) * MED_SAMPLE_RATE) : 0;
}

/* ---- parameters ---- */

static double gain_db(const Callsheet__V1__AudioTrack *track) {
    double volume = med_number_or(track->volume, 1);
    double gain = med_number_or(track->gain_db, volume > 0 ? 20 * log10(volume) : -HUGE_VAL);
    return gain < 20 ? gain : 20;
}

/* How long it sounds, of what there is behind its start; 0 or less: not at all. */
static int64_t length_of(const Callsheet__V1__AudioTrack *params, const struct track *track, int64_t output) {
    int64_t room = output - track->start;
    int64_t length = params->loop ? room : track->period;
    int64_t named = params->duration != NULL ? samples_of(params->duration) : length;
    length = named < length ? named : length;
    return length < room ? length : room;
}

static enum cs_status read_track(struct med_job *job, const Callsheet__V1__AudioTrack *params, size_t index,
                                 int64_t output, struct track *track, struct cs_err *err) {
    const char *path = cs_arena_sprintf(job->arena, "tracks[%zu].audio", index);
    CS_TRY(med_job_input(job, params->audio, path, &track->clip, err));
    const struct med_facts *facts = track->clip.facts;
    if (facts->audio.stream < 0) {
        return cs_fail_at(err, path, "no_audio", "the input has no sound");
    }
    int64_t skipped = samples_of(params->trim_start);
    track->start = samples_of(params->start);
    track->period = av_rescale(facts->audio.length_ticks, MED_SAMPLE_RATE, MED_TICKS_PER_S) - skipped;
    if (track->period < 1) {
        return cs_fail_at(err, cs_arena_sprintf(job->arena, "tracks[%zu].trimStart", index), "out_of_range",
                          "nothing is left of the sound");
    }
    track->clip.from_ticks = med_ticks_from(skipped, (AVRational){1, MED_SAMPLE_RATE});
    track->samples = length_of(params, track, output);
    if (params->loop && track->samples / track->period >= REPEATS_MAX) {
        return cs_fail_at(err, path, "too_short", "a sound may be repeated %d times at most", REPEATS_MAX);
    }
    track->shape = (struct med_shape){
        .gain_db = gain_db(params),
        .fade_in = samples_of(params->fade_in),
        .fade_out = samples_of(params->fade_out),
    };
    track->ducks = params->duck;
    return CS_OK;
}

static enum cs_status read_ducking(const Callsheet__V1__Ducking *params, struct med_ducking *ducking,
                                   struct cs_err *err) {
    static const Callsheet__V1__Ducking absent = CALLSHEET__V1__DUCKING__INIT;
    double reduction_db = 0;
    params = params != NULL ? params : &absent;
    CS_TRY(med_number_read(params->threshold_db, -35, -80, 0, "ducking.thresholdDb", &ducking->threshold_db, err));
    CS_TRY(med_number_read(params->ratio, 4, 1, 20, "ducking.ratio", &ducking->ratio, err));
    CS_TRY(med_number_read(params->attack_ms, 50, 0, 2000, "ducking.attackMs", &ducking->attack_ms, err));
    CS_TRY(med_number_read(params->release_ms, 500, 0, 10000, "ducking.releaseMs", &ducking->release_ms, err));
    CS_TRY(med_number_read(params->reduction_max_db, 18, 0, 60, "ducking.reductionMaxDb", &reduction_db, err));
    ducking->floor_db = -reduction_db;
    return CS_OK;
}

/* ---- the graph ---- */

static struct med_audio *build_track(struct med_graph *graph, const struct track *track) {
    int64_t repeats = (track->samples + track->period - 1) / track->period;
    struct med_sound_part *parts = cs_arena_array(graph->arena, (size_t)repeats, sizeof(*parts));
    for (int64_t i = 0; i < repeats; i++) {
        int64_t left = track->samples - i * track->period;
        parts[i].start = i * track->period;
        parts[i].audio = med_clip_audio(graph, &track->clip, left < track->period ? left : track->period, 1);
    }
    struct med_audio *whole =
        repeats == 1 ? parts[0].audio : med_sound_join(graph, parts, (size_t)repeats, track->samples);
    return med_shape(graph, whole, &track->shape);
}

/* The tracks that make room, or those that do not, over a base. */
static struct med_audio *lay(const struct mix *mix, struct med_graph *graph, struct med_audio *base, bool ducking) {
    struct med_sound_part *layers = cs_arena_array(graph->arena, TRACKS_MAX, sizeof(*layers));
    size_t count = 0;
    for (size_t i = 0; i < mix->count; i++) {
        const struct track *track = &mix->tracks[i];
        if (track->ducks == ducking && track->samples > 0 && isfinite(track->shape.gain_db)) {
            layers[count++] = (struct med_sound_part){.audio = build_track(graph, track), .start = track->start};
        }
    }
    return count > 0 ? med_sound_mix(graph, base, layers, count) : base;
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct mix *mix = made->self;
    (void)err;
    struct med_audio *speech = med_clip_audio(graph, &mix->main.clip, made->samples, mix->volume);
    struct med_audio *silence = med_sound_silence(graph, made->samples);
    struct med_audio *bed = lay(mix, graph, silence, true);
    struct med_audio *mixed = bed != silence ? med_duck(graph, speech, bed, &mix->ducking) : speech;
    *ret_audio = med_shape(graph, lay(mix, graph, mixed, false), &(struct med_shape){.fade_out = mix->fade_out});
    return CS_OK;
}

enum cs_status med_op_mix_audio(struct med_job *job, const Callsheet__V1__MixAudio *params, struct med_made *ret_made,
                                struct cs_err *err) {
    struct mix *mix = cs_arena_alloc(job->arena, sizeof(*mix));
    struct med_made made;
    bool alone = params->main_case == CALLSHEET__V1__MIX_AUDIO__MAIN_AUDIO;
    CS_TRY(med_main_sound_read(job, alone ? NULL : params->video, alone ? params->audio : NULL, params->format,
                               &mix->main, &made, err));
    CS_TRY(med_number_read(params->volume, 1, 0, 1, "volume", &mix->volume, err));
    CS_TRY(read_ducking(params->ducking, &mix->ducking, err));
    if (params->n_tracks == 0 || params->n_tracks > TRACKS_MAX) {
        return cs_fail_at(err, "tracks", "too_many", "a mix has 1 to %d tracks", TRACKS_MAX);
    }
    mix->tracks = cs_arena_array(job->arena, params->n_tracks, sizeof(*mix->tracks));
    for (mix->count = 0; mix->count < params->n_tracks; mix->count++) {
        CS_TRY(read_track(job, params->tracks[mix->count], mix->count, made.samples, &mix->tracks[mix->count], err));
    }
    mix->fade_out = samples_of(params->fade_out);
    made.self = mix;
    made.sound = build_sound;
    *ret_made = made;
    return CS_OK;
}
