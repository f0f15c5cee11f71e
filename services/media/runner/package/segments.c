#include "package/segments.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/output.h"

struct med_segment_writer {
    struct med_output output;
    AVRational unit;
    struct cs_buf starts; /* of int64_t ticks */
    bool empty;           /* nothing was put since the last cut */
    struct med_imprint imprint;
};

static enum cs_status start_track(struct med_segment_writer *writer, const AVCodecContext *encoder,
                                  struct cs_err *err) {
    AVDictionary *options = NULL;
    AVStream *stream = avformat_new_stream(writer->output.format, NULL);
    int result = stream == NULL ? AVERROR(ENOMEM) : avcodec_parameters_from_context(stream->codecpar, encoder);
    if (result >= 0) {
        stream->time_base = writer->unit;
        stream->avg_frame_rate = encoder->framerate;
        stream->sample_aspect_ratio = encoder->sample_aspect_ratio;
        av_dict_set(&options, "movflags", "+frag_custom+delay_moov+default_base_moof+global_sidx+skip_trailer", 0);
        result = avformat_write_header(writer->output.format, &options);
        av_dict_free(&options);
    }
    return result < 0 ? med_output_failed(err, result) : CS_OK;
}

enum cs_status med_segment_writer_open(const AVCodecContext *encoder, AVRational unit, int fd, int64_t bytes_max,
                                       struct med_segment_writer **ret_writer, struct cs_err *err) {
    CS_AUTO(med_segment_writer) *writer = cs_alloc(sizeof(*writer));
    writer->unit = unit;
    writer->empty = true;
    CS_TRY(med_output_open(&writer->output, "mp4", fd, bytes_max, err));
    CS_TRY(start_track(writer, encoder, err));
    *ret_writer = cs_steal(&writer);
    return CS_OK;
}

void med_segment_writer_destroy(struct med_segment_writer *writer) {
    if (writer != NULL) {
        med_output_close(&writer->output);
        cs_buf_fini(&writer->starts);
        free(writer);
    }
}

/* The first of all flushes writes nothing but the description of the track. */
static enum cs_status flush(struct med_segment_writer *writer, struct cs_err *err) {
    int flushes = writer->starts.size == sizeof(int64_t) ? 2 : 1;
    for (int i = 0; i < flushes; i++) {
        int result = av_write_frame(writer->output.format, NULL);
        if (result < 0) {
            return med_output_failed(err, result);
        }
    }
    return CS_OK;
}

enum cs_status med_segment_writer_cut(struct med_segment_writer *writer, int64_t start_ticks, struct cs_err *err) {
    if (writer->starts.size > 0) {
        if (writer->empty) {
            return cs_fail(err, CS_INTERNAL, "verify_failed", "a segment is empty");
        }
        CS_TRY(flush(writer, err));
    }
    cs_buf_put(&writer->starts, &start_ticks, sizeof(start_ticks));
    writer->empty = true;
    return CS_OK;
}

enum cs_status med_segment_writer_put(struct med_segment_writer *writer, AVPacket *packet, struct cs_err *err) {
    const AVStream *stream = writer->output.format->streams[0];
    med_imprint_add(&writer->imprint, stream->codecpar, packet);
    av_packet_rescale_ts(packet, writer->unit, stream->time_base);
    packet->stream_index = 0;
    writer->empty = false;
    int result = av_write_frame(writer->output.format, packet);
    return result < 0 ? med_output_failed(err, result) : CS_OK;
}

/* ---- where things are ---- */

struct box {
    char type[4];
    int64_t size_bytes;
};

static uint64_t big_endian(const uint8_t *bytes, int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

/* false: not a whole box. */
static bool read_box(int fd, int64_t offset, struct box *ret_box) {
    enum { SHORT = 8, LONG = 16 };
    uint8_t head[LONG];
    ssize_t got = pread(fd, head, sizeof(head), offset);
    if (got < SHORT) {
        return false;
    }
    memcpy(ret_box->type, head + 4, sizeof(ret_box->type));
    uint64_t size = big_endian(head, 4);
    if (size == 1 && got == LONG) {
        size = big_endian(head + 8, 8);
    }
    ret_box->size_bytes = (int64_t)size;
    return size >= SHORT && size <= INT64_MAX / 2;
}

static bool is(const struct box *box, const char *type) {
    return memcmp(box->type, type, sizeof(box->type)) == 0;
}

static enum cs_status not_as_planned(struct cs_err *err) {
    return cs_fail(err, CS_INTERNAL, "verify_failed", "a file of segments is not made as it should be");
}

/* Expects that order and nothing else up to the end. */
static enum cs_status locate(int fd, size_t parts, struct med_segments *segments, struct cs_err *err) {
    static const char *const head[] = {"ftyp", "moov", "sidx"};
    struct box box;
    int64_t at = 0;
    for (size_t i = 0; i < CS_COUNT(head); i++, at += box.size_bytes) {
        if (!read_box(fd, at, &box) || !is(&box, head[i])) {
            return not_as_planned(err);
        }
        segments->index_offset = at;
        segments->index_bytes = box.size_bytes;
    }
    segments->init_bytes = segments->index_offset;
    for (size_t i = 0; i < parts; i++) {
        struct box data;
        if (!read_box(fd, at, &box) || !is(&box, "moof") || !read_box(fd, at + box.size_bytes, &data) ||
            !is(&data, "mdat")) {
            return not_as_planned(err);
        }
        segments->parts[i].offset = at;
        segments->parts[i].size_bytes = box.size_bytes + data.size_bytes;
        at += segments->parts[i].size_bytes;
    }
    segments->count = parts;
    return lseek(fd, 0, SEEK_END) == at ? CS_OK : not_as_planned(err);
}

static enum cs_status finish_file(struct med_segment_writer *writer, struct cs_err *err) {
    if (writer->empty) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "a segment is empty");
    }
    CS_TRY(flush(writer, err));
    return med_output_finish(&writer->output, err);
}

enum cs_status med_segment_writer_end(struct med_segment_writer *writer, int64_t length_ticks, struct cs_arena *arena,
                                      struct med_segments *ret_segments, struct cs_err *err) {
    CS_TRY(finish_file(writer, err));
    const int64_t *starts = (const int64_t *)(const void *)writer->starts.data;
    size_t count = writer->starts.size / sizeof(*starts);
    struct med_segments segments = {.parts = cs_arena_array(arena, count, sizeof(*segments.parts)),
                                    .imprint = writer->imprint};
    CS_TRY(locate(writer->output.fd, count, &segments, err));
    for (size_t i = 0; i < count; i++) {
        int64_t end = i + 1 < count ? starts[i + 1] : length_ticks;
        segments.parts[i].start_ticks = starts[i];
        segments.parts[i].length_ticks = end - starts[i];
    }
    *ret_segments = segments;
    return CS_OK;
}
