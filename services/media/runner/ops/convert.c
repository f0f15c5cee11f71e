/* The same pictures and sound as another kind of file. */
#include <math.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "ops/ops.h"

enum {
    PICTURE_BITS_PER_S_MIN = 4000,
    PACKET_OVERHEAD_BYTES = 24, /* of a container, for each packet */
    FILE_OVERHEAD_BYTES = 3000,
    SOUND_PACKETS_PER_S = 50,
};
static const double filling = 0.97; /* of what a target leaves: rates are kept roughly */
static const double megabyte = 1e6;

static const char *sound_encoder(const char *codec) {
    return cs_str_eq(codec, "opus") ? "libopus" : cs_str_eq(codec, "mp3") ? "libmp3lame" : "aac";
}

static int64_t usual_sound_bits_per_s(const char *codec) {
    return cs_str_eq(codec, "opus") ? 128000 : 192000;
}

static int64_t kbps(const Google__Protobuf__UInt32Value *value, int64_t otherwise) {
    return value != NULL ? (int64_t)value->value * 1000 : otherwise;
}

static enum cs_status read_format(const Callsheet__V1__Convert *params, const struct med_clip *clip,
                                  struct med_made *made, struct cs_err *err) {
    uint32_t num = 0;
    uint32_t den = 0;
    *made = med_made_like(clip);
    if (!cs_str_empty(params->frame_rate)) {
        if (!cs_frame_rate(params->frame_rate, &num, &den)) {
            return cs_fail_at(err, "frameRate", "bad_frame_rate", "a rate is a number or a fraction, at most 120");
        }
        made->format.rate = (AVRational){(int)num, (int)den};
        struct med_length length = med_length_of(clip->facts, made->format.rate);
        made->frames = length.frames;
        made->samples = made->samples > 0 ? length.samples : 0;
    }
    made->format = med_format_within(made->format, params->width != NULL ? (int)params->width->value : 0,
                                     params->height != NULL ? (int)params->height->value : 0);
    return CS_OK;
}

/* The rate of the picture that fills the target. */
static enum cs_status read_target(const Callsheet__V1__Convert *params, struct med_made *made, struct cs_err *err) {
    if (params->target_size_mb == NULL) {
        return CS_OK;
    }
    double megabytes = params->target_size_mb->value;
    if (!(megabytes > 0 && megabytes <= 100000)) {
        return cs_fail_at(err, "targetSizeMb", "out_of_range", "a target size is 0.01 to 100000 megabytes");
    }
    double seconds = (double)made->frames / av_q2d(made->format.rate);
    double packets = (double)made->frames + (made->samples > 0 ? seconds * SOUND_PACKETS_PER_S : 0);
    double sound_bytes = made->samples > 0 ? (double)made->encoding.sound_bits_per_s / 8 * seconds : 0;
    double left = megabytes * megabyte - FILE_OVERHEAD_BYTES - packets * PACKET_OVERHEAD_BYTES - sound_bytes;
    double bits_per_s = left * filling * 8 / seconds;
    if (bits_per_s < PICTURE_BITS_PER_S_MIN) {
        return cs_fail_at(err, "targetSizeMb", "target_size_too_small",
                          "%.3g megabytes are too few for %.1f seconds; less sound or fewer seconds would help",
                          megabytes, seconds);
    }
    made->bytes_max = (int64_t)(megabytes * megabyte);
    made->encoding.quality = 0;
    made->encoding.bits_per_s = (int64_t)fmin(bits_per_s, 1e9);
    return CS_OK;
}

static enum cs_status read_encoding(const struct med_job *job, const Callsheet__V1__Convert *params,
                                    const struct cs_conversion *conversion, struct med_made *made, struct cs_err *err) {
    bool no_gpl = job->wire->limits != NULL && job->wire->limits->no_gpl_encoders;
    struct med_encoding *encoding = &made->encoding;
    CS_TRY(med_encoding_choose(conversion->video_codec, params->encoder, no_gpl, &encoding->encoder, err));
    encoding->quality = conversion->quality;
    encoding->bits_per_s_max = kbps(params->max_bitrate_kbps, 0);
    if (cs_str_eq(conversion->audio_codec, "none")) {
        made->samples = 0;
    }
    encoding->sound_encoder = sound_encoder(conversion->audio_codec);
    encoding->sound_bits_per_s = kbps(params->audio_bitrate_kbps, usual_sound_bits_per_s(conversion->audio_codec));
    return read_target(params, made, err);
}

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    (void)err;
    *ret_video = med_clip_video(graph, made->self, &made->format, made->frames, MED_FIT_CROP, MED_ANCHOR_CENTER);
    return CS_OK;
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    (void)err;
    *ret_audio = med_clip_audio(graph, made->self, made->samples, 1);
    return CS_OK;
}

enum cs_status med_op_convert(struct med_job *job, const Callsheet__V1__Convert *params, struct med_made *ret_made,
                              struct cs_err *err) {
    struct med_clip *clip = cs_arena_alloc(job->arena, sizeof(*clip));
    struct cs_conversion conversion;
    CS_TRY(cs_conversion_read(params, &conversion, err));
    CS_TRY(med_job_video_input(job, params->video, "video", clip, err));
    CS_TRY(read_format(params, clip, ret_made, err));
    CS_TRY(read_encoding(job, params, &conversion, ret_made, err));
    ret_made->self = clip;
    ret_made->picture = build_picture;
    ret_made->sound = build_sound;
    return CS_OK;
}
