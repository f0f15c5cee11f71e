#include "graph/graph.h"

#include "bounds.h"

struct med_node {
    struct med_node *next;
    struct med_video *video;
    struct med_audio *audio;
};

enum { THREADS_DEFAULT = 2 };

struct med_graph *med_graph_create(const Callsheet__V1__RunnerLimits *limits, const struct med_render_events *events) {
    struct cs_arena *arena = cs_arena_create();
    struct med_graph *graph = cs_arena_alloc(arena, sizeof(*graph));
    graph->arena = arena;
    graph->events = events;
    graph->threads = limits != NULL && limits->threads > 0 ? (int)limits->threads : THREADS_DEFAULT;
    if (graph->threads > MED_THREADS_MAX) {
        graph->threads = MED_THREADS_MAX;
    }
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
