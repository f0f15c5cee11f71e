#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "graph/av.h"
#include "graph/pace.h"
#include "graph/timeline.h"

enum {
    BLOCK = 2048,
    TEMPO_AHEAD = 1024, /* atempo takes its windows of 2048 samples from where it is, not around it */
    ROOM = 2 * BLOCK,   /* of what a tape gives at once */
    RATE_MAX = 400000,  /* a tape's pace as a fraction of such numbers: exact to a second in days */
};

static const double tempo_step_max = 2; /* one atempo drops samples beyond it, and has a floor of a half */
static const float floor_level = 1e-5F / (float)INT32_MAX; /* -100 dB */

struct pace {
    struct med_audio pad;
    struct med_audio *source;
    struct med_pace plan;
    int64_t lacking; /* samples of the lead that the source does not have */
    int64_t silence; /* samples still to be fed before the source */
    int64_t fed;     /* samples of the source */
    uint32_t noise;
    bool ended; /* the source is spent and has been said to be */
    AVFilterGraph *filters;
    AVFilterContext *in, *out;
    SwrContext *tape;
    AVFrame *ready; /* made, not yet given from `taken` on */
    int64_t taken;
};

/* ---- at its own pitch: a chain of atempo ---- */

static AVFilterContext *add_filter(AVFilterGraph *graph, AVFilterContext *before, const char *name,
                                   const char *const *options) {
    AVFilterContext *filter = avfilter_graph_alloc_filter(graph, avfilter_get_by_name(name), NULL);
    AVDictionary *typed = NULL;
    for (; options != NULL && options[0] != NULL; options += 2) {
        av_dict_set(&typed, options[0], options[1], 0);
    }
    int result = filter == NULL ? AVERROR(ENOMEM) : avfilter_init_dict(filter, &typed);
    av_dict_free(&typed);
    if (result >= 0 && before != NULL) {
        result = avfilter_link(before, 0, filter, 0);
    }
    return result < 0 ? NULL : filter;
}

static enum cs_status start_tempo(struct pace *pace, double tempo, struct cs_err *err) {
    static const char *const format[] = {"sample_rate", "48000",     "sample_fmt", "flt", "channel_layout",
                                         "stereo",      "time_base", "1/48000",    NULL};
    char step[32];
    int steps = (int)ceil(fabs(log(tempo)) / log(tempo_step_max) - 1e-9);
    pace->filters = avfilter_graph_alloc();
    if (pace->filters == NULL) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "a filter graph");
    }
    pace->filters->nb_threads = 1;
    pace->in = add_filter(pace->filters, NULL, "abuffer", format);
    AVFilterContext *last = pace->in;
    (void)snprintf(step, sizeof(step), "%.12f", pow(tempo, 1.0 / (steps > 0 ? steps : 1)));
    for (int i = 0; i < steps && last != NULL; i++) {
        last = add_filter(pace->filters, last, "atempo", (const char *const[]){"tempo", step, NULL});
    }
    pace->out = last == NULL ? NULL : add_filter(pace->filters, last, "abuffersink", NULL);
    int result = pace->out == NULL ? AVERROR(EINVAL) : avfilter_graph_config(pace->filters, NULL);
    return result < 0 ? med_av_fail(err, CS_INTERNAL, "filter", result, "changing the tempo") : CS_OK;
}

/* ---- like a tape: another rate ---- */

static enum cs_status start_tape(struct pace *pace, struct cs_err *err) {
    AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO;
    int in_rate = 0;
    int out_rate = 0;
    av_reduce(&in_rate, &out_rate, pace->plan.source_samples, pace->plan.samples, RATE_MAX);
    int result = swr_alloc_set_opts2(&pace->tape, &stereo, AV_SAMPLE_FMT_FLT, out_rate, &stereo, AV_SAMPLE_FMT_FLT,
                                     in_rate, 0, NULL);
    if (result >= 0) {
        result = swr_init(pace->tape);
    }
    return result < 0 ? med_av_fail(err, CS_INTERNAL, "resample", result, "changing the speed") : CS_OK;
}

/* ---- pulling ---- */

static AVFrame *sound_frame(int count) {
    AVFrame *frame = av_frame_alloc();
    if (frame != NULL) {
        frame->format = AV_SAMPLE_FMT_FLT;
        frame->sample_rate = MED_SAMPLE_RATE;
        frame->ch_layout = (AVChannelLayout)AV_CHANNEL_LAYOUT_STEREO;
        frame->nb_samples = count;
        if (av_frame_get_buffer(frame, 0) < 0) {
            av_frame_free(&frame);
        }
    }
    return frame;
}

/* Digital silence is like all of itself: atempo would take its earliest choice each time and run ahead. */
static void add_floor(struct pace *pace, AVFrame *frame) {
    float *stereo = (float *)(void *)frame->data[0];
    for (int i = 0; pace->plan.keep_pitch && i < 2 * frame->nb_samples; i++) {
        pace->noise = pace->noise * 1664525U + 1013904223U;
        stereo[i] += floor_level * (float)(int32_t)pace->noise;
    }
}

/* The next block of the source; *ret_frame is NULL behind its end. */
static enum cs_status next_block(struct pace *pace, AVFrame **ret_frame, struct cs_err *err) {
    int64_t left = pace->silence > 0 ? pace->silence : pace->source->samples + pace->lacking - pace->fed;
    if (left <= 0) {
        *ret_frame = NULL;
        return CS_OK;
    }
    MED_AUTO_FRAME *frame = sound_frame(left < BLOCK ? (int)left : BLOCK);
    if (frame == NULL) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "sound");
    }
    if (pace->silence > 0) {
        memset(frame->data[0], 0, (size_t)frame->nb_samples * 2 * sizeof(float));
        pace->silence -= frame->nb_samples;
    } else {
        CS_TRY(pace->source->pull(pace->source, (float *)(void *)frame->data[0], (size_t)frame->nb_samples, err));
    }
    add_floor(pace, frame);
    frame->pts = pace->fed;
    pace->fed += frame->nb_samples;
    *ret_frame = cs_steal(&frame);
    return CS_OK;
}

/* Feeds the filters until they give something; `ready` stays NULL when they never will again. */
static enum cs_status make_tempo(struct pace *pace, struct cs_err *err) {
    MED_AUTO_FRAME *made = av_frame_alloc();
    int result = made == NULL ? AVERROR(ENOMEM) : av_buffersink_get_frame(pace->out, made);
    while (result == AVERROR(EAGAIN)) {
        MED_AUTO_FRAME *block = NULL;
        CS_TRY(next_block(pace, &block, err));
        result = av_buffersrc_add_frame(pace->in, block);
        if (result >= 0) {
            result = av_buffersink_get_frame(pace->out, made);
        }
    }
    if (result < 0 && result != AVERROR_EOF) {
        return med_av_fail(err, CS_INTERNAL, "filter", result, "changing the tempo");
    }
    if (result >= 0) {
        pace->ready = cs_steal(&made);
    }
    return CS_OK;
}

static enum cs_status make_tape(struct pace *pace, struct cs_err *err) {
    MED_AUTO_FRAME *made = sound_frame(ROOM);
    int got = 0;
    if (made == NULL) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "sound");
    }
    while (got == 0 && !pace->ended) {
        MED_AUTO_FRAME *block = NULL;
        bool waits = swr_get_out_samples(pace->tape, 0) > ROOM; /* what it holds first */
        if (!waits) {
            CS_TRY(next_block(pace, &block, err));
        }
        const uint8_t **in = block == NULL ? NULL : (const uint8_t **)block->extended_data;
        const uint8_t *nothing[1] = {made->data[0]};
        got = swr_convert(pace->tape, made->extended_data, ROOM, waits ? nothing : in,
                          block == NULL ? 0 : block->nb_samples);
        if (got < 0) {
            return med_av_fail(err, CS_INTERNAL, "resample", got, "changing the speed");
        }
        pace->ended = got == 0 && !waits && block == NULL;
    }
    made->nb_samples = got;
    if (got > 0) {
        pace->ready = cs_steal(&made);
    }
    return CS_OK;
}

static enum cs_status start(struct pace *pace, struct cs_err *err) {
    if (!pace->plan.keep_pitch) {
        return start_tape(pace, err);
    }
    return start_tempo(pace, (double)pace->plan.source_samples / (double)pace->plan.samples, err);
}

static enum cs_status pull(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct pace *pace = (struct pace *)self;
    if (pace->filters == NULL && pace->tape == NULL) {
        CS_TRY(start(pace, err));
    }
    while (count > 0) {
        if (pace->ready == NULL) {
            CS_TRY(pace->plan.keep_pitch ? make_tempo(pace, err) : make_tape(pace, err));
            pace->taken = 0;
        }
        if (pace->ready == NULL) { /* rounding left a few samples over */
            memset(ret_stereo, 0, count * 2 * sizeof(float));
            return CS_OK;
        }
        int64_t left = pace->ready->nb_samples - pace->taken;
        size_t have = left < (int64_t)count ? (size_t)left : count;
        memcpy(ret_stereo, pace->ready->data[0] + (size_t)pace->taken * 2 * sizeof(float), have * 2 * sizeof(float));
        pace->taken += (int64_t)have;
        if (pace->taken == pace->ready->nb_samples) {
            av_frame_free(&pace->ready);
        }
        ret_stereo += 2 * have;
        count -= have;
    }
    return CS_OK;
}

static void close_pace(struct med_audio *self) {
    struct pace *pace = (struct pace *)self;
    av_frame_free(&pace->ready);
    avfilter_graph_free(&pace->filters);
    swr_free(&pace->tape);
    if (pace->source->close != NULL) {
        pace->source->close(pace->source);
    }
}

int64_t med_pace_lead(const struct med_pace *pace) {
    bool slower = pace->keep_pitch && pace->samples > pace->source_samples;
    return slower ? TEMPO_AHEAD - av_rescale(TEMPO_AHEAD, pace->source_samples, pace->samples) : 0;
}

struct med_audio *med_pace_audio(struct med_graph *graph, struct med_audio *source, const struct med_pace *plan) {
    struct pace *pace = (struct pace *)med_graph_add_audio(graph, sizeof(*pace));
    pace->pad = (struct med_audio){.samples = plan->samples, .pull = pull, .close = close_pace};
    pace->source = source;
    pace->plan = *plan;
    pace->lacking = med_pace_lead(plan) - (source->samples - plan->source_samples);
    pace->lacking = pace->lacking > 0 ? pace->lacking : 0;
    pace->silence = pace->lacking;
    return &pace->pad;
}
