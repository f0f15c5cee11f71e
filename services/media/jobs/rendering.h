/*
 * rendering: one run in the sandbox, waited for. Killed when stop says so.
 *
 * Fails    as failure_wire.h turns the runner's report into an error; UNAVAILABLE "runner_died"; CANCELLED and
 *          DEADLINE_EXCEEDED as told by stop; CANCELLED "unwanted".
 */
#ifndef MED_RENDERING_H
#define MED_RENDERING_H

#include "stop.h"
#include "studio.h"

/* On the runner client's reader thread; must not block. */
typedef void med_rendering_progress_fn(const Callsheet__V1__Progress *progress, void *user);

struct med_rendering {
    struct med_stop *stop;
    const bool *unwanted; /* guarded by the stop's lock: the run ends early when it becomes true; or NULL */
    med_rendering_progress_fn *progress; /* or NULL */
    void *user;
};

/* job->limits are set here. fds: inputs, then outputs. *ret_done lives in the arena. */
enum cs_status med_render(const struct med_studio *studio, Callsheet__V1__RunnerJob *job, const int *fds,
                          size_t fd_count, const struct med_rendering *rendering, struct cs_arena *arena,
                          Callsheet__V1__RunnerDone **ret_done, struct cs_err *err) CS_MUST_USE;

#endif
