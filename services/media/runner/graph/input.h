/*
 * input: an untrusted file, opened for demuxing by allow-listed formats and codecs.
 *
 * Owns     med_input_close frees everything but the descriptor.
 * Trust    nothing that the file says opens anything else: no protocols, no nested demuxers, no external references.
 *          The allow lists are the boundary; refusing io_open alone is not (measured: DASH and SDP pass it).
 * Fails    "not_media" nothing that we know; "corrupt_input" known but unreadable; "format_unsupported" HEIC;
 *          "read_failed" the file itself (retryable).
 */
#ifndef MED_INPUT_H
#define MED_INPUT_H

#include <libavformat/avformat.h>

#include "cs/base/err.h"

extern const char med_formats_allowed[];
extern const char med_codecs_allowed[];

enum cs_status med_input_open(int fd, AVFormatContext **ret_format, struct cs_err *err) CS_MUST_USE;
/* The same for a file whose facts were read before. Of MP4 and MOV whose header tells all that decoding needs, nothing
 * is decoded to find out more: parameters may lack pixel format, profile, colours and frame rate. */
enum cs_status med_input_open_known(int fd, AVFormatContext **ret_format, struct cs_err *err) CS_MUST_USE;
void med_input_close(AVFormatContext **format);
/* Why av_read_frame gave no more: CS_OK when the input ends here or is damaged from here on, a failure when it could
 * not be read or there was no memory. */
enum cs_status med_input_ended(const AVFormatContext *format, int averror, struct cs_err *err) CS_MUST_USE;

/* The best stream of a kind that is neither an attached picture nor without a codec; -1 none. */
int med_input_stream(AVFormatContext *format, enum AVMediaType kind);
/* All others are skipped by the demuxer. */
void med_input_keep_only(AVFormatContext *format, int stream, int other_stream);

#endif
