/*
 * sink: runs the graph into a file. Encoders on their own threads, the multiplexer on the caller's.
 *
 * The file is read back afterwards: as many pictures as planned, sound within 80 ms of its plan, else INTERNAL
 * "verify_failed".
 */
#ifndef MED_SINK_H
#define MED_SINK_H

#include "graph/graph.h"

enum med_container {
    MED_MP4, /* H.264 and AAC, moov first */
    MED_M4A, /* AAC */
    MED_MP3,
    MED_WAV,
};

/* video or audio may be NULL where the container allows. Facts are those of the finished file. */
enum cs_status med_sink_run(struct med_graph *graph, enum med_container container, struct med_video *video,
                            struct med_audio *audio, int fd, struct cs_arena *arena,
                            Callsheet__V1__MediaFacts **ret_facts, struct cs_err *err) CS_MUST_USE;

#endif
