#include "copy/check.h"

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <string.h>

#include "graph/av.h"
#include "graph/input.h"
#include "graph/timeline.h"

enum { AFTER_EDGE = 32, AFTER_WHOLE = 8 /* frames behind a join */ };

/* A part, and whose it is. */
struct place {
    const struct med_copy_part *part;
    const struct med_source *source;
};

struct check {
    const struct med_splice *splice;
    int threads;
    struct med_reader *output;
    struct med_reader *input;
    const struct med_source *reading;
    bool same;
};

/* ---- pictures ---- */

static bool same_picture(const AVFrame *a, const AVFrame *b) {
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(a->format);
    if (a->format != b->format || a->width != b->width || a->height != b->height || format == NULL) {
        return false;
    }
    int planes = av_pix_fmt_count_planes(a->format);
    for (int plane = 0; plane < planes; plane++) {
        int bytes = av_image_get_linesize(a->format, a->width, plane);
        bool chroma = plane == 1 || plane == 2;
        int rows = chroma ? AV_CEIL_RSHIFT(a->height, format->log2_chroma_h) : a->height;
        for (int y = 0; bytes > 0 && y < rows; y++) {
            if (memcmp(a->data[plane] + (ptrdiff_t)y * a->linesize[plane],
                       b->data[plane] + (ptrdiff_t)y * b->linesize[plane], (size_t)bytes) != 0) {
                return false;
            }
        }
    }
    return true;
}

/* The picture of exactly this frame; NULL: there is none. */
static enum cs_status picture_at(struct med_reader *reader, int64_t frame, AVFrame **ret_picture, struct cs_err *err) {
    for (;;) {
        MED_AUTO_FRAME *picture = NULL;
        CS_TRY(med_reader_picture(reader, frame, &picture, err));
        int64_t at = picture == NULL ? INT64_MAX : med_reader_frame_at(reader, picture->pts);
        if (at >= frame) {
            *ret_picture = at == frame ? picture : NULL;
            picture = at == frame ? NULL : picture;
            return CS_OK;
        }
    }
}

/* ---- readers ---- */

static enum cs_status open_output(struct check *check, int fd, struct cs_err *err) {
    AVFormatContext *format = NULL;
    const AVPacket *first = NULL;
    CS_TRY(med_input_open(fd, &format, err));
    int stream = med_input_stream(format, AVMEDIA_TYPE_VIDEO);
    med_input_close(&format);
    if (stream < 0) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output has no picture");
    }
    CS_TRY(med_reader_open(fd, stream, check->threads, 0, check->splice->format.rate, &check->output, err));
    CS_TRY(med_reader_packet(check->output, &first, err));
    if (first == NULL) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output has no picture");
    }
    check->output->start_ticks = med_ticks_from(first->pts, check->output->info->time_base);
    return CS_OK;
}

/* A key picture of the output. */
static enum cs_status seek_output(struct check *check, int64_t frame, struct cs_err *err) {
    const struct med_reader *output = check->output;
    int64_t ticks = output->start_ticks + med_ticks_at_frame(frame, output->rate);
    AVRational unit = output->info->time_base;
    struct med_spot spot = {.pts = av_rescale_q(ticks, (AVRational){1, MED_TICKS_PER_S}, unit), .dts = AV_NOPTS_VALUE};
    return med_reader_seek(check->output, spot, err);
}

static enum cs_status seek_input(struct check *check, const struct med_source *source, struct med_spot spot,
                                 struct cs_err *err) {
    if (check->reading != source) {
        med_reader_close(check->input);
        check->input = NULL;
        CS_TRY(med_source_reader(source, check->splice, check->threads, &check->input, err));
        check->reading = source;
    }
    return med_reader_seek(check->input, spot, err);
}

/* ---- joins ---- */

/* Frames [first, end) of a part, input's and output's numbers apart; the output stands before them. */
static enum cs_status compare(struct check *check, const struct place *place, struct med_spot from, int64_t first,
                              int64_t end, struct cs_err *err) {
    CS_TRY(seek_input(check, place->source, from, err));
    for (int64_t frame = first; frame < end && check->same; frame++) {
        MED_AUTO_FRAME *ours = NULL;
        MED_AUTO_FRAME *theirs = NULL;
        CS_TRY(picture_at(check->output, place->part->out + frame - place->part->first, &ours, err));
        CS_TRY(picture_at(check->input, frame, &theirs, err));
        check->same = ours != NULL && theirs != NULL && same_picture(ours, theirs);
    }
    return CS_OK;
}

/* `before` and `after` are copied; between them lies nothing or what was encoded. Either may be missing. */
static enum cs_status check_join(struct check *check, const struct place *before, const struct place *after,
                                 int64_t between, struct cs_err *err) {
    bool tail = before->part != NULL && before->part->cut;
    bool whole = before->part != NULL && after->part != NULL && !tail &&
                 before->part->out + before->part->frames == after->part->out;
    int64_t start = between;
    if (tail) {
        start = before->part->out + before->part->last_key_frame - before->part->first;
    }
    CS_TRY(seek_output(check, start, err));
    if (tail) {
        CS_TRY(compare(check, before, before->part->last_key, before->part->last_key_frame,
                       before->part->first + before->part->frames, err));
    }
    if (after->part != NULL && check->same) {
        int64_t frames = whole ? AFTER_WHOLE : AFTER_EDGE;
        frames = frames < after->part->frames ? frames : after->part->frames;
        CS_TRY(compare(check, after, after->part->from, after->part->first, after->part->first + frames, err));
    }
    return CS_OK;
}

static enum cs_status check_joins(struct check *check, struct cs_err *err) {
    const struct med_splice *splice = check->splice;
    struct place before = {0};
    int64_t between = 0; /* where what follows `before` starts */
    for (size_t i = 0; i < splice->count; i++) {
        const struct med_splice_piece *piece = &splice->pieces[i];
        for (size_t k = 0; piece->kept && k < piece->parts.count && check->same; k++) {
            struct place after = {.part = &piece->parts.list[k], .source = piece->source};
            if (after.part->copied) {
                if (after.part->out > 0) {
                    CS_TRY(check_join(check, &before, &after, between, err));
                }
                before = after;
                between = after.part->out + after.part->frames;
            }
        }
    }
    if (before.part != NULL && before.part->cut && check->same) {
        const struct place nothing = {0};
        CS_TRY(check_join(check, &before, &nothing, between, err));
    }
    return CS_OK;
}

enum cs_status med_copy_check(const struct med_splice *splice, int fd, int threads, bool *ret_same,
                              struct cs_err *err) {
    struct check check = {.splice = splice, .threads = threads, .same = true};
    enum cs_status status = open_output(&check, fd, err);
    if (status == CS_OK) {
        status = check_joins(&check, err);
    }
    med_reader_close(check.output);
    med_reader_close(check.input);
    *ret_same = check.same;
    return status;
}
