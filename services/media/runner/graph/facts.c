#include "graph/facts.h"

#include <jansson.h>
#include <libavutil/avstring.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/pixdesc.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "cs/base/text.h"
#include "graph/av.h"
#include "graph/fit.h"
#include "graph/input.h"
#include "graph/scan.h"
#include "graph/stream.h"
#include "graph/timeline.h"

static bool is_still_format(const char *name) {
    return cs_str_ends(name, "_pipe");
}

static bool has_levels(const AVFrame *frame, const AVStream *stream) {
    return av_frame_get_side_data(frame, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA) != NULL ||
           av_frame_get_side_data(frame, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL) != NULL ||
           av_stream_get_side_data(stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, NULL) != NULL ||
           av_stream_get_side_data(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, NULL) != NULL;
}

static bool has_alpha(const AVFrame *frame, const AVStream *stream) {
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(frame->format);
    const AVDictionaryEntry *mode = av_dict_get(stream->metadata, "alpha_mode", NULL, 0); /* VP8 and VP9 in WebM */
    return (format != NULL && (format->flags & AV_PIX_FMT_FLAG_ALPHA) != 0) || (mode != NULL && mode->value[0] == '1');
}

static void take_colors(const AVFrame *frame, const AVStream *stream, struct med_video_facts *video) {
    video->pixel_format = frame->format;
    video->transfer = frame->color_trc;
    video->primaries = frame->color_primaries;
    video->matrix = frame->colorspace;
    video->range = frame->color_range;
    video->chroma = frame->chroma_location;
    video->coded_aspect = frame->sample_aspect_ratio;
    if (frame->color_trc == AVCOL_TRC_SMPTE2084) {
        video->hdr = has_levels(frame, stream) ? MED_HDR10 : MED_PQ;
    } else if (frame->color_trc == AVCOL_TRC_ARIB_STD_B67) {
        video->hdr = MED_HLG;
    }
    video->dolby_vision = av_stream_get_side_data(stream, AV_PKT_DATA_DOVI_CONF, NULL) != NULL;
    video->alpha = has_alpha(frame, stream);
    video->interlaced = frame->interlaced_frame != 0 || stream->codecpar->field_order > AV_FIELD_PROGRESSIVE;
}

/* Decodes the first picture: stills tell their size and orientation only there. */
static enum cs_status look_at_first_picture(int fd, AVFormatContext *format, struct med_video_facts *video,
                                            struct cs_err *err) {
    MED_AUTO_FRAME *frame = NULL;
    CS_TRY(med_stream_first_frame(fd, video->stream, &frame, err));
    struct med_orientation turn = med_orientation_of(frame, format->streams[video->stream]);
    video->rotation = turn.degrees;
    take_colors(frame, format->streams[video->stream], video);
    AVRational sar = frame->sample_aspect_ratio;
    if (sar.num <= 0 || sar.den <= 0) {
        sar = format->streams[video->stream]->sample_aspect_ratio;
    }
    video->sample_aspect = sar.num > 0 && sar.den > 0 ? sar : (AVRational){1, 1};
    av_reduce(&video->sample_aspect.num, &video->sample_aspect.den, video->sample_aspect.num, video->sample_aspect.den,
              INT_MAX);
    med_shown_size(frame->width, frame->height, video->sample_aspect, turn, &video->width, &video->height);
    return CS_OK;
}

static void take_video(AVStream *stream, const struct med_scan *scan, bool still, struct med_video_facts *video) {
    video->codec = stream->codecpar->codec_id;
    if (still) {
        video->frames = 1;
        video->rate = (AVRational){0, 1};
        return;
    }
    video->frames = scan->packets;
    video->length_ticks = scan->length_ticks;
    video->start_ticks = scan->start_ticks;
    video->rate = scan->rate;
    video->variable_rate = scan->variable;
    video->nearly_steady = scan->nearly_steady;
    video->bytes = scan->bytes;
    video->gops = scan->gops;
    video->imprint = scan->imprint;
}

static void take_audio(AVStream *stream, const struct med_scan *scan, struct med_audio_facts *audio) {
    audio->codec = stream->codecpar->codec_id;
    audio->sample_rate = stream->codecpar->sample_rate;
    audio->channels = stream->codecpar->ch_layout.nb_channels;
    audio->length_ticks = scan->length_ticks;
    audio->start_ticks = scan->start_ticks;
    audio->samples = av_rescale(scan->length_ticks, audio->sample_rate, MED_TICKS_PER_S);
    audio->packets = scan->packets;
    audio->bytes = scan->bytes;
    audio->priming = scan->priming;
    audio->padding = scan->padding;
    AVChannelLayout usual = {0}; /* of that many channels, when the file does not say */
    av_channel_layout_default(&usual, audio->channels);
    bool said = stream->codecpar->ch_layout.order != AV_CHANNEL_ORDER_UNSPEC;
    (void)av_channel_layout_describe(said ? &stream->codecpar->ch_layout : &usual, audio->layout,
                                     sizeof(audio->layout));
    av_channel_layout_uninit(&usual);
}

static enum cs_status check_limits(const struct med_facts *facts, struct cs_err *err) {
    int64_t longest = (int64_t)MED_DURATION_S_MAX * MED_TICKS_PER_S;
    if (facts->video.length_ticks > longest || facts->audio.length_ticks > longest) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_long", "an input may last %d hours at most",
                       MED_DURATION_S_MAX / 3600);
    }
    if (facts->audio.stream >= 0 &&
        (facts->audio.sample_rate > MED_SAMPLE_RATE_MAX || facts->audio.channels > MED_CHANNELS_MAX)) {
        return cs_fail(err, CS_OUT_OF_RANGE, "sound_out_of_range",
                       "sound may have %d channels and %d samples a second at most", MED_CHANNELS_MAX,
                       MED_SAMPLE_RATE_MAX);
    }
    return CS_OK;
}

static enum cs_status check_codec(const AVStream *stream, struct cs_err *err) {
    const AVCodec *codec = avcodec_find_decoder(stream->codecpar->codec_id);
    if (codec != NULL && av_match_list(codec->name, med_codecs_allowed, ',') > 0) {
        return CS_OK;
    }
    return cs_fail(err, CS_UNIMPLEMENTED, "codec_unsupported", "the codec %s is not supported",
                   avcodec_get_name(stream->codecpar->codec_id));
}

/* FFmpeg's PNG decoder refuses a giant as invalid data; say what is wrong with it. */
static enum cs_status check_png(int fd, const AVFormatContext *format, struct cs_err *err) {
    uint8_t size[8];
    if (strcmp(format->iformat->name, "png_pipe") == 0 && pread(fd, size, sizeof(size), 16) == (ssize_t)sizeof(size)) {
        uint64_t width = AV_RB32(size);
        uint64_t height = AV_RB32(size + 4);
        if (width > MED_SIDE_MAX || height > MED_SIDE_MAX || width * height > MED_PIXELS_MAX) {
            return cs_fail(err, CS_OUT_OF_RANGE, "too_many_pixels", "a picture may have %d million pixels at most",
                           MED_PIXELS_MAX >> 20);
        }
    }
    return CS_OK;
}

static enum cs_status read_media(int fd, AVFormatContext *format, bool made, struct med_facts *facts,
                                 struct cs_err *err) {
    cs_str_copy(facts->container, sizeof(facts->container), format->iformat->name);
    int video = med_input_stream(format, AVMEDIA_TYPE_VIDEO);
    int audio = med_input_stream(format, AVMEDIA_TYPE_AUDIO);
    if (video < 0 && audio < 0) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "not_media", "the input has neither picture nor sound");
    }
    bool still = video >= 0 && audio < 0 && is_still_format(format->iformat->name);
    struct med_scan scans[2] = {{0}, {0}};
    CS_TRY(check_png(fd, format, err));
    if (!still) {
        CS_TRY(med_scan_read(fd, format, video, audio, made, scans, err));
        facts->cut_short = scans[0].cut_short || scans[1].cut_short;
        facts->corrupt_packets = scans[0].corrupt + scans[1].corrupt;
    }
    if (video >= 0) {
        CS_TRY(check_codec(format->streams[video], err));
        facts->video.stream = video;
        take_video(format->streams[video], &scans[0], still, &facts->video);
        CS_TRY(look_at_first_picture(fd, format, &facts->video, err));
        if (strcmp(facts->container, "gif") == 0 && facts->video.frames <= 1) {
            still = true;
        }
    }
    if (audio >= 0) {
        CS_TRY(check_codec(format->streams[audio], err));
        facts->audio.stream = audio;
        take_audio(format->streams[audio], &scans[1], &facts->audio);
    }
    facts->type = still        ? CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE
                  : video >= 0 ? CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO
                               : CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_AUDIO;
    return check_limits(facts, err);
}

/* JSON: an array, or an object with "words" or "segments". */
static bool is_transcript(int fd) {
    struct stat facts;
    char first = 0;
    if (fstat(fd, &facts) != 0 || facts.st_size < 2 || facts.st_size > MED_TRANSCRIPT_BYTES_MAX ||
        pread(fd, &first, 1, 0) != 1 || first == '\0' || strchr("[{ \t\r\n\xef", first) == NULL) {
        return false;
    }
    CS_AUTO_FREE char *text = cs_alloc((size_t)facts.st_size);
    if (pread(fd, text, (size_t)facts.st_size, 0) != facts.st_size) {
        return false;
    }
    json_t *value = json_loadb(text, (size_t)facts.st_size, JSON_DISABLE_EOF_CHECK, NULL);
    bool found = json_is_array(value) || json_is_array(json_object_get(value, "words")) ||
                 json_is_array(json_object_get(value, "segments"));
    json_decref(value);
    return found;
}

static enum cs_status read_facts(int fd, bool made, struct med_facts *ret_facts, struct cs_err *err) {
    struct med_facts facts = {.video.stream = -1, .audio.stream = -1};
    if (is_transcript(fd)) {
        facts.type = CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT;
        cs_str_copy(facts.container, sizeof(facts.container), "json");
        *ret_facts = facts;
        return CS_OK;
    }
    AVFormatContext *format = NULL;
    CS_TRY(med_input_open_known(fd, &format, err));
    enum cs_status status = read_media(fd, format, made, &facts, err);
    med_input_close(&format);
    if (status == CS_OK) {
        *ret_facts = facts;
    }
    return status;
}

enum cs_status med_facts_read(int fd, struct med_facts *ret_facts, struct cs_err *err) {
    return read_facts(fd, false, ret_facts, err);
}

enum cs_status med_facts_read_made(int fd, struct med_facts *ret_facts, struct cs_err *err) {
    return read_facts(fd, true, ret_facts, err);
}

AVRational med_facts_output_rate(const struct med_facts *facts) {
    const struct med_video_facts *video = &facts->video;
    if (facts->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_IMAGE || video->rate.num <= 0) {
        return (AVRational){30, 1};
    }
    double rate = av_q2d(video->rate);
    if ((video->variable_rate && !video->nearly_steady) || rate < 5 || rate > MED_RATE_MAX) {
        return (AVRational){rate > 31 ? 60 : 30, 1};
    }
    return video->rate;
}

int64_t med_facts_length_ticks(const struct med_facts *facts) {
    return facts->video.stream >= 0 ? facts->video.length_ticks : facts->audio.length_ticks;
}
