#include "graph/output.h"

#include "graph/av.h"
#include "io/avio_fd.h"

enum cs_status med_output_failed(struct cs_err *err, int averror) {
    return med_av_fail(err, CS_UNAVAILABLE, "write_failed", averror, "writing the output");
}

static int open_again(AVFormatContext *format, AVIOContext **io, const char *url, int flags, AVDictionary **options) {
    (void)url, (void)options;
    const struct med_output *output = format->opaque;
    if ((flags & AVIO_FLAG_WRITE) != 0) {
        return AVERROR(EPERM);
    }
    *io = med_avio_reader(output->fd);
    return *io == NULL ? AVERROR(ENOMEM) : 0;
}

static int close_again(AVFormatContext *format, AVIOContext *io) {
    (void)format;
    med_avio_free(&io);
    return 0;
}

enum cs_status med_output_open(struct med_output *output, const char *muxer, int fd, int64_t bytes_max,
                               struct cs_err *err) {
    output->fd = fd;
    if (avformat_alloc_output_context2(&output->format, NULL, muxer, NULL) < 0) {
        return cs_fail(err, CS_INTERNAL, "encoder", "no multiplexer %s", muxer);
    }
    output->io = med_avio_writer(fd, bytes_max);
    if (output->io == NULL) {
        return med_output_failed(err, AVERROR(ENOMEM));
    }
    output->format->pb = output->io;
    output->format->opaque = output;
    output->format->io_open = open_again;
    output->format->io_close2 = close_again;
    output->format->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    return CS_OK;
}

enum cs_status med_output_finish(struct med_output *output, struct cs_err *err) {
    int result = av_write_trailer(output->format); /* may be > 0 */
    avio_flush(output->io);
    result = result >= 0 && output->io->error < 0 ? output->io->error : result;
    return result < 0 ? med_output_failed(err, result) : CS_OK;
}

void med_output_close(struct med_output *output) {
    avformat_free_context(output->format);
    output->format = NULL;
    med_avio_free(&output->io);
}
