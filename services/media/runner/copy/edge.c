#include "copy/edge.h"

#include <libavutil/opt.h>
#include <math.h>
#include <stdio.h>

#include "graph/av.h"

enum { HEVC_REORDER = 2, KEYFRAME_EVERY_S = 2 };

/* Edges are short: bits are cheaper than time. */
static const char edge_preset[] = "superfast";
static const double edge_crf = 19;

static const AVCodec *encoder_for(enum AVCodecID codec) {
    return avcodec_find_encoder_by_name(codec == AV_CODEC_ID_HEVC ? "libx265" : "libx264");
}

bool med_edge_takes(enum AVCodecID codec, int pixel_format) {
    const AVCodec *encoder = encoder_for(codec);
    const enum AVPixelFormat *format = encoder != NULL ? encoder->pix_fmts : NULL;
    for (; format != NULL && *format != AV_PIX_FMT_NONE; format++) {
        if ((int)*format == pixel_format) {
            return true;
        }
    }
    return false;
}

/* Other profiles follow from the pixel format. */
static const char *profile_of(const AVCodecParameters *like) {
    switch (like->profile) {
    case FF_PROFILE_H264_BASELINE:
    case FF_PROFILE_H264_CONSTRAINED_BASELINE:
        return "baseline";
    case FF_PROFILE_H264_MAIN:
        return "main";
    default:
        return NULL;
    }
}

static void be_alike(AVCodecContext *encoder, const struct med_edge_format *format) {
    const AVCodecParameters *like = format->like;
    encoder->width = like->width;
    encoder->height = like->height;
    encoder->pix_fmt = like->format;
    encoder->time_base = av_inv_q(format->rate);
    encoder->framerate = format->rate;
    encoder->gop_size = (int)lround(av_q2d(format->rate) * KEYFRAME_EVERY_S);
    encoder->sample_aspect_ratio = like->sample_aspect_ratio;
    encoder->color_range = like->color_range;
    encoder->colorspace = like->color_space;
    encoder->color_primaries = like->color_primaries;
    encoder->color_trc = like->color_trc;
    encoder->chroma_sample_location = like->chroma_location;
}

static void set_h264(AVCodecContext *encoder, const struct med_edge_format *format) {
    char params[32];
    snprintf(params, sizeof(params), "sps-id=%d", format->sets_id);
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(encoder->priv_data, "x264-params", params, 0);
    if (profile_of(format->like) != NULL) {
        av_opt_set(encoder->priv_data, "profile", profile_of(format->like), 0);
    }
}

enum cs_status med_edge_open(const struct med_edge_format *format, AVCodecContext **ret_encoder, struct cs_err *err) {
    const AVCodec *codec = encoder_for(format->like->codec_id);
    AVCodecContext *encoder = codec == NULL ? NULL : avcodec_alloc_context3(codec);
    if (encoder == NULL) {
        return cs_fail(err, CS_INTERNAL, "encoder", "no encoder for the edges of copied pictures");
    }
    be_alike(encoder, format);
    encoder->flags |= AV_CODEC_FLAG_BITEXACT;
    av_opt_set(encoder->priv_data, "preset", edge_preset, 0);
    av_opt_set_double(encoder->priv_data, "crf", edge_crf, 0);
    if (format->like->codec_id == AV_CODEC_ID_HEVC) { /* without threads of its own: the same bytes on every run */
        av_opt_set(encoder->priv_data, "x265-params",
                   "log-level=none:open-gop=0:repeat-headers=1:info=0:pools=none:frame-threads=1:wpp=0", 0);
    } else {
        encoder->thread_count = format->threads;
        set_h264(encoder, format);
    }
    int result = avcodec_open2(encoder, codec, NULL);
    if (result < 0) {
        avcodec_free_context(&encoder);
        return med_av_fail(err, CS_INTERNAL, "encoder", result, "opening an encoder for edges");
    }
    *ret_encoder = encoder;
    return CS_OK;
}

int med_edge_reorder(const AVCodecContext *encoder) {
    return encoder->codec_id == AV_CODEC_ID_HEVC && encoder->has_b_frames < HEVC_REORDER ? HEVC_REORDER
                                                                                         : encoder->has_b_frames;
}
