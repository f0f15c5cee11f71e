/*
 * subtitles: any file of subtitles or words, told by its content, as words that know their cues.
 *
 *     bytes → charset → SRT, WebVTT, ASS or JSON → cues → words
 *
 * Reading is lenient, and counts what it forgave: times are read as far as they can be understood, a cue whose time
 * makes no sense is dropped. Positions, regions, styles of WebVTT and comments are left out.
 *
 * Fails    INVALID_ARGUMENT "bad_transcript" when it is none of the four; OUT_OF_RANGE "too_many_words".
 * Threads  pure. Everything lives in the arena.
 */
#ifndef MED_SUBTITLES_H
#define MED_SUBTITLES_H

#include "captions/words.h"

enum med_subtitle_format {
    MED_SUBTITLES_JSON,
    MED_SUBTITLES_SRT,
    MED_SUBTITLES_VTT,
    MED_SUBTITLES_ASS,
};

struct med_subtitles {
    enum med_subtitle_format format;
    struct med_words words;
    size_t cues;           /* 0: words without cues */
    size_t bad_times;      /* malformed, and read all the same */
    size_t dropped;        /* cues that cannot be shown */
    bool guessed_encoding; /* it is no Unicode */
    const char *text;      /* the file in UTF-8, terminated */
    size_t text_bytes;
};

/* apart: no two cues at the same time, as a retimed file has them. */
enum cs_status med_subtitles_read(const char *bytes, size_t size_bytes, bool apart, struct cs_arena *arena,
                                  struct med_subtitles *ret_subtitles, struct cs_err *err) CS_MUST_USE;

#endif
