/*
 * orchestrator: a scripted one. It keeps every report in the order of arrival; a test asks for the next of some kind.
 */
#ifndef WORKER_TEST_ORCHESTRATOR_H
#define WORKER_TEST_ORCHESTRATOR_H

#include <pthread.h>

#include "callsheet/v1/worker.pb-c.h"
#include "cs/rpc.h"

enum { REPORTS_MAX = 8192, PATIENCE_MS = 20 * 1000 };

struct orchestrator {
    struct cs_rpc_channel *channel;
    struct cs_rpc_stream *stream;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    ProtobufCMessage *messages[REPORTS_MAX]; /* WorkReport, owned */
    int message_count;
    const Callsheet__V1__Report *reports[REPORTS_MAX];
    int report_count;
    int taken[REPORTS_MAX];
    bool closed;
    struct cs_err how;
};

void orchestrator_open(struct orchestrator *orc, struct cs_rpc *rpc, const char *address);
void orchestrator_close(struct orchestrator *orc); /* cancels the stream, frees everything */

/* The first report of this kind and fence ("" any) that was not taken before; NULL when none comes in time. */
const Callsheet__V1__Report *orchestrator_take(struct orchestrator *orc, Callsheet__V1__Report__ReportCase kind,
                                               const char *fence);
/* The same without waiting. */
const Callsheet__V1__Report *orchestrator_peek(struct orchestrator *orc, Callsheet__V1__Report__ReportCase kind,
                                               const char *fence);
bool orchestrator_wait_limit(struct orchestrator *orc, uint32_t limit); /* until the newest Credits say this */
bool orchestrator_wait_closed(struct orchestrator *orc);
int orchestrator_message_count(struct orchestrator *orc);

void orchestrator_assign(struct orchestrator *orc, const char *fence, int64_t left_ms);
void orchestrator_assign_with(struct orchestrator *orc, const char *fence, Callsheet__V1__Assign *assign);
void orchestrator_cancel(struct orchestrator *orc, const char *fence, const char *reason);
void orchestrator_cancel_for_good(struct orchestrator *orc, const char *fence, const char *reason);
void orchestrator_signal(struct orchestrator *orc, const char *fence, const char *name, const char *payload);
void orchestrator_chunk_news(struct orchestrator *orc, const char *fence, uint32_t chunk,
                             Callsheet__V1__ChunkState state);
void orchestrator_saved(struct orchestrator *orc, const char *fence, uint64_t sequence);
void orchestrator_welcome(struct orchestrator *orc);

#define REPORT(kind) CALLSHEET__V1__REPORT__REPORT_##kind

#endif
