/*
 * facts: what a file really holds, from its content alone: kind, streams, exact length, orientation.
 *
 * Files up to MED_SCAN_BYTES_MAX are measured by reading every packet (no decoding), so lengths hold for files without
 * a duration in their header and for headers that lie. Bigger ones are taken at their header's word.
 *
 * Clock    video.start and audio.start are in stream time; a clip's time 0 is its first picture, or for sound alone its
 *          first sample.
 */
#ifndef MED_FACTS_H
#define MED_FACTS_H

#include <libavcodec/codec_id.h>
#include <libavutil/pixfmt.h>
#include <libavutil/rational.h>
#include <stdbool.h>
#include <stdint.h>

#include "callsheet/v1/media_types.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "graph/gop.h"
#include "graph/imprint.h"

enum med_hdr { MED_SDR, MED_HDR10, MED_PQ /* without levels */, MED_HLG };

struct med_video_facts {
    int stream; /* -1: no moving picture or still */
    enum AVCodecID codec;
    int width; /* as shown: upright, square pixels */
    int height;
    AVRational rate; /* nominal; of a variable one, its average */
    bool variable_rate;
    bool nearly_steady; /* though variable, most pictures keep `rate` */
    AVRational sample_aspect;
    int rotation; /* degrees clockwise that make it upright */
    int64_t frames;
    int64_t length_ticks;
    int64_t start_ticks;
    enum AVPixelFormat pixel_format;
    enum AVColorTransferCharacteristic transfer; /* as the pictures say, which the container may contradict */
    enum AVColorPrimaries primaries;
    enum AVColorSpace matrix;
    enum AVColorRange range;
    enum AVChromaLocation chroma;
    AVRational coded_aspect; /* of samples, as pictures say it themselves; 0: they do not */
    enum med_hdr hdr;
    bool dolby_vision;
    bool alpha;
    bool interlaced;
    int64_t bytes; /* of all packets; 0: unknown */
    struct med_gops gops;
    struct med_imprint imprint; /* only of outputs */
};

struct med_audio_facts {
    int stream; /* -1: no sound */
    enum AVCodecID codec;
    int sample_rate;
    int channels;
    char layout[64];
    int64_t samples;
    int64_t length_ticks;
    int64_t start_ticks;
    int64_t packets;
    int64_t bytes;
    int64_t priming; /* samples of the encoder before and after the sound */
    int64_t padding;
};

struct med_facts {
    Callsheet__V1__MediaType type;
    char container[64];
    bool cut_short;          /* the file ends before its header says */
    int64_t corrupt_packets; /* that say they are damaged */
    struct med_video_facts video;
    struct med_audio_facts audio;
};

enum cs_status med_facts_read(int fd, struct med_facts *ret_facts, struct cs_err *err) CS_MUST_USE;
/* The same of an output, with the imprint of its pictures, if it is no bigger than what is measured. */
enum cs_status med_facts_read_made(int fd, struct med_facts *ret_facts, struct cs_err *err) CS_MUST_USE;
/* A rate that suits an output whose first picture this is: its own when steady and sane, else 30 or 60. */
AVRational med_facts_output_rate(const struct med_facts *facts);
int64_t med_facts_length_ticks(const struct med_facts *facts);

void med_facts_to_wire(const struct med_facts *facts, struct cs_arena *arena, Callsheet__V1__MediaFacts **ret_facts);

#endif
