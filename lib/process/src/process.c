#include "cs/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "cs/base/clock.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"

/* ---- the environment ---- */

static size_t name_length(const char *pair) {
    return strcspn(pair, "=");
}

static bool overridden(const char *pair, const char *const *changes) {
    size_t length = name_length(pair);
    for (size_t i = 0; changes != NULL && changes[i] != NULL; i++) {
        if (name_length(changes[i]) == length && strncmp(changes[i], pair, length) == 0) {
            return true;
        }
    }
    return false;
}

/* An array of pointers into what exists; the caller frees the array alone. */
static char **environment_of(const char *const *changes, bool bare) {
    size_t count = 0;
    while (!bare && environ != NULL && environ[count] != NULL) {
        count++;
    }
    size_t change_count = 0;
    while (changes != NULL && changes[change_count] != NULL) {
        change_count++;
    }
    char **result = cs_alloc_array(count + change_count + 1, sizeof(char *));
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (!overridden(environ[i], changes)) {
            result[used++] = environ[i];
        }
    }
    for (size_t i = 0; i < change_count; i++) {
        if (strchr(changes[i], '=') != NULL) {
            result[used++] = (char *)changes[i];
        }
    }
    return result;
}

/* ---- in the child: only async-signal-safe calls ---- */

enum { FD_PARKED_MIN = 200 }; /* above the numbers that children are given */

/* Moves descriptors out of the way, then to their numbers; the copies survive exec, the originals do not. */
static bool place_fds(const struct cs_process_spec *spec) {
    struct cs_process_fd all[3 + 16] = {
        {spec->stdin_fd, STDIN_FILENO},
        {spec->stdout_fd != 0 ? spec->stdout_fd : STDOUT_FILENO, STDOUT_FILENO},
        {spec->stderr_fd != 0 ? spec->stderr_fd : STDERR_FILENO, STDERR_FILENO},
    };
    if (spec->fd_count > CS_COUNT(all) - 3) {
        errno = E2BIG;
        return false;
    }
    if (spec->stdin_fd == 0) {
        all[0].ours = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    size_t count = 3 + spec->fd_count;
    for (size_t i = 0; i < count; i++) {
        int ours = i < 3 ? all[i].ours : spec->fds[i - 3].ours;
        all[i].theirs = i < 3 ? all[i].theirs : spec->fds[i - 3].theirs;
        all[i].ours = fcntl(ours, F_DUPFD_CLOEXEC, FD_PARKED_MIN);
        if (all[i].ours < 0) {
            return false;
        }
    }
    if (close_range(3, FD_PARKED_MIN - 1, CLOSE_RANGE_CLOEXEC) != 0 ||
        close_range(FD_PARKED_MIN, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (dup2(all[i].ours, all[i].theirs) < 0) {
            return false;
        }
    }
    return true;
}

static bool become(const struct cs_process_user *user, const gid_t *groups, int group_count) {
    if (user->name == NULL) {
        return true;
    }
    return setgroups((size_t)group_count, groups) == 0 && setresgid(user->gid, user->gid, user->gid) == 0 &&
           setresuid(user->uid, user->uid, user->uid) == 0;
}

static void default_signals(void) {
    for (int number = 1; number < NSIG; number++) {
        (void)signal(number, SIG_DFL);
    }
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

struct child {
    const struct cs_process_spec *spec;
    char **environment;
    gid_t groups[64];
    int group_count;
    pid_t parent;
    int report_fd; /* closed by a good exec; else carries errno */
};

static __attribute__((noreturn)) void run_child(const struct child *child) {
    const struct cs_process_spec *spec = child->spec;
    int report_fd = fcntl(child->report_fd, F_DUPFD_CLOEXEC, FD_PARKED_MIN);
    default_signals();
    bool good = report_fd >= 0 && (!spec->own_group || setpgid(0, 0) == 0) && place_fds(spec) &&
                (spec->directory == NULL || chdir(spec->directory) == 0) &&
                become(&spec->user, child->groups, child->group_count);
    /* Changing the user clears the death signal, so it comes last; a parent that died before is not announced. */
    if (good && spec->death_signal != 0) {
        good = prctl(PR_SET_PDEATHSIG, spec->death_signal) == 0;
        if (getppid() != child->parent) {
            _exit(128 + spec->death_signal);
        }
    }
    if (good) {
        (void)execve(spec->argv[0], (char *const *)spec->argv, child->environment);
    }
    int errnum = errno;
    (void)!write(report_fd, &errnum, sizeof(errnum));
    _exit(127);
}

/* ---- in the parent ---- */

static int await_exec(int report_fd) {
    int errnum = 0;
    ssize_t size = 0;
    do {
        size = read(report_fd, &errnum, sizeof(errnum));
    } while (size < 0 && errno == EINTR);
    return size == (ssize_t)sizeof(errnum) ? errnum : 0;
}

static enum cs_status find_groups(struct child *child, struct cs_err *err) {
    const struct cs_process_user *user = &child->spec->user;
    child->group_count = (int)CS_COUNT(child->groups);
    if (user->name != NULL && getgrouplist(user->name, user->gid, child->groups, &child->group_count) < 0) {
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "too_many_groups", "user %s is in too many groups", user->name);
    }
    return CS_OK;
}

enum cs_status cs_process_start(const struct cs_process_spec *spec, struct cs_process *ret_process,
                                struct cs_err *err) {
    struct child child = {.spec = spec, .parent = getpid()};
    CS_TRY(find_groups(&child, err));
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return cs_fail_errno(err, errno, "starting %s", spec->argv[0]);
    }
    CS_AUTO_FD int read_fd = pipe_fds[0];
    CS_AUTO_FD int write_fd = pipe_fds[1];
    CS_AUTO_FREE char **environment = environment_of(spec->environment, spec->bare_environment);
    child.environment = environment;
    child.report_fd = write_fd;
    pid_t pid = fork();
    if (pid < 0) {
        return cs_fail_errno(err, errno, "starting %s", spec->argv[0]);
    }
    if (pid == 0) {
        run_child(&child);
    }
    (void)close(cs_steal_fd(&write_fd));
    int errnum = await_exec(read_fd);
    int pidfd = errnum == 0 ? pidfd_open(pid, 0) : -1; /* close-on-exec by itself */
    if (pidfd < 0) {
        errnum = errnum != 0 ? errnum : errno;
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return cs_fail_errno(err, errnum, "starting %s", spec->argv[0]);
    }
    *ret_process = (struct cs_process){.pid = pid, .pidfd = pidfd, .own_group = spec->own_group};
    return CS_OK;
}

bool cs_process_running(const struct cs_process *process) {
    struct pollfd fd = {.fd = process->pidfd, .events = POLLIN};
    return process->pid != 0 && poll(&fd, 1, 0) == 0;
}

static bool wait_fd(int fd, int64_t timeout_ms) {
    int64_t deadline_ms = timeout_ms < INT_MAX ? cs_clock_mono_ms() + timeout_ms : INT64_MAX;
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    for (;;) {
        int64_t left_ms = timeout_ms < 0 ? -1 : deadline_ms - cs_clock_mono_ms();
        int ready =
            poll(&poll_fd, 1, timeout_ms >= 0 && left_ms < 0 ? 0 : (int)(left_ms < INT_MAX ? left_ms : INT_MAX));
        if (ready >= 0) {
            return ready > 0;
        }
        if (errno != EINTR) {
            return false;
        }
    }
}

static int code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void forget(struct cs_process *process) {
    (void)close(process->pidfd);
    *process = (struct cs_process){0};
}

enum cs_status cs_process_wait(struct cs_process *process, int64_t timeout_ms, int *ret_code, struct cs_err *err) {
    if (process->pid == 0) {
        return cs_fail(err, CS_NOT_FOUND, "not_running", "the process has ended already");
    }
    if (!wait_fd(process->pidfd, timeout_ms)) {
        return cs_fail(err, CS_DEADLINE_EXCEEDED, "timeout", "process %d still runs", (int)process->pid);
    }
    int status = 0;
    if (process->own_group) { /* before the reaping, while the number is surely still ours */
        (void)kill(-process->pid, SIGKILL);
    }
    pid_t pid = process->pid;
    pid_t reaped = 0;
    while ((reaped = waitpid(pid, &status, 0)) < 0 && errno == EINTR) {
    }
    int errnum = errno;
    forget(process);
    if (reaped != pid) {
        return cs_fail_errno(err, errnum, "learning how process %d ended", (int)pid);
    }
    if (ret_code != NULL) {
        *ret_code = code_of(status);
    }
    return CS_OK;
}

void cs_process_signal(const struct cs_process *process, int number) {
    if (process->pid != 0) {
        (void)kill(process->own_group && number == SIGKILL ? -process->pid : process->pid, number);
    }
}

void cs_process_kill(struct cs_process *process) {
    struct cs_err ignored = {0};
    cs_process_signal(process, SIGKILL);
    (void)!cs_process_wait(process, CS_PROCESS_FOREVER, NULL, &ignored);
}

int cs_process_stop(struct cs_process *process, int number, int64_t grace_ms) {
    struct cs_err ignored = {0};
    int code = -1;
    cs_process_signal(process, number);
    enum cs_status status = cs_process_wait(process, grace_ms, &code, &ignored);
    if (status == CS_DEADLINE_EXCEEDED) {
        cs_process_signal(process, SIGKILL);
        status = cs_process_wait(process, CS_PROCESS_FOREVER, &code, &ignored);
    }
    return status == CS_OK ? code : -1;
}

void cs_process_fini(struct cs_process *process) {
    if (process->pid != 0) {
        cs_process_kill(process);
    }
}

enum cs_status cs_process_run(const struct cs_process_spec *spec, int64_t timeout_ms, struct cs_err *err) {
    CS_AUTO_PROCESS process = {0};
    int code = 0;
    CS_TRY(cs_process_start(spec, &process, err));
    CS_TRY(cs_process_wait(&process, timeout_ms, &code, err));
    if (code != 0) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "program_failed", "%s failed with code %d", spec->argv[0], code);
    }
    return CS_OK;
}

char *cs_process_beside(const char *name) {
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (length < 0) {
        return cs_strdup(name);
    }
    path[length] = '\0';
    return cs_sprintf("%s/%s", dirname(path), name);
}
