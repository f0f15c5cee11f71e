/*
 * state: what the parts of the worker share. One lock guards it all; no callback and no call of rpc happens under it.
 *
 *     worker ── sessions (one for each stream) ── assignments (by fence)
 *
 * A function whose name ends in _locked is called with the lock and keeps it.
 */
#ifndef WORKER_STATE_H
#define WORKER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "cs/base/clock.h"
#include "cs/base/hash.h"
#include "cs/worker.h"

#include <utlist.h>

enum { FENCE_BYTES_MAX = 64, REASON_SIZE = 256, WORKER_ID_SIZE = 96 };

enum cancel_cause {
    NOT_CANCELLED,
    CANCEL_ASKED, /* by the orchestrator */
    CANCEL_DEADLINE,
    CANCEL_STREAM, /* it ended */
    CANCEL_DRAINING,
};

struct session {
    struct session *prev, *next;
    struct cs_worker *worker;
    struct cs_rpc_stream *stream; /* a reference */
    int references;               /* the stream until closed, and whoever flushes */
    bool closed;
    uint32_t limit; /* as told */
    bool limit_told;
    struct cs_assignment *assignments; /* by fence */
    struct cs_buf batches[2];          /* packed reports: one fills while the other flies */
    int filling;
    bool flying;
};

/* A checkpoint whose acknowledgement somebody waits for. */
struct waiter {
    struct waiter *prev, *next;
    struct cs_assignment *assignment;
    uint64_t sequence;
    void (*saved)(struct cs_assignment *assignment, bool ok, void *ctx);
    void *ctx;
};

struct cs_assignment {
    struct cs_assignment *prev, *next; /* of all of the worker */
    UT_hash_handle hh;                 /* of the session */
    struct cs_worker *worker;
    struct cs_arena *arena;
    const Callsheet__V1__Assign *assign;
    ProtobufCBinaryData fence; /* in the arena */
    struct cs_trace trace;
    int64_t deadline_mono_ms;
    void *_Atomic user;
    atomic_bool cancelled;
    atomic_bool over;
    /* below: guarded by the worker's lock */
    int references;          /* until the final report, and callbacks that run */
    struct session *session; /* NULL once its stream has ended */
    bool started;
    bool final;
    enum cancel_cause cause;
    char reason[REASON_SIZE];
    bool cancel_due; /* ops->cancel is to be called */
    struct waiter *waiters;
    uint64_t sequence; /* of the last checkpoint */
    double fraction;   /* the highest so far */
    int64_t progress_sent_ms;
    struct cs_buf progress; /* newest, packed; not sent yet */
};

struct cs_worker {
    struct cs_worker_config config;
    char id[WORKER_ID_SIZE];
    pthread_t timer;
    pthread_mutex_t lock;
    pthread_cond_t wake;    /* of the timer */
    pthread_cond_t changed; /* for who waits: busy, sessions, batches */
    /* below: guarded by lock */
    struct session *sessions;
    struct cs_assignment *assignments;
    struct waiter *refused; /* checkpoints that cannot be saved */
    uint32_t busy;          /* assignments without a final report */
    uint32_t leaving;       /* threads inside a final report */
    uint32_t rotation;
    int64_t rotate_at_ms;
    int64_t beat_at_ms; /* the next heartbeats, all at once; INT64_MAX: nothing is assigned */
    int64_t wake_at_ms;
    bool draining;
    bool stopping;
};

/* ---- session.c ---- */
extern const struct cs_rpc_stream_events session_events;
/* Adds a packed report to what is sent next. */
void session_put_locked(struct session *session, const void *report, size_t size_bytes);
/* The same for one that is not packed yet. */
void session_report_locked(struct session *session, const Callsheet__V1__Report *report);
/* Sends what has been put, on every session. Takes the lock and lets it go. */
void sessions_flush(struct cs_worker *worker);
void session_unref_locked(struct session *session);
bool session_is_idle_locked(const struct session *session);

/* ---- assignment.c ---- */
/* Takes an Assign of a session: starts it, or answers why not. */
void assignment_begin(struct session *session, ProtobufCBinaryData fence, const Callsheet__V1__Assign *assign);
struct cs_assignment *assignment_find_locked(struct session *session, ProtobufCBinaryData fence);
void assignment_cancel_locked(struct cs_assignment *assignment, enum cancel_cause cause, const char *reason);
/* Calls ops->cancel where it is due. Without the lock. */
void assignments_run_cancels(struct cs_worker *worker);
void assignment_unref_locked(struct cs_assignment *assignment);

/* ---- report.c ---- */
/* A report as a field of WorkReport, ready for a batch. The caller finishes the buffer. */
void report_pack(const Callsheet__V1__Report *report, struct cs_buf *out);
/* Says that it is alive. */
void report_heartbeat_locked(struct cs_assignment *assignment);
/* Sends progress that has waited long enough; returns when the next is due. */
int64_t report_progress_due_locked(struct cs_assignment *assignment, int64_t now_ms);
int report_waiter_count_locked(const struct cs_assignment *assignment);
/* Takes the waiter of an acknowledgement off its assignment; NULL none. */
struct waiter *report_waiter_take_locked(struct cs_assignment *assignment, uint64_t sequence);
/* Tells waiters and frees them. Without the lock; each holds a reference to its assignment. */
void report_tell_waiters(struct cs_worker *worker, struct waiter *waiters, bool ok);

/* ---- credits.c ---- */
/* Shares the slots anew and tells the sessions whose limit changed. */
void credits_share_locked(struct cs_worker *worker);

/* ---- timer.c ---- */
void *timer_main(void *worker);
/* Makes the timer look again no later than at_ms. */
void timer_set_locked(struct cs_worker *worker, int64_t at_mono_ms);

#endif
