/*
 * rendering: one run in the sandbox, waited for. Killed when stop says so.
 *
 * Fails    as failure_wire.h turns the runner's report into an error; UNAVAILABLE "runner_died"; CANCELLED and
 *          DEADLINE_EXCEEDED as told by stop.
 */
#ifndef MED_RENDERING_H
#define MED_RENDERING_H

#include "stop.h"
#include "studio.h"

/* On the runner client's reader thread; must not block. */
typedef void med_rendering_progress_fn(const Callsheet__V1__Progress *progress, void *user);

/* job->limits are set here. fds: inputs, then outputs. *ret_done lives in the arena. progress may be NULL. */
enum cs_status med_render(const struct med_studio *studio, Callsheet__V1__RunnerJob *job, const int *fds,
                          size_t fd_count, struct med_stop *stop, med_rendering_progress_fn *progress, void *user,
                          struct cs_arena *arena, Callsheet__V1__RunnerDone **ret_done, struct cs_err *err) CS_MUST_USE;

#endif
