/*
 * segments: one fragmented MP4 file of a single track, for streaming: what describes the track, an index of all
 * segments, and the segments, each one fragment. Nothing else is in it.
 *
 *     ftyp moov | sidx | moof mdat | moof mdat | …
 *
 * The picture's first frame and the sound's first sample are at time 0: an edit list takes the codec's delay off.
 *
 * Owns     a list of parts lives in the arena.
 * Fails    UNAVAILABLE "write_failed"; INTERNAL "verify_failed" when the file is not made of what was put into it.
 */
#ifndef MED_SEGMENTS_H
#define MED_SEGMENTS_H

#include <libavcodec/avcodec.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "graph/imprint.h"

struct med_part {
    int64_t offset; /* bytes */
    int64_t size_bytes;
    int64_t start_ticks;
    int64_t length_ticks;
};

struct med_segments {
    int64_t init_bytes;   /* from the beginning of the file */
    int64_t index_offset; /* of the index, which ends where the first part begins */
    int64_t index_bytes;
    struct med_part *parts;
    size_t count;
    struct med_imprint imprint; /* of what was put into them */
};

struct med_segment_writer;

/* unit: of the packets' times. fd stays the caller's. */
enum cs_status med_segment_writer_open(const AVCodecContext *encoder, AVRational unit, int fd, int64_t bytes_max,
                                       struct med_segment_writer **ret_writer, struct cs_err *err) CS_MUST_USE;
/* What follows is the next segment's, which begins at that time; called first with 0. */
enum cs_status med_segment_writer_cut(struct med_segment_writer *writer, int64_t start_ticks,
                                      struct cs_err *err) CS_MUST_USE;
/* The packet stays the caller's, its times change. */
enum cs_status med_segment_writer_put(struct med_segment_writer *writer, AVPacket *packet,
                                      struct cs_err *err) CS_MUST_USE;
/* length_ticks: where the last segment ends. */
enum cs_status med_segment_writer_end(struct med_segment_writer *writer, int64_t length_ticks, struct cs_arena *arena,
                                      struct med_segments *ret_segments, struct cs_err *err) CS_MUST_USE;
void med_segment_writer_destroy(struct med_segment_writer *writer);
CS_DEFINE_AUTO(med_segment_writer, med_segment_writer_destroy)

#endif
