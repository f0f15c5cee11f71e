#include "captions/document.h"

#include <math.h>
#include <string.h>

#include "captions/ass_text.h"

enum {
    FADE_IN_MS = 160,
    FADE_OUT_MS = 120,
    SLIDE_MS = 220,
    SLIDE_WAY = 60, /* canvas units */
    GROW_MS = 70,   /* how fast the active word grows */
    POP_UP_MS = 80,
    POP_BACK_MS = 160,
    POP_FROM = 70, /* percent */
    POP_OVER = 118,
    WORD_BOX_PADDING = 8, /* hundredths of the font's size */
    BRIGHT = 140,         /* a box that is brighter has dark letters */
    GLOW_BLUR = 9,
    GLOW_WIDTH = 4,
    GLOW_CORE = 0xffffff, /* white letters in coloured light */
};

struct author {
    struct cs_buf *out;
    const struct med_words *words;
    const struct med_style *style;
    struct med_ass_writer text;
    int width, height;
};

/* ---- the frame of the document ---- */

static void put_style(const struct author *author) {
    const struct med_style *style = author->style;
    /* A box is libass's one rectangle behind the whole event (border style 4), padded by the shadow's distance. */
    double outline = style->box ? 0 : style->outline;
    double shadow = style->box ? style->padding : style->shadow;
    cs_buf_printf(author->out,
                  "Style: Default,%s,%g,&H%08X,&H%08X,&H%08X,&H%08X,%d,0,0,0,100,100,0,0,%d,%g,%g,%d,%d,%d,%d,-1\n",
                  style->family, style->size, style->color, style->color, style->outline_color,
                  style->box ? style->box_color : 0x60000000U, style->bold ? -1 : 0, style->box ? 4 : 1, outline,
                  shadow, style->alignment, style->margin_l, style->margin_r, style->margin_v);
}

static bool is_animated(const struct author *author, Callsheet__V1__CaptionAnimation animation) {
    return author->style->animation == animation;
}
#define ANIMATION(word) CALLSHEET__V1__CAPTION_ANIMATION__CAPTION_ANIMATION_##word

/* Behind the active word: libass's opaque box around each run of letters (border style 3). */
static void put_box_style(const struct author *author) {
    const struct med_style *style = author->style;
    cs_buf_printf(author->out,
                  "Style: Box,%s,%g,&H%08X,&H%08X,&H%08X,&H%08X,%d,0,0,0,100,100,0,0,3,%g,0,%d,%d,%d,%d,-1\n",
                  style->family, style->size, style->color, style->color, style->active_color, style->active_color,
                  style->bold ? -1 : 0, style->size * WORD_BOX_PADDING / 100, style->alignment, style->margin_l,
                  style->margin_r, style->margin_v);
}

static void put_header(const struct author *author) {
    med_ass_put_head(author->out, author->width, author->height);
    put_style(author);
    if (is_animated(author, ANIMATION(KARAOKE_WORD_BOX))) {
        put_box_style(author);
    }
    med_ass_put_events_head(author->out);
}

static void open_event(const struct author *author, int64_t start_cs, int64_t end_cs) {
    char start[MED_ASS_TIME_SIZE];
    char end[MED_ASS_TIME_SIZE];
    med_ass_time(start_cs, start);
    med_ass_time(end_cs, end);
    cs_buf_printf(author->out, "Dialogue: 0,%s,%s,Default,,0,0,0,,", start, end);
}

/* ---- how a caption comes and goes ---- */

static void put_slide(const struct author *author) {
    const struct med_style *style = author->style;
    int column = (style->alignment - 1) % 3;
    int row = (style->alignment - 1) / 3;
    int x = column == 0   ? style->margin_l
            : column == 2 ? author->width - style->margin_r
                          : (author->width + style->margin_l - style->margin_r) / 2;
    int y = row == 0 ? author->height - style->margin_v : row == 1 ? author->height / 2 : style->margin_v;
    int from = row == 2 ? y - SLIDE_WAY : y + SLIDE_WAY;
    cs_buf_printf(author->out, "{\\move(%d,%d,%d,%d,0,%d)}", x, from, x, y, SLIDE_MS);
}

static void put_pop(const struct author *author) {
    cs_buf_printf(author->out, "\\fscx%d\\fscy%d\\t(0,%d,\\fscx%d\\fscy%d)\\t(%d,%d,\\fscx100\\fscy100)", POP_FROM,
                  POP_FROM, POP_UP_MS, POP_OVER, POP_OVER, POP_UP_MS, POP_BACK_MS);
}

static void put_entrance(const struct author *author, bool first, bool last) {
    switch (author->style->animation) {
    case CALLSHEET__V1__CAPTION_ANIMATION__CAPTION_ANIMATION_FADE:
        if (first || last) {
            cs_buf_printf(author->out, "{\\fad(%d,%d)}", first ? FADE_IN_MS : 0, last ? FADE_OUT_MS : 0);
        }
        break;
    case CALLSHEET__V1__CAPTION_ANIMATION__CAPTION_ANIMATION_SLIDE:
        if (first) {
            put_slide(author);
            cs_buf_printf(author->out, "{\\fad(%d,0)}", FADE_IN_MS);
        }
        break;
    case CALLSHEET__V1__CAPTION_ANIMATION__CAPTION_ANIMATION_POP:
        if (first && !author->style->highlight) {
            cs_buf_puts(author->out, "{");
            put_pop(author);
            cs_buf_puts(author->out, "}");
        }
        break;
    default:
        break;
    }
}

/* ---- words ---- */

/* What stands before a word of a caption. */
static void put_gap(const struct author *author, size_t index, size_t first) {
    const struct med_word *word = &author->words->items[index];
    if (index == first) {
        return;
    }
    if (author->style->keeps_cues && word->line != author->words->items[index - 1].line) {
        cs_buf_puts(author->out, "\\N");
    } else if (!word->glued) {
        cs_buf_putc(author->out, ' ');
    }
}

/* At most `size` bytes of a word, looking as its file wants. */
static void put_looking(const struct author *author, const struct med_word *word, size_t from, size_t size) {
    static const struct {
        uint8_t bit;
        const char *on, *off;
    } looks[] = {{MED_LOOK_BOLD, "\\b1", "\\b"}, {MED_LOOK_ITALIC, "\\i1", "\\i"}, {MED_LOOK_UNDERLINE, "\\u1", "\\u"}};
    bool colored = (word->look & MED_LOOK_COLOR) != 0 && !author->style->highlight;
    if (word->look == 0) {
        med_ass_put(&author->text, word->text + from, size);
        return;
    }
    cs_buf_puts(author->out, "{");
    for (size_t i = 0; i < CS_COUNT(looks); i++) {
        cs_buf_puts(author->out, (word->look & looks[i].bit) != 0 ? looks[i].on : "");
    }
    if (colored) {
        cs_buf_printf(author->out, "\\c&H%06X&", (unsigned)(word->color & 0xffffff));
    }
    cs_buf_puts(author->out, "}");
    med_ass_put(&author->text, word->text + from, size);
    cs_buf_puts(author->out, "{");
    for (size_t i = 0; i < CS_COUNT(looks); i++) {
        cs_buf_puts(author->out, (word->look & looks[i].bit) != 0 ? looks[i].off : "");
    }
    cs_buf_puts(author->out, colored ? "\\c}" : "}");
}

static void put_word(const struct author *author, size_t index, size_t first) {
    const struct med_word *word = &author->words->items[index];
    put_gap(author, index, first);
    put_looking(author, word, 0, word->size_bytes);
}

static void put_color(const struct author *author, const char *tag, uint32_t color) {
    cs_buf_printf(author->out, "\\%sc&H%06X&\\%sa&H%02X&", tag, color & 0xffffff, tag, color >> 24);
}

/* Of letters that are read on a box of this colour. */
static uint32_t color_on(uint32_t box) {
    unsigned bright = ((box & 0xff) * 299 + (box >> 8 & 0xff) * 587 + (box >> 16 & 0xff) * 114) / 1000;
    return bright > BRIGHT ? 0x000000 : 0xffffff;
}

static void put_active(const struct author *author, size_t index, size_t first) {
    const struct med_style *style = author->style;
    const struct med_word *word = &author->words->items[index];
    put_gap(author, index, first);
    bool glow = is_animated(author, ANIMATION(GLOW));
    bool box = is_animated(author, ANIMATION(KARAOKE_WORD_BOX));
    cs_buf_puts(author->out, box ? "{\\rBox" : "{");
    put_color(author, "1", glow ? GLOW_CORE : box ? color_on(style->active_color) : style->active_color);
    if (is_animated(author, ANIMATION(POP))) {
        put_pop(author);
    } else if (style->active_scale != 1) {
        int percent = (int)lround(style->active_scale * 100);
        cs_buf_printf(author->out, "\\fscx100\\fscy100\\t(0,%d,\\fscx%d\\fscy%d)", GROW_MS, percent, percent);
    }
    if (glow) {
        put_color(author, "3", style->active_color);
        cs_buf_printf(author->out, "\\bord%g\\blur%d", style->outline + GLOW_WIDTH, GLOW_BLUR);
    }
    cs_buf_puts(author->out, "}");
    put_looking(author, word, 0, word->size_bytes);
    cs_buf_puts(author->out, "{\\r}");
}

static void put_plain(const struct author *author, const struct med_group *group) {
    open_event(author, group->start_cs, group->end_cs);
    put_entrance(author, true, true);
    for (size_t i = group->first; i < group->first + group->count; i++) {
        put_word(author, i, group->first);
    }
    cs_buf_putc(author->out, '\n');
}

static void put_highlighted(const struct author *author, const struct med_group *group) {
    size_t end = group->first + group->count;
    for (size_t active = group->first; active < end; active++) {
        bool last = active + 1 == end;
        int64_t until = last ? group->end_cs : author->words->items[active + 1].start_cs;
        until = until > group->end_cs ? group->end_cs : until;
        int64_t from = author->words->items[active].start_cs;
        if (until <= from) {
            continue;
        }
        open_event(author, from, until);
        put_entrance(author, active == group->first, last);
        for (size_t i = group->first; i < end; i++) {
            if (i == active) {
                put_active(author, i, group->first);
            } else {
                cs_buf_puts(author->out, "{");
                put_color(author, "1", author->style->inactive_color);
                cs_buf_puts(author->out, "}");
                put_word(author, i, group->first);
            }
        }
        cs_buf_putc(author->out, '\n');
    }
}

/* ---- karaoke: each word fills from the left ---- */

static void put_filled(const struct author *author, const struct med_group *group) {
    int64_t at_cs = group->start_cs;
    open_event(author, group->start_cs, group->end_cs);
    cs_buf_puts(author->out, "{");
    put_color(author, "1", author->style->active_color);
    put_color(author, "2", author->style->inactive_color);
    cs_buf_puts(author->out, "}");
    for (size_t i = group->first; i < group->first + group->count; i++) {
        const struct med_word *word = &author->words->items[i];
        int64_t start_cs = word->start_cs > at_cs ? word->start_cs : at_cs;
        int64_t end_cs = word->end_cs > start_cs ? word->end_cs : start_cs;
        put_gap(author, i, group->first);
        cs_buf_printf(author->out, "{\\k%d\\kf%d}", (int)(start_cs - at_cs), (int)(end_cs - start_cs));
        put_looking(author, word, 0, word->size_bytes);
        at_cs = end_cs;
    }
    cs_buf_putc(author->out, '\n');
}

/* ---- typewriter: the whole caption is laid out, what is not typed yet is invisible ---- */

static void put_typed(const struct author *author, const struct med_group *group, size_t active, size_t shown_bytes) {
    bool hidden = false;
    for (size_t i = group->first; i < group->first + group->count; i++) {
        const struct med_word *word = &author->words->items[i];
        size_t shown = i < active ? word->size_bytes : i == active ? shown_bytes : 0;
        put_gap(author, i, group->first);
        if (shown > 0) {
            put_looking(author, word, 0, shown);
        }
        if (shown < word->size_bytes) {
            if (!hidden) {
                cs_buf_puts(author->out, "{\\alpha&HFF&}");
                hidden = true;
            }
            put_looking(author, word, shown, word->size_bytes - shown);
        }
    }
    cs_buf_putc(author->out, '\n');
}

static void put_typewriter(const struct author *author, const struct med_group *group) {
    size_t end = group->first + group->count;
    for (size_t active = group->first; active < end; active++) {
        const struct med_word *word = &author->words->items[active];
        bool last = active + 1 == end;
        int64_t until = last ? group->end_cs : author->words->items[active + 1].start_cs;
        int64_t span = word->end_cs - word->start_cs;
        const char *at = word->text;
        const char *stop = word->text + word->size_bytes;
        for (size_t typed = 1; at < stop; typed++) {
            (void)med_utf8_next(&at, stop);
            int64_t from = word->start_cs + span * (int64_t)(typed - 1) / (int64_t)word->characters;
            int64_t to = at == stop ? until : word->start_cs + span * (int64_t)typed / (int64_t)word->characters;
            to = to > until ? until : to;
            if (to > from) {
                open_event(author, from, to);
                put_typed(author, group, active, (size_t)(at - word->text));
            }
        }
    }
}

/* ---- all of it ---- */

enum cs_status med_document(const struct med_words *words, const struct med_style *style, const char *language,
                            int canvas_width, int canvas_height, struct cs_arena *arena, struct cs_buf *out,
                            struct med_font_set *ret_fonts, struct cs_err *err) {
    struct author author = {
        .out = out,
        .words = words,
        .style = style,
        .text = {.out = out, .family = style->family, .size = style->size, .language = language, .fonts = ret_fonts},
        .width = canvas_width,
        .height = canvas_height,
    };
    med_font_set_add(ret_fonts, style->family);
    put_header(&author);
    struct med_groups groups = med_group_words(words, style, arena);
    for (size_t i = 0; i < groups.count; i++) {
        const struct med_group *group = &groups.items[i];
        if (group->end_cs <= group->start_cs) {
            continue;
        }
        if (style->highlight) {
            put_highlighted(&author, group);
        } else if (is_animated(&author, ANIMATION(KARAOKE_FILL))) {
            put_filled(&author, group);
        } else if (is_animated(&author, ANIMATION(TYPEWRITER))) {
            put_typewriter(&author, group);
        } else {
            put_plain(&author, group);
        }
        if (out->size > MED_DOCUMENT_BYTES_MAX) {
            return cs_fail(err, CS_OUT_OF_RANGE, "captions_too_big", "the captions are too many and too long");
        }
    }
    return CS_OK;
}
