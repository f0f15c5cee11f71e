/*
 * av: FFmpeg's error numbers as ours, and its objects as items of queues.
 */
#ifndef MED_AV_H
#define MED_AV_H

#include <libavcodec/avcodec.h>
#include <libavutil/error.h>
#include <libavutil/frame.h>

#include "cs/base/err.h"

/* An error of FFmpeg inside our own machinery: ENOMEM is UNAVAILABLE "out_of_memory" whatever the status given. */
enum cs_status med_av_fail(struct cs_err *err, enum cs_status status, const char *reason, int averror,
                           const char *what);

/* As all of ours are: square pixels, BT.709, not the full range. */
void med_frame_tag(AVFrame *frame);

void med_frame_free(void *frame);
void med_packet_free(void *packet);

#define MED_AUTO_FRAME __attribute__((cleanup(av_frame_free))) AVFrame
#define MED_AUTO_PACKET __attribute__((cleanup(av_packet_free))) AVPacket

#endif
