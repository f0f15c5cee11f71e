/*
 * reader: one stream of one file, by packet or by decoded picture, from any key picture on.
 *
 * One demuxer and one decoder, flushed between stretches; no threads of its own.
 *
 * Trust    the file is hostile, see input.h.
 */
#ifndef MED_READER_H
#define MED_READER_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "cs/base/auto.h"
#include "cs/base/err.h"

/* Where a picture is: its times in the stream. */
struct med_spot {
    int64_t pts;
    int64_t dts; /* AV_NOPTS_VALUE: unknown */
};

struct med_reader {
    int fd;
    int stream;
    bool known;
    int64_t start_ticks; /* frame 0 is here */
    AVRational rate;
    AVFormatContext *format;
    AVStream *info;
    AVCodecContext *decoder; /* from the first med_reader_picture on */
    AVPacket *packet;        /* the latest */
    bool held;               /* it was not handed out yet */
    bool ended;
};

/* known: only packets and pictures are wanted, not all parameters; see input.h. start_ticks, rate: how times become
 * frames. */
enum cs_status med_reader_open(int fd, int stream, bool known, int64_t start_ticks, AVRational rate,
                               struct med_reader **ret_reader, struct cs_err *err) CS_MUST_USE;
void med_reader_close(struct med_reader *reader);
CS_DEFINE_AUTO(med_reader, med_reader_close)

int64_t med_reader_frame_at(const struct med_reader *reader, int64_t pts);

/* The next packet is the one at this spot, a key picture's. DATA_LOSS "corrupt_input" when there is none. */
enum cs_status med_reader_seek(struct med_reader *reader, struct med_spot spot, struct cs_err *err) CS_MUST_USE;
/* The same without a word to the decoder, which goes on with what it has. */
enum cs_status med_reader_move(struct med_reader *reader, struct med_spot spot, struct cs_err *err) CS_MUST_USE;
/* NULL at the end; the reader's, until the next call. */
enum cs_status med_reader_packet(struct med_reader *reader, const AVPacket **ret_packet,
                                 struct cs_err *err) CS_MUST_USE;
/* In order of presentation; NULL at the end; the caller's. Pictures that nothing needs before frame `wanted` may be
 * left out. */
enum cs_status med_reader_picture(struct med_reader *reader, int64_t wanted, AVFrame **ret_picture,
                                  struct cs_err *err) CS_MUST_USE;

typedef void med_picture_visitor(void *ctx, const AVFrame *picture, int64_t frame);

/* Decodes so many packets more; visits what comes out, in order of presentation. What does not decode is missing. */
enum cs_status med_reader_decode(struct med_reader *reader, int64_t packets, int64_t wanted, med_picture_visitor *visit,
                                 void *ctx, struct cs_err *err) CS_MUST_USE;
/* What is still inside; the decoder is at rest then. */
enum cs_status med_reader_drain(struct med_reader *reader, med_picture_visitor *visit, void *ctx,
                                struct cs_err *err) CS_MUST_USE;

#endif
