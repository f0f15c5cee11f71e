#include "graph/text_track.h"

#include <libavformat/avformat.h>
#include <string.h>

#include "graph/av.h"
#include "graph/input.h"
#include "graph/output.h"
#include "graph/progress.h"
#include "graph/timeline.h"

static const AVRational in_ms = {1, 1000};

struct remux {
    const struct med_clip *clip;
    const struct med_text_track *track;
    AVFormatContext *in;
    struct med_output out;
    int *streams;      /* of the output, for each of the input; -1: left out */
    int text;          /* stream of the output */
    size_t said;       /* samples that have been written */
    int64_t offset_us; /* of the input's clock */
    struct med_progress progress;
};

/* ---- streams ---- */

static bool is_copied(const struct remux *remux, int index) {
    const AVCodecParameters *params = remux->in->streams[index]->codecpar;
    return index == remux->clip->facts->video.stream || index == remux->clip->facts->audio.stream ||
           (params->codec_type == AVMEDIA_TYPE_SUBTITLE && params->codec_id == AV_CODEC_ID_MOV_TEXT);
}

static enum cs_status copy_side_data(const AVStream *from, AVStream *into, struct cs_err *err) {
    for (int i = 0; i < from->nb_side_data; i++) {
        const AVPacketSideData *data = &from->side_data[i];
        uint8_t *copy = av_stream_new_side_data(into, data->type, data->size);
        if (copy == NULL) {
            return med_output_failed(err, AVERROR(ENOMEM));
        }
        memcpy(copy, data->data, data->size);
    }
    return CS_OK;
}

static enum cs_status copy_stream(struct remux *remux, int index, struct cs_err *err) {
    const AVStream *from = remux->in->streams[index];
    enum AVCodecID codec = from->codecpar->codec_id;
    if (avformat_query_codec(remux->out.format->oformat, codec, FF_COMPLIANCE_NORMAL) != 1) {
        (void)cs_fail(err, CS_UNIMPLEMENTED, "codec_unsupported",
                      "an MP4 file cannot hold this video's %s; burn the subtitles instead", avcodec_get_name(codec));
        return cs_err_at(err, remux->clip->path);
    }
    AVStream *into = avformat_new_stream(remux->out.format, NULL);
    if (into == NULL || avcodec_parameters_copy(into->codecpar, from->codecpar) < 0) {
        return med_output_failed(err, AVERROR(ENOMEM));
    }
    if (av_codec_get_id(remux->out.format->oformat->codec_tag, into->codecpar->codec_tag) != codec) {
        into->codecpar->codec_tag = 0;
    }
    into->time_base = from->time_base;
    into->avg_frame_rate = from->avg_frame_rate;
    into->r_frame_rate = from->r_frame_rate;
    into->sample_aspect_ratio = from->sample_aspect_ratio;
    into->disposition = from->disposition;
    const AVDictionaryEntry *language = av_dict_get(from->metadata, "language", NULL, 0);
    if (language != NULL) {
        av_dict_set(&into->metadata, "language", language->value, 0);
    }
    remux->streams[index] = into->index;
    return copy_side_data(from, into, err);
}

static enum cs_status add_text_stream(struct remux *remux, struct cs_err *err) {
    AVStream *text = avformat_new_stream(remux->out.format, NULL);
    uint8_t *description = av_mallocz(med_timed_text_description_bytes + AV_INPUT_BUFFER_PADDING_SIZE);
    if (text == NULL || description == NULL) {
        av_free(description);
        return med_output_failed(err, AVERROR(ENOMEM));
    }
    memcpy(description, med_timed_text_description, med_timed_text_description_bytes);
    text->codecpar->codec_type = AVMEDIA_TYPE_SUBTITLE;
    text->codecpar->codec_id = AV_CODEC_ID_MOV_TEXT;
    text->codecpar->extradata = description;
    text->codecpar->extradata_size = (int)med_timed_text_description_bytes;
    text->codecpar->width = remux->clip->facts->video.width;
    text->codecpar->height = remux->clip->facts->video.height;
    text->time_base = in_ms;
    av_dict_set(&text->metadata, "language", remux->track->language, 0);
    remux->text = text->index;
    return CS_OK;
}

static enum cs_status add_streams(struct remux *remux, int *ret_tracks, struct cs_err *err) {
    int tracks = 1;
    for (unsigned i = 0; i < remux->in->nb_streams; i++) {
        remux->streams[i] = -1;
        if (is_copied(remux, (int)i)) {
            CS_TRY(copy_stream(remux, (int)i, err));
            tracks += remux->in->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE;
        } else {
            remux->in->streams[i]->discard = AVDISCARD_ALL;
        }
    }
    *ret_tracks = tracks;
    return add_text_stream(remux, err);
}

/* ---- packets ---- */

static void tell(struct remux *remux, const AVPacket *packet, AVRational unit) {
    int64_t length_us = remux->progress.length_us;
    int64_t done_us = packet->dts == AV_NOPTS_VALUE ? 0 : av_rescale_q(packet->dts, unit, AV_TIME_BASE_Q);
    med_progress_tell(&remux->progress, done_us < 0 ? 0 : done_us > length_us ? length_us : done_us);
}

static enum cs_status write_sample(struct remux *remux, struct cs_err *err) {
    const struct med_timed_sample *sample = &remux->track->text.samples[remux->said++];
    const AVStream *stream = remux->out.format->streams[remux->text];
    int64_t begin_us = med_ticks_to_us(remux->clip->facts->video.start_ticks) - remux->offset_us;
    MED_AUTO_PACKET *packet = av_packet_alloc();
    if (packet == NULL || av_new_packet(packet, (int)sample->size_bytes) < 0) {
        return med_output_failed(err, AVERROR(ENOMEM));
    }
    memcpy(packet->data, sample->bytes, sample->size_bytes);
    packet->stream_index = remux->text;
    packet->flags |= AV_PKT_FLAG_KEY;
    packet->pts = packet->dts = sample->start_ms + begin_us / 1000;
    packet->duration = sample->duration_ms;
    av_packet_rescale_ts(packet, in_ms, stream->time_base);
    int result = av_interleaved_write_frame(remux->out.format, packet);
    return result < 0 ? med_output_failed(err, result) : CS_OK;
}

/* Those that begin at this time of the output at the latest. */
static enum cs_status write_samples(struct remux *remux, int64_t until_ms, struct cs_err *err) {
    const struct med_timed_text *text = &remux->track->text;
    while (remux->said < text->count && text->samples[remux->said].start_ms <= until_ms) {
        CS_TRY(write_sample(remux, err));
    }
    return CS_OK;
}

static enum cs_status copy_packet(struct remux *remux, AVPacket *packet, struct cs_err *err) {
    AVStream *from = remux->in->streams[packet->stream_index];
    AVStream *into = remux->out.format->streams[remux->streams[packet->stream_index]];
    int64_t offset = av_rescale_q(remux->offset_us, AV_TIME_BASE_Q, from->time_base);
    packet->pts -= packet->pts == AV_NOPTS_VALUE ? 0 : offset;
    packet->dts -= packet->dts == AV_NOPTS_VALUE ? 0 : offset;
    if (packet->dts != AV_NOPTS_VALUE) {
        CS_TRY(write_samples(remux, av_rescale_q(packet->dts, from->time_base, in_ms), err));
    }
    tell(remux, packet, from->time_base);
    av_packet_rescale_ts(packet, from->time_base, into->time_base);
    packet->stream_index = into->index;
    packet->pos = -1;
    int result = av_interleaved_write_frame(remux->out.format, packet);
    return result < 0 ? med_output_failed(err, result) : CS_OK;
}

static enum cs_status copy_packets(struct remux *remux, struct cs_err *err) {
    for (;;) {
        MED_AUTO_PACKET *packet = av_packet_alloc();
        int result = packet == NULL ? AVERROR(ENOMEM) : av_read_frame(remux->in, packet);
        if (result < 0) {
            CS_TRY(med_input_ended(remux->in, result, err));
            return write_samples(remux, INT64_MAX, err);
        }
        if (remux->streams[packet->stream_index] >= 0) {
            CS_TRY(copy_packet(remux, packet, err));
        }
    }
}

static enum cs_status run(struct remux *remux, int fd, int64_t bytes_max, int *ret_tracks, struct cs_err *err) {
    AVDictionary *options = NULL;
    CS_TRY(med_input_open(remux->clip->fd, &remux->in, err));
    CS_TRY(med_output_open(&remux->out, "mp4", fd, bytes_max, err));
    remux->streams = cs_alloc_array(remux->in->nb_streams, sizeof(*remux->streams));
    remux->offset_us = remux->in->start_time == AV_NOPTS_VALUE ? 0 : remux->in->start_time;
    CS_TRY(add_streams(remux, ret_tracks, err));
    av_dict_set(&options, "movflags", "+faststart", 0);
    int result = avformat_write_header(remux->out.format, &options);
    av_dict_free(&options);
    if (result < 0) {
        return med_output_failed(err, result);
    }
    CS_TRY(copy_packets(remux, err));
    return med_output_finish(&remux->out, err);
}

enum cs_status med_text_track_add(const struct med_clip *clip, const struct med_text_track *track, int fd,
                                  int64_t bytes_max, const struct med_render_events *events, int *ret_tracks,
                                  struct cs_err *err) {
    int64_t length_us = med_ticks_to_us(med_facts_length_ticks(clip->facts));
    struct remux remux = {.clip = clip, .track = track, .progress = med_progress_begin(events, "copying", length_us)};
    enum cs_status status = run(&remux, fd, bytes_max, ret_tracks, err);
    free(remux.streams);
    med_output_close(&remux.out);
    med_input_close(&remux.in);
    return status;
}
