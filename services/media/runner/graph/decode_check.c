#include "graph/decode_check.h"

#include <assert.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "graph/av.h"
#include "graph/input.h"
#include "graph/timeline.h"

enum {
    SHORT_S = 8,            /* what is decoded as a whole, unless its pictures have an imprint, and are many and big */
    PLACES = 4,             /* of others, the beginning and end among them */
    PLACE_PIXELS = 8 << 20, /* decoded at a place, behind its key frame: 4 pictures of 1080p */
    PICTURES_MIN = 4,       /* but as many at least */
    PICTURES_MAX = 60,      /* and at most, */
    CODED_MAX = 8,          /* or of a picture that was coded before: with an imprint, key frames alone */
    SOUND_S = 2,            /* of sound at a place */
    SETTLING_PACKETS = 4    /* of sound behind a jump: some codecs need what came before */
};

struct check {
    AVFormatContext *format;
    AVCodecContext *decoder;
    int stream;
    int64_t units; /* frames or samples that came out of this place */
    int64_t units_max;
    int64_t settling; /* packets whose errors mean nothing */
    int64_t key_time; /* pictures before it need others that were not read */
    bool keys_only;   /* one packet at a place */
};

/* Of a stream, and how much of it is decoded. */
struct extent {
    int64_t start_ticks;
    int64_t length_ticks;
    int64_t units_at_place;
    bool keys_only;
    bool all;
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
    check->decoder->skip_loop_filter = AVDISCARD_ALL; /* which finds no errors */
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
            if (!feed(check, ended ? NULL : packet, frame) || (check->keys_only && !feed(check, NULL, frame))) {
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
    int step = check->keys_only ? PLACES - 1 : 1; /* the joins of what was put together were looked at */
    for (int i = 0; i < PLACES; i += step) {
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

/* From wherever the file was read to. */
static enum cs_status check_stream(AVFormatContext *format, int stream, const struct extent *extent, int64_t *ret_units,
                                   struct cs_err *err) {
    struct check check = {
        .format = format,
        .stream = stream,
        .units_max = extent->all ? INT64_MAX : extent->units_at_place,
        .keys_only = extent->keys_only,
    };
    enum cs_status status = open_decoder(&check, err);
    assert(status != CS_OK || check.decoder != NULL);
    if (status == CS_OK && extent->all) {
        status = decode_place(&check, err);
        *ret_units = check.units;
    } else if (status == CS_OK) {
        status = decode_places(&check, extent->start_ticks, extent->length_ticks, ret_units, err);
    }
    avcodec_free_context(&check.decoder);
    return status;
}

/* A file of our own is opened once for both, if it can be wound back. */
static enum cs_status open_at_start(int fd, int stream, AVFormatContext **format, struct cs_err *err) {
    if (*format != NULL && av_seek_frame(*format, stream, INT64_MIN, AVSEEK_FLAG_BACKWARD) < 0) {
        med_input_close(format);
    }
    if (*format == NULL && med_input_open_known(fd, format, err) != CS_OK) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output cannot be read back");
    }
    if (stream >= (int)(*format)->nb_streams) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output lacks a stream");
    }
    (*format)->streams[stream]->discard = AVDISCARD_DEFAULT;
    med_input_keep_only(*format, stream, stream);
    return CS_OK;
}

static struct extent extent_of_picture(const struct med_facts *facts, int64_t pictures_max) {
    const struct med_video_facts *video = &facts->video;
    bool imprint = video->imprint.packets > 0;
    int64_t pixels = (int64_t)video->width * video->height;
    int64_t pictures = imprint ? PLACE_PIXELS / (pixels > 0 ? pixels : 1) : PICTURES_MAX;
    pictures = pictures < PICTURES_MIN ? PICTURES_MIN : pictures > pictures_max ? pictures_max : pictures;
    bool all = video->length_ticks <= SHORT_S * MED_TICKS_PER_S &&
               (!imprint || video->frames * pixels <= (int64_t)PLACES * PLACE_PIXELS);
    bool keys_only = !all && imprint && pictures_max == CODED_MAX;
    return (struct extent){
        .start_ticks = video->start_ticks,
        .length_ticks = video->length_ticks,
        .units_at_place = keys_only ? 1 : pictures,
        .keys_only = keys_only,
        .all = all,
    };
}

static struct extent extent_of_sound(const struct med_facts *facts) {
    return (struct extent){
        .start_ticks = facts->audio.start_ticks,
        .length_ticks = facts->audio.length_ticks,
        .units_at_place = (int64_t)SOUND_S * facts->audio.sample_rate,
        .all = med_facts_length_ticks(facts) <= SHORT_S * MED_TICKS_PER_S,
    };
}

static enum cs_status check_streams(int fd, const struct med_facts *facts, int64_t pictures_max,
                                    AVFormatContext **format, struct med_decode_check *check, struct cs_err *err) {
    check->all = true;
    if (facts->video.stream >= 0) {
        struct extent extent = extent_of_picture(facts, pictures_max);
        CS_TRY(open_at_start(fd, facts->video.stream, format, err));
        CS_TRY(check_stream(*format, facts->video.stream, &extent, &check->frames, err));
        check->all &= extent.all;
    }
    if (facts->audio.stream >= 0) {
        struct extent extent = extent_of_sound(facts);
        CS_TRY(open_at_start(fd, facts->audio.stream, format, err));
        CS_TRY(check_stream(*format, facts->audio.stream, &extent, &check->samples, err));
        check->all &= extent.all;
    }
    return CS_OK;
}

static enum cs_status check_file(int fd, const struct med_facts *facts, int64_t pictures_max,
                                 struct med_decode_check *ret_check, struct cs_err *err) {
    struct med_decode_check check = {0};
    AVFormatContext *format = NULL;
    enum cs_status status = check_streams(fd, facts, pictures_max, &format, &check, err);
    med_input_close(&format);
    CS_TRY(status);
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
