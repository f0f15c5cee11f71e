/* COVERS speech/chunks.c: long recordings, heard in parts. */
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cs/base/text.h"
#include "cs/test.h"
#include "speech/chunks.h"
#include "speech/recognizer.h"

enum { CHUNKS_MAX = 16, BLOCK = 8000 };

/* Says where each chunk began and what it was given; fails on those that it is told to. */
struct fake_ear {
    int64_t sizes[CHUNKS_MAX];
    size_t count;
    unsigned failing; /* bit n: chunk n */
    enum cs_status status;
};

static enum cs_status hear(void *self, const int16_t *samples, size_t count, struct cs_err *err) {
    struct fake_ear *ear = self;
    (void)samples;
    ear->sizes[ear->count] += (int64_t)count;
    if ((ear->failing >> ear->count & 1) != 0) {
        return cs_fail(err, ear->status, "deaf", "this ear is deaf");
    }
    return CS_OK;
}

static enum cs_status finish(void *self, struct cs_arena *arena, struct med_words *ret_words, double **ret_confidences,
                             struct cs_err *err) {
    struct fake_ear *ear = self;
    (void)err;
    ret_words->items = cs_arena_array(arena, 1, sizeof(struct med_word));
    ret_words->items[0] =
        (struct med_word){.text = "word", .size_bytes = 4, .characters = 4, .start_cs = 10, .end_cs = 60};
    ret_words->count = 1;
    *ret_confidences = cs_arena_array(arena, 1, sizeof(double));
    **ret_confidences = 0.5;
    ear->count++;
    return CS_OK;
}

/* Loud but for half a second before each whole 290 s. */
static enum cs_status listen(struct fake_ear *ear, int seconds, struct cs_arena *arena, struct med_heard *ret_heard,
                             struct cs_err *err) {
    const struct med_ear by = {hear, finish, ear};
    int64_t samples = (int64_t)seconds * MED_CHUNK_RATE;
    CS_AUTO(med_chunks) *chunks = med_chunks_create(&by, samples, arena);
    for (int64_t at = 0; at < samples; at += BLOCK) {
        int16_t block[BLOCK];
        bool quiet = (at / BLOCK + 1) % 580 == 0;
        for (int i = 0; i < BLOCK; i++) {
            block[i] = (int16_t)(quiet ? 3 : i % 2 == 0 ? 9000 : -9000);
        }
        CS_TRY(med_chunks_hear(chunks, block, BLOCK, err));
    }
    return med_chunks_finish(chunks, ret_heard, err);
}

TEST(ta_028_half_an_hour_is_heard_in_one_piece) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct fake_ear ear = {0};
    struct med_heard heard = {0};
    struct cs_err err = {0};
    assert_ok(listen(&ear, 1800, arena, &heard, &err), &err);
    assert_int_equal(heard.chunks, 1);
    assert_int_equal(ear.sizes[0], (int64_t)1800 * MED_CHUNK_RATE);
}

TEST(ta_028_more_is_heard_in_chunks_that_end_in_silence_and_times_go_on) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct fake_ear ear = {0};
    struct med_heard heard = {0};
    struct cs_err err = {0};
    assert_ok(listen(&ear, 2000, arena, &heard, &err), &err);
    assert_int_equal(heard.chunks, 7);
    assert_int_equal(heard.failed, 0);
    assert_int_equal(heard.words.count, 7);
    int64_t begin = 0;
    for (size_t i = 0; i < heard.chunks; i++) {
        assert_int_equal(heard.words.items[i].start_cs, begin * 100 / MED_CHUNK_RATE + 10);
        assert_int_equal(heard.words.items[i].end_cs, begin * 100 / MED_CHUNK_RATE + 60);
        assert_true(heard.confidences[i] == 0.5);
        begin += ear.sizes[i];
        assert_true(ear.sizes[i] <= (int64_t)MED_CHUNK_S * MED_CHUNK_RATE);
        if (i + 1 < heard.chunks) { /* in the half second before a multiple of 290 s */
            int64_t off_ms = begin * 1000 / MED_CHUNK_RATE % 290000;
            assert_in_range(off_ms, 289500, 290000);
        }
    }
    assert_int_equal(begin, (int64_t)2000 * MED_CHUNK_RATE); /* nothing is lost between them */
}

TEST(ta_028_chunks_that_cannot_be_heard_are_left_out_unless_they_are_most) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct fake_ear some = {.failing = 0x15, .status = CS_INTERNAL}; /* 3 of 7 */
    struct med_heard heard = {0};
    struct cs_err err = {0};
    assert_ok(listen(&some, 2000, arena, &heard, &err), &err);
    assert_int_equal(heard.chunks, 7);
    assert_int_equal(heard.failed, 3);
    assert_int_equal(heard.words.count, 4);
    assert_true(heard.words.items[0].start_cs > 28000);              /* of the second chunk */
    struct fake_ear most = {.failing = 0x17, .status = CS_INTERNAL}; /* 4 of 7 */
    assert_fails(listen(&most, 2000, arena, &heard, &err), &err, CS_INTERNAL, "transcription_failed");
    struct fake_ear one = {.failing = 0x1, .status = CS_INTERNAL}; /* the only one */
    err = (struct cs_err){0};
    assert_fails(listen(&one, 10, arena, &heard, &err), &err, CS_INTERNAL, "transcription_failed");
}

TEST(other_failures_end_it_at_once) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct fake_ear ear = {.failing = 0x2, .status = CS_UNAVAILABLE};
    struct med_heard heard = {0};
    struct cs_err err = {0};
    assert_fails(listen(&ear, 2000, arena, &heard, &err), &err, CS_UNAVAILABLE, "deaf");
    assert_int_equal(ear.count, 1);
}

/* In a process of its own, from which the model is hidden; 77: that cannot be done here. */
static int open_without_a_model(void) {
    struct med_recognizer *recognizer = NULL;
    struct cs_err err = {0};
    if (unshare(CLONE_NEWNS) != 0 || mount("", "/", "", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", "/usr/share/pocketsphinx", "tmpfs", 0, "size=64k") != 0) {
        return 77;
    }
    bool told = med_recognizer_open(&recognizer, &err) == CS_FAILED_PRECONDITION &&
                cs_str_eq(err.reason, "recognizer_not_available") && strstr(err.message, "pocketsphinx-en-us") != NULL;
    return told ? 0 : 1;
}

TEST(ta_029_a_missing_model_has_its_word) {
    pid_t child = fork();
    if (child == 0) {
        _exit(open_without_a_model());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("skipped: hiding the model needs root\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

TEST_MAIN(CS_TEST(ta_028_half_an_hour_is_heard_in_one_piece),
          CS_TEST(ta_028_more_is_heard_in_chunks_that_end_in_silence_and_times_go_on),
          CS_TEST(ta_028_chunks_that_cannot_be_heard_are_left_out_unless_they_are_most),
          CS_TEST(ta_029_a_missing_model_has_its_word), CS_TEST(other_failures_end_it_at_once))
