/* COVERS graph/encode.c graph/encoding.c graph/queue.c graph/async.c: the same job gives the same bytes, however busy
 * the machine is. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/test.h"
#include "each.h"

enum { BURNERS = 3, RUNS = 6 };

/* ---- a busy machine ---- */

struct burners {
    pthread_t threads[BURNERS];
    atomic_bool stop;
};

static void *burn(void *arg) {
    struct burners *burners = arg;
    while (!atomic_load(&burners->stop)) {
    }
    return NULL;
}

static void start(struct burners *burners) {
    for (int i = 0; i < BURNERS; i++) {
        assert_int_equal(pthread_create(&burners->threads[i], NULL, burn, burners), 0);
    }
}

static void stop(struct burners *burners) {
    atomic_store(&burners->stop, true);
    for (int i = 0; i < BURNERS; i++) {
        pthread_join(burners->threads[i], NULL);
    }
}

/* ---- bytes ---- */

static uint64_t hash_of(struct studio *studio, const char *name) {
    FILE *file = fopen(studio_path(studio, name), "rb");
    uint64_t hash = 14695981039346656037U;
    assert_non_null(file);
    for (int c = 0; (c = fgetc(file)) != EOF;) {
        hash = (hash ^ (uint64_t)c) * 1099511628211U;
    }
    (void)fclose(file);
    return hash;
}

TEST(every_operation_gives_the_same_bytes_on_a_busy_machine) {
    CS_AUTO_STUDIO studio;
    struct each_film fixture;
    studio_open(&studio);
    const char *path = each_prepare(&studio, 25, 1, 4, &fixture);
    for (size_t i = 0; i < each_ops_count; i++) {
        struct burners burners = {0};
        uint64_t idle = hash_of(&studio, each_run(&studio, &each_ops[i], &fixture, path, "idle"));
        start(&burners);
        uint64_t busy = hash_of(&studio, each_run(&studio, &each_ops[i], &fixture, path, "busy"));
        stop(&burners);
        if (idle != busy) {
            fail_msg("%s: other bytes on a busy machine", each_ops[i].name);
        }
    }
}

/* ---- what gives an encoder much to choose ---- */

static const char *const texture =
    "-f lavfi -i \"nullsrc=s=320x180:r=25:d=3,geq=lum='if(lt(abs(X-30-T*80),14)*lt(abs(Y-90),20),235,"
    "90+mod(floor(X+T*31)*7+floor(Y+T*17)*13,23))':cb=128:cr=128\" -c:v libx264 -preset veryfast -crf 16 "
    "-pix_fmt yuv420p ";

static int runs_wanted(void) {
    const char *wish = getenv("CALLSHEET_RUNS");
    return wish != NULL ? atoi(wish) : RUNS;
}

static void expect_same_bytes(const char *operation) {
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *path = studio_make(&studio, "texture.mp4", texture);
    struct burners burners = {0};
    uint64_t first = 0;
    int others = 0;
    start(&burners);
    for (int i = 0; i < runs_wanted(); i++) {
        assert_ok(studio_run(&studio, operation, "out.mp4", (const char *[]){path, NULL}), &studio.err);
        uint64_t hash = hash_of(&studio, "out.mp4");
        first = i == 0 ? hash : first;
        others += hash != first;
    }
    stop(&burners);
    if (others > 0) {
        fail_msg("%d of %d runs gave other bytes", others, runs_wanted());
    }
}

TEST(a_window_that_follows_over_a_moving_texture_gives_the_same_bytes) {
    expect_same_bytes("{\"reframe\":{\"video\":{\"input\":1},\"mode\":\"smart\",\"width\":100,\"height\":180}}");
}

TEST(a_moving_texture_gives_the_same_bytes) {
    expect_same_bytes("{\"reframe\":{\"video\":{\"input\":1},\"width\":270,\"height\":180}}");
}

TEST_MAIN(CS_TEST(every_operation_gives_the_same_bytes_on_a_busy_machine),
          CS_TEST(a_window_that_follows_over_a_moving_texture_gives_the_same_bytes),
          CS_TEST(a_moving_texture_gives_the_same_bytes))
