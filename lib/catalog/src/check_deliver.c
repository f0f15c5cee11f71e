/* What is checked of the operations that make a video ready for somewhere else. */
#include <string.h>

#include "check.h"
#include "cs/base/text.h"

enum {
    SIDE_MIN = 16,
    SIDE_MAX = 8192,
    VIDEO_KBPS_MIN = 50,
    VIDEO_KBPS_MAX = 200000,
    AUDIO_KBPS_MIN = 16,
    AUDIO_KBPS_MAX = 320,
};

static const char *const containers[] = {"mp4", "mov", "webm", "mkv", NULL};
static const char *const video_codecs[] = {"h264", "hevc", "vp9", "av1", NULL};
static const char *const audio_codecs[] = {"aac", "opus", "mp3", "none", NULL};

/* ---- conversions ---- */

static const struct {
    const char *container;
    const char *codec;
} mismatches[] = {
    {"webm", "h264"}, {"webm", "hevc"}, {"webm", "aac"}, {"webm", "mp3"},
    {"mov", "vp9"},   {"mov", "av1"},   {"mov", "opus"},
};

static enum cs_status check_goes_with(const char *path, const char *container, const char *codec, struct cs_err *err) {
    for (size_t i = 0; i < CS_COUNT(mismatches); i++) {
        if (cs_str_eq(mismatches[i].container, container) && cs_str_eq(mismatches[i].codec, codec)) {
            return cs_fail_at(err, path, "not_applicable", "a %s file cannot hold %s", container, codec);
        }
    }
    return CS_OK;
}

static enum cs_status read_quality(const char *text, double *ret_quality, struct cs_err *err) {
    static const struct {
        const char *word;
        double quality;
    } words[] = {{"", 70}, {"low", 50}, {"medium", 70}, {"high", 85}};
    for (size_t i = 0; i < CS_COUNT(words); i++) {
        if (cs_str_eq(words[i].word, text)) {
            *ret_quality = words[i].quality;
            return CS_OK;
        }
    }
    if (!cs_parse_f64(text, 1, 100, ret_quality)) {
        return cs_fail_at(err, "quality", "out_of_range",
                          "quality must be low, medium, high, or a number from 1 to 100");
    }
    return CS_OK;
}

enum cs_status cs_conversion_read(const Callsheet__V1__Convert *params, struct cs_conversion *ret_conversion,
                                  struct cs_err *err) {
    struct cs_conversion read = {
        .container = params->container, .video_codec = params->video_codec, .audio_codec = params->audio_codec};
    CS_TRY(check_word("container", params->container, containers, err));
    CS_TRY(check_word("videoCodec", params->video_codec, video_codecs, err));
    CS_TRY(check_word("audioCodec", params->audio_codec, audio_codecs, err));
    CS_TRY(read_quality(params->quality, &read.quality, err));
    read.container = cs_str_empty(read.container) ? "mp4" : read.container;
    bool webm = cs_str_eq(read.container, "webm");
    read.video_codec = !cs_str_empty(read.video_codec) ? read.video_codec : webm ? "vp9" : "h264";
    read.audio_codec = !cs_str_empty(read.audio_codec) ? read.audio_codec : webm ? "opus" : "aac";
    CS_TRY(check_goes_with("videoCodec", read.container, read.video_codec, err));
    CS_TRY(check_goes_with("audioCodec", read.container, read.audio_codec, err));
    *ret_conversion = read;
    return CS_OK;
}

static enum cs_status check_rate(const Callsheet__V1__Convert *params, struct cs_err *err) {
    bool sized = params->target_size_mb != NULL;
    CS_TRY(check_opt_u32("maxBitrateKbps", params->max_bitrate_kbps, VIDEO_KBPS_MIN, VIDEO_KBPS_MAX, err));
    CS_TRY(check_opt_u32("audioBitrateKbps", params->audio_bitrate_kbps, AUDIO_KBPS_MIN, AUDIO_KBPS_MAX, err));
    CS_TRY(check_opt_real("targetSizeMb", params->target_size_mb, 0.01, 100000, err));
    if (sized && (!cs_str_empty(params->quality) || params->max_bitrate_kbps != NULL)) {
        return cs_fail_at(err, "targetSizeMb", "one_of", "targetSizeMb stands instead of quality and maxBitrateKbps");
    }
    return CS_OK;
}

enum cs_status check_convert(const Callsheet__V1__Convert *params, struct cs_err *err) {
    struct cs_conversion conversion;
    uint32_t num = 0;
    uint32_t den = 0;
    CS_TRY(check_ref("video", params->video, true, err));
    CS_TRY(cs_conversion_read(params, &conversion, err));
    CS_TRY(check_plain("encoder", params->encoder, err));
    CS_TRY(check_rate(params, err));
    CS_TRY(check_opt_u32("width", params->width, SIDE_MIN, SIDE_MAX, err));
    CS_TRY(check_opt_u32("height", params->height, SIDE_MIN, SIDE_MAX, err));
    if (!cs_str_empty(params->frame_rate) && !cs_frame_rate(params->frame_rate, &num, &den)) {
        return cs_fail_at(err, "frameRate", "bad_frame_rate",
                          "frameRate must be a number or a fraction like 30000/1001, at most 120");
    }
    return CS_OK;
}

/* ---- pictures ---- */

enum { TILES_MAX = 400, MOMENT_BYTES_MAX = 32 };

/* "1:02:03.5" */
static bool read_clock(const char *text, double *ret_s) {
    double seconds = 0;
    char part[MOMENT_BYTES_MAX];
    for (int parts = 0;; parts++) {
        size_t length = strcspn(text, ":");
        double value = 0;
        if (parts == 3 || length >= sizeof(part)) {
            return false;
        }
        memcpy(part, text, length);
        part[length] = '\0';
        if (!cs_parse_f64(part, 0, parts == 0 ? MEDIA_SECONDS_MAX : 59.999999, &value)) {
            return false;
        }
        seconds = seconds * 60 + value;
        if (text[length] == '\0') {
            *ret_s = seconds;
            return true;
        }
        text += length + 1;
    }
}

bool cs_moment_read(const char *text, double length_s, double *ret_s) {
    char number[MOMENT_BYTES_MAX];
    double percent = 0;
    size_t length = strlen(text);
    if (length == 0) {
        *ret_s = 1;
        return true;
    }
    if (length >= sizeof(number)) {
        return false;
    }
    if (text[length - 1] != '%') {
        return read_clock(text, ret_s);
    }
    memcpy(number, text, length - 1);
    number[length - 1] = '\0';
    if (!cs_parse_f64(number, 0, 100, &percent)) {
        return false;
    }
    *ret_s = length_s * percent / 100;
    return true;
}

enum cs_status check_thumbnail(const Callsheet__V1__Thumbnail *params, struct cs_err *err) {
    static const char *const modes[] = {"frame", "best", "contactSheet", "sprite", NULL};
    static const char *const formats[] = {"jpg", "png", "webp", NULL};
    double seconds = 0;
    CS_TRY(check_ref("video", params->video, true, err));
    CS_TRY(check_word("mode", params->mode, modes, err));
    CS_TRY(check_word("format", params->format, formats, err));
    CS_TRY(check_opt_u32("width", params->width, SIDE_MIN, SIDE_MAX, err));
    CS_TRY(check_opt_u32("height", params->height, SIDE_MIN, SIDE_MAX, err));
    CS_TRY(check_opt_u32("columns", params->columns, 1, TILES_MAX, err));
    CS_TRY(check_opt_u32("rows", params->rows, 1, TILES_MAX, err));
    if (!cs_moment_read(params->time, MEDIA_SECONDS_MAX, &seconds)) {
        return cs_fail_at(err, "time", "bad_time", "time must be seconds, h:mm:ss or a percentage like 50%%");
    }
    return CS_OK;
}

enum cs_status check_gif(const Callsheet__V1__Gif *params, struct cs_err *err) {
    static const char *const formats[] = {"gif", "webp", NULL};
    CS_TRY(check_ref("video", params->video, true, err));
    CS_TRY(check_opt_real("start", params->start, 0, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_opt_real("duration", params->duration, 0.1, 60, err));
    CS_TRY(check_opt_u32("width", params->width, SIDE_MIN, 1280, err));
    CS_TRY(check_opt_real("fps", params->fps, 1, 50, err));
    CS_TRY(check_opt_u32("loop", params->loop, 0, 65535, err));
    CS_TRY(check_opt_u32("colors", params->colors, 4, 256, err));
    return check_word("format", params->format, formats, err);
}
