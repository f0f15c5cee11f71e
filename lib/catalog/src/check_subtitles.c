#include <string.h>

#include "check.h"
#include "cs/base/text.h"

static const char *const presets[] = {"tiktok", "youtube", "story", "minimal", "cinematic", "default", "bold", NULL};
static const char *const modes[] = {"burn", "soft", NULL};
static const char *const weights[] = {"bold", "700", "normal", "400", NULL};

static enum cs_status check_color(const char *path, const char *color, struct cs_err *err) {
    uint32_t bgr = 0;
    uint8_t alpha = 0;
    if (color[0] != '\0' && !cs_caption_color(color, &bgr, &alpha)) {
        return cs_fail_at(err, path, "bad_color", "%s must be #RGB, #RRGGBB, RRGGBB or &HAABBGGRR", path);
    }
    return CS_OK;
}

/* The name ends up in a comma-separated line of an ASS file. */
static enum cs_status check_font(const char *family, struct cs_err *err) {
    CS_TRY(check_plain("style.fontFamily", family, err));
    if (strpbrk(family, ",{}\\") != NULL) {
        return cs_fail_at(err, "style.fontFamily", "bad_text", "style.fontFamily is one font's name");
    }
    return CS_OK;
}

static enum cs_status check_colors(const Callsheet__V1__CaptionStyle *style, struct cs_err *err) {
    CS_TRY(check_color("style.color", style->color, err));
    CS_TRY(check_color("style.backgroundColor", style->background_color, err));
    CS_TRY(check_color("style.outlineColor", style->outline_color, err));
    CS_TRY(check_color("style.activeWordColor", style->active_word_color, err));
    return check_color("style.inactiveWordColor", style->inactive_word_color, err);
}

static enum cs_status check_layout(const Callsheet__V1__CaptionStyle *style, struct cs_err *err) {
    CS_TRY(check_opt_u32("style.fontSize", style->font_size, 8, 400, err));
    CS_TRY(check_opt_real("style.outlineWidth", style->outline_width, 0, 20, err));
    CS_TRY(check_opt_real("style.shadowDistance", style->shadow_distance, 0, 20, err));
    if (style->border_style != NULL && style->border_style->value != 1 && style->border_style->value != 3) {
        return cs_fail_at(err, "style.borderStyle", "unknown_word", "style.borderStyle is 1 (outline) or 3 (box)");
    }
    CS_TRY(check_opt_real("style.padding", style->padding, 0, 200, err));
    CS_TRY(check_opt_real("style.borderRadius", style->border_radius, 0, 200, err));
    CS_TRY(check_opt_u32("style.alignment", style->alignment, 1, 9, err));
    CS_TRY(check_opt_u32("style.marginV", style->margin_v, 0, 4000, err));
    CS_TRY(check_opt_u32("style.marginL", style->margin_l, 0, 4000, err));
    CS_TRY(check_opt_u32("style.marginR", style->margin_r, 0, 4000, err));
    return check_enum("style.position", &callsheet__v1__caption_position__descriptor, (int)style->position, err);
}

static enum cs_status check_style(const Callsheet__V1__CaptionStyle *style, struct cs_err *err) {
    if (style == NULL) {
        return CS_OK;
    }
    CS_TRY(check_word("style.preset", style->preset, presets, err));
    CS_TRY(check_font(style->font_family, err));
    CS_TRY(check_word("style.fontWeight", style->font_weight, weights, err));
    CS_TRY(check_colors(style, err));
    CS_TRY(check_layout(style, err));
    CS_TRY(check_opt_u32("style.wordsPerCaption", style->words_per_caption, 1, 50, err));
    CS_TRY(check_opt_real("style.maxCaptionDuration", style->max_caption_duration, 0.1, 60, err));
    CS_TRY(check_opt_u32("style.maxCaptionChars", style->max_caption_chars, 1, 500, err));
    CS_TRY(check_opt_real("style.activeWordScale", style->active_word_scale, 0.5, 3, err));
    return check_enum("style.animation", &callsheet__v1__caption_animation__descriptor, (int)style->animation, err);
}

enum cs_status check_words(Callsheet__V1__Word *const *words, size_t count, struct cs_err *err) {
    if (count > CAPTION_WORDS_MAX) {
        return cs_fail_at(err, "words", "too_many", "at most %d words are allowed", CAPTION_WORDS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        const Callsheet__V1__Word *word = words[i];
        CS_TRY(check_required(check_at("words", i, ".word").text, word->word, WORD_BYTES_MAX, err));
        CS_TRY(check_real(check_at("words", i, ".start").text, word->start, 0, MEDIA_SECONDS_MAX, err));
        CS_TRY(check_real(check_at("words", i, ".end").text, word->end, word->start, MEDIA_SECONDS_MAX, err));
    }
    return CS_OK;
}

static enum cs_status check_timing(const Callsheet__V1__AddSubtitles *params, struct cs_err *err) {
    bool timed = params->start != NULL || params->end != NULL;
    if (timed && params->text[0] == '\0') {
        return cs_fail_at(err, params->start != NULL ? "start" : "end", "not_applicable",
                          "start and end place plain text; words have times of their own");
    }
    CS_TRY(check_opt_real("start", params->start, 0, MEDIA_SECONDS_MAX, err));
    double start = params->start != NULL ? params->start->value : 0;
    CS_TRY(check_opt_real("end", params->end, start, MEDIA_SECONDS_MAX, err));
    if (params->end != NULL && params->end->value <= start) {
        return cs_fail_at(err, "end", "out_of_range", "end must be after start");
    }
    return CS_OK;
}

enum cs_status check_language(const char *language, struct cs_err *err) {
    CS_TRY(check_length("language", language, LANGUAGE_BYTES_MAX, err));
    if (language[strspn(language, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] != '\0') {
        return cs_fail_at(err, "language", "bad_text", "language must be a tag like en or pt-BR");
    }
    return CS_OK;
}

enum cs_status check_add_subtitles(const Callsheet__V1__AddSubtitles *params, struct cs_err *err) {
    CS_TRY(check_ref("video", params->video, true, err));
    int sources = (params->text[0] != '\0') + (params->n_words != 0) + (params->transcript != NULL);
    if (sources != 1) {
        return cs_fail_at(err, "", sources == 0 ? "required" : "one_of",
                          "subtitles need exactly one of text, words and transcript");
    }
    CS_TRY(check_length("text", params->text, CAPTION_TEXT_BYTES_MAX, err));
    CS_TRY(check_words(params->words, params->n_words, err));
    CS_TRY(check_ref("transcript", params->transcript, false, err));
    CS_TRY(check_word("mode", params->mode, modes, err));
    if (cs_str_eq(params->mode, "soft") && params->style != NULL) {
        return cs_fail_at(err, "style", "not_applicable", "soft subtitles look as their player wants");
    }
    CS_TRY(check_style(params->style, err));
    CS_TRY(check_timing(params, err));
    return check_language(params->language, err);
}
