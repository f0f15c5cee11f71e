/* Texts on a video; the sound stays. */
#include <math.h>
#include <string.h>

#include "bounds.h"
#include "captions/draw.h"
#include "captions/titles.h"
#include "cs/arithmetic.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/placement.h"
#include "ops/number.h"
#include "ops/ops.h"

static const double font_size = 48;
static const double fade_s = 0.5;
static const double margin_default = 50;
static const double padding_default = 12;
static const double outline_default = 2;

struct texts {
    struct med_clip clip;
    const char *document;
    size_t document_bytes;
    struct med_font_set fonts;
};

/* One text while it is read. */
struct reader {
    const Callsheet__V1__TextOverlay *wire;
    const char *path; /* "texts[1]" */
    const struct med_made *made;
    int width, height; /* of the canvas */
    struct med_title *title;
    struct cs_err *err;
};

static enum cs_status at(const struct reader *reader) {
    return cs_err_at(reader->err, reader->path);
}

static enum cs_status number(const struct reader *reader, const char *name, const Google__Protobuf__DoubleValue *value,
                             double absent, double min, double max, double *ret_number) {
    *ret_number = med_number_or(value, absent);
    if (*ret_number >= min && *ret_number <= max) {
        return CS_OK;
    }
    (void)cs_fail_at(reader->err, name, "out_of_range", "%s must be from %g to %g", name, min, max);
    return at(reader);
}

static enum cs_status color(const struct reader *reader, const char *name, const char *text, uint32_t absent,
                            uint32_t *ret_color) {
    uint32_t bgr = 0;
    uint8_t alpha = 0;
    *ret_color = absent;
    if (cs_str_empty(text)) {
        return CS_OK;
    }
    if (!cs_title_color(text, &bgr, &alpha)) {
        (void)cs_fail_at(reader->err, name, "bad_color", "a colour is #RGB, #RRGGBB, &HAABBGGRR or a name like white");
        return at(reader);
    }
    *ret_color = (uint32_t)alpha << 24 | bgr;
    return CS_OK;
}

static enum cs_status read_look(const struct reader *reader) {
    const Callsheet__V1__TextOverlay *wire = reader->wire;
    struct med_title *title = reader->title;
    title->text = wire->text;
    title->second = "";
    title->language = cs_str_empty(wire->language) ? "en" : wire->language;
    title->family = med_fonts_family(cs_str_empty(wire->font_family) ? "Arial" : wire->font_family);
    title->bold = wire->bold;
    title->box = !cs_str_empty(wire->box_color);
    if (cs_str_empty(wire->text) || strlen(wire->text) > MED_TITLE_BYTES_MAX) {
        (void)cs_fail_at(reader->err, "text", "out_of_range", "a text has 1 to %d bytes", MED_TITLE_BYTES_MAX);
        return at(reader);
    }
    CS_TRY(number(reader, "fontSize", wire->font_size, font_size, 8, 400, &title->size));
    CS_TRY(
        number(reader, "outlineWidth", wire->outline_width, title->box ? 0 : outline_default, 0, 20, &title->outline));
    CS_TRY(number(reader, "padding", wire->padding, padding_default, 0, 200, &title->padding));
    CS_TRY(number(reader, "opacity", wire->opacity, 1, 0, 1, &title->opacity));
    CS_TRY(color(reader, "color", wire->color, 0x00FFFFFF, &title->color));
    CS_TRY(color(reader, "outlineColor", wire->outline_color, 0, &title->outline_color));
    return color(reader, "boxColor", wire->box_color, 0, &title->box_color);
}

static enum cs_status sum(const struct reader *reader, const char *path, const char *text, double absent,
                          double *ret_value) {
    const struct cs_arithmetic_name names[] = {{"W", reader->width}, {"H", reader->height}, {NULL, 0}};
    *ret_value = absent;
    if (cs_str_empty(text)) {
        return CS_OK;
    }
    if (cs_arithmetic(text, names, ret_value, reader->err) != CS_OK) {
        (void)cs_err_at(reader->err, path);
        return at(reader);
    }
    if (fabs(*ret_value) > CS_LAYER_PLACE_MAX) {
        (void)cs_fail_at(reader->err, path, "out_of_range", "a text lies within %d pixels", CS_LAYER_PLACE_MAX);
        return at(reader);
    }
    return CS_OK;
}

static enum cs_status read_place(const struct reader *reader) {
    const Callsheet__V1__TextOverlay *wire = reader->wire;
    struct med_title *title = reader->title;
    double margin = 0;
    title->placed = wire->at != NULL;
    title->column = title->placed ? -1 : 0;
    title->row = title->placed ? -1 : 1;
    if (!cs_str_empty(wire->position) && !cs_anchor(wire->position, &title->column, &title->row)) {
        (void)cs_fail_at(reader->err, "position", "unknown_word", "a position is a word like bottom-center");
        return at(reader);
    }
    CS_TRY(number(reader, "margin", wire->margin, margin_default, 0, 2000, &margin));
    title->margin_x = title->margin_y = (int)lround(margin);
    if (wire->at == NULL) {
        return CS_OK;
    }
    CS_TRY(sum(reader, "at.x", wire->at->x, 0, &title->x));
    return sum(reader, "at.y", wire->at->y, 0, &title->y);
}

static enum cs_status read_time(const struct reader *reader) {
    const Callsheet__V1__TextOverlay *wire = reader->wire;
    struct med_title *title = reader->title;
    AVRational rate = reader->made->format.rate;
    double start = 0;
    double end = 0;
    double fade_in = 0;
    double fade_out = 0;
    CS_TRY(number(reader, "start", wire->start, 0, 0, MED_DURATION_S_MAX, &start));
    CS_TRY(number(reader, "duration", wire->duration, MED_DURATION_S_MAX, 0.01, MED_DURATION_S_MAX, &end));
    end += start;
    if (wire->end != NULL) {
        CS_TRY(number(reader, "end", wire->end, end, start, MED_DURATION_S_MAX, &end));
    }
    CS_TRY(number(reader, "fadeIn", wire->fade_in, fade_s, 0, 60, &fade_in));
    CS_TRY(number(reader, "fadeOut", wire->fade_out, fade_s, 0, 60, &fade_out));
    int64_t first = med_frames_at(med_ticks_from_seconds(start), rate);
    int64_t last = med_frames_at(med_ticks_from_seconds(end), rate);
    last = last > reader->made->frames ? reader->made->frames : last;
    title->start_cs = med_title_cs_at(first, rate.num, rate.den);
    title->end_cs = med_title_cs_at(last, rate.num, rate.den);
    title->fade_in_ms = (int)lround(fade_in * 1000);
    title->fade_out_ms = (int)lround(fade_out * 1000);
    return CS_OK;
}

static enum cs_status build_picture(const struct med_made *made, struct med_graph *graph, struct med_video **ret_video,
                                    struct cs_err *err) {
    const struct texts *texts = made->self;
    struct med_video *picture =
        med_clip_video(graph, &texts->clip, &made->format, made->frames, MED_FIT_PAD, MED_ANCHOR_CENTER);
    return med_draw(graph, picture, texts->document, texts->document_bytes, &texts->fonts, 0, ret_video, err);
}

static enum cs_status build_sound(const struct med_made *made, struct med_graph *graph, struct med_audio **ret_audio,
                                  struct cs_err *err) {
    const struct texts *texts = made->self;
    (void)err;
    *ret_audio = med_clip_audio(graph, &texts->clip, made->samples, 1);
    return CS_OK;
}

static enum cs_status read_texts(struct med_job *job, const Callsheet__V1__OverlayText *params,
                                 const struct med_made *made, struct texts *texts, struct cs_err *err) {
    struct med_title *titles = cs_arena_array(job->arena, params->n_texts, sizeof(*titles));
    CS_AUTO_BUF document = {0};
    struct reader reader = {.made = made, .err = err};
    med_canvas(&made->format, &reader.width, &reader.height);
    for (size_t i = 0; i < params->n_texts; i++) {
        reader.wire = params->texts[i];
        reader.path = cs_arena_sprintf(job->arena, "texts[%zu]", i);
        reader.title = &titles[i];
        CS_TRY(read_look(&reader));
        CS_TRY(read_place(&reader));
        CS_TRY(read_time(&reader));
    }
    med_titles(titles, params->n_texts, reader.width, reader.height, &document, &texts->fonts);
    texts->document = cs_arena_copy(job->arena, document.data, document.size);
    texts->document_bytes = document.size;
    return CS_OK;
}

enum cs_status med_op_overlay_text(struct med_job *job, const Callsheet__V1__OverlayText *params,
                                   struct med_made *ret_made, struct cs_err *err) {
    struct texts *texts = cs_arena_alloc(job->arena, sizeof(*texts));
    if (params->n_texts == 0 || params->n_texts > MED_TEXTS_MAX) {
        return cs_fail_at(err, "texts", "out_of_range", "there are 1 to %d texts", MED_TEXTS_MAX);
    }
    CS_TRY(med_job_video_input(job, params->video, "video", &texts->clip, err));
    struct med_made made = med_made_like(&texts->clip);
    CS_TRY(med_check_output(&made.format, made.frames, err));
    CS_TRY(read_texts(job, params, &made, texts, err));
    made.self = texts;
    made.picture = build_picture;
    made.sound = build_sound;
    *ret_made = made;
    return CS_OK;
}
