/* COVERS graph/queue.c, graph/reverse.c, graph/join.c: how much memory a job takes does not depend on how long its
 * inputs are, nor on how many. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cs/test.h"
#include "studio.h"

#define INPUTS(...) ((const char *[]){__VA_ARGS__, NULL})

enum { TIMES = 4, FRAMES = 520, CLIPS = 25, SLACK_KIB = 10240 /* of the allocator */ };

static const double growth_max = 1.1; /* of TIMES as much; all its pictures would be 33 MiB more */

/* Of a job in a process of its own, in KiB. */
static long resident_kib(struct studio *studio, const char *json, const char *const *inputs) {
    struct rusage used;
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        enum cs_status outcome = studio_run(studio, json, "out.mp4", inputs);
        if (outcome != CS_OK) {
            (void)fprintf(stderr, "%s: %s\n", json, studio->err.message);
        }
        _exit(outcome == CS_OK ? 0 : 1);
    }
    assert_true(pid > 0);
    while (wait4(pid, &status, 0, &used) < 0 && errno == EINTR) {
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return used.ru_maxrss;
}

static void compare(const char *what, long less, long more) {
    print_message("%s: %ld KiB, of %d times as much %ld KiB\n", what, less, (int)TIMES, more);
    if ((double)more > (double)less * growth_max + SLACK_KIB) {
        fail_msg("%s takes memory for what is behind", what);
    }
}

static const char *make_film(struct studio *studio, const char *name, int frames) {
    return studio_make(studio, name,
                       cs_arena_sprintf(studio->arena,
                                        "-f lavfi -i testsrc2=s=160x90:r=60:d=%g -f lavfi -i sine=d=%g:r=48000 -c:v "
                                        "libx264 -preset ultrafast -g 50 -pix_fmt yuv420p -c:a aac",
                                        frames / 60.0, frames / 60.0));
}

TEST(memory_does_not_grow_with_the_length_of_a_film) {
    static const char *const operations[] = {
        "{\"reverse\":{\"video\":{\"input\":1}}}",
        "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":1}}],\"transition\":{\"type\":\"fade\","
        "\"duration\":1}}}",
    };
#ifdef CS_SANITIZED
    skip(); /* what is freed stays */
#endif
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *less = make_film(&studio, "less.mp4", FRAMES);
    const char *more = make_film(&studio, "more.mp4", FRAMES * TIMES);
    for (size_t i = 0; i < CS_COUNT(operations); i++) {
        compare(operations[i], resident_kib(&studio, operations[i], INPUTS(less)),
                resident_kib(&studio, operations[i], INPUTS(more)));
    }
}

static const char *merge_of(struct studio *studio, size_t clips) {
    CS_AUTO_BUF json = {0};
    cs_buf_puts(&json, "{\"merge\":{\"items\":[");
    for (size_t i = 0; i < clips; i++) {
        cs_buf_printf(&json, "%s{\"media\":{\"input\":%zu},\"duration\":0.2}", i > 0 ? "," : "", i % 2 + 1);
    }
    cs_buf_puts(&json, "]}}");
    return cs_arena_sprintf(studio->arena, "%.*s", (int)json.size, (const char *)json.data);
}

TEST(memory_does_not_grow_with_the_number_of_clips) {
#ifdef CS_SANITIZED
    skip();
#endif
    CS_AUTO_STUDIO studio;
    studio_open(&studio);
    const char *const *inputs = INPUTS(make_film(&studio, "a.mp4", 60), make_film(&studio, "b.mp4", 60));
    compare("a merge", resident_kib(&studio, merge_of(&studio, CLIPS), inputs),
            resident_kib(&studio, merge_of(&studio, TIMES * CLIPS), inputs));
}

TEST_MAIN(CS_TEST(memory_does_not_grow_with_the_length_of_a_film),
          CS_TEST(memory_does_not_grow_with_the_number_of_clips))
