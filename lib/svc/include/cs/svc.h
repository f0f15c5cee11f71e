/*
 * svc: what every main does — signals, readiness, stopping.
 *
 *     cs_svc_start("media", config.log_level);       before any thread
 *     … build the app, serve …
 *     cs_svc_ready(config.ready_fd, "127.0.0.1:41235");
 *     cs_svc_wait_stop();                             SIGTERM or SIGINT
 *     … drain, destroy …
 *
 * Threads  cs_svc_request_stop from any; the rest from main's.
 */
#ifndef CS_SVC_H
#define CS_SVC_H

#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/log.h"

/* Blocks SIGTERM, SIGINT, SIGHUP and SIGUSR1 (cs_svc_request_stop) in this and all later threads, ignores SIGPIPE,
 * raises RLIMIT_NOFILE to its hard limit, sets up the log. An unknown level is an error. */
enum cs_status cs_svc_start(const char *service, const char *log_level, struct cs_err *err) CS_MUST_USE;

/* Writes "ready ADDRESS\n" to the descriptor that a supervisor passed (--ready-fd) and closes it. -1 does nothing. */
void cs_svc_ready(int64_t ready_fd, const char *address);

/* Blocks until SIGTERM, SIGINT or cs_svc_request_stop; a second signal while draining ends the process at once.
 * Returns the signal's number, 0 for a request. */
int cs_svc_wait_stop(void);
void cs_svc_request_stop(void);

/* For cs_rpc_server_config.authorize, with the service token as ctx ("" lets everybody in): wants "Bearer TOKEN".
 * UNAUTHENTICATED "bad_token". How long it takes tells nothing about the token. */
enum cs_status cs_svc_authorize(const char *authorization, const char *method, void *token, struct cs_err *err);

/* Prints "PROGRAM: message" to standard error and returns the exit code for main: 2 for bad settings, else 1. */
int cs_svc_fail(const char *program, const struct cs_err *err);

#endif
