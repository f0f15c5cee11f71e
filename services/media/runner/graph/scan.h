/*
 * scan: exact length and steadiness of streams, by reading all their packets.
 */
#ifndef MED_SCAN_H
#define MED_SCAN_H

#include <libavformat/avformat.h>
#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "graph/gop.h"
#include "graph/imprint.h"

struct med_scan {
    int64_t packets; /* that are shown; 0: unknown, taken from the header */
    int64_t start_ticks;
    int64_t length_ticks;
    AVRational rate; /* nominal when steady, else the average */
    bool variable;
    bool nearly_steady; /* four of five pictures keep the rate */
    bool cut_short;     /* the header promises more packets than there are */
    int64_t bytes;      /* of all packets; 0: unknown */
    int64_t corrupt;    /* packets that say they are damaged */
    int64_t priming;    /* samples of the encoder before and after the sound */
    int64_t padding;
    struct med_gops gops; /* of a video; no pictures: unknown */
    struct med_imprint imprint;
};

/* scans[0] is video, scans[1] audio; a stream of -1 is left alone. imprint: of the video is wanted. Consumes format's
 * packets. "corrupt_input" when a stream has none; "too_many_packets" beyond MED_SCAN_PACKETS_MAX. */
enum cs_status med_scan_read(int fd, AVFormatContext *format, int video, int audio, bool imprint,
                             struct med_scan scans[2], struct cs_err *err) CS_MUST_USE;

#endif
