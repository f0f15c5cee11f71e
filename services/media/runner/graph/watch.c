#include "graph/watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/timeline.h"

enum {
    ROWS = 27,
    BLACK_LUMA_MAX = 32,
    BLACK_PERCENT = 98, /* of the pixels looked at */
    FREEZE_STEPS = 4,   /* of a luma level, that pictures may differ on average: a quarter of one */
    QUIET_BLOCK = 480,  /* samples judged together */
};

static const double black_min_s = 0.5;
static const double frozen_min_s = 2;
static const double silent_min_s = 2;
static const float quiet = 0.001F; /* -60 dBFS */

static void close_span(struct med_spans *spans, int64_t position, bool counts) {
    if (spans->since >= 0 && (counts || position - spans->since >= spans->shortest) && spans->count < MED_SPANS_MAX) {
        spans->items[spans->count].start = spans->since;
        spans->items[spans->count++].end = position;
    }
    spans->since = -1;
}

void med_spans_note(struct med_spans *spans, int64_t position, bool so) {
    if (so && spans->since < 0) {
        spans->since = position;
    }
    if (!so) {
        close_span(spans, position, spans->parted && spans->since == 0);
    }
}

void med_spans_end(struct med_spans *spans, int64_t position) {
    close_span(spans, position, spans->parted);
}

void med_spans_join(struct med_spans *spans, int64_t start, int64_t end) {
    if (spans->count > 0 && start <= spans->items[spans->count - 1].end) {
        int64_t *last = &spans->items[spans->count - 1].end;
        *last = end > *last ? end : *last;
        return;
    }
    med_spans_joined(spans);
    if (spans->count < MED_SPANS_MAX) {
        spans->items[spans->count].start = start;
        spans->items[spans->count++].end = end;
    }
}

void med_spans_joined(struct med_spans *spans) {
    if (spans->count > 0 &&
        spans->items[spans->count - 1].end - spans->items[spans->count - 1].start < spans->shortest) {
        spans->count--;
    }
}

/* ---- pictures ---- */

struct picture_watch {
    struct med_filter filter;
    struct med_picture_findings *findings;
    uint8_t *before; /* rows of the picture before */
};

static size_t count_dark(const uint8_t *row, int width) {
    size_t dark = 0;
    for (int x = 0; x < width; x++) {
        dark += row[x] <= BLACK_LUMA_MAX;
    }
    return dark;
}

static uint64_t difference(const uint8_t *row, const uint8_t *before, int width) {
    uint32_t sum = 0; /* 16,384 pixels do not fill it */
    for (int x = 0; x < width; x++) {
        sum += (uint32_t)abs(row[x] - before[x]);
    }
    return sum;
}

static void look(struct picture_watch *watch, const AVFrame *frame) {
    struct med_picture_findings *findings = watch->findings;
    size_t pixels = (size_t)ROWS * (size_t)frame->width;
    size_t dark = 0;
    uint64_t changed = 0;
    for (int i = 0; i < ROWS; i++) {
        const uint8_t *row =
            frame->data[0] + (ptrdiff_t)((2 * i + 1) * frame->height / (2 * ROWS)) * frame->linesize[0];
        uint8_t *before = watch->before + (size_t)i * (size_t)frame->width;
        dark += count_dark(row, frame->width);
        changed += difference(row, before, frame->width);
        memcpy(before, row, (size_t)frame->width);
    }
    bool still = findings->frames > 0 && changed * FREEZE_STEPS <= pixels;
    med_spans_note(&findings->black, findings->frames, dark * 100 >= pixels * BLACK_PERCENT);
    /* what stands still is also the picture that the first still one repeats */
    med_spans_note(&findings->frozen, still && findings->frozen.since < 0 ? findings->frames - 1 : findings->frames,
                   still);
    findings->frames++;
}

static enum cs_status pull_picture(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct picture_watch *watch = (struct picture_watch *)self;
    struct med_video *source = watch->filter.source;
    AVFrame *frame = NULL;
    CS_TRY(source->pull(source, &frame, err));
    if (frame->format == AV_PIX_FMT_YUV420P && frame->width == self->format.width &&
        frame->height == self->format.height) { /* the encoder refuses others */
        look(watch, frame);
    }
    if (watch->findings->frames == self->frames) {
        med_spans_end(&watch->findings->black, self->frames);
        med_spans_end(&watch->findings->frozen, self->frames);
    }
    *ret_frame = frame;
    return CS_OK;
}

static struct med_spans spans_of(double shortest_s, double per_second) {
    return (struct med_spans){.shortest = llround(shortest_s * per_second), .since = -1};
}

void med_picture_findings_init(struct med_picture_findings *ret_findings, AVRational rate) {
    *ret_findings = (struct med_picture_findings){
        .rate = rate,
        .black = spans_of(black_min_s, av_q2d(rate)),
        .frozen = spans_of(frozen_min_s, av_q2d(rate)),
    };
}

struct med_video *med_watch_picture(struct med_graph *graph, struct med_video *video,
                                    struct med_picture_findings *findings) {
    struct picture_watch *watch = (struct picture_watch *)med_graph_add_filter(graph, sizeof(*watch), video);
    med_picture_findings_init(findings, video->format.rate);
    watch->filter.pad.pull = pull_picture;
    watch->filter.pad.skip = NULL;
    watch->findings = findings;
    watch->before = cs_arena_array(graph->arena, ROWS, (size_t)video->format.width);
    return &watch->filter.pad;
}

/* ---- sound ---- */

struct sound_watch {
    struct med_audio pad;
    struct med_audio *source;
    struct med_sound_findings *findings;
    struct med_meter *meter;
    bool loud; /* something of the block that is going on */
};

static bool is_loud(const float *samples, size_t count) {
    bool loud = false;
    for (size_t i = 0; i < count; i++) {
        loud |= fabsf(samples[i]) >= quiet;
    }
    return loud;
}

static void listen(struct sound_watch *watch, const float *stereo, size_t count) {
    struct med_sound_findings *findings = watch->findings;
    while (count > 0) {
        size_t left = (size_t)(QUIET_BLOCK - findings->samples % QUIET_BLOCK);
        size_t some = left < count ? left : count;
        watch->loud |= is_loud(stereo, 2 * some);
        findings->samples += (int64_t)some;
        if (some == left || findings->samples == watch->pad.samples) {
            int64_t block = (findings->samples - 1) / QUIET_BLOCK * QUIET_BLOCK;
            med_spans_note(&findings->silent, block, !watch->loud);
            watch->loud = false;
        }
        stereo += 2 * some;
        count -= some;
    }
}

static enum cs_status pull_sound(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct sound_watch *watch = (struct sound_watch *)self;
    if (watch->meter == NULL && watch->findings->samples == 0) {
        watch->meter = med_meter_create();
    }
    CS_TRY(watch->source->pull(watch->source, ret_stereo, count, err));
    if (watch->meter == NULL) {
        return cs_fail(err, CS_UNAVAILABLE, "out_of_memory", "the loudness cannot be measured");
    }
    CS_TRY(med_meter_add(watch->meter, ret_stereo, count, err));
    listen(watch, ret_stereo, count);
    if (watch->findings->samples == self->samples) {
        med_spans_end(&watch->findings->silent, self->samples);
        CS_TRY(med_meter_read(watch->meter, &watch->findings->loudness, err));
    }
    return CS_OK;
}

static void close_sound(struct med_audio *self) {
    struct sound_watch *watch = (struct sound_watch *)self;
    med_meter_destroy(watch->meter);
    watch->meter = NULL;
}

struct med_audio *med_watch_sound(struct med_graph *graph, struct med_audio *audio,
                                  struct med_sound_findings *findings) {
    struct sound_watch *watch = (struct sound_watch *)med_graph_add_audio(graph, sizeof(*watch));
    *findings = (struct med_sound_findings){
        .silent = spans_of(silent_min_s, MED_SAMPLE_RATE),
        .loudness.silent = true,
    };
    watch->pad = (struct med_audio){.samples = audio->samples, .pull = pull_sound, .close = close_sound};
    watch->source = audio;
    watch->findings = findings;
    return &watch->pad;
}
