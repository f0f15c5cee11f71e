#include "graph/reverse.h"

#include <string.h>

#include "graph/timeline.h"

enum {
    CHUNK_BYTES = 96 << 20, /* of pictures */
    CHUNK_FRAMES_MIN = 8,
    CHUNK_FRAMES_MAX = 256,
    CHUNK_SAMPLES = 10 * MED_SAMPLE_RATE,
    SEAM = 240, /* samples that neighbouring chunks share: decoders that start elsewhere differ a little */
};

static struct med_graph *chunk_graph(const struct med_graph *graph) {
    Callsheet__V1__RunnerLimits limits = CALLSHEET__V1__RUNNER_LIMITS__INIT;
    limits.threads = (uint32_t)graph->threads;
    return med_graph_create(&limits, NULL);
}

/* ---- pictures ---- */

struct reverse_video {
    struct med_video pad;
    struct med_clip clip;
    const struct med_graph *graph;
    int64_t next;
    AVFrame **chunk; /* frames of the clip from `first` on; given ones are NULL */
    int64_t room;
    int64_t first;
    int64_t count; /* 0: no chunk */
    int64_t began; /* where decoding of the latest chunk did */
};

static void drop_chunk(struct reverse_video *node) {
    for (int64_t i = 0; i < node->count; i++) {
        av_frame_free(&node->chunk[i]);
    }
    node->count = 0;
}

/* The chunk that ends with this frame of the clip. Where the one behind it was decoded from lies a key frame: to begin
 * with it, too, spares decoding what comes before it once more. */
static enum cs_status read_chunk(struct reverse_video *node, int64_t last, struct cs_err *err) {
    CS_AUTO(med_graph) *graph = chunk_graph(node->graph);
    struct med_clip clip = node->clip;
    drop_chunk(node);
    int64_t key = node->began - med_frames_at(clip.from_ticks, node->pad.format.rate);
    node->first = last + 1 > node->room ? last + 1 - node->room : 0;
    node->first = key > node->first && key <= last ? key : node->first;
    clip.began = &node->began;
    clip.from_ticks += med_ticks_at_frame(node->first, node->pad.format.rate);
    struct med_video *forwards =
        med_clip_video(graph, &clip, &node->pad.format, last + 1 - node->first, MED_FIT_PAD, MED_ANCHOR_CENTER);
    for (; node->first + node->count <= last; node->count++) {
        CS_TRY(forwards->pull(forwards, &node->chunk[node->count], err));
    }
    return CS_OK;
}

static enum cs_status pull_picture(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct reverse_video *node = (struct reverse_video *)self;
    int64_t want = node->pad.frames - 1 - node->next;
    if (want < node->first || want >= node->first + node->count) {
        CS_TRY(read_chunk(node, want, err));
    }
    *ret_frame = cs_steal(&node->chunk[want - node->first]);
    (*ret_frame)->pts = node->next++;
    return CS_OK;
}

static enum cs_status skip_picture(struct med_video *self, int64_t frames, struct cs_err *err) {
    (void)err;
    ((struct reverse_video *)self)->next += frames;
    return CS_OK;
}

static void close_picture(struct med_video *self) {
    drop_chunk((struct reverse_video *)self);
}

struct med_video *med_reverse_video(struct med_graph *graph, const struct med_clip *clip,
                                    const struct med_picture_format *format, int64_t frames) {
    struct reverse_video *node = (struct reverse_video *)med_graph_add_video(graph, sizeof(*node));
    int64_t room = CHUNK_BYTES / ((int64_t)format->width * format->height * 3 / 2);
    node->pad = (struct med_video){
        .format = *format, .frames = frames, .pull = pull_picture, .skip = skip_picture, .close = close_picture};
    node->clip = *clip;
    node->graph = graph;
    node->room = room < CHUNK_FRAMES_MIN ? CHUNK_FRAMES_MIN : room > CHUNK_FRAMES_MAX ? CHUNK_FRAMES_MAX : room;
    node->chunk = cs_arena_array(graph->arena, (size_t)node->room, sizeof(AVFrame *));
    return &node->pad;
}

/* ---- sound ---- */

struct reverse_audio {
    struct med_audio pad;
    struct med_clip clip;
    const struct med_graph *graph;
    float *chunk;  /* samples of the clip from `first` on */
    int64_t first; /* less than begin by what the chunk before it shares */
    int64_t begin;
    int64_t end; /* of what is not given yet */
    float seam[2 * SEAM];
    bool has_seam;
};

/* What the chunk behind this one heard of its end: it fades over to that. */
static void blend_seam(struct reverse_audio *node) {
    float *tail = node->chunk + 2 * (node->end - SEAM - node->first);
    for (int i = 0; node->has_seam && i < SEAM; i++) {
        float own = (float)(SEAM - i) / (SEAM + 1);
        tail[2 * i] = own * tail[2 * i] + (1 - own) * node->seam[2 * i];
        tail[2 * i + 1] = own * tail[2 * i + 1] + (1 - own) * node->seam[2 * i + 1];
    }
}

static enum cs_status read_sound(struct reverse_audio *node, struct cs_err *err) {
    CS_AUTO(med_graph) *graph = chunk_graph(node->graph);
    struct med_clip clip = node->clip;
    node->begin = node->end > CHUNK_SAMPLES + SEAM ? node->end - CHUNK_SAMPLES : 0;
    node->first = node->begin > 0 ? node->begin - SEAM : 0;
    clip.from_ticks += med_ticks_from(node->first, (AVRational){1, MED_SAMPLE_RATE});
    clip.bare_head = node->first > 0;
    clip.bare_tail = true;
    struct med_audio *forwards = med_clip_audio(graph, &clip, node->end - node->first, 1);
    CS_TRY(forwards->pull(forwards, node->chunk, (size_t)(node->end - node->first), err));
    blend_seam(node);
    node->has_seam = node->begin > 0;
    if (node->has_seam) {
        memcpy(node->seam, node->chunk, sizeof(node->seam));
    }
    return CS_OK;
}

static enum cs_status pull_sound(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct reverse_audio *node = (struct reverse_audio *)self;
    for (size_t i = 0; i < count; i++) {
        if (node->end == node->begin) {
            CS_TRY(read_sound(node, err));
        }
        const float *sample = node->chunk + 2 * (--node->end - node->first);
        ret_stereo[2 * i] = sample[0];
        ret_stereo[2 * i + 1] = sample[1];
    }
    return CS_OK;
}

struct med_audio *med_reverse_audio(struct med_graph *graph, const struct med_clip *clip, int64_t samples) {
    struct reverse_audio *node = (struct reverse_audio *)med_graph_add_audio(graph, sizeof(*node));
    size_t room = CHUNK_SAMPLES + SEAM;
    node->pad = (struct med_audio){.samples = samples, .pull = pull_sound};
    node->clip = *clip;
    node->graph = graph;
    node->begin = samples;
    node->end = samples;
    node->chunk = cs_arena_array(graph->arena, 2 * (room < (size_t)samples ? room : (size_t)samples), sizeof(float));
    return &node->pad;
}
