/*
 * encode: pictures to H.264, sound to AAC; pinned threads, bit-exact, the same bytes on every run.
 */
#ifndef MED_ENCODE_H
#define MED_ENCODE_H

#include <libavcodec/avcodec.h>
#include <stdbool.h>

#include "graph/graph.h"

/* global_header: the container keeps parameter sets and the like outside of packets. */
enum cs_status med_encode_open_h264(const struct med_picture_format *format, int threads, AVCodecContext **ret_encoder,
                                    struct cs_err *err) CS_MUST_USE;
/* encoder: "aac", "libmp3lame" or "pcm_s16le". */
enum cs_status med_encode_open_sound(const char *encoder, int sample_rate, int channels, bool global_header,
                                     AVCodecContext **ret_encoder, struct cs_err *err) CS_MUST_USE;

/* Where encoded packets go; false: nobody wants more. Takes the packet. */
typedef bool med_packet_sink(void *ctx, AVPacket *packet);

/* Runs a whole pad through an encoder. CS_OK also when the sink wanted no more. */
enum cs_status med_encode_video(AVCodecContext *encoder, struct med_video *video, med_packet_sink *sink, void *ctx,
                                struct cs_err *err) CS_MUST_USE;
enum cs_status med_encode_audio(AVCodecContext *encoder, struct med_audio *audio, med_packet_sink *sink, void *ctx,
                                struct cs_err *err) CS_MUST_USE;

#endif
