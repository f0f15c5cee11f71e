/*
 * timed_text: cues as the samples of a text track of an MP4 file (3GPP timed text, "tx3g").
 *
 * Samples follow each other without gaps; where nothing is said one is empty. Bold, italic, underlined and coloured
 * words are.
 */
#ifndef MED_TIMED_TEXT_H
#define MED_TIMED_TEXT_H

#include "edit/retime.h"

enum { MED_TIMED_TEXT_BYTES_MAX = 32000 /* of one sample's text; what is longer ends there */ };

struct med_timed_sample {
    int64_t start_ms;
    int64_t duration_ms;
    const uint8_t *bytes;
    size_t size_bytes;
};

struct med_timed_text {
    struct med_timed_sample *samples;
    size_t count;
    size_t cues; /* of them: that say something */
};

/* Up to the end of the video: nothing is shown behind it. Cues are in order and apart. */
struct med_timed_text med_timed_text_of(const struct med_words *words, const struct med_cues *cues, int64_t length_ms,
                                        struct cs_arena *arena);

/* How samples look that say nothing else: white, at the bottom, in the middle. */
extern const uint8_t med_timed_text_description[];
extern const size_t med_timed_text_description_bytes;

/* Three letters of ISO 639-2 for a BCP 47 tag: "eng" for "en-US", "und" for what is not known. */
void med_language_code(const char *tag, char ret_code[4]);

#endif
