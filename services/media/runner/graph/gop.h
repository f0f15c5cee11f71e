/*
 * gop: how the pictures of a stream depend on each other, from its packets in the order in which they are stored.
 *
 * A GOP counts as closed when its key frame lets nothing through (IDR in H.264, any IRAP in HEVC, a key frame of other
 * codecs) and no picture that is stored after it is shown before it, except HEVC's decodable leading ones.
 */
#ifndef MED_GOP_H
#define MED_GOP_H

#include <libavcodec/avcodec.h>
#include <stdbool.h>
#include <stdint.h>

struct med_gops {
    int64_t keyframes;
    int64_t pictures;
    int64_t longest; /* pictures from one key frame to the next or the end */
    bool open;       /* at least one is */
    bool reordered;  /* there are B-frames */
    /* below: while noting */
    int64_t since_key;
    int64_t key_time, last_time;
};

/* The next packet of the stream, in stream time. */
void med_gops_note(struct med_gops *gops, const AVPacket *packet, const AVCodecParameters *params);

#endif
