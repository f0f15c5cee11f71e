#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/process.h"
#include "cs/test.h"

enum { PATIENCE_MS = 20000 };

/* What a shell command writes to its standard output. */
static char *output_of(const char *script, struct cs_process_spec spec) {
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    spec.argv = argv;
    spec.stdout_fd = fds[1];
    struct cs_err err = {0};
    CS_AUTO_PROCESS process = {0};
    assert_ok(cs_process_start(&spec, &process, &err), &err);
    (void)close(fds[1]);
    CS_AUTO_BUF text = {0};
    char chunk[256];
    for (ssize_t size = 0; (size = read(fds[0], chunk, sizeof(chunk))) > 0;) {
        cs_buf_put(&text, chunk, (size_t)size);
    }
    (void)close(fds[0]);
    int code = -1;
    assert_ok(cs_process_wait(&process, PATIENCE_MS, &code, &err), &err);
    assert_int_equal(code, 0);
    return cs_buf_steal(&text);
}

static void start_sh(const char *script, struct cs_process_spec spec, struct cs_process *process) {
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct cs_err err = {0};
    spec.argv = argv;
    assert_ok(cs_process_start(&spec, process, &err), &err);
}

TEST(program_that_is_missing_is_an_error_of_start) {
    const char *argv[] = {"/nonexistent/program", NULL};
    struct cs_process_spec spec = {.argv = argv};
    struct cs_process process = {0};
    struct cs_err err = {0};
    assert_fails(cs_process_start(&spec, &process, &err), &err, CS_NOT_FOUND, "not_found");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
}

TEST(t14_what_a_shell_would_read_is_an_argument_like_any_other) {
    static const char name[] = "a b'\"$(kill -9 $PPID)`false`;*\n|.mp4";
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    const char *argv[] = {"/usr/bin/printf", "%s", name, NULL};
    struct cs_process_spec spec = {.argv = argv, .stdout_fd = fds[1]};
    struct cs_err err = {0};
    CS_AUTO_PROCESS process = {0};
    assert_ok(cs_process_start(&spec, &process, &err), &err);
    (void)close(fds[1]);
    char said[128] = {0};
    assert_int_equal(read(fds[0], said, sizeof(said) - 1), strlen(name));
    assert_string_equal(said, name);
    (void)close(fds[0]);
    int code = -1;
    assert_ok(cs_process_wait(&process, PATIENCE_MS, &code, &err), &err);
    assert_int_equal(code, 0);
}

TEST(exit_code_and_signal_are_told) {
    struct cs_err err = {0};
    CS_AUTO_PROCESS process = {0};
    int code = 0;
    start_sh("exit 7", (struct cs_process_spec){0}, &process);
    assert_ok(cs_process_wait(&process, PATIENCE_MS, &code, &err), &err);
    assert_int_equal(code, 7);
    assert_fails(cs_process_wait(&process, 0, NULL, &err), &err, CS_NOT_FOUND, "not_running");

    start_sh("kill -TERM $$", (struct cs_process_spec){0}, &process);
    assert_ok(cs_process_wait(&process, PATIENCE_MS, &code, &err), &err);
    assert_int_equal(code, 128 + SIGTERM);
}

TEST(environment_is_changed_added_and_removed) {
    assert_int_equal(setenv("PROCESS_TEST_OLD", "1", 1), 0);
    assert_int_equal(setenv("PROCESS_TEST_GONE", "1", 1), 0);
    const char *const changes[] = {"PROCESS_TEST_OLD=2", "PROCESS_TEST_NEW=a=b", "PROCESS_TEST_GONE", NULL};
    CS_AUTO_FREE char *text = output_of("echo $PROCESS_TEST_OLD $PROCESS_TEST_NEW ${PROCESS_TEST_GONE-gone}",
                                        (struct cs_process_spec){.environment = changes});
    assert_string_equal(text, "2 a=b gone\n");
}

TEST(only_named_descriptors_are_inherited_at_their_numbers) {
    int secret = open("/dev/null", O_RDONLY); /* not close-on-exec */
    int given = memfd_create("given", MFD_CLOEXEC);
    assert_int_equal(write(given, "hello", 5), 5);
    struct cs_process_fd fds[] = {{.ours = given, .theirs = 5}};
    char script[128];
    (void)snprintf(script, sizeof(script), "cat /proc/self/fd/5; echo; [ -e /proc/$$/fd/%d ] && echo leaked; exit 0",
                   secret);
    assert_int_not_equal(secret, 5);
    CS_AUTO_FREE char *text = output_of(script, (struct cs_process_spec){.fds = fds, .fd_count = 1});
    assert_string_equal(text, "hello\n");
    (void)close(secret);
    (void)close(given);
}

TEST(signals_that_we_block_or_ignore_work_in_the_child) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    CS_AUTO_PROCESS process = {0};
    start_sh("exec sleep 100", (struct cs_process_spec){0}, &process);
    assert_true(cs_process_running(&process));
    assert_int_equal(cs_process_stop(&process, SIGTERM, PATIENCE_MS), 128 + SIGTERM);
    assert_false(cs_process_running(&process));
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

TEST(stop_kills_what_does_not_listen) {
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    CS_AUTO_PROCESS process = {0};
    start_sh("trap '' TERM; echo deaf; while :; do sleep 100; done",
             (struct cs_process_spec){.stdout_fd = fds[1], .own_group = true}, &process);
    (void)close(fds[1]);
    char text[8];
    assert_int_equal(read(fds[0], text, sizeof(text)), 5); /* it is deaf now */
    assert_int_equal(cs_process_stop(&process, SIGTERM, 50), 128 + SIGKILL);
    assert_int_equal(read(fds[0], text, sizeof(text)), 0); /* its sleep went with it */
    (void)close(fds[0]);
}

TEST(children_that_a_group_leaves_behind_are_killed) {
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    CS_AUTO_PROCESS process = {0};
    struct cs_err err = {0};
    start_sh("sleep 100 & exit 3", (struct cs_process_spec){.stdout_fd = fds[1], .own_group = true}, &process);
    (void)close(fds[1]);
    int code = 0;
    assert_ok(cs_process_wait(&process, PATIENCE_MS, &code, &err), &err);
    assert_int_equal(code, 3);
    char text[8];
    assert_int_equal(read(fds[0], text, sizeof(text)), 0);
    (void)close(fds[0]);
}

/* A middle process starts a child and is killed; the pipe's end tells that the grandchild has gone too. */
TEST(child_dies_with_its_parent) {
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t middle = fork();
    if (middle == 0) {
        struct cs_process process = {0};
        struct cs_err err = {0};
        const char *argv[] = {"/bin/sh", "-c", "echo up; exec sleep 100", NULL};
        struct cs_process_spec spec = {.argv = argv, .stdout_fd = fds[1], .death_signal = SIGKILL};
        _exit(cs_process_start(&spec, &process, &err) == CS_OK && pause() ? 0 : 1);
    }
    (void)close(fds[1]);
    char text[8];
    assert_int_equal(read(fds[0], text, sizeof(text)), 3);
    (void)kill(middle, SIGKILL);
    (void)waitpid(middle, NULL, 0);
    assert_int_equal(read(fds[0], text, sizeof(text)), 0);
    (void)close(fds[0]);
}

TEST(end_that_nobody_saw_is_not_taken_for_success) {
    const char *bad[] = {"/bin/false", NULL};
    struct cs_err err = {0};
    (void)signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
    assert_fails(cs_process_run(&(struct cs_process_spec){.argv = bad}, PATIENCE_MS, &err), &err, CS_INTERNAL,
                 "system_error");
    (void)signal(SIGCHLD, SIG_DFL);
}

TEST(wait_may_be_longer_than_poll_can) {
    CS_AUTO_PROCESS process = {0};
    struct cs_err err = {0};
    start_sh("exec sleep 0.2", (struct cs_process_spec){0}, &process);
    assert_ok(cs_process_wait(&process, INT64_C(1) << 32, NULL, &err), &err);
    start_sh("exec sleep 0.2", (struct cs_process_spec){0}, &process);
    assert_ok(cs_process_wait(&process, INT64_MAX, NULL, &err), &err);
}

TEST(run_reports_a_program_that_fails) {
    const char *good[] = {"/bin/true", NULL};
    const char *bad[] = {"/bin/false", NULL};
    struct cs_err err = {0};
    assert_ok(cs_process_run(&(struct cs_process_spec){.argv = good}, PATIENCE_MS, &err), &err);
    assert_fails(cs_process_run(&(struct cs_process_spec){.argv = bad}, PATIENCE_MS, &err), &err,
                 CS_FAILED_PRECONDITION, "program_failed");
}

TEST(programs_are_found_beside_our_own) {
    CS_AUTO_FREE char *path = cs_process_beside("other");
    assert_true(path[0] == '/' && cs_str_ends(path, "/other"));
}

TEST_MAIN(CS_TEST(program_that_is_missing_is_an_error_of_start),
          CS_TEST(t14_what_a_shell_would_read_is_an_argument_like_any_other), CS_TEST(exit_code_and_signal_are_told),
          CS_TEST(environment_is_changed_added_and_removed),
          CS_TEST(only_named_descriptors_are_inherited_at_their_numbers),
          CS_TEST(signals_that_we_block_or_ignore_work_in_the_child), CS_TEST(stop_kills_what_does_not_listen),
          CS_TEST(children_that_a_group_leaves_behind_are_killed), CS_TEST(child_dies_with_its_parent),
          CS_TEST(end_that_nobody_saw_is_not_taken_for_success), CS_TEST(wait_may_be_longer_than_poll_can),
          CS_TEST(run_reports_a_program_that_fails), CS_TEST(programs_are_found_beside_our_own))
