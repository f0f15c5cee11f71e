#include "copy/sound_plan.h"

#include <libavutil/intreadwrite.h>
#include <string.h>

#include "bounds.h"
#include "graph/aac.h"
#include "graph/av.h"
#include "graph/input.h"
#include "graph/sound.h"
#include "graph/timeline.h"

enum { CONFIG_BYTES = 2 };

int64_t med_sound_plan_at(const struct med_sound_plan *plan, int64_t place) {
    return plan->phase + place * MED_PLACE;
}

/* ---- what the packets are ---- */

static bool are_alike(const AVCodecParameters *a, const AVCodecParameters *b) {
    return memcmp(a->extradata, b->extradata, CONFIG_BYTES) == 0 && a->sample_rate == b->sample_rate &&
           a->ch_layout.nb_channels == b->ch_layout.nb_channels;
}

/* ---- where they are ---- */

static int64_t min(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t max(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* All packets of a stream, in samples from the clip's time 0 on. */
struct row {
    int64_t first;
    int64_t count;
    int64_t heard_from;
    int64_t heard_to;
    bool gaps;
};

static void note(struct row *row, const AVPacket *packet, int64_t at, int64_t length) {
    size_t size = 0;
    const uint8_t *skip = av_packet_get_side_data(packet, AV_PKT_DATA_SKIP_SAMPLES, &size);
    int64_t from = at + (skip != NULL && size >= 8 ? AV_RL32(skip) : 0);
    bool heard = (packet->flags & AV_PKT_FLAG_DISCARD) == 0;
    if (row->count == 0) {
        row->first = at;
        row->heard_from = INT64_MIN;
    }
    row->gaps = row->gaps || at != row->first + row->count * MED_PLACE;
    row->count++;
    if (heard) { /* the last one may be shorter, or be said to be of any other length */
        row->heard_from = row->heard_from == INT64_MIN ? from : row->heard_from;
        row->heard_to = at + (length > 0 ? min(length, MED_PLACE) : MED_PLACE);
    }
}

static enum cs_status read_row(AVFormatContext *format, const struct med_clip *clip, struct row *ret_row,
                               struct cs_err *err) {
    const AVStream *stream = format->streams[clip->facts->audio.stream];
    int rate = stream->codecpar->sample_rate;
    int64_t origin = av_rescale_rnd(clip->facts->video.start_ticks, rate, MED_TICKS_PER_S, AV_ROUND_NEAR_INF);
    MED_AUTO_PACKET *packet = av_packet_alloc();
    struct row row = {0};
    int result = packet == NULL ? AVERROR(ENOMEM) : 0;
    while (result >= 0 && !row.gaps && (result = av_read_frame(format, packet)) >= 0) {
        if (packet->stream_index == stream->index) {
            const AVRational unit = {1, rate};
            bool timed = packet->pts != AV_NOPTS_VALUE &&
                         med_ticks_are_sane(med_ticks_from(packet->pts, stream->time_base)) &&
                         (packet->flags & AV_PKT_FLAG_CORRUPT) == 0 && row.count < MED_SCAN_PACKETS_MAX;
            if (timed) {
                note(&row, packet, av_rescale_q(packet->pts, stream->time_base, unit) - origin,
                     av_rescale_q(packet->duration, stream->time_base, unit));
            }
            row.gaps = row.gaps || !timed;
        }
        av_packet_unref(packet);
    }
    *ret_row = row;
    return row.gaps ? CS_OK : med_input_ended(format, result, err);
}

/* ---- places ---- */

static int64_t nearest(int64_t value) {
    int64_t up = value + MED_PLACE / 2;
    return up >= 0 ? up / MED_PLACE : -((-up + MED_PLACE - 1) / MED_PLACE);
}

/* The first place that begins at or behind a sample. */
static int64_t place_from(const struct med_sound_plan *plan, int64_t sample) {
    int64_t off = sample - plan->phase;
    return off > 0 ? (off + MED_PLACE - 1) / MED_PLACE : 0;
}

/* The encoder's priming must be at least one packet before what is heard, and the first piece is not moved. */
static int64_t phase_of(int64_t first_packet) {
    int64_t over = ((first_packet % MED_PLACE) + MED_PLACE) % MED_PLACE;
    return over > 0 ? over - 2 * MED_PLACE : -MED_PLACE;
}

static void lay(struct med_sound_plan *plan, const struct row *row, int64_t length, struct med_sound_piece *piece) {
    piece->place = nearest(piece->start + row->first - plan->phase);
    int64_t shift = med_sound_plan_at(plan, piece->place) - row->first; /* from times of the clip */
    piece->heard_from = max(row->heard_from, 0) + shift;
    piece->heard_to = min(row->heard_to, length) + shift;
    piece->cut = row->heard_to > length;
    plan->moved = max(plan->moved, shift > piece->start ? shift - piece->start : piece->start - shift);
}

/* Of the whole row of packets: what is before the begin is not heard. */
static bool begins_with_its_own(const struct med_sound_plan *plan, const struct med_sound_piece *piece) {
    return piece == &plan->pieces[0] && piece->place <= 0 && piece->heard_from <= 0;
}

/* Places that say nothing of where a neighbour is heard, or where it is faded. */
static bool choose_places(struct med_sound_plan *plan, size_t i) {
    struct med_sound_piece *piece = &plan->pieces[i];
    int64_t from = i > 0 ? max(piece->heard_from, piece[-1].heard_to) : piece->heard_from;
    int64_t to = piece->heard_to - (piece->cut ? MED_CUT_FADE_SAMPLES : 0);
    to = i + 1 < plan->count ? min(to, piece[1].heard_from) : to;
    piece->first = begins_with_its_own(plan, piece) ? 0 : max(place_from(plan, from), piece->place + 1);
    piece->last = (to - plan->phase) / MED_PLACE - 2; /* with the place behind it */
    return piece->last - piece->first >= 2 * MED_EDGE_PLACES;
}

/* ---- all ---- */

static const char *why_not(const struct med_clip *clip) {
    if (clip->made != NULL || clip->facts->video.stream < 0 || clip->from_ticks != 0) {
        return "no_file";
    }
    if (clip->facts->audio.stream < 0) {
        return "no_sound";
    }
    if (clip->facts->audio.codec != AV_CODEC_ID_AAC) {
        return "codec";
    }
    return strncmp(clip->facts->container, "mov,", 4) == 0 ? NULL : "container";
}

static enum cs_status take_params(struct med_sound_plan *plan, const AVCodecParameters *params, struct cs_err *err) {
    if (!med_aac_is_plain(params)) {
        plan->reason = "codec";
    } else if (plan->params == NULL) {
        plan->params = avcodec_parameters_alloc();
        if (plan->params == NULL || avcodec_parameters_copy(plan->params, params) < 0) {
            return med_av_fail(err, CS_UNAVAILABLE, "out_of_memory", AVERROR(ENOMEM), "copying");
        }
    } else if (!are_alike(plan->params, params)) {
        plan->reason = "configuration";
    }
    return CS_OK;
}

static int64_t sample_at(const struct med_sound_plan *plan, const struct med_made *made, int64_t frame) {
    return av_rescale_rnd(frame, (int64_t)plan->params->sample_rate * made->format.rate.den, made->format.rate.num,
                          AV_ROUND_NEAR_INF);
}

static enum cs_status plan_piece(struct med_sound_plan *plan, const struct med_made *made, int64_t frame, size_t i,
                                 struct cs_err *err) {
    struct med_sound_piece *piece = &plan->pieces[i];
    AVFormatContext *format = NULL;
    struct row row = {0};
    CS_TRY(med_input_open_known(piece->clip->fd, &format, err));
    int stream = piece->clip->facts->audio.stream;
    enum cs_status status = CS_OK;
    if (stream >= (int)format->nb_streams) {
        plan->reason = "changed";
    } else {
        status = take_params(plan, format->streams[stream]->codecpar, err);
        med_input_keep_only(format, stream, stream);
    }
    if (status == CS_OK && plan->reason == NULL) {
        status = read_row(format, piece->clip, &row, err);
    }
    med_input_close(&format);
    CS_TRY(status);
    if (plan->reason != NULL) {
        return CS_OK;
    }
    if (row.gaps || row.count == 0 || row.heard_from == INT64_MIN) {
        plan->reason = "gaps";
        return CS_OK;
    }
    plan->phase = i == 0 ? phase_of(row.first) : plan->phase;
    piece->start = sample_at(plan, made, frame);
    plan->samples = sample_at(plan, made, frame + made->pieces[i].frames);
    lay(plan, &row, plan->samples - piece->start, piece);
    plan->reason = plan->moved > sample_at(plan, made, 1) ? "offset" : NULL;
    return CS_OK;
}

static bool has_short_edges(const struct med_sound_plan *plan) {
    int64_t next = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->pieces[i].first < next || plan->pieces[i].first - next > MED_EDGE_PLACES) {
            return false;
        }
        next = plan->pieces[i].last + 1;
    }
    return plan->places - next <= MED_EDGE_PLACES;
}

/* What is behind the last picture is not heard. */
static void end_with_picture(struct med_sound_plan *plan) {
    struct med_sound_piece *last = &plan->pieces[plan->count - 1];
    last->cut = last->cut || last->heard_to > plan->samples;
    last->heard_to = min(last->heard_to, plan->samples);
    plan->places = (plan->samples - plan->phase + MED_PLACE - 1) / MED_PLACE;
}

static const char *choose_all_places(struct med_sound_plan *plan) {
    end_with_picture(plan);
    for (size_t i = 0; i < plan->count; i++) {
        if (!choose_places(plan, i)) {
            return "short";
        }
    }
    return has_short_edges(plan) ? NULL : "gaps";
}

enum cs_status med_sound_plan_make(const struct med_made *made, struct cs_arena *arena, struct med_sound_plan *ret_plan,
                                   struct cs_err *err) {
    struct med_sound_plan plan = {.count = made->piece_count};
    enum cs_status status = CS_OK;
    int64_t frame = 0;
    plan.pieces = cs_arena_array(arena, plan.count, sizeof(*plan.pieces));
    plan.reason = made->sound_of_pieces ? NULL : "changed";
    for (size_t i = 0; i < plan.count && plan.reason == NULL; i++) {
        plan.pieces[i].clip = made->pieces[i].clip;
        plan.reason = why_not(plan.pieces[i].clip);
    }
    for (size_t i = 0; i < plan.count && plan.reason == NULL && status == CS_OK; i++) {
        status = plan_piece(&plan, made, frame, i, err);
        frame += made->pieces[i].frames;
    }
    if (status == CS_OK && plan.reason == NULL) {
        plan.reason = choose_all_places(&plan);
    }
    if (status != CS_OK) {
        med_sound_plan_fini(&plan);
    }
    *ret_plan = plan;
    return status;
}

void med_sound_plan_fini(struct med_sound_plan *plan) {
    avcodec_parameters_free(&plan->params);
}
