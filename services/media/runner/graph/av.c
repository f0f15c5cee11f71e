#include "graph/av.h"

enum cs_status med_av_fail(struct cs_err *err, enum cs_status status, const char *reason, int averror,
                           const char *what) {
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(averror, text, sizeof(text));
    if (averror == AVERROR(ENOMEM)) {
        return cs_fail(err, CS_UNAVAILABLE, "out_of_memory", "%s: not enough memory", what);
    }
    if (averror == AVERROR(EFBIG)) {
        return cs_fail(err, CS_OUT_OF_RANGE, "output_too_big", "%s: the output is beyond its size limit", what);
    }
    return cs_fail(err, status, reason, "%s: %s", what, text);
}

void med_frame_tag(AVFrame *frame) {
    frame->sample_aspect_ratio = (AVRational){1, 1};
    frame->color_range = AVCOL_RANGE_MPEG;
    frame->colorspace = AVCOL_SPC_BT709;
    frame->color_primaries = AVCOL_PRI_BT709;
    frame->color_trc = AVCOL_TRC_BT709;
    frame->chroma_location = AVCHROMA_LOC_LEFT;
}

void med_frame_free(void *frame) {
    AVFrame *owned = frame;
    av_frame_free(&owned);
}

void med_packet_free(void *packet) {
    AVPacket *owned = packet;
    av_packet_free(&owned);
}
