#include "graph/scan.h"

#include <libavutil/intreadwrite.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "bounds.h"
#include "cs/base/mem.h"
#include "graph/av.h"
#include "graph/input.h"
#include "graph/timeline.h"

enum { CUT_SHORT_PACKETS = 12 };

struct marks {
    struct cs_buf times; /* int64 ticks of the packets shown */
    int64_t packets;     /* that are shown */
    int64_t all_packets;
    int64_t heard_from; /* ticks: the encoder's padding ends here */
    int64_t latest;     /* ticks of the latest packet: one that says nothing is as long */
    int64_t longest;    /* of any */
    int64_t start;
    int64_t end;
    int64_t bytes;
    int64_t corrupt;
    int64_t priming; /* samples */
    int64_t padding;
    struct med_gops gops;
    bool imprinted;
    struct med_imprint imprint;
};

static int64_t packet_time(const AVPacket *packet) {
    return packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
}

/* Samples at either end that decoders drop: padding of the encoder. Some containers have shortened the last packet
 * already. */
static void drop_padding(struct marks *marks, const AVPacket *packet, int sample_rate, int64_t *start, int64_t *end) {
    size_t size = 0;
    const uint8_t *skip = av_packet_get_side_data(packet, AV_PKT_DATA_SKIP_SAMPLES, &size);
    if (skip != NULL && size >= 8 && sample_rate > 0) {
        const AVRational unit = {1, sample_rate};
        if (AV_RL32(skip) > 0) {
            marks->heard_from = *start + med_ticks_from(AV_RL32(skip), unit);
            marks->priming += AV_RL32(skip);
        }
        marks->padding += AV_RL32(skip + 4);
        *end -= *end - *start < marks->longest ? 0 : med_ticks_from(AV_RL32(skip + 4), unit);
    }
    *start = *start < marks->heard_from ? marks->heard_from : *start;
}

/* A packet that is padding from end to end. */
static void drop_whole(struct marks *marks, const AVPacket *packet, const AVStream *stream) {
    if (stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO && packet->duration > 0) {
        int64_t samples =
            av_rescale_q(packet->duration, stream->time_base, (AVRational){1, stream->codecpar->sample_rate});
        *(marks->packets == 0 ? &marks->priming : &marks->padding) += samples;
    }
}

/* VP8 and VP9 may carry a reference that is never shown as a packet of its own. */
static bool is_hidden(const AVPacket *packet, enum AVCodecID codec) {
    if (packet->size == 0) {
        return false;
    }
    uint8_t head = packet->data[0];
    if (codec == AV_CODEC_ID_VP8) {
        return (head & 0x10) == 0;
    }
    bool several = (packet->data[packet->size - 1] & 0xe0) == 0xc0; /* the last of them is shown */
    if (codec != AV_CODEC_ID_VP9 || several) {
        return false;
    }
    int after_profile = (head & 0x30) == 0x30 ? 5 : 4; /* the fourth profile takes a bit more */
    bool shows_earlier = (head >> (7 - after_profile) & 1) != 0;
    bool shown = (head >> (7 - after_profile - 2) & 1) != 0;
    return !shows_earlier && !shown;
}

static void mark(struct marks *marks, const AVPacket *packet, const AVStream *stream) {
    AVRational unit = stream->time_base;
    int64_t time = packet_time(packet);
    marks->all_packets++;
    marks->bytes += packet->size;
    marks->corrupt += (packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
    if (stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
        med_gops_note(&marks->gops, packet, stream->codecpar);
        if (marks->imprinted) {
            med_imprint_add(&marks->imprint, stream->codecpar, packet);
        }
    }
    if ((packet->flags & AV_PKT_FLAG_DISCARD) != 0) {
        drop_whole(marks, packet, stream);
        return;
    }
    if (is_hidden(packet, stream->codecpar->codec_id)) {
        return;
    }
    marks->packets++;
    if (time == AV_NOPTS_VALUE) {
        return;
    }
    int64_t start = med_ticks_from(time, unit);
    int64_t length = packet->duration > 0 ? med_ticks_from(packet->duration, unit) : marks->latest;
    if (!med_ticks_are_sane(start) || !med_ticks_are_sane(length)) {
        return;
    }
    int64_t end = start + length;
    marks->latest = length;
    marks->longest = length > marks->longest ? length : marks->longest;
    if (stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
        drop_padding(marks, packet, stream->codecpar->sample_rate, &start, &end);
    }
    cs_buf_put(&marks->times, &start, sizeof(start));
    if (marks->times.size == sizeof(start) || start < marks->start) {
        marks->start = start;
    }
    if (marks->times.size == sizeof(start) || end > marks->end) {
        marks->end = end;
    }
}

static int by_time(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Pictures that share a time are one: some streams carry hidden references as packets of their own. */
static size_t drop_repeats(int64_t *times, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || times[i] > times[kept - 1]) {
            times[kept++] = times[i];
        }
    }
    return kept;
}

/* The gap that most pictures keep, averaged over those that do: time bases of a millisecond blur each one. */
static double usual_gap(const int64_t *times, size_t count, size_t *ret_unusual) {
    CS_AUTO_FREE int64_t *gaps = cs_alloc_array(count - 1, sizeof(int64_t));
    for (size_t i = 1; i < count; i++) {
        gaps[i - 1] = times[i] - times[i - 1];
    }
    qsort(gaps, count - 1, sizeof(int64_t), by_time);
    int64_t median = gaps[(count - 1) / 2];
    int64_t tolerance = MED_TICKS_PER_S / 400 + median / 20;
    int64_t sum = 0;
    size_t usual = 0;
    for (size_t i = 0; i < count - 1; i++) {
        if (llabs(gaps[i] - median) <= tolerance) {
            sum += gaps[i];
            usual++;
        }
    }
    *ret_unusual = count - 1 - usual;
    return (double)sum / (double)usual;
}

/* A stream is steady when each picture comes its usual gap after the one before. One that is nearly so still has a
 * nominal rate; of others the average is told. */
static void judge_rate(struct marks *marks, AVRational declared, struct med_scan *scan) {
    int64_t *times = (int64_t *)(void *)marks->times.data;
    size_t count = marks->times.size / sizeof(int64_t);
    qsort(times, count, sizeof(int64_t), by_time);
    count = drop_repeats(times, count);
    scan->packets -= (int64_t)(marks->times.size / sizeof(int64_t) - count);
    if (count < 2) {
        scan->rate = declared;
        return;
    }
    size_t unusual = 0;
    double gap = usual_gap(times, count, &unusual);
    int64_t span = times[count - 1] - times[0];
    scan->variable = unusual > 0;
    scan->nearly_steady = unusual <= count / 5;
    if (!scan->nearly_steady) {
        gap = (double)span / (double)(count - 1);
    }
    double rate = (double)MED_TICKS_PER_S / gap;
    bool agrees = declared.num > 0 && fabs(av_q2d(declared) / rate - 1) < 0.03;
    scan->rate = agrees && scan->nearly_steady ? med_rate_snap(declared) : med_rate_snap(av_d2q(rate, 1001000));
    if (marks->end <= times[count - 1]) { /* the last packet has no duration */
        marks->end = times[count - 1] + (int64_t)gap;
    }
}

/* Time bases of a millisecond blur the length; a steady stream has exactly frames / rate. */
static void sharpen(struct med_scan *scan) {
    if (scan->variable || scan->rate.num <= 0) {
        return;
    }
    int64_t exact = med_ticks_from(scan->packets, av_inv_q(scan->rate));
    int64_t half = med_ticks_from(1, av_inv_q(scan->rate)) / 2;
    if (llabs(exact - scan->length_ticks) <= half) {
        scan->length_ticks = exact;
    }
}

static void from_header(const AVFormatContext *format, const AVStream *stream, struct med_scan *scan) {
    int64_t start = stream->start_time != AV_NOPTS_VALUE ? stream->start_time : 0;
    scan->start_ticks = med_ticks_from(start, stream->time_base);
    scan->rate = med_rate_snap(stream->avg_frame_rate);
    scan->packets = stream->nb_frames;
    if (stream->duration != AV_NOPTS_VALUE) {
        scan->length_ticks = med_ticks_from(stream->duration, stream->time_base);
    } else if (format->duration != AV_NOPTS_VALUE) {
        scan->length_ticks = med_ticks_from(format->duration, AV_TIME_BASE_Q);
    }
}

static enum cs_status read_packets(AVFormatContext *format, int video, int audio, struct marks marks[2],
                                   struct cs_err *err) {
    MED_AUTO_PACKET *packet = av_packet_alloc();
    int64_t total = 0;
    int result = packet == NULL ? AVERROR(ENOMEM) : 0;
    while (result >= 0 && (result = av_read_frame(format, packet)) >= 0) {
        if (packet->stream_index == video || packet->stream_index == audio) {
            mark(&marks[packet->stream_index == audio], packet, format->streams[packet->stream_index]);
            if (++total > MED_SCAN_PACKETS_MAX) {
                return cs_fail(err, CS_OUT_OF_RANGE, "too_many_packets", "an input may have %d packets at most",
                               MED_SCAN_PACKETS_MAX);
            }
        }
        av_packet_unref(packet);
    }
    return med_input_ended(format, result, err);
}

/* The header counts more pictures, or more time of sound, than there is. */
static bool is_cut_short(const AVStream *stream, const struct marks *marks) {
    if (stream->nb_frames <= 0) { /* most formats do not say */
        return false;
    }
    int64_t promised = stream->duration > 0 ? med_ticks_from(stream->duration, stream->time_base) : 0;
    int64_t missing = promised - (marks->end - marks->start);
    if (stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
        /* AVI also counts the slots that it leaves empty: time must be missing, too */
        int64_t pictures = stream->nb_frames - marks->all_packets;
        return pictures > CUT_SHORT_PACKETS && pictures > stream->nb_frames / 10 &&
               (promised == 0 || missing > promised / 10);
    }
    return missing > MED_TICKS_PER_S / 2 && missing > promised / 10;
}

static enum cs_status conclude(const AVStream *stream, struct marks *marks, struct med_scan *scan, struct cs_err *err) {
    if (marks->times.size == 0) {
        return cs_fail(err, CS_DATA_LOSS, "corrupt_input", "the input has no readable %s",
                       stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO ? "picture" : "sound");
    }
    scan->packets = marks->packets;
    if (stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
        judge_rate(marks, stream->r_frame_rate, scan);
    }
    scan->start_ticks = marks->start;
    scan->length_ticks = marks->end > marks->start ? marks->end - marks->start : 0; /* it may be padding alone */
    scan->cut_short = is_cut_short(stream, marks);
    scan->bytes = marks->bytes;
    scan->corrupt = marks->corrupt;
    scan->priming = marks->priming;
    scan->padding = marks->padding;
    scan->gops = marks->gops;
    scan->imprint = marks->imprint;
    if (stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
        sharpen(scan);
    }
    return CS_OK;
}

enum cs_status med_scan_read(int fd, AVFormatContext *format, int video, int audio, bool imprint,
                             struct med_scan scans[2], struct cs_err *err) {
    struct stat file;
    const int streams[2] = {video, audio};
    if (fstat(fd, &file) != 0 || file.st_size > MED_SCAN_BYTES_MAX) {
        for (int i = 0; i < 2; i++) {
            if (streams[i] >= 0) {
                from_header(format, format->streams[streams[i]], &scans[i]);
            }
        }
        return CS_OK;
    }
    struct marks marks[2] = {{.heard_from = INT64_MIN, .imprinted = imprint}, {.heard_from = INT64_MIN}};
    med_input_keep_only(format, video, audio);
    enum cs_status status = read_packets(format, video, audio, marks, err);
    for (int i = 0; i < 2 && status == CS_OK; i++) {
        if (streams[i] >= 0) {
            status = conclude(format->streams[streams[i]], &marks[i], &scans[i], err);
        }
    }
    cs_buf_fini(&marks[0].times);
    cs_buf_fini(&marks[1].times);
    return status;
}
