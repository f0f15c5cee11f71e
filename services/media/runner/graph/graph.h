/*
 * graph: one render. Operations append nodes; each node hands back a pad that the next one pulls from.
 *
 *     sources (clip, still, generator) → video and audio pads → joins, mixes, captions → one sink
 *
 * A pad is pulled by exactly one consumer, on one thread. A source demuxes and decodes on threads of its own;
 * med_graph_async puts everything above it on another thread, behind a bounded queue; the sink encodes each pad on its
 * own thread and multiplexes on the caller's. So demux, decode, filter, encode and mux overlap, memory is bounded, and
 * a failure travels down the pulls to the sink. Clips are opened when the first frame is wanted and closed after the
 * last: memory does not grow with their number.
 *
 * Owns     the graph owns every node, in its arena; med_graph_destroy closes them last made first, which stops threads
 *          from the sink upwards.
 * Threads  building is single-threaded.
 */
#ifndef MED_GRAPH_H
#define MED_GRAPH_H

#include <libavutil/frame.h>
#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "render.h"

struct med_picture_format {
    int width; /* even */
    int height;
    AVRational rate;
};

/* Frames n = 0 … frames-1 in order: YUV 4:2:0 8 bit BT.709, pts n in 1/rate. */
struct med_video {
    struct med_picture_format format;
    int64_t frames;
    /* At most `frames` times. *ret_frame is the caller's; its planes may be shared, see av_frame_make_writable. */
    enum cs_status (*pull)(struct med_video *self, AVFrame **ret_frame, struct cs_err *err);
    /* As many pulls whose frames nobody wants; together with the pulls at most `frames`. NULL: they are pulled. */
    enum cs_status (*skip)(struct med_video *self, int64_t frames, struct cs_err *err);
    void (*close)(struct med_video *self); /* frees what it holds, stops its threads; idempotent; no pull follows */
};

/* 48 kHz, interleaved stereo floats, samples 0 … samples-1. */
struct med_audio {
    int64_t samples;
    enum cs_status (*pull)(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err);
    enum cs_status (*skip)(struct med_audio *self, int64_t samples, struct cs_err *err); /* as with pictures */
    void (*close)(struct med_audio *self);
};

struct med_graph {
    struct cs_arena *arena;
    int threads;
    int64_t output_bytes_max;
    bool no_gpl; /* encoders under the GPL are not used */
    const struct med_render_events *events;
    struct med_node *nodes;
};

struct med_graph *med_graph_create(const Callsheet__V1__RunnerLimits *limits, const struct med_render_events *events);
void med_graph_destroy(struct med_graph *graph);
CS_DEFINE_AUTO(med_graph, med_graph_destroy)

enum cs_status med_video_skip(struct med_video *video, int64_t frames, struct cs_err *err) CS_MUST_USE;
enum cs_status med_audio_skip(struct med_audio *audio, int64_t samples, struct cs_err *err) CS_MUST_USE;

/* A node of this size, zeroed, closed with the graph. Its struct starts with the pad. */
struct med_video *med_graph_add_video(struct med_graph *graph, size_t size_bytes);
struct med_audio *med_graph_add_audio(struct med_graph *graph, size_t size_bytes);

/* What the struct of a node starts with that changes the frames of one source, each by itself. */
struct med_filter {
    struct med_video pad;
    struct med_video *source;
};
/* Size, skip and close are the source's; the caller sets pull. A close of its own ends with med_filter_close. */
struct med_filter *med_graph_add_filter(struct med_graph *graph, size_t size_bytes, struct med_video *source);
void med_filter_close(struct med_video *self);

/* Everything above `video` runs on its own thread, a few frames ahead. */
struct med_video *med_graph_async(struct med_graph *graph, struct med_video *video);

#endif
