#include "cs/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cs/test.h"

/* A program that says that it is ready (a frame of nothing) and then hears nothing any more. */
static const char deaf_runner[] = "#!/bin/sh\nprintf '\\000\\000\\000\\000' >&3\nexec sleep 1000\n";

static void write_program(const char *path, const char *text) {
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0700), 0);
}

TEST(runner_that_does_not_listen_is_killed_at_the_end) {
    char dir[] = "/tmp/cs_runner_XXXXXX";
    assert_non_null(mkdtemp(dir));
    CS_AUTO_FREE char *program = cs_sprintf("%s/runner", dir);
    write_program(program, deaf_runner);
    struct cs_runner *runner = NULL;
    struct cs_err err = {0};
    assert_ok(cs_runner_create(program, &runner, &err), &err);
    cs_runner_destroy(runner); /* returns */
    assert_int_equal(unlink(program), 0);
    assert_int_equal(rmdir(dir), 0);
}

TEST(runner_that_talks_nonsense_is_done_with) {
    char dir[] = "/tmp/cs_runner_XXXXXX";
    assert_non_null(mkdtemp(dir));
    CS_AUTO_FREE char *program = cs_sprintf("%s/runner", dir);
    write_program(program, "#!/bin/sh\nprintf '\\377\\377\\377\\177' >&3\nexec sleep 1000\n");
    struct cs_runner *runner = NULL;
    struct cs_err err = {0};
    assert_fails(cs_runner_create(program, &runner, &err), &err, CS_UNAVAILABLE, "runner_died");
    assert_int_equal(unlink(program), 0);
    assert_int_equal(rmdir(dir), 0);
}

TEST(runner_that_cannot_be_started_is_an_error) {
    struct cs_runner *runner = NULL;
    struct cs_err err = {0};
    assert_int_equal(cs_runner_create("/no/such/runner", &runner, &err), CS_NOT_FOUND);
}

TEST_MAIN(CS_TEST(runner_that_does_not_listen_is_killed_at_the_end), CS_TEST(runner_that_talks_nonsense_is_done_with),
          CS_TEST(runner_that_cannot_be_started_is_an_error))
