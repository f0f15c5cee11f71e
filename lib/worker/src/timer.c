/* The thread that watches deadlines, sends heartbeats and progress that was held back, and passes the turn when slots
 * are few. */
#include <time.h>

#include "state.h"

enum { ROTATE_EVERY_MS = 1000 };

void timer_set_locked(struct cs_worker *worker, int64_t at_mono_ms) {
    if (at_mono_ms < worker->wake_at_ms) {
        worker->wake_at_ms = at_mono_ms;
        pthread_cond_signal(&worker->wake);
    }
}

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t look_at_assignments_locked(struct cs_worker *worker, int64_t now_ms) {
    int64_t next_ms = INT64_MAX;
    struct cs_assignment *assignment = NULL;
    DL_FOREACH(worker->assignments, assignment) {
        if (assignment->cause == NOT_CANCELLED && assignment->deadline_mono_ms <= now_ms) {
            assignment_cancel_locked(assignment, CANCEL_DEADLINE, "deadline");
        }
        if (assignment->cause == NOT_CANCELLED) {
            next_ms = earlier(next_ms, assignment->deadline_mono_ms);
        }
        next_ms = earlier(next_ms, report_progress_due_locked(assignment, now_ms));
    }
    return next_ms;
}

/* All at the same time, so that they leave in one message for each stream. */
static int64_t beat_locked(struct cs_worker *worker, int64_t now_ms) {
    if (worker->assignments == NULL) {
        worker->beat_at_ms = INT64_MAX;
    } else if (worker->beat_at_ms <= now_ms) {
        struct cs_assignment *assignment = NULL;
        DL_FOREACH(worker->assignments, assignment) {
            report_heartbeat_locked(assignment);
        }
        worker->beat_at_ms = now_ms + worker->config.heartbeat_ms;
    }
    return worker->beat_at_ms;
}

/* With more streams than slots some have none; each gets its turn. */
static int64_t rotate_locked(struct cs_worker *worker, int64_t now_ms) {
    size_t streams = 0;
    const struct session *counted = NULL;
    DL_COUNT(worker->sessions, counted, streams);
    if (streams <= worker->config.slots || worker->draining) {
        return INT64_MAX;
    }
    if (worker->rotate_at_ms <= now_ms) {
        worker->rotate_at_ms = now_ms + ROTATE_EVERY_MS;
        worker->rotation++;
        credits_share_locked(worker);
    }
    return worker->rotate_at_ms;
}

static void wait_locked(struct cs_worker *worker) {
    if (worker->wake_at_ms == INT64_MAX) {
        pthread_cond_wait(&worker->wake, &worker->lock);
        return;
    }
    struct timespec until = {.tv_sec = worker->wake_at_ms / 1000, .tv_nsec = worker->wake_at_ms % 1000 * 1000000};
    (void)pthread_cond_timedwait(&worker->wake, &worker->lock, &until);
}

void *timer_main(void *arg) {
    struct cs_worker *worker = arg;
    (void)pthread_setname_np(pthread_self(), "worker-timer");
    pthread_mutex_lock(&worker->lock);
    while (!worker->stopping) {
        int64_t now_ms = cs_clock_mono_ms();
        if (worker->wake_at_ms > now_ms) {
            wait_locked(worker);
            continue;
        }
        int64_t assignments_ms = look_at_assignments_locked(worker, now_ms);
        worker->wake_at_ms =
            earlier(earlier(assignments_ms, beat_locked(worker, now_ms)), rotate_locked(worker, now_ms));
        struct waiter *refused = worker->refused;
        worker->refused = NULL;
        pthread_mutex_unlock(&worker->lock);
        assignments_run_cancels(worker);
        report_tell_waiters(worker, refused, false);
        sessions_flush(worker);
        pthread_mutex_lock(&worker->lock);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}
