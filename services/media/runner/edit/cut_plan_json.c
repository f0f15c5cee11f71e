/* Cut plans as JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/json.h"
#include "edit/cut_plan.h"

enum { FRAME_CS = 5, SECONDS_MAX = 100000 };

static const double speed_min = 0.1;
static const double speed_max = 10;

#define SET(object, name, value) ((void)json_object_set_new(object, name, value))

/* ---- writing: the same plan, the same bytes ---- */

static json_t *seconds(int64_t time_cs) {
    char text[32];
    (void)snprintf(text, sizeof(text), "%" PRId64 ".%02" PRId64, time_cs / 100, time_cs % 100);
    return json_string(text);
}

static const char *type_of(const struct med_cut_span *span) {
    return !span->keep                         ? "cut"
           : span->speed != 0                  ? "speed"
           : span->sound == MED_SPAN_MUTED     ? "mute"
           : span->sound == MED_SPAN_ROOM_TONE ? "roomTone"
                                               : "keep";
}

static json_t *write_span(const struct med_cut_span *span) {
    json_t *object = json_object();
    SET(object, "start", seconds(span->start_cs));
    SET(object, "end", seconds(span->end_cs));
    SET(object, "type", json_string(type_of(span)));
    if (span->keep && span->speed != 0) {
        SET(object, "factor", json_real((double)span->speed / 1000));
    }
    if (span->keep && span->speed != 0 && span->sound != MED_SPAN_HEARD) {
        SET(object, "mute", json_true());
    }
    SET(object, "reason", json_string(span->reason));
    SET(object, "confidence", json_real(span->confidence));
    if (span->text != NULL) {
        SET(object, "text", json_string(span->text));
    }
    if (span->measured) {
        SET(object, "spliceDb", json_pack("[f, f]", span->start_db, span->end_db));
    }
    return object;
}

static json_t *write_parameters(const struct med_cut_rules *rules, const struct med_cut_method *method) {
    json_t *object = json_object();
    json_t *fillers = json_array();
    for (size_t i = 0; i < rules->filler_count; i++) {
        (void)json_array_append_new(fillers, json_string(rules->fillers[i]));
    }
    SET(object, "minPauseMs", json_integer(rules->min_pause_cs * 10));
    SET(object, "fillerWords", fillers);
    SET(object, "minCutDurationSec", json_real((double)rules->min_cut_cs / 100));
    SET(object, "minSegmentDurationSec", json_real((double)rules->min_keep_cs / 100));
    SET(object, "maxSegmentDurationSec", json_real((double)rules->max_keep_cs / 100));
    SET(object, "mergeThresholdMs", json_integer(rules->merge_cs * 10));
    SET(object, "detect", json_string(method->silence ? "silence" : "transcript"));
    if (method->silence) {
        SET(object, "marginMs", json_integer(method->margin_cs * 10));
    }
    SET(object, "snapMs", json_integer(method->snap_cs * 10));
    SET(object, "deterministic", json_true());
    return object;
}

void med_cut_plan_write(const struct med_cut_plan *plan, const struct med_cut_rules *rules,
                        const struct med_cut_method *method, struct cs_buf *out) {
    CS_AUTO_JSON *object = json_object();
    json_t *cuts = json_array();
    json_t *metadata = json_object();
    for (size_t i = 0; i < plan->count; i++) {
        (void)json_array_append_new(cuts, write_span(&plan->spans[i]));
    }
    SET(metadata, "parameters", write_parameters(rules, method));
    SET(object, "schemaVersion", json_string("1.0.0"));
    SET(object, "cuts", cuts);
    SET(object, "metadata", metadata);
    CS_AUTO_FREE char *text = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    cs_buf_puts(out, text);
    cs_buf_puts(out, "\n");
}

/* ---- reading ---- */

/* "5.50", "1:05.5", "0:01:05.5", or a number. */
static bool read_time(const json_t *value, int64_t *ret_cs) {
    double total = json_number_value(value);
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        total = 0;
        for (int parts = 0; text != NULL; parts++) {
            char part[32];
            double number = 0;
            size_t length = strcspn(text, ":");
            bool last = text[length] == '\0';
            if (parts == 3 || length >= sizeof(part)) {
                return false;
            }
            memcpy(part, text, length);
            part[length] = '\0';
            if (!cs_parse_f64(part, 0, SECONDS_MAX, &number) || (!last && number != floor(number))) {
                return false;
            }
            total = total * 60 + number;
            text = last ? NULL : text + length + 1;
        }
    } else if (!json_is_number(value)) {
        return false;
    }
    *ret_cs = llround(total * 100);
    return total >= 0 && total <= SECONDS_MAX;
}

static enum cs_status bad(struct cs_err *err, const char *what) {
    return cs_fail(err, CS_INVALID_ARGUMENT, "bad_cut_plan", "%s", what);
}

/* What is done to a span, by its type. */
static enum cs_status read_action(const json_t *value, struct med_cut_span *span, struct cs_err *err) {
    const char *type = json_string_value(json_object_get(value, "type"));
    const json_t *factor = json_object_get(value, "factor");
    span->keep = cs_str_eq(type, "keep");
    if (span->keep || cs_str_eq(type, "cut")) {
        return CS_OK;
    }
    span->keep = true;
    if (cs_str_eq(type, "mute") || json_is_true(json_object_get(value, "mute"))) {
        span->sound = MED_SPAN_MUTED;
    } else if (cs_str_eq(type, "roomTone")) {
        span->sound = MED_SPAN_ROOM_TONE;
    }
    if (cs_str_eq(type, "speed")) {
        double speed = json_number_value(factor);
        if (!json_is_number(factor) || !(speed >= speed_min && speed <= speed_max)) {
            return bad(err, "a span of the type speed has a factor from 0.1 to 10");
        }
        span->speed = (int)lround(speed * 1000);
    } else if (!cs_str_eq(type, "mute") && !cs_str_eq(type, "roomTone")) {
        return bad(err, "each span of a cut plan is of the type keep, cut, mute, roomTone or speed");
    }
    return CS_OK;
}

static enum cs_status read_span(const json_t *value, int64_t from_cs, int64_t duration_cs, struct cs_arena *arena,
                                struct med_cut_span *ret_span, struct cs_err *err) {
    const char *reason = json_string_value(json_object_get(value, "reason"));
    struct med_cut_span span = {.confidence = json_number_value(json_object_get(value, "confidence"))};
    if (!read_time(json_object_get(value, "start"), &span.start_cs) ||
        !read_time(json_object_get(value, "end"), &span.end_cs)) {
        return bad(err, "each span of a cut plan has a start and an end in seconds");
    }
    CS_TRY(read_action(value, &span, err));
    if (span.start_cs < from_cs || span.end_cs <= span.start_cs || span.end_cs > duration_cs + FRAME_CS) {
        return bad(err, "the spans of a cut plan follow each other, within the recording");
    }
    span.end_cs = span.end_cs > duration_cs ? duration_cs : span.end_cs;
    span.start_cs = span.start_cs > span.end_cs ? span.end_cs : span.start_cs;
    span.reason = cs_arena_strdup(arena, reason != NULL ? reason : "");
    *ret_span = span;
    return CS_OK;
}

enum cs_status med_cut_plan_read(const char *json, size_t size_bytes, int64_t duration_cs, struct cs_arena *arena,
                                 struct med_cut_plan *ret_plan, struct cs_err *err) {
    CS_AUTO_JSON *value = NULL;
    struct cs_err why = {0};
    if (cs_json_parse(json, size_bytes, &value, &why) != CS_OK) {
        return bad(err, "a cut plan is JSON with a list `cuts`");
    }
    const json_t *cuts = json_object_get(value, "cuts");
    size_t count = json_array_size(cuts);
    bool keeps = false;
    if (!json_is_array(cuts) || count > MED_CUT_SPANS_MAX) {
        return bad(err, "a cut plan is JSON with a list `cuts`, of at most 20000 spans");
    }
    *ret_plan = (struct med_cut_plan){.spans = cs_arena_array(arena, count + 1, sizeof(struct med_cut_span))};
    for (size_t i = 0; i < count; i++) {
        struct med_cut_span *span = &ret_plan->spans[ret_plan->count];
        int64_t from_cs = ret_plan->count > 0 ? span[-1].end_cs : 0;
        CS_TRY(read_span(json_array_get(cuts, i), from_cs, duration_cs, arena, span, err));
        keeps |= span->keep;
        ret_plan->count++;
    }
    return keeps ? CS_OK : bad(err, "nothing of the recording stays");
}
