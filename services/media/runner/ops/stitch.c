/* Scenes one after the other, each joined to the next as it or the whole says, over a piece of music. */
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "ops/fit_words.h"
#include "ops/number.h"
#include "ops/sequence.h"

static const double transition_duration_s = 0.5;
static const double scene_s_max = 86400;
static const double fade_s_max = 600;

/* A scene's own word for how it meets the next one. */
static enum cs_status read_transition(const char *word, const char *path, struct med_sequence_item *item,
                                      struct cs_err *err) {
    if (cs_str_empty(word)) {
        return CS_OK;
    }
    item->hard = cs_str_eq(word, "cut");
    item->transition = item->hard ? NULL : cs_transition_name(word);
    if (!item->hard && item->transition == NULL) {
        return cs_fail_at(err, path, "unknown_transition", "this transition is unknown");
    }
    return CS_OK;
}

static enum cs_status read_scene(struct med_job *job, const Callsheet__V1__StitchScene *wire, size_t index,
                                 struct med_sequence_item *item, struct cs_err *err) {
    const char *path = cs_arena_sprintf(job->arena, "scenes[%zu].media", index);
    *item = (struct med_sequence_item){.volume = 1};
    if (wire->duration != NULL && !(wire->duration->value > 0 && wire->duration->value <= scene_s_max)) {
        return cs_fail_at(err, cs_arena_sprintf(job->arena, "scenes[%zu].duration", index), "out_of_range",
                          "a scene lasts at most %g seconds", scene_s_max);
    }
    CS_TRY(med_job_input(job, wire->media, path, &item->clip, err));
    if (item->clip.facts->video.stream < 0) {
        return cs_fail_at(err, path, "no_video", "a scene is a video or a picture");
    }
    item->duration_s = wire->duration != NULL ? wire->duration->value : 0;
    return read_transition(wire->transition, cs_arena_sprintf(job->arena, "scenes[%zu].transition", index), item, err);
}

static enum cs_status read_scenes(struct med_job *job, const Callsheet__V1__Stitch *params,
                                  struct med_sequence *sequence, struct cs_err *err) {
    if (params->n_scenes == 0) {
        return cs_fail_at(err, "scenes", "required", "at least one scene is needed");
    }
    sequence->visuals = cs_arena_array(job->arena, params->n_scenes, sizeof(*sequence->visuals));
    sequence->visual_count = params->n_scenes;
    for (size_t i = 0; i < params->n_scenes; i++) {
        CS_TRY(read_scene(job, params->scenes[i], i, &sequence->visuals[i], err));
    }
    return CS_OK;
}

/* The whole's transition, or for scenes that ask for one of their own, how long it lasts. */
static enum cs_status read_joining(const Callsheet__V1__Stitch *params, struct med_sequence *sequence,
                                   struct cs_err *err) {
    Callsheet__V1__Transition own = CALLSHEET__V1__TRANSITION__INIT;
    bool given = params->transition != NULL && !cs_str_empty(params->transition->type);
    own.type = (char *)(uintptr_t)(given ? params->transition->type : "fade");
    own.duration = params->transition != NULL ? params->transition->duration : NULL;
    CS_TRY(med_joining_read(&own, transition_duration_s, sequence->format.rate, &sequence->joining, err));
    for (size_t i = 0; !given && i < sequence->visual_count; i++) {
        sequence->visuals[i].hard = sequence->visuals[i].transition == NULL;
    }
    return CS_OK;
}

static enum cs_status read_audio(struct med_job *job, const Callsheet__V1__Stitch *params,
                                 struct med_sequence *sequence, struct cs_err *err) {
    struct med_sound_track *music = cs_arena_alloc(job->arena, sizeof(*music));
    double volume = 1;
    CS_TRY(med_number_read(params->audio_volume, 1, 0, 1, "audioVolume", &volume, err));
    CS_TRY(med_number_read(params->audio_fade_in, 0, 0, fade_s_max, "audioFadeIn", &music->fade_in_s, err));
    CS_TRY(med_number_read(params->audio_fade_out, 0, 0, fade_s_max, "audioFadeOut", &music->fade_out_s, err));
    if (params->audio == NULL) {
        return CS_OK;
    }
    CS_TRY(med_job_input(job, params->audio, "audio", &music->clip, err));
    if (music->clip.facts->audio.stream < 0) {
        return cs_fail_at(err, "audio", "no_audio", "the input has no sound");
    }
    music->gain_db = med_gain_of_volume(volume);
    music->loop = params->audio_loop;
    sequence->overlays = music;
    sequence->overlay_count = 1;
    return CS_OK;
}

enum cs_status med_op_stitch(struct med_job *job, const Callsheet__V1__Stitch *params, struct med_made *ret_made,
                             struct cs_err *err) {
    struct med_sequence sequence = {0};
    CS_TRY(read_scenes(job, params, &sequence, err));
    CS_TRY(med_sequence_format(&sequence, params->aspect_ratio, params->frame_rate, err));
    CS_TRY(med_fit_read("pad", "fit", "", &sequence.fit, err));
    CS_TRY(read_joining(params, &sequence, err));
    CS_TRY(read_audio(job, params, &sequence, err));
    med_job_add_metric(job, "sceneCount", (double)params->n_scenes);
    return med_sequence_make(job, &sequence, ret_made, err);
}
