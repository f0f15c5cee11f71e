#include "copy/sound.h"

#include "bounds.h"
#include "copy/sound_edge.h"
#include "graph/av.h"
#include "graph/input.h"

enum {
    HELD = MED_EDGE_WINDOW + 8, /* packets: an edge, and what is decoded on both its sides */
    SLACK = 5,                  /* places by which either side of an edge may give way */
};

/* What is off where an edge meets what is copied, see sound_edge.h: windows that fit leave -40 dB and less. Those of
 * some encoders have another shape everywhere, and leave the second; wrong joins are far above. */
static const float noises_max[] = {0.01F, 0.1F};

/* One input's packets by place; the latest are held. */
struct tape {
    const struct med_sound_piece *piece; /* NULL: none */
    AVFormatContext *format;
    AVPacket *held[HELD];
    size_t count;
    int64_t next; /* place of the packet behind the last one */
    bool ended;
};

struct med_sound_copy {
    struct med_coded coded;
    const struct med_sound_plan *plan;
    AVCodecParameters *params;
    struct tape tapes[2];
    int64_t next; /* place that is written next */
    int64_t copied;
    med_packet_sink *sink;
    void *ctx;
    bool wanted;
};

/* ---- packets ---- */

static void tape_close(struct tape *tape) {
    for (size_t i = 0; i < tape->count; i++) {
        av_packet_free(&tape->held[i]);
    }
    med_input_close(&tape->format);
    *tape = (struct tape){0};
}

static enum cs_status tape_open(struct tape *tape, const struct med_sound_piece *piece, struct cs_err *err) {
    tape->piece = piece;
    tape->next = piece->place;
    CS_TRY(med_input_open_known(piece->clip->fd, &tape->format, err));
    if (piece->clip->facts->audio.stream >= (int)tape->format->nb_streams) {
        return cs_fail(err, CS_DATA_LOSS, "corrupt_input", "the input's streams changed while it was read");
    }
    med_input_keep_only(tape->format, piece->clip->facts->audio.stream, -1);
    return CS_OK;
}

static void hold(struct tape *tape, AVPacket *packet) {
    if (tape->count == HELD) {
        av_packet_free(&tape->held[0]);
        tape->count--;
        for (size_t i = 0; i < tape->count; i++) {
            tape->held[i] = tape->held[i + 1];
        }
    }
    tape->held[tape->count++] = packet;
    tape->next++;
}

/* One more, if there is one. */
static enum cs_status tape_read(struct tape *tape, struct cs_err *err) {
    while (!tape->ended) {
        MED_AUTO_PACKET *packet = av_packet_alloc();
        int result = packet == NULL ? AVERROR(ENOMEM) : av_read_frame(tape->format, packet);
        if (result < 0) {
            tape->ended = true;
            return med_input_ended(tape->format, result, err);
        }
        if (packet->stream_index == tape->piece->clip->facts->audio.stream) {
            av_packet_free_side_data(packet); /* all of it is decoded */
            packet->flags = AV_PKT_FLAG_KEY;
            hold(tape, cs_steal(&packet));
            return CS_OK;
        }
    }
    return CS_OK;
}

static enum cs_status tape_read_to(struct tape *tape, int64_t place, struct cs_err *err) {
    while (tape->piece != NULL && !tape->ended && tape->next <= place) {
        CS_TRY(tape_read(tape, err));
    }
    return CS_OK;
}

/* NULL: there is none, or it is not held any more. */
static AVPacket *tape_at(const struct tape *tape, int64_t place) {
    int64_t number = place - (tape->next - (int64_t)tape->count);
    return number >= 0 && number < (int64_t)tape->count ? tape->held[number] : NULL;
}

static enum cs_status emit(struct med_sound_copy *copy, const AVPacket *like, int64_t place, struct cs_err *err) {
    AVPacket *packet = like == NULL ? NULL : av_packet_clone(like);
    if (packet == NULL) {
        return like == NULL ? cs_fail(err, CS_DATA_LOSS, "corrupt_input", "a packet of the input is not found again")
                            : med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "copying");
    }
    int64_t at = med_sound_plan_at(copy->plan, place);
    av_packet_free_side_data(packet);
    packet->pts = packet->dts = at;
    packet->duration = copy->plan->samples - at < MED_PLACE ? copy->plan->samples - at : MED_PLACE;
    packet->flags = AV_PKT_FLAG_KEY;
    packet->pos = -1;
    copy->wanted = copy->sink(copy->ctx, packet);
    return CS_OK;
}

/* ---- decoding ---- */

static enum cs_status open_decoder(const struct med_sound_copy *copy, AVCodecContext **ret_decoder,
                                   struct cs_err *err) {
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_AAC);
    AVCodecContext *decoder = codec == NULL ? NULL : avcodec_alloc_context3(codec);
    int result = decoder == NULL ? AVERROR(ENOMEM) : avcodec_parameters_to_context(decoder, copy->plan->params);
    if (result >= 0) {
        decoder->pkt_timebase = (AVRational){1, copy->plan->params->sample_rate};
        decoder->thread_count = 1;
        decoder->flags |= AV_CODEC_FLAG_BITEXACT;
        decoder->codec_whitelist = av_strdup(med_codecs_allowed);
        result = avcodec_open2(decoder, codec, NULL);
    }
    if (result < 0) {
        avcodec_free_context(&decoder);
        return med_av_fail(err, CS_DATA_LOSS, "corrupt_input", result, "opening a decoder");
    }
    *ret_decoder = decoder;
    return CS_OK;
}

/* One packet is one frame. */
static enum cs_status decode(const struct med_sound_copy *copy, AVCodecContext *decoder, const AVPacket *packet,
                             AVFrame *frame, struct cs_err *err) {
    av_frame_unref(frame);
    int result = avcodec_send_packet(decoder, packet);
    result = result >= 0 ? avcodec_receive_frame(decoder, frame) : result;
    if (result == AVERROR(ENOMEM)) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "decoding");
    }
    bool good = result >= 0 && frame->nb_samples == MED_PLACE && frame->format == AV_SAMPLE_FMT_FLTP &&
                frame->ch_layout.nb_channels == copy->plan->params->ch_layout.nb_channels;
    return good ? CS_OK : cs_fail(err, CS_DATA_LOSS, "sound_join", "sound beside a join does not decode");
}

/* What the tape holds of the edge's places. */
static enum cs_status hear(const struct med_sound_copy *copy, struct med_sound_edge *edge, const struct tape *tape,
                           struct cs_err *err) {
    MED_AUTO_FRAME *frame = av_frame_alloc();
    AVCodecContext *decoder = NULL;
    if (frame == NULL) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "decoding");
    }
    CS_TRY(open_decoder(copy, &decoder, err));
    enum cs_status status = CS_OK;
    for (int64_t place = edge->first - MED_EDGE_WARM - 1; place < edge->end + MED_EDGE_BEHIND && status == CS_OK;
         place++) {
        const AVPacket *packet = tape_at(tape, place);
        if (packet != NULL) {
            status = decode(copy, decoder, packet, frame, err);
        }
        if (packet != NULL && status == CS_OK) {
            med_sound_edge_hear(edge, frame, place, tape->piece);
        }
    }
    avcodec_free_context(&decoder);
    return status;
}

/* ---- edges ---- */

/* What the output has there: of the piece before, of the edge, of the piece behind. */
static const AVPacket *written(const struct med_sound_edge *edge, const struct tape tapes[2], int64_t place) {
    return place < edge->first ? tape_at(&tapes[0], place)
           : place < edge->end ? edge->packets[place - edge->first]
                               : tape_at(&tapes[1], place);
}

/* What of an edge is not as it should be. */
struct verdict {
    float noise_max;
    bool left; /* where it meets the piece before */
    bool right;
};

static void blame(const struct med_sound_edge *edge, int64_t place, struct verdict *verdict) {
    verdict->left = verdict->left || place < edge->end;
    verdict->right = verdict->right || place > edge->first;
}

/* The place before needs one more to be heard; what is behind the end of all is not. */
static enum cs_status judge(const struct med_sound_copy *copy, const struct med_sound_edge *edge,
                            AVCodecContext *decoder, struct verdict *verdict, struct cs_err *err) {
    MED_AUTO_FRAME *frame = av_frame_alloc();
    int64_t from = edge->first > 1 ? edge->first - 2 : 0;
    int64_t to = edge->end + 1 < copy->plan->places ? edge->end + 1 : copy->plan->places - 1;
    if (frame == NULL) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "decoding");
    }
    for (int64_t place = from; place <= to; place++) {
        const AVPacket *packet = written(edge, copy->tapes, place);
        if (packet == NULL) {
            return cs_fail(err, CS_DATA_LOSS, "sound_join", "sound beside a join is missing");
        }
        CS_TRY(decode(copy, decoder, packet, frame, err));
        if (place > from && !med_sound_edge_agrees(edge, frame, place, verdict->noise_max)) {
            blame(edge, place, verdict);
        }
    }
    return CS_OK;
}

static enum cs_status make_edge(struct med_sound_copy *copy, struct med_sound_edge *edge, struct verdict *verdict,
                                struct cs_err *err) {
    AVCodecContext *decoder = NULL;
    for (int i = 0; i < 2; i++) {
        CS_TRY(tape_read_to(&copy->tapes[i], edge->end + MED_EDGE_BEHIND, err));
        if (copy->tapes[i].piece != NULL) {
            CS_TRY(hear(copy, edge, &copy->tapes[i], err));
        }
    }
    CS_TRY(med_sound_edge_encode(edge, err));
    CS_TRY(open_decoder(copy, &decoder, err));
    enum cs_status status = judge(copy, edge, decoder, verdict, err);
    avcodec_free_context(&decoder);
    return status;
}

static enum cs_status emit_copied(struct med_sound_copy *copy, struct tape *tape, int64_t end, struct cs_err *err) {
    for (; copy->next < end && copy->wanted; copy->next++) {
        CS_TRY(tape_read_to(tape, copy->next, err));
        CS_TRY(emit(copy, tape_at(tape, copy->next), copy->next, err));
        copy->copied++;
    }
    return CS_OK;
}

static enum cs_status emit_edge(struct med_sound_copy *copy, const struct med_sound_edge *edge, struct cs_err *err) {
    CS_TRY(emit_copied(copy, &copy->tapes[0], edge->first, err));
    for (; copy->next < edge->end && copy->wanted; copy->next++) {
        CS_TRY(emit(copy, edge->packets[copy->next - edge->first], copy->next, err));
    }
    return CS_OK;
}

/* Windows of two encoders that do not fit each other do so a little farther away. false: nowhere. */
static bool give_way(const struct med_sound_copy *copy, const struct verdict *verdict, int64_t *first, int64_t *end) {
    const struct med_sound_piece *before = copy->tapes[0].piece;
    const struct med_sound_piece *after = copy->tapes[1].piece;
    bool left = verdict->left && before != NULL && *first > before->last + 1 - SLACK;
    bool right = verdict->right && after != NULL && *end < after->first + SLACK;
    *first -= left;
    *end += right;
    return (left || right) && *end - *first <= MED_EDGE_PLACES;
}

static enum cs_status try_edge(struct med_sound_copy *copy, int64_t first, int64_t end, struct verdict *verdict,
                               struct cs_err *err) {
    struct med_sound_edge edge;
    med_sound_edge_begin(&edge, copy->plan, first, end);
    enum cs_status status = make_edge(copy, &edge, verdict, err);
    if (status == CS_OK && !verdict->left && !verdict->right) {
        status = emit_edge(copy, &edge, err);
    }
    med_sound_edge_fini(&edge);
    return status;
}

/* Between the two tapes; either may be none. *ret_written false: nowhere is it good enough. */
static enum cs_status join_within(struct med_sound_copy *copy, float noise_max, bool *ret_written, struct cs_err *err) {
    const struct med_sound_piece *before = copy->tapes[0].piece;
    const struct med_sound_piece *after = copy->tapes[1].piece;
    int64_t first = before != NULL ? before->last + 1 : 0;
    int64_t end = after != NULL ? after->first : copy->plan->places;
    struct verdict verdict;
    *ret_written = true;
    if (first == end) {
        return CS_OK;
    }
    do {
        verdict = (struct verdict){.noise_max = noise_max};
        CS_TRY(try_edge(copy, first, end, &verdict, err));
        *ret_written = !verdict.left && !verdict.right;
    } while (!*ret_written && give_way(copy, &verdict, &first, &end));
    return CS_OK;
}

static enum cs_status join(struct med_sound_copy *copy, struct cs_err *err) {
    bool written = false;
    for (size_t i = 0; i < CS_COUNT(noises_max) && !written; i++) {
        CS_TRY(join_within(copy, noises_max[i], &written, err));
    }
    return written ? CS_OK : cs_fail(err, CS_DATA_LOSS, "sound_join", "a join of copied sound is heard");
}

/* ---- all ---- */

static enum cs_status run(struct med_coded *self, med_packet_sink *sink, void *ctx, struct cs_err *err) {
    struct med_sound_copy *copy = (struct med_sound_copy *)self;
    copy->sink = sink;
    copy->ctx = ctx;
    copy->wanted = true;
    for (size_t i = 0; i <= copy->plan->count && copy->wanted; i++) {
        if (i < copy->plan->count) {
            CS_TRY(tape_open(&copy->tapes[1], &copy->plan->pieces[i], err));
        }
        CS_TRY(join(copy, err));
        tape_close(&copy->tapes[0]);
        copy->tapes[0] = copy->tapes[1];
        copy->tapes[1] = (struct tape){0};
        if (i < copy->plan->count) {
            CS_TRY(emit_copied(copy, &copy->tapes[0], copy->plan->pieces[i].last + 1 - SLACK, err));
        }
    }
    return CS_OK;
}

enum cs_status med_sound_copy_create(const struct med_sound_plan *plan, struct med_sound_copy **ret_copy,
                                     struct cs_err *err) {
    CS_AUTO(med_sound_copy) *copy = cs_alloc(sizeof(*copy));
    copy->plan = plan;
    copy->params = avcodec_parameters_alloc();
    if (copy->params == NULL || avcodec_parameters_copy(copy->params, plan->params) < 0) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "copying");
    }
    copy->params->codec_tag = 0;
    copy->params->frame_size = MED_PLACE;
    copy->params->initial_padding = (int)-plan->phase;
    copy->coded = (struct med_coded){
        .params = copy->params, .rate = {plan->params->sample_rate, 1}, .frames = plan->samples, .run = run};
    *ret_copy = cs_steal(&copy);
    return CS_OK;
}

void med_sound_copy_destroy(struct med_sound_copy *copy) {
    if (copy != NULL) {
        tape_close(&copy->tapes[0]);
        tape_close(&copy->tapes[1]);
        avcodec_parameters_free(&copy->params);
        free(copy);
    }
}

struct med_coded *med_sound_copy_coded(struct med_sound_copy *copy) {
    return &copy->coded;
}

int64_t med_sound_copy_copied(const struct med_sound_copy *copy) {
    return copy->copied;
}
