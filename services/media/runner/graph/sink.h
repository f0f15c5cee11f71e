/*
 * sink: runs the graph into a file. Encoders on their own threads, the multiplexer on the caller's.
 *
 * The file is read back afterwards and judged (graph/quality.h); one that is not as planned fails.
 */
#ifndef MED_SINK_H
#define MED_SINK_H

#include "graph/encode.h"
#include "graph/graph.h"
#include "graph/watch.h"

/* A picture whose packets are there already, or are made by somebody else: all of it in order of decoding, pts and dts
 * in 1/rate, each picture once. Or sound: rate is that of its samples, which frames counts; what is before 0 is not
 * heard. */
struct med_coded {
    const AVCodecParameters *params;
    AVRational rate;
    int64_t frames;
    const struct med_picture_findings *seen; /* before they were encoded; NULL: nobody looked */
    enum cs_status (*run)(struct med_coded *self, med_packet_sink *sink, void *ctx, struct cs_err *err);
};

/* video or audio may be NULL where the container allows. Facts are those of the finished file. */
enum cs_status med_sink_run(struct med_graph *graph, const struct med_encoding *encoding, struct med_video *video,
                            struct med_audio *audio, int fd, struct cs_arena *arena,
                            Callsheet__V1__MediaFacts **ret_facts, Callsheet__V1__Quality **ret_quality,
                            struct cs_err *err) CS_MUST_USE;
/* What is coded before it comes to the sink; each runs on a thread of its own. */
struct med_coded_tracks {
    struct med_coded *picture;
    struct med_coded *sound; /* or NULL: */
    struct med_audio *audio; /* is encoded; NULL: none */
    int64_t samples;         /* of either, planned, at 48 kHz */
};
/* The same into MP4, of encoding only the sound, if that is not coded, too: then it is listened to in the finished
 * file. */
enum cs_status med_sink_run_coded(struct med_graph *graph, const struct med_coded_tracks *coded,
                                  const struct med_encoding *encoding, int fd, struct cs_arena *arena,
                                  Callsheet__V1__MediaFacts **ret_facts, Callsheet__V1__Quality **ret_quality,
                                  struct cs_err *err) CS_MUST_USE;

#endif
