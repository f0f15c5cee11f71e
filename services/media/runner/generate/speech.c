#include "generate/speech.h"

#include <libavfilter/buffersink.h>
#include <libswresample/swresample.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "graph/av.h"
#include "graph/chain.h"
#include "graph/timeline.h"

/* Everything that was said, and its way to 48 kHz stereo. */
struct speech {
    struct med_audio pad;
    struct cs_buf said; /* 16-bit mono */
    int rate;
    size_t taken; /* samples of said */
    SwrContext *convert;
};

static bool is_voice(const char *voice) {
    static const char *const voices[] = {"kal", "kal16", "slt", "awb", "rms"};
    for (size_t i = 0; i < CS_COUNT(voices); i++) {
        if (strcmp(voices[i], voice) == 0) {
            return true;
        }
    }
    return false;
}

/* flite stumbles over control characters; it speaks ASCII and skips the rest. */
static char *speakable(struct med_graph *graph, const char *text) {
    char *copy = cs_arena_strdup(graph->arena, text);
    for (char *c = copy; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            *c = ' ';
        }
    }
    return copy;
}

static enum cs_status build(struct med_chain *chain, const char *text, const char *voice, double speed,
                            struct cs_err *err) {
    CS_TRY(med_chain_start_empty(chain, err));
    CS_TRY(med_chain_add(chain, "flite", (const char *[]){"text", text, "voice", voice, NULL}, err));
    if (speed != 1) {
        char tempo[32];
        snprintf(tempo, sizeof(tempo), "%.4f", speed);
        CS_TRY(med_chain_add(chain, "atempo", (const char *[]){"tempo", tempo, NULL}, err));
    }
    CS_TRY(
        med_chain_add(chain, "aformat", (const char *[]){"sample_fmts", "s16", "channel_layouts", "mono", NULL}, err));
    return med_chain_finish(chain, "abuffersink", err);
}

static enum cs_status say(struct med_chain *chain, struct speech *speech, struct cs_err *err) {
    MED_AUTO_FRAME *frame = av_frame_alloc();
    int result = frame == NULL ? AVERROR(ENOMEM) : 0;
    while (result >= 0 && (result = av_buffersink_get_frame(chain->sink, frame)) >= 0) {
        speech->rate = frame->sample_rate;
        cs_buf_put(&speech->said, frame->data[0], (size_t)frame->nb_samples * sizeof(int16_t));
        av_frame_unref(frame);
    }
    if (result != AVERROR_EOF) {
        return med_av_fail(err, CS_INTERNAL, "filter", result, "speaking");
    }
    if (speech->said.size == 0 || speech->rate <= 0) {
        return cs_fail_at(err, "text", "no_speech", "the text has nothing that can be spoken");
    }
    return CS_OK;
}

static enum cs_status start_convert(struct speech *speech, struct cs_err *err) {
    AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
    AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO;
    const double both[] = {1, 1};
    int result = swr_alloc_set_opts2(&speech->convert, &stereo, AV_SAMPLE_FMT_FLT, MED_SAMPLE_RATE, &mono,
                                     AV_SAMPLE_FMT_S16, speech->rate, 0, NULL);
    if (result >= 0) {
        result = swr_set_matrix(speech->convert, both, 1);
    }
    if (result >= 0) {
        result = swr_init(speech->convert);
    }
    return result < 0 ? med_av_fail(err, CS_INTERNAL, "resample", result, "resampling speech") : CS_OK;
}

static enum cs_status pull(struct med_audio *self, float *ret_stereo, size_t count, struct cs_err *err) {
    struct speech *speech = (struct speech *)self;
    size_t total = speech->said.size / sizeof(int16_t);
    memset(ret_stereo, 0, count * 2 * sizeof(float));
    while (count > 0) {
        const uint8_t *in = (const uint8_t *)speech->said.data + speech->taken * sizeof(int16_t);
        size_t wanted = count * (size_t)speech->rate / MED_SAMPLE_RATE + 1;
        size_t left = total - speech->taken;
        int feed = (int)(wanted < left ? wanted : left);
        uint8_t *out = (uint8_t *)ret_stereo;
        int got = swr_convert(speech->convert, &out, (int)count, feed > 0 ? &in : NULL, feed);
        if (got < 0) {
            return med_av_fail(err, CS_INTERNAL, "resample", got, "resampling speech");
        }
        speech->taken += (size_t)feed;
        ret_stereo += 2 * (size_t)got;
        count -= (size_t)got;
        if (got == 0 && feed == 0) {
            break; /* the rest is silence */
        }
    }
    return CS_OK;
}

static void close_speech(struct med_audio *self) {
    struct speech *speech = (struct speech *)self;
    swr_free(&speech->convert);
    cs_buf_fini(&speech->said);
}

enum cs_status med_speech(struct med_graph *graph, const char *text, const char *voice, double speed,
                          struct med_audio **ret_audio, struct cs_err *err) {
    voice = cs_str_empty(voice) ? "slt" : voice;
    if (!is_voice(voice)) {
        return cs_fail_at(err, "voice", "unknown_voice", "a local voice is kal, kal16, slt, awb or rms");
    }
    struct speech *speech = (struct speech *)med_graph_add_audio(graph, sizeof(*speech));
    speech->pad = (struct med_audio){.pull = pull, .close = close_speech};
    struct med_chain chain = {0};
    enum cs_status status = build(&chain, speakable(graph, text), voice, speed, err);
    if (status == CS_OK) {
        status = say(&chain, speech, err);
    }
    med_chain_fini(&chain);
    CS_TRY(status);
    CS_TRY(start_convert(speech, err));
    speech->pad.samples = av_rescale((int64_t)(speech->said.size / sizeof(int16_t)), MED_SAMPLE_RATE, speech->rate);
    *ret_audio = &speech->pad;
    return CS_OK;
}
