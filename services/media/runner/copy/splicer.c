#include "copy/splicer.h"

#include <assert.h>
#include <string.h>

#include "copy/check.h"
#include "copy/edge.h"
#include "graph/av.h"

struct med_splicer {
    struct med_coded coded;
    struct med_graph *graph;
    const struct med_splice *splice;
    struct med_edge_format edge;
    AVCodecParameters *params;
    AVCodecContext *encoder; /* of this or the next edge, or NULL */
    bool at_edge;
    int64_t edge_out; /* frame at which it starts */
    struct med_witnesses witnesses;
    struct med_video **pads; /* of the pieces that are not kept */
    struct med_reader *reader;
    const struct med_source *reading;
    bool foreign_sets; /* HEVC: an edge was the last to say its parameter sets */
    int reorder;
    int64_t written; /* packets */
    med_packet_sink *sink;
    void *ctx;
    bool wanted;
};

/* ---- packets ---- */

static enum cs_status emit(struct med_splicer *splicer, struct cs_buf *bytes, int64_t frame, bool key,
                           struct cs_err *err) {
    AVPacket *packet = av_packet_alloc();
    if (packet == NULL || av_new_packet(packet, (int)bytes->size) < 0) {
        av_packet_free(&packet);
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "copying");
    }
    memcpy(packet->data, bytes->data, bytes->size);
    packet->pts = frame;
    packet->dts = splicer->written++ - splicer->reorder;
    packet->duration = 1;
    packet->flags = key ? AV_PKT_FLAG_KEY : 0;
    if (packet->pts < packet->dts) {
        av_packet_free(&packet);
        return cs_fail(err, CS_INTERNAL, "copy_order", "a picture would be shown before it is decoded");
    }
    splicer->wanted = splicer->sink(splicer->ctx, packet);
    return CS_OK;
}

/* ---- reading ---- */

static enum cs_status read_from(struct med_splicer *splicer, const struct med_source *source, struct med_spot spot,
                                struct cs_err *err) {
    if (splicer->reading != source) {
        med_reader_close(splicer->reader);
        splicer->reader = NULL;
        CS_TRY(med_source_reader(source, splicer->splice, true, &splicer->reader, err));
        splicer->reading = source;
    }
    return med_reader_seek(splicer->reader, spot, err);
}

/* ---- copied ---- */

static enum cs_status copy_part(struct med_splicer *splicer, const struct med_source *source,
                                const struct med_copy_part *part, struct cs_err *err) {
    CS_AUTO_BUF bytes = {0};
    CS_TRY(read_from(splicer, source, part->from, err));
    for (int64_t i = 0; i < part->frames && splicer->wanted; i++) {
        const AVPacket *packet = NULL;
        CS_TRY(med_reader_packet(splicer->reader, &packet, err));
        int64_t frame = packet == NULL ? -1 : med_reader_frame_at(splicer->reader, packet->pts) - part->first;
        cs_buf_clear(&bytes);
        if (frame < 0 || frame >= part->frames) {
            return cs_fail(err, CS_DATA_LOSS, "corrupt_input", "the input's pictures changed while it was read");
        }
        if (splicer->foreign_sets) {
            med_sets_put(&source->sets, &bytes);
            splicer->foreign_sets = false;
        }
        if (!med_sets_put_packet(&source->sets, packet->data, (size_t)packet->size, &bytes)) {
            return cs_fail(err, CS_DATA_LOSS, "corrupt_input", "a picture of the input is damaged");
        }
        CS_TRY(emit(splicer, &bytes, part->out + frame, (packet->flags & AV_PKT_FLAG_KEY) != 0, err));
    }
    return CS_OK;
}

/* ---- encoded ---- */

static enum cs_status put_edge_packet(struct med_splicer *splicer, const AVPacket *packet, struct cs_err *err) {
    const struct med_sets sets = {.codec = splicer->params->codec_id};
    CS_AUTO_BUF bytes = {0};
    if (sets.codec == AV_CODEC_ID_HEVC) {
        cs_buf_put(&bytes, packet->data, (size_t)packet->size);
        splicer->foreign_sets = true;
    } else {
        (void)med_sets_put_packet(&sets, packet->data, (size_t)packet->size, &bytes);
    }
    return emit(splicer, &bytes, splicer->edge_out + packet->pts, (packet->flags & AV_PKT_FLAG_KEY) != 0, err);
}

/* NULL: the end of the edge. */
static enum cs_status encode(struct med_splicer *splicer, const AVFrame *frame, struct cs_err *err) {
    MED_AUTO_PACKET *packet = av_packet_alloc();
    int result = packet == NULL ? AVERROR(ENOMEM) : avcodec_send_frame(splicer->encoder, frame);
    while (result >= 0 && splicer->wanted) {
        result = avcodec_receive_packet(splicer->encoder, packet);
        if (result >= 0) {
            CS_TRY(put_edge_packet(splicer, packet, err));
            av_packet_unref(packet);
        }
    }
    if (result < 0 && result != AVERROR(EAGAIN) && result != AVERROR_EOF) {
        return med_av_fail(err, CS_INTERNAL, "encoder", result, "encoding an edge");
    }
    return CS_OK;
}

/* Edges that follow each other are one. */
static enum cs_status encode_frame(struct med_splicer *splicer, const AVFrame *like, int64_t out, struct cs_err *err) {
    MED_AUTO_FRAME *frame = av_frame_clone(like);
    if (frame == NULL) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "encoding an edge");
    }
    if (splicer->encoder == NULL) {
        CS_TRY(med_edge_open(&splicer->edge, &splicer->encoder, err));
    }
    assert(splicer->encoder != NULL);
    if (frame->format != splicer->encoder->pix_fmt || frame->width != splicer->encoder->width ||
        frame->height != splicer->encoder->height) {
        return cs_fail(err, CS_DATA_LOSS, "corrupt_input", "the input's pictures change their shape");
    }
    if (!splicer->at_edge) {
        splicer->at_edge = true;
        splicer->edge_out = out;
    }
    frame->pts = out - splicer->edge_out;
    frame->pict_type = AV_PICTURE_TYPE_NONE;
    return encode(splicer, frame, err);
}

static enum cs_status end_edge(struct med_splicer *splicer, struct cs_err *err) {
    if (splicer->at_edge) {
        CS_TRY(encode(splicer, NULL, err));
        avcodec_free_context(&splicer->encoder);
        splicer->at_edge = false;
    }
    return CS_OK;
}

/* A picture that decoding for part `number` of a piece passes: of the copied part before it, or behind it. */
static void testify(struct med_splicer *splicer, const struct med_copy_parts *parts, size_t number,
                    const AVFrame *picture, int64_t frame) {
    for (size_t i = number > 0 ? number - 1 : 0; i <= number + 1 && i < parts->count; i++) {
        const struct med_copy_part *part = &parts->list[i];
        if (part->copied && frame >= part->first && frame < part->first + part->frames) {
            med_witness_add(&splicer->witnesses, picture, part->out + frame - part->first);
        }
    }
}

/* As clips do: frame n shows the latest picture at or before it. Looks on a little, for the check. */
static enum cs_status encode_stretch(struct med_splicer *splicer, const struct med_splice_piece *piece, size_t number,
                                     struct cs_err *err) {
    const struct med_copy_part *part = &piece->parts.list[number];
    MED_AUTO_FRAME *current = NULL;
    bool beside = number + 1 < piece->parts.count;
    int64_t end = part->first + part->frames;
    int64_t done = part->first;
    int64_t wanted = part->first - (number > 0 ? MED_CHECK_FRAMES : 0);
    CS_TRY(read_from(splicer, piece->source, part->from, err));
    struct med_reader *reader = splicer->reader;
    for (bool ended = false; !ended && splicer->wanted;) {
        MED_AUTO_FRAME *picture = NULL;
        CS_TRY(med_reader_picture(reader, wanted, &picture, err));
        ended = picture == NULL;
        int64_t frame = ended ? end : med_reader_frame_at(reader, picture->pts);
        for (; done < end && done < frame && current != NULL; done++) {
            CS_TRY(encode_frame(splicer, current, part->out + done - part->first, err));
        }
        if (!ended) {
            testify(splicer, &piece->parts, number, picture, frame);
            ended = frame >= end + (beside ? MED_CHECK_FRAMES - 1 : 0);
            av_frame_free(&current);
            current = picture;
            picture = NULL;
        }
    }
    for (; done < end && current != NULL && splicer->wanted; done++) { /* the file begins later */
        CS_TRY(encode_frame(splicer, current, part->out + done - part->first, err));
    }
    return done == end || !splicer->wanted
               ? CS_OK
               : cs_fail(err, CS_DATA_LOSS, "corrupt_input", "no picture of the input could be decoded");
}

static enum cs_status encode_pad(struct med_splicer *splicer, struct med_video *pad, int64_t out, struct cs_err *err) {
    for (int64_t n = 0; n < pad->frames && splicer->wanted; n++) {
        MED_AUTO_FRAME *frame = NULL;
        CS_TRY(pad->pull(pad, &frame, err));
        CS_TRY(encode_frame(splicer, frame, out + n, err));
    }
    pad->close(pad);
    return CS_OK;
}

/* ---- all ---- */

static enum cs_status run_piece(struct med_splicer *splicer, size_t number, struct cs_err *err) {
    const struct med_splice_piece *piece = &splicer->splice->pieces[number];
    if (!piece->kept) {
        return encode_pad(splicer, splicer->pads[number], piece->out, err);
    }
    for (size_t i = 0; i < piece->parts.count && splicer->wanted; i++) {
        const struct med_copy_part *part = &piece->parts.list[i];
        if (part->copied) {
            CS_TRY(end_edge(splicer, err));
            CS_TRY(copy_part(splicer, piece->source, part, err));
        } else {
            CS_TRY(encode_stretch(splicer, piece, i, err));
        }
    }
    return CS_OK;
}

static enum cs_status run(struct med_coded *self, med_packet_sink *sink, void *ctx, struct cs_err *err) {
    struct med_splicer *splicer = (struct med_splicer *)self;
    splicer->sink = sink;
    splicer->ctx = ctx;
    splicer->wanted = true;
    for (size_t i = 0; i < splicer->splice->count && splicer->wanted; i++) {
        CS_TRY(run_piece(splicer, i, err));
    }
    return end_edge(splicer, err);
}

/* ---- before it runs ---- */

static void add_pads(struct med_splicer *splicer) {
    const struct med_splice *splice = splicer->splice;
    splicer->pads = cs_arena_array(splicer->graph->arena, splice->count, sizeof(struct med_video *));
    for (size_t i = 0; i < splice->count; i++) {
        const struct med_piece *piece = splice->pieces[i].piece;
        if (!splice->pieces[i].kept) {
            splicer->pads[i] = med_clip_video(splicer->graph, piece->clip, &splice->format, piece->frames, MED_FIT_PAD,
                                              MED_ANCHOR_CENTER);
        }
    }
}

/* The file's header: the source's sets, and those of the edges when they have ids of their own. */
static enum cs_status write_header(struct med_splicer *splicer, struct cs_err *err) {
    CS_AUTO_BUF bytes = {0};
    const struct med_source *like = splicer->splice->like;
    bool hevc = like->params->codec_id == AV_CODEC_ID_HEVC;
    med_sets_put(&like->sets, &bytes);
    if (splicer->encoder != NULL && !hevc) {
        const AVCodecContext *encoder = splicer->encoder;
        const AVCodecParameters header = {
            .codec_id = AV_CODEC_ID_H264, .extradata = encoder->extradata, .extradata_size = encoder->extradata_size};
        struct med_sets sets;
        if (!med_sets_read(&header, splicer->graph->arena, &sets)) {
            return cs_fail(err, CS_INTERNAL, "encoder", "the encoder of edges has no parameter sets");
        }
        med_sets_put(&sets, &bytes);
    }
    uint8_t *data = av_mallocz(bytes.size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (data == NULL) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "copying");
    }
    memcpy(data, bytes.data, bytes.size);
    av_freep(&splicer->params->extradata);
    splicer->params->extradata = data;
    splicer->params->extradata_size = (int)bytes.size;
    splicer->params->codec_tag = !hevc                      ? 0
                                 : splicer->encoder != NULL ? MKTAG('h', 'e', 'v', '1')
                                                            : MKTAG('h', 'v', 'c', '1');
    return CS_OK;
}

static enum cs_status prepare(struct med_splicer *splicer, struct cs_err *err) {
    const struct med_splice *splice = splicer->splice;
    splicer->params = avcodec_parameters_alloc();
    if (splicer->params == NULL || avcodec_parameters_copy(splicer->params, splice->like->params) < 0) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "copying");
    }
    splicer->edge = (struct med_edge_format){
        .like = splice->like->params,
        .rate = splice->format.rate,
        .sets_id = med_sets_free_id(&splice->like->sets, 31),
        .threads = splicer->graph->threads,
    };
    splicer->reorder = splice->reorder;
    if (splice->encoded > 0) {
        CS_TRY(med_edge_open(&splicer->edge, &splicer->encoder, err));
        int reorder = med_edge_reorder(splicer->encoder);
        splicer->reorder = reorder > splicer->reorder ? reorder : splicer->reorder;
    }
    CS_TRY(write_header(splicer, err));
    add_pads(splicer);
    splicer->coded = (struct med_coded){
        .params = splicer->params, .rate = splice->format.rate, .frames = splice->frames, .run = run};
    return CS_OK;
}

enum cs_status med_splicer_create(struct med_graph *graph, const struct med_splice *splice,
                                  struct med_splicer **ret_splicer, struct cs_err *err) {
    CS_AUTO(med_splicer) *splicer = cs_alloc(sizeof(*splicer));
    splicer->graph = graph;
    splicer->splice = splice;
    CS_TRY(prepare(splicer, err));
    *ret_splicer = cs_steal(&splicer);
    return CS_OK;
}

void med_splicer_destroy(struct med_splicer *splicer) {
    if (splicer != NULL) {
        avcodec_free_context(&splicer->encoder);
        avcodec_parameters_free(&splicer->params);
        med_reader_close(splicer->reader);
        med_witness_fini(&splicer->witnesses);
        free(splicer);
    }
}

struct med_coded *med_splicer_coded(struct med_splicer *splicer) {
    return &splicer->coded;
}

struct med_witnesses *med_splicer_witnesses(struct med_splicer *splicer) {
    return &splicer->witnesses;
}
