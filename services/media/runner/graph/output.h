/*
 * output: a multiplexer into a descriptor. movenc reads the file back, to move its index to the front.
 *
 * Owns     the context, its I/O; the descriptor stays the caller's. Zeroed, it is closed.
 * Fails    "write_failed", "output_too_big"
 */
#ifndef MED_OUTPUT_H
#define MED_OUTPUT_H

#include <libavformat/avformat.h>

#include "cs/base/err.h"

struct med_output {
    AVFormatContext *format; /* NULL: not open */
    AVIOContext *io;
    int fd;
};

/* The struct must not move while it is open. muxer: FFmpeg's name. */
enum cs_status med_output_open(struct med_output *output, const char *muxer, int fd, int64_t bytes_max,
                               struct cs_err *err) CS_MUST_USE;
/* Behind the last packet. */
enum cs_status med_output_finish(struct med_output *output, struct cs_err *err) CS_MUST_USE;
void med_output_close(struct med_output *output);

/* An FFmpeg error of writing. */
enum cs_status med_output_failed(struct cs_err *err, int averror);

#endif
