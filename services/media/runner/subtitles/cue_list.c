#include "subtitles/cue_list.h"

#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "captions/ass_text.h"

enum { TOGETHER_CS = 20 }; /* cues that begin so near are one, when they must be apart */

struct cue {
    size_t first_word;
    size_t word_count;
    int64_t start_cs;
    int64_t end_cs;
    bool joined; /* to the one before it */
};

#define ITEMS(buf, type) ((type *)(void *)(buf)->data)
#define COUNT(buf, type) ((buf)->size / sizeof(type))

/* ---- words ---- */

static void end_word(struct med_cue_list *list, bool glued_next) {
    if (list->letters.size > 0 && COUNT(&list->words, struct med_word) <= MED_WORDS_MAX) {
        struct med_word word = {
            .text = cs_arena_strndup(list->arena, list->letters.data, list->letters.size),
            .size_bytes = list->letters.size,
            .characters = list->characters,
            .glued = list->glued,
            .line = (uint8_t)(list->line < UINT8_MAX ? list->line : UINT8_MAX),
            .look = list->word_look.bits,
            .color = list->word_look.color,
        };
        cs_buf_put(&list->words, &word, sizeof(word));
    }
    if (list->letters.size > 0 || !glued_next) {
        list->glued = glued_next;
    }
    cs_buf_clear(&list->letters);
    list->characters = 0;
    list->unspaced = false;
}

static bool parts_words(uint32_t c) {
    return c <= ' ' || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static bool same_look(const struct med_look *a, const struct med_look *b) {
    return a->bits == b->bits && ((a->bits & MED_LOOK_COLOR) == 0 || a->color == b->color);
}

void med_cue_list_put(struct med_cue_list *list, uint32_t c) {
    if (parts_words(c)) {
        end_word(list, false);
        bool said = COUNT(&list->words, struct med_word) >
                    ITEMS(&list->cues, struct cue)[COUNT(&list->cues, struct cue) - 1].first_word;
        list->line += c == '\n' && said;
        return;
    }
    if (list->letters.size > 0 &&
        (!same_look(&list->look, &list->word_look) || (list->unspaced && list->characters >= MED_PIECE_CHARACTERS))) {
        end_word(list, true);
    }
    list->word_look = list->look;
    list->unspaced |= med_is_unspaced(c);
    list->characters++;
    med_utf8_put(&list->letters, c);
}

void med_cue_list_puts(struct med_cue_list *list, const char *text, size_t size_bytes) {
    for (const char *end = text + size_bytes; text < end;) {
        med_cue_list_put(list, med_utf8_next(&text, end));
    }
}

/* ---- cues ---- */

void med_cue_list_open(struct med_cue_list *list) {
    struct cue cue = {.first_word = COUNT(&list->words, struct med_word)};
    list->look = (struct med_look){0};
    list->line = 0;
    list->glued = false;
    cs_buf_put(&list->cues, &cue, sizeof(cue));
}

void med_cue_list_close(struct med_cue_list *list, int64_t start_cs, int64_t end_cs) {
    end_word(list, false);
    struct cue *cue = &ITEMS(&list->cues, struct cue)[COUNT(&list->cues, struct cue) - 1];
    cue->word_count = COUNT(&list->words, struct med_word) - cue->first_word;
    cue->start_cs = start_cs;
    cue->end_cs = end_cs;
    if (cue->word_count == 0 || start_cs < 0 || end_cs <= start_cs || end_cs > MED_CUE_TIME_CS_MAX) {
        list->words.size = cue->first_word * sizeof(struct med_word);
        list->cues.size -= sizeof(*cue);
        list->dropped++;
    }
}

static int by_start(const void *a, const void *b) {
    const struct cue *x = a;
    const struct cue *y = b;
    return x->start_cs != y->start_cs ? (x->start_cs > y->start_cs) - (x->start_cs < y->start_cs)
                                      : (x->first_word > y->first_word) - (x->first_word < y->first_word);
}

static void set_apart(struct cue *cues, size_t count) {
    size_t last = 0; /* that stands for itself */
    for (size_t i = 1; i < count; i++) {
        if (cues[last].end_cs <= cues[i].start_cs) {
            last = i;
        } else if (cues[i].start_cs - cues[last].start_cs >= TOGETHER_CS) {
            cues[last].end_cs = cues[i].start_cs;
            last = i;
        } else {
            cues[last].end_cs = cues[i].end_cs > cues[last].end_cs ? cues[i].end_cs : cues[last].end_cs;
            cues[i].joined = true;
        }
    }
}

/* Each word gets the share of its letters. */
static void share_time(struct med_word *words, size_t count, int64_t start_cs, int64_t end_cs) {
    int64_t all = 0;
    int64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        all += (int64_t)words[i].characters;
    }
    for (size_t i = 0; i < count; i++) {
        words[i].start_cs = start_cs + (end_cs - start_cs) * before / all;
        before += (int64_t)words[i].characters;
        words[i].end_cs = start_cs + (end_cs - start_cs) * before / all;
    }
}

static size_t lay_out(const struct med_cue_list *list, const struct cue *cues, size_t count, struct med_words *words) {
    uint32_t cue_count = 0;
    for (size_t i = 0; i < count;) {
        size_t first = words->count;
        size_t end = i;
        size_t line = 0;
        cue_count++;
        do {
            const struct med_word *from = ITEMS(&list->words, struct med_word) + cues[end].first_word;
            for (size_t k = 0; k < cues[end].word_count; k++) {
                struct med_word *word = &words->items[words->count++];
                *word = from[k];
                word->cue = cue_count;
                word->line = (uint8_t)(line + word->line < UINT8_MAX ? line + word->line : UINT8_MAX);
            }
            line = words->items[words->count - 1].line + 1U;
            end++;
        } while (end < count && cues[end].joined);
        share_time(words->items + first, words->count - first, cues[i].start_cs, cues[i].end_cs);
        i = end;
    }
    return cue_count;
}

enum cs_status med_cue_list_words(struct med_cue_list *list, bool apart, struct med_words *ret_words, size_t *ret_cues,
                                  struct cs_err *err) {
    size_t count = COUNT(&list->words, struct med_word);
    size_t cue_count = COUNT(&list->cues, struct cue);
    if (count > MED_WORDS_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_many_words", "subtitles may have %d words at most", MED_WORDS_MAX);
    }
    *ret_words = (struct med_words){.items = cs_arena_array(list->arena, count + 1, sizeof(struct med_word))};
    *ret_cues = 0;
    if (cue_count > 0) {
        struct cue *cues = ITEMS(&list->cues, struct cue);
        qsort(cues, cue_count, sizeof(*cues), by_start);
        if (apart) {
            set_apart(cues, cue_count);
        }
        *ret_cues = lay_out(list, cues, cue_count, ret_words);
    }
    return CS_OK;
}

void med_cue_list_fini(struct med_cue_list *list) {
    cs_buf_fini(&list->words);
    cs_buf_fini(&list->cues);
    cs_buf_fini(&list->letters);
}
