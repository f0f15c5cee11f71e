/* What is checked of operations on talks: audio extraction, transcripts, cut plans, cuts, retiming. */
#include "check.h"
#include "cs/base/text.h"

#define CUT_TRANSITION_S_MIN 0.001

enum {
    FILLERS_MAX = 200,
    FILLER_BYTES_MAX = 60,
};

static const char *const gap_fills[] = {"silence", "roomTone", NULL};

enum cs_status check_transcribe(const Callsheet__V1__Transcribe *params, struct cs_err *err) {
    CS_TRY(check_ref("media", params->media, true, err));
    CS_TRY(check_plain("language", params->language, err));
    if (!cs_spoken_language(params->language)) {
        return cs_fail_at(err, "language", "language_not_supported",
                          "language must be en: the recogniser of this server knows English only");
    }
    return CS_OK;
}

static enum cs_status check_detection(const Callsheet__V1__PlanCuts *params, struct cs_err *err) {
    static const char *const ways[] = {"transcript", "silence", NULL};
    CS_TRY(check_word("detect", params->detect, ways, err));
    bool silence = cs_str_eq(params->detect, "silence");
    if (silence && params->transcript != NULL) {
        return cs_fail_at(err, "transcript", "not_applicable", "silence is found without a transcript");
    }
    if (!silence && params->margin_ms != NULL) {
        return cs_fail_at(err, "marginMs", "not_applicable", "marginMs is for detect \"silence\"");
    }
    CS_TRY(check_ref("transcript", params->transcript, !silence, err));
    CS_TRY(check_opt_u32("marginMs", params->margin_ms, 0, 5000, err));
    return check_opt_u32("snapMs", params->snap_ms, 0, 500, err);
}

enum cs_status check_plan_cuts(const Callsheet__V1__PlanCuts *params, struct cs_err *err) {
    CS_TRY(check_detection(params, err));
    CS_TRY(check_ref("media", params->media, true, err));
    CS_TRY(check_opt_u32("minPauseMs", params->min_pause_ms, 100, 60000, err));
    if (params->n_filler_words > FILLERS_MAX) {
        return cs_fail_at(err, "fillerWords", "too_many", "at most %d filler words are allowed", FILLERS_MAX);
    }
    for (size_t i = 0; i < params->n_filler_words; i++) {
        CS_TRY(check_required(check_at("fillerWords", i, "").text, params->filler_words[i], FILLER_BYTES_MAX, err));
        CS_TRY(check_plain(check_at("fillerWords", i, "").text, params->filler_words[i], err));
    }
    CS_TRY(check_opt_real("minCutDuration", params->min_cut_duration, 0, 60, err));
    CS_TRY(check_opt_real("minSegmentDuration", params->min_segment_duration, 0, 600, err));
    CS_TRY(check_opt_real("maxSegmentDuration", params->max_segment_duration, 1, 3600, err));
    return check_opt_u32("mergeThresholdMs", params->merge_threshold_ms, 0, 10000, err);
}

enum cs_status check_cut(const Callsheet__V1__Cut *params, struct cs_err *err) {
    CS_TRY(check_ref("video", params->video, true, err));
    CS_TRY(check_ref("plan", params->plan, true, err));
    CS_TRY(check_word("gapFill", params->gap_fill, gap_fills, err));
    return check_transition(params->transition, CUT_TRANSITION_S_MIN, err);
}

enum cs_status check_retime_subtitles(const Callsheet__V1__RetimeSubtitles *params, struct cs_err *err) {
    CS_TRY(check_ref("transcript", params->transcript, true, err));
    CS_TRY(check_ref("plan", params->plan, params->intro == NULL, err));
    CS_TRY(check_ref("intro", params->intro, false, err));
    CS_TRY(check_ref("video", params->video, params->intro != NULL, err));
    CS_TRY(check_plain("language", params->language, err));
    CS_TRY(check_opt_real("introDuration", params->intro_duration, 0.1, 600, err));
    CS_TRY(check_opt_real("fadeDuration", params->fade_duration, 0, 10, err));
    if (params->video != NULL && params->transition_duration != NULL) {
        return cs_fail_at(err, "transitionDuration", "one_of", "transitionDuration and video exclude each other");
    }
    return check_opt_real("transitionDuration", params->transition_duration, 0, 10, err);
}
