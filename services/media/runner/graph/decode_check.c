#include "graph/decode_check.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "graph/av.h"
#include "graph/input.h"
#include "graph/timeline.h"

enum {
    SHORT_S = 8,         /* what is decoded as a whole */
    PLACES = 4,          /* of a longer one, its beginning and end among them */
    PICTURES_MAX = 60,   /* at a place, behind its key frame */
    CODED_MAX = 8,       /* of a picture that was coded before */
    SOUND_S = 2,         /* of sound at a place */
    SETTLING_PACKETS = 4 /* of sound behind a jump: some codecs need what came before */
};

struct check {
    AVFormatContext *format;
    AVCodecContext *decoder;
    int stream;
    int64_t units; /* frames or samples that came out of this place */
    int64_t units_max;
    int64_t settling; /* packets whose errors mean nothing */
    int64_t key_time; /* pictures before it need others that were not read */
};

static enum cs_status bad(struct cs_err *err, const struct check *check) {
    return cs_fail(err, CS_INTERNAL, "verify_failed", "the output's %s does not decode",
                   check->decoder->codec_type == AVMEDIA_TYPE_VIDEO ? "picture" : "sound");
}

static enum cs_status open_decoder(struct check *check, struct cs_err *err) {
    const AVCodecParameters *params = check->format->streams[check->stream]->codecpar;
    const AVCodec *codec = avcodec_find_decoder(params->codec_id);
    check->decoder = codec == NULL ? NULL : avcodec_alloc_context3(codec);
    if (check->decoder == NULL) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "nothing decodes the output");
    }
    check->decoder->thread_count = 1;
    check->decoder->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE;
    int result = avcodec_parameters_to_context(check->decoder, params);
    if (result >= 0) {
        check->decoder->pkt_timebase = check->format->streams[check->stream]->time_base;
        result = avcodec_open2(check->decoder, codec, NULL);
    }
    return result < 0 ? med_av_fail(err, CS_INTERNAL, "verify_failed", result, "decoding the output") : CS_OK;
}

/* All that the decoder has ready. */
static bool take_frames(struct check *check, AVFrame *frame, bool settling) {
    int result = 0;
    while ((result = avcodec_receive_frame(check->decoder, frame)) >= 0) {
        bool damaged = (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0 || frame->decode_error_flags != 0;
        bool picture = check->decoder->codec_type == AVMEDIA_TYPE_VIDEO;
        bool leading = picture && check->key_time != AV_NOPTS_VALUE && frame->pts < check->key_time;
        if (damaged && !settling && !leading) {
            return false;
        }
        check->units += picture ? 1 : frame->nb_samples;
        av_frame_unref(frame);
    }
    return result == AVERROR(EAGAIN) || result == AVERROR_EOF || settling;
}

static bool feed(struct check *check, const AVPacket *packet, AVFrame *frame) {
    bool settling = check->settling > 0;
    check->settling -= settling;
    int result = avcodec_send_packet(check->decoder, packet);
    return (result >= 0 || result == AVERROR_EOF || settling) && take_frames(check, frame, settling);
}

static enum cs_status decode_place(struct check *check, struct cs_err *err) {
    MED_AUTO_PACKET *packet = av_packet_alloc();
    MED_AUTO_FRAME *frame = av_frame_alloc();
    if (packet == NULL || frame == NULL) {
        return med_av_fail(err, CS_INTERNAL, "verify_failed", AVERROR(ENOMEM), "decoding the output");
    }
    check->key_time = AV_NOPTS_VALUE;
    for (bool ended = false; !ended && check->units < check->units_max;) {
        ended = av_read_frame(check->format, packet) < 0;
        if (ended || packet->stream_index == check->stream) {
            if (!ended && check->key_time == AV_NOPTS_VALUE) {
                check->key_time = packet->pts;
            }
            if (!feed(check, ended ? NULL : packet, frame)) {
                return bad(err, check);
            }
        }
        av_packet_unref(packet);
    }
    return check->units > 0 ? CS_OK : bad(err, check);
}

/* What cannot be reached by seeking is not looked at. */
static enum cs_status decode_places(struct check *check, int64_t start_ticks, int64_t length_ticks, int64_t *ret_units,
                                    struct cs_err *err) {
    AVRational unit = check->format->streams[check->stream]->time_base;
    for (int i = 0; i < PLACES; i++) {
        int64_t ticks = start_ticks + length_ticks / (PLACES - 1) * i - (i == PLACES - 1 ? MED_TICKS_PER_S / 10 : 0);
        int64_t time = av_rescale_q(ticks, (AVRational){1, (int)MED_TICKS_PER_S}, unit);
        if (i > 0) {
            if (av_seek_frame(check->format, check->stream, time, AVSEEK_FLAG_BACKWARD) < 0) {
                continue;
            }
            avcodec_flush_buffers(check->decoder);
            check->settling = check->decoder->codec_type == AVMEDIA_TYPE_AUDIO ? SETTLING_PACKETS : 0;
        }
        check->units = 0;
        CS_TRY(decode_place(check, err));
        *ret_units += check->units;
    }
    return CS_OK;
}

static enum cs_status check_stream(int fd, int stream, int64_t start_ticks, int64_t length_ticks, int64_t place_units,
                                   bool all, int64_t *ret_units, struct cs_err *err) {
    struct check check = {.stream = stream, .units_max = all ? INT64_MAX : place_units};
    if (med_input_open(fd, &check.format, err) != CS_OK) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output cannot be read back");
    }
    med_input_keep_only(check.format, stream, stream);
    enum cs_status status = stream < (int)check.format->nb_streams
                                ? open_decoder(&check, err)
                                : cs_fail(err, CS_INTERNAL, "verify_failed", "the output lacks a stream");
    if (status == CS_OK && all) {
        status = decode_place(&check, err);
        *ret_units = check.units;
    } else if (status == CS_OK) {
        status = decode_places(&check, start_ticks, length_ticks, ret_units, err);
    }
    avcodec_free_context(&check.decoder);
    med_input_close(&check.format);
    return status;
}

static enum cs_status check_file(int fd, const struct med_facts *facts, int64_t pictures_max,
                                 struct med_decode_check *ret_check, struct cs_err *err) {
    struct med_decode_check check = {.all = med_facts_length_ticks(facts) <= SHORT_S * MED_TICKS_PER_S};
    if (facts->video.stream >= 0) {
        CS_TRY(check_stream(fd, facts->video.stream, facts->video.start_ticks, facts->video.length_ticks, pictures_max,
                            check.all, &check.frames, err));
    }
    if (facts->audio.stream >= 0) {
        CS_TRY(check_stream(fd, facts->audio.stream, facts->audio.start_ticks, facts->audio.length_ticks,
                            (int64_t)SOUND_S * facts->audio.sample_rate, check.all, &check.samples, err));
    }
    *ret_check = check;
    return CS_OK;
}

enum cs_status med_decode_check(int fd, const struct med_facts *facts, struct med_decode_check *ret_check,
                                struct cs_err *err) {
    return check_file(fd, facts, PICTURES_MAX, ret_check, err);
}

enum cs_status med_decode_check_coded(int fd, const struct med_facts *facts, struct med_decode_check *ret_check,
                                      struct cs_err *err) {
    return check_file(fd, facts, CODED_MAX, ret_check, err);
}
