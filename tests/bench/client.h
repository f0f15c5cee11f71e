/*
 * client: what a gateway would ask of the orchestrator, measured.
 *
 * Threads  one.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/rpc.h"

enum { CLIENT_ID_SIZE = 32 };

struct client;

enum cs_status client_create(struct cs_rpc *rpc, const char *address, struct client **ret_client,
                             struct cs_err *err) CS_MUST_USE;
void client_destroy(struct client *client);

/* A plan of noop jobs "j0" …: edges are pairs {job, depends on}. Lives in the arena. */
Callsheet__V1__CreateExecutionRequest *client_plan(uint32_t jobs, const uint32_t (*edges)[2], size_t edge_count,
                                                   struct cs_arena *arena);

enum cs_status client_submit(struct client *client, const Callsheet__V1__CreateExecutionRequest *request,
                             char ret_id[CLIENT_ID_SIZE], struct cs_err *err) CS_MUST_USE;
/* Watches it to its terminal state; ret_ns: when the update came. FAILED_PRECONDITION when it did not complete. */
enum cs_status client_await(struct client *client, const char *id, int64_t *ret_ns, struct cs_err *err) CS_MUST_USE;
/* Submits it `count` times with `window` requests under way at once; returns when all were answered. */
enum cs_status client_flood(struct client *client, const Callsheet__V1__CreateExecutionRequest *request, uint32_t count,
                            uint32_t window, struct cs_err *err) CS_MUST_USE;
/* Whether some execution has not ended. */
enum cs_status client_any_active(struct client *client, bool *ret_any, struct cs_err *err) CS_MUST_USE;

#endif
