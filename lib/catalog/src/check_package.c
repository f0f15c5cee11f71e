/* What is checked of a package for streaming, and which rungs it has. */
#include "check.h"
#include "cs/base/text.h"

enum {
    HEIGHT_MIN = 64,
    HEIGHT_MAX = 4320,
    VIDEO_KBPS_MIN = 50,
    VIDEO_KBPS_MAX = 100000,
    AUDIO_KBPS_MIN = 16,
    AUDIO_KBPS_MAX = 320,
};

static const char *const formats[] = {"hls", "dash", NULL};
static const uint32_t usual_heights[] = {1080, 720, 480, 360, 240};

bool cs_package_has(const Callsheet__V1__Package *params, const char *format) {
    bool found = params->n_formats == 0;
    for (size_t i = 0; i < params->n_formats; i++) {
        found = found || cs_str_eq(params->formats[i], format);
    }
    return found;
}

static void insert(struct cs_package_rung *rungs, size_t count, struct cs_package_rung rung) {
    for (; count > 0 && rungs[count - 1].height < rung.height; count--) {
        rungs[count] = rungs[count - 1];
    }
    rungs[count] = rung;
}

size_t cs_package_rungs(const Callsheet__V1__Package *params, struct cs_package_rung ret_rungs[CS_PACKAGE_RUNGS_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < params->n_rungs && count < CS_PACKAGE_RUNGS_MAX; i++) {
        const Callsheet__V1__PackageRung *rung = params->rungs[i];
        uint32_t kbps = rung->bitrate_kbps != NULL ? rung->bitrate_kbps->value : 0;
        insert(ret_rungs, count++, (struct cs_package_rung){rung->height & ~1U, kbps});
    }
    for (size_t i = 0; params->n_rungs == 0 && i < CS_COUNT(usual_heights); i++) {
        ret_rungs[count++] = (struct cs_package_rung){usual_heights[i], 0};
    }
    return count;
}

static enum cs_status check_rungs(const Callsheet__V1__Package *params, struct cs_err *err) {
    if (params->n_rungs > CS_PACKAGE_RUNGS_MAX) {
        return cs_fail_at(err, "rungs", "too_many", "at most %d rungs are allowed", CS_PACKAGE_RUNGS_MAX);
    }
    for (size_t i = 0; i < params->n_rungs; i++) {
        const Callsheet__V1__PackageRung *rung = params->rungs[i];
        struct check_name height = check_at("rungs", i, ".height");
        CS_TRY(check_real(height.text, rung->height, HEIGHT_MIN, HEIGHT_MAX, err));
        CS_TRY(check_opt_u32(check_at("rungs", i, ".bitrateKbps").text, rung->bitrate_kbps, VIDEO_KBPS_MIN,
                             VIDEO_KBPS_MAX, err));
        for (size_t k = 0; k < i; k++) {
            if (params->rungs[k]->height / 2 == rung->height / 2) {
                return cs_fail_at(err, height.text, "duplicate", "two rungs are %u pixels high", rung->height & ~1U);
            }
        }
    }
    return CS_OK;
}

enum cs_status check_package(const Callsheet__V1__Package *params, struct cs_err *err) {
    CS_TRY(check_ref("video", params->video, true, err));
    if (params->n_formats > 2) {
        return cs_fail_at(err, "formats", "too_many", "there are two formats, hls and dash");
    }
    for (size_t i = 0; i < params->n_formats; i++) {
        struct check_name format = check_at("formats", i, "");
        CS_TRY(check_required(format.text, params->formats[i], NAME_BYTES_MAX, err));
        CS_TRY(check_word(format.text, params->formats[i], formats, err));
    }
    CS_TRY(check_rungs(params, err));
    CS_TRY(check_opt_real("segmentDuration", params->segment_duration, 1, 20, err));
    CS_TRY(check_opt_u32("audioBitrateKbps", params->audio_bitrate_kbps, AUDIO_KBPS_MIN, AUDIO_KBPS_MAX, err));
    if (params->transcript != NULL && params->n_words > 0) {
        return cs_fail_at(err, "words", "one_of", "subtitles are words or a transcript, not both");
    }
    CS_TRY(check_ref("transcript", params->transcript, false, err));
    CS_TRY(check_words(params->words, params->n_words, err));
    CS_TRY(check_language(params->language, err));
    return check_plain("subtitlesName", params->subtitles_name, err);
}
