#include "captions/blend.h"

#include <math.h>
#include <stdbool.h>

enum { BOX_COVERED = 250 };

struct paint {
    int y, u, v;
    unsigned opacity; /* 0 … 255 */
};

/* 0xRRGGBBAA with AA transparent at 255. */
static struct paint paint_of(uint32_t color) {
    double r = (color >> 24 & 0xff) / 255.0;
    double g = (color >> 16 & 0xff) / 255.0;
    double b = (color >> 8 & 0xff) / 255.0;
    double y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    return (struct paint){
        .y = (int)lround(16 + 219 * y),
        .u = (int)lround(128 + 224 * (b - y) / 1.8556),
        .v = (int)lround(128 + 224 * (r - y) / 1.5748),
        .opacity = 255 - (color & 0xff),
    };
}

/* (a * b + 127) / 255 for two bytes */
static inline unsigned times(unsigned a, unsigned b) {
    unsigned t = a * b + 128;
    return (t + (t >> 8)) >> 8;
}

static inline uint8_t mixed(unsigned under, unsigned over, unsigned alpha) {
    return (uint8_t)((under * (255 - alpha) + over * alpha + 127) / 255);
}

/* ---- boxes with round corners ---- */

struct mask {
    const ASS_Image *image;
    double radius; /* 0: square, or no box */
};

/* libass fills a box from edge to edge; letters leave their middle line open, or are as thin as a dash. What type an
 * image says it is is not set for all boxes. */
static bool is_box(const ASS_Image *image, double radius) {
    if (image->w < radius || image->h < radius) {
        return false;
    }
    const uint8_t *middle = image->bitmap + (ptrdiff_t)(image->h / 2) * image->stride;
    for (int x = 1; x + 1 < image->w; x++) {
        if (middle[x] < BOX_COVERED) {
            return false;
        }
    }
    return true;
}

static struct mask mask_of(const ASS_Image *image, double radius) {
    double most = (image->w < image->h ? image->w : image->h) / 2.0;
    bool rounded = radius > 0 && is_box(image, radius);
    return (struct mask){image, !rounded ? 0 : radius < most ? radius : most};
}

/* How far a pixel is beyond the straight part of an edge. */
static double beyond(int at, int size, double radius) {
    double centre = at + 0.5;
    return centre < radius ? radius - centre : centre > size - radius ? centre - (size - radius) : 0;
}

static unsigned covered(const struct mask *mask, int x, int y) {
    unsigned cover = mask->image->bitmap[(ptrdiff_t)y * mask->image->stride + x];
    if (mask->radius > 0 && cover != 0) {
        double away = hypot(beyond(x, mask->image->w, mask->radius), beyond(y, mask->image->h, mask->radius));
        double share = mask->radius - away + 0.5;
        cover = share >= 1 ? cover : share <= 0 ? 0 : (unsigned)lround(cover * share);
    }
    return cover;
}

static void blend_luma(AVFrame *frame, const struct mask *mask, const struct paint *paint) {
    const ASS_Image *image = mask->image;
    int left = image->dst_x < 0 ? -image->dst_x : 0;
    int right = image->dst_x + image->w > frame->width ? frame->width - image->dst_x : image->w;
    for (int row = 0; row < image->h; row++) {
        int y = image->dst_y + row;
        if (y < 0 || y >= frame->height) {
            continue;
        }
        uint8_t *out = frame->data[0] + (ptrdiff_t)y * frame->linesize[0] + image->dst_x;
        for (int x = left; x < right; x++) {
            unsigned cover = covered(mask, x, row);
            if (cover != 0) {
                out[x] = mixed(out[x], (unsigned)paint->y, times(cover, paint->opacity));
            }
        }
    }
}

static inline unsigned mask_at(const struct mask *mask, int x, int y) {
    const ASS_Image *image = mask->image;
    x -= image->dst_x;
    y -= image->dst_y;
    return x < 0 || y < 0 || x >= image->w || y >= image->h ? 0 : covered(mask, x, y);
}

/* A chroma sample is covered as much as its four pixels are on average. */
static void blend_chroma(AVFrame *frame, const struct mask *mask, const struct paint *paint) {
    const ASS_Image *image = mask->image;
    int first_x = image->dst_x < 0 ? 0 : image->dst_x / 2;
    int first_y = image->dst_y < 0 ? 0 : image->dst_y / 2;
    int end_x = (image->dst_x + image->w + 1) / 2;
    int end_y = (image->dst_y + image->h + 1) / 2;
    end_x = end_x > (frame->width + 1) / 2 ? (frame->width + 1) / 2 : end_x;
    end_y = end_y > (frame->height + 1) / 2 ? (frame->height + 1) / 2 : end_y;
    for (int y = first_y; y < end_y; y++) {
        uint8_t *u = frame->data[1] + (ptrdiff_t)y * frame->linesize[1];
        uint8_t *v = frame->data[2] + (ptrdiff_t)y * frame->linesize[2];
        for (int x = first_x; x < end_x; x++) {
            unsigned sum = mask_at(mask, 2 * x, 2 * y) + mask_at(mask, 2 * x + 1, 2 * y) +
                           mask_at(mask, 2 * x, 2 * y + 1) + mask_at(mask, 2 * x + 1, 2 * y + 1);
            if (sum != 0) {
                unsigned alpha = times((sum + 2) / 4, paint->opacity);
                u[x] = mixed(u[x], (unsigned)paint->u, alpha);
                v[x] = mixed(v[x], (unsigned)paint->v, alpha);
            }
        }
    }
}

void med_blend(AVFrame *frame, const ASS_Image *images, double box_radius) {
    for (const ASS_Image *image = images; image != NULL; image = image->next) {
        struct paint paint = paint_of(image->color);
        if (image->w > 0 && image->h > 0 && paint.opacity > 0) {
            struct mask mask = mask_of(image, box_radius);
            blend_luma(frame, &mask, &paint);
            blend_chroma(frame, &mask, &paint);
        }
    }
}
