/*
 * process: starts callsheet-media-runner with a socket, a clean environment and nothing else of ours.
 */
#ifndef CS_RUNNER_PROCESS_H
#define CS_RUNNER_PROCESS_H

#include <sys/types.h>

#include "cs/base/err.h"

/* Safe in a process with threads. *ret_socket is our end, blocking, close-on-exec. */
enum cs_status cs_runner_process_spawn(const char *program, pid_t *ret_pid, int *ret_socket,
                                       struct cs_err *err) CS_MUST_USE;
/* Waits for its end; after grace_ms kills it. */
void cs_runner_process_reap(pid_t pid, int grace_ms);

#endif
