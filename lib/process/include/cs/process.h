/*
 * process: start a program, see it end.
 *
 * Owns     struct cs_process holds a pidfd; cs_process_fini closes it, and kills and reaps what still runs.
 * Threads  start from a thread that lives as long as the child should: the death signal comes when that thread ends.
 * Fails    what execve says (NOT_FOUND, PERMISSION_DENIED …): a program that cannot be started is an error here, not a
 *          child that exits with 127.
 */
#ifndef CS_PROCESS_H
#define CS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cs/base/auto.h"
#include "cs/base/err.h"

struct cs_process_fd {
    int ours;
    int theirs; /* its number in the child */
};

struct cs_process_user {
    const char *name; /* for its groups; NULL: stay who we are */
    uid_t uid;
    gid_t gid;
};

struct cs_process_spec {
    const char *const *argv;         /* NULL-terminated; argv[0] is the path */
    const char *const *environment;  /* "NAME=value" put into a copy of ours, NULL-terminated; "NAME" takes it out */
    bool bare_environment;           /* nothing of ours, `environment` alone: what a stranger's program gets */
    const struct cs_process_fd *fds; /* what the child inherits besides 0, 1 and 2; everything else is closed */
    size_t fd_count;
    int stdin_fd, stdout_fd, stderr_fd; /* 0: input from /dev/null, output as ours */
    int death_signal;                   /* sent to it when we die; 0 none */
    const char *directory;              /* entered before becoming the user; NULL ours */
    struct cs_process_user user;
    bool own_group; /* a terminal's ^C does not reach it; its children are killed with it, and none outlives it */
};

struct cs_process {
    pid_t pid; /* 0: none */
    int pidfd; /* readable once it has ended */
    bool own_group;
};

enum { CS_PROCESS_FOREVER = -1 };

/* Signals are unblocked and have their default effect in the child. */
enum cs_status cs_process_start(const struct cs_process_spec *spec, struct cs_process *ret_process,
                                struct cs_err *err) CS_MUST_USE;

bool cs_process_running(const struct cs_process *process);

/* Waits until it has ended, and reaps it. ret_code (may be NULL): the exit code, or 128 + the signal. DEADLINE_EXCEEDED
 * when it still runs; an ended process answers NOT_FOUND; INTERNAL when somebody else reaped it (SIGCHLD ignored): how
 * it ended is unknown then. */
enum cs_status cs_process_wait(struct cs_process *process, int64_t timeout_ms, int *ret_code,
                               struct cs_err *err) CS_MUST_USE;

/* SIGKILL reaches its whole group; anything else the process alone, which stops its children as it sees fit. */
void cs_process_signal(const struct cs_process *process, int number);
/* SIGKILL and reap. */
void cs_process_kill(struct cs_process *process);
/* Signal, wait for at most grace_ms, then SIGKILL. Returns the exit code as above, -1 when none ran. */
int cs_process_stop(struct cs_process *process, int number, int64_t grace_ms);
void cs_process_fini(struct cs_process *process);

#define CS_AUTO_PROCESS __attribute__((cleanup(cs_process_fini))) struct cs_process

/* Runs it to its end. FAILED_PRECONDITION "program_failed" with its code unless that is 0. */
enum cs_status cs_process_run(const struct cs_process_spec *spec, int64_t timeout_ms, struct cs_err *err) CS_MUST_USE;

/* "DIRECTORY-OF-OUR-EXECUTABLE/NAME", allocated. */
char *cs_process_beside(const char *name);

#endif
