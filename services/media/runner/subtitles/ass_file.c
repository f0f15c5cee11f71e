#include "subtitles/ass_file.h"

#include <string.h>
#include <strings.h>

#include "captions/ass_text.h"
#include "captions/document.h"
#include "subtitles/lines.h"

enum {
    STYLES_MAX = 1000,
    COLUMNS_MAX = 32,
    NAME_BYTES_MAX = 128,
};

struct style {
    const char *name;
    const char *family;
};

struct columns {
    size_t count;
    size_t style; /* of an event, or the name of a style */
    size_t font;
};

enum section { OTHER, INFO, STYLES, EVENTS };

struct file {
    struct cs_arena *arena;
    struct cs_buf *out;
    struct med_font_set *fonts;
    const char *language;
    struct style *styles;
    size_t style_count;
    struct columns style_columns;
    struct columns event_columns;
};

/* ---- columns ---- */

static struct med_line trimmed(const char *text, const char *end) {
    while (text < end && (*text == ' ' || *text == '\t')) {
        text++;
    }
    while (end > text && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return (struct med_line){text, (size_t)(end - text)};
}

static bool is_called(const struct med_line *name, const char *wanted) {
    return name->size_bytes == strlen(wanted) && strncasecmp(name->text, wanted, name->size_bytes) == 0;
}

/* The next column of a line; the last one may hold commas when `last` is set. */
static struct med_line next_column(const char **text, const char *end, bool last) {
    const char *comma = last ? NULL : memchr(*text, ',', (size_t)(end - *text));
    struct med_line column = trimmed(*text, comma != NULL ? comma : end);
    *text = comma != NULL ? comma + 1 : end;
    return column;
}

static struct columns columns_of(const struct med_line *names, const char *style_name) {
    struct columns columns = {.style = COLUMNS_MAX, .font = COLUMNS_MAX};
    const char *at = names->text;
    const char *end = names->text + names->size_bytes;
    while (at < end && columns.count < COLUMNS_MAX) {
        struct med_line name = next_column(&at, end, false);
        columns.style = is_called(&name, style_name) ? columns.count : columns.style;
        columns.font = is_called(&name, "Fontname") ? columns.count : columns.font;
        columns.count++;
    }
    return columns;
}

/* ---- styles ---- */

static const char *family_called(const char *name, size_t size) {
    char wish[NAME_BYTES_MAX];
    size = size < sizeof(wish) ? size : sizeof(wish) - 1;
    memcpy(wish, name, size);
    wish[size] = '\0';
    return med_fonts_family(wish[0] == '@' ? wish + 1 : wish); /* "@": for vertical text */
}

static const char *family_of(const struct file *file, const char *style, size_t size) {
    size_t star = size > 0 && style[0] == '*';
    for (size_t i = file->style_count; i-- > 0;) { /* the last one of a name counts */
        if (strlen(file->styles[i].name) == size - star &&
            memcmp(file->styles[i].name, style + star, size - star) == 0) {
            return file->styles[i].family;
        }
    }
    return file->style_count > 0 ? file->styles[0].family : med_fonts_family(NULL);
}

static void put_style(struct file *file, const struct med_line *line) {
    const char *at = line->text;
    const char *end = line->text + line->size_bytes;
    struct style style = {.name = "", .family = med_fonts_family(NULL)};
    if (file->style_count == STYLES_MAX) {
        return;
    }
    cs_buf_puts(file->out, "Style: ");
    for (size_t i = 0; i < file->style_columns.count && at < end; i++) {
        struct med_line column = next_column(&at, end, i + 1 == file->style_columns.count);
        cs_buf_puts(file->out, i > 0 ? "," : "");
        if (i == file->style_columns.font) {
            style.family = family_called(column.text, column.size_bytes);
            cs_buf_puts(file->out, style.family);
        } else {
            cs_buf_put(file->out, column.text, column.size_bytes);
        }
        if (i == file->style_columns.style) {
            style.name = cs_arena_strndup(file->arena, column.text, column.size_bytes);
        }
    }
    cs_buf_puts(file->out, "\n");
    med_font_set_add(file->fonts, style.family);
    file->styles[file->style_count++] = style;
}

/* ---- text ---- */

struct text {
    struct file *file;
    struct med_ass_writer writer; /* its family is the one in force */
    const char *style_family;
    bool drawing;
};

/* One tag, without its backslash, up to the next one. */
static void put_tag(struct text *text, const char *tag, const char *end) {
    struct cs_buf *out = text->file->out;
    size_t size = (size_t)(end - tag);
    if (size >= 2 && memcmp(tag, "fn", 2) == 0) {
        const char *close = memchr(tag, ')', size);
        struct med_line name = trimmed(tag + 2, close != NULL ? close : end);
        bool named = name.size_bytes > 0 && !is_called(&name, "0");
        text->writer.family = named ? family_called(name.text, name.size_bytes) : text->style_family;
        med_font_set_add(text->file->fonts, text->writer.family);
        cs_buf_printf(out, "\\fn%s", text->writer.family);
        cs_buf_puts(out, close != NULL ? ")" : "");
        return;
    }
    if (size >= 1 && tag[0] == 'r') {
        struct med_line name = trimmed(tag + 1, end);
        text->writer.family =
            name.size_bytes > 0 ? family_of(text->file, name.text, name.size_bytes) : text->style_family;
    } else if (size >= 2 && tag[0] == 'p' && tag[1] >= '0' && tag[1] <= '9') {
        text->drawing = tag[1] != '0';
    }
    cs_buf_putc(out, '\\');
    cs_buf_put(out, tag, size);
}

/* What is no tag in a block is a comment. */
static void put_block(struct text *text, const char *block, const char *end) {
    const char *tag = memchr(block, '\\', (size_t)(end - block));
    if (tag == NULL) {
        return;
    }
    cs_buf_putc(text->file->out, '{');
    while (tag != NULL) {
        tag++;
        const char *next = memchr(tag, '\\', (size_t)(end - tag));
        put_tag(text, tag, next != NULL ? next : end);
        tag = next;
    }
    cs_buf_putc(text->file->out, '}');
}

static bool is_escape(const char *at, const char *end) {
    return end - at > 1 && at[0] == '\\' && strchr("Nnh{}", at[1]) != NULL;
}

static void put_text(struct text *text, const char *at, const char *end) {
    while (at < end) {
        const char *close = *at == '{' ? memchr(at, '}', (size_t)(end - at)) : NULL;
        if (close != NULL) {
            put_block(text, at + 1, close);
            at = close + 1;
        } else if (is_escape(at, end)) {
            cs_buf_put(text->file->out, at, 2);
            at += 2;
        } else {
            const char *stop = at + 1;
            while (stop < end && *stop != '{' && !is_escape(stop, end)) {
                stop++;
            }
            if (text->drawing) {
                cs_buf_put(text->file->out, at, (size_t)(stop - at));
            } else {
                med_ass_put(&text->writer, at, (size_t)(stop - at));
            }
            at = stop;
        }
    }
}

static void put_event(struct file *file, const struct med_line *line) {
    const char *at = line->text;
    const char *end = line->text + line->size_bytes;
    const char *family = family_of(file, "Default", 7);
    cs_buf_puts(file->out, "Dialogue: ");
    for (size_t i = 0; i + 1 < file->event_columns.count; i++) {
        struct med_line column = next_column(&at, end, false);
        if (i == file->event_columns.style) {
            family = family_of(file, column.text, column.size_bytes);
        }
        cs_buf_put(file->out, column.text, column.size_bytes);
        cs_buf_putc(file->out, ',');
    }
    struct text text = {
        .file = file,
        .writer =
            {.out = file->out, .family = family, .language = file->language, .fonts = file->fonts, .keep_size = true},
        .style_family = family,
    };
    put_text(&text, at, end);
    cs_buf_puts(file->out, "\n");
}

/* ---- sections ---- */

static enum section section_of(const struct med_line *line) {
    return med_line_starts(line, "[Script Info]") ? INFO
           : med_line_starts(line, "[V4")         ? STYLES
           : med_line_starts(line, "[Events]")    ? EVENTS
                                                  : OTHER;
}

static bool is_kept_info(const struct med_line *line) {
    static const char *const kept[] = {"ScriptType:", "PlayResX:",    "PlayResY:", "LayoutResX:",
                                       "LayoutResY:", "WrapStyle:",   "Kerning:",  "ScaledBorderAndShadow:",
                                       "Collisions:", "YCbCr Matrix:"};
    for (size_t i = 0; i < CS_COUNT(kept); i++) {
        if (med_line_starts(line, kept[i])) {
            return true;
        }
    }
    return false;
}

static void put_line(struct file *file, enum section section, const struct med_line *line) {
    const char *colon = memchr(line->text, ':', line->size_bytes);
    struct med_line rest = {0};
    if (colon != NULL) {
        rest = trimmed(colon + 1, line->text + line->size_bytes);
    }
    bool format = med_line_starts(line, "Format:");
    if (section == STYLES && format) {
        file->style_columns = columns_of(&rest, "Name");
    } else if (section == EVENTS && format) {
        file->event_columns = columns_of(&rest, "Style");
    }
    if ((section == INFO && is_kept_info(line)) || (section != INFO && format)) {
        cs_buf_put(file->out, line->text, line->size_bytes);
        cs_buf_puts(file->out, "\n");
    } else if (section == STYLES && med_line_starts(line, "Style:")) {
        put_style(file, &rest);
    } else if (section == EVENTS && med_line_starts(line, "Dialogue:")) {
        put_event(file, &rest);
    }
}

enum cs_status med_ass_file(const char *text, size_t size_bytes, const char *language, struct cs_arena *arena,
                            struct cs_buf *out, struct med_font_set *ret_fonts, struct cs_err *err) {
    static const char style_columns[] = "Name, Fontname, Fontsize";
    static const char event_columns[] = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text";
    struct file file = {
        .arena = arena,
        .out = out,
        .fonts = ret_fonts,
        .language = language,
        .styles = cs_arena_array(arena, STYLES_MAX, sizeof(struct style)),
        .style_columns = columns_of(&(struct med_line){style_columns, sizeof(style_columns) - 1}, "Name"),
        .event_columns = columns_of(&(struct med_line){event_columns, sizeof(event_columns) - 1}, "Style"),
    };
    struct med_lines lines = {text, text + size_bytes};
    struct med_line line;
    enum section section = OTHER;
    med_font_set_add(ret_fonts, med_fonts_family(NULL));
    while (med_line_next(&lines, &line)) {
        if (line.size_bytes > 0 && line.text[0] == '[') {
            section = section_of(&line);
            if (section != OTHER) {
                cs_buf_put(out, line.text, line.size_bytes);
                cs_buf_puts(out, "\n");
            }
        } else if (section != OTHER) {
            put_line(&file, section, &line);
        }
        if (out->size > MED_DOCUMENT_BYTES_MAX) {
            return cs_fail(err, CS_OUT_OF_RANGE, "captions_too_big", "the captions are too many and too long");
        }
    }
    return CS_OK;
}
