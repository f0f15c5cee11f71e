/*
 * avio_fd: FFmpeg reads and writes through an inherited descriptor; nothing is opened.
 *
 * Owns     the context and its buffer; the descriptor stays the caller's.
 * Threads  positions are per context (pread, pwrite): several readers may share one descriptor.
 */
#ifndef MED_AVIO_FD_H
#define MED_AVIO_FD_H

#include <libavformat/avio.h>
#include <stdint.h>

/* NULL: out of memory. */
AVIOContext *med_avio_reader(int fd);
/* Writing beyond bytes_max fails with AVERROR(EFBIG). */
AVIOContext *med_avio_writer(int fd, int64_t bytes_max);
void med_avio_free(AVIOContext **io); /* flushes nothing */

#endif
