#include "graph/encode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/av.h"
#include "graph/timeline.h"

enum { PCM_BLOCK = 4096 };

static enum cs_status failed(struct cs_err *err, int averror, const char *what) {
    return med_av_fail(err, CS_INTERNAL, "encoder", averror, what);
}

/* ---- opening ---- */

static void describe(const struct med_picture_format *format, AVCodecContext *encoder) {
    encoder->width = format->width;
    encoder->height = format->height;
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->time_base = av_inv_q(format->rate);
    encoder->framerate = format->rate;
    encoder->sample_aspect_ratio = (AVRational){1, 1};
    encoder->color_range = AVCOL_RANGE_MPEG;
    encoder->colorspace = AVCOL_SPC_BT709;
    encoder->color_primaries = AVCOL_PRI_BT709;
    encoder->color_trc = AVCOL_TRC_BT709;
    encoder->chroma_sample_location = AVCHROMA_LOC_LEFT;
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
}

enum cs_status med_encode_open_picture(const struct med_picture_format *format, const struct med_encoding *encoding,
                                       int threads, AVCodecContext **ret_encoder, struct cs_err *err) {
    const char *name = encoding->encoder;
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    AVCodecContext *encoder = codec == NULL ? NULL : avcodec_alloc_context3(codec);
    if (encoder == NULL) {
        return cs_fail(err, CS_UNIMPLEMENTED, "encoder_unavailable", "the encoder %s is not in this installation",
                       name);
    }
    describe(format, encoder);
    enum cs_status status = med_encoding_apply(encoding, threads, encoder, err);
    if (status == CS_OK) {
        int result = avcodec_open2(encoder, codec, NULL);
        status = result < 0 ? failed(err, result, "opening the encoder of the picture") : CS_OK;
    }
    if (status != CS_OK) {
        avcodec_free_context(&encoder);
        return status;
    }
    *ret_encoder = encoder;
    return CS_OK;
}

static int64_t usual_bits_per_s(enum AVCodecID codec) {
    switch (codec) {
    case AV_CODEC_ID_AAC:
    case AV_CODEC_ID_MP3:
        return 192000;
    case AV_CODEC_ID_OPUS:
        return 128000;
    default:
        return 0;
    }
}

/* Floats, which are what comes, or 16 bits: each encoder here takes one of them. */
static enum AVSampleFormat sample_format_of(const AVCodec *codec) {
    for (const enum AVSampleFormat *format = codec->sample_fmts; *format != AV_SAMPLE_FMT_NONE; format++) {
        if (*format == AV_SAMPLE_FMT_FLTP || *format == AV_SAMPLE_FMT_FLT) {
            return *format;
        }
    }
    return AV_SAMPLE_FMT_S16;
}

enum cs_status med_encode_open_sound(const char *name, int64_t bits_per_s, int sample_rate, int channels,
                                     bool global_header, AVCodecContext **ret_encoder, struct cs_err *err) {
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    AVCodecContext *encoder = codec == NULL ? NULL : avcodec_alloc_context3(codec);
    if (encoder == NULL) {
        return cs_fail(err, CS_UNIMPLEMENTED, "encoder_unavailable", "the encoder %s is not in this installation",
                       name);
    }
    encoder->sample_fmt = sample_format_of(codec);
    encoder->sample_rate = sample_rate;
    encoder->time_base = (AVRational){1, sample_rate};
    av_channel_layout_default(&encoder->ch_layout, channels);
    encoder->bit_rate = bits_per_s > 0 ? bits_per_s : usual_bits_per_s(codec->id);
    encoder->thread_count = 1;
    encoder->flags |= AV_CODEC_FLAG_BITEXACT | (global_header ? AV_CODEC_FLAG_GLOBAL_HEADER : 0);
    int result = avcodec_open2(encoder, codec, NULL);
    if (result < 0) {
        avcodec_free_context(&encoder);
        return failed(err, result, "opening the encoder of the sound");
    }
    *ret_encoder = encoder;
    return CS_OK;
}

/* ---- encoding ---- */

/* frame NULL: flush. *ret_wanted false: the sink wants no more. */
static enum cs_status encode(AVCodecContext *encoder, const AVFrame *frame, med_packet_sink *sink, void *ctx,
                             bool *ret_wanted, struct cs_err *err) {
    int result = avcodec_send_frame(encoder, frame);
    if (result < 0) {
        return failed(err, result, "encoding");
    }
    for (*ret_wanted = true; *ret_wanted;) {
        AVPacket *packet = av_packet_alloc();
        result = packet == NULL ? AVERROR(ENOMEM) : avcodec_receive_packet(encoder, packet);
        if (result < 0) {
            av_packet_free(&packet);
            bool dry = result == AVERROR(EAGAIN) || result == AVERROR_EOF;
            return dry ? CS_OK : failed(err, result, "encoding");
        }
        if (packet->duration == 0 && encoder->codec_type == AVMEDIA_TYPE_VIDEO) {
            packet->duration = 1;
        }
        *ret_wanted = sink(ctx, packet);
    }
    return CS_OK;
}

enum cs_status med_encode_video(AVCodecContext *encoder, struct med_video *video, med_packet_sink *sink, void *ctx,
                                struct cs_err *err) {
    bool wanted = true;
    for (int64_t n = 0; n < video->frames && wanted; n++) {
        MED_AUTO_FRAME *frame = NULL;
        CS_TRY(video->pull(video, &frame, err));
        frame->pts = n;
        frame->pict_type = AV_PICTURE_TYPE_NONE; /* what it was in its source does not matter here */
        if (frame->format != encoder->pix_fmt || frame->width != encoder->width || frame->height != encoder->height) {
            return cs_fail(err, CS_INTERNAL, "filter", "a frame of another shape reached the encoder");
        }
        CS_TRY(encode(encoder, frame, sink, ctx, &wanted, err));
    }
    return wanted ? encode(encoder, NULL, sink, ctx, &wanted, err) : CS_OK;
}

/* ---- sound ---- */

static AVFrame *sound_frame(const AVCodecContext *encoder, int count) {
    AVFrame *frame = av_frame_alloc();
    if (frame == NULL) {
        return NULL;
    }
    frame->format = encoder->sample_fmt;
    frame->sample_rate = encoder->sample_rate;
    frame->nb_samples = count;
    if (av_channel_layout_copy(&frame->ch_layout, &encoder->ch_layout) < 0 || av_frame_get_buffer(frame, 0) < 0) {
        av_frame_free(&frame);
    }
    return frame;
}

static const float knee = 0.96F;

/* Sums of loud sounds end softly below full scale; what is quieter passes untouched. */
static float limited(float x) {
    float size = fabsf(x);
    if (isnan(x)) { /* floating-point files may hold such */
        return 0;
    }
    return size <= knee ? x : copysignf(knee + (1 - knee) * tanhf((size - knee) / (1 - knee)), x);
}

/* One channel; of a mono encoder, the mean of both sides. */
static void take_channel(const float *stereo, int count, int channel, int channels, float *ret_values) {
    bool loud = false;
    for (int i = 0; i < count; i++) {
        ret_values[i] = channels == 1 ? (stereo[2 * i] + stereo[2 * i + 1]) / 2 : stereo[2 * i + channel];
    }
    for (int i = 0; i < count; i++) {
        loud |= !(fabsf(ret_values[i]) <= knee); /* what is no number, too */
    }
    for (int i = 0; loud && i < count; i++) {
        ret_values[i] = limited(ret_values[i]);
    }
}

static void interleave(const float *values, int count, int channel, int channels, AVFrame *frame) {
    float *floats = (float *)(void *)frame->data[0] + channel;
    int16_t *words = (int16_t *)(void *)frame->data[0] + channel;
    for (int i = 0; i < count; i++) {
        if (frame->format == AV_SAMPLE_FMT_FLT) {
            floats[i * channels] = values[i];
        } else {
            words[i * channels] = (int16_t)lrintf(values[i] * 32767);
        }
    }
}

/* Stereo floats to the encoder's own format; values has room for one channel. */
static void fill(AVFrame *frame, const float *stereo, float *values) {
    int channels = frame->ch_layout.nb_channels;
    for (int c = 0; c < channels; c++) {
        take_channel(stereo, frame->nb_samples, c, channels, values);
        if (frame->format == AV_SAMPLE_FMT_FLTP) {
            memcpy(frame->extended_data[c], values, (size_t)frame->nb_samples * sizeof(float));
        } else {
            interleave(values, frame->nb_samples, c, channels, frame);
        }
    }
}

enum cs_status med_encode_audio(AVCodecContext *encoder, struct med_audio *audio, med_packet_sink *sink, void *ctx,
                                struct cs_err *err) {
    int block = encoder->frame_size > 0 ? encoder->frame_size : PCM_BLOCK;
    CS_AUTO_FREE float *stereo = cs_alloc_array((size_t)block * 2, sizeof(float));
    CS_AUTO_FREE float *values = cs_alloc_array((size_t)block, sizeof(float));
    bool wanted = true;
    for (int64_t position = 0; position < audio->samples && wanted; position += block) {
        int64_t left = audio->samples - position;
        int count = left < block ? (int)left : block;
        CS_TRY(audio->pull(audio, stereo, (size_t)count, err));
        MED_AUTO_FRAME *frame = sound_frame(encoder, count);
        if (frame == NULL) {
            return failed(err, AVERROR(ENOMEM), "encoding sound");
        }
        fill(frame, stereo, values);
        frame->pts = position;
        CS_TRY(encode(encoder, frame, sink, ctx, &wanted, err));
    }
    return wanted ? encode(encoder, NULL, sink, ctx, &wanted, err) : CS_OK;
}
