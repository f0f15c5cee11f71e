/*
 * rendition: a picture in one size, or the sound, encoded and written as segments.
 *
 * Segments begin at every segment_frames-th frame of the picture: there and nowhere else is a key frame, and groups of
 * pictures are closed. Those of sound begin with the first packet at or behind that moment.
 *
 * Threads  med_rendition_run is for a thread of its own; begin and end are the caller's before and after.
 */
#ifndef MED_RENDITION_H
#define MED_RENDITION_H

#include "graph/encode.h"
#include "graph/graph.h"
#include "package/segments.h"

struct med_rendition {
    struct med_video *video; /* one of the two */
    struct med_audio *audio;
    AVRational rate; /* of the picture */
    int64_t segment_frames;
    int64_t length_ticks;
    /* below: rendition.c's */
    AVCodecContext *encoder;
    struct med_segment_writer *writer;
    int64_t cuts;
    struct cs_err failure; /* of writing */
};

enum cs_status med_rendition_begin(struct med_rendition *rendition, const struct med_encoding *encoding, int threads,
                                   int fd, int64_t bytes_max, struct cs_err *err) CS_MUST_USE;
enum cs_status med_rendition_run(struct med_rendition *rendition, struct cs_err *err) CS_MUST_USE;
enum cs_status med_rendition_end(struct med_rendition *rendition, struct cs_arena *arena,
                                 struct med_segments *ret_segments, struct cs_err *err) CS_MUST_USE;
void med_rendition_fini(struct med_rendition *rendition);

/* As RFC 6381 has it: "avc1.64001f", "mp4a.40.2". */
enum { MED_CODEC_BYTES = 16 };
enum cs_status med_rendition_codec(const struct med_rendition *rendition, char ret_codec[MED_CODEC_BYTES],
                                   struct cs_err *err) CS_MUST_USE;

#endif
