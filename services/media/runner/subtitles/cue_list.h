/*
 * cue_list: cues on their way from a subtitle file to words.
 *
 * A cue is opened, its text is put with the look that it has there, and it is closed. Its words share its time by their
 * letters, so that the first begins and the last ends with it. Cues are sorted by their begin.
 *
 * Owns     cue_list_fini frees; words are in the arena.
 * Fails    OUT_OF_RANGE "too_many_words".
 */
#ifndef MED_CUE_LIST_H
#define MED_CUE_LIST_H

#include "captions/words.h"

enum { MED_CUE_TIME_CS_MAX = 100000 * 100 };

struct med_look {
    uint8_t bits; /* MED_LOOK_ */
    uint32_t color;
};

struct med_cue_list {
    struct cs_arena *arena;
    struct cs_buf words; /* of struct med_word */
    struct cs_buf cues;
    struct cs_buf letters; /* of the word at work */
    struct med_look look;  /* what is put looks so; the reader's to set */
    size_t dropped;        /* cues without a text, or with a time that cannot be shown */
    /* below: the list's */
    struct med_look word_look;
    size_t characters;
    size_t line;
    bool unspaced;
    bool glued;
};

void med_cue_list_open(struct med_cue_list *list);
/* A line break is one; other white space parts words. */
void med_cue_list_put(struct med_cue_list *list, uint32_t c);
void med_cue_list_puts(struct med_cue_list *list, const char *text, size_t size_bytes);
void med_cue_list_close(struct med_cue_list *list, int64_t start_cs, int64_t end_cs);

/* apart: a cue ends where the next begins, and those that begin together become one. */
enum cs_status med_cue_list_words(struct med_cue_list *list, bool apart, struct med_words *ret_words, size_t *ret_cues,
                                  struct cs_err *err) CS_MUST_USE;
void med_cue_list_fini(struct med_cue_list *list);

#endif
