#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <stdlib.h>
#include <string.h>

#include "graph/av.h"
#include "graph/clip.h"
#include "graph/clip_made.h"
#include "graph/sound.h"
#include "graph/stream.h"
#include "graph/timeline.h"

enum {
    JITTER_MS = 40, /* time stamps may be this far off before sound is moved */
    CONVERT_MAX = 1 << 16,
};

struct clip_audio {
    struct med_audio pad;
    struct med_clip clip;
    float volume;
    struct med_stream *stream;
    SwrContext *convert;
    int in_rate, in_format, in_channels;
    int64_t in_position; /* input samples given to convert, in in_rate, from the clip's time 0 */
    int64_t origin;      /* ticks: the clip's time 0 */
    bool begun;          /* origin is known */
    AVFrame *waiting;    /* until the silence before it was given */
    int64_t silence;     /* input samples of it still to give */
    struct cs_buf ready; /* converted floats */
    size_t ready_taken;  /* bytes of ready already given */
    int64_t given;
    bool ended;
};

/* The input's time 0 in stream time. */
static int64_t start_of(const struct med_facts *facts) {
    return facts->video.stream >= 0 ? facts->video.start_ticks : facts->audio.start_ticks;
}

/* A time of the stream as ticks of the clip, whose time 0 is its first picture or else its first sample. */
static int64_t clip_ticks(struct clip_audio *node, int64_t pts) {
    int64_t ticks = med_ticks_from(pts, med_stream_info(node->stream)->time_base);
    if (!node->begun) {
        node->origin = (node->clip.from_ticks == 0 && node->clip.facts->video.stream < 0)
                           ? ticks
                           : start_of(node->clip.facts) + node->clip.from_ticks;
        node->begun = true;
    }
    return ticks - node->origin;
}

static void forget_taken(struct clip_audio *node) {
    node->ready.size -= node->ready_taken;
    memmove(node->ready.data, node->ready.data + node->ready_taken, node->ready.size);
    node->ready_taken = 0;
}

/* in NULL: what is left inside. */
static enum cs_status convert(struct clip_audio *node, const uint8_t **in, int count, struct cs_err *err) {
    static _Thread_local float out[2 * 4096];
    int got = 0;
    do {
        uint8_t *planes[1] = {(uint8_t *)out};
        got = swr_convert(node->convert, planes, 4096, in, count);
        if (got < 0) {
            return med_av_fail(err, CS_INTERNAL, "resample", got, "resampling sound");
        }
        cs_buf_put(&node->ready, out, (size_t)got * 2 * sizeof(float));
        count = 0; /* the rest of what it made; in stays non-NULL, NULL would flush */
    } while (got == 4096);
    return CS_OK;
}

static enum cs_status set_up_convert(struct clip_audio *node, const AVFrame *frame, struct cs_err *err) {
    if (node->convert != NULL && node->in_rate == frame->sample_rate && node->in_format == frame->format &&
        node->in_channels == frame->ch_layout.nb_channels) {
        return CS_OK;
    }
    if (node->convert != NULL) {
        CS_TRY(convert(node, NULL, 0, err));
        node->in_position = av_rescale(node->in_position, frame->sample_rate, node->in_rate);
        swr_free(&node->convert);
    }
    AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO;
    AVChannelLayout in = {0};
    if (frame->ch_layout.order == AV_CHANNEL_ORDER_NATIVE) {
        av_channel_layout_copy(&in, &frame->ch_layout);
    } else {
        av_channel_layout_default(&in, frame->ch_layout.nb_channels);
    }
    int result = swr_alloc_set_opts2(&node->convert, &stereo, AV_SAMPLE_FMT_FLT, MED_SAMPLE_RATE, &in, frame->format,
                                     frame->sample_rate, 0, NULL);
    if (result >= 0 && in.nb_channels == 1) { /* one microphone is heard at full level on both sides */
        const double both[] = {1, 1};
        result = swr_set_matrix(node->convert, both, 1);
    }
    av_channel_layout_uninit(&in);
    if (result >= 0) {
        result = swr_init(node->convert);
    }
    if (result < 0) {
        return med_av_fail(err, CS_UNIMPLEMENTED, "codec_unsupported", result, "the sound's channels or rate");
    }
    node->in_rate = frame->sample_rate;
    node->in_format = frame->format;
    node->in_channels = frame->ch_layout.nb_channels;
    return CS_OK;
}

/* A piece of it: a long gap in a short file takes time, not memory. */
static enum cs_status convert_silence(struct clip_audio *node, struct cs_err *err) {
    int chunk = node->silence > CONVERT_MAX ? CONVERT_MAX : (int)node->silence;
    uint8_t **planes = NULL;
    int linesize = 0;
    int result = av_samples_alloc_array_and_samples(&planes, &linesize, node->in_channels, chunk,
                                                    (enum AVSampleFormat)node->in_format, 0);
    if (result < 0) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "silence");
    }
    av_samples_set_silence(planes, 0, chunk, node->in_channels, (enum AVSampleFormat)node->in_format);
    enum cs_status status = convert(node, (const uint8_t **)planes, chunk, err);
    av_freep(&planes[0]);
    av_freep(&planes);
    node->in_position += chunk;
    node->silence -= chunk;
    return status;
}

/* Input samples by which a frame lies after (or before, negative) what was given; 0: near enough. */
static int64_t distance(struct clip_audio *node, const AVFrame *frame) {
    int64_t want = av_rescale_rnd(clip_ticks(node, frame->pts), node->in_rate, MED_TICKS_PER_S, AV_ROUND_NEAR_INF);
    int64_t off = want - node->in_position;
    int64_t jitter = node->in_position == 0 ? 0 : (int64_t)node->in_rate * JITTER_MS / 1000;
    return llabs(off) > jitter ? off : 0;
}

/* Drops of a frame what lies before the clip or was heard already. */
static enum cs_status convert_frame(struct clip_audio *node, const AVFrame *frame, struct cs_err *err) {
    int64_t off = distance(node, frame);
    int64_t skip = off < 0 ? -off : 0;
    if (skip >= frame->nb_samples) {
        return CS_OK;
    }
    uint8_t *planes[64] = {0};
    int planar = av_sample_fmt_is_planar(frame->format) ? node->in_channels : 1;
    size_t step = (size_t)av_get_bytes_per_sample(frame->format) * (planar > 1 ? 1 : (size_t)node->in_channels);
    if (av_sample_fmt_is_planar(frame->format)) {
        step = (size_t)av_get_bytes_per_sample(frame->format);
    }
    for (int i = 0; i < planar && i < 64; i++) {
        planes[i] = frame->extended_data[i] + (size_t)skip * step;
    }
    CS_TRY(convert(node, (const uint8_t **)planes, (int)(frame->nb_samples - skip), err));
    node->in_position += frame->nb_samples - skip;
    return CS_OK;
}

/* One step: the next frame is fetched, or the silence before it given, or it. */
static enum cs_status decode_more(struct clip_audio *node, struct cs_err *err) {
    if (node->silence > 0) {
        return convert_silence(node, err);
    }
    if (node->waiting == NULL) {
        CS_TRY(med_stream_next(node->stream, &node->waiting, err));
        if (node->waiting == NULL) {
            node->ended = true;
            return node->convert != NULL ? convert(node, NULL, 0, err) : CS_OK;
        }
        CS_TRY(set_up_convert(node, node->waiting, err));
        int64_t off = distance(node, node->waiting);
        node->silence = off > 0 ? off : 0;
        return CS_OK;
    }
    MED_AUTO_FRAME *frame = cs_steal(&node->waiting);
    return convert_frame(node, frame, err);
}

static enum cs_status fill(struct clip_audio *node, float *ret_stereo, size_t count, struct cs_err *err) {
    size_t wanted = count * 2 * sizeof(float);
    while (!node->ended && node->ready.size - node->ready_taken < wanted) {
        if (node->ready_taken > 0) {
            forget_taken(node);
        }
        CS_TRY(decode_more(node, err));
    }
    size_t have = node->ready.size - node->ready_taken;
    have = have < wanted ? have : wanted;
    if (have > 0) {
        memcpy(ret_stereo, node->ready.data + node->ready_taken, have);
    }
    memset((char *)ret_stereo + have, 0, wanted - have);
    node->ready_taken += have;
    return CS_OK;
}

static void close_clip(struct med_audio *self) {
    struct clip_audio *node = (struct clip_audio *)self;
    med_stream_close(node->stream);
    node->stream = NULL;
    av_frame_free(&node->waiting);
    swr_free(&node->convert);
    cs_buf_fini(&node->ready);
}

static enum cs_status pull(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct clip_audio *node = (struct clip_audio *)self;
    enum cs_status status = CS_OK;
    if (node->stream == NULL && node->given == 0) {
        const struct med_stretch stretch = {med_clip_seek_ticks(&node->clip, start_of(node->clip.facts)), INT64_MIN};
        status = med_stream_open(node->clip.fd, node->clip.facts->audio.stream, 1, &stretch, &node->stream, err);
    }
    if (status == CS_OK) {
        status = fill(node, ret_stereo, count, err);
    }
    if (status != CS_OK) {
        return err->path[0] != '\0' ? status : cs_err_at(err, node->clip.path);
    }
    med_sound_scale(ret_stereo, count, node->volume);
    if (node->clip.from_ticks > 0 && !node->clip.bare_head) {
        med_sound_fade_head(ret_stereo, count, node->given, MED_CUT_FADE_SAMPLES);
    }
    if (!node->ended && !node->clip.bare_tail) {
        med_sound_fade_tail(ret_stereo, count, node->given, node->pad.samples, MED_CUT_FADE_SAMPLES);
    }
    node->given += (int64_t)count;
    if (node->given >= node->pad.samples) {
        close_clip(self);
    }
    return CS_OK;
}

struct med_audio *med_clip_audio(struct med_graph *graph, const struct med_clip *clip, int64_t samples, double volume) {
    if (clip->facts->audio.stream < 0 || volume == 0) {
        return med_sound_silence(graph, samples);
    }
    if (clip->made != NULL) {
        return med_clip_made_audio(graph, clip, samples, volume);
    }
    struct clip_audio *node = (struct clip_audio *)med_graph_add_audio(graph, sizeof(*node));
    node->pad = (struct med_audio){.samples = samples, .pull = pull, .close = close_clip};
    node->clip = *clip;
    node->volume = (float)volume;
    return &node->pad;
}
