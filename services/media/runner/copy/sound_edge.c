#include "copy/sound_edge.h"

#include <assert.h>
#include <libavutil/opt.h>
#include <string.h>

#include "graph/av.h"
#include "graph/sound.h"

enum {
    EDGE_BITS_PER_S = 128000, /* of a channel: edges are short, bits are cheap */
    BLOCK = 128,              /* samples that are compared at once */
    SMOOTH = 4                /* samples: noise that stands for high sounds is another one each time */
};

static const float noise_free = 1e-6F; /* -60 dBFS */

static int channels_of(const struct med_sound_edge *edge) {
    return edge->plan->params->ch_layout.nb_channels;
}

static int64_t window_place(const struct med_sound_edge *edge) {
    return edge->first - MED_EDGE_WARM;
}

static int64_t window_places(const struct med_sound_edge *edge) {
    return edge->end + MED_EDGE_BEHIND - window_place(edge);
}

void med_sound_edge_begin(struct med_sound_edge *edge, const struct med_sound_plan *plan, int64_t first, int64_t end) {
    *edge = (struct med_sound_edge){.plan = plan, .first = first, .end = end};
    for (int c = 0; c < channels_of(edge); c++) {
        edge->heard[c] = cs_alloc_array((size_t)MED_EDGE_WINDOW * MED_PLACE, sizeof(float));
    }
}

void med_sound_edge_fini(struct med_sound_edge *edge) {
    for (int c = 0; c < MED_EDGE_CHANNELS_MAX; c++) {
        free(edge->heard[c]);
    }
    for (int i = 0; i < MED_EDGE_PLACES; i++) {
        av_packet_free(&edge->packets[i]);
    }
    *edge = (struct med_sound_edge){0};
}

/* ---- what is heard ---- */

/* 1, but less and less before the end of what would go on. */
static float level_at(const struct med_sound_piece *piece, int64_t at) {
    int64_t left = piece->heard_to - at;
    return piece->cut && left <= MED_CUT_FADE_SAMPLES ? (float)left / (MED_CUT_FADE_SAMPLES + 1) : 1;
}

void med_sound_edge_hear(struct med_sound_edge *edge, const AVFrame *frame, int64_t place,
                         const struct med_sound_piece *piece) {
    int64_t begin = med_sound_plan_at(edge->plan, place);
    int64_t offset = (place - window_place(edge)) * MED_PLACE;
    if (place < window_place(edge) || place >= window_place(edge) + window_places(edge)) {
        return;
    }
    for (int64_t i = 0; i < MED_PLACE; i++) {
        bool heard = begin + i >= piece->heard_from && begin + i < piece->heard_to;
        for (int c = 0; c < channels_of(edge) && heard; c++) {
            const float *samples = (const float *)(const void *)frame->extended_data[c];
            edge->heard[c][offset + i] += samples[i] * level_at(piece, begin + i);
        }
    }
}

/* ---- encoding ---- */

static enum cs_status open_encoder(const struct med_sound_edge *edge, AVCodecContext **ret_encoder,
                                   struct cs_err *err) {
    const AVCodecParameters *like = edge->plan->params;
    const AVCodec *codec = avcodec_find_encoder_by_name("aac");
    AVCodecContext *encoder = codec == NULL ? NULL : avcodec_alloc_context3(codec);
    if (encoder == NULL) {
        return cs_fail(err, CS_INTERNAL, "encoder", "no encoder for the edges of copied sound");
    }
    encoder->sample_fmt = AV_SAMPLE_FMT_FLTP;
    encoder->sample_rate = like->sample_rate;
    encoder->time_base = (AVRational){1, like->sample_rate};
    encoder->bit_rate = (int64_t)EDGE_BITS_PER_S * like->ch_layout.nb_channels;
    encoder->thread_count = 1;
    encoder->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER;
    av_channel_layout_default(&encoder->ch_layout, channels_of(edge));
    /* the wave itself must come back, not what sounds like it: the usual search saves bits where noise is not heard */
    av_opt_set(encoder->priv_data, "aac_coder", "fast", 0);
    av_opt_set_int(encoder->priv_data, "aac_pns", 0, 0);
    av_opt_set_int(encoder->priv_data, "aac_is", 0, 0);
    int result = avcodec_open2(encoder, codec, NULL);
    bool same = result >= 0 && encoder->extradata_size >= 2 && encoder->frame_size == MED_PLACE &&
                memcmp(encoder->extradata, like->extradata, 2) == 0;
    if (!same) {
        avcodec_free_context(&encoder);
        return cs_fail(err, CS_UNIMPLEMENTED, "layout", "the encoder cannot make sound of this layout");
    }
    *ret_encoder = encoder;
    return CS_OK;
}

/* Packet n of the encoder belongs to the place before the one that it was given as frame n. */
static enum cs_status take_packets(struct med_sound_edge *edge, AVCodecContext *encoder, int64_t *taken,
                                   struct cs_err *err) {
    for (;;) {
        MED_AUTO_PACKET *packet = av_packet_alloc();
        int result = packet == NULL ? AVERROR(ENOMEM) : avcodec_receive_packet(encoder, packet);
        if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) {
            return CS_OK;
        }
        if (result < 0) {
            return med_av_fail(err, CS_INTERNAL, "encoder", result, "encoding an edge");
        }
        int64_t place = window_place(edge) + (*taken)++ - 1;
        if (place >= edge->first && place < edge->end) {
            edge->packets[place - edge->first] = cs_steal(&packet);
        }
    }
}

static enum cs_status give_place(const struct med_sound_edge *edge, AVCodecContext *encoder, int64_t number,
                                 struct cs_err *err) {
    MED_AUTO_FRAME *frame = av_frame_alloc();
    int result = frame == NULL ? AVERROR(ENOMEM) : 0;
    if (result >= 0) {
        frame->format = encoder->sample_fmt;
        frame->sample_rate = encoder->sample_rate;
        frame->nb_samples = MED_PLACE;
        frame->pts = number * MED_PLACE;
        result = av_channel_layout_copy(&frame->ch_layout, &encoder->ch_layout);
    }
    result = result >= 0 ? av_frame_get_buffer(frame, 0) : result;
    for (int c = 0; c < channels_of(edge) && result >= 0; c++) {
        memcpy(frame->extended_data[c], edge->heard[c] + number * MED_PLACE, MED_PLACE * sizeof(float));
    }
    result = result >= 0 ? avcodec_send_frame(encoder, frame) : result;
    return result < 0 ? med_av_fail(err, CS_INTERNAL, "encoder", result, "encoding an edge") : CS_OK;
}

static enum cs_status encode_all(struct med_sound_edge *edge, AVCodecContext *encoder, struct cs_err *err) {
    int64_t taken = 0;
    for (int64_t i = 0; i < window_places(edge); i++) {
        CS_TRY(give_place(edge, encoder, i, err));
        CS_TRY(take_packets(edge, encoder, &taken, err));
    }
    (void)avcodec_send_frame(encoder, NULL);
    CS_TRY(take_packets(edge, encoder, &taken, err));
    return taken >= edge->end - window_place(edge) ? CS_OK
                                                   : cs_fail(err, CS_INTERNAL, "encoder", "an edge was not encoded");
}

enum cs_status med_sound_edge_encode(struct med_sound_edge *edge, struct cs_err *err) {
    AVCodecContext *encoder = NULL;
    CS_TRY(open_encoder(edge, &encoder, err));
    assert(encoder != NULL);
    enum cs_status status = encode_all(edge, encoder, err);
    avcodec_free_context(&encoder);
    return status;
}

/* ---- comparing ---- */

/* Without its highest sounds: sums of a few neighbours. */
static float energy(const float *a, const float *minus, int64_t count) {
    float sum = 0;
    for (int64_t i = 0; i + SMOOTH <= count; i += SMOOTH) {
        float value = 0;
        for (int64_t k = 0; k < SMOOTH; k++) {
            value += a[i + k] - (minus != NULL ? minus[i + k] : 0);
        }
        sum += value * value;
    }
    return sum / (float)(count * SMOOTH);
}

bool med_sound_edge_agrees(const struct med_sound_edge *edge, const AVFrame *frame, int64_t place, float noise_max) {
    int64_t offset = (place - window_place(edge)) * MED_PLACE;
    int64_t samples = window_places(edge) * MED_PLACE;
    bool agrees = true;
    for (int c = 0; c < channels_of(edge); c++) {
        const float *got = (const float *)(const void *)frame->extended_data[c];
        float loudest = 0;
        for (int64_t at = offset - MED_PLACE; at < offset + 2 * MED_PLACE; at += BLOCK) {
            float level = at >= 0 && at < samples ? energy(edge->heard[c] + at, NULL, BLOCK) : 0;
            loudest = level > loudest ? level : loudest;
        }
        for (int64_t at = 0; at < MED_PLACE; at += BLOCK) {
            float off = energy(got + at, edge->heard[c] + offset + at, BLOCK);
            agrees = agrees && off <= noise_max * loudest + noise_free; /* NaN agrees with nothing */
        }
    }
    return agrees;
}
