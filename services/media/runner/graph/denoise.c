#include "graph/denoise.h"

#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/channel_layout.h>
#include <string.h>

#include "graph/av.h"
#include "graph/chain.h"
#include "graph/timeline.h"

/* ---- pictures ---- */

struct picture {
    struct med_filter filter;
    struct med_chain chain;
    enum med_strength strength;
};

static enum cs_status start_picture(struct picture *node, const AVFrame *like, struct cs_err *err) {
    static const char *const options[][9] = {
        [MED_STRENGTH_LOW] = {"luma_spatial", "3", "chroma_spatial", "2", "luma_tmp", "4", "chroma_tmp", "3"},
        [MED_STRENGTH_MEDIUM] = {"luma_spatial", "4", "chroma_spatial", "3", "luma_tmp", "6", "chroma_tmp", "4.5"},
        [MED_STRENGTH_HIGH] = {"luma_spatial", "8", "chroma_spatial", "6", "luma_tmp", "12", "chroma_tmp", "9"},
    };
    CS_TRY(med_chain_start(&node->chain, like, 1, err));
    CS_TRY(med_chain_add(&node->chain, "hqdn3d", options[node->strength], err));
    return med_chain_finish(&node->chain, "buffersink", err);
}

static enum cs_status pull_picture(struct med_video *self, AVFrame **ret_frame, struct cs_err *err) {
    struct picture *node = (struct picture *)self;
    MED_AUTO_FRAME *frame = NULL;
    CS_TRY(node->filter.source->pull(node->filter.source, &frame, err));
    if (node->chain.graph == NULL) {
        CS_TRY(start_picture(node, frame, err));
    }
    return med_chain_apply(&node->chain, frame, ret_frame, err);
}

static void close_picture(struct med_video *self) {
    med_chain_fini(&((struct picture *)self)->chain);
    med_filter_close(self);
}

struct med_video *med_denoise_picture(struct med_graph *graph, struct med_video *source, enum med_strength strength) {
    if (strength == MED_STRENGTH_OFF) {
        return source;
    }
    struct picture *node = (struct picture *)med_graph_add_filter(graph, sizeof(*node), source);
    node->strength = strength;
    node->filter.pad.pull = pull_picture;
    node->filter.pad.close = close_picture;
    return &node->filter.pad;
}

/* ---- sound ---- */

enum { BLOCK = 1200, DELAY = 1200 /* of the filter: a fortieth of a second */ };

struct sound {
    struct med_audio pad;
    struct med_audio *source;
    struct med_chain chain;
    enum med_strength strength;
    int64_t taken; /* samples of the source */
    int64_t drop;  /* of the filter's, before the first one */
    AVFrame *clean;
    int used; /* of it */
};

static enum cs_status start_sound(struct sound *node, struct cs_err *err) {
    static const char *const source[] = {"time_base", "1/48000",        "sample_rate", "48000", "sample_fmt",
                                         "flt",       "channel_layout", "stereo",      NULL};
    static const char *const options[][5] = {
        [MED_STRENGTH_LOW] = {"noise_reduction", "6", "noise_floor", "-45"},
        [MED_STRENGTH_MEDIUM] = {"noise_reduction", "12", "noise_floor", "-40"},
        [MED_STRENGTH_HIGH] = {"noise_reduction", "24", "noise_floor", "-35"},
    };
    CS_TRY(med_chain_start_empty(&node->chain, err));
    node->chain.graph->nb_threads = 1;
    CS_TRY(med_chain_add(&node->chain, "abuffer", source, err));
    node->chain.source = node->chain.last;
    CS_TRY(med_chain_add(&node->chain, "afftdn", options[node->strength], err));
    CS_TRY(med_chain_add(&node->chain, "aformat", (const char *[]){"sample_fmts", "flt", NULL}, err));
    node->drop = DELAY;
    return med_chain_finish(&node->chain, "abuffersink", err);
}

static enum cs_status filtered(struct cs_err *err, int result) {
    enum cs_status status = result == AVERROR(ENOMEM) ? CS_UNAVAILABLE : CS_INTERNAL;
    return med_av_fail(err, status, result == AVERROR(ENOMEM) ? "out_of_memory" : "filter", result, "cleaning sound");
}

/* The next block of the source; silence behind its end. */
static enum cs_status feed(struct sound *node, struct cs_err *err) {
    MED_AUTO_FRAME *block = av_frame_alloc();
    int64_t left = node->source->samples - node->taken;
    size_t have = left <= 0 ? 0 : left < BLOCK ? (size_t)left : BLOCK;
    if (block != NULL) {
        block->format = AV_SAMPLE_FMT_FLT;
        block->sample_rate = MED_SAMPLE_RATE;
        av_channel_layout_default(&block->ch_layout, 2);
        block->nb_samples = BLOCK;
        block->pts = node->taken;
    }
    if (block == NULL || av_frame_get_buffer(block, 0) < 0) {
        return filtered(err, AVERROR(ENOMEM));
    }
    float *stereo = (float *)(void *)block->data[0];
    if (have > 0) {
        CS_TRY(node->source->pull(node->source, stereo, have, err));
    }
    memset(stereo + 2 * have, 0, (BLOCK - have) * 2 * sizeof(float));
    node->taken += BLOCK;
    int result = av_buffersrc_add_frame(node->chain.source, block);
    return result < 0 ? filtered(err, result) : CS_OK;
}

/* Makes sure that there is clean sound to take. */
static enum cs_status fill(struct sound *node, struct cs_err *err) {
    while (node->clean == NULL || node->used == node->clean->nb_samples) {
        av_frame_free(&node->clean);
        node->clean = av_frame_alloc();
        node->used = 0;
        int result = node->clean == NULL ? AVERROR(ENOMEM) : av_buffersink_get_frame(node->chain.sink, node->clean);
        if (result == AVERROR(EAGAIN)) {
            CS_TRY(feed(node, err));
        } else if (result < 0) {
            return filtered(err, result);
        }
        int64_t dropped = node->drop < node->clean->nb_samples ? node->drop : node->clean->nb_samples;
        node->used = (int)dropped;
        node->drop -= dropped;
    }
    return CS_OK;
}

static enum cs_status pull_sound(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct sound *node = (struct sound *)self;
    if (node->chain.graph == NULL) {
        CS_TRY(start_sound(node, err));
    }
    while (count > 0) {
        CS_TRY(fill(node, err));
        size_t there = (size_t)(node->clean->nb_samples - node->used);
        size_t take = there < count ? there : count;
        memcpy(ret_stereo, (const float *)(const void *)node->clean->data[0] + (size_t)2 * (size_t)node->used,
               take * 2 * sizeof(float));
        node->used += (int)take;
        ret_stereo += 2 * take;
        count -= take;
    }
    return CS_OK;
}

static void close_sound(struct med_audio *self) {
    struct sound *node = (struct sound *)self;
    av_frame_free(&node->clean);
    med_chain_fini(&node->chain);
    if (node->source->close != NULL) {
        node->source->close(node->source);
    }
}

struct med_audio *med_denoise_sound(struct med_graph *graph, struct med_audio *source, enum med_strength strength) {
    if (strength == MED_STRENGTH_OFF) {
        return source;
    }
    struct sound *node = (struct sound *)med_graph_add_audio(graph, sizeof(*node));
    node->pad = (struct med_audio){.samples = source->samples, .pull = pull_sound, .close = close_sound};
    node->source = source;
    node->strength = strength;
    return &node->pad;
}
