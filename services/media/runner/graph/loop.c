#include "graph/loop.h"

#include "graph/timeline.h"

/* ---- pictures ---- */

struct loop {
    struct med_video pad;
    struct med_clip clip;
    struct med_fit fit;
    int threads;
    int64_t round; /* frames of one */
    int64_t next;
    struct med_graph *graph; /* of the running round, or NULL */
    struct med_video *clip_pad;
};

static void end_round(struct loop *loop) {
    med_graph_destroy(loop->graph);
    loop->graph = NULL;
}

static void begin_round(struct loop *loop) {
    loop->graph = med_graph_create(NULL, NULL);
    loop->graph->threads = loop->threads;
    loop->clip_pad = med_clip_fitted(loop->graph, &loop->clip, &loop->pad.format, loop->round, &loop->fit);
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct loop *loop = (struct loop *)self;
    if (loop->graph == NULL) {
        begin_round(loop);
    }
    CS_TRY(loop->clip_pad->pull(loop->clip_pad, ret_frame, err));
    (*ret_frame)->pts = loop->next++;
    if (loop->next % loop->round == 0) {
        end_round(loop);
    }
    return CS_OK;
}

/* Rounds that nobody sees are not run. */
static enum cs_status skip(struct med_video *self, int64_t frames, struct cs_err *err) {
    struct loop *loop = (struct loop *)self;
    int64_t within = loop->next % loop->round;
    if (loop->graph != NULL && within + frames >= loop->round) {
        end_round(loop);
    }
    loop->next += frames;
    within = loop->graph != NULL ? frames : loop->next % loop->round;
    if (within == 0) {
        return CS_OK;
    }
    if (loop->graph == NULL) {
        begin_round(loop);
    }
    return med_video_skip(loop->clip_pad, within, err);
}

static void close_loop(struct med_video *self) {
    end_round((struct loop *)self);
}

struct med_video *med_loop(struct med_graph *graph, const struct med_clip *clip,
                           const struct med_picture_format *format, int64_t frames, int64_t round,
                           const struct med_fit *fit) {
    struct loop *loop = (struct loop *)med_graph_add_video(graph, sizeof(*loop));
    loop->pad =
        (struct med_video){.format = *format, .frames = frames, .pull = pull, .skip = skip, .close = close_loop};
    loop->clip = *clip;
    loop->fit = *fit;
    loop->threads = graph->threads;
    loop->round = round;
    return &loop->pad;
}

/* ---- sound ---- */

struct loop_audio {
    struct med_audio pad;
    struct med_clip clip;
    AVRational rate;
    int64_t round; /* frames of one */
    double volume;
    int64_t index; /* of the running round */
    int64_t given;
    int64_t end;             /* sample at which the running round ends */
    struct med_graph *graph; /* of the running round, or NULL */
    struct med_audio *clip_pad;
};

static void end_round_of_sound(struct loop_audio *loop) {
    med_graph_destroy(loop->graph);
    loop->graph = NULL;
}

static void begin_round_of_sound(struct loop_audio *loop) {
    int64_t end = med_samples_at_frame((loop->index + 1) * loop->round, loop->rate);
    loop->end = end < loop->pad.samples ? end : loop->pad.samples;
    loop->graph = med_graph_create(NULL, NULL);
    loop->clip_pad = med_clip_audio(loop->graph, &loop->clip, loop->end - loop->given, loop->volume);
}

static enum cs_status pull_sound(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct loop_audio *loop = (struct loop_audio *)self;
    while (count > 0) {
        if (loop->graph == NULL) {
            begin_round_of_sound(loop);
        }
        int64_t left = loop->end - loop->given;
        size_t chunk = left < (int64_t)count ? (size_t)left : count;
        CS_TRY(loop->clip_pad->pull(loop->clip_pad, ret_stereo, chunk, err));
        loop->given += (int64_t)chunk;
        if (loop->given == loop->end) {
            end_round_of_sound(loop);
            loop->index++;
        }
        ret_stereo += 2 * chunk;
        count -= chunk;
    }
    return CS_OK;
}

static void close_sound(struct med_audio *self) {
    end_round_of_sound((struct loop_audio *)self);
}

struct med_audio *med_loop_audio(struct med_graph *graph, const struct med_clip *clip, int64_t samples, AVRational rate,
                                 int64_t round, double volume) {
    struct loop_audio *loop = (struct loop_audio *)med_graph_add_audio(graph, sizeof(*loop));
    loop->pad = (struct med_audio){.samples = samples, .pull = pull_sound, .close = close_sound};
    loop->clip = *clip;
    loop->rate = rate;
    loop->round = round;
    loop->volume = volume;
    return &loop->pad;
}
