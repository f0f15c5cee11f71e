#include "graph/timeline.h"

#include <libavutil/mathematics.h>
#include <math.h>
#include <string.h>

#include "bounds.h"
#include "cs/base/auto.h"
#include "cs/base/text.h"

static const AVRational tick = {1, (int)MED_TICKS_PER_S};

int64_t med_ticks_from_seconds(double seconds) {
    return llround(seconds * (double)MED_TICKS_PER_S);
}

int64_t med_ticks_from(int64_t value, AVRational unit) {
    return av_rescale_q_rnd(value, unit, tick, AV_ROUND_NEAR_INF);
}

double med_ticks_to_seconds(int64_t ticks) {
    return (double)ticks / (double)MED_TICKS_PER_S;
}

int64_t med_ticks_to_us(int64_t ticks) {
    return av_rescale_q_rnd(ticks, tick, (AVRational){1, 1000000}, AV_ROUND_NEAR_INF);
}

bool med_ticks_are_sane(int64_t ticks) {
    static const int64_t far = INT64_C(1) << 61;
    return ticks > -far && ticks < far;
}

int64_t med_frames_at(int64_t ticks, AVRational rate) {
    return av_rescale_q_rnd(ticks, tick, av_inv_q(rate), AV_ROUND_NEAR_INF);
}

int64_t med_samples_at_frame(int64_t frame, AVRational rate) {
    return av_rescale_q_rnd(frame, av_inv_q(rate), (AVRational){1, MED_SAMPLE_RATE}, AV_ROUND_NEAR_INF);
}

int64_t med_ticks_at_frame(int64_t frame, AVRational rate) {
    return med_ticks_from(frame, av_inv_q(rate));
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

int64_t med_timeline_lay(struct med_segment *segments, size_t count, AVRational rate, int64_t transition_frames) {
    int64_t end_ticks = 0; /* exact, as if clips were laid end to end */
    int64_t end_frame = 0;
    for (size_t i = 0; i < count; i++) {
        struct med_segment *segment = &segments[i];
        if (segment->named) {
            int64_t frames = med_frames_at(segment->length_ticks, rate);
            end_ticks += med_ticks_at_frame(frames < 1 ? 1 : frames, rate);
        } else {
            end_ticks += segment->length_ticks;
        }
        segment->frames = med_frames_at(end_ticks, rate) - end_frame;
        if (segment->frames < 1) {
            segment->frames = 1;
        }
        end_frame += segment->frames;
    }
    int64_t position = 0;
    for (size_t i = 0; i < count; i++) {
        segments[i].start_frame = position;
        segments[i].overlap = 0;
        if (i + 1 < count) {
            int64_t room = smaller(segments[i].frames / 2, segments[i + 1].frames / 2);
            segments[i].overlap = segments[i].hard ? 0 : smaller(transition_frames, room);
        }
        position += segments[i].frames - segments[i].overlap;
    }
    return position;
}

AVRational med_rate_snap(AVRational rate) {
    static const AVRational standard[] = {{24000, 1001}, {24, 1}, {25, 1},       {30000, 1001}, {30, 1},  {48, 1},
                                          {50, 1},       {60, 1}, {60000, 1001}, {100, 1},      {120, 1}, {15, 1}};
    double value = av_q2d(rate);
    AVRational best = rate;
    double best_error = 0.002;
    for (size_t i = 0; i < CS_COUNT(standard); i++) {
        double error = fabs(value / av_q2d(standard[i]) - 1);
        if (error < best_error) {
            best_error = error;
            best = standard[i];
        }
    }
    return best;
}

bool med_rate_parse(const char *text, AVRational *ret_rate) {
    char number[32];
    int64_t den = 1;
    cs_str_copy(number, sizeof(number), text);
    char *slash = strchr(number, '/');
    if (slash != NULL) {
        *slash = '\0';
        if (!cs_parse_i64(slash + 1, 1, 1000000, &den)) {
            return false;
        }
    }
    double value = 0;
    int64_t num = 0;
    AVRational rate;
    if (cs_parse_i64(number, 1, 1000000000, &num)) {
        if (!av_reduce(&rate.num, &rate.den, num, den, 1000000)) {
            return false;
        }
    } else if (slash == NULL && cs_parse_f64(number, 1, MED_RATE_MAX, &value)) {
        rate = med_rate_snap(av_d2q(value, 1001000));
    } else {
        return false;
    }
    if (av_q2d(rate) < 1 || av_q2d(rate) > MED_RATE_MAX) {
        return false;
    }
    *ret_rate = rate;
    return true;
}
