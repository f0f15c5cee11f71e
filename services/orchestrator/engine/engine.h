/*
 * engine: owns the open executions; turns events into commits and commits into dispatch.
 *
 * One thread owns all graphs. Everything comes to it through one queue (submissions, reports of workers, timers,
 * reads); it steps the domain and fills a batch; a committer thread writes batches, one at a time (group commit):
 * nothing waiting → at once, busy → while one batch commits the next one fills. A small plan of a tenant with little
 * open does not wait for the batch under way: a second committer writes such rows meanwhile. What an event asked for
 * (assignments, acknowledgements, answers, notifications) happens after its commit. A commit that failed in doubt, or
 * that was fenced, drops all memory and recovers under a new epoch.
 *
 * Readers see only what has been committed.
 *
 * Threads  every function from any thread. Callbacks run on the engine's thread (what was read from rows: on a
 *          reader's; "overloaded": at once, on the caller's) and must not block.
 * Limits   ORC_ENGINE_QUEUE_MAX requests without an answer, and ORC_ENGINE_QUEUE_BYTES_MAX of them: beyond,
 *          RESOURCE_EXHAUSTED "overloaded".
 */
#ifndef ORC_ENGINE_ENGINE_H
#define ORC_ENGINE_ENGINE_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/clock.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/execution.h"
#include "links/links.h"
#include "wire/change_wire.h"
#include "wire/external_token.h"
#include "wire/plan_wire.h"

enum {
    ORC_ENGINE_QUEUE_MAX = 1 << 16,
    ORC_ENGINE_QUEUE_BYTES_MAX = 128 << 20, /* of the packed plans and reports among them */
};

struct orc_engine;

struct orc_engine_config {
    const char *database_url;
    const char *replica;     /* "orchestrator-1"; "": a name of its own for each time it joins */
    const char *environment; /* first segment of storage keys */
    const char *public_url;  /* of the gateway, for links in webhooks */
    const char *link_secret;
    struct cs_rpc *rpc;
    const char *workers; /* targets of links */
    struct cs_rpc_tls tls;
    const char *authorization;    /* or NULL */
    const char *limits;           /* as in engine/limits.h; or NULL */
    const char *tenant_weights;   /* or NULL */
    uint32_t headroom_share;      /* as in engine/headroom.h */
    const char *version;          /* of Callsheet: results of another one are not taken; or NULL */
    int64_t cache_ttl_ms;         /* how long results are kept; 0: the default */
    const struct cs_clock *clock; /* or NULL: the system's */
    /* Told once when it cannot go on: a live process has its name. May be NULL. On a thread of the engine. */
    void (*failed)(const struct cs_err *err, void *ctx);
    void *failed_ctx;
};

/* Migrates, joins, dials the workers; returns when it serves. What was open comes back meanwhile (returning.h); what is
 * little is back when it returns. */
enum cs_status orc_engine_start(const struct orc_engine_config *config, struct orc_engine **ret_engine,
                                struct cs_err *err) CS_MUST_USE;
/* Commits what is in the queue, then stops. Open executions stay in the database. When it returns every callback that
 * was due has run: what could not be committed (the database is away; it waits for it a few seconds at most) was
 * answered UNAVAILABLE, watches have ended. No other function may be called any more, or be running. */
void orc_engine_stop(struct orc_engine *engine);
CS_DEFINE_AUTO(orc_engine, orc_engine_stop)

/* Where our gRPC server is, for calls that other replicas forward. */
void orc_engine_set_address(struct orc_engine *engine, const char *address);

/* Submissions (checked by wire/plan_wire.h) are taken over by the engine, also on failure. */

/* Exactly once: reply or err is NULL. */
typedef void orc_created_fn(const Callsheet__V1__CreateExecutionReply *reply, const struct cs_err *err, void *ctx);
typedef void orc_read_fn(const Callsheet__V1__Execution *execution, const struct cs_err *err, void *ctx);

/* Answers after the commit. The id is made here. */
void orc_engine_submit(struct orc_engine *engine, struct orc_submission *submission, orc_created_fn *done, void *ctx);
/* The same for a request with a base, which is read first. Checks everything; the request is changed, and must live
 * until `done` is called. */
void orc_engine_submit_on_base(struct orc_engine *engine, Callsheet__V1__CreateExecutionRequest *request,
                               const struct cs_trace *trace, orc_created_fn *done, void *ctx);
/* New executions of an old plan, as the RPCs say; requests are copied. */
void orc_engine_retry(struct orc_engine *engine, const Callsheet__V1__RetryExecutionRequest *request,
                      const struct cs_trace *trace, orc_created_fn *done, void *ctx);
void orc_engine_rerun(struct orc_engine *engine, const Callsheet__V1__RerunExecutionRequest *request,
                      const struct cs_trace *trace, orc_created_fn *done, void *ctx);
/* From memory when open, else from its row. */
void orc_engine_get(struct orc_engine *engine, const char *tenant, const char *id, orc_read_fn *done, void *ctx);
void orc_engine_cancel(struct orc_engine *engine, const char *tenant, const char *id, const char *reason,
                       orc_read_fn *done, void *ctx);
/* Changes the plan of an open execution (wire/change_wire.h), which is taken over also on failure. Answers with the
 * execution after the commit. */
void orc_engine_change(struct orc_engine *engine, const char *tenant, const char *id, struct orc_change *change,
                       orc_read_fn *done, void *ctx);
/* A decision about an approval, checked by wire/approval_wire.h, and a report about an external job, checked by
 * wire/external_wire.h: as the RPCs say. Requests are copied. */
void orc_engine_decide(struct orc_engine *engine, const Callsheet__V1__DecideApprovalRequest *request,
                       orc_read_fn *done, void *ctx);
enum cs_status orc_engine_read_token(const struct orc_engine *engine, const char *text,
                                     struct orc_external_token *ret_token, struct cs_err *err) CS_MUST_USE;
void orc_engine_report(struct orc_engine *engine, const Callsheet__V1__ReportExternalRequest *request,
                       const struct orc_external_token *token, orc_read_fn *done, void *ctx);
/* Newest first; runs in the caller's thread on a connection of the reader pool and blocks. page_size is 1 … 100 here;
 * tokens are those of wire/page_token.h. */
enum cs_status orc_engine_list(struct orc_engine *engine, const Callsheet__V1__ListExecutionsRequest *request,
                               struct cs_arena *arena, Callsheet__V1__ListExecutionsReply **ret_reply,
                               struct cs_err *err) CS_MUST_USE;
/* Who runs an execution that get, cancel or watch said "elsewhere" of. Exactly one of the three: the address of a live
 * replica, or the execution as its log tells it when there is none, or err. A replica at `unreachable` (or NULL) counts
 * as dead. */
typedef void orc_located_fn(const char *address, const Callsheet__V1__Execution *execution, const struct cs_err *err,
                            void *ctx);
void orc_engine_locate(struct orc_engine *engine, const char *tenant, const char *id, const char *unreachable,
                       orc_located_fn *done, void *ctx);
/* Forgets the kept results of the work of its jobs; how many there were. In the caller's thread, like a list. */
enum cs_status orc_engine_invalidate(struct orc_engine *engine, const char *tenant, const char *id,
                                     uint32_t *ret_entries, struct cs_err *err) CS_MUST_USE;
/* Makes lists fail with UNAVAILABLE "stopping" soon, those that run and those to come: they must have ended before
 * orc_engine_stop. */
void orc_engine_end_lists(struct orc_engine *engine);

/* Changes of one execution: first a snapshot, then updates after each commit and (at most 5 a second) progress; `ended`
 * once, err NULL after the terminal update. */
struct orc_watcher_events {
    void (*update)(const Callsheet__V1__ExecutionUpdate *update, void *ctx);
    void (*ended)(const struct cs_err *err, void *ctx);
};
uint64_t orc_engine_watch(struct orc_engine *engine, const char *tenant, const char *id,
                          const struct orc_watcher_events *events, void *ctx);
/* `ended` follows with CANCELLED unless it came already. */
void orc_engine_unwatch(struct orc_engine *engine, uint64_t watch);

/* Prometheus text: open executions, ready/running jobs, commits, events per commit, batch latency, links, queue depth.
 */
void orc_engine_metrics(struct orc_engine *engine, struct cs_buf *out);
/* The same, and for each operation that workers offer or jobs wait for: how many are ready, how many of them wait at
 * gates, and since when the oldest. Exactly once: text or err is NULL. */
typedef void orc_metrics_fn(const char *text, const struct cs_err *err, void *ctx);
void orc_engine_ask_metrics(struct orc_engine *engine, orc_metrics_fn *done, void *ctx);

#endif
