#include "graph/stream.h"

#include <libavutil/pixdesc.h>
#include <pthread.h>
#include <string.h>

#include "bounds.h"
#include "cs/base/mem.h"
#include "graph/av.h"
#include "graph/deinterlace.h"
#include "graph/input.h"
#include "graph/queue.h"
#include "graph/timeline.h"

enum {
    PACKETS_QUEUED = 48,
    PICTURES_QUEUED = 4,
    SOUNDS_QUEUED = 32,
    BATCH = 8,            /* of sounds, and of packets: small things */
    ROUGH_WIDTH = 640,    /* wide enough for a look */
    BAD_PACKETS_FREE = 8, /* a recording may start or end in the middle */
};

struct med_stream {
    AVFormatContext *format;
    AVCodecContext *decoder;
    AVStream *info;
    struct med_queue *packets;
    struct med_queue *frames;
    int64_t wanted_ticks;
    bool awaits_key; /* pictures before the next key frame need ones that are not read */
    bool started;
    pthread_t demux_thread;
    pthread_t decode_thread;
    /* below: the decode thread's */
    struct med_deinterlace deinterlace;
    int64_t next_pts;
    int64_t good;
    int64_t bad;
};

/* FFmpeg's own decoders of VP8 and VP9 leave out the transparency that Matroska carries beside the picture. */
static const AVCodec *decoder_of(const AVStream *info) {
    enum AVCodecID id = info->codecpar->codec_id;
    const AVDictionaryEntry *alpha = av_dict_get(info->metadata, "alpha_mode", NULL, 0);
    const char *other = id == AV_CODEC_ID_VP8 ? "libvpx" : id == AV_CODEC_ID_VP9 ? "libvpx-vp9" : NULL;
    const AVCodec *codec = NULL;
    if (other != NULL && alpha != NULL && strcmp(alpha->value, "1") == 0) {
        codec = avcodec_find_decoder_by_name(other);
    }
    return codec != NULL ? codec : avcodec_find_decoder(id);
}

/* Wide pictures lose a half or three quarters of each side, if the codec can do that. */
static void spare(AVCodecContext *decoder, const AVCodec *codec, enum med_effort effort) {
    int halvings = decoder->width >= ROUGH_WIDTH * 2 ? 2 : decoder->width >= ROUGH_WIDTH ? 1 : 0;
    if (effort == MED_EFFORT_FULL) {
        return;
    }
    decoder->lowres = halvings < codec->max_lowres ? halvings : codec->max_lowres;
    decoder->skip_loop_filter = AVDISCARD_ALL;
    if (effort == MED_EFFORT_SOME) {
        decoder->skip_frame = AVDISCARD_NONREF;
    }
}

static enum cs_status open_decoder(const AVStream *info, int threads, enum med_effort effort,
                                   AVCodecContext **ret_decoder, struct cs_err *err) {
    const AVCodec *codec = decoder_of(info);
    if ((int64_t)info->codecpar->width * info->codecpar->height > MED_PIXELS_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_many_pixels", "a picture may have %d million pixels at most",
                       MED_PIXELS_MAX >> 20);
    }
    if (codec == NULL) {
        return cs_fail(err, CS_UNIMPLEMENTED, "codec_unsupported", "the codec %s is not supported",
                       avcodec_get_name(info->codecpar->codec_id));
    }
    AVCodecContext *decoder = avcodec_alloc_context3(codec);
    if (decoder == NULL) {
        return med_av_fail(err, CS_INTERNAL, "decoder", AVERROR(ENOMEM), "opening a decoder");
    }
    int result = avcodec_parameters_to_context(decoder, info->codecpar);
    decoder->pkt_timebase = info->time_base;
    decoder->max_pixels = MED_PIXELS_MAX;
    decoder->thread_count = threads;
    decoder->flags |= AV_CODEC_FLAG_BITEXACT;
    decoder->codec_whitelist = av_strdup(med_codecs_allowed);
    spare(decoder, codec, effort);
    if (result >= 0) {
        result = avcodec_open2(decoder, codec, NULL);
    }
    if (result < 0) {
        avcodec_free_context(&decoder);
        if (result == AVERROR(EINVAL) || result == AVERROR_PATCHWELCOME) {
            return cs_fail(err, CS_UNIMPLEMENTED, "codec_unsupported", "the codec %s is not supported", codec->name);
        }
        return med_av_fail(err, CS_DATA_LOSS, "corrupt_input", result, "opening a decoder");
    }
    *ret_decoder = decoder;
    return CS_OK;
}

static enum cs_status open_stream(int fd, int index, int threads, enum med_effort effort, struct med_stream *stream,
                                  struct cs_err *err) {
    CS_TRY(med_input_open_known(fd, &stream->format, err));
    if (index < 0 || index >= (int)stream->format->nb_streams) {
        return cs_fail(err, CS_DATA_LOSS, "corrupt_input", "the input's streams changed while it was read");
    }
    stream->info = stream->format->streams[index];
    med_input_keep_only(stream->format, index, -1);
    return open_decoder(stream->info, threads, effort, &stream->decoder, err);
}

/* ---- threads ---- */

static bool is_wanted(struct med_stream *stream, const AVPacket *packet) {
    bool own = packet->stream_index == stream->info->index;
    stream->awaits_key = stream->awaits_key && !(own && (packet->flags & AV_PKT_FLAG_KEY) != 0);
    return own && !stream->awaits_key;
}

static void *demux(void *arg) {
    struct med_stream *stream = arg;
    struct cs_err err = {0};
    bool failed = false;
    for (;;) {
        AVPacket *packet = av_packet_alloc();
        int result = packet == NULL ? AVERROR(ENOMEM) : av_read_frame(stream->format, packet);
        if (result < 0) {
            av_packet_free(&packet);
            failed = med_input_ended(stream->format, result, &err) != CS_OK;
            break;
        }
        if (!is_wanted(stream, packet)) {
            av_packet_free(&packet);
        } else if (!med_queue_put(stream->packets, packet)) {
            break;
        }
    }
    med_queue_end(stream->packets, failed ? &err : NULL);
    return NULL;
}

static bool is_sane(const struct med_stream *stream, int64_t time) {
    return time != AV_NOPTS_VALUE && med_ticks_are_sane(med_ticks_from(time, stream->info->time_base));
}

static void give_time(struct med_stream *stream, AVFrame *frame) {
    if (frame->best_effort_timestamp != AV_NOPTS_VALUE) {
        frame->pts = frame->best_effort_timestamp;
    }
    if (!is_sane(stream, frame->pts)) {
        frame->pts = stream->next_pts;
    }
    int64_t duration = frame->pkt_duration;
    if (duration <= 0 || !is_sane(stream, duration)) {
        AVRational rate = stream->info->avg_frame_rate;
        duration = frame->nb_samples > 0
                       ? av_rescale_q(frame->nb_samples, (AVRational){1, frame->sample_rate}, stream->info->time_base)
                   : rate.num > 0 ? av_rescale_q(1, av_inv_q(rate), stream->info->time_base)
                                  : 1;
    }
    stream->next_pts = frame->pts + duration;
}

/* What a deinterlacer gives back, on to the queue. */
static bool pass_on(struct med_stream *stream, int *ret_result) {
    for (;;) {
        AVFrame *whole = NULL;
        *ret_result = med_deinterlace_take(&stream->deinterlace, &whole);
        if (*ret_result < 0) {
            return true;
        }
        if (!med_queue_put(stream->frames, whole)) {
            return false;
        }
    }
}

/* Takes the frame, or NULL at the end of the stream. */
static bool emit(struct med_stream *stream, AVFrame *frame, int *ret_result) {
    struct med_deinterlace *deinterlace = &stream->deinterlace;
    *ret_result = 0;
    if (frame != NULL && !med_deinterlace_wants(deinterlace, frame)) {
        return med_queue_put(stream->frames, frame);
    }
    if (frame != NULL && med_deinterlace_changes(deinterlace, frame) && !emit(stream, NULL, ret_result)) {
        av_frame_free(&frame);
        return false;
    }
    *ret_result = med_deinterlace_put(deinterlace, frame);
    if (*ret_result >= 0 && !pass_on(stream, ret_result)) {
        return false;
    }
    *ret_result = *ret_result == AVERROR(EAGAIN) || *ret_result == AVERROR_EOF ? 0 : *ret_result;
    return true;
}

/* Moves out what the decoder has. false: nobody wants more. *ret_result is FFmpeg's last word. */
static bool drain(struct med_stream *stream, int *ret_result) {
    for (;;) {
        AVFrame *frame = av_frame_alloc();
        int result = frame == NULL ? AVERROR(ENOMEM) : avcodec_receive_frame(stream->decoder, frame);
        if (result < 0) {
            av_frame_free(&frame);
            *ret_result = result;
            return true;
        }
        stream->good++;
        give_time(stream, frame);
        if (!emit(stream, frame, ret_result)) {
            return false;
        }
        if (*ret_result < 0) {
            return true;
        }
    }
}

/* H.264 says of each picture whether others are made from it; HEVC only for those of its own sub-layer. */
static enum AVDiscard left_out(const struct med_stream *stream, const AVPacket *packet) {
    bool early = packet != NULL && is_sane(stream, packet->pts) &&
                 med_ticks_from(packet->pts, stream->info->time_base) < stream->wanted_ticks;
    return early && stream->decoder->codec_id == AV_CODEC_ID_H264 ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
}

/* One packet, or NULL to flush. false: stop; err is set when that is a failure. */
static bool feed(struct med_stream *stream, const AVPacket *packet, struct cs_err *err) {
    if (stream->wanted_ticks != INT64_MIN) {
        stream->decoder->skip_frame = left_out(stream, packet);
    }
    int result = avcodec_send_packet(stream->decoder, packet);
    int drained = 0;
    if (result == AVERROR(EAGAIN)) {
        if (!drain(stream, &drained)) {
            return false;
        }
        result = avcodec_send_packet(stream->decoder, packet);
    }
    if (result >= 0 && !drain(stream, &drained)) {
        return false;
    }
    if (result == AVERROR(ENOMEM) || drained == AVERROR(ENOMEM)) {
        (void)med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "decoding");
        return false;
    }
    bool bad =
        (result < 0 && result != AVERROR_EOF) || (drained < 0 && drained != AVERROR(EAGAIN) && drained != AVERROR_EOF);
    stream->bad += bad;
    return true;
}

static void *decode(void *arg) {
    struct med_stream *stream = arg;
    struct cs_err err = {0};
    void *item = NULL;
    bool wanted = true;
    while (wanted && med_queue_take(stream->packets, &item, &err) == CS_OK && item != NULL) {
        AVPacket *packet = item;
        wanted = feed(stream, packet, &err);
        av_packet_free(&packet);
    }
    int emitted = 0;
    if (wanted) {
        wanted = feed(stream, NULL, &err) && emit(stream, NULL, &emitted);
    }
    if (wanted && err.status == CS_OK) {
        long long all = stream->good + stream->bad;
        if (stream->good == 0) {
            (void)cs_fail(&err, CS_DATA_LOSS, "corrupt_input", "nothing of the input's %s could be decoded",
                          av_get_media_type_string(stream->decoder->codec_type));
        } else if (stream->bad > BAD_PACKETS_FREE && stream->bad > all / 10) {
            (void)cs_fail(&err, CS_DATA_LOSS, "corrupt_input", "%lld of %lld packets of the input could not be decoded",
                          (long long)stream->bad, all);
        }
    }
    med_queue_stop(stream->packets);
    med_queue_end(stream->frames, err.status == CS_OK ? NULL : &err);
    return NULL;
}

static enum cs_status start_threads(struct med_stream *stream, struct cs_err *err) {
    int failed = pthread_create(&stream->demux_thread, NULL, demux, stream);
    if (failed == 0) {
        failed = pthread_create(&stream->decode_thread, NULL, decode, stream);
        if (failed != 0) {
            med_queue_stop(stream->packets);
            pthread_join(stream->demux_thread, NULL);
        }
    }
    if (failed != 0) {
        return cs_fail(err, CS_UNAVAILABLE, "out_of_memory", "no thread for decoding");
    }
    stream->started = true;
    return CS_OK;
}

/* ---- the door ---- */

/* What cannot seek is read from its start. */
static enum cs_status seek(int fd, int index, int threads, int64_t seek_ticks, enum med_effort effort,
                           struct med_stream *stream, struct cs_err *err) {
    AVRational unit = stream->info->time_base;
    if (unit.num <= 0 || unit.den <= 0) {
        return CS_OK;
    }
    int64_t time = av_rescale_rnd(seek_ticks, unit.den, MED_TICKS_PER_S * unit.num, AV_ROUND_DOWN);
    if (av_seek_frame(stream->format, index, time, AVSEEK_FLAG_BACKWARD) >= 0) {
        stream->awaits_key = stream->decoder->codec_type == AVMEDIA_TYPE_VIDEO;
        return CS_OK;
    }
    avcodec_free_context(&stream->decoder);
    med_input_close(&stream->format);
    return open_stream(fd, index, threads, effort, stream, err);
}

static enum cs_status start(struct med_stream *stream, struct cs_err *err) {
    bool picture = stream->decoder->codec_type == AVMEDIA_TYPE_VIDEO;
    stream->packets = med_queue_create(PACKETS_QUEUED, BATCH, med_packet_free);
    stream->frames = med_queue_create(picture ? PICTURES_QUEUED : SOUNDS_QUEUED, picture ? 1 : BATCH, med_frame_free);
    return start_threads(stream, err);
}

static enum cs_status open_and_start(int fd, int index, int threads, const struct med_stretch *stretch,
                                     enum med_effort effort, struct med_stream **ret_stream, struct cs_err *err) {
    CS_AUTO(med_stream) *stream = cs_alloc(sizeof(*stream));
    CS_TRY(open_stream(fd, index, threads, effort, stream, err));
    stream->wanted_ticks = stretch->wanted_ticks;
    /* a search by time may lead behind the only key frame: who looks roughly does not try again */
    bool searched = effort != MED_EFFORT_FULL && (stream->format->iformat->flags & AVFMT_TS_DISCONT) != 0;
    if (stretch->seek_ticks != INT64_MIN && !searched) {
        CS_TRY(seek(fd, index, threads, stretch->seek_ticks, effort, stream, err));
    }
    CS_TRY(start(stream, err));
    *ret_stream = cs_steal(&stream);
    return CS_OK;
}

enum cs_status med_stream_open_rough(int fd, int index, int threads, int64_t seek_ticks, enum med_effort effort,
                                     struct med_stream **ret_stream, struct cs_err *err) {
    const struct med_stretch stretch = {seek_ticks, INT64_MIN};
    return open_and_start(fd, index, threads, &stretch, effort, ret_stream, err);
}

enum cs_status med_stream_open(int fd, int index, int threads, const struct med_stretch *stretch,
                               struct med_stream **ret_stream, struct cs_err *err) {
    return open_and_start(fd, index, threads, stretch, MED_EFFORT_FULL, ret_stream, err);
}

void med_stream_close(struct med_stream *stream) {
    if (stream == NULL) {
        return;
    }
    if (stream->started) {
        med_queue_stop(stream->frames);
        pthread_join(stream->decode_thread, NULL);
        pthread_join(stream->demux_thread, NULL);
    }
    med_queue_destroy(stream->frames);
    med_queue_destroy(stream->packets);
    med_deinterlace_fini(&stream->deinterlace);
    avcodec_free_context(&stream->decoder);
    med_input_close(&stream->format);
    free(stream);
}

enum cs_status med_stream_next(struct med_stream *stream, AVFrame **ret_frame, struct cs_err *err) {
    void *item = NULL;
    CS_TRY(med_queue_take(stream->frames, &item, err));
    *ret_frame = item;
    return CS_OK;
}

const AVStream *med_stream_info(const struct med_stream *stream) {
    return stream->info;
}

static enum cs_status decode_first(struct med_stream *stream, AVFrame *frame, struct cs_err *err) {
    MED_AUTO_PACKET *packet = av_packet_alloc();
    bool flushed = false;
    for (int tries = 0; packet != NULL && tries < PACKETS_QUEUED * 8 && !flushed; tries++) {
        flushed = av_read_frame(stream->format, packet) < 0;
        if (flushed || packet->stream_index == stream->info->index) {
            (void)avcodec_send_packet(stream->decoder, flushed ? NULL : packet); /* a bad packet: try the next */
        }
        av_packet_unref(packet);
        int result = avcodec_receive_frame(stream->decoder, frame);
        if (result == AVERROR(ENOMEM)) {
            return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", result, "decoding");
        }
        if (result >= 0) {
            return CS_OK;
        }
    }
    return cs_fail(err, CS_DATA_LOSS, "corrupt_input", "no picture of the input could be decoded");
}

/* The first packet alone, when it is a key picture that the decoder gives without seeing more. */
static bool decode_first_alone(struct med_stream *stream, AVFrame *frame) {
    MED_AUTO_PACKET *packet = av_packet_alloc();
    enum AVCodecID codec = stream->decoder->codec_id;
    return packet != NULL && (codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC) &&
           av_read_frame(stream->format, packet) >= 0 && packet->stream_index == stream->info->index &&
           (packet->flags & AV_PKT_FLAG_KEY) != 0 && avcodec_send_packet(stream->decoder, packet) >= 0 &&
           avcodec_send_packet(stream->decoder, NULL) >= 0 && avcodec_receive_frame(stream->decoder, frame) >= 0 &&
           (frame->flags & AV_FRAME_FLAG_CORRUPT) == 0 && frame->decode_error_flags == 0;
}

enum cs_status med_stream_first_frame(int fd, int index, AVFrame **ret_frame, struct cs_err *err) {
    CS_AUTO(med_stream) *stream = cs_alloc(sizeof(*stream));
    MED_AUTO_FRAME *frame = av_frame_alloc();
    if (frame == NULL) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "decoding");
    }
    CS_TRY(open_stream(fd, index, 1, MED_EFFORT_FULL, stream, err));
    stream->decoder->skip_loop_filter = AVDISCARD_ALL; /* nobody looks at it */
    if (!decode_first_alone(stream, frame)) {
        av_frame_unref(frame);
        avcodec_free_context(&stream->decoder);
        med_input_close(&stream->format);
        CS_TRY(open_stream(fd, index, 1, MED_EFFORT_FULL, stream, err));
        CS_TRY(decode_first(stream, frame, err));
    }
    *ret_frame = frame;
    frame = NULL;
    return CS_OK;
}

/* The next key frame of the stream alone. */
static int decode_key(struct med_stream *stream, AVFrame *frame) {
    MED_AUTO_PACKET *packet = av_packet_alloc();
    int result = packet == NULL ? AVERROR(ENOMEM) : 0;
    bool found = false;
    while (result >= 0 && !found) {
        av_packet_unref(packet);
        result = av_read_frame(stream->format, packet);
        found = result >= 0 && packet->stream_index == stream->info->index && (packet->flags & AV_PKT_FLAG_KEY) != 0;
    }
    if (result >= 0) {
        result = avcodec_send_packet(stream->decoder, packet);
    }
    if (result >= 0) {
        result = avcodec_send_packet(stream->decoder, NULL);
    }
    if (result >= 0) {
        result = avcodec_receive_frame(stream->decoder, frame);
    }
    return result >= 0 && (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0 ? AVERROR_INVALIDDATA : result;
}

enum cs_status med_stream_open_at_key(int fd, int index, int64_t seek_ticks, struct med_stream **ret_stream,
                                      AVFrame **ret_frame, struct cs_err *err) {
    CS_AUTO(med_stream) *stream = cs_alloc(sizeof(*stream));
    MED_AUTO_FRAME *frame = av_frame_alloc();
    CS_TRY(open_stream(fd, index, 1, MED_EFFORT_FULL, stream, err));
    CS_TRY(seek(fd, index, 1, seek_ticks, MED_EFFORT_FULL, stream, err));
    int result = frame == NULL ? AVERROR(ENOMEM) : decode_key(stream, frame);
    if (result < 0) {
        return med_av_fail(err, CS_DATA_LOSS, "corrupt_input", result, "decoding a key frame");
    }
    give_time(stream, frame);
    *ret_frame = frame;
    frame = NULL;
    *ret_stream = cs_steal(&stream);
    return CS_OK;
}
