#include "graph/pick.h"

struct picked {
    struct med_video *source;
    int64_t next;
};

struct pick {
    struct med_video pad;
    struct picked *from;
    int64_t frame;
};

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct pick *pick = (struct pick *)self;
    struct picked *from = pick->from;
    CS_TRY(med_video_skip(from->source, pick->frame - from->next, err));
    CS_TRY(from->source->pull(from->source, ret_frame, err));
    from->next = pick->frame + 1;
    (*ret_frame)->pts = 0;
    return CS_OK;
}

void med_pick(struct med_graph *graph, struct med_video *source, const int64_t *frames, size_t count,
              struct med_video **ret_pads) {
    struct picked *from = cs_arena_alloc(graph->arena, sizeof(*from));
    *from = (struct picked){.source = source};
    for (size_t i = 0; i < count; i++) {
        struct pick *pick = (struct pick *)med_graph_add_video(graph, sizeof(*pick));
        pick->pad = (struct med_video){.format = source->format, .frames = 1, .pull = pull};
        pick->from = from;
        pick->frame = frames[i];
        ret_pads[i] = &pick->pad;
    }
}
