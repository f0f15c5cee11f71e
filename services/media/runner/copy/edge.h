/*
 * edge: an encoder for the frames beside copied ones, so alike that one decoder plays both.
 *
 * H.264    its parameter sets get an id that the source does not use, and belong into the file's header.
 * HEVC     its encoder cannot choose ids: its sets travel in front of each key picture, and the source's must come
 * again before the next copied one. Packets are units behind start codes; each edge starts with a key picture that
 * closes its group.
 */
#ifndef MED_COPY_EDGE_H
#define MED_COPY_EDGE_H

#include <libavcodec/avcodec.h>

#include "copy/sets.h"
#include "cs/base/err.h"

struct med_edge_format {
    const AVCodecParameters *like;
    AVRational rate;
    int sets_id; /* H.264 */
    int threads;
};

bool med_edge_takes(enum AVCodecID codec, int pixel_format);
/* One edge: frames with pts 0, 1, …; then it is spent. Every one has the same sets. */
enum cs_status med_edge_open(const struct med_edge_format *format, AVCodecContext **ret_encoder,
                             struct cs_err *err) CS_MUST_USE;
/* By how many frames its packets come later than their pictures are shown, at most. */
int med_edge_reorder(const AVCodecContext *encoder);

#endif
