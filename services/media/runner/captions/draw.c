#include "captions/draw.h"

#include <ass/ass.h>
#include <math.h>
#include <string.h>

#include "captions/blend.h"
#include "graph/av.h"

enum { CANVAS_SHORT_SIDE = 1080, GLYPHS_CACHED = 4096, BITMAP_CACHE_MB = 32 };

struct draw {
    struct med_filter filter;
    ASS_Library *library;
    ASS_Renderer *renderer;
    ASS_Track *track;
    double box_radius; /* in pixels */
};

static void quiet(int level, const char *fmt, va_list args, void *data) {
    (void)level, (void)fmt, (void)args, (void)data;
}

void med_canvas(const struct med_picture_format *format, int *ret_width, int *ret_height) {
    int shorter = format->width < format->height ? format->width : format->height;
    double scale = (double)CANVAS_SHORT_SIDE / shorter;
    *ret_width = (int)lround(format->width * scale);
    *ret_height = (int)lround(format->height * scale);
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct draw *draw = (struct draw *)self;
    MED_AUTO_FRAME *frame = NULL;
    CS_TRY(draw->filter.source->pull(draw->filter.source, &frame, err));
    AVRational rate = draw->filter.pad.format.rate;
    long long now_ms = av_rescale_rnd(frame->pts * 1000, rate.den, rate.num, AV_ROUND_DOWN);
    const ASS_Image *images = ass_render_frame(draw->renderer, draw->track, now_ms, NULL);
    if (images != NULL) {
        int64_t pts = frame->pts;
        int result = av_frame_make_writable(frame);
        if (result < 0) {
            return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "drawing captions");
        }
        frame->pts = pts;
        med_blend(frame, images, draw->box_radius);
    }
    *ret_frame = frame;
    frame = NULL;
    return CS_OK;
}

static void close_draw(struct med_video *self) {
    struct draw *draw = (struct draw *)self;
    if (draw->track != NULL) {
        ass_free_track(draw->track);
    }
    if (draw->renderer != NULL) {
        ass_renderer_done(draw->renderer);
    }
    if (draw->library != NULL) {
        ass_library_done(draw->library);
    }
    draw->track = NULL;
    draw->renderer = NULL;
    draw->library = NULL;
    med_filter_close(self);
}

static enum cs_status set_up(struct draw *draw, char *document, size_t size_bytes, const struct med_font_set *fonts,
                             struct cs_err *err) {
    draw->library = ass_library_init();
    if (draw->library == NULL) {
        return cs_fail(err, CS_INTERNAL, "captions", "libass does not start");
    }
    ass_set_message_cb(draw->library, quiet, NULL);
    med_fonts_give(fonts, draw->library);
    draw->renderer = ass_renderer_init(draw->library);
    draw->track = draw->renderer == NULL ? NULL : ass_read_memory(draw->library, document, size_bytes, NULL);
    if (draw->track == NULL) {
        return cs_fail(err, CS_INTERNAL, "captions", "libass refuses the document");
    }
    ass_set_fonts(draw->renderer, NULL, fonts->count > 0 ? fonts->families[0] : NULL, ASS_FONTPROVIDER_NONE, NULL, 0);
    ass_set_frame_size(draw->renderer, draw->filter.pad.format.width, draw->filter.pad.format.height);
    ass_set_storage_size(draw->renderer, draw->filter.pad.format.width, draw->filter.pad.format.height);
    ass_set_shaper(draw->renderer, ASS_SHAPING_COMPLEX);
    ass_set_cache_limits(draw->renderer, GLYPHS_CACHED, BITMAP_CACHE_MB);
    return CS_OK;
}

enum cs_status med_draw(struct med_graph *graph, struct med_video *video, const char *document, size_t size_bytes,
                        const struct med_font_set *fonts, double box_radius, struct med_video **ret_video,
                        struct cs_err *err) {
    struct draw *draw = (struct draw *)med_graph_add_filter(graph, sizeof(*draw), video);
    draw->filter.pad.pull = pull;
    draw->filter.pad.close = close_draw;
    int width = video->format.width;
    int height = video->format.height;
    draw->box_radius = box_radius * (width < height ? width : height) / CANVAS_SHORT_SIDE;
    CS_TRY(set_up(draw, cs_arena_copy(graph->arena, document, size_bytes), size_bytes, fonts, err));
    *ret_video = &draw->filter.pad;
    return CS_OK;
}
