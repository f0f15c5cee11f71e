#include "copy/reader.h"

#include <assert.h>

#include "bounds.h"
#include "cs/base/mem.h"
#include "graph/av.h"
#include "graph/input.h"
#include "graph/timeline.h"

static enum cs_status open_input(struct med_reader *reader, struct cs_err *err) {
    CS_TRY(reader->known ? med_input_open_known(reader->fd, &reader->format, err)
                         : med_input_open(reader->fd, &reader->format, err));
    if (reader->stream >= (int)reader->format->nb_streams) {
        return cs_fail(err, CS_DATA_LOSS, "corrupt_input", "the input's streams changed while it was read");
    }
    reader->info = reader->format->streams[reader->stream];
    med_input_keep_only(reader->format, reader->stream, -1);
    reader->ended = false;
    return CS_OK;
}

enum cs_status med_reader_open(int fd, int stream, bool known, int64_t start_ticks, AVRational rate,
                               struct med_reader **ret_reader, struct cs_err *err) {
    CS_AUTO(med_reader) *reader = cs_alloc(sizeof(*reader));
    *reader = (struct med_reader){.fd = fd, .stream = stream, .known = known, .start_ticks = start_ticks, .rate = rate};
    reader->packet = av_packet_alloc();
    if (reader->packet == NULL) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "reading");
    }
    CS_TRY(open_input(reader, err));
    *ret_reader = cs_steal(&reader);
    return CS_OK;
}

void med_reader_close(struct med_reader *reader) {
    if (reader != NULL) {
        avcodec_free_context(&reader->decoder);
        av_packet_free(&reader->packet);
        med_input_close(&reader->format);
        free(reader);
    }
}

int64_t med_reader_frame_at(const struct med_reader *reader, int64_t pts) {
    return med_frames_at(med_ticks_from(pts, reader->info->time_base) - reader->start_ticks, reader->rate);
}

/* ---- packets ---- */

static enum cs_status read_packet(struct med_reader *reader, struct cs_err *err) {
    int result = 0;
    do {
        av_packet_unref(reader->packet);
        result = av_read_frame(reader->format, reader->packet);
    } while (result >= 0 && reader->packet->stream_index != reader->stream);
    reader->ended = result < 0;
    return reader->ended ? med_input_ended(reader->format, result, err) : CS_OK;
}

enum cs_status med_reader_packet(struct med_reader *reader, const AVPacket **ret_packet, struct cs_err *err) {
    if (!reader->held && !reader->ended) {
        CS_TRY(read_packet(reader, err));
    }
    reader->held = false;
    *ret_packet = reader->ended ? NULL : reader->packet;
    return CS_OK;
}

/* false: it lies behind, or nowhere. */
static enum cs_status read_until(struct med_reader *reader, struct med_spot spot, bool *ret_found, struct cs_err *err) {
    for (*ret_found = false; !reader->ended;) {
        CS_TRY(read_packet(reader, err));
        if (!reader->ended && reader->packet->pts == spot.pts) {
            *ret_found = true;
            return CS_OK;
        }
        if (!reader->ended && (reader->packet->flags & AV_PKT_FLAG_KEY) != 0 && reader->packet->pts > spot.pts) {
            return CS_OK;
        }
    }
    return CS_OK;
}

enum cs_status med_reader_move(struct med_reader *reader, struct med_spot spot, struct cs_err *err) {
    int64_t time = spot.dts != AV_NOPTS_VALUE && spot.dts < spot.pts ? spot.dts : spot.pts;
    bool found = false;
    reader->held = false;
    reader->ended = false;
    if (av_seek_frame(reader->format, reader->stream, time, AVSEEK_FLAG_BACKWARD) >= 0) {
        CS_TRY(read_until(reader, spot, &found, err));
    }
    if (!found) { /* what seeks badly is read from its start */
        med_input_close(&reader->format);
        CS_TRY(open_input(reader, err));
        CS_TRY(read_until(reader, spot, &found, err));
    }
    if (!found) {
        return cs_fail(err, CS_DATA_LOSS, "corrupt_input", "a picture of the input is not found again");
    }
    reader->held = true;
    return CS_OK;
}

enum cs_status med_reader_seek(struct med_reader *reader, struct med_spot spot, struct cs_err *err) {
    if (reader->decoder != NULL) {
        avcodec_flush_buffers(reader->decoder);
    }
    return med_reader_move(reader, spot, err);
}

/* ---- pictures ---- */

static enum cs_status open_decoder(struct med_reader *reader, struct cs_err *err) {
    const AVCodec *codec = avcodec_find_decoder(reader->info->codecpar->codec_id);
    AVCodecContext *decoder = codec == NULL ? NULL : avcodec_alloc_context3(codec);
    if (decoder == NULL) {
        return med_av_fail(err, CS_INTERNAL, "decoder", AVERROR(ENOMEM), "opening a decoder");
    }
    int result = avcodec_parameters_to_context(decoder, reader->info->codecpar);
    decoder->pkt_timebase = reader->info->time_base;
    decoder->max_pixels = MED_PIXELS_MAX;
    decoder->thread_count = 1;
    decoder->flags |= AV_CODEC_FLAG_BITEXACT;
    decoder->codec_whitelist = av_strdup(med_codecs_allowed);
    if (result >= 0) {
        result = avcodec_open2(decoder, codec, NULL);
    }
    if (result < 0) {
        avcodec_free_context(&decoder);
        return med_av_fail(err, CS_DATA_LOSS, "corrupt_input", result, "opening a decoder");
    }
    reader->decoder = decoder;
    return CS_OK;
}

static enum cs_status feed(struct med_reader *reader, int64_t wanted, struct cs_err *err) {
    const AVPacket *packet = NULL;
    CS_TRY(med_reader_packet(reader, &packet, err));
    bool early = packet != NULL && packet->pts != AV_NOPTS_VALUE && med_reader_frame_at(reader, packet->pts) < wanted;
    reader->decoder->skip_frame = early ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
    int result = avcodec_send_packet(reader->decoder, packet);
    return result == AVERROR(ENOMEM) ? med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "decoding") : CS_OK;
}

enum cs_status med_reader_picture(struct med_reader *reader, int64_t wanted, AVFrame **ret_picture,
                                  struct cs_err *err) {
    MED_AUTO_FRAME *picture = av_frame_alloc();
    if (reader->decoder == NULL) {
        CS_TRY(open_decoder(reader, err));
    }
    for (;;) {
        int result = picture == NULL ? AVERROR(ENOMEM) : avcodec_receive_frame(reader->decoder, picture);
        if (result == AVERROR(ENOMEM)) {
            return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "decoding");
        }
        if (result >= 0) {
            *ret_picture = picture;
            picture = NULL;
            return CS_OK;
        }
        if (result == AVERROR_EOF) {
            *ret_picture = NULL;
            return CS_OK;
        }
        CS_TRY(feed(reader, wanted, err)); /* a packet that does not decode: the next one may */
    }
}

/* Until the decoder wants more, or has no more. */
static enum cs_status visit_all(struct med_reader *reader, med_picture_visitor *visit, void *ctx, struct cs_err *err) {
    for (;;) {
        MED_AUTO_FRAME *picture = av_frame_alloc();
        int result = picture == NULL ? AVERROR(ENOMEM) : avcodec_receive_frame(reader->decoder, picture);
        if (result == AVERROR(ENOMEM)) {
            return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "decoding");
        }
        if (result < 0) {
            return CS_OK;
        }
        visit(ctx, picture, med_reader_frame_at(reader, picture->pts));
    }
}

enum cs_status med_reader_decode(struct med_reader *reader, int64_t packets, int64_t wanted, med_picture_visitor *visit,
                                 void *ctx, struct cs_err *err) {
    if (reader->decoder == NULL) {
        CS_TRY(open_decoder(reader, err));
    }
    assert(reader->decoder != NULL);
    for (int64_t i = 0; i < packets && !reader->ended; i++) {
        CS_TRY(feed(reader, wanted, err));
        CS_TRY(visit_all(reader, visit, ctx, err));
    }
    return CS_OK;
}

enum cs_status med_reader_drain(struct med_reader *reader, med_picture_visitor *visit, void *ctx, struct cs_err *err) {
    if (reader->decoder != NULL) {
        (void)avcodec_send_packet(reader->decoder, NULL);
        CS_TRY(visit_all(reader, visit, ctx, err));
        avcodec_flush_buffers(reader->decoder);
    }
    return CS_OK;
}
