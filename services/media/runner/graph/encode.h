/*
 * encode: pictures and sound to packets; pinned threads, bit-exact, the same bytes on every run.
 */
#ifndef MED_ENCODE_H
#define MED_ENCODE_H

#include <libavcodec/avcodec.h>
#include <stdbool.h>

#include "graph/encoding.h"
#include "graph/graph.h"

/* Parameter sets and the like are kept outside of packets. */
enum cs_status med_encode_open_picture(const struct med_picture_format *format, const struct med_encoding *encoding,
                                       int threads, AVCodecContext **ret_encoder, struct cs_err *err) CS_MUST_USE;
/* encoder: "aac", "libopus", "libmp3lame" or "pcm_s16le". bits_per_s: 0 its usual. global_header: the container keeps
 * what describes the stream outside of packets. */
enum cs_status med_encode_open_sound(const char *encoder, int64_t bits_per_s, int sample_rate, int channels,
                                     bool global_header, AVCodecContext **ret_encoder, struct cs_err *err) CS_MUST_USE;

/* Where encoded packets go; false: nobody wants more. Takes the packet. */
typedef bool med_packet_sink(void *ctx, AVPacket *packet);

/* Runs a whole pad through an encoder. CS_OK also when the sink wanted no more. */
enum cs_status med_encode_video(AVCodecContext *encoder, struct med_video *video, med_packet_sink *sink, void *ctx,
                                struct cs_err *err) CS_MUST_USE;
enum cs_status med_encode_audio(AVCodecContext *encoder, struct med_audio *audio, med_packet_sink *sink, void *ctx,
                                struct cs_err *err) CS_MUST_USE;

#endif
