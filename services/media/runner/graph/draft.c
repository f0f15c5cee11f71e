#include "graph/draft.h"

#include <stdlib.h>

#include "cs/base/auto.h"
#include "cs/base/mem.h"
#include "graph/av.h"
#include "graph/progress.h"
#include "graph/shrink.h"
#include "graph/stream.h"
#include "graph/timeline.h"

enum { MADE_PER_S = 12 /* pictures of an earlier operation */ };

struct med_draft {
    struct med_graph *graph;
    struct med_clip clip;
    struct med_draft_wish wish;
    struct med_shrink shrink;
    struct med_stream *stream; /* of a file */
    struct med_video *made;    /* of an earlier operation */
    int64_t step;              /* of its frames that are looked at */
    bool begun;
    int64_t last; /* frame given */
    struct med_progress progress;
};

enum cs_status med_draft_open(struct med_graph *graph, const struct med_clip *clip, const struct med_draft_wish *wish,
                              struct med_draft **ret_draft, struct cs_err *err) {
    CS_AUTO(med_draft) *draft = cs_alloc(sizeof(*draft));
    draft->graph = graph;
    draft->clip = *clip;
    draft->wish = *wish;
    draft->last = wish->from - 1;
    draft->progress = med_progress_begin(graph->events, "looking",
                                         med_ticks_to_us(med_ticks_at_frame(wish->frames, wish->format.rate)));
    draft->progress.part = true;
    draft->step = wish->every ? 1 : (int64_t)(av_q2d(wish->format.rate) / MADE_PER_S);
    draft->step = draft->step < 1 ? 1 : draft->step;
    med_shrink_init(&draft->shrink, wish->width, wish->height);
    if (clip->made != NULL) {
        draft->made = med_clip_video(graph, clip, &wish->format, wish->frames, MED_FIT_STRETCH, MED_ANCHOR_CENTER);
    } else {
        const struct med_video_facts *video = &clip->facts->video;
        enum med_effort effort = wish->every ? MED_EFFORT_ROUGH : MED_EFFORT_SOME;
        draft->clip.from_ticks = med_ticks_at_frame(wish->from, wish->format.rate);
        int64_t seek_ticks = med_clip_seek_ticks(&draft->clip, video->start_ticks);
        CS_TRY(med_stream_open_rough(clip->fd, video->stream, graph->threads, seek_ticks, effort, &draft->stream, err));
    }
    *ret_draft = cs_steal(&draft);
    return CS_OK;
}

static void tell(struct med_draft *draft, int64_t frame) {
    med_progress_tell(&draft->progress, med_ticks_to_us(med_ticks_at_frame(frame, draft->wish.format.rate)));
}

/* The next picture of a file at a frame of its own. */
static enum cs_status decode(struct med_draft *draft, AVFrame **ret_frame, int64_t *ret_index, struct cs_err *err) {
    for (;;) {
        MED_AUTO_FRAME *frame = NULL;
        CS_TRY(med_stream_next(draft->stream, &frame, err));
        if (frame == NULL) {
            *ret_index = -1;
            return CS_OK;
        }
        int64_t ticks = med_ticks_from(frame->pts, med_stream_info(draft->stream)->time_base);
        int64_t index = med_frames_at(ticks - draft->clip.facts->video.start_ticks, draft->wish.format.rate);
        if (index >= draft->wish.frames) {
            *ret_index = -1;
            return CS_OK;
        }
        if (index > draft->last && index >= 0) {
            *ret_index = index;
            *ret_frame = frame;
            frame = NULL;
            return CS_OK;
        }
    }
}

static enum cs_status make(struct med_draft *draft, AVFrame **ret_frame, int64_t *ret_index, struct cs_err *err) {
    int64_t index = draft->begun ? draft->last + draft->step : draft->wish.from;
    if (index >= draft->wish.frames) {
        *ret_index = -1;
        return CS_OK;
    }
    CS_TRY(med_video_skip(draft->made, draft->begun ? draft->step - 1 : index, err));
    draft->begun = true;
    CS_TRY(draft->made->pull(draft->made, ret_frame, err));
    *ret_index = index;
    return CS_OK;
}

enum cs_status med_draft_next(struct med_draft *draft, uint8_t *ret_grey, int64_t *ret_frame, struct cs_err *err) {
    MED_AUTO_FRAME *frame = NULL;
    int64_t index = -1;
    enum cs_status status = draft->made != NULL ? make(draft, &frame, &index, err) : decode(draft, &frame, &index, err);
    if (status == CS_OK && frame != NULL) {
        const AVStream *stream = draft->stream == NULL ? NULL : med_stream_info(draft->stream);
        status = med_shrink_apply(&draft->shrink, frame, stream, ret_grey, err);
        draft->last = index;
        tell(draft, index);
    }
    if (status != CS_OK) {
        return err->path[0] != '\0' ? status : cs_err_at(err, draft->clip.path);
    }
    *ret_frame = index;
    return CS_OK;
}

void med_draft_close(struct med_draft *draft) {
    if (draft == NULL) {
        return;
    }
    med_stream_close(draft->stream);
    med_shrink_fini(&draft->shrink);
    free(draft);
}
