#include "captions/style.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "captions/fonts.h"
#include "cs/base/auto.h"
#include "cs/base/text.h"

enum { PRESET_LINES = 1920, SIDE_MARGIN = 60 };

static const struct preset {
    const char *name;
    const char *font;
    struct med_style style;
} presets[] = {
    {"tiktok",
     "Arial",
     {.size = 80,
      .bold = true,
      .color = 0x00ffffff,
      .outline = 3,
      .alignment = 2,
      .margin_v = 250,
      .words_max = 1,
      .highlight = true,
      .active_color = 0x0000ffff,
      .inactive_color = 0x00aaaaaa,
      .active_scale = 1.2}},
    {"youtube",
     "Arial",
     {.size = 48,
      .color = 0x00ffffff,
      .box = true,
      .box_color = 0x80000000,
      .alignment = 2,
      .margin_v = 100,
      .words_max = 5}},
    {"story",
     "Courier New",
     {.size = 52,
      .color = 0x00ffff00,
      .box = true,
      .box_color = 0x40000000,
      .alignment = 5,
      .words_max = 3,
      .highlight = true,
      .active_color = 0x00ffffff,
      .inactive_color = 0x00888888,
      .active_scale = 1.15}},
    {"minimal",
     "Helvetica",
     {.size = 42, .color = 0x00dddddd, .outline = 2, .alignment = 2, .margin_v = 80, .words_max = 4}},
    {"cinematic",
     "Times New Roman",
     {.size = 40, .color = 0x00e0e0e0, .shadow = 2, .alignment = 2, .margin_v = 120, .words_max = 6}},
    {"default",
     "Arial",
     {.size = 56, .color = 0x00ffffff, .outline = 3, .alignment = 2, .margin_v = 120, .words_max = 3}},
    {"bold",
     "Arial",
     {.size = 76, .bold = true, .color = 0x00ffffff, .outline = 5, .alignment = 2, .margin_v = 160, .words_max = 3}},
};

static int hex(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool hex_number(const char *text, size_t digits, uint32_t *ret_value) {
    uint32_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = hex(text[i]);
        if (digit < 0) {
            return false;
        }
        value = value << 4 | (uint32_t)digit;
    }
    *ret_value = value;
    return true;
}

static uint32_t from_rgb(uint32_t rgb) {
    return (rgb & 0xff) << 16 | (rgb & 0xff00) | (rgb >> 16 & 0xff);
}

bool med_color_parse(const char *text, uint32_t *ret_color) {
    uint32_t value = 0;
    if (cs_str_starts(text, "&H") || cs_str_starts(text, "&h")) {
        size_t digits = strlen(text + 2);
        digits -= digits > 0 && text[1 + digits] == '&'; /* "&HBBGGRR&" */
        return (digits == 6 || digits == 8) && hex_number(text + 2, digits, ret_color);
    }
    text += text[0] == '#';
    size_t digits = strlen(text);
    if (digits == 3 && hex_number(text, 3, &value)) {
        value = (value & 0xf00) * 0x1100 | (value & 0xf0) * 0x110 | (value & 0xf) * 0x11;
    } else if (digits != 6 || !hex_number(text, 6, &value)) {
        return false;
    }
    *ret_color = from_rgb(value);
    return true;
}

static enum cs_status take_color(const char *text, const char *path, uint32_t *color, struct cs_err *err) {
    if (!cs_str_empty(text) && !med_color_parse(text, color)) {
        return cs_fail_at(err, path, "bad_color", "a color is #RGB, #RRGGBB or &HAABBGGRR");
    }
    return CS_OK;
}

static double number(const Google__Protobuf__DoubleValue *value, double absent, double low, double high) {
    return value == NULL || !(value->value >= low && value->value <= high) ? absent : value->value;
}

static int whole(const Google__Protobuf__UInt32Value *value, int absent, uint32_t low, uint32_t high) {
    return value == NULL || value->value < low || value->value > high ? absent : (int)value->value;
}

static enum cs_status take_colors(const Callsheet__V1__CaptionStyle *wire, struct med_style *style,
                                  struct cs_err *err) {
    CS_TRY(take_color(wire->color, "style.color", &style->color, err));
    CS_TRY(take_color(wire->outline_color, "style.outlineColor", &style->outline_color, err));
    CS_TRY(take_color(wire->background_color, "style.backgroundColor", &style->box_color, err));
    CS_TRY(take_color(wire->active_word_color, "style.activeWordColor", &style->active_color, err));
    CS_TRY(take_color(wire->inactive_word_color, "style.inactiveWordColor", &style->inactive_color, err));
    if (!cs_str_empty(wire->background_color)) { /* a background without a border style is a box */
        style->box = true;
    }
    if (wire->border_style != NULL) {
        style->box = wire->border_style->value == 3;
    }
    return CS_OK;
}

static void take_layout(const Callsheet__V1__CaptionStyle *wire, struct med_style *style) {
    style->size = whole(wire->font_size, (int)style->size, 8, 400);
    style->outline = number(wire->outline_width, style->outline, 0, 20);
    style->shadow = number(wire->shadow_distance, style->shadow, 0, 20);
    style->padding = number(wire->padding, style->padding, 0, 200);
    style->radius = number(wire->border_radius, style->radius, 0, 200);
    style->alignment = whole(wire->alignment, style->alignment, 1, 9);
    int column = (style->alignment - 1) % 3;
    switch (wire->position) {
    case CALLSHEET__V1__CAPTION_POSITION__CAPTION_POSITION_TOP:
        style->alignment = 7 + column;
        break;
    case CALLSHEET__V1__CAPTION_POSITION__CAPTION_POSITION_CENTER:
        style->alignment = 4 + column;
        break;
    case CALLSHEET__V1__CAPTION_POSITION__CAPTION_POSITION_BOTTOM:
        style->alignment = 1 + column;
        break;
    default:
        break;
    }
    style->margin_v = whole(wire->margin_v, style->margin_v, 0, 4000);
    style->margin_l = whole(wire->margin_l, style->margin_l, 0, 4000);
    style->margin_r = whole(wire->margin_r, style->margin_r, 0, 4000);
    style->keeps_cues =
        wire->words_per_caption == NULL && wire->max_caption_chars == NULL && wire->max_caption_duration == NULL;
    style->words_max = (uint32_t)whole(wire->words_per_caption, (int)style->words_max, 1, 50);
    style->characters_max = (uint32_t)whole(wire->max_caption_chars, (int)style->characters_max, 1, 1000);
    style->duration_max_cs =
        llround(number(wire->max_caption_duration, (double)style->duration_max_cs / 100, 0.05, 600) * 100);
}

/* Colour, scale and glow are ways to highlight; the others leave it as the preset has it, "none" turns it off. */
static void take_animation(const Callsheet__V1__CaptionStyle *wire, struct med_style *style) {
    double scale_default = style->active_scale > 0 ? style->active_scale : 1.2;
    style->active_scale = number(wire->active_word_scale, style->active_scale, 0.5, 3);
    style->animation = wire->animation;
    switch (wire->animation) {
    case CALLSHEET__V1__CAPTION_ANIMATION__CAPTION_ANIMATION_NONE:
        style->highlight = false;
        break;
    case CALLSHEET__V1__CAPTION_ANIMATION__CAPTION_ANIMATION_COLOR:
    case CALLSHEET__V1__CAPTION_ANIMATION__CAPTION_ANIMATION_GLOW:
        style->highlight = true;
        style->active_scale = number(wire->active_word_scale, 1, 0.5, 3);
        break;
    case CALLSHEET__V1__CAPTION_ANIMATION__CAPTION_ANIMATION_SCALE:
        style->highlight = true;
        style->active_scale = number(wire->active_word_scale, scale_default, 0.5, 3);
        break;
    case CALLSHEET__V1__CAPTION_ANIMATION__CAPTION_ANIMATION_KARAOKE_WORD_BOX:
        style->highlight = true;
        style->active_scale = number(wire->active_word_scale, 1, 0.5, 3);
        break;
    case CALLSHEET__V1__CAPTION_ANIMATION__CAPTION_ANIMATION_TYPEWRITER:
    case CALLSHEET__V1__CAPTION_ANIMATION__CAPTION_ANIMATION_KARAOKE_FILL:
        style->highlight = false;
        break;
    default:
        break;
    }
    if (wire->highlight_active_word != NULL) {
        style->highlight = wire->highlight_active_word->value;
    }
}

static const struct preset *find_preset(const char *name) {
    for (size_t i = 0; i < CS_COUNT(presets); i++) {
        if (strcmp(presets[i].name, name) == 0) {
            return &presets[i];
        }
    }
    return NULL;
}

static void fill_defaults(struct med_style *style, int canvas_height) {
    style->padding = 10;
    style->keeps_cues = true;
    style->margin_v = (int)lround((double)style->margin_v * canvas_height / PRESET_LINES);
    style->margin_l = SIDE_MARGIN;
    style->margin_r = SIDE_MARGIN;
    style->duration_max_cs = 300;
    style->characters_max = 50;
    if (!style->highlight) {
        style->active_color = 0x0000ffff;
        style->inactive_color = style->color;
        style->active_scale = 1;
    }
}

enum cs_status med_style_resolve(const Callsheet__V1__CaptionStyle *wire, int canvas_height,
                                 struct med_style *ret_style, struct cs_err *err) {
    const char *name = wire == NULL || cs_str_empty(wire->preset) ? "tiktok" : wire->preset;
    const struct preset *preset = find_preset(name);
    if (preset == NULL) {
        return cs_fail_at(err, "style.preset", "unknown_preset", "this caption preset is unknown");
    }
    struct med_style style = preset->style;
    const char *font = preset->font;
    fill_defaults(&style, canvas_height);
    if (wire != NULL) {
        font = cs_str_empty(wire->font_family) ? font : wire->font_family;
        if (!cs_str_empty(wire->font_weight)) {
            style.bold = strcmp(wire->font_weight, "bold") == 0 || strcmp(wire->font_weight, "700") == 0;
        }
        bool own_text_color = !cs_str_empty(wire->color) && cs_str_empty(wire->inactive_word_color);
        CS_TRY(take_colors(wire, &style, err));
        if (own_text_color) { /* who chooses the text's colour means all words but the active one */
            style.inactive_color = style.color;
        }
        take_layout(wire, &style);
        take_animation(wire, &style);
    }
    style.family = med_fonts_family(font);
    *ret_style = style;
    return CS_OK;
}
