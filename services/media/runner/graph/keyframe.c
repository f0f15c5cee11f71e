#include "graph/keyframe.h"

#include "graph/av.h"
#include "graph/stream.h"
#include "graph/timeline.h"

struct keyframe {
    struct med_video pad;
    struct med_clip clip;
    struct med_fit fit;
    struct med_video *exact; /* opened only when the key frame cannot be had */
};

static enum cs_status decode(struct keyframe *node, AVFrame **ret_frame, struct cs_err *err) {
    const struct med_video_facts *video = &node->clip.facts->video;
    CS_AUTO(med_stream) *stream = NULL;
    MED_AUTO_FRAME *decoded = NULL;
    CS_TRY(med_stream_open_at_key(node->clip.fd, video->stream, video->start_ticks + node->clip.from_ticks, &stream,
                                  &decoded, err));
    int64_t ticks = med_ticks_from(decoded->pts, med_stream_info(stream)->time_base) - video->start_ticks;
    if (ticks > node->clip.from_ticks || ticks < node->clip.from_ticks - med_keyframe_reach(&node->clip)) {
        return cs_fail(err, CS_NOT_FOUND, "no_key", "no key frame is where it should be");
    }
    enum cs_status status = med_fit_apply(&node->fit, decoded, med_stream_info(stream), ret_frame, err);
    med_fit_fini(&node->fit);
    return status;
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct keyframe *node = (struct keyframe *)self;
    struct cs_err none = {0};
    if (decode(node, ret_frame, &none) == CS_OK) {
        (*ret_frame)->pts = 0;
        return CS_OK;
    }
    return node->exact->pull(node->exact, ret_frame, err);
}

static void close_keyframe(struct med_video *self) {
    struct keyframe *node = (struct keyframe *)self;
    med_fit_fini(&node->fit);
    node->exact->close(node->exact);
}

struct med_video *med_keyframe(struct med_graph *graph, const struct med_clip *clip,
                               const struct med_picture_format *format, enum med_fit_mode mode,
                               enum med_anchor anchor) {
    struct med_video *exact = med_clip_video(graph, clip, format, 1, mode, anchor);
    struct keyframe *node = (struct keyframe *)med_graph_add_video(graph, sizeof(*node));
    node->pad = (struct med_video){.format = *format, .frames = 1, .pull = pull, .close = close_keyframe};
    node->clip = *clip;
    node->fit = (struct med_fit){
        .mode = mode, .anchor = anchor, .width = format->width, .height = format->height, .threads = graph->threads};
    node->exact = exact;
    return &node->pad;
}

int64_t med_keyframe_reach(const struct med_clip *clip) {
    const struct med_video_facts *video = &clip->facts->video;
    bool steady = !video->variable_rate || video->nearly_steady;
    if (clip->made != NULL || video->interlaced || !steady || video->gops.longest < 1 || video->rate.num < 1) {
        return 0;
    }
    return med_ticks_at_frame(video->gops.longest, video->rate);
}
