#include "ops/lower_third.h"

#include <math.h>
#include <string.h>

#include "bounds.h"
#include "captions/draw.h"
#include "captions/titles.h"
#include "cs/base/text.h"
#include "cs/catalog.h"

enum {
    TITLE_SIZE = 64,
    SUBTITLE_SIZE = 42,
    MARGIN_X = 96,
    MARGIN_Y = 120,
    PADDING = 22,
    BAR_WIDTH = 10,
    COME_MS = 400,
    GO_MS = 300,
};

static const double start_s = 1;
static const double duration_s = 5;
static const uint32_t accent = 0x002F8BFF; /* a warm orange, as 0xAABBGGRR */
static const uint32_t behind = 0x30201814; /* of a box: nearly black, a little transparent */

/* The index of a word; 0 for "". */
static bool pick(const char *word, const char *const *words, size_t *ret_index) {
    *ret_index = 0;
    for (size_t i = 0; words[i] != NULL; i++) {
        if (cs_str_eq(word, words[i])) {
            *ret_index = i;
            return true;
        }
    }
    return cs_str_empty(word);
}

static enum cs_status read_color(const char *path, const char *text, uint32_t *color, struct cs_err *err) {
    uint32_t bgr = 0;
    uint8_t alpha = 0;
    if (cs_str_empty(text)) {
        return CS_OK;
    }
    if (!cs_title_color(text, &bgr, &alpha)) {
        return cs_fail_at(err, path, "bad_color", "a colour is #RGB, #RRGGBB, &HAABBGGRR or a name like white");
    }
    *color = (uint32_t)alpha << 24 | bgr;
    return CS_OK;
}

static enum cs_status read_words(const Callsheet__V1__LowerThird *wire, struct med_title *title, struct cs_err *err) {
    static const char *const styles[] = {"bar", "box", "plain", NULL};
    static const char *const animations[] = {"slide", "fade", "none", NULL};
    static const char *const sides[] = {"left", "center", "right", NULL};
    size_t style = 0;
    size_t animation = 0;
    size_t side = 0;
    if (!pick(wire->style, styles, &style)) {
        return cs_fail_at(err, "lowerThird.style", "unknown_word", "a style is bar, box or plain");
    }
    if (!pick(wire->animation, animations, &animation)) {
        return cs_fail_at(err, "lowerThird.animation", "unknown_word", "an animation is slide, fade or none");
    }
    if (!pick(wire->side, sides, &side)) {
        return cs_fail_at(err, "lowerThird.side", "unknown_word", "a side is left, center or right");
    }
    title->column = (int)side - 1;
    title->bar = style == 0 && side != 1 ? BAR_WIDTH : 0; /* in the middle there is no side for it */
    title->box = style == 1;
    title->slide_ms = animation == 0 ? COME_MS : 0;
    title->fade_in_ms = animation < 2 ? COME_MS : 0;
    title->fade_out_ms = animation < 2 ? GO_MS : 0;
    return CS_OK;
}

static enum cs_status read_time(const Callsheet__V1__LowerThird *wire, const struct med_picture_format *format,
                                int64_t frames, struct med_title *title, struct cs_err *err) {
    double start = wire->start != NULL ? wire->start->value : start_s;
    double duration = wire->duration != NULL ? wire->duration->value : duration_s;
    if (!(start >= 0 && start <= MED_DURATION_S_MAX)) {
        return cs_fail_at(err, "lowerThird.start", "out_of_range", "lowerThird.start is out of range");
    }
    if (!(duration >= 0.1 && duration <= MED_DURATION_S_MAX)) {
        return cs_fail_at(err, "lowerThird.duration", "out_of_range", "lowerThird.duration is out of range");
    }
    int64_t first = med_frames_at(med_ticks_from_seconds(start), format->rate);
    int64_t last = med_frames_at(med_ticks_from_seconds(start + duration), format->rate);
    last = last > frames ? frames : last;
    title->start_cs = med_title_cs_at(first, format->rate.num, format->rate.den);
    title->end_cs = med_title_cs_at(last, format->rate.num, format->rate.den);
    return CS_OK;
}

enum cs_status med_lower_third_read(struct med_job *job, const Callsheet__V1__LowerThird *wire,
                                    const struct med_picture_format *format, int64_t frames,
                                    struct med_lower_third *ret_third, struct cs_err *err) {
    if (wire == NULL) {
        return CS_OK;
    }
    if (cs_str_empty(wire->title) || strlen(wire->title) > MED_TITLE_BYTES_MAX ||
        strlen(wire->subtitle) > MED_TITLE_BYTES_MAX) {
        return cs_fail_at(err, "lowerThird.title", "out_of_range", "a lower third needs a title of up to %d bytes",
                          MED_TITLE_BYTES_MAX);
    }
    int width = 0;
    int height = 0;
    CS_AUTO_BUF document = {0};
    struct med_title title = {
        .text = wire->title,
        .family = med_fonts_family(cs_str_empty(wire->font_family) ? "Noto Sans" : wire->font_family),
        .size = TITLE_SIZE,
        .bold = true,
        .second = wire->subtitle,
        .second_size = SUBTITLE_SIZE,
        .language = "en",
        .color = 0x00FFFFFF,
        .outline_color = 0x60000000,
        .box_color = behind,
        .outline = 1.5,
        .shadow = 1.5,
        .padding = PADDING,
        .opacity = 1,
        .row = 1,
        .margin_x = MARGIN_X,
        .margin_y = MARGIN_Y,
        .bar_color = accent,
    };
    CS_TRY(read_words(wire, &title, err));
    CS_TRY(read_color("lowerThird.color", wire->color, &title.color, err));
    CS_TRY(
        read_color("lowerThird.accentColor", wire->accent_color, title.box ? &title.box_color : &title.bar_color, err));
    CS_TRY(read_time(wire, format, frames, &title, err));
    med_canvas(format, &width, &height);
    med_titles(&title, 1, width, height, &document, &ret_third->fonts);
    ret_third->document = cs_arena_copy(job->arena, document.data, document.size);
    ret_third->document_bytes = document.size;
    return CS_OK;
}
