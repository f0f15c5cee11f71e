/* What is checked of texts on a video, and of lower thirds. */
#include "check.h"

#include <string.h>

#include "cs/placement.h"

enum { TEXTS_MAX = 100, TITLE_BYTES_MAX = 2000, LOWER_THIRD_BYTES_MAX = 200 };

static enum cs_status check_color(const char *path, const char *text, struct cs_err *err) {
    uint32_t bgr = 0;
    uint8_t alpha = 0;
    if (text[0] == '\0' || cs_title_color(text, &bgr, &alpha)) {
        return CS_OK;
    }
    return cs_fail_at(err, path, "bad_color", "a colour is #RGB, #RRGGBB, &HAABBGGRR or a name like white");
}

/* A text's place has no size of its own that sums could name. */
static enum cs_status check_place(const Callsheet__V1__TextOverlay *text, struct cs_err *err) {
    Callsheet__V1__Placement placement = CALLSHEET__V1__PLACEMENT__INIT;
    int column = 0;
    int row = 0;
    if (text->position[0] != '\0' && !cs_anchor(text->position, &column, &row)) {
        return cs_fail_at(err, "position", "unknown_word", "a position is a word like bottom-center");
    }
    placement.position = text->at;
    struct cs_err found = {0};
    if (text->at == NULL || cs_placement_check(&placement, &found) == CS_OK) {
        return CS_OK;
    }
    const char *where = found.path;
    return cs_fail_at(err, strcmp(where, "position.x") == 0 ? "at.x" : "at.y", found.reason, "%s", found.message);
}

static enum cs_status check_text(const Callsheet__V1__TextOverlay *text, struct cs_err *err) {
    CS_TRY(check_required("text", text->text, TITLE_BYTES_MAX, err));
    CS_TRY(check_place(text, err));
    CS_TRY(check_opt_real("margin", text->margin, 0, 2000, err));
    CS_TRY(check_plain("fontFamily", text->font_family, err));
    CS_TRY(check_opt_real("fontSize", text->font_size, 8, 400, err));
    CS_TRY(check_color("color", text->color, err));
    CS_TRY(check_color("outlineColor", text->outline_color, err));
    CS_TRY(check_opt_real("outlineWidth", text->outline_width, 0, 20, err));
    CS_TRY(check_color("boxColor", text->box_color, err));
    CS_TRY(check_opt_real("padding", text->padding, 0, 200, err));
    CS_TRY(check_opt_real("opacity", text->opacity, 0, 1, err));
    CS_TRY(check_opt_real("start", text->start, 0, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_opt_real("duration", text->duration, 0.01, MEDIA_SECONDS_MAX, err));
    if (text->end != NULL) {
        double start = text->start != NULL ? text->start->value : 0;
        if (text->duration != NULL) {
            return cs_fail_at(err, "end", "one_of", "end and duration exclude each other");
        }
        CS_TRY(check_real("end", text->end->value, start + 0.01, MEDIA_SECONDS_MAX, err));
    }
    CS_TRY(check_opt_real("fadeIn", text->fade_in, 0, 60, err));
    CS_TRY(check_opt_real("fadeOut", text->fade_out, 0, 60, err));
    return check_length("language", text->language, LANGUAGE_BYTES_MAX, err);
}

enum cs_status check_overlay_text(const Callsheet__V1__OverlayText *params, struct cs_err *err) {
    CS_TRY(check_ref("video", params->video, true, err));
    if (params->n_texts == 0) {
        return cs_fail_at(err, "texts", "required", "texts holds at least one text");
    }
    if (params->n_texts > TEXTS_MAX) {
        return cs_fail_at(err, "texts", "too_many", "at most %d texts are allowed", TEXTS_MAX);
    }
    for (size_t i = 0; i < params->n_texts; i++) {
        if (check_text(params->texts[i], err) != CS_OK) {
            return cs_err_at(err, check_at("texts", i, "").text);
        }
    }
    return CS_OK;
}

enum cs_status check_lower_third(const Callsheet__V1__LowerThird *third, struct cs_err *err) {
    static const char *const styles[] = {"bar", "box", "plain", NULL};
    static const char *const animations[] = {"slide", "fade", "none", NULL};
    static const char *const sides[] = {"left", "center", "right", NULL};
    if (third == NULL) {
        return CS_OK;
    }
    CS_TRY(check_required("lowerThird.title", third->title, LOWER_THIRD_BYTES_MAX, err));
    CS_TRY(check_length("lowerThird.subtitle", third->subtitle, LOWER_THIRD_BYTES_MAX, err));
    CS_TRY(check_opt_real("lowerThird.start", third->start, 0, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_opt_real("lowerThird.duration", third->duration, 0.1, MEDIA_SECONDS_MAX, err));
    CS_TRY(check_word("lowerThird.style", third->style, styles, err));
    CS_TRY(check_word("lowerThird.animation", third->animation, animations, err));
    CS_TRY(check_word("lowerThird.side", third->side, sides, err));
    CS_TRY(check_plain("lowerThird.fontFamily", third->font_family, err));
    CS_TRY(check_color("lowerThird.color", third->color, err));
    return check_color("lowerThird.accentColor", third->accent_color, err);
}
