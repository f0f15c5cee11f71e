#include "speech/recognizer.h"

#include <pocketsphinx.h>
#include <sphinxbase/err.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "cs/base/text.h"

#define MODEL_DIR "/usr/share/pocketsphinx/model/en-us/"

enum {
    WINDOW = MED_HEARING_RATE / 5,   /* samples: a pause is looked for in windows of 200 ms */
    CUT_FROM = 8 * MED_HEARING_RATE, /* before that a piece is not ended */
    ROOM = MED_UTTERANCE_S * MED_HEARING_RATE,
    SAMPLES_PER_CS = MED_HEARING_RATE / 100,
    WORD_BYTES_MAX = 64,
};

struct heard {
    char text[WORD_BYTES_MAX];
    int64_t start_cs;
    int64_t end_cs;
    double confidence;
};

struct med_recognizer {
    ps_decoder_t *decoder;
    cmd_ln_t *config;
    int16_t *piece; /* ROOM samples */
    size_t piece_size;
    int64_t offset;      /* samples before the piece */
    struct cs_buf words; /* of struct heard */
    bool uttering;
};

/* ---- life ---- */

enum cs_status med_recognizer_open(struct med_recognizer **ret_recognizer, struct cs_err *err) {
    CS_AUTO(med_recognizer) *recognizer = cs_alloc(sizeof(*recognizer));
    err_set_logfp(NULL);
    /* Silence stays: without it the times of words would be those of a shorter recording. */
    recognizer->config =
        cmd_ln_init(NULL, ps_args(), TRUE, "-hmm", MODEL_DIR "en-us", "-lm", MODEL_DIR "en-us.lm.bin", "-dict",
                    MODEL_DIR "cmudict-en-us.dict", "-remove_silence", "no", "-bestpath", "yes", NULL);
    recognizer->decoder = recognizer->config != NULL ? ps_init(recognizer->config) : NULL;
    if (recognizer->decoder == NULL) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "recognizer_not_available",
                       "the model for recognising speech (package pocketsphinx-en-us) is not installed");
    }
    recognizer->piece = cs_alloc_array(ROOM, sizeof(*recognizer->piece));
    *ret_recognizer = cs_steal(&recognizer);
    return CS_OK;
}

void med_recognizer_close(struct med_recognizer *recognizer) {
    if (recognizer == NULL) {
        return;
    }
    if (recognizer->decoder != NULL) {
        (void)ps_free(recognizer->decoder);
    }
    if (recognizer->config != NULL) {
        (void)cmd_ln_free_r(recognizer->config);
    }
    cs_buf_fini(&recognizer->words);
    free(recognizer->piece);
    free(recognizer);
}

/* ---- one piece ---- */

/* "read(2)" is another way to say "read". */
static bool is_word(const char *text) {
    return text[0] != '<' && text[0] != '[' && text[0] != '+';
}

static void take_word(struct med_recognizer *recognizer, ps_seg_t *segment) {
    const char *text = ps_seg_word(segment);
    struct heard heard = {.confidence = 0};
    int first = 0;
    int last = 0;
    if (text == NULL || !is_word(text)) {
        return;
    }
    size_t length = strcspn(text, "(");
    length = length < WORD_BYTES_MAX - 1 ? length : WORD_BYTES_MAX - 1;
    memcpy(heard.text, text, length);
    ps_seg_frames(segment, &first, &last);
    double confidence = logmath_exp(ps_get_logmath(recognizer->decoder), ps_seg_prob(segment, NULL, NULL, NULL));
    heard.confidence = confidence < 0 ? 0 : confidence > 1 ? 1 : confidence;
    heard.start_cs = recognizer->offset / SAMPLES_PER_CS + first;
    heard.end_cs = recognizer->offset / SAMPLES_PER_CS + last + 1;
    cs_buf_put(&recognizer->words, &heard, sizeof(heard));
}

/* The first `size` samples of the piece. */
static enum cs_status hear_piece(struct med_recognizer *recognizer, size_t size, struct cs_err *err) {
    recognizer->uttering = ps_start_utt(recognizer->decoder) >= 0;
    if (!recognizer->uttering || ps_process_raw(recognizer->decoder, recognizer->piece, size, FALSE, TRUE) < 0 ||
        ps_end_utt(recognizer->decoder) < 0) {
        return cs_fail(err, CS_INTERNAL, "recognizer", "the recogniser gave up");
    }
    recognizer->uttering = false;
    for (ps_seg_t *segment = ps_seg_iter(recognizer->decoder); segment != NULL; segment = ps_seg_next(segment)) {
        take_word(recognizer, segment);
    }
    recognizer->piece_size -= size;
    memmove(recognizer->piece, recognizer->piece + size, recognizer->piece_size * sizeof(*recognizer->piece));
    recognizer->offset += (int64_t)size;
    if (recognizer->words.size / sizeof(struct heard) > MED_WORDS_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_many_words", "a transcript may have %d words at most", MED_WORDS_MAX);
    }
    return CS_OK;
}

/* The middle of the quietest window behind CUT_FROM, on a whole centisecond. */
static size_t quietest(const struct med_recognizer *recognizer) {
    size_t best = recognizer->piece_size;
    int64_t least = INT64_MAX;
    for (size_t at = CUT_FROM; at + WINDOW <= recognizer->piece_size; at += WINDOW / 2) {
        int64_t energy = 0;
        for (size_t i = 0; i < WINDOW; i++) {
            int64_t sample = recognizer->piece[at + i];
            energy += sample * sample;
        }
        if (energy < least) {
            least = energy;
            best = at + WINDOW / 2;
        }
    }
    return best - best % SAMPLES_PER_CS;
}

enum cs_status med_recognizer_hear(struct med_recognizer *recognizer, const int16_t *samples, size_t count,
                                   struct cs_err *err) {
    while (count > 0) {
        size_t room = ROOM - recognizer->piece_size;
        size_t taken = count < room ? count : room;
        memcpy(recognizer->piece + recognizer->piece_size, samples, taken * sizeof(*samples));
        recognizer->piece_size += taken;
        samples += taken;
        count -= taken;
        if (recognizer->piece_size == ROOM) {
            CS_TRY(hear_piece(recognizer, quietest(recognizer), err));
        }
    }
    return CS_OK;
}

static void begin_again(struct med_recognizer *recognizer) {
    if (recognizer->uttering) {
        (void)ps_end_utt(recognizer->decoder);
    }
    recognizer->uttering = false;
    recognizer->piece_size = 0;
    recognizer->offset = 0;
    cs_buf_clear(&recognizer->words);
}

enum cs_status med_recognizer_finish(struct med_recognizer *recognizer, struct cs_arena *arena,
                                     struct med_words *ret_words, double **ret_confidences, struct cs_err *err) {
    enum cs_status status = recognizer->piece_size > 0 ? hear_piece(recognizer, recognizer->piece_size, err) : CS_OK;
    if (status != CS_OK) {
        begin_again(recognizer);
        return status;
    }
    size_t count = recognizer->words.size / sizeof(struct heard);
    struct med_words words = {.items = cs_arena_array(arena, count + 1, sizeof(struct med_word)), .count = count};
    double *confidences = cs_arena_array(arena, count + 1, sizeof(*confidences));
    for (size_t i = 0; i < count; i++) {
        struct heard heard;
        memcpy(&heard, recognizer->words.data + i * sizeof(heard), sizeof(heard));
        words.items[i] = (struct med_word){
            .text = cs_arena_strdup(arena, heard.text),
            .size_bytes = strlen(heard.text),
            .characters = strlen(heard.text), /* the model speaks ASCII */
            .start_cs = heard.start_cs,
            .end_cs = heard.end_cs,
        };
        confidences[i] = heard.confidence;
    }
    begin_again(recognizer);
    *ret_words = words;
    *ret_confidences = confidences;
    return CS_OK;
}
