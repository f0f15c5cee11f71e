#include "graph/input.h"

#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "graph/aac.h"
#include "graph/av.h"
#include "io/avio_fd.h"

const char med_formats_allowed[] =
    "mov,matroska,avi,mpegts,mpeg,flv,ogg,mp3,wav,w64,flac,aac,aiff,caf,amr,ac3,eac3,asf,"
    "gif,apng,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe";

const char med_codecs_allowed[] =
    "h264,hevc,av1,libdav1d,vp8,libvpx,vp9,libvpx-vp9,mpeg4,mpeg2video,mpeg1video,h263,flv,msmpeg4,msmpeg4v2,wmv1,wmv2,"
    "wmv3,vc1,theora,"
    "mjpeg,prores,dnxhd,ffv1,qtrle,rawvideo,png,apng,gif,webp,bmp,tiff,"
    "aac,mp3,mp3float,mp2,mp2float,vorbis,opus,flac,alac,ac3,eac3,amrnb,amrwb,wmav1,wmav2,"
    "pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,"
    "pcm_alaw,pcm_mulaw,pcm_dvd,pcm_bluray,adpcm_ms,adpcm_ima_wav,adpcm_ima_qt";

static int refuse_open(AVFormatContext *format, AVIOContext **io, const char *url, int flags, AVDictionary **options) {
    (void)format, (void)io, (void)url, (void)flags, (void)options;
    return AVERROR(EPERM);
}

static bool has_ftyp(int fd) {
    char head[8];
    return pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) && memcmp(head + 4, "ftyp", 4) == 0;
}

static bool is_heif(int fd) {
    static const char brands[][5] = {"heic", "heix", "mif1", "msf1", "avif", "hevc", "heim"};
    char head[12];
    if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) || memcmp(head + 4, "ftyp", 4) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(brands) / sizeof(brands[0]); i++) {
        if (memcmp(head + 8, brands[i], 4) == 0) {
            return true;
        }
    }
    return false;
}

static enum cs_status reading(const AVIOContext *io, int averror, struct cs_err *err) {
    if (averror == AVERROR(ENOMEM)) {
        return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", averror, "reading the input");
    }
    if (io->error < 0 && io->error != AVERROR_EOF) {
        return med_av_fail(err, CS_UNAVAILABLE, "read_failed", io->error, "reading the input");
    }
    return CS_OK;
}

enum cs_status med_input_ended(const AVFormatContext *format, int averror, struct cs_err *err) {
    return reading(format->pb, averror, err);
}

static enum cs_status open_failure(int fd, struct cs_err *err) {
    if (is_heif(fd)) {
        return cs_fail(err, CS_UNIMPLEMENTED, "format_unsupported", "HEIF and AVIF pictures are not supported");
    }
    if (has_ftyp(fd)) {
        return cs_fail(err, CS_DATA_LOSS, "corrupt_input", "the input is a damaged MP4 file");
    }
    return cs_fail(err, CS_INVALID_ARGUMENT, "not_media", "the input is no media file that can be read");
}

static int open_with_lists(AVFormatContext **format) {
    AVDictionary *options = NULL;
    av_dict_set(&options, "format_whitelist", med_formats_allowed, 0);
    av_dict_set(&options, "codec_whitelist", med_codecs_allowed, 0);
    av_dict_set(&options, "protocol_whitelist", "none", 0);
    av_dict_set_int(&options, "max_streams", MED_STREAMS_MAX, 0);
    av_dict_set_int(&options, "probesize", MED_PROBE_BYTES_MAX, 0);
    int result = avformat_open_input(format, NULL, NULL, &options);
    av_dict_free(&options);
    return result;
}

/* Times and parameters lie in the header, beside what the decoder needs to know: of films in fragments it does not say
 * how far pictures are out of order. */
static bool tells_enough(const AVFormatContext *format) {
    bool enough = strncmp(format->iformat->name, "mov,", 4) == 0;
    for (unsigned i = 0; i < format->nb_streams && enough; i++) {
        const AVCodecParameters *params = format->streams[i]->codecpar;
        bool video = params->codec_id == AV_CODEC_ID_H264 || params->codec_id == AV_CODEC_ID_HEVC;
        bool audio = med_aac_is_plain(params);
        bool whole = format->streams[i]->nb_frames > 0;
        enough = (video && whole && params->extradata_size > 0 && params->width > 0 && params->height > 0) || audio;
    }
    return enough;
}

static enum cs_status open_input(int fd, bool known, AVFormatContext **ret_format, struct cs_err *err) {
    AVIOContext *io = med_avio_reader(fd);
    AVFormatContext *format = avformat_alloc_context();
    if (io == NULL || format == NULL) {
        med_avio_free(&io);
        avformat_free_context(format);
        return cs_fail(err, CS_UNAVAILABLE, "out_of_memory", "opening the input: not enough memory");
    }
    format->pb = io;
    format->io_open = refuse_open;
    format->flags |= AVFMT_FLAG_CUSTOM_IO;
    int result = open_with_lists(&format); /* frees format when it fails, not the io */
    if (result < 0) {
        enum cs_status status = reading(io, result, err);
        med_avio_free(&io);
        return status != CS_OK ? status : open_failure(fd, err);
    }
    for (unsigned i = 0; i < format->nb_streams; i++) {
        AVCodecParameters *params = format->streams[i]->codecpar;
        if (params->width > MED_SIDE_MAX || params->height > MED_SIDE_MAX) {
            med_input_close(&format);
            return cs_fail(err, CS_OUT_OF_RANGE, "too_many_pixels", "a picture may have %d pixels a side at most",
                           MED_SIDE_MAX);
        }
    }
    result = known && tells_enough(format) ? 0 : avformat_find_stream_info(format, NULL);
    if (result < 0 || format->nb_streams == 0) {
        med_input_close(&format);
        return cs_fail(err, CS_INVALID_ARGUMENT, "not_media", "the input has no readable streams");
    }
    *ret_format = format;
    return CS_OK;
}

enum cs_status med_input_open(int fd, AVFormatContext **ret_format, struct cs_err *err) {
    return open_input(fd, false, ret_format, err);
}

enum cs_status med_input_open_known(int fd, AVFormatContext **ret_format, struct cs_err *err) {
    return open_input(fd, true, ret_format, err);
}

void med_input_close(AVFormatContext **format) {
    if (*format != NULL) {
        AVIOContext *io = (*format)->pb;
        avformat_close_input(format);
        med_avio_free(&io);
    }
}

int med_input_stream(AVFormatContext *format, enum AVMediaType kind) {
    int best = -1;
    int64_t best_weight = -1;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVStream *stream = format->streams[i];
        const AVCodecParameters *params = stream->codecpar;
        if (params->codec_type != kind || params->codec_id == AV_CODEC_ID_NONE ||
            (stream->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0) {
            continue;
        }
        if (kind == AVMEDIA_TYPE_AUDIO && (params->sample_rate <= 0 || params->ch_layout.nb_channels <= 0)) {
            continue;
        }
        int64_t weight = (stream->disposition & AV_DISPOSITION_DEFAULT) != 0 ? INT64_C(1) << 40 : 0;
        weight += kind == AVMEDIA_TYPE_VIDEO ? (int64_t)params->width * params->height : params->ch_layout.nb_channels;
        if (weight > best_weight) {
            best = (int)i;
            best_weight = weight;
        }
    }
    return best;
}

void med_input_keep_only(AVFormatContext *format, int stream, int other_stream) {
    for (unsigned i = 0; i < format->nb_streams; i++) {
        if ((int)i != stream && (int)i != other_stream) {
            format->streams[i]->discard = AVDISCARD_ALL;
        }
    }
}
