/* COVERS vendor/ledger.c engine/pool.c */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cs/base/text.h"
#include "cs/test.h"
#include "cs/test_support.h"
#include "engine/pool.h"
#include "vendor/ledger.h"

static struct prv_ledger *open_in(const struct cs_test_dir *dir) {
    struct prv_ledger *ledger = NULL;
    struct cs_err err = {0};
    assert_ok(prv_ledger_open(dir->path, &ledger, &err), &err);
    return ledger;
}

static const uint8_t *request(size_t *ret_size) {
    static uint8_t bytes[256];
    Callsheet__V1__Operation operation = CALLSHEET__V1__OPERATION__INIT;
    Callsheet__V1__GenerateVideo video = CALLSHEET__V1__GENERATE_VIDEO__INIT;
    video.prompt = (char *)"a fox";
    video.provider = (char *)"local";
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_GENERATE_VIDEO;
    operation.generate_video = &video;
    *ret_size = callsheet__v1__operation__pack(&operation, bytes);
    return bytes;
}

static bool add(struct prv_ledger *ledger, const char *key, const int *fds, size_t count, char id[PRV_LEDGER_ID_SIZE]) {
    struct cs_err err = {0};
    bool fresh = false;
    size_t size = 0;
    const uint8_t *bytes = request(&size);
    assert_ok(prv_ledger_add(ledger, key, bytes, size, fds, count, id, &fresh, &err), &err);
    return fresh;
}

static enum prv_ledger_state state_of(struct prv_ledger *ledger, const char *id) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct prv_ledger_entry entry = {0};
    struct cs_err err = {0};
    assert_ok(prv_ledger_get(ledger, id, arena, &entry, &err), &err);
    return entry.state;
}

TEST(a_repeated_submission_is_the_same_prediction_also_after_a_restart) {
    CS_AUTO_TEST_DIR dir = {0};
    char first[PRV_LEDGER_ID_SIZE];
    char again[PRV_LEDGER_ID_SIZE];
    char other[PRV_LEDGER_ID_SIZE];
    cs_test_dir_create(&dir);
    struct prv_ledger *ledger = open_in(&dir);
    assert_true(add(ledger, "e1/a/1", NULL, 0, first));
    assert_false(add(ledger, "e1/a/1", NULL, 0, again));
    assert_string_equal(first, again);
    assert_true(add(ledger, "e1/a/2", NULL, 0, other));
    assert_string_not_equal(first, other);
    prv_ledger_close(ledger);
    ledger = open_in(&dir);
    assert_false(add(ledger, "e1/a/1", NULL, 0, again));
    assert_int_equal(state_of(ledger, first), PRV_LEDGER_OPEN);
    prv_ledger_close(ledger);
}

struct racer {
    struct prv_ledger *ledger;
    pthread_barrier_t *barrier;
    bool fresh;
};

static void *race(void *arg) {
    struct racer *racer = arg;
    char id[PRV_LEDGER_ID_SIZE];
    struct cs_err err = {0};
    size_t size = 0;
    const uint8_t *bytes = request(&size);
    (void)pthread_barrier_wait(racer->barrier);
    return prv_ledger_add(racer->ledger, "e1/race/1", bytes, size, NULL, 0, id, &racer->fresh, &err) == CS_OK ? NULL
                                                                                                              : arg;
}

TEST(of_many_at_once_one_submission_is_new) {
    CS_AUTO_TEST_DIR dir = {0};
    pthread_barrier_t barrier;
    pthread_t threads[8];
    struct racer racers[8];
    int fresh = 0;
    cs_test_dir_create(&dir);
    struct prv_ledger *ledger = open_in(&dir);
    (void)request(&(size_t){0});
    (void)pthread_barrier_init(&barrier, NULL, 8);
    for (int i = 0; i < 8; i++) {
        racers[i] = (struct racer){ledger, &barrier, false};
        (void)pthread_create(&threads[i], NULL, race, &racers[i]);
    }
    for (int i = 0; i < 8; i++) {
        void *failed = NULL;
        (void)pthread_join(threads[i], &failed);
        assert_null(failed);
        fresh += racers[i].fresh ? 1 : 0;
    }
    assert_int_equal(fresh, 1);
    (void)pthread_barrier_destroy(&barrier);
    prv_ledger_close(ledger);
}

TEST(a_rendering_has_its_inputs_and_one_renderer) {
    CS_AUTO_TEST_DIR dir = {0};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct prv_rendering rendering = {.lock_fd = -1};
    struct prv_rendering second = {.lock_fd = -1};
    struct cs_err err = {0};
    char id[PRV_LEDGER_ID_SIZE];
    char text[8] = "";
    cs_test_dir_create(&dir);
    struct prv_ledger *ledger = open_in(&dir);
    struct prv_ledger *elsewhere = open_in(&dir);
    int input = memfd_create("input", MFD_CLOEXEC);
    assert_int_equal(write(input, "pixels", 6), 6);
    assert_true(add(ledger, "k", &input, 1, id));
    (void)close(input);
    assert_ok(prv_ledger_begin(ledger, id, arena, &rendering, &err), &err);
    assert_int_equal(rendering.fd_count, 2);
    assert_int_equal(pread(rendering.fds[0], text, sizeof(text), 0), 6);
    assert_string_equal(text, "pixels");
    assert_string_equal(rendering.operation->generate_video->prompt, "a fox");
    assert_fails(prv_ledger_begin(elsewhere, id, arena, &second, &err), &err, CS_RESOURCE_EXHAUSTED,
                 "rendering_elsewhere");
    assert_int_equal(write(rendering.fds[1], "out", 3), 3);
    assert_ok(prv_ledger_end(ledger, id, NULL, &err), &err);
    prv_rendering_fini(&rendering);
    assert_int_equal(state_of(elsewhere, id), PRV_LEDGER_DONE);
    assert_fails(prv_ledger_begin(elsewhere, id, arena, &second, &err), &err, CS_FAILED_PRECONDITION, "ended");
    int output = -1;
    assert_ok(prv_ledger_output(elsewhere, id, &output, &err), &err);
    assert_int_equal(read(output, text, sizeof(text)), 3);
    (void)close(output);
    prv_ledger_close(elsewhere);
    prv_ledger_close(ledger);
}

TEST(an_interrupted_rendering_starts_over_from_nothing) {
    CS_AUTO_TEST_DIR dir = {0};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct prv_rendering rendering = {.lock_fd = -1};
    struct prv_ledger_entry entry = {0};
    struct cs_err err = {0};
    char id[PRV_LEDGER_ID_SIZE];
    struct stat facts;
    cs_test_dir_create(&dir);
    struct prv_ledger *ledger = open_in(&dir);
    assert_true(add(ledger, "k", NULL, 0, id));
    assert_ok(prv_ledger_begin(ledger, id, arena, &rendering, &err), &err);
    assert_int_equal(write(rendering.fds[0], "half", 4), 4);
    prv_rendering_fini(&rendering);
    assert_ok(prv_ledger_begin(ledger, id, arena, &rendering, &err), &err);
    assert_int_equal(fstat(rendering.fds[0], &facts), 0);
    assert_int_equal(facts.st_size, 0);
    prv_rendering_fini(&rendering);
    assert_ok(prv_ledger_get(ledger, id, arena, &entry, &err), &err);
    assert_int_equal(entry.begun, 2);
    int output = -1;
    assert_fails(prv_ledger_output(ledger, id, &output, &err), &err, CS_FAILED_PRECONDITION, "not_done");
    prv_ledger_close(ledger);
}

TEST(an_end_is_written_once) {
    CS_AUTO_TEST_DIR dir = {0};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct prv_ledger_entry entry = {0};
    struct cs_err err = {0};
    char id[PRV_LEDGER_ID_SIZE];
    cs_test_dir_create(&dir);
    struct prv_ledger *ledger = open_in(&dir);
    Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
    failed.failure_class = CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_CODEC_UNSUPPORTED;
    failed.code = (char *)"codec";
    failed.message = (char *)"first";
    assert_true(add(ledger, "k", NULL, 0, id));
    assert_ok(prv_ledger_end(ledger, id, &failed, &err), &err);
    failed.message = (char *)"second";
    assert_ok(prv_ledger_end(ledger, id, &failed, &err), &err);
    assert_ok(prv_ledger_cancel(ledger, id, &err), &err);
    assert_ok(prv_ledger_get(ledger, id, arena, &entry, &err), &err);
    assert_int_equal(entry.state, PRV_LEDGER_FAILED);
    assert_string_equal(entry.failed->message, "first");
    assert_true(add(ledger, "k2", NULL, 0, id));
    assert_ok(prv_ledger_cancel(ledger, id, &err), &err);
    assert_int_equal(state_of(ledger, id), PRV_LEDGER_CANCELED);
    prv_ledger_close(ledger);
}

TEST(ids_from_outside_lead_nowhere) {
    CS_AUTO_TEST_DIR dir = {0};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct prv_ledger_entry entry = {0};
    static const char *const ids[] = {
        "", ".", "..", "loc_nope", "../tmp", "loc_/../../etc", "loc_00000000000000000000000000000000000000000000"};
    cs_test_dir_create(&dir);
    struct prv_ledger *ledger = open_in(&dir);
    for (size_t i = 0; i < CS_COUNT(ids); i++) {
        struct cs_err err = {0};
        assert_fails(prv_ledger_get(ledger, ids[i], arena, &entry, &err), &err, CS_NOT_FOUND, "no_such_prediction");
    }
    prv_ledger_close(ledger);
}

TEST(old_ends_are_swept_at_open_and_open_predictions_stay) {
    CS_AUTO_TEST_DIR dir = {0};
    struct cs_err err = {0};
    char ended[PRV_LEDGER_ID_SIZE];
    char open_id[PRV_LEDGER_ID_SIZE];
    char path[512];
    cs_test_dir_create(&dir);
    struct prv_ledger *ledger = open_in(&dir);
    assert_true(add(ledger, "ended", NULL, 0, ended));
    assert_true(add(ledger, "open", NULL, 0, open_id));
    assert_ok(prv_ledger_cancel(ledger, ended, &err), &err);
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    (void)snprintf(path, sizeof(path), "%s/predictions/%s/canceled", dir.path, ended);
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    prv_ledger_close(ledger);
    ledger = open_in(&dir);
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct prv_ledger_entry entry = {0};
    assert_fails(prv_ledger_get(ledger, ended, arena, &entry, &err), &err, CS_NOT_FOUND, "no_such_prediction");
    assert_int_equal(state_of(ledger, open_id), PRV_LEDGER_OPEN);
    prv_ledger_close(ledger);
}

static void mark(void *ctx) {
    __atomic_fetch_add((int *)ctx, 1, __ATOMIC_SEQ_CST);
}

TEST(a_pool_runs_what_is_queued_before_it_ends) {
    struct prv_pool *pool = NULL;
    struct cs_err err = {0};
    int count = 0;
    assert_ok(prv_pool_create(3, &pool, &err), &err);
    for (int i = 0; i < 1000; i++) {
        prv_pool_run(pool, mark, &count);
    }
    prv_pool_destroy(pool);
    assert_int_equal(count, 1000);
}

TEST_MAIN(CS_TEST(a_repeated_submission_is_the_same_prediction_also_after_a_restart),
          CS_TEST(of_many_at_once_one_submission_is_new), CS_TEST(a_rendering_has_its_inputs_and_one_renderer),
          CS_TEST(an_interrupted_rendering_starts_over_from_nothing), CS_TEST(an_end_is_written_once),
          CS_TEST(ids_from_outside_lead_nowhere), CS_TEST(old_ends_are_swept_at_open_and_open_predictions_stay),
          CS_TEST(a_pool_runs_what_is_queued_before_it_ends))
