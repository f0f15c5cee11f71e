#include <pthread.h>

#include "graph/av.h"
#include "graph/graph.h"
#include "graph/queue.h"

enum { FRAMES_AHEAD = 4 };

struct async {
    struct med_video pad;
    struct med_video *source;
    struct med_queue *queue;
    pthread_t thread;
    bool started;
};

static void *run(void *arg) {
    struct async *async = arg;
    struct cs_err err = {0};
    bool wanted = true;
    for (int64_t n = 0; wanted && n < async->source->frames; n++) {
        AVFrame *frame = NULL;
        if (async->source->pull(async->source, &frame, &err) != CS_OK) {
            break;
        }
        wanted = med_queue_put(async->queue, frame);
    }
    med_queue_end(async->queue, err.status == CS_OK ? NULL : &err);
    return NULL;
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct async *async = (struct async *)self;
    if (!async->started) {
        async->queue = med_queue_create(FRAMES_AHEAD, 1, med_frame_free);
        if (pthread_create(&async->thread, NULL, run, async) != 0) {
            return cs_fail(err, CS_UNAVAILABLE, "out_of_memory", "no thread for filtering");
        }
        async->started = true;
    }
    void *frame = NULL;
    CS_TRY(med_queue_take(async->queue, &frame, err));
    if (frame == NULL) {
        return cs_fail(err, CS_INTERNAL, "filter", "a source gave fewer frames than it promised");
    }
    *ret_frame = frame;
    return CS_OK;
}

static void close_async(struct med_video *self) {
    struct async *async = (struct async *)self;
    if (async->started) {
        med_queue_stop(async->queue);
        pthread_join(async->thread, NULL);
        async->started = false;
    }
    med_queue_destroy(async->queue);
    async->queue = NULL;
}

struct med_video *med_graph_async(struct med_graph *graph, struct med_video *video) {
    struct async *async = (struct async *)med_graph_add_video(graph, sizeof(*async));
    async->pad = (struct med_video){
        .format = video->format,
        .frames = video->frames,
        .pull = pull,
        .close = close_async,
    };
    async->source = video;
    return &async->pad;
}
