#include "graph/clip_made.h"

#include <string.h>

#include "graph/av.h"
#include "graph/made.h"
#include "graph/sound.h"
#include "graph/timeline.h"

/* ---- pictures ---- */

struct made_video {
    struct med_video pad;
    struct med_clip clip;
    struct med_fit fit;
    struct med_video *source; /* NULL: could not be made, see err */
    struct cs_err err;
    int64_t from;     /* frame, at this node's rate, at which the clip begins */
    int64_t next;     /* frame to give */
    int64_t taken;    /* frames of the source pulled or skipped */
    AVFrame *current; /* as it came */
    bool stale;       /* it is to be fitted */
    AVFrame *shown;   /* fitted */
};

/* From which frame on picture k of the source is shown: as with the pictures of a file. */
static int64_t index_of(const struct made_video *node, int64_t k) {
    return med_frames_at(med_ticks_at_frame(k, node->source->format.rate), node->pad.format.rate) - node->from;
}

/* Makes `current` the picture of frame `next`: those before it are skipped, not made. */
static enum cs_status advance_picture(struct made_video *node, struct cs_err *err) {
    int64_t last = node->taken;
    while (last < node->source->frames && index_of(node, last) <= node->next) {
        last++;
    }
    if (last == node->taken && node->current == NULL && node->shown == NULL) {
        last++; /* the clip begins before its first picture */
    }
    if (last > node->taken) {
        CS_TRY(med_video_skip(node->source, last - 1 - node->taken, err));
        av_frame_free(&node->current);
        CS_TRY(node->source->pull(node->source, &node->current, err));
        node->stale = true;
        node->taken = last;
    }
    return CS_OK;
}

static enum cs_status pull_picture(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct made_video *node = (struct made_video *)self;
    if (node->source == NULL) {
        *err = node->err;
        return err->status;
    }
    CS_TRY(advance_picture(node, err));
    if (med_clip_follow(&node->fit, node->next) || node->stale) {
        av_frame_free(&node->shown);
        CS_TRY(med_fit_apply(&node->fit, node->current, NULL, &node->shown, err));
        node->stale = false;
    }
    if (node->fit.path == NULL) {
        av_frame_free(&node->current);
    }
    AVFrame *frame = av_frame_clone(node->shown);
    if (frame == NULL) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "a frame");
    }
    frame->pts = node->next++;
    *ret_frame = frame;
    return CS_OK;
}

static enum cs_status skip_picture(struct med_video *self, int64_t frames, struct cs_err *err) {
    (void)err;
    ((struct made_video *)self)->next += frames;
    return CS_OK;
}

static void close_picture(struct med_video *self) {
    struct made_video *node = (struct made_video *)self;
    if (node->source != NULL && node->source->close != NULL) {
        node->source->close(node->source);
    }
    av_frame_free(&node->current);
    av_frame_free(&node->shown);
    med_fit_fini(&node->fit);
}

struct med_video *med_clip_made_video(struct med_graph *graph, const struct med_clip *clip,
                                      const struct med_picture_format *format, int64_t frames,
                                      const struct med_fit *fit) {
    struct med_video *source = NULL;
    struct cs_err err = {0};
    enum cs_status status = med_made_picture(clip->made, graph, &source, &err);
    struct made_video *node = (struct made_video *)med_graph_add_video(graph, sizeof(*node));
    node->pad = (struct med_video){
        .format = *format, .frames = frames, .pull = pull_picture, .skip = skip_picture, .close = close_picture};
    node->clip = *clip;
    node->source = status == CS_OK ? source : NULL;
    node->err = err;
    node->from = med_frames_at(clip->from_ticks, format->rate);
    node->fit = *fit;
    return &node->pad;
}

/* ---- sound ---- */

struct made_audio {
    struct med_audio pad;
    struct med_audio *source; /* NULL: could not be made, see err */
    struct cs_err err;
    float volume;
    int64_t from; /* sample of the source at which the clip begins */
    int64_t given;
    bool begun;
    bool bare_head;
    bool bare_tail;
};

static enum cs_status pull_sound(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct made_audio *node = (struct made_audio *)self;
    if (node->source == NULL) {
        *err = node->err;
        return err->status;
    }
    if (!node->begun) {
        node->begun = true;
        CS_TRY(med_audio_skip(node->source, node->from, err));
    }
    int64_t left = node->source->samples - node->from - node->given;
    size_t have = left <= 0 ? 0 : left < (int64_t)count ? (size_t)left : count;
    if (have > 0) {
        CS_TRY(node->source->pull(node->source, ret_stereo, have, err));
    }
    memset(ret_stereo + 2 * have, 0, (count - have) * 2 * sizeof(float));
    med_sound_scale(ret_stereo, count, node->volume);
    if (node->from > 0 && !node->bare_head) {
        med_sound_fade_head(ret_stereo, count, node->given, MED_CUT_FADE_SAMPLES);
    }
    if (node->from + node->pad.samples < node->source->samples && !node->bare_tail) {
        med_sound_fade_tail(ret_stereo, count, node->given, node->pad.samples, MED_CUT_FADE_SAMPLES);
    }
    node->given += (int64_t)count;
    return CS_OK;
}

static void close_sound(struct med_audio *self) {
    struct made_audio *node = (struct made_audio *)self;
    if (node->source != NULL && node->source->close != NULL) {
        node->source->close(node->source);
    }
}

struct med_audio *med_clip_made_audio(struct med_graph *graph, const struct med_clip *clip, int64_t samples,
                                      double volume) {
    struct med_audio *source = NULL;
    struct cs_err err = {0};
    enum cs_status status = med_made_sound(clip->made, graph, &source, &err);
    struct made_audio *node = (struct made_audio *)med_graph_add_audio(graph, sizeof(*node));
    node->pad = (struct med_audio){.samples = samples, .pull = pull_sound, .close = close_sound};
    node->source = status == CS_OK ? source : NULL;
    node->err = err;
    node->volume = (float)volume;
    node->bare_head = clip->bare_head;
    node->bare_tail = clip->bare_tail;
    node->from = av_rescale(clip->from_ticks, MED_SAMPLE_RATE, MED_TICKS_PER_S);
    return &node->pad;
}
