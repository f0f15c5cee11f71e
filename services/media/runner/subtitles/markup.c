#include "subtitles/markup.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "captions/ass_text.h"
#include "captions/style.h"

enum {
    TAG_BYTES_MAX = 256, /* what is longer is text */
    COLORS_NESTED_MAX = 8,
    DEPTH_MAX = 100,
};

struct reader {
    struct med_cue_list *list;
    int depth[3]; /* how often bold, italic, underline are open */
    struct med_look colors[COLORS_NESTED_MAX];
    size_t color_depth;
    bool entities;
    bool drawing;
};

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(const char *name, size_t size, const char *wanted) {
    return size == strlen(wanted) && strncasecmp(name, wanted, size) == 0;
}

static void set_bit(struct med_cue_list *list, uint8_t bit, bool on) {
    list->look.bits = (uint8_t)(on ? list->look.bits | bit : list->look.bits & ~bit);
}

/* ---- tags: <i> </i> <font color="#ff0000"> <v Name> ---- */

static bool named_color(const char *name, uint32_t *ret_color) {
    static const struct {
        const char *name;
        uint32_t color; /* 0xBBGGRR */
    } names[] = {
        {"white", 0xffffff},  {"black", 0x000000}, {"red", 0x0000ff},  {"lime", 0x00ff00},    {"blue", 0xff0000},
        {"yellow", 0x00ffff}, {"cyan", 0xffff00},  {"aqua", 0xffff00}, {"magenta", 0xff00ff}, {"fuchsia", 0xff00ff},
        {"green", 0x008000},  {"gray", 0x808080},  {"grey", 0x808080}, {"silver", 0xc0c0c0},  {"orange", 0x00a5ff},
    };
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        if (strcasecmp(names[i].name, name) == 0) {
            *ret_color = names[i].color;
            return true;
        }
    }
    return med_color_parse(name, ret_color);
}

/* The value of color= in what stands between "font" and ">". */
static bool font_color(const char *text, size_t size, uint32_t *ret_color) {
    char value[32];
    for (size_t i = 0; i + 6 < size; i++) {
        if (strncasecmp(text + i, "color=", 6) == 0) {
            const char *at = text + i + 6;
            at += *at == '"' || *at == '\'';
            size_t length = 0;
            while (at + length < text + size && strchr("\"' >", at[length]) == NULL) {
                length++;
            }
            if (length == 0 || length >= sizeof(value)) {
                return false;
            }
            memcpy(value, at, length);
            value[length] = '\0';
            bool known = named_color(value, ret_color);
            *ret_color &= 0xffffff;
            return known;
        }
    }
    return false;
}

static void apply_font(struct reader *reader, bool closes, const char *text, size_t size) {
    struct med_look *look = &reader->list->look;
    if (closes) {
        if (reader->color_depth > 0) {
            const struct med_look *before = &reader->colors[--reader->color_depth];
            set_bit(reader->list, MED_LOOK_COLOR, (before->bits & MED_LOOK_COLOR) != 0);
            look->color = before->color;
        }
        return;
    }
    if (reader->color_depth < COLORS_NESTED_MAX) {
        reader->colors[reader->color_depth++] = *look;
        if (font_color(text, size, &look->color)) {
            set_bit(reader->list, MED_LOOK_COLOR, true);
        }
    }
}

static void apply_tag(struct reader *reader, const char *tag, size_t size) {
    static const struct {
        const char *name;
        uint8_t bit;
    } switches[] = {{"b", MED_LOOK_BOLD}, {"i", MED_LOOK_ITALIC}, {"u", MED_LOOK_UNDERLINE}};
    bool closes = size > 0 && tag[0] == '/';
    tag += closes;
    size -= closes;
    size_t name = 0;
    while (name < size && (is_letter(tag[name]) || (tag[name] >= '0' && tag[name] <= '9'))) {
        name++;
    }
    for (size_t i = 0; i < CS_COUNT(switches); i++) {
        if (is_name(tag, name, switches[i].name)) {
            reader->depth[i] += closes ? (reader->depth[i] > 0 ? -1 : 0) : (reader->depth[i] < DEPTH_MAX ? 1 : 0);
            set_bit(reader->list, switches[i].bit, reader->depth[i] > 0);
        }
    }
    if (is_name(tag, name, "font")) {
        apply_font(reader, closes, tag + name, size - name);
    } else if (is_name(tag, name, "br")) {
        med_cue_list_put(reader->list, '\n');
    }
}

/* The size of the tag that begins here, with its brackets; 0: it is none. */
static size_t tag_at(const struct reader *reader, const char *text, const char *end) {
    size_t first = 1 + (end - text > 1 && text[1] == '/');
    if (text[0] != '<' || (size_t)(end - text) <= first) {
        return 0;
    }
    bool time = reader->entities && text[first] >= '0' && text[first] <= '9'; /* <00:00:01.000> */
    if (!is_letter(text[first]) && !time && !(reader->entities && text[first] == '>')) {
        return 0;
    }
    for (size_t i = first; text + i < end && i < TAG_BYTES_MAX; i++) {
        if (text[i] == '>') {
            return i + 1;
        }
    }
    return 0;
}

/* ---- entities: &amp; &#39; ---- */

static size_t entity_at(const char *text, const char *end, uint32_t *ret_c) {
    static const struct {
        const char *name;
        uint32_t c;
    } names[] = {{"&amp;", '&'},    {"&lt;", '<'},     {"&gt;", '>'},   {"&nbsp;", 0xa0},
                 {"&lrm;", 0x200e}, {"&rlm;", 0x200f}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        size_t size = strlen(names[i].name);
        if ((size_t)(end - text) >= size && memcmp(text, names[i].name, size) == 0) {
            *ret_c = names[i].c;
            return size;
        }
    }
    if (end - text > 3 && text[1] == '#') {
        bool hex = text[2] == 'x' || text[2] == 'X';
        char *stop = NULL;
        unsigned long value = strtoul(text + 2 + hex, &stop, hex ? 16 : 10);
        bool good = stop < end && *stop == ';' && stop > text + 2 + hex && value > 0 && value <= 0x10ffff &&
                    !(value >= 0xd800 && value <= 0xdfff);
        *ret_c = good ? (uint32_t)value : 0;
        return good ? (size_t)(stop + 1 - text) : 0;
    }
    return 0;
}

/* ---- override blocks: {\i1\c&H0000ff&} ---- */

/* How wide a tag's argument is: up to the next tag. */
static size_t argument_of(const char *text, const char *end) {
    size_t size = 0;
    while (text + size < end && text[size] != '\\') {
        size++;
    }
    return size;
}

static void apply_override(struct reader *reader, const char *name, const char *end) {
    static const struct {
        char name;
        uint8_t bit;
    } switches[] = {{'b', MED_LOOK_BOLD}, {'i', MED_LOOK_ITALIC}, {'u', MED_LOOK_UNDERLINE}};
    struct med_look *look = &reader->list->look;
    size_t size = argument_of(name, end);
    bool digit = size >= 2 && name[1] >= '0' && name[1] <= '9';
    for (size_t i = 0; i < CS_COUNT(switches); i++) {
        if (size >= 1 && name[0] == switches[i].name && (size == 1 || digit)) {
            set_bit(reader->list, switches[i].bit, digit && name[1] != '0');
        }
    }
    if (size >= 2 && name[0] == 'p' && digit) {
        reader->drawing = name[1] != '0';
    } else if (size == 1 && name[0] == 'r') {
        *look = (struct med_look){0};
    } else if (size >= 1 && (name[0] == 'c' || (size >= 2 && name[0] == '1' && name[1] == 'c'))) {
        char value[16] = "";
        size_t from = name[0] == 'c' ? 1 : 2;
        if (size - from < sizeof(value)) {
            memcpy(value, name + from, size - from);
        }
        uint32_t color = 0;
        bool known = (value[0] == '&') && med_color_parse(value, &color);
        set_bit(reader->list, MED_LOOK_COLOR, known);
        look->color = color & 0xffffff;
    }
}

/* The size of the block that begins here; 0: it is none. keep_look: what it says about looks counts. */
static size_t block_at(struct reader *reader, const char *text, const char *end, bool any, bool keep_look) {
    const char *close = memchr(text, '}', (size_t)(end - text));
    if (text[0] != '{' || close == NULL || (!any && text[1] != '\\')) {
        return 0;
    }
    for (const char *at = text; at < close; at++) {
        if (*at == '\\' && (keep_look || at[1] == 'p')) {
            apply_override(reader, at + 1, close);
        }
    }
    return (size_t)(close + 1 - text);
}

/* ---- texts ---- */

static void put_next(struct reader *reader, const char **text, const char *end) {
    uint32_t c = med_utf8_next(text, end);
    if (!reader->drawing) {
        med_cue_list_put(reader->list, c);
    }
}

static void read_tagged(struct reader *reader, const char *text, const char *end) {
    while (text < end) {
        uint32_t c = 0;
        size_t size = tag_at(reader, text, end);
        if (size > 0) {
            apply_tag(reader, text + 1, size - 2);
            text += size;
        } else if (!reader->entities && (size = block_at(reader, text, end, false, false)) > 0) {
            text += size;
        } else if (reader->entities && *text == '&' && (size = entity_at(text, end, &c)) > 0) {
            med_cue_list_put(reader->list, c);
            text += size;
        } else {
            put_next(reader, &text, end);
        }
    }
}

void med_markup_srt(struct med_cue_list *list, const char *text, size_t size_bytes) {
    struct reader reader = {.list = list};
    read_tagged(&reader, text, text + size_bytes);
}

void med_markup_vtt(struct med_cue_list *list, const char *text, size_t size_bytes) {
    struct reader reader = {.list = list, .entities = true};
    read_tagged(&reader, text, text + size_bytes);
}

void med_markup_ass(struct med_cue_list *list, const char *text, size_t size_bytes) {
    struct reader reader = {.list = list};
    for (const char *end = text + size_bytes; text < end;) {
        size_t size = block_at(&reader, text, end, true, true);
        if (size > 0) {
            text += size;
        } else if (end - text > 1 && text[0] == '\\' && strchr("Nnh", text[1]) != NULL) {
            med_cue_list_put(list, text[1] == 'N' ? '\n' : text[1] == 'n' ? ' ' : 0xa0);
            text += 2;
        } else {
            bool escapes = text[0] == '\\';
            text += end - text > 1 && escapes && (text[1] == '{' || text[1] == '}');
            put_next(&reader, &text, end);
            if (escapes && end - text >= 3 && memcmp(text, "\xe2\x81\xa0", 3) == 0) {
                text += 3; /* the word joiner that keeps a backslash from being a command */
            }
        }
    }
}
