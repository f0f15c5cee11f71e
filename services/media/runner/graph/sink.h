/*
 * sink: runs the graph into a file. Encoders on their own threads, the multiplexer on the caller's.
 *
 * The file is read back afterwards and judged (graph/quality.h); one that is not as planned fails.
 */
#ifndef MED_SINK_H
#define MED_SINK_H

#include "graph/encode.h"
#include "graph/graph.h"

/* A picture whose packets are there already, or are made by somebody else: all of it in order of decoding, pts and dts
 * in 1/rate, each picture once. */
struct med_coded {
    const AVCodecParameters *params;
    AVRational rate;
    int64_t frames;
    enum cs_status (*run)(struct med_coded *self, med_packet_sink *sink, void *ctx, struct cs_err *err);
};

/* video or audio may be NULL where the container allows. Facts are those of the finished file. */
enum cs_status med_sink_run(struct med_graph *graph, const struct med_encoding *encoding, struct med_video *video,
                            struct med_audio *audio, int fd, struct cs_arena *arena,
                            Callsheet__V1__MediaFacts **ret_facts, Callsheet__V1__Quality **ret_quality,
                            struct cs_err *err) CS_MUST_USE;
/* The same into MP4, of encoding only the sound, with a coded picture, which runs on a thread of its own. */
enum cs_status med_sink_run_coded(struct med_graph *graph, struct med_coded *coded, const struct med_encoding *encoding,
                                  struct med_audio *audio, int fd, struct cs_arena *arena,
                                  Callsheet__V1__MediaFacts **ret_facts, Callsheet__V1__Quality **ret_quality,
                                  struct cs_err *err) CS_MUST_USE;

#endif
