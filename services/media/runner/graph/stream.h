/*
 * stream: the decoded frames of one stream of one input. Demuxing and decoding run on two threads of their own.
 *
 * Each stream opens its own demuxer on the descriptor, so picture and sound of one file never wait for each other.
 *
 * Owns     the demuxer, decoder, queues and threads.
 * Fails    "corrupt_input" when nothing decodes, or when more than a tenth of the packets do not.
 */
#ifndef MED_STREAM_H
#define MED_STREAM_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "cs/base/auto.h"
#include "cs/base/err.h"

struct med_stream;

/* Times are the stream's; INT64_MIN: none. */
struct med_stretch {
    int64_t seek_ticks;   /* to the last key frame at or before it */
    int64_t wanted_ticks; /* pictures before it are left out if no others are made from them: only of steady streams */
};

/* From there on, or from the start when the container cannot seek: the first frames may be earlier ones. Containers
 * without an index may lead to a later key frame, or to none ("corrupt_input"): then the caller goes further back. */
enum cs_status med_stream_open(int fd, int stream, int threads, const struct med_stretch *stretch,
                               struct med_stream **ret_stream, struct cs_err *err) CS_MUST_USE;
void med_stream_close(struct med_stream *stream);
CS_DEFINE_AUTO(med_stream, med_stream_close)

/* How much of a picture is decoded. */
enum med_effort {
    MED_EFFORT_FULL,
    MED_EFFORT_ROUGH, /* all pictures, without what only makes them finer, and smaller where the codec can */
    MED_EFFORT_SOME,  /* the same, only pictures that others are made from */
};
/* Pictures may be smaller than the stream says. */
enum cs_status med_stream_open_rough(int fd, int stream, int threads, int64_t seek_ticks, enum med_effort effort,
                                     struct med_stream **ret_stream, struct cs_err *err) CS_MUST_USE;

/* The last key frame at or before that time, decoded alone and without threads: nothing else can be read from the
 * stream. What cannot seek gives its first one. "corrupt_input" when it is damaged, or not whole by itself. */
enum cs_status med_stream_open_at_key(int fd, int stream, int64_t seek_ticks, struct med_stream **ret_stream,
                                      AVFrame **ret_frame, struct cs_err *err) CS_MUST_USE;

/* In order of presentation, pts in med_stream_info's time_base and never AV_NOPTS_VALUE. *ret_frame is NULL at the end.
 */
enum cs_status med_stream_next(struct med_stream *stream, AVFrame **ret_frame, struct cs_err *err) CS_MUST_USE;
const AVStream *med_stream_info(const struct med_stream *stream);

/* Without threads. */
enum cs_status med_stream_first_frame(int fd, int stream, AVFrame **ret_frame, struct cs_err *err) CS_MUST_USE;

#endif
