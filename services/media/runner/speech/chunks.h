/*
 * chunks: a long recording, heard part by part.
 *
 * Rules    One of more than MED_CHUNKED_FROM_S is heard in chunks of at most MED_CHUNK_S, each of which ends where it
 * is quietest in its last MED_CHUNK_SLACK_S. A chunk that cannot be heard is left out; when that are more than half of
 * them, all has failed. Times are those of the recording.
 *
 * Memory   MED_CHUNK_SLACK_S of sound, and the words.
 * Fails    INTERNAL "transcription_failed"; OUT_OF_RANGE "too_many_words"; what an ear fails with but for INTERNAL.
 * Threads  one.
 */
#ifndef MED_CHUNKS_H
#define MED_CHUNKS_H

#include "captions/words.h"

enum {
    MED_CHUNK_RATE = 16000,
    MED_CHUNKED_FROM_S = 1800,
    MED_CHUNK_S = 300,
    MED_CHUNK_SLACK_S = 20,
};

/* Who hears one chunk after the other. INTERNAL: this chunk is lost. */
struct med_ear {
    enum cs_status (*hear)(void *self, const int16_t *samples, size_t count, struct cs_err *err);
    /* The chunk's words, with times from its begin, and their confidences; the next chunk begins. */
    enum cs_status (*finish)(void *self, struct cs_arena *arena, struct med_words *ret_words, double **ret_confidences,
                             struct cs_err *err);
    void *self;
};

struct med_chunks;

/* samples: of the whole recording, at MED_CHUNK_RATE, one channel. */
struct med_chunks *med_chunks_create(const struct med_ear *ear, int64_t samples, struct cs_arena *arena);
void med_chunks_destroy(struct med_chunks *chunks);
CS_DEFINE_AUTO(med_chunks, med_chunks_destroy)

enum cs_status med_chunks_hear(struct med_chunks *chunks, const int16_t *samples, size_t count,
                               struct cs_err *err) CS_MUST_USE;

struct med_heard {
    struct med_words words;
    double *confidences;
    size_t chunks;
    size_t failed;
};
/* The recording has ended. */
enum cs_status med_chunks_finish(struct med_chunks *chunks, struct med_heard *ret_heard,
                                 struct cs_err *err) CS_MUST_USE;

#endif
