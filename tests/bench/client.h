/*
 * client: what a gateway would ask of the orchestrator, measured.
 *
 * Threads  one; a load beside it has a thread and a client of its own.
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
CS_DEFINE_AUTO(client, client_destroy)

enum cs_status client_submit(struct client *client, const Callsheet__V1__CreateExecutionRequest *request,
                             char ret_id[CLIENT_ID_SIZE], struct cs_err *err) CS_MUST_USE;
/* Watches it to its terminal state; ret_ns: when the update came. FAILED_PRECONDITION when it did not complete. */
enum cs_status client_await(struct client *client, const char *tenant, const char *id, int64_t *ret_ns,
                            struct cs_err *err) CS_MUST_USE;
/* Submits it `count` times with `window` requests under way at once; returns when all were answered. */
enum cs_status client_flood(struct client *client, const Callsheet__V1__CreateExecutionRequest *request, uint32_t count,
                            uint32_t window, struct cs_err *err) CS_MUST_USE;
/* Submits it at an even pace until *stop; requests that the server is late with pile up to `window`. */
enum cs_status client_pace(struct client *client, const Callsheet__V1__CreateExecutionRequest *request,
                           double per_second, uint32_t window, const _Atomic bool *stop, uint64_t *ret_count,
                           struct cs_err *err) CS_MUST_USE;
/* Whether some execution of the tenant has not ended. */
enum cs_status client_any_active(struct client *client, const char *tenant, bool *ret_any,
                                 struct cs_err *err) CS_MUST_USE;

#endif
