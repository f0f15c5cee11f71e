#include "graph/tiles.h"

#include <libavutil/imgutils.h>

#include "graph/av.h"
#include "graph/black.h"

struct tiles {
    struct med_video pad;
    struct med_video *const *pads;
    size_t count;
    int columns;
};

static void lay(AVFrame *canvas, const AVFrame *tile, int x, int y) {
    for (int plane = 0; plane < 3; plane++) {
        int shift = plane == 0 ? 0 : 1;
        uint8_t *to = canvas->data[plane] + (ptrdiff_t)(y >> shift) * canvas->linesize[plane] + (x >> shift);
        av_image_copy_plane(to, canvas->linesize[plane], tile->data[plane], tile->linesize[plane], tile->width >> shift,
                            tile->height >> shift);
    }
}

static enum cs_status pull(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct tiles *tiles = (struct tiles *)self;
    MED_AUTO_FRAME *canvas = NULL;
    CS_TRY(med_black_frame(&self->format, &canvas, err));
    for (size_t i = 0; i < tiles->count; i++) {
        struct med_video *pad = tiles->pads[i];
        MED_AUTO_FRAME *tile = NULL;
        CS_TRY(pad->pull(pad, &tile, err));
        lay(canvas, tile, (int)i % tiles->columns * pad->format.width, (int)i / tiles->columns * pad->format.height);
        if (pad->close != NULL) {
            pad->close(pad);
        }
    }
    canvas->pts = 0;
    *ret_frame = canvas;
    canvas = NULL;
    return CS_OK;
}

struct med_video *med_tiles(struct med_graph *graph, struct med_video *const *pads, size_t count, int columns) {
    struct tiles *tiles = (struct tiles *)med_graph_add_video(graph, sizeof(*tiles));
    int rows = ((int)count + columns - 1) / columns;
    tiles->pad = (struct med_video){.format = pads[0]->format, .frames = 1, .pull = pull};
    tiles->pad.format.width *= columns;
    tiles->pad.format.height *= rows;
    tiles->pads = pads;
    tiles->count = count;
    tiles->columns = columns;
    return &tiles->pad;
}
