#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cs/base/mem.h"
#include "cs/conf.h"
#include "cs/runner_wire.h"

/* All that a runner gets of our environment: a child that an attacker took over can read it. */
static const char *const passed_on[] = {"CALLSHEET_LOG_LEVEL", "LANG",          "LD_LIBRARY_PATH", "PATH",
                                        "ASAN_OPTIONS",        "UBSAN_OPTIONS", "LSAN_OPTIONS",    "TSAN_OPTIONS"};

static void fill_environment(char *environment[CS_COUNT(passed_on) + 1]) {
    size_t count = 0;
    for (size_t i = 0; i < CS_COUNT(passed_on); i++) {
        const char *value = cs_conf_env(passed_on[i]);
        if (value != NULL) {
            environment[count++] = cs_sprintf("%s=%s", passed_on[i], value);
        }
    }
    environment[count] = NULL;
}

static int spawn(const char *program, int socket, pid_t *ret_pid) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawnattr_init(&attributes);
    int failed = posix_spawn_file_actions_adddup2(&files, socket, CS_RUNNER_SOCKET_FD);
    failed |= posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    failed |= posix_spawn_file_actions_adddup2(&files, STDIN_FILENO, STDOUT_FILENO);
    failed |= posix_spawn_file_actions_addclosefrom_np(&files, CS_RUNNER_SOCKET_FD + 1);
    failed |= posix_spawnattr_setsigmask(&attributes, &none);
    failed |= posix_spawnattr_setsigdefault(&attributes, &all);
    failed |= posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char *argv[] = {(char *)program, NULL};
    char *environment[CS_COUNT(passed_on) + 1];
    fill_environment(environment);
    int errnum = failed != 0 ? ENOMEM : posix_spawn(ret_pid, program, &files, &attributes, argv, environment);
    for (char **variable = environment; *variable != NULL; variable++) {
        free(*variable);
    }
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&attributes);
    return errnum;
}

enum cs_status cs_runner_process_spawn(const char *program, pid_t *ret_pid, int *ret_socket, struct cs_err *err) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return cs_fail_errno(err, errno, "starting the media runner");
    }
    int errnum = spawn(program, pair[1], ret_pid);
    (void)close(pair[1]);
    if (errnum != 0) {
        (void)close(pair[0]);
        return cs_fail_errno(err, errnum, "starting the media runner \"%s\"", program);
    }
    *ret_socket = pair[0];
    return CS_OK;
}

void cs_runner_process_reap(pid_t pid, int grace_ms) {
    CS_AUTO_FD int handle = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ended = {.fd = handle, .events = POLLIN};
    if (handle < 0 || poll(&ended, 1, grace_ms) != 1) {
        (void)kill(pid, SIGKILL);
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}
