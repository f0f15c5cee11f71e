/* What is checked of operations on time: trimming, speed, freezing. */
#include "check.h"

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
