#include "subtitles/timed_text.h"

#include <string.h>

#include "captions/ass_text.h"

enum { FONT = 1, FONT_SIZE = 18, STYLE_BYTES = 12 };

#define U16(value) (uint8_t)((value) >> 8), (uint8_t)((value)&0xff)
#define WHITE 0xff, 0xff, 0xff, 0xff

const uint8_t med_timed_text_description[] = {
    0,      0,         0,         0,                                  /* flags */
    1,      0xff,                                                     /* centred, at the bottom */
    0,      0,         0,         0,                                  /* nothing behind it */
    U16(0), U16(0),    U16(0),    U16(0),                             /* the whole picture */
    U16(0), U16(0),    U16(FONT), 0,      FONT_SIZE, WHITE,           /* regular */
    0,      0,         0,         18,     'f',       't',   'a', 'b', /* fonts */
    U16(1), U16(FONT), 5,         'S',    'e',       'r',   'i', 'f',
};
const size_t med_timed_text_description_bytes = sizeof(med_timed_text_description);

/* ---- samples ---- */

struct sample {
    struct cs_buf text;
    struct cs_buf styles;
    size_t characters;
    const struct med_word *before;
};

static void put_u16(struct cs_buf *out, size_t value) {
    cs_buf_putc(out, (char)(value >> 8 & 0xff));
    cs_buf_putc(out, (char)(value & 0xff));
}

static bool same_look(const struct med_word *a, const struct med_word *b) {
    return a->look == b->look && ((a->look & MED_LOOK_COLOR) == 0 || a->color == b->color);
}

/* A style for the word at the end of the text; the one before it goes on when it is the same. */
static void put_style(struct sample *sample, const struct med_word *word) {
    uint32_t color = (word->look & MED_LOOK_COLOR) != 0 ? word->color : 0xffffff;
    uint8_t face = word->look & (MED_LOOK_BOLD | MED_LOOK_ITALIC | MED_LOOK_UNDERLINE); /* the same bits */
    size_t end = sample->characters + word->characters;
    if (word->look == 0) {
        return;
    }
    if (sample->before != NULL && same_look(sample->before, word)) {
        char *style = sample->styles.data + sample->styles.size - STYLE_BYTES;
        style[2] = (char)(end >> 8 & 0xff);
        style[3] = (char)(end & 0xff);
        return;
    }
    put_u16(&sample->styles, sample->characters);
    put_u16(&sample->styles, end);
    put_u16(&sample->styles, FONT);
    const uint8_t rest[] = {
        face, FONT_SIZE, (uint8_t)(color & 0xff), (uint8_t)(color >> 8 & 0xff), (uint8_t)(color >> 16 & 0xff), 0xff};
    cs_buf_put(&sample->styles, rest, sizeof(rest));
}

static void put_word(struct sample *sample, const struct med_word *word, bool breaks) {
    if (sample->before != NULL && (breaks || !word->glued)) {
        cs_buf_putc(&sample->text, breaks ? '\n' : ' ');
        sample->characters++;
    }
    put_style(sample, word);
    cs_buf_put(&sample->text, word->text, word->size_bytes);
    sample->characters += word->characters;
    sample->before = word;
}

static void build(struct sample *sample, const struct med_words *words, const struct med_cue *cue) {
    for (size_t i = 0; i < cue->word_count; i++) {
        const struct med_word *word = &words->items[cue->first_word + i];
        bool breaks = i > 0 && (i == cue->line_break || word->line != word[-1].line);
        if (sample->text.size + word->size_bytes + 1 > MED_TIMED_TEXT_BYTES_MAX) {
            break;
        }
        put_word(sample, word, breaks);
    }
}

static void add(struct med_timed_text *text, int64_t start_ms, int64_t end_ms, const struct cs_buf *bytes,
                struct cs_arena *arena) {
    static const uint8_t silence[2];
    struct med_timed_sample *sample = &text->samples[text->count++];
    *sample = (struct med_timed_sample){start_ms, end_ms - start_ms, silence, sizeof(silence)};
    if (bytes != NULL) {
        sample->bytes = cs_arena_copy(arena, bytes->data, bytes->size);
        sample->size_bytes = bytes->size;
        text->cues++;
    }
}

static void add_cue(struct med_timed_text *text, const struct med_words *words, const struct med_cue *cue,
                    int64_t start_ms, int64_t end_ms, struct cs_arena *arena) {
    struct sample sample = {0};
    CS_AUTO_BUF bytes = {0};
    build(&sample, words, cue);
    put_u16(&bytes, sample.text.size);
    cs_buf_put(&bytes, sample.text.data, sample.text.size);
    if (sample.styles.size > 0) {
        size_t size = 4 + 4 + 2 + sample.styles.size;
        put_u16(&bytes, size >> 16);
        put_u16(&bytes, size & 0xffff);
        cs_buf_put(&bytes, "styl", 4);
        put_u16(&bytes, sample.styles.size / STYLE_BYTES);
        cs_buf_put(&bytes, sample.styles.data, sample.styles.size);
    }
    add(text, start_ms, end_ms, &bytes, arena);
    cs_buf_fini(&sample.text);
    cs_buf_fini(&sample.styles);
}

struct med_timed_text med_timed_text_of(const struct med_words *words, const struct med_cues *cues, int64_t length_ms,
                                        struct cs_arena *arena) {
    struct med_timed_text text = {.samples =
                                      cs_arena_array(arena, 2 * cues->count + 1, sizeof(struct med_timed_sample))};
    int64_t shown_ms = 0;
    for (size_t i = 0; i < cues->count; i++) {
        const struct med_cue *cue = &cues->items[i];
        int64_t start_ms = cue->start_ms > shown_ms ? cue->start_ms : shown_ms;
        int64_t end_ms = cue->end_ms < length_ms ? cue->end_ms : length_ms;
        if (end_ms <= start_ms) {
            continue;
        }
        if (start_ms > shown_ms) {
            add(&text, shown_ms, start_ms, NULL, arena);
        }
        add_cue(&text, words, cue, start_ms, end_ms, arena);
        shown_ms = end_ms;
    }
    if (length_ms > shown_ms) {
        add(&text, shown_ms, length_ms, NULL, arena);
    }
    return text;
}

/* ---- languages ---- */

static const struct {
    const char *tag;
    const char *code;
} languages[] = {
    {"af", "afr"}, {"am", "amh"}, {"ar", "ara"}, {"az", "aze"}, {"be", "bel"},  {"bg", "bul"}, {"bn", "ben"},
    {"bs", "bos"}, {"ca", "cat"}, {"cs", "ces"}, {"cy", "cym"}, {"da", "dan"},  {"de", "deu"}, {"el", "ell"},
    {"en", "eng"}, {"es", "spa"}, {"et", "est"}, {"eu", "eus"}, {"fa", "fas"},  {"fi", "fin"}, {"fil", "fil"},
    {"fr", "fra"}, {"ga", "gle"}, {"gl", "glg"}, {"gu", "guj"}, {"he", "heb"},  {"hi", "hin"}, {"hr", "hrv"},
    {"hu", "hun"}, {"hy", "hye"}, {"id", "ind"}, {"is", "isl"}, {"it", "ita"},  {"ja", "jpn"}, {"ka", "kat"},
    {"kk", "kaz"}, {"km", "khm"}, {"kn", "kan"}, {"ko", "kor"}, {"lo", "lao"},  {"lt", "lit"}, {"lv", "lav"},
    {"mk", "mkd"}, {"ml", "mal"}, {"mn", "mon"}, {"mr", "mar"}, {"ms", "msa"},  {"my", "mya"}, {"nb", "nob"},
    {"ne", "nep"}, {"nl", "nld"}, {"nn", "nno"}, {"no", "nor"}, {"pa", "pan"},  {"pl", "pol"}, {"pt", "por"},
    {"ro", "ron"}, {"ru", "rus"}, {"si", "sin"}, {"sk", "slk"}, {"sl", "slv"},  {"sq", "sqi"}, {"sr", "srp"},
    {"sv", "swe"}, {"sw", "swa"}, {"ta", "tam"}, {"te", "tel"}, {"th", "tha"},  {"tl", "tgl"}, {"tr", "tur"},
    {"uk", "ukr"}, {"ur", "urd"}, {"uz", "uzb"}, {"vi", "vie"}, {"yue", "yue"}, {"zh", "zho"}, {"zu", "zul"},
};

void med_language_code(const char *tag, char ret_code[4]) {
    char primary[5] = "";
    size_t size = strcspn(tag, "-_");
    for (size_t i = 0; i < size && size < sizeof(primary); i++) {
        primary[i] = (char)(tag[i] >= 'A' && tag[i] <= 'Z' ? tag[i] - 'A' + 'a' : tag[i]);
    }
    const char *code = "und";
    for (size_t i = 0; i < CS_COUNT(languages); i++) {
        if (strcmp(primary, languages[i].tag) == 0 || strcmp(primary, languages[i].code) == 0) {
            code = languages[i].code;
        }
    }
    memcpy(ret_code, code, 4);
}
