/*
 * recognizer: what is said in a recording, word by word with its time. Pocketsphinx with its US English model: it works
 * offline and everywhere, and about one word in four is wrong. Its transcripts say so: quality "draft".
 *
 * Memory   at most MED_UTTERANCE_S of sound; the model takes 110 MB.
 * Needs    the model's files, when it is opened: before a child gives up files. Hearing needs none.
 * Threads  one.
 * Fails    FAILED_PRECONDITION "recognizer_not_available" when the model is not installed or cannot be read.
 */
#ifndef MED_RECOGNIZER_H
#define MED_RECOGNIZER_H

#include "captions/words.h"

#define MED_RECOGNIZER_MODEL "pocketsphinx-en-us"
#define MED_RECOGNIZER_LIMITS                                                                                          \
    "US English only; about one word in four is wrong; no punctuation, no fillers, no speakers"

enum {
    MED_HEARING_RATE = 16000,
    MED_UTTERANCE_S = 30, /* sound is heard in pieces of at most that, cut where it is quiet */
};

struct med_recognizer;

enum cs_status med_recognizer_open(struct med_recognizer **ret_recognizer, struct cs_err *err) CS_MUST_USE;
void med_recognizer_close(struct med_recognizer *recognizer);
CS_DEFINE_AUTO(med_recognizer, med_recognizer_close)

/* The next samples of the recording: 16 kHz, one channel. */
enum cs_status med_recognizer_hear(struct med_recognizer *recognizer, const int16_t *samples, size_t count,
                                   struct cs_err *err) CS_MUST_USE;
/* The recording has ended; the next samples begin another one. Words and their confidences (0 … 1, one each) are in the
 * arena. INTERNAL "recognizer" when the recogniser gave up; it is ready for another recording all the same. */
enum cs_status med_recognizer_finish(struct med_recognizer *recognizer, struct cs_arena *arena,
                                     struct med_words *ret_words, double **ret_confidences,
                                     struct cs_err *err) CS_MUST_USE;

#endif
