#include "graph/graph.h"

#include "bounds.h"

struct med_node {
    struct med_node *next;
    struct med_video *video;
    struct med_audio *audio;
};

enum { THREADS_DEFAULT = 2, SKIP_SAMPLES = 2048 };

struct med_graph *med_graph_create(const Callsheet__V1__RunnerLimits *limits, const struct med_render_events *events) {
    struct cs_arena *arena = cs_arena_create();
    struct med_graph *graph = cs_arena_alloc(arena, sizeof(*graph));
    graph->arena = arena;
    graph->events = events;
    graph->threads = limits != NULL && limits->threads > 0 ? (int)limits->threads : THREADS_DEFAULT;
    if (graph->threads > MED_THREADS_MAX) {
        graph->threads = MED_THREADS_MAX;
    }
    graph->no_gpl = limits != NULL && limits->no_gpl_encoders;
    graph->output_bytes_max = INT64_MAX;
    if (limits != NULL && limits->output_bytes > 0 && limits->output_bytes < INT64_MAX) {
        graph->output_bytes_max = (int64_t)limits->output_bytes;
    }
    return graph;
}

void med_graph_destroy(struct med_graph *graph) {
    if (graph == NULL) {
        return;
    }
    for (struct med_node *node = graph->nodes; node != NULL; node = node->next) {
        if (node->video != NULL && node->video->close != NULL) {
            node->video->close(node->video);
        }
        if (node->audio != NULL && node->audio->close != NULL) {
            node->audio->close(node->audio);
        }
    }
    cs_arena_destroy(graph->arena);
}

enum cs_status med_video_skip(struct med_video *video, int64_t frames, struct cs_err *err) {
    if (video->skip != NULL) {
        return frames > 0 ? video->skip(video, frames, err) : CS_OK;
    }
    for (; frames > 0; frames--) {
        AVFrame *frame = NULL;
        CS_TRY(video->pull(video, &frame, err));
        av_frame_free(&frame);
    }
    return CS_OK;
}

enum cs_status med_audio_skip(struct med_audio *audio, int64_t samples, struct cs_err *err) {
    float unwanted[2 * SKIP_SAMPLES];
    if (audio->skip != NULL) {
        return samples > 0 ? audio->skip(audio, samples, err) : CS_OK;
    }
    while (samples > 0) {
        size_t count = samples < SKIP_SAMPLES ? (size_t)samples : SKIP_SAMPLES;
        CS_TRY(audio->pull(audio, unwanted, count, err));
        samples -= (int64_t)count;
    }
    return CS_OK;
}

static struct med_node *add_node(struct med_graph *graph) {
    struct med_node *node = cs_arena_alloc(graph->arena, sizeof(*node));
    node->next = graph->nodes;
    graph->nodes = node;
    return node;
}

struct med_video *med_graph_add_video(struct med_graph *graph, size_t size_bytes) {
    struct med_node *node = add_node(graph);
    node->video = cs_arena_alloc(graph->arena, size_bytes);
    return node->video;
}

struct med_audio *med_graph_add_audio(struct med_graph *graph, size_t size_bytes) {
    struct med_node *node = add_node(graph);
    node->audio = cs_arena_alloc(graph->arena, size_bytes);
    return node->audio;
}

static enum cs_status skip_source(struct med_video *self, int64_t frames, struct cs_err *err) {
    return med_video_skip(((struct med_filter *)self)->source, frames, err);
}

void med_filter_close(struct med_video *self) {
    struct med_video *source = ((struct med_filter *)self)->source;
    if (source->close != NULL) {
        source->close(source);
    }
}

struct med_filter *med_graph_add_filter(struct med_graph *graph, size_t size_bytes, struct med_video *source) {
    struct med_filter *filter = (struct med_filter *)med_graph_add_video(graph, size_bytes);
    filter->pad = (struct med_video){
        .format = source->format,
        .frames = source->frames,
        .skip = skip_source,
        .close = med_filter_close,
    };
    filter->source = source;
    return filter;
}
