#include "graph/tee.h"

#include "graph/av.h"
#include "graph/queue.h"

enum { FRAMES_AHEAD = 4 };

struct branch {
    struct med_video pad;
    struct med_queue *queue;
};

struct med_tee {
    struct med_video pad; /* nobody pulls it: it is closed behind its branches */
    struct med_video *source;
    struct branch *branches[MED_TEE_BRANCHES_MAX];
    size_t count;
};

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    void *frame = NULL;
    CS_TRY(med_queue_take(((struct branch *)self)->queue, &frame, err));
    if (frame == NULL) {
        return cs_fail(err, CS_INTERNAL, "filter", "a source gave fewer frames than it promised");
    }
    *ret_frame = frame;
    return CS_OK;
}

/* The queue stays: who fills it may be at it. */
static void close_branch(struct med_video *self) {
    med_queue_stop(((struct branch *)self)->queue);
}

static void close_tee(struct med_video *self) {
    struct med_tee *tee = (struct med_tee *)self;
    for (size_t i = 0; i < tee->count; i++) {
        med_queue_destroy(tee->branches[i]->queue);
    }
    tee->count = 0;
}

struct med_tee *med_tee_create(struct med_graph *graph, struct med_video *source, size_t branches) {
    struct med_tee *tee = (struct med_tee *)med_graph_add_video(graph, sizeof(*tee));
    tee->pad.close = close_tee;
    tee->source = source;
    for (; tee->count < branches && tee->count < MED_TEE_BRANCHES_MAX; tee->count++) {
        struct branch *branch = (struct branch *)med_graph_add_video(graph, sizeof(*branch));
        branch->pad = (struct med_video){
            .format = source->format,
            .frames = source->frames,
            .pull = pull,
            .close = close_branch,
        };
        branch->queue = med_queue_create(FRAMES_AHEAD, 1, med_frame_free);
        tee->branches[tee->count] = branch;
    }
    return tee;
}

struct med_video *med_tee_branch(struct med_tee *tee, size_t index) {
    return &tee->branches[index]->pad;
}

static enum cs_status hand_out(struct med_tee *tee, const AVFrame *frame, struct cs_err *err) {
    for (size_t i = 0; i < tee->count; i++) {
        AVFrame *shared = av_frame_clone(frame);
        if (shared == NULL) {
            return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "a frame");
        }
        if (!med_queue_put(tee->branches[i]->queue, shared)) {
            return cs_fail(err, CS_CANCELLED, "tee_ended", "another rendition has failed");
        }
    }
    return CS_OK;
}

static enum cs_status run(struct med_tee *tee, med_tee_step *step, void *ctx, struct cs_err *err) {
    for (int64_t n = 0; n < tee->source->frames; n++) {
        MED_AUTO_FRAME *frame = NULL;
        CS_TRY(tee->source->pull(tee->source, &frame, err));
        CS_TRY(hand_out(tee, frame, err));
        step(ctx, n + 1);
    }
    return CS_OK;
}

static void end(struct med_tee *tee, const struct cs_err *failure) {
    for (size_t i = 0; i < tee->count; i++) {
        med_queue_end(tee->branches[i]->queue, failure);
    }
}

void med_tee_give_up(struct med_tee *tee, const struct cs_err *failure) {
    end(tee, failure);
}

enum cs_status med_tee_run(struct med_tee *tee, med_tee_step *step, void *ctx, struct cs_err *err) {
    struct cs_err failure = {0};
    enum cs_status status = run(tee, step, ctx, &failure);
    end(tee, status == CS_OK ? NULL : &failure);
    if (status != CS_OK && err != NULL) {
        *err = failure;
    }
    return status;
}
