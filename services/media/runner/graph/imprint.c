#include "graph/imprint.h"

#include <libavutil/crc.h>

#include "copy/nal.h"

/* Zeros behind a unit are the container's. */
static size_t trimmed(const struct med_nal *nal) {
    size_t size = nal->size;
    while (size > 0 && nal->data[size - 1] == 0) {
        size--;
    }
    return size;
}

void med_imprint_add(struct med_imprint *imprint, const AVCodecParameters *params, const AVPacket *packet) {
    if ((params->codec_id != AV_CODEC_ID_H264 && params->codec_id != AV_CODEC_ID_HEVC) || packet->size <= 0) {
        return;
    }
    size_t header = params->extradata_size > 0 ? (size_t)params->extradata_size : 0;
    const AVCRC *table = av_crc_get_table(AV_CRC_32_IEEE);
    struct med_nal_walk walk = {
        .codec = params->codec_id,
        .length_size = med_nal_length_size(params->codec_id, params->extradata, header),
        .at = packet->data,
        .end = packet->data + packet->size,
    };
    struct med_nal nal;
    uint32_t crc = UINT32_MAX;
    while (med_nal_next(&walk, &nal)) {
        crc = av_crc(table, crc, nal.data, trimmed(&nal));
    }
    imprint->sum = imprint->sum * 31 + crc; /* another order is another sum */
    imprint->packets++;
}

bool med_imprint_equal(const struct med_imprint *a, const struct med_imprint *b) {
    return a->packets == b->packets && a->sum == b->sum;
}
