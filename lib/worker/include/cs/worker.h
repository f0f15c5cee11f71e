/*
 * worker: the serving side of callsheet.v1.Worker, shared by media, providers and webhooks.
 *
 * It speaks the stream (Hello, credits, batching, fences), tracks the open assignments and hands each to the service.
 * When a stream ends, its assignments are cancelled.
 *
 *     static const struct cs_worker_ops ops = {.start = start_job, .cancel = cancel_job};
 *     cs_worker_create(&config, &worker); … cs_worker_service(worker) goes into the rpc server's services.
 *
 * Threads  ops run on rpc's polling threads and on the worker's own timer, without a lock held, and must not block:
 *          hand the work to your own threads. Reporting functions may be called from any thread, until the final
 *          report. cancel, signal, chunk_news and a checkpoint's saved may come while another thread gives the final
 *          report (the assignment itself stays valid for them): find your own state under your own lock.
 * Owns     a struct cs_assignment is freed after its final report (succeed or fail), which you must always give,
 *          exactly once — also after cancel.
 */
#ifndef CS_WORKER_H
#define CS_WORKER_H

#include "callsheet/v1/worker.pb-c.h"
#include "cs/rpc.h"

enum {
    CS_CHECKPOINT_BYTES_MAX = 64 << 10,
    CS_WORKER_UNSENT_BYTES_MAX = 8 << 20, /* of reports on one stream: a peer that lets them pile up loses its stream */
    CS_HEARTBEAT_MS = 10 * 1000,
    CS_PROGRESS_INTERVAL_MS = 200, /* progress in between is replaced by newer progress */
};

struct cs_worker;
struct cs_assignment;

struct cs_worker_ops {
    /* A job to do. The slot is taken until the final report. */
    void (*start)(struct cs_assignment *assignment, void *ctx);
    /* Stop it soon; then report as usual. Once, never before start has returned. reason is the orchestrator's, or
     * "deadline", "stream ended", "draining": then a final report that says CANCELLED is sent as TIMEOUT "deadline" or
     * TRANSIENT "draining", because nobody asked for the job to end. */
    void (*cancel)(struct cs_assignment *assignment, const char *reason, void *ctx);
    /* May be NULL. */
    void (*signal)(struct cs_assignment *assignment, const char *name, const void *payload, size_t size, void *ctx);
    /* How a chunk that was on offer fares at another worker. May be NULL. */
    void (*chunk_news)(struct cs_assignment *assignment, uint32_t chunk, Callsheet__V1__ChunkState state, void *ctx);
};

struct cs_worker_config {
    const char *kind;              /* "media": prefix of the worker's id */
    const char *const *operations; /* JSON names */
    size_t operation_count;
    uint32_t slots;
    const struct cs_worker_ops *ops;
    void *ctx;
    uint32_t fused_jobs;   /* how many jobs an assignment may be made of (Assign.steps_before); 0: one */
    bool shares;           /* chunks of other workers' jobs are made (Assign.share) */
    uint32_t heartbeat_ms; /* how often the orchestrator hears that each assignment is alive; 0: the default */
};

struct cs_worker *cs_worker_create(const struct cs_worker_config *config);
/* After the rpc server is gone; waits until every assignment has had its final report. */
void cs_worker_destroy(struct cs_worker *worker);
CS_DEFINE_AUTO(cs_worker, cs_worker_destroy)
/* A row for cs_rpc_server_config.services. */
struct cs_rpc_service cs_worker_service(struct cs_worker *worker);
/* Withdraws all credits, cancels what runs after grace_ms, waits for the final reports to leave, ends the streams. */
void cs_worker_drain(struct cs_worker *worker, int64_t grace_ms);
uint32_t cs_worker_busy(const struct cs_worker *worker);

/* ---- an assignment ---- */
const Callsheet__V1__Assign *cs_assignment_get(const struct cs_assignment *assignment);
const struct cs_trace *cs_assignment_trace(const struct cs_assignment *assignment);
int64_t cs_assignment_left_ms(const struct cs_assignment *assignment); /* until the deadline, >= 0 */
bool cs_assignment_cancelled(const struct cs_assignment *assignment);
/* Cancelled, and no other attempt will follow. */
bool cs_assignment_over(const struct cs_assignment *assignment);
void cs_assignment_set_user(struct cs_assignment *assignment, void *user);
void *cs_assignment_user(const struct cs_assignment *assignment);

/* The input that a MediaRef points to; NULL when ref is NULL, unset or out of range. */
const Callsheet__V1__ResolvedInput *cs_assignment_input(const struct cs_assignment *assignment,
                                                        const Callsheet__V1__MediaRef *ref);

/* ---- reports ---- */
/* Messages and codes may quote anybody: what is not UTF-8 in them is replaced by "?". */
void cs_report_progress(struct cs_assignment *assignment, const Callsheet__V1__Progress *progress); /* coalesced */
void cs_report_log(struct cs_assignment *assignment, const char *level, const char *message);
/* Saves data, at most CS_CHECKPOINT_BYTES_MAX. saved (may be NULL: no acknowledgement wanted) runs on a polling thread
 * when it is durable, with ok false when it never will be: the stream ended first (the assignment has then been
 * cancelled), or data is too large. It does not begin any more once the final report was given. */
void cs_report_checkpoint(struct cs_assignment *assignment, const void *data, size_t size,
                          void (*saved)(struct cs_assignment *assignment, bool ok, void *ctx), void *ctx);
/* Chunks of the job that other workers may make from now on; plan is a digest, as Spread has it. */
void cs_report_spread(struct cs_assignment *assignment, const void *plan, size_t plan_size, const uint32_t *chunks,
                      size_t count);
void cs_report_succeeded(struct cs_assignment *assignment, const Callsheet__V1__Succeeded *succeeded);
void cs_report_failed(struct cs_assignment *assignment, Callsheet__V1__FailureClass failure_class, const char *code,
                      int64_t retry_after_ms, const char *fmt, ...) CS_PRINTF(5, 6);
/* From a cs_err by the one table status -> class. */
void cs_report_error(struct cs_assignment *assignment, const struct cs_err *err);

#endif
