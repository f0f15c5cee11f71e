/*
 * fake_orchestrator: an Orchestrator whose answers a test scripts, over real gRPC.
 *
 * CreateExecution answers execution "e1"; GetExecution and CancelExecution know "e1", hang for "hang", and do not know
 * the rest; WatchExecution leaves its streams to the test; GetMetrics knows one.
 */
#ifndef GW_TESTS_FAKE_ORCHESTRATOR_H
#define GW_TESTS_FAKE_ORCHESTRATOR_H

#include <pthread.h>
#include <stdbool.h>

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/rpc.h"

enum { FAKE_WATCHES_MAX = 16, FAKE_PATIENCE_S = 20 };

struct fake {
    struct cs_rpc *rpc;
    struct cs_rpc_server *server;
    struct cs_rpc_method methods[32];
    struct cs_rpc_service service;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    struct cs_err failure; /* what the next calls fail with, when its status is not OK */
    bool existing;
    bool decided; /* no decision is awaited any more */
    char *last;   /* the last request, as JSON */
    char last_trace[CS_TRACE_ID_HEX_SIZE];
    struct cs_rpc_call *hanging[8];
    int hanging_count;
    struct cs_rpc_stream *watches[FAKE_WATCHES_MAX];
    int watch_count;  /* opened so far */
    int closed_count; /* of them ended */
};

void fake_start(struct fake *fake);
void fake_stop(struct fake *fake);
const char *fake_address(const struct fake *fake);
void fake_fail_with(struct fake *fake, enum cs_status status, const char *reason, const char *path,
                    const char *message);
bool fake_await_watches(struct fake *fake, int count);
bool fake_await_closed(struct fake *fake, int count);
bool fake_await_hanging(struct fake *fake, int count);
/* Sends to the newest watch. padding: bytes of an error sentence that make it big. */
bool fake_send(struct fake *fake, bool snapshot, Callsheet__V1__ExecutionState state, uint64_t revision,
               size_t padding);
/* Ends the newest watch; status CS_OK ends it well. */
void fake_end_watch(struct fake *fake, enum cs_status status);
/* The last request as JSON; the caller frees. */
char *fake_last(struct fake *fake);

#endif
