/* Music and noises under a main sound. */
#include <math.h>

#include "graph/bed.h"
#include "graph/sound.h"
#include "graph/timeline.h"
#include "ops/main_sound.h"
#include "ops/number.h"
#include "ops/sound_track.h"

enum { TRACKS_MAX = 64 };

struct track {
    struct med_sound_track sound;
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

/* ---- parameters ---- */

static double gain_db(const Callsheet__V1__AudioTrack *track) {
    double gain = med_number_or(track->gain_db, med_gain_of_volume(med_number_or(track->volume, 1)));
    return gain < 20 ? gain : 20;
}

static enum cs_status read_track(struct med_job *job, const Callsheet__V1__AudioTrack *params, size_t index,
                                 int64_t output, struct track *track, struct cs_err *err) {
    const char *path = cs_arena_sprintf(job->arena, "tracks[%zu].audio", index);
    track->sound = (struct med_sound_track){
        .start_s = med_number_or(params->start, 0),
        .trim_s = med_number_or(params->trim_start, 0),
        .trim_path = cs_arena_sprintf(job->arena, "tracks[%zu].trimStart", index),
        .duration_s = med_number_or(params->duration, 0),
        .loop = params->loop,
        .gain_db = gain_db(params),
        .fade_in_s = med_number_or(params->fade_in, 0),
        .fade_out_s = med_number_or(params->fade_out, 0),
    };
    track->ducks = params->duck;
    CS_TRY(med_job_input(job, params->audio, path, &track->sound.clip, err));
    if (track->sound.clip.facts->audio.stream < 0) {
        return cs_fail_at(err, path, "no_audio", "the input has no sound");
    }
    return med_sound_track_lay(&track->sound, output, err);
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

/* The tracks that make room, or those that do not, over a base. */
static struct med_audio *lay(const struct mix *mix, struct med_graph *graph, struct med_audio *base, bool ducking) {
    struct med_sound_part *layers = cs_arena_array(graph->arena, TRACKS_MAX, sizeof(*layers));
    size_t count = 0;
    for (size_t i = 0; i < mix->count; i++) {
        const struct track *track = &mix->tracks[i];
        if (track->ducks == ducking && med_sound_track_is_heard(&track->sound)) {
            layers[count++] = med_sound_track_part(graph, &track->sound);
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
    double fade_out_s = 0;
    CS_TRY(med_number_read(params->fade_out, 0, 0, 600, "fadeOut", &fade_out_s, err));
    mix->fade_out = llround(fade_out_s * MED_SAMPLE_RATE);
    made.self = mix;
    made.sound = build_sound;
    *ret_made = made;
    return CS_OK;
}
