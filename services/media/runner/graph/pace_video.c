#include "graph/av.h"
#include "graph/pace.h"

struct pace {
    struct med_video pad;
    struct med_video *source;
    const struct med_run *run;
    size_t index;   /* the stretch that plays */
    int64_t next;   /* frame to give */
    int64_t taken;  /* frames of the source pulled or skipped */
    AVFrame *shown; /* frame taken - 1 of it */
};

/* Which frame of the source is shown next. */
static int64_t wanted(struct pace *pace) {
    const struct med_stretch *stretch = &pace->run->stretches[pace->index];
    while (pace->next >= stretch->at + stretch->frames) {
        stretch = &pace->run->stretches[++pace->index];
    }
    return med_stretch_shows(stretch, pace->next - stretch->at) - pace->run->stretches[0].first;
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct pace *pace = (struct pace *)self;
    int64_t want = wanted(pace);
    if (want >= pace->taken) {
        av_frame_free(&pace->shown);
        CS_TRY(med_video_skip(pace->source, want - pace->taken, err));
        CS_TRY(pace->source->pull(pace->source, &pace->shown, err));
        pace->taken = want + 1;
    }
    AVFrame *frame = av_frame_clone(pace->shown);
    if (frame == NULL) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "a frame");
    }
    frame->pts = pace->next++;
    *ret_frame = frame;
    return CS_OK;
}

static enum cs_status skip(struct med_video *self, int64_t frames, struct cs_err *err) {
    (void)err;
    ((struct pace *)self)->next += frames;
    return CS_OK;
}

static void close_pace(struct med_video *self) {
    struct pace *pace = (struct pace *)self;
    av_frame_free(&pace->shown);
    if (pace->source->close != NULL) {
        pace->source->close(pace->source);
    }
}

struct med_video *med_pace_video(struct med_graph *graph, struct med_video *source, const struct med_run *run) {
    struct pace *pace = (struct pace *)med_graph_add_video(graph, sizeof(*pace));
    pace->pad = (struct med_video){
        .format = source->format, .frames = run->frames, .pull = pull, .skip = skip, .close = close_pace};
    pace->source = source;
    pace->run = run;
    return &pace->pad;
}
