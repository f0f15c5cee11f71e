#include "graph/gop.h"

#include <libavutil/intreadwrite.h>
#include <stddef.h>

#include "copy/nal.h"

enum {
    H264_SLICE = 1,
    H264_IDR = 5,
    HEVC_RADL_N = 6,
    HEVC_RADL_R = 7,
    HEVC_SLICES = 32, /* types from here on are no pictures */
    NO_SLICE = -1,
};

static int unit_type(enum AVCodecID codec, uint8_t head) {
    return codec == AV_CODEC_ID_H264 ? head & 31 : (head >> 1) & 63;
}

static bool is_slice(enum AVCodecID codec, int type) {
    return codec == AV_CODEC_ID_H264 ? type >= H264_SLICE && type <= H264_IDR : type < HEVC_SLICES;
}

static int first_slice_by_length(const AVPacket *packet, enum AVCodecID codec, size_t prefix) {
    size_t size = (size_t)packet->size;
    for (size_t at = 0; at + prefix < size;) {
        size_t length = 0;
        for (size_t i = 0; i < prefix; i++) {
            length = length << 8 | packet->data[at + i];
        }
        int type = unit_type(codec, packet->data[at + prefix]);
        if (is_slice(codec, type)) {
            return type;
        }
        if (length > size - at - prefix) {
            break;
        }
        at += prefix + length;
    }
    return NO_SLICE;
}

static int first_slice_by_code(const AVPacket *packet, enum AVCodecID codec) {
    for (int at = 0; at + 3 < packet->size; at++) {
        if (AV_RB24(packet->data + at) == 1) {
            int type = unit_type(codec, packet->data[at + 3]);
            if (is_slice(codec, type)) {
                return type;
            }
        }
    }
    return NO_SLICE;
}

static int first_slice(const AVPacket *packet, const AVCodecParameters *params) {
    size_t header = params->extradata_size > 0 ? (size_t)params->extradata_size : 0;
    size_t prefix = (size_t)med_nal_length_size(params->codec_id, params->extradata, header);
    return prefix > 0 ? first_slice_by_length(packet, params->codec_id, prefix)
                      : first_slice_by_code(packet, params->codec_id);
}

static bool is_leading_safe(const AVPacket *packet, const AVCodecParameters *params) {
    if (params->codec_id != AV_CODEC_ID_HEVC) {
        return false;
    }
    int type = first_slice(packet, params);
    return type == HEVC_RADL_N || type == HEVC_RADL_R;
}

static void note_key(struct med_gops *gops, const AVPacket *packet, const AVCodecParameters *params) {
    /* nothing comes before the first one */
    if (gops->pictures > 0 && params->codec_id == AV_CODEC_ID_H264 && first_slice(packet, params) != H264_IDR) {
        gops->open = true;
    }
    gops->keyframes++;
    gops->since_key = 0;
    gops->key_time = packet->pts;
}

void med_gops_note(struct med_gops *gops, const AVPacket *packet, const AVCodecParameters *params) {
    if ((packet->flags & AV_PKT_FLAG_KEY) != 0) {
        note_key(gops, packet, params);
    } else if (packet->pts != AV_NOPTS_VALUE && gops->keyframes > 0 && gops->key_time != AV_NOPTS_VALUE &&
               packet->pts < gops->key_time && !is_leading_safe(packet, params)) {
        gops->open = true;
    }
    if (packet->pts != AV_NOPTS_VALUE) {
        gops->reordered = gops->reordered || (gops->pictures > 0 && packet->pts < gops->last_time);
        gops->last_time = packet->pts;
    }
    gops->pictures++;
    gops->since_key++;
    gops->longest = gops->since_key > gops->longest ? gops->since_key : gops->longest;
}
