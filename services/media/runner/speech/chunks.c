#include "speech/chunks.h"

#include <stdlib.h>
#include <string.h>

#include "bounds.h"

enum {
    SAMPLES_PER_CS = MED_CHUNK_RATE / 100,
    WINDOW = MED_CHUNK_RATE / 5, /* a pause is looked for in windows of 200 ms */
    SLACK = MED_CHUNK_SLACK_S * MED_CHUNK_RATE,
    STRAIGHT = (MED_CHUNK_S - MED_CHUNK_SLACK_S) * MED_CHUNK_RATE, /* samples of a chunk before its end is looked for */
};

struct med_chunks {
    struct med_ear ear;
    struct cs_arena *arena;
    bool parted;
    int16_t *slack;
    size_t slack_size;
    int64_t begin; /* of the chunk, in samples of the recording */
    int64_t heard; /* of the chunk */
    bool lost;
    size_t count;
    size_t failed;
    struct cs_buf words;
    struct cs_buf confidences;
};

struct med_chunks *med_chunks_create(const struct med_ear *ear, int64_t samples, struct cs_arena *arena) {
    struct med_chunks *chunks = cs_alloc(sizeof(*chunks));
    chunks->ear = *ear;
    chunks->arena = arena;
    chunks->parted = samples > (int64_t)MED_CHUNKED_FROM_S * MED_CHUNK_RATE;
    chunks->slack = cs_alloc_array(SLACK, sizeof(*chunks->slack));
    return chunks;
}

void med_chunks_destroy(struct med_chunks *chunks) {
    if (chunks != NULL) {
        cs_buf_fini(&chunks->words);
        cs_buf_fini(&chunks->confidences);
        free(chunks->slack);
        free(chunks);
    }
}

/* ---- one chunk ---- */

/* Only what the ear itself could not do is forgiven. */
static enum cs_status forgive(struct med_chunks *chunks, enum cs_status status) {
    chunks->lost |= status == CS_INTERNAL;
    return status == CS_INTERNAL ? CS_OK : status;
}

static enum cs_status give(struct med_chunks *chunks, const int16_t *samples, size_t count, struct cs_err *err) {
    struct cs_err why = {0};
    chunks->heard += (int64_t)count;
    if (chunks->lost || count == 0) {
        return CS_OK;
    }
    enum cs_status status = chunks->ear.hear(chunks->ear.self, samples, count, &why);
    if (forgive(chunks, status) != CS_OK) {
        *err = why;
        return status;
    }
    return CS_OK;
}

static void keep(struct med_chunks *chunks, const struct med_words *words, const double *confidences) {
    int64_t begin_cs = chunks->begin / SAMPLES_PER_CS;
    for (size_t i = 0; i < words->count; i++) {
        struct med_word word = words->items[i];
        word.start_cs += begin_cs;
        word.end_cs += begin_cs;
        cs_buf_put(&chunks->words, &word, sizeof(word));
        cs_buf_put(&chunks->confidences, &confidences[i], sizeof(*confidences));
    }
}

static enum cs_status end_chunk(struct med_chunks *chunks, struct cs_err *err) {
    struct med_words words = {0};
    struct cs_err why = {0};
    double *confidences = NULL;
    enum cs_status status = chunks->ear.finish(chunks->ear.self, chunks->arena, &words, &confidences, &why);
    if (forgive(chunks, status) != CS_OK) {
        *err = why;
        return status;
    }
    if (!chunks->lost) {
        keep(chunks, &words, confidences);
    }
    if (chunks->words.size / sizeof(struct med_word) > MED_WORDS_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_many_words", "a transcript may have %d words at most", MED_WORDS_MAX);
    }
    chunks->count++;
    chunks->failed += chunks->lost;
    chunks->lost = false;
    chunks->begin += chunks->heard;
    chunks->heard = 0;
    return CS_OK;
}

/* The middle of the quietest window, on a whole centisecond. */
static size_t quietest(const struct med_chunks *chunks) {
    size_t best = chunks->slack_size;
    int64_t least = INT64_MAX;
    for (size_t at = 0; at + WINDOW <= chunks->slack_size; at += WINDOW / 2) {
        int64_t energy = 0;
        for (size_t i = at; i < at + WINDOW; i++) {
            energy += (int64_t)chunks->slack[i] * chunks->slack[i];
        }
        if (energy < least) {
            least = energy;
            best = at + WINDOW / 2;
        }
    }
    return best - best % SAMPLES_PER_CS;
}

static enum cs_status part(struct med_chunks *chunks, struct cs_err *err) {
    size_t end = quietest(chunks);
    CS_TRY(give(chunks, chunks->slack, end, err));
    CS_TRY(end_chunk(chunks, err));
    size_t rest = chunks->slack_size - end;
    chunks->slack_size = 0;
    return give(chunks, chunks->slack + end, rest, err); /* less than a chunk: it ends nothing */
}

/* ---- the recording ---- */

enum cs_status med_chunks_hear(struct med_chunks *chunks, const int16_t *samples, size_t count, struct cs_err *err) {
    while (count > 0) {
        bool straight = !chunks->parted || chunks->heard < STRAIGHT;
        int64_t room = !chunks->parted ? (int64_t)count
                       : straight      ? STRAIGHT - chunks->heard
                                       : SLACK - (int64_t)chunks->slack_size;
        size_t taken = (int64_t)count < room ? count : (size_t)room;
        if (straight) {
            CS_TRY(give(chunks, samples, taken, err));
        } else {
            memcpy(chunks->slack + chunks->slack_size, samples, taken * sizeof(*samples));
            chunks->slack_size += taken;
        }
        samples += taken;
        count -= taken;
        if (chunks->slack_size == SLACK) {
            CS_TRY(part(chunks, err));
        }
    }
    return CS_OK;
}

enum cs_status med_chunks_finish(struct med_chunks *chunks, struct med_heard *ret_heard, struct cs_err *err) {
    CS_TRY(give(chunks, chunks->slack, chunks->slack_size, err));
    CS_TRY(end_chunk(chunks, err));
    if (2 * chunks->failed > chunks->count) {
        return cs_fail(err, CS_INTERNAL, "transcription_failed", "%zu of %zu parts of the recording could not be heard",
                       chunks->failed, chunks->count);
    }
    size_t count = chunks->words.size / sizeof(struct med_word);
    *ret_heard = (struct med_heard){.chunks = chunks->count, .failed = chunks->failed};
    ret_heard->words.items = cs_arena_array(chunks->arena, count + 1, sizeof(struct med_word));
    ret_heard->words.count = count;
    ret_heard->confidences = cs_arena_array(chunks->arena, count + 1, sizeof(double));
    if (count > 0) {
        memcpy(ret_heard->words.items, chunks->words.data, chunks->words.size);
        memcpy(ret_heard->confidences, chunks->confidences.data, chunks->confidences.size);
    }
    return CS_OK;
}
