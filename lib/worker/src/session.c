/* A session is one stream of one orchestrator. */
#include "cs/base/log.h"
#include "state.h"

void session_unref_locked(struct session *session) {
    if (--session->references != 0) {
        return;
    }
    cs_rpc_stream_unref(session->stream);
    cs_buf_fini(&session->batches[0]);
    cs_buf_fini(&session->batches[1]);
    free(session);
}

/* ---- sending ---- */

void session_put_locked(struct session *session, const void *report, size_t size_bytes) {
    if (!session->closed) {
        cs_buf_put(&session->batches[session->filling], report, size_bytes);
    }
}

void session_report_locked(struct session *session, const Callsheet__V1__Report *report) {
    CS_AUTO_BUF packed = {0};
    report_pack(report, &packed);
    session_put_locked(session, packed.data, packed.size);
}

bool session_is_idle_locked(const struct session *session) {
    return !session->flying && session->batches[session->filling].size == 0;
}

static bool is_ready(const struct session *session) {
    return !session->closed && !session->flying && session->batches[session->filling].size != 0;
}

static bool is_stuck(const struct session *session) {
    return session->flying && !session->closed && session->batches[session->filling].size > CS_WORKER_UNSENT_BYTES_MAX;
}

/* Sends the batch that has filled; `flying` keeps others off until `drained`. Lets the lock go meanwhile. */
static void fly(struct session *session) {
    struct cs_worker *worker = session->worker;
    const struct cs_buf *batch = &session->batches[session->filling];
    session->filling ^= 1;
    session->flying = true;
    session->references++;
    cs_buf_clear(&session->batches[session->filling]);
    pthread_mutex_unlock(&worker->lock);
    struct cs_err err;
    enum cs_status status = cs_rpc_stream_send_packed(session->stream, batch->data, batch->size, &err);
    if (status != CS_OK && status != CS_CANCELLED) {
        cs_log_warn("reports cannot be sent, ending the stream", CS_KVE(&err));
        cs_rpc_stream_cancel(session->stream);
    }
    pthread_mutex_lock(&worker->lock);
    session_unref_locked(session);
}

/* The peer does not read: its stream ends, and with it what runs for it. */
static void give_up(struct session *session) {
    struct cs_worker *worker = session->worker;
    cs_buf_clear(&session->batches[session->filling]);
    session->references++;
    pthread_mutex_unlock(&worker->lock);
    cs_log_warn("orchestrator does not read its reports, ending the stream");
    cs_rpc_stream_cancel(session->stream);
    pthread_mutex_lock(&worker->lock);
    session_unref_locked(session);
}

void sessions_flush(struct cs_worker *worker) {
    pthread_mutex_lock(&worker->lock);
    struct session *session = NULL;
    do {
        DL_FOREACH(worker->sessions, session) {
            if (is_ready(session) || is_stuck(session)) { // NOLINT(clang-analyzer-unix.Malloc): counted references
                break;
            }
        }
        if (session != NULL && is_stuck(session)) {
            give_up(session);
        } else if (session != NULL) {
            fly(session);
        }
    } while (session != NULL);
    pthread_mutex_unlock(&worker->lock);
}

static void on_drained(struct cs_rpc_stream *stream, void *user) {
    (void)stream;
    struct session *session = user;
    struct cs_worker *worker = session->worker;
    pthread_mutex_lock(&worker->lock);
    session->flying = false;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    sessions_flush(worker);
}

/* ---- opening ---- */

static void put_hello_locked(struct session *session) {
    const struct cs_worker *worker = session->worker;
    Callsheet__V1__Hello hello = CALLSHEET__V1__HELLO__INIT;
    Callsheet__V1__Report report = CALLSHEET__V1__REPORT__INIT;
    hello.worker = (char *)worker->id;
    hello.version = (char *)CS_VERSION;
    hello.n_operations = worker->config.operation_count;
    hello.operations = (char **)worker->config.operations;
    hello.slots = worker->config.slots;
    hello.heartbeat_ms = worker->config.heartbeat_ms;
    hello.fused_jobs = worker->config.fused_jobs;
    hello.shares = worker->config.shares;
    report.report_case = CALLSHEET__V1__REPORT__REPORT_HELLO;
    report.hello = &hello;
    session_report_locked(session, &report);
}

static enum cs_status on_opened(struct cs_rpc_stream *stream, const ProtobufCMessage *request, void *ctx,
                                struct cs_err *err) {
    (void)request;
    struct cs_worker *worker = ctx;
    pthread_mutex_lock(&worker->lock);
    if (worker->draining) {
        pthread_mutex_unlock(&worker->lock);
        return cs_fail(err, CS_UNAVAILABLE, "draining", "the worker is about to stop");
    }
    struct session *session = cs_alloc(sizeof(*session));
    session->worker = worker;
    session->stream = cs_rpc_stream_ref(stream);
    session->references = 1;
    cs_rpc_stream_set_user(stream, session);
    DL_APPEND(worker->sessions, session);
    put_hello_locked(session);
    credits_share_locked(worker);
    timer_set_locked(worker, cs_clock_mono_ms());
    pthread_mutex_unlock(&worker->lock);
    sessions_flush(worker);
    return CS_OK;
}

/* ---- commands ---- */

static void cancel(struct session *session, ProtobufCBinaryData fence, const Callsheet__V1__Cancel *command) {
    struct cs_worker *worker = session->worker;
    pthread_mutex_lock(&worker->lock);
    struct cs_assignment *assignment = assignment_find_locked(session, fence);
    if (assignment != NULL) {
        if (command->for_good) { /* a later cancel, by an orchestrator that starts again, does not take it back */
            atomic_store(&assignment->over, true);
        }
        assignment_cancel_locked(assignment, CANCEL_ASKED, command->reason);
    }
    pthread_mutex_unlock(&worker->lock);
    assignments_run_cancels(worker);
}

/* With a reference; or NULL. */
static struct cs_assignment *hold(struct session *session, ProtobufCBinaryData fence) {
    pthread_mutex_lock(&session->worker->lock);
    struct cs_assignment *assignment = assignment_find_locked(session, fence);
    if (assignment != NULL) {
        assignment->references++;
    }
    pthread_mutex_unlock(&session->worker->lock);
    return assignment;
}

static void let_go(struct cs_worker *worker, struct cs_assignment *assignment) {
    pthread_mutex_lock(&worker->lock);
    assignment_unref_locked(assignment);
    pthread_mutex_unlock(&worker->lock);
}

static void pass_signal(struct session *session, ProtobufCBinaryData fence, const Callsheet__V1__Signal *command) {
    struct cs_worker *worker = session->worker;
    struct cs_assignment *assignment = worker->config.ops->signal != NULL ? hold(session, fence) : NULL;
    if (assignment != NULL) {
        worker->config.ops->signal(assignment, command->name, command->payload.data, command->payload.len,
                                   worker->config.ctx);
        let_go(worker, assignment);
    }
}

static void pass_chunk_news(struct session *session, ProtobufCBinaryData fence,
                            const Callsheet__V1__ChunkNews *command) {
    struct cs_worker *worker = session->worker;
    struct cs_assignment *assignment = worker->config.ops->chunk_news != NULL ? hold(session, fence) : NULL;
    if (assignment != NULL) {
        worker->config.ops->chunk_news(assignment, command->chunk, command->state, worker->config.ctx);
        let_go(worker, assignment);
    }
}

static void checkpoint_saved(struct session *session, ProtobufCBinaryData fence,
                             const Callsheet__V1__CheckpointSaved *command) {
    struct cs_worker *worker = session->worker;
    struct waiter *waiter = NULL;
    pthread_mutex_lock(&worker->lock);
    struct cs_assignment *assignment = assignment_find_locked(session, fence);
    if (assignment != NULL) {
        waiter = report_waiter_take_locked(assignment, command->sequence);
    }
    pthread_mutex_unlock(&worker->lock);
    report_tell_waiters(worker, waiter, true);
}

static void obey(struct session *session, const Callsheet__V1__WorkCommand *command) {
    switch (command->command_case) {
    case CALLSHEET__V1__WORK_COMMAND__COMMAND_WELCOME:
        cs_log_info("orchestrator connected", CS_KV("replica", command->welcome->replica));
        break;
    case CALLSHEET__V1__WORK_COMMAND__COMMAND_ASSIGN:
        assignment_begin(session, command->fence, command->assign);
        break;
    case CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL:
        cancel(session, command->fence, command->cancel);
        break;
    case CALLSHEET__V1__WORK_COMMAND__COMMAND_SIGNAL:
        pass_signal(session, command->fence, command->signal);
        break;
    case CALLSHEET__V1__WORK_COMMAND__COMMAND_CHECKPOINT_SAVED:
        checkpoint_saved(session, command->fence, command->checkpoint_saved);
        break;
    case CALLSHEET__V1__WORK_COMMAND__COMMAND_CHUNK_NEWS:
        pass_chunk_news(session, command->fence, command->chunk_news);
        break;
    default: /* of a younger orchestrator */
        break;
    }
}

static void on_message(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *user) {
    (void)stream;
    struct session *session = user;
    const Callsheet__V1__WorkRequest *request = (const Callsheet__V1__WorkRequest *)message;
    for (size_t i = 0; i < request->n_commands; i++) {
        obey(session, request->commands[i]);
    }
    sessions_flush(session->worker); /* once for all that the commands gave rise to */
}

/* ---- the end ---- */

/* Cuts the assignments off; what runs is cancelled. Returns the checkpoints that will never be acknowledged. */
static struct waiter *orphan_locked(struct session *session) {
    struct waiter *waiters = NULL;
    struct cs_assignment *assignment = NULL;
    struct cs_assignment *next = NULL;
    HASH_ITER(hh, session->assignments, assignment, next) {
        HASH_DEL(session->assignments, assignment);
        assignment->session = NULL;
        assignment_cancel_locked(assignment, CANCEL_STREAM, "stream ended");
        assignment->references += report_waiter_count_locked(assignment); /* each waiter keeps it */
        DL_CONCAT(waiters, assignment->waiters);
        assignment->waiters = NULL;
    }
    return waiters;
}

static void on_closed(struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    (void)stream;
    struct session *session = user;
    struct cs_worker *worker = session->worker;
    pthread_mutex_lock(&worker->lock);
    unsigned open = HASH_COUNT(session->assignments);
    session->closed = true;
    session->flying = false;
    struct waiter *waiters = orphan_locked(session);
    DL_DELETE(worker->sessions, session);
    credits_share_locked(worker);
    pthread_mutex_unlock(&worker->lock);

    cs_log_info("orchestrator gone", CS_KVI("cancelled", open), CS_KV("status", cs_status_name(err->status)));
    assignments_run_cancels(worker);
    report_tell_waiters(worker, waiters, false);
    sessions_flush(worker);
    pthread_mutex_lock(&worker->lock);
    session_unref_locked(session);
    pthread_cond_broadcast(&worker->changed); /* last: the worker may be destroyed when nobody is left */
    pthread_mutex_unlock(&worker->lock);
}

const struct cs_rpc_stream_events session_events = {
    .opened = on_opened,
    .message = on_message,
    .drained = on_drained,
    .closed = on_closed,
};
