#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "support.h"

enum { READY_FD = 5, ARGUMENTS_MAX = 64 };

static void give_up(struct cs_test_program *program, const char *what, const struct cs_err *err) {
    support_show_log(program->log_fd);
    cs_test_program_kill(program);
    support_fail(what, err);
}

/* Reads up to the first newline. False at the end of the file or of our patience. */
static bool read_line(int fd, char *ret_line, size_t capacity) {
    int64_t deadline_ms = cs_clock_mono_ms() + CS_TEST_PATIENCE_MS;
    size_t size = 0;
    while (size + 1 < capacity) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int64_t left_ms = deadline_ms - cs_clock_mono_ms();
        if (left_ms <= 0 || poll(&poll_fd, 1, (int)left_ms) <= 0 || read(fd, ret_line + size, 1) != 1) {
            return false;
        }
        if (ret_line[size] == '\n') {
            ret_line[size] = '\0';
            return true;
        }
        size++;
    }
    return false;
}

static void await_ready(struct cs_test_program *program, const char *name) {
    char line[CS_TEST_PATH_MAX];
    do {
        if (!read_line(program->ready_fd, line, sizeof(line))) {
            char what[CS_TEST_PATH_MAX];
            (void)snprintf(what, sizeof(what), "%s did not become ready", name);
            give_up(program, what, NULL);
            return;
        }
    } while (!cs_str_starts(line, "ready "));
    cs_str_copy(program->address, sizeof(program->address), line + strlen("ready "));
}

void cs_test_program_start(struct cs_test_program *ret_program, const char *name, const char *const *arguments,
                           const char *const *environment, enum cs_test_ready ready) {
    CS_AUTO_FREE char *path = strchr(name, '/') != NULL ? cs_strdup(name) : cs_sprintf("%s/%s", CS_BIN_DIR, name);
    const char *argv[ARGUMENTS_MAX + 4] = {path};
    size_t count = 1;
    for (size_t i = 0; arguments != NULL && arguments[i] != NULL && i < ARGUMENTS_MAX; i++) {
        argv[count++] = arguments[i];
    }
    if (ready == CS_TEST_READY_FD) {
        argv[count++] = "--ready-fd";
        argv[count++] = "5";
    }
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        support_fail("making a pipe", NULL);
        return;
    }
    *ret_program = (struct cs_test_program){.ready_fd = pipe_fds[0], .log_fd = support_log_fd()};
    struct cs_process_fd fd = {.ours = pipe_fds[1], .theirs = READY_FD};
    struct cs_process_spec spec = {
        .argv = argv,
        .environment = environment,
        .fds = &fd,
        .fd_count = ready == CS_TEST_READY_FD ? 1 : 0,
        .stdout_fd = ready == CS_TEST_READY_STDOUT ? pipe_fds[1] : ret_program->log_fd,
        .stderr_fd = ret_program->log_fd,
        .death_signal = SIGKILL,
    };
    struct cs_err err = {0};
    enum cs_status status = cs_process_start(&spec, &ret_program->process, &err);
    (void)close(pipe_fds[1]);
    if (status != CS_OK) {
        give_up(ret_program, name, &err);
    } else if (ready != CS_TEST_READY_NONE) {
        await_ready(ret_program, name);
    }
}

int cs_test_program_wait(struct cs_test_program *program) {
    struct cs_err err = {0};
    int code = -1;
    if (cs_process_wait(&program->process, CS_TEST_PATIENCE_MS, &code, &err) != CS_OK) {
        give_up(program, "waiting for a program's end", &err);
    }
    return code;
}

int cs_test_program_stop(struct cs_test_program *program) {
    cs_process_signal(&program->process, SIGTERM);
    return cs_test_program_wait(program);
}

void cs_test_program_kill(struct cs_test_program *program) {
    cs_process_kill(&program->process);
}

void cs_test_program_fini(struct cs_test_program *program) {
    if (program->log_fd == 0) {
        return;
    }
    cs_process_fini(&program->process);
    (void)close(program->ready_fd);
    (void)close(program->log_fd);
    *program = (struct cs_test_program){0};
}
