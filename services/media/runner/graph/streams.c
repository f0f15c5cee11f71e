#include "graph/streams.h"

#include <string.h>
#include <sys/stat.h>

#include "bounds.h"
#include "cs/base/text.h"
#include "graph/av.h"
#include "graph/input.h"
#include "graph/timeline.h"

enum { LANGUAGE_BYTES_MAX = 16 };

struct span {
    int64_t start;
    int64_t end;
    int64_t packets;
};

static const char *kind_of(const AVStream *stream) {
    if ((stream->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0) {
        return "cover";
    }
    switch (stream->codecpar->codec_type) {
    case AVMEDIA_TYPE_VIDEO:
        return "video";
    case AVMEDIA_TYPE_AUDIO:
        return "audio";
    case AVMEDIA_TYPE_SUBTITLE:
        return "subtitle";
    case AVMEDIA_TYPE_ATTACHMENT:
        return "attachment";
    default:
        return "data";
    }
}

static void note(struct span *span, const AVPacket *packet, AVRational unit) {
    int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    span->packets++;
    if (time == AV_NOPTS_VALUE || (packet->flags & AV_PKT_FLAG_DISCARD) != 0) {
        return;
    }
    int64_t start = med_ticks_from(time, unit);
    int64_t length = packet->duration > 0 ? med_ticks_from(packet->duration, unit) : 0;
    if (!med_ticks_are_sane(start) || !med_ticks_are_sane(length)) {
        return;
    }
    bool first = span->end == INT64_MIN;
    span->start = first || start < span->start ? start : span->start;
    span->end = first || start + length > span->end ? start + length : span->end;
}

/* What cannot be read any further has been measured up to there. */
static enum cs_status measure(AVFormatContext *format, struct span *spans, struct cs_err *err) {
    MED_AUTO_PACKET *packet = av_packet_alloc();
    int64_t total = 0;
    int result = packet == NULL ? AVERROR(ENOMEM) : 0;
    while (result >= 0 && total++ < MED_SCAN_PACKETS_MAX && (result = av_read_frame(format, packet)) >= 0) {
        if (packet->stream_index < MED_STREAMS_MAX) {
            note(&spans[packet->stream_index], packet, format->streams[packet->stream_index]->time_base);
        }
        av_packet_unref(packet);
    }
    return result < 0 ? med_input_ended(format, result, err) : CS_OK;
}

static bool has_others(const AVFormatContext *format, const struct med_facts *facts) {
    size_t used = (facts->video.stream >= 0 ? 1U : 0U) + (facts->audio.stream >= 0 ? 1U : 0U);
    return format->nb_streams > used;
}

static Callsheet__V1__StreamFacts *to_wire(const AVStream *stream, const struct span *span,
                                           const struct med_facts *facts, struct cs_arena *arena) {
    Callsheet__V1__StreamFacts *wire = cs_arena_alloc(arena, sizeof(*wire));
    callsheet__v1__stream_facts__init(wire);
    const AVDictionaryEntry *language = av_dict_get(stream->metadata, "language", NULL, 0);
    char tag[LANGUAGE_BYTES_MAX + 1] = "";
    if (language != NULL) {
        cs_str_copy(tag, sizeof(tag), language->value);
        cs_utf8_repair(tag);
    }
    wire->index = (uint32_t)stream->index;
    wire->kind = cs_arena_strdup(arena, kind_of(stream));
    wire->codec = cs_arena_strdup(arena, avcodec_get_name(stream->codecpar->codec_id));
    wire->language = cs_arena_strdup(arena, tag);
    wire->is_default = (stream->disposition & AV_DISPOSITION_DEFAULT) != 0;
    wire->packet_count = span->packets;
    wire->duration_us = span->end > span->start ? med_ticks_to_us(span->end - span->start) : 0;
    if (stream->index == facts->video.stream) {
        wire->used = true;
        wire->duration_us = med_ticks_to_us(facts->video.length_ticks);
        wire->packet_count = facts->video.gops.pictures > 0 ? facts->video.gops.pictures : facts->video.frames;
    } else if (stream->index == facts->audio.stream) {
        wire->used = true;
        wire->duration_us = med_ticks_to_us(facts->audio.length_ticks);
        wire->packet_count = facts->audio.packets;
    }
    return wire;
}

static enum cs_status read_streams(int fd, AVFormatContext *format, const struct med_facts *facts,
                                   struct cs_arena *arena, Callsheet__V1__MediaFacts *facts_wire, struct cs_err *err) {
    struct span spans[MED_STREAMS_MAX];
    struct stat file;
    size_t count = format->nb_streams < MED_STREAMS_MAX ? format->nb_streams : MED_STREAMS_MAX;
    for (size_t i = 0; i < MED_STREAMS_MAX; i++) {
        spans[i] = (struct span){.end = INT64_MIN};
    }
    Callsheet__V1__StreamFacts **list = cs_arena_array(arena, count, sizeof(Callsheet__V1__StreamFacts *));
    if (has_others(format, facts) && fstat(fd, &file) == 0 && file.st_size <= MED_SCAN_BYTES_MAX) {
        CS_TRY(measure(format, spans, err));
    }
    for (size_t i = 0; i < count; i++) {
        list[i] = to_wire(format->streams[i], &spans[i], facts, arena);
    }
    facts_wire->streams = list;
    facts_wire->n_streams = count;
    facts_wire->chapter_count = format->nb_chapters;
    return CS_OK;
}

enum cs_status med_streams_read(int fd, const struct med_facts *facts, struct cs_arena *arena,
                                Callsheet__V1__MediaFacts *facts_wire, struct cs_err *err) {
    if (facts->type == CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_TRANSCRIPT) {
        return CS_OK;
    }
    AVFormatContext *format = NULL;
    CS_TRY(med_input_open(fd, &format, err));
    enum cs_status status = read_streams(fd, format, facts, arena, facts_wire, err);
    med_input_close(&format);
    return status;
}
