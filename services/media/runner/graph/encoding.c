#include "graph/encoding.h"

#include <libavutil/cpu.h>
#include <libavutil/opt.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/auto.h"
#include "cs/base/text.h"

enum {
    KEYFRAME_EVERY_S = 2,
    PARAMS_BYTES_MAX = 160,
};

/* What editing makes: quick, and good enough to be encoded again. */
static const char editing_preset[] = "veryfast";
static const double editing_crf = 21;     /* of x264 */
static const double editing_quality = 78; /* of others: the same */

typedef void apply_fn(const struct med_encoding *encoding, double crf, int threads, AVCodecContext *encoder);

static apply_fn apply_x264;
static apply_fn apply_x265;
static apply_fn apply_vp9;
static apply_fn apply_svt_av1;
static apply_fn apply_aom_av1;

/* crf = coarsest + slope * (quality - 1) on the encoder's own scale: equal qualities look alike. */
static const struct row {
    const char *encoder;
    const char *codec;
    bool gpl;
    double coarsest;
    double finest;
    apply_fn *apply;
} rows[] = {
    {"libx264", "h264", true, 45, 14, apply_x264},       {"libx265", "hevc", true, 47, 17, apply_x265},
    {"libvpx-vp9", "vp9", false, 60, 20, apply_vp9},     {"libsvtav1", "av1", false, 62, 22, apply_svt_av1},
    {"libaom-av1", "av1", false, 62, 20, apply_aom_av1},
};

enum { USUAL }; /* row */

static const struct row *find_row(const char *encoder) {
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        if (cs_str_eq(rows[i].encoder, encoder)) {
            return &rows[i];
        }
    }
    return NULL;
}

/* ---- choosing ---- */

static bool is_here(const struct row *row) {
    return avcodec_find_encoder_by_name(row->encoder) != NULL;
}

static enum cs_status choose_wanted(const char *codec, const char *wanted, bool no_gpl, const char **ret_encoder,
                                    struct cs_err *err) {
    const struct row *row = find_row(wanted);
    if (row == NULL || !cs_str_eq(row->codec, codec)) {
        char shown[65];
        cs_str_copy(shown, sizeof(shown), wanted);
        return cs_fail_at(err, "encoder", "unknown_encoder", "\"%s\" is no encoder of %s that is known here", shown,
                          codec);
    }
    if (!is_here(row) || (row->gpl && no_gpl)) {
        return cs_fail(err, CS_UNIMPLEMENTED, "encoder_unavailable", "the encoder %s is %s", row->encoder,
                       is_here(row) ? "not allowed here: it is licensed under the GPL" : "not in this installation");
    }
    *ret_encoder = row->encoder;
    return CS_OK;
}

enum cs_status med_encoding_choose(const char *codec, const char *wanted, bool no_gpl, const char **ret_encoder,
                                   struct cs_err *err) {
    if (!cs_str_empty(wanted)) {
        return choose_wanted(codec, wanted, no_gpl, ret_encoder, err);
    }
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        if (cs_str_eq(rows[i].codec, codec) && is_here(&rows[i]) && !(rows[i].gpl && no_gpl)) {
            *ret_encoder = rows[i].encoder;
            return CS_OK;
        }
    }
    return cs_fail(err, CS_UNIMPLEMENTED, "encoder_unavailable", "no encoder of %s is %s", codec,
                   no_gpl ? "allowed here" : "in this installation");
}

enum cs_status med_encoding_usual(bool no_gpl, const char **ret_encoder, struct cs_err *err) {
    static const char *const free_codecs[] = {"av1", "vp9"};
    if (!no_gpl) {
        return med_encoding_choose(rows[USUAL].codec, rows[USUAL].encoder, false, ret_encoder, err);
    }
    for (size_t i = 0; i < CS_COUNT(free_codecs); i++) {
        struct cs_err none = {0};
        if (med_encoding_choose(free_codecs[i], "", true, ret_encoder, &none) == CS_OK) {
            return CS_OK;
        }
    }
    return cs_fail(err, CS_UNIMPLEMENTED, "encoder_unavailable",
                   "encoders under the GPL are not allowed here, and this installation has none of AV1 or VP9");
}

/* ---- applying ---- */

static void set(AVCodecContext *encoder, const char *name, const char *value) {
    av_opt_set(encoder->priv_data, name, value, 0);
}

static void set_number(AVCodecContext *encoder, const char *name, double value) {
    av_opt_set_double(encoder->priv_data, name, value, 0);
}

/* One second's worth at the top rate may be spent at once. */
static void cap(AVCodecContext *encoder, int64_t bits_per_s) {
    if (bits_per_s > 0) {
        encoder->rc_max_rate = bits_per_s;
        encoder->rc_buffer_size = (int)(bits_per_s < INT32_MAX ? bits_per_s : INT32_MAX);
    }
}

/* An average, or a quality with a cap. */
static void set_rate(const struct med_encoding *encoding, double crf, AVCodecContext *encoder) {
    if (encoding->bits_per_s > 0) {
        encoder->bit_rate = encoding->bits_per_s;
        cap(encoder, encoding->bits_per_s);
    } else {
        set_number(encoder, "crf", crf);
        cap(encoder, encoding->bits_per_s_max);
    }
}

/* x264 (164) without AVX-512: there it computes otherwise than on other machines, and not the same on every run
 * (measured on a busy machine, of a moving texture: 24 of 25 runs are not like the first; without it none of 40). That
 * costs 4 % of the processor time of decoding and encoding again. "" leaves the choice to it. */
static void x264_instructions(char *out, size_t size) {
    static const struct {
        int flag;
        const char *name;
    } names[] = {
        {AV_CPU_FLAG_MMXEXT, "MMX2"},  {AV_CPU_FLAG_SSE2, "SSE2Fast"}, {AV_CPU_FLAG_SSSE3, "SSSE3"},
        {AV_CPU_FLAG_SSE42, "SSE4.2"}, {AV_CPU_FLAG_AVX, "AVX"},       {AV_CPU_FLAG_FMA3, "FMA3"},
        {AV_CPU_FLAG_BMI2, "BMI2"},    {AV_CPU_FLAG_AVX2, "AVX2"},
    };
    int flags = av_get_cpu_flags();
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; (flags & AV_CPU_FLAG_AVX512) != 0 && i < CS_COUNT(names); i++) {
        if ((flags & names[i].flag) != 0 && used < size) {
            used += (size_t)snprintf(out + used, size - used, "%s%s", used == 0 ? "asm=" : ",", names[i].name);
        }
    }
}

/* Where a bit rate is capped, x264 looks at how far other threads are with their pictures: the bytes would depend on
 * who was quicker (measured: with two threads hardly two of 20 runs are alike, with one all are; slices for threads do
 * not help). */
static int x264_threads(const struct med_encoding *encoding, int threads) {
    return encoding->bits_per_s > 0 || encoding->bits_per_s_max > 0 ? 1 : threads;
}

static void apply_x264(const struct med_encoding *encoding, double crf, int threads, AVCodecContext *encoder) {
    char params[PARAMS_BYTES_MAX];
    x264_instructions(params, sizeof(params));
    encoder->thread_count = x264_threads(encoding, threads);
    set(encoder, "x264-params", params);
    set(encoder, "preset", encoding->quality > 0 || encoding->bits_per_s > 0 ? "fast" : editing_preset);
    set_rate(encoding, crf, encoder);
    if (encoding->lookahead_frames > 0) {
        set_number(encoder, "rc-lookahead", encoding->lookahead_frames);
    }
    if (encoding->keyframe_frames > 0) {
        set_number(encoder, "sc_threshold", 0);
    }
}

/* One frame at a time: with more, the bytes would depend on who was quicker. */
static void apply_x265(const struct med_encoding *encoding, double crf, int threads, AVCodecContext *encoder) {
    char params[PARAMS_BYTES_MAX];
    (void)snprintf(params, sizeof(params), "pools=%d:frame-threads=1:info=0:log-level=none%s", threads,
                   encoding->keyframe_frames > 0 ? ":scenecut=0:open-gop=0" : "");
    encoder->thread_count = 1;
    set(encoder, "preset", "fast");
    set(encoder, "x265-params", params);
    set_rate(encoding, crf, encoder);
}

/* And of libaom, which grew out of it. */
static void set_rate_of_libvpx(const struct med_encoding *encoding, double crf, AVCodecContext *encoder) {
    if (encoding->bits_per_s > 0) {
        encoder->bit_rate = encoding->bits_per_s;
        cap(encoder, encoding->bits_per_s);
    } else {
        set_number(encoder, "crf", crf);
        encoder->bit_rate = encoding->bits_per_s_max; /* with a crf: no more than that; 0: as it takes */
    }
}

static void apply_vp9(const struct med_encoding *encoding, double crf, int threads, AVCodecContext *encoder) {
    encoder->thread_count = threads;
    set(encoder, "deadline", "good");
    set_number(encoder, "cpu-used", 4);
    set_number(encoder, "row-mt", 1);
    set_rate_of_libvpx(encoding, crf, encoder);
}

static void apply_svt_av1(const struct med_encoding *encoding, double crf, int threads, AVCodecContext *encoder) {
    char params[PARAMS_BYTES_MAX];
    (void)snprintf(params, sizeof(params), "lp=%d", threads);
    encoder->flags |= AV_CODEC_FLAG_CLOSED_GOP;
    set_number(encoder, "preset", 8);
    set(encoder, "svtav1-params", params);
    if (encoding->bits_per_s > 0) {
        encoder->bit_rate = encoding->bits_per_s;
    } else {
        set_number(encoder, "crf", crf);
        cap(encoder, encoding->bits_per_s_max);
    }
}

static void apply_aom_av1(const struct med_encoding *encoding, double crf, int threads, AVCodecContext *encoder) {
    encoder->thread_count = threads;
    set_number(encoder, "cpu-used", 6);
    set_number(encoder, "row-mt", 1);
    set_rate_of_libvpx(encoding, crf, encoder);
}

static double crf_of(const struct row *row, double quality) {
    if (quality <= 0 && row == &rows[USUAL]) {
        return editing_crf;
    }
    quality = quality > 0 ? quality : editing_quality;
    quality = quality < 1 ? 1 : quality > 100 ? 100 : quality;
    return round(row->coarsest + (row->finest - row->coarsest) * (quality - 1) / 99);
}

enum cs_status med_encoding_apply(const struct med_encoding *encoding, int threads, AVCodecContext *encoder,
                                  struct cs_err *err) {
    const struct row *row = find_row(encoder->codec->name);
    if (row == NULL) {
        return cs_fail(err, CS_INTERNAL, "encoder", "the encoder %s is not known here", encoder->codec->name);
    }
    encoder->gop_size = (int)lround(av_q2d(encoder->framerate) * KEYFRAME_EVERY_S);
    if (encoding->keyframe_frames > 0) {
        encoder->gop_size = (int)encoding->keyframe_frames;
        encoder->keyint_min = encoder->gop_size;
        encoder->flags |= AV_CODEC_FLAG_CLOSED_GOP;
    }
    row->apply(encoding, crf_of(row, encoding->quality), threads, encoder);
    return CS_OK;
}

/* ---- containers ---- */

const char *med_container_muxer(enum med_container container) {
    static const char *const names[] = {
        [MED_MP4] = "mp4",   [MED_M4A] = "ipod",     [MED_MP3] = "mp3",   [MED_WAV] = "wav", [MED_MOV] = "mov",
        [MED_WEBM] = "webm", [MED_MKV] = "matroska", [MED_FLAC] = "flac", [MED_OGG] = "ogg",
    };
    return names[container];
}

const char *med_container_sound(enum med_container container) {
    static const char *const names[] = {
        [MED_MP4] = "aac",      [MED_M4A] = "aac", [MED_MP3] = "libmp3lame", [MED_WAV] = "pcm_s16le", [MED_MOV] = "aac",
        [MED_WEBM] = "libopus", [MED_MKV] = "aac", [MED_FLAC] = "flac",      [MED_OGG] = "libopus",
    };
    return names[container];
}

enum med_container med_container_of(const char *name) {
    static const struct {
        const char *suffix;
        enum med_container container;
    } containers[] = {{"m4a", MED_M4A}, {"mp3", MED_MP3},   {"wav", MED_WAV},  {"mov", MED_MOV}, {"webm", MED_WEBM},
                      {"mkv", MED_MKV}, {"flac", MED_FLAC}, {"opus", MED_OGG}, {"ogg", MED_OGG}};
    for (size_t i = 0; i < CS_COUNT(containers); i++) {
        if (cs_str_ends(name, containers[i].suffix)) {
            return containers[i].container;
        }
    }
    return MED_MP4;
}
