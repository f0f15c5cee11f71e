/*
 * runner: client of callsheet-media-runner, the warm process that forks one sandboxed child per media job.
 *
 * Used by the media service and by the `local` provider. The runner is spawned at create and again when it dies; its
 * death fails the jobs it had with UNAVAILABLE "runner_died". It dies with us.
 *
 * Threads  any; events run on the client's reader thread and must not block long.
 * Limits   CS_RUNNER_FILES_MAX descriptors per job.
 */
#ifndef CS_RUNNER_H
#define CS_RUNNER_H

#include "callsheet/v1/runner.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"

enum { CS_RUNNER_FILES_MAX = 1024, CS_RUNNER_CHUNKS_MAX = 256 };

struct cs_runner;

struct cs_runner_events {
    void (*progress)(const Callsheet__V1__Progress *progress, void *user);
    /* Exactly once per started job: done, failed or (runner lost) err set; the others NULL. */
    void (*ended)(const Callsheet__V1__RunnerDone *done, const Callsheet__V1__Failed *failed, const struct cs_err *err,
                  void *user);
};

/* program: path of callsheet-media-runner. */
enum cs_status cs_runner_create(const char *program, struct cs_runner **ret_runner, struct cs_err *err) CS_MUST_USE;
void cs_runner_destroy(struct cs_runner *runner); /* kills all children, waits; ended runs for each */
CS_DEFINE_AUTO(cs_runner, cs_runner_destroy)

/* job->id is assigned here. fds: job->inputs read-only ones, then one per job->outputs; duplicated, the caller keeps
 * its own. On success *ret_id can be killed. */
enum cs_status cs_runner_start(struct cs_runner *runner, Callsheet__V1__RunnerJob *job, const int *fds, size_t fd_count,
                               const struct cs_runner_events *events, void *user, uint64_t *ret_id,
                               struct cs_err *err) CS_MUST_USE;
/* SIGKILL; `ended` follows with failed = CANCELLED. An id that has ended is fine. */
void cs_runner_kill(struct cs_runner *runner, uint64_t id);

#endif
