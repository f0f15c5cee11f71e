#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cs/base/id.h"
#include "cs/base/log.h"
#include "state.h"

enum {
    LEAVE_MS = 5000, /* for the last reports to leave while draining, and then for the streams to end */
};

/* ---- waiting ---- */

static bool is_busy(const struct cs_worker *worker) {
    return worker->busy != 0 || worker->leaving != 0;
}

static bool has_unsent(const struct cs_worker *worker) {
    const struct session *session = NULL;
    DL_FOREACH(worker->sessions, session) {
        if (!session_is_idle_locked(session)) {
            return true;
        }
    }
    return false;
}

static bool has_sessions(const struct cs_worker *worker) {
    return worker->sessions != NULL;
}

/* Waits while the question is answered with yes, at most timeout_ms (negative: without a limit). */
static void wait_while_locked(struct cs_worker *worker, bool (*question)(const struct cs_worker *worker),
                              int64_t timeout_ms) {
    int64_t until_ms = cs_clock_mono_ms() + timeout_ms;
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    int failed = 0;
    while (question(worker) && failed == 0) {
        failed = timeout_ms < 0 ? pthread_cond_wait(&worker->changed, &worker->lock)
                                : pthread_cond_timedwait(&worker->changed, &worker->lock, &until);
    }
}

/* ---- life ---- */

static void init_cond(pthread_cond_t *cond) {
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

struct cs_worker *cs_worker_create(const struct cs_worker_config *config) {
    struct cs_worker *worker = cs_alloc(sizeof(*worker));
    worker->config = *config;
    worker->config.heartbeat_ms = config->heartbeat_ms != 0 ? config->heartbeat_ms : CS_HEARTBEAT_MS;
    worker->wake_at_ms = INT64_MAX;
    worker->beat_at_ms = INT64_MAX;
    char id[CS_ID_SIZE];
    cs_id_make(id);
    (void)snprintf(worker->id, sizeof(worker->id), "%s-%s", config->kind, id);
    pthread_mutex_init(&worker->lock, NULL);
    init_cond(&worker->wake);
    init_cond(&worker->changed);
    if (pthread_create(&worker->timer, NULL, timer_main, worker) != 0) {
        cs_log_error("no thread for the worker's timer"); /* like running out of memory */
        abort();
    }
    return worker;
}

struct cs_rpc_service cs_worker_service(struct cs_worker *worker) {
    static const struct cs_rpc_method methods[] = {{"Work", NULL, &session_events}};
    return (struct cs_rpc_service){&callsheet__v1__worker__descriptor, methods, CS_COUNT(methods), worker};
}

uint32_t cs_worker_busy(const struct cs_worker *worker) {
    struct cs_worker *mutable_worker = (struct cs_worker *)worker;
    pthread_mutex_lock(&mutable_worker->lock);
    uint32_t busy = worker->busy;
    pthread_mutex_unlock(&mutable_worker->lock);
    return busy;
}

void cs_worker_destroy(struct cs_worker *worker) {
    if (worker == NULL) {
        return;
    }
    pthread_mutex_lock(&worker->lock);
    wait_while_locked(worker, is_busy, -1);
    worker->stopping = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->timer, NULL);
    report_tell_waiters(worker, worker->refused, false);
    pthread_cond_destroy(&worker->changed);
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

/* ---- draining ---- */

static void cancel_all_locked(struct cs_worker *worker) {
    struct cs_assignment *assignment = NULL;
    DL_FOREACH(worker->assignments, assignment) {
        assignment_cancel_locked(assignment, CANCEL_DRAINING, "draining");
    }
}

/* Ends every stream, each through a reference, without the lock. */
static void end_streams(struct cs_worker *worker, void (*end)(struct cs_rpc_stream *stream)) {
    size_t count = 0;
    struct session *session = NULL;
    pthread_mutex_lock(&worker->lock);
    DL_COUNT(worker->sessions, session, count);
    CS_AUTO_FREE struct cs_rpc_stream **streams = cs_alloc_array(count, sizeof(struct cs_rpc_stream *));
    size_t i = 0;
    DL_FOREACH(worker->sessions, session) {
        streams[i++] = cs_rpc_stream_ref(session->stream);
    }
    pthread_mutex_unlock(&worker->lock);
    for (i = 0; i < count; i++) {
        end(streams[i]);
        cs_rpc_stream_unref(streams[i]);
    }
}

static void finish_well(struct cs_rpc_stream *stream) {
    cs_rpc_stream_finish(stream, NULL);
}

void cs_worker_drain(struct cs_worker *worker, int64_t grace_ms) {
    pthread_mutex_lock(&worker->lock);
    worker->draining = true;
    credits_share_locked(worker);
    pthread_mutex_unlock(&worker->lock);
    sessions_flush(worker);

    pthread_mutex_lock(&worker->lock);
    wait_while_locked(worker, is_busy, grace_ms > 0 ? grace_ms : 0);
    cancel_all_locked(worker);
    pthread_mutex_unlock(&worker->lock);
    assignments_run_cancels(worker);

    pthread_mutex_lock(&worker->lock);
    wait_while_locked(worker, is_busy, -1); /* the service owes each a final report */
    wait_while_locked(worker, has_unsent, LEAVE_MS);
    pthread_mutex_unlock(&worker->lock);
    end_streams(worker, finish_well);
    pthread_mutex_lock(&worker->lock);
    wait_while_locked(worker, has_sessions, LEAVE_MS);
    pthread_mutex_unlock(&worker->lock);
    end_streams(worker, cs_rpc_stream_cancel); /* of peers that do not read */
}
