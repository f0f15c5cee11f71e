#include "graph/trial.h"

#include <libswresample/swresample.h>

#include "graph/av.h"
#include "graph/encode.h"
#include "graph/resample.h"
#include "graph/timeline.h"

enum { BLOCK = 4096 };

struct trial {
    AVCodecContext *encoder;
    AVCodecContext *decoder;
    struct SwrContext *convert;
    struct med_meter *meter;
    int64_t left; /* samples at 48 kHz that are still part of the sound */
    int64_t skip; /* decoded ones that are the encoder's own */
    enum cs_status status;
    struct cs_err err;
    float block[BLOCK * 2];
};

static enum cs_status failed(int averror, struct cs_err *err) {
    return med_av_fail(err, CS_INTERNAL, "encoder", averror, "trying how loud the output will be");
}

static enum cs_status open_decoder(struct trial *trial, struct cs_err *err) {
    const AVCodec *codec = avcodec_find_decoder(trial->encoder->codec_id);
    AVCodecParameters *params = avcodec_parameters_alloc();
    trial->decoder = codec == NULL ? NULL : avcodec_alloc_context3(codec);
    int result = params == NULL || trial->decoder == NULL ? AVERROR(ENOMEM)
                                                          : avcodec_parameters_from_context(params, trial->encoder);
    if (result >= 0) {
        result = avcodec_parameters_to_context(trial->decoder, params);
    }
    if (result >= 0) {
        trial->decoder->thread_count = 1;
        trial->decoder->flags2 |= AV_CODEC_FLAG2_SKIP_MANUAL;
        result = avcodec_open2(trial->decoder, codec, NULL);
    }
    avcodec_parameters_free(&params);
    return result < 0 ? failed(result, err) : CS_OK;
}

static enum cs_status open_converter(struct trial *trial, const AVFrame *frame, struct cs_err *err) {
    AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO;
    int result = swr_alloc_set_opts2(&trial->convert, &stereo, AV_SAMPLE_FMT_FLT, MED_SAMPLE_RATE,
                                     (AVChannelLayout *)&frame->ch_layout, frame->format, frame->sample_rate, 0, NULL);
    if (result >= 0 && frame->ch_layout.nb_channels == 1) {
        const double both[] = {1, 1};
        result = swr_set_matrix(trial->convert, both, 1);
    }
    if (result >= 0) {
        result = swr_init(trial->convert);
    }
    return result < 0 ? failed(result, err) : CS_OK;
}

/* frame NULL: what is left inside. */
static enum cs_status measure(struct trial *trial, const AVFrame *frame, struct cs_err *err) {
    if (trial->convert == NULL && frame == NULL) {
        return CS_OK;
    }
    if (trial->convert == NULL) {
        CS_TRY(open_converter(trial, frame, err));
        trial->skip = av_rescale(trial->encoder->initial_padding, MED_SAMPLE_RATE, trial->encoder->sample_rate);
    }
    const uint8_t **in = frame != NULL ? (const uint8_t **)frame->extended_data : NULL;
    int count = frame != NULL ? frame->nb_samples : 0;
    int got = BLOCK;
    for (; got == BLOCK; count = 0) {
        uint8_t *out = (uint8_t *)trial->block;
        got = swr_convert(trial->convert, &out, BLOCK, in, count);
        if (got < 0) {
            return failed(got, err);
        }
        int64_t drop = got < trial->skip ? got : trial->skip;
        int64_t keep = got - drop < trial->left ? got - drop : trial->left;
        trial->skip -= drop;
        trial->left -= keep;
        CS_TRY(med_meter_add(trial->meter, trial->block + 2 * drop, (size_t)keep, err));
    }
    return CS_OK;
}

static enum cs_status decode(struct trial *trial, const AVPacket *packet, struct cs_err *err) {
    MED_AUTO_FRAME *frame = av_frame_alloc();
    int result = frame == NULL ? AVERROR(ENOMEM) : avcodec_send_packet(trial->decoder, packet);
    while (result >= 0 && (result = avcodec_receive_frame(trial->decoder, frame)) >= 0) {
        CS_TRY(measure(trial, frame, err));
        av_frame_unref(frame);
    }
    return result == AVERROR(EAGAIN) || result == AVERROR_EOF ? CS_OK : failed(result, err);
}

static bool take(void *ctx, AVPacket *packet) {
    struct trial *trial = ctx;
    trial->status = decode(trial, packet, &trial->err);
    av_packet_free(&packet);
    return trial->status == CS_OK;
}

static enum cs_status run(struct trial *trial, struct med_audio *audio, struct med_loudness *ret_loudness,
                          struct cs_err *err) {
    CS_TRY(open_decoder(trial, err));
    CS_TRY(med_encode_audio(trial->encoder, audio, take, trial, err));
    if (trial->status != CS_OK) {
        *err = trial->err;
        return trial->status;
    }
    CS_TRY(decode(trial, NULL, err));
    CS_TRY(measure(trial, NULL, err));
    return med_meter_read(trial->meter, ret_loudness, err);
}

enum cs_status med_trial_measure(struct med_graph *graph, struct med_audio *audio, const struct med_encoding *encoding,
                                 struct med_loudness *ret_loudness, struct cs_err *err) {
    const char *name =
        encoding->sound_encoder != NULL ? encoding->sound_encoder : med_container_sound(encoding->container);
    int rate = encoding->sound_rate > 0 ? encoding->sound_rate : MED_SAMPLE_RATE;
    int channels = encoding->sound_channels > 0 ? encoding->sound_channels : 2;
    CS_AUTO_FREE struct trial *trial = cs_alloc(sizeof(*trial));
    trial->left = audio->samples;
    trial->meter = med_meter_create();
    enum cs_status status =
        trial->meter == NULL
            ? cs_fail(err, CS_UNAVAILABLE, "out_of_memory", "the loudness cannot be measured")
            : med_encode_open_sound(name, encoding->sound_bits_per_s, rate, channels, true, &trial->encoder, err);
    if (status == CS_OK) {
        status = run(trial, med_resample(graph, audio, rate), ret_loudness, err);
    }
    avcodec_free_context(&trial->encoder);
    avcodec_free_context(&trial->decoder);
    swr_free(&trial->convert);
    med_meter_destroy(trial->meter);
    return status;
}
