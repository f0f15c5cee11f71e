#include "copy/check.h"

#include "graph/av.h"
#include "graph/input.h"
#include "graph/timeline.h"

/* A copied part, and whose it is. */
struct place {
    const struct med_copy_part *part; /* NULL: none */
    const struct med_source *source;
};

struct check {
    const struct med_splice *splice;
    struct med_witnesses *witnesses;
    struct med_reader *output;
    struct med_reader *input;
    const struct med_source *reading;
    int64_t shift; /* from frames of the input to those of the output */
    struct range {
        int64_t first; /* frames of the output */
        int64_t end;
    } wanted[2];  /* on either side of the join */
    int64_t seen; /* of those */
    bool same;
};

static int64_t end_of(const struct med_copy_part *part) {
    return part->out + part->frames;
}

/* Frames of the output. */
/* Of the group that it cuts. */
static struct range tail_of(const struct med_copy_part *part) {
    int64_t frames = part->first + part->frames - part->last_key_frame;
    return (struct range){end_of(part) - (frames < MED_CHECK_FRAMES ? frames : MED_CHECK_FRAMES), end_of(part)};
}

/* Its key picture: nothing is shown before it, and what follows needs no more than that and its own bits. */
static struct range head_of(const struct med_copy_part *part) {
    return (struct range){part->out, part->out + 1};
}

/* Packets from the last key picture on: all pictures shown from there. */
static int64_t packets_of_tail(const struct med_copy_part *part) {
    return part->first + part->frames - part->last_key_frame;
}

/* ---- the sources ---- */

static bool is_in(const struct range *range, int64_t frame) {
    return frame >= range->first && frame < range->end;
}

static void testify(void *ctx, const AVFrame *picture, int64_t frame) {
    struct check *check = ctx;
    int64_t out = frame + check->shift;
    if (is_in(&check->wanted[0], out)) {
        med_witness_add(check->witnesses, picture, out);
    }
}

static enum cs_status look_at_input(struct check *check, const struct place *place, struct med_spot from,
                                    int64_t packets, struct range wanted, struct cs_err *err) {
    if (check->reading != place->source) {
        med_reader_close(check->input);
        check->input = NULL;
        CS_TRY(med_source_reader(place->source, check->splice, true, &check->input, err));
        check->reading = place->source;
    }
    check->shift = place->part->out - place->part->first;
    check->wanted[0] = wanted;
    CS_TRY(med_reader_seek(check->input, from, err));
    CS_TRY(med_reader_decode(check->input, packets, wanted.first - check->shift, testify, check, err));
    CS_TRY(med_reader_drain(check->input, testify, check, err));
    med_witness_sort(check->witnesses);
    return CS_OK;
}

/* Each part's ends, that decoding for the edges did not pass. */
static enum cs_status call_witnesses(struct check *check, const struct place *place, struct cs_err *err) {
    const struct med_copy_part *part = place->part;
    if (part->out > 0 && med_witness_find(check->witnesses, part->out) == NULL) {
        CS_TRY(look_at_input(check, place, part->from, 1, head_of(part), err));
    }
    if (part->cut && med_witness_find(check->witnesses, end_of(part) - 1) == NULL) {
        CS_TRY(look_at_input(check, place, part->last_key, packets_of_tail(part), tail_of(part), err));
    }
    return CS_OK;
}

/* ---- the output ---- */

static enum cs_status open_output(struct check *check, int fd, struct cs_err *err) {
    AVFormatContext *format = NULL;
    const AVPacket *first = NULL;
    CS_TRY(med_input_open_known(fd, &format, err));
    int stream = med_input_stream(format, AVMEDIA_TYPE_VIDEO);
    med_input_close(&format);
    if (stream < 0) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output has no picture");
    }
    CS_TRY(med_reader_open(fd, stream, true, 0, check->splice->format.rate, &check->output, err));
    CS_TRY(med_reader_packet(check->output, &first, err));
    if (first == NULL) {
        return cs_fail(err, CS_INTERNAL, "verify_failed", "the output has no picture");
    }
    check->output->start_ticks = med_ticks_from(first->pts, check->output->info->time_base);
    return CS_OK;
}

/* To a key picture of the output; the decoder keeps what it has. */
static enum cs_status move_to(struct check *check, int64_t frame, struct cs_err *err) {
    const struct med_reader *output = check->output;
    int64_t ticks = output->start_ticks + med_ticks_at_frame(frame, output->rate);
    AVRational unit = output->info->time_base;
    struct med_spot spot = {.pts = av_rescale_q(ticks, (AVRational){1, MED_TICKS_PER_S}, unit), .dts = AV_NOPTS_VALUE};
    return med_reader_move(check->output, spot, err);
}

static void compare(void *ctx, const AVFrame *picture, int64_t out) {
    struct check *check = ctx;
    const struct med_witness *witness = med_witness_find(check->witnesses, out);
    if (witness != NULL) {
        check->same &= med_witness_agrees(witness, picture);
        check->seen += is_in(&check->wanted[0], out) || is_in(&check->wanted[1], out);
    }
}

/* `count` packets from key picture `frame` on. */
static enum cs_status look_at_output(struct check *check, int64_t frame, int64_t count, int64_t wanted,
                                     struct cs_err *err) {
    CS_TRY(move_to(check, frame, err));
    return med_reader_decode(check->output, count, wanted, compare, check, err);
}

static int64_t size_of(struct range range) {
    return range.end - range.first;
}

/* Both are copied; between them lies nothing, or what was encoded, from frame `between` on. */
static enum cs_status check_join(struct check *check, const struct place *before, const struct place *after,
                                 int64_t between, struct cs_err *err) {
    const struct med_copy_part *tail = before->part != NULL && before->part->cut ? before->part : NULL;
    const struct med_copy_part *head = after->part;
    check->seen = 0;
    check->wanted[0] = tail != NULL ? tail_of(tail) : (struct range){0};
    check->wanted[1] = head != NULL ? head_of(head) : (struct range){0};
    if (tail != NULL) {
        int64_t key = tail->out + tail->last_key_frame - tail->first;
        CS_TRY(look_at_output(check, key, packets_of_tail(tail), tail_of(tail).first, err));
    }
    if (between < (head != NULL ? head->out : check->splice->frames)) {
        CS_TRY(look_at_output(check, between, 1, between, err));
    }
    if (head != NULL) {
        CS_TRY(look_at_output(check, head->out, 1, head->out, err));
    }
    CS_TRY(med_reader_drain(check->output, compare, check, err));
    check->same &= check->seen == size_of(check->wanted[0]) + size_of(check->wanted[1]);
    return CS_OK;
}

/* ---- all ---- */

typedef enum cs_status join_visitor(struct check *check, const struct place *before, const struct place *after,
                                    int64_t between, struct cs_err *err);

static enum cs_status each_join(struct check *check, join_visitor *visit, struct cs_err *err) {
    const struct med_splice *splice = check->splice;
    struct place before = {0};
    int64_t between = 0; /* where what follows `before` starts */
    for (size_t i = 0; i < splice->count; i++) {
        const struct med_splice_piece *piece = &splice->pieces[i];
        for (size_t k = 0; piece->kept && k < piece->parts.count && check->same; k++) {
            struct place after = {.part = &piece->parts.list[k], .source = piece->source};
            if (after.part->copied) {
                CS_TRY(visit(check, &before, &after, between, err));
                before = after;
                between = end_of(after.part);
            }
        }
    }
    const struct place nothing = {0};
    return check->same ? visit(check, &before, &nothing, between, err) : CS_OK;
}

static enum cs_status prepare(struct check *check, const struct place *before, const struct place *after,
                              int64_t between, struct cs_err *err) {
    (void)before, (void)between;
    return after->part == NULL ? CS_OK : call_witnesses(check, after, err);
}

/* The file's begin is no join, nor is its end after whole groups. */
static enum cs_status check_one(struct check *check, const struct place *before, const struct place *after,
                                int64_t between, struct cs_err *err) {
    bool begin = after->part != NULL && after->part->out == 0;
    bool end = after->part == NULL && (before->part == NULL || !before->part->cut);
    return begin || end ? CS_OK : check_join(check, before, after, between, err);
}

enum cs_status med_copy_check(const struct med_splice *splice, struct med_witnesses *witnesses, int fd, bool *ret_same,
                              struct cs_err *err) {
    struct check check = {.splice = splice, .witnesses = witnesses, .same = true};
    med_witness_sort(witnesses);
    enum cs_status status = each_join(&check, prepare, err);
    med_witness_sort(witnesses);
    if (status == CS_OK) {
        status = open_output(&check, fd, err);
    }
    if (status == CS_OK) {
        status = each_join(&check, check_one, err);
    }
    med_reader_close(check.output);
    med_reader_close(check.input);
    *ret_same = check.same;
    return status;
}
