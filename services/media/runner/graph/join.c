#include "graph/join.h"

#include "graph/av.h"
#include "graph/xfade.h"

struct join {
    struct med_video pad;
    struct med_video **parts;
    struct med_segment *segments;
    size_t count;
    const char *transition;
    size_t index;    /* the part that shows */
    int64_t taken;   /* frames pulled of it */
    int64_t blended; /* frames of the running transition */
    struct med_xfade xfade;
    int64_t next;
};

static void close_part(const struct join *join, size_t index) {
    if (join->parts[index]->close != NULL) {
        join->parts[index]->close(join->parts[index]);
    }
}

/* The part's own stretch is over: the next one has already given `blended` frames. */
static void go_on(struct join *join) {
    med_xfade_fini(&join->xfade);
    close_part(join, join->index);
    join->index++;
    join->taken = join->blended;
    join->blended = 0;
}

static enum cs_status blend(struct join *join, AVFrame **ret_frame, struct cs_err *err) {
    const struct med_segment *segment = &join->segments[join->index];
    if (join->blended == 0) {
        const char *transition = segment->transition != NULL ? segment->transition : join->transition;
        CS_TRY(med_xfade_start(&join->xfade, transition, segment->overlap, &join->pad.format, err));
    }
    MED_AUTO_FRAME *from = NULL;
    AVFrame *to = NULL;
    CS_TRY(join->parts[join->index]->pull(join->parts[join->index], &from, err));
    CS_TRY(join->parts[join->index + 1]->pull(join->parts[join->index + 1], &to, err));
    AVFrame *mine = from;
    from = NULL;
    CS_TRY(med_xfade_blend(&join->xfade, join->blended, mine, to, ret_frame, err));
    join->taken++;
    join->blended++;
    return CS_OK;
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct join *join = (struct join *)self;
    while (join->index + 1 < join->count && join->taken == join->segments[join->index].frames) {
        go_on(join);
    }
    const struct med_segment *segment = &join->segments[join->index];
    if (join->taken >= segment->frames - segment->overlap) {
        CS_TRY(blend(join, ret_frame, err));
    } else {
        CS_TRY(join->parts[join->index]->pull(join->parts[join->index], ret_frame, err));
        join->taken++;
    }
    (*ret_frame)->pts = join->next++;
    return CS_OK;
}

/* Whole transitions are skipped as the frames around them; of one that is entered every frame is made. */
static enum cs_status skip(struct med_video *self, int64_t frames, struct cs_err *err) {
    struct join *join = (struct join *)self;
    while (frames > 0) {
        while (join->index + 1 < join->count && join->taken == join->segments[join->index].frames) {
            go_on(join);
        }
        const struct med_segment *segment = &join->segments[join->index];
        int64_t plain = segment->frames - segment->overlap - join->taken;
        int64_t count = plain > 0 ? plain : join->blended == 0 && frames >= segment->overlap ? segment->overlap : 1;
        count = count < frames ? count : frames;
        if (plain <= 0 && count == 1) {
            AVFrame *frame = NULL;
            CS_TRY(pull(self, &frame, err));
            av_frame_free(&frame);
        } else {
            CS_TRY(med_video_skip(join->parts[join->index], count, err));
            join->taken += count;
            if (plain <= 0) {
                CS_TRY(med_video_skip(join->parts[join->index + 1], count, err));
                join->blended += count;
            }
            join->next += count;
        }
        frames -= count;
    }
    return CS_OK;
}

static void close_join(struct med_video *self) {
    med_xfade_fini(&((struct join *)self)->xfade);
}

struct med_video *med_join_video(struct med_graph *graph, struct med_video *const *parts,
                                 const struct med_segment *segments, size_t count, const char *transition) {
    struct join *join = (struct join *)med_graph_add_video(graph, sizeof(*join));
    const struct med_segment *last = &segments[count - 1];
    join->pad = (struct med_video){
        .format = parts[0]->format,
        .frames = last->start_frame + last->frames,
        .pull = pull,
        .skip = skip,
        .close = close_join,
    };
    join->parts = cs_arena_copy(graph->arena, parts, count * sizeof(struct med_video *));
    join->segments = cs_arena_copy(graph->arena, segments, count * sizeof(*segments));
    join->count = count;
    join->transition = transition;
    return &join->pad;
}
