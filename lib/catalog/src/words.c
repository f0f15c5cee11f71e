#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/auto.h"
#include "cs/base/text.h"
#include "cs/catalog.h"

struct size_row {
    const char *ratio;
    uint32_t width;
    uint32_t height;
};

static const struct size_row reframe_sizes[] = {
    {"16:9", 1920, 1080}, {"9:16", 1080, 1920}, {"1:1", 1080, 1080},  {"4:5", 1080, 1350},
    {"4:3", 1440, 1080},  {"3:4", 1080, 1440},  {"21:9", 2520, 1080}, {"9:21", 1080, 2520},
};

static const struct size_row generation_ratios[] = {
    {"16:9", 16, 9}, {"4:3", 4, 3}, {"1:1", 1, 1}, {"3:4", 3, 4}, {"9:16", 9, 16}, {"21:9", 21, 9}, {"9:21", 9, 21},
};

static bool find_size(const struct size_row *rows, size_t count, const char *ratio, uint32_t *ret_width,
                      uint32_t *ret_height) {
    for (size_t i = 0; i < count; i++) {
        if (cs_str_eq(rows[i].ratio, ratio)) {
            *ret_width = rows[i].width;
            *ret_height = rows[i].height;
            return true;
        }
    }
    return false;
}

bool cs_reframe_size(const char *aspect_ratio, uint32_t *ret_width, uint32_t *ret_height) {
    return find_size(reframe_sizes, CS_COUNT(reframe_sizes), aspect_ratio, ret_width, ret_height);
}

bool cs_aspect_ratio(const char *aspect_ratio, uint32_t *ret_num, uint32_t *ret_den) {
    return find_size(generation_ratios, CS_COUNT(generation_ratios), aspect_ratio, ret_num, ret_den);
}

/* The transitions of xfade in FFmpeg 5.1, without "custom": its expression is code. */
static const char *const xfade_names[] = {
    "fade",        "wipeleft",   "wiperight",  "wipeup",     "wipedown",    "slideleft", "slideright", "slideup",
    "slidedown",   "circlecrop", "rectcrop",   "distance",   "fadeblack",   "fadewhite", "radial",     "smoothleft",
    "smoothright", "smoothup",   "smoothdown", "circleopen", "circleclose", "vertopen",  "vertclose",  "horzopen",
    "horzclose",   "dissolve",   "pixelize",   "diagtl",     "diagtr",      "diagbl",    "diagbr",     "hlslice",
    "hrslice",     "vuslice",    "vdslice",    "hblur",      "fadegrays",   "wipetl",    "wipetr",     "wipebl",
    "wipebr",      "squeezeh",   "squeezev",   "zoomin",     "fadefast",    "fadeslow",
};

static const char *const transition_aliases[][2] = {{"crossfade", "fade"}, {"wipe", "wipeleft"}};

const char *cs_transition_name(const char *word) {
    for (size_t i = 0; i < CS_COUNT(transition_aliases); i++) {
        if (cs_str_eq(transition_aliases[i][0], word)) {
            return transition_aliases[i][1];
        }
    }
    for (size_t i = 0; i < CS_COUNT(xfade_names); i++) {
        if (cs_str_eq(xfade_names[i], word)) {
            return xfade_names[i];
        }
    }
    return NULL;
}

enum { FRAME_RATE_MAX = 120, FRAME_RATE_TERM_MAX = 1000000 };

bool cs_frame_rate(const char *text, uint32_t *ret_num, uint32_t *ret_den) {
    char num_text[16];
    int64_t num = 0;
    int64_t den = 1;
    if (text == NULL || strlen(text) >= sizeof(num_text)) {
        return false;
    }
    cs_str_copy(num_text, sizeof(num_text), text);
    char *slash = strchr(num_text, '/');
    if (slash != NULL) {
        *slash = '\0';
        if (!cs_parse_i64(slash + 1, 1, FRAME_RATE_TERM_MAX, &den)) {
            return false;
        }
    }
    if (!cs_parse_i64(num_text, 1, FRAME_RATE_TERM_MAX, &num) || num > FRAME_RATE_MAX * den) {
        return false;
    }
    *ret_num = (uint32_t)num;
    *ret_den = (uint32_t)den;
    return true;
}

static const struct {
    const char *name;
    const char *digits;
} color_names[] = {
    {"white", "FFFFFF"},  {"black", "000000"}, {"red", "FF0000"},     {"green", "008000"},  {"blue", "0000FF"},
    {"yellow", "FFFF00"}, {"cyan", "00FFFF"},  {"magenta", "FF00FF"}, {"orange", "FFA500"}, {"purple", "800080"},
    {"pink", "FFC0CB"},   {"gray", "808080"},  {"grey", "808080"},
};

static uint32_t swap_red_and_blue(uint32_t rgb) {
    return (rgb & 0xFFU) << 16 | (rgb & 0xFF00U) | rgb >> 16;
}

bool cs_caption_color(const char *text, uint32_t *ret_bgr, uint8_t *ret_alpha) {
    if (text == NULL) {
        return false;
    }
    bool ass = cs_str_starts(text, "&H") || cs_str_starts(text, "&h");
    const char *digits = ass ? text + 2 : text[0] == '#' ? text + 1 : text;
    size_t length = strspn(digits, "0123456789abcdefABCDEF");
    bool ended = digits[length] == '\0' || (ass && strcmp(digits + length, "&") == 0);
    if (!ended || !(ass ? length == 8 || length == 6 : length == 6 || (length == 3 && text[0] == '#'))) {
        return false;
    }
    uint32_t value = (uint32_t)strtoul(digits, NULL, 16);
    if (length == 3) {
        value = (value & 0xF00U) * 0x1100U | (value & 0xF0U) * 0x110U | (value & 0xFU) * 0x11U;
    }
    *ret_bgr = ass ? value & 0xFFFFFFU : swap_red_and_blue(value);
    *ret_alpha = ass && length == 8 ? (uint8_t)(value >> 24) : 0;
    return true;
}

bool cs_color_rgb(const char *text, uint32_t *ret_rgb) {
    uint32_t bgr = 0;
    uint8_t alpha = 0;
    if (text == NULL || text[0] != '#' || !cs_caption_color(text, &bgr, &alpha)) {
        return false;
    }
    *ret_rgb = swap_red_and_blue(bgr);
    return true;
}

bool cs_title_color(const char *text, uint32_t *ret_bgr, uint8_t *ret_alpha) {
    for (size_t i = 0; i < CS_COUNT(color_names); i++) {
        text = cs_str_eq(color_names[i].name, text) ? color_names[i].digits : text;
    }
    return cs_caption_color(text, ret_bgr, ret_alpha);
}

static bool host_char(char c) {
    return isalnum((unsigned char)c) || strchr("-._[]:", c) != NULL;
}

bool cs_web_url_valid(const char *text) {
    if (text == NULL || strlen(text) > CS_URL_BYTES_MAX) {
        return false;
    }
    size_t scheme = strncasecmp(text, "https://", 8) == 0 ? 8 : strncasecmp(text, "http://", 7) == 0 ? 7 : 0;
    if (scheme == 0) {
        return false;
    }
    const char *host = text + scheme;
    size_t host_length = strcspn(host, "/?#");
    if (host_length == 0 || host[0] == ':' || host[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < host_length; i++) {
        if (host[i] == '\0' || !host_char(host[i])) {
            return false; /* "@" too: no user or password */
        }
    }
    for (const char *c = host; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7F || *c == '\\' || *c == '"' || *c == '<' || *c == '>') {
            return false;
        }
    }
    return true;
}

bool cs_spoken_language(const char *language) {
    static const char *const known[] = {"", "en", "en-US"};
    for (size_t i = 0; i < CS_COUNT(known); i++) {
        if (strcmp(known[i], language) == 0) {
            return true;
        }
    }
    return false;
}
