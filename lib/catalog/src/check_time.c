/* What is checked of operations on time: trimming, speed, freezing, and joining. */
#include <string.h>

#include "check.h"

#define TRANSITION_S_MIN 0.001

enum { RANGES_MAX = 1000, FREEZE_S_MAX = 3600 };

static const char *const freeze_sounds[] = {"silent", "continuing", NULL};

static enum cs_status check_ranges(const char *name, Callsheet__V1__TimeRange *const *ranges, size_t count,
                                   struct cs_err *err) {
    if (count > RANGES_MAX) {
        return cs_fail_at(err, name, "too_many", "at most %d ranges are allowed", RANGES_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        struct check_name at = check_at(name, i, "");
        CS_TRY(check_real(check_at(name, i, ".start").text, ranges[i]->start, 0, MEDIA_SECONDS_MAX, err));
        CS_TRY(check_real(check_at(name, i, ".end").text, ranges[i]->end, 0, MEDIA_SECONDS_MAX, err));
        if (ranges[i]->end <= ranges[i]->start) {
            return cs_fail_at(err, at.text, "empty_range", "a range ends behind its start");
        }
        if (i > 0 && ranges[i]->start < ranges[i - 1]->end) {
            return cs_fail_at(err, at.text, "overlapping_ranges", "ranges are in order and do not overlap");
        }
    }
    return CS_OK;
}

enum cs_status check_trim(const Callsheet__V1__Trim *params, struct cs_err *err) {
    bool one = params->start != NULL || params->end != NULL || params->duration != NULL;
    int ways = (params->n_keep > 0) + (params->n_drop > 0) + one;
    CS_TRY(check_ref("video", params->video, true, err));
    if (ways != 1) {
        return cs_fail_at(err, ways == 0 ? "keep" : "", ways == 0 ? "required" : "one_of",
                          "a trim has either ranges to keep, ranges to drop, or a start, an end or a duration");
    }
    CS_TRY(check_ranges("keep", params->keep, params->n_keep, err));
    CS_TRY(check_ranges("drop", params->drop, params->n_drop, err));
    if (params->end != NULL && params->duration != NULL) {
        return cs_fail_at(err, "duration", "one_of", "end and duration exclude each other");
    }
    CS_TRY(check_opt_real("start", params->start, 0, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_opt_real("end", params->end, 0, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_opt_real("duration", params->duration, 0.001, MEDIA_SECONDS_MAX, err));
    if (params->end != NULL && params->end->value <= (params->start != NULL ? params->start->value : 0)) {
        return cs_fail_at(err, "end", "empty_range", "end lies behind start");
    }
    return CS_OK;
}

enum cs_status check_speed(const Callsheet__V1__Speed *params, struct cs_err *err) {
    CS_TRY(check_ref("video", params->video, true, err));
    CS_TRY(check_real("factor", params->factor, 0.1, 10, err));
    CS_TRY(check_opt_real("start", params->start, 0, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_opt_real("end", params->end, 0, MEDIA_SECONDS_MAX, err));
    if (params->end != NULL && params->end->value <= (params->start != NULL ? params->start->value : 0)) {
        return cs_fail_at(err, "end", "empty_range", "end lies behind start");
    }
    return CS_OK;
}

enum cs_status check_freeze(const Callsheet__V1__Freeze *params, struct cs_err *err) {
    CS_TRY(check_ref("video", params->video, true, err));
    CS_TRY(check_real("at", params->at, 0, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_real("duration", params->duration, 0.01, FREEZE_S_MAX, err));
    return check_word("sound", params->sound, freeze_sounds, err);
}

enum cs_status check_reverse(const Callsheet__V1__Reverse *params, struct cs_err *err) {
    return check_ref("video", params->video, true, err);
}

static enum cs_status check_count(const char *name, size_t count, struct cs_err *err) {
    if (count == 0) {
        return cs_fail_at(err, name, "required", "%s needs at least one video", name);
    }
    if (count > MERGE_ITEMS_MAX) {
        return cs_fail_at(err, name, "too_many", "at most %d %s are allowed", MERGE_ITEMS_MAX, name);
    }
    return CS_OK;
}

enum cs_status check_transitions(const Callsheet__V1__Transitions *params, struct cs_err *err) {
    CS_TRY(check_count("items", params->n_items, err));
    for (size_t i = 0; i < params->n_items; i++) {
        CS_TRY(check_ref(check_at("items", i, ".media").text, params->items[i]->media, true, err));
    }
    CS_TRY(check_ref("plan", params->plan, false, err));
    if (params->plan != NULL && params->n_items != 1) {
        return cs_fail_at(err, "items", "one_of", "a plan is of one video");
    }
    CS_TRY(check_transition(params->transition, TRANSITION_S_MIN, err));
    return check_opt_real("audioFadeDuration", params->audio_fade_duration, TRANSITION_S_MIN, 10, err);
}

static enum cs_status check_scene(const Callsheet__V1__StitchScene *scene, size_t i, struct cs_err *err) {
    struct check_name transition = check_at("scenes", i, ".transition");
    CS_TRY(check_ref(check_at("scenes", i, ".media").text, scene->media, true, err));
    CS_TRY(check_opt_real(check_at("scenes", i, ".duration").text, scene->duration, 0.01, MEDIA_SECONDS_MAX, err));
    bool known = scene->transition[0] == '\0' || strcmp(scene->transition, "cut") == 0 ||
                 cs_transition_name(scene->transition) != NULL;
    return known ? CS_OK
                 : cs_fail_at(err, transition.text, "unknown_word",
                              "a scene's transition is cut, fade, dissolve or another name of FFmpeg's xfade");
}

enum cs_status check_stitch(const Callsheet__V1__Stitch *params, struct cs_err *err) {
    uint32_t num = 0;
    uint32_t den = 0;
    uint32_t width = 0;
    uint32_t height = 0;
    CS_TRY(check_count("scenes", params->n_scenes, err));
    for (size_t i = 0; i < params->n_scenes; i++) {
        CS_TRY(check_scene(params->scenes[i], i, err));
    }
    CS_TRY(check_transition(params->transition, MERGE_TRANSITION_S_MIN, err));
    CS_TRY(check_ref("audio", params->audio, false, err));
    CS_TRY(check_opt_real("audioVolume", params->audio_volume, 0, 1, err));
    CS_TRY(check_opt_real("audioFadeIn", params->audio_fade_in, 0, FADE_S_MAX, err));
    CS_TRY(check_opt_real("audioFadeOut", params->audio_fade_out, 0, FADE_S_MAX, err));
    if (params->frame_rate[0] != '\0' && !cs_frame_rate(params->frame_rate, &num, &den)) {
        return cs_fail_at(err, "frameRate", "bad_frame_rate",
                          "frameRate must be a number or a fraction like 30000/1001, at most 120");
    }
    if (params->aspect_ratio[0] != '\0' && !cs_reframe_size(params->aspect_ratio, &width, &height)) {
        return cs_fail_at(err, "aspectRatio", "unknown_word", "this aspect ratio is unknown");
    }
    return CS_OK;
}
