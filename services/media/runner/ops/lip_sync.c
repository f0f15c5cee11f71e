/* Replaces the sound of a video. The lips are not touched. */
#include "cs/base/text.h"
#include "graph/pace.h"
#include "graph/sound.h"
#include "graph/timeline.h"
#include "ops/ops.h"

struct lip_sync {
    struct med_clip video;
    struct med_clip audio;
    struct med_piece piece;
    double volume;
    int64_t own_samples; /* all of the sound, which is stretched; 0: it is cut or followed by silence */
};

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct lip_sync *sync = made->self;
    (void)err;
    *ret_video = med_clip_video(graph, &sync->video, &made->format, made->frames, MED_FIT_PAD, MED_ANCHOR_CENTER);
    return CS_OK;
}

/* The pace begins before the sound, with silence: it would run ahead otherwise. */
static struct med_audio *build_stretched(const struct lip_sync *sync, int64_t samples, struct med_graph *graph) {
    const struct med_pace pace = {.source_samples = sync->own_samples, .samples = samples, .keep_pitch = true};
    int64_t lead = med_pace_lead(&pace);
    const struct med_sound_part parts[] = {
        {.audio = med_sound_silence(graph, lead)},
        {.audio = med_clip_audio(graph, &sync->audio, sync->own_samples, sync->volume), .start = lead},
    };
    struct med_audio *source =
        lead > 0 ? med_sound_join(graph, parts, CS_COUNT(parts), lead + sync->own_samples) : parts[1].audio;
    return med_pace_audio(graph, source, &pace);
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct lip_sync *sync = made->self;
    (void)err;
    *ret_audio = sync->own_samples > 0 ? build_stretched(sync, made->samples, graph)
                                       : med_clip_audio(graph, &sync->audio, made->samples, sync->volume);
    return CS_OK;
}

/* Frames of the output. */
static enum cs_status fit(const char *word, int64_t video_frames, int64_t audio_frames, int64_t *ret_frames,
                          struct cs_err *err) {
    int64_t shorter = audio_frames < video_frames ? audio_frames : video_frames;
    if (cs_str_empty(word) || cs_str_eq(word, "shortest")) {
        *ret_frames = shorter;
    } else if (cs_str_eq(word, "video") || cs_str_eq(word, "tempo")) {
        *ret_frames = video_frames;
    } else if (cs_str_eq(word, "audio")) {
        *ret_frames = audio_frames;
    } else {
        return cs_fail_at(err, "fit", "unknown_word", "fit names what the output is as long as");
    }
    *ret_frames = *ret_frames < 1 ? 1 : *ret_frames;
    return CS_OK;
}

/* Half to twice the speed: beyond that nobody understands it. */
static enum cs_status choose_tempo(const char *word, const struct med_made *made, struct lip_sync *sync,
                                   struct cs_err *err) {
    if (!cs_str_eq(word, "tempo")) {
        return CS_OK;
    }
    sync->own_samples = av_rescale(sync->audio.facts->audio.length_ticks, MED_SAMPLE_RATE, MED_TICKS_PER_S);
    if (sync->own_samples < made->samples / 2 || sync->own_samples > made->samples * 2 || sync->own_samples < 1) {
        return cs_fail_at(err, "fit", "not_applicable", "the sound would have to be more than twice as fast or slow");
    }
    return CS_OK;
}

enum cs_status med_op_lip_sync(struct med_job *job, const Callsheet__V1__LipSync *params, struct med_made *ret_made,
                               struct cs_err *err) {
    struct lip_sync *sync = cs_arena_alloc(job->arena, sizeof(*sync));
    CS_TRY(med_job_video_input(job, params->video, "video", &sync->video, err));
    CS_TRY(med_job_input(job, params->audio, "audio", &sync->audio, err));
    if (sync->audio.facts->audio.stream < 0) {
        return cs_fail_at(err, "audio", "no_audio", "the input has no sound");
    }
    sync->volume = params->volume == NULL ? 1 : params->volume->value;
    if (!(sync->volume >= 0 && sync->volume <= 1)) {
        return cs_fail_at(err, "volume", "out_of_range", "a volume is 0 to 1");
    }
    struct med_made made = med_made_like(&sync->video);
    int64_t video_frames = made.frames;
    int64_t audio_frames = med_frames_at(sync->audio.facts->audio.length_ticks, made.format.rate);
    CS_TRY(fit(params->fit, video_frames, audio_frames, &made.frames, err));
    CS_TRY(med_check_output(&made.format, made.frames, err));
    made.samples = med_samples_at_frame(made.frames, made.format.rate);
    made.self = sync;
    made.picture = build_picture;
    made.sound = build_sound;
    CS_TRY(choose_tempo(params->fit, &made, sync, err));
    sync->piece = (struct med_piece){.clip = &sync->video, .frames = made.frames};
    if (made.frames <= video_frames) { /* a last picture that stays is made */
        made.pieces = &sync->piece;
        made.piece_count = 1;
    }
    med_job_add_word(job, "method", "audioReplacement");
    *ret_made = made;
    return CS_OK;
}
