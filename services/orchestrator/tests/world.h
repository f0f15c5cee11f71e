/*
 * world: the orchestrator as its clients and workers see it — a database, the service in this process or as a program
 * of its own, a client.
 *
 * Threads  the test's own for all functions.
 * Fails    by failing the test.
 */
#ifndef ORC_TESTS_WORLD_H
#define ORC_TESTS_WORLD_H

#include "app.h"
#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/pg.h"
#include "cs/test.h"
#include "cs/test_support.h"
#include "requests.h"
#include "scripted_worker.h"

#define WORLD_LINK_SECRET "0123456789abcdef"

struct world {
    struct cs_arena *arena; /* of all answers */
    struct cs_rpc *rpc;     /* of the client and the scripted workers; there before world_open */
    struct cs_test_db db;
    char url[CS_TEST_URL_MAX];
    struct orc_config config; /* token and replica may be set before the start */
    char workers[256];
    struct orc_app *app;            /* one of the two, or none */
    struct cs_test_program program; /* pid > 0 */
    struct cs_rpc_channel *channel;
    char address[CS_TEST_PATH_MAX]; /* of the channel */
    struct cs_pg *pg;               /* to look beside the service */
};

/* A database (url NULL: a fresh one), no service yet. */
void world_open(struct world *world, const char *url);
void world_close(struct world *world);
#define AUTO_WORLD __attribute__((cleanup(world_close))) struct world

/* Adds a worker to those that the service dials at its next start. */
struct scripted_worker *world_worker(struct world *world, struct scripted_config config);

void world_start(struct world *world);         /* in this process */
void world_stop(struct world *world);          /* drains it */
void world_start_program(struct world *world); /* build/bin/callsheet-orchestrator */
void world_kill_program(struct world *world);  /* kill -9 */
int world_stop_program(struct world *world);   /* SIGTERM; the exit code */
/* Starts it with that --crash-at, which it reaches. */
void world_die_at_start(struct world *world, const char *crash_at);
/* Another program beside the first: a replica of that name ("": one of its own). */
void world_start_second(struct world *world, const char *replica, struct cs_test_program *ret_program);
/* Calls and watches go there from now on. */
void world_go_to(struct world *world, const char *address);

/* ---- calls; answers live in the world's arena ---- */

enum cs_status world_try(struct world *world, const char *method, const ProtobufCMessage *request,
                         const ProtobufCMessage **ret_reply, struct cs_err *err);
/* Must be accepted. The reply's id. */
const char *world_create(struct world *world, const char *request);
enum cs_status world_try_create(struct world *world, Callsheet__V1__CreateExecutionRequest *request,
                                const Callsheet__V1__CreateExecutionReply **ret_reply, struct cs_err *err);
enum cs_status world_try_get(struct world *world, const char *tenant, const char *id,
                             const Callsheet__V1__Execution **ret_execution, struct cs_err *err);
const Callsheet__V1__Execution *world_get(struct world *world, const char *id);
enum cs_status world_try_cancel(struct world *world, const char *tenant, const char *id, const char *reason,
                                const Callsheet__V1__Execution **ret_execution, struct cs_err *err);

/* Watches until the execution is terminal, again when the service says "try again"; its last state. */
const Callsheet__V1__Execution *world_await(struct world *world, const char *id);

/* ---- the database ---- */

struct world_counts {
    int64_t executions;
    int64_t events;
    int64_t replicas;
};
struct world_counts world_count(struct world *world);
int64_t world_open_count(struct world *world);
int64_t world_stuck_count(struct world *world);
int64_t world_events(struct world *world, const char *id, int kind);

/* ---- watching ---- */

struct watch;
/* slow: reads nothing until watch_go. */
struct watch *watch_start(struct world *world, const char *tenant, const char *id, bool slow);
void watch_go(struct watch *watch);
/* Waits for the next update that was not taken; NULL when the stream has ended. In the world's arena. */
const Callsheet__V1__ExecutionUpdate *watch_next(struct watch *watch);
/* How it ended (CS_OK: well), after watch_next gave NULL. */
const struct cs_err *watch_end(const struct watch *watch);
void watch_stop(struct watch *watch);

#endif
