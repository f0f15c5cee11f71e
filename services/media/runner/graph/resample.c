#include "graph/resample.h"

#include <libswresample/swresample.h>
#include <string.h>

#include "graph/av.h"
#include "graph/timeline.h"

enum { BLOCK = 2048 };

struct resample {
    struct med_audio pad;
    struct med_audio *source;
    int rate;
    struct SwrContext *convert;
    int64_t pulled;
    bool flushed;
    float block[BLOCK * 2];
};

static enum cs_status start(struct resample *node, struct cs_err *err) {
    AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO;
    int result = swr_alloc_set_opts2(&node->convert, &stereo, AV_SAMPLE_FMT_FLT, node->rate, &stereo, AV_SAMPLE_FMT_FLT,
                                     MED_SAMPLE_RATE, 0, NULL);
    if (result >= 0) {
        result = swr_init(node->convert);
    }
    return result < 0 ? med_av_fail(err, CS_INTERNAL, "resample", result, "resampling sound") : CS_OK;
}

static enum cs_status next_block(struct resample *node, int *ret_count, struct cs_err *err) {
    int64_t left = node->source->samples - node->pulled;
    *ret_count = left < BLOCK ? (int)left : BLOCK;
    if (*ret_count > 0) {
        CS_TRY(node->source->pull(node->source, node->block, (size_t)*ret_count, err));
        node->pulled += *ret_count;
    }
    return CS_OK;
}

static enum cs_status pull(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct resample *node = (struct resample *)self;
    if (node->convert == NULL) {
        CS_TRY(start(node, err));
    }
    int in = 0;
    while (count > 0) { /* what is inside comes first */
        uint8_t *out = (uint8_t *)ret_stereo;
        const uint8_t *block = (const uint8_t *)node->block;
        int got = swr_convert(node->convert, &out, (int)count, in > 0 || !node->flushed ? &block : NULL, in);
        if (got < 0) {
            return med_av_fail(err, CS_INTERNAL, "resample", got, "resampling sound");
        }
        ret_stereo += 2 * (size_t)got;
        count -= (size_t)got;
        if (count == 0) {
            break;
        }
        CS_TRY(next_block(node, &in, err));
        if (in == 0 && node->flushed && got == 0) { /* rounding left a sample over */
            memset(ret_stereo, 0, count * 2 * sizeof(float));
            break;
        }
        node->flushed = node->flushed || in == 0;
    }
    return CS_OK;
}

static void close_node(struct med_audio *self) {
    swr_free(&((struct resample *)self)->convert);
}

struct med_audio *med_resample(struct med_graph *graph, struct med_audio *source, int rate) {
    if (rate == MED_SAMPLE_RATE) {
        return source;
    }
    struct resample *node = (struct resample *)med_graph_add_audio(graph, sizeof(*node));
    node->pad = (struct med_audio){
        .samples = av_rescale(source->samples, rate, MED_SAMPLE_RATE), .pull = pull, .close = close_node};
    node->source = source;
    node->rate = rate;
    return &node->pad;
}
