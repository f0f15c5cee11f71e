#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/log.h"
#include "cs/base/text.h"
#include "failure.h"
#include "state.h"

enum {
    REPORTS_TAG = (1 << 3) | 2, /* WorkReport.reports, as bytes of a length */
    SMALL_REPORT_BYTES = 1024,
    LOG_BYTES_MAX = 4096,
    CODE_BYTES_MAX = 64,
    LOG_BACKLOG_BYTES_MAX = CS_WORKER_UNSENT_BYTES_MAX / 4, /* beyond it log lines are dropped */
};

/* ---- packing ---- */

void report_pack(const Callsheet__V1__Report *report, struct cs_buf *out) {
    size_t size = protobuf_c_message_get_packed_size(&report->base);
    cs_buf_putc(out, REPORTS_TAG);
    size_t rest = size;
    for (; rest >= 0x80; rest >>= 7) {
        cs_buf_putc(out, (char)(0x80 | (rest & 0x7F)));
    }
    cs_buf_putc(out, (char)rest);
    uint8_t small[SMALL_REPORT_BYTES];
    CS_AUTO_FREE uint8_t *large = size > sizeof(small) ? cs_alloc(size) : NULL;
    uint8_t *bytes = large != NULL ? large : small;
    (void)protobuf_c_message_pack(&report->base, bytes);
    cs_buf_put(out, bytes, size);
}

static Callsheet__V1__Report report_of(const struct cs_assignment *assignment, Callsheet__V1__Report__ReportCase kind) {
    Callsheet__V1__Report report = CALLSHEET__V1__REPORT__INIT;
    report.fence = assignment->fence;
    report.report_case = kind;
    return report;
}

/* ---- progress ---- */

/* Never falls, never leaves 0 … 1. */
static double rising_locked(struct cs_assignment *assignment, double fraction) {
    if (!isnan(fraction) && fraction > assignment->fraction) {
        assignment->fraction = fraction < 1 ? fraction : 1;
    }
    return assignment->fraction;
}

static void put_progress_locked(struct cs_assignment *assignment, int64_t now_ms) {
    session_put_locked(assignment->session, assignment->progress.data, assignment->progress.size);
    cs_buf_clear(&assignment->progress);
    assignment->progress_sent_ms = now_ms;
}

int64_t report_progress_due_locked(struct cs_assignment *assignment, int64_t now_ms) {
    if (assignment->session == NULL || assignment->progress.size == 0) {
        return INT64_MAX;
    }
    int64_t due_ms = assignment->progress_sent_ms + CS_PROGRESS_INTERVAL_MS;
    if (due_ms > now_ms) {
        return due_ms;
    }
    put_progress_locked(assignment, now_ms);
    return INT64_MAX;
}

void cs_report_progress(struct cs_assignment *assignment, const Callsheet__V1__Progress *progress) {
    struct cs_worker *worker = assignment->worker;
    int64_t now_ms = cs_clock_mono_ms();
    Callsheet__V1__Progress newest = *progress;
    Callsheet__V1__Report report = report_of(assignment, CALLSHEET__V1__REPORT__REPORT_PROGRESS);
    report.progress = &newest;
    pthread_mutex_lock(&worker->lock);
    if (assignment->session == NULL) {
        pthread_mutex_unlock(&worker->lock);
        return;
    }
    newest.fraction = rising_locked(assignment, progress->fraction);
    cs_buf_clear(&assignment->progress);
    report_pack(&report, &assignment->progress);
    int64_t due_ms = report_progress_due_locked(assignment, now_ms);
    if (due_ms != INT64_MAX) {
        timer_set_locked(worker, due_ms);
    }
    pthread_mutex_unlock(&worker->lock);
    if (due_ms == INT64_MAX) {
        sessions_flush(worker);
    }
}

/* ---- heartbeats ---- */

void report_heartbeat_locked(struct cs_assignment *assignment) {
    Callsheet__V1__Heartbeat heartbeat = CALLSHEET__V1__HEARTBEAT__INIT;
    Callsheet__V1__Report report = report_of(assignment, CALLSHEET__V1__REPORT__REPORT_HEARTBEAT);
    report.heartbeat = &heartbeat;
    if (assignment->session != NULL) {
        session_report_locked(assignment->session, &report);
    }
}

/* ---- log lines ---- */

void cs_report_log(struct cs_assignment *assignment, const char *level, const char *message) {
    struct cs_worker *worker = assignment->worker;
    char text[LOG_BYTES_MAX];
    cs_str_copy(text, sizeof(text), message);
    cs_utf8_repair(text); /* the orchestrator ends a stream that says anything else */
    Callsheet__V1__LogLine line = CALLSHEET__V1__LOG_LINE__INIT;
    Callsheet__V1__Report report = report_of(assignment, CALLSHEET__V1__REPORT__REPORT_LOG);
    line.level = (char *)level;
    line.message = text;
    report.log = &line;
    CS_AUTO_BUF packed = {0};
    report_pack(&report, &packed);
    pthread_mutex_lock(&worker->lock);
    struct session *session = assignment->session;
    if (session != NULL && session->batches[session->filling].size < LOG_BACKLOG_BYTES_MAX) {
        session_put_locked(session, packed.data, packed.size);
    }
    pthread_mutex_unlock(&worker->lock);
    sessions_flush(worker);
}

/* ---- checkpoints ---- */

/* The waiter joins the assignment's, or the refused ones, which the timer tells. */
static void wait_locked(struct cs_assignment *assignment, struct waiter *waiter, bool sent) {
    struct cs_worker *worker = assignment->worker;
    waiter->sequence = assignment->sequence;
    if (sent) {
        DL_APPEND(assignment->waiters, waiter);
        return;
    }
    assignment->references++;
    DL_APPEND(worker->refused, waiter);
    timer_set_locked(worker, cs_clock_mono_ms());
}

void cs_report_checkpoint(struct cs_assignment *assignment, const void *data, size_t size,
                          void (*saved)(struct cs_assignment *assignment, bool ok, void *ctx), void *ctx) {
    struct cs_worker *worker = assignment->worker;
    struct waiter *waiter = NULL;
    if (saved != NULL) {
        waiter = cs_alloc(sizeof(*waiter));
        *waiter = (struct waiter){.assignment = assignment, .saved = saved, .ctx = ctx};
    }
    if (size > CS_CHECKPOINT_BYTES_MAX) {
        cs_log_error("checkpoint too large, not saved", CS_KV("job", assignment->assign->job),
                     CS_KVI("size_bytes", size));
    }
    Callsheet__V1__Checkpoint checkpoint = CALLSHEET__V1__CHECKPOINT__INIT;
    Callsheet__V1__Report report = report_of(assignment, CALLSHEET__V1__REPORT__REPORT_CHECKPOINT);
    checkpoint.data = (ProtobufCBinaryData){size, (uint8_t *)data};
    checkpoint.ack_required = saved != NULL;
    report.checkpoint = &checkpoint;
    CS_AUTO_BUF packed = {0};

    pthread_mutex_lock(&worker->lock);
    bool sent = assignment->session != NULL && size <= CS_CHECKPOINT_BYTES_MAX;
    if (sent) {
        checkpoint.sequence = ++assignment->sequence;
        report_pack(&report, &packed);
        session_put_locked(assignment->session, packed.data, packed.size);
    }
    if (waiter != NULL) {
        wait_locked(assignment, waiter, sent);
    }
    pthread_mutex_unlock(&worker->lock);
    sessions_flush(worker);
}

int report_waiter_count_locked(const struct cs_assignment *assignment) {
    int count = 0;
    const struct waiter *waiter = NULL;
    DL_COUNT(assignment->waiters, waiter, count);
    return count;
}

struct waiter *report_waiter_take_locked(struct cs_assignment *assignment, uint64_t sequence) {
    struct waiter *waiter = NULL;
    DL_SEARCH_SCALAR(assignment->waiters, waiter, sequence, sequence);
    if (waiter != NULL) {
        DL_DELETE(assignment->waiters, waiter);
        waiter->prev = waiter;
        waiter->next = NULL;
        assignment->references++;
    }
    return waiter;
}

void report_tell_waiters(struct cs_worker *worker, struct waiter *waiters, bool ok) {
    struct waiter *waiter = NULL;
    struct waiter *next = NULL;
    DL_FOREACH_SAFE(waiters, waiter, next) {
        struct cs_assignment *assignment = waiter->assignment;
        pthread_mutex_lock(&worker->lock);
        bool wanted = !assignment->final;
        pthread_mutex_unlock(&worker->lock);
        if (wanted) {
            waiter->saved(assignment, ok, waiter->ctx);
        }
        free(waiter);
        pthread_mutex_lock(&worker->lock);
        assignment_unref_locked(assignment);
        pthread_mutex_unlock(&worker->lock);
    }
}

/* ---- chunks for others ---- */

void cs_report_spread(struct cs_assignment *assignment, const void *plan, size_t plan_size, const uint32_t *chunks,
                      size_t count) {
    struct cs_worker *worker = assignment->worker;
    Callsheet__V1__Spread spread = CALLSHEET__V1__SPREAD__INIT;
    Callsheet__V1__Report report = report_of(assignment, CALLSHEET__V1__REPORT__REPORT_SPREAD);
    spread.plan = (ProtobufCBinaryData){plan_size, (uint8_t *)plan};
    spread.chunks = (uint32_t *)chunks;
    spread.n_chunks = count;
    report.spread = &spread;
    pthread_mutex_lock(&worker->lock);
    if (assignment->session != NULL) {
        session_report_locked(assignment->session, &report);
    }
    pthread_mutex_unlock(&worker->lock);
    sessions_flush(worker);
}

/* ---- the final report ---- */

static void forget_waiters_locked(struct cs_assignment *assignment) {
    struct waiter *waiter = NULL;
    struct waiter *next = NULL;
    DL_FOREACH_SAFE(assignment->waiters, waiter, next) {
        free(waiter);
    }
    assignment->waiters = NULL;
}

/* The slot is free; whoever was promised it gets it. */
static void leave_locked(struct cs_assignment *assignment) {
    struct cs_worker *worker = assignment->worker;
    struct session *session = assignment->session;
    bool above_limit = session != NULL && HASH_COUNT(session->assignments) > session->limit;
    bool orphan = session == NULL;
    if (session != NULL) {
        HASH_DEL(session->assignments, assignment);
        assignment->session = NULL;
    }
    DL_DELETE(worker->assignments, assignment);
    forget_waiters_locked(assignment);
    worker->busy--;
    if (above_limit || orphan) {
        credits_share_locked(worker);
    }
    assignment_unref_locked(assignment);
}

static void finish(struct cs_assignment *assignment, Callsheet__V1__Report *report) {
    struct cs_worker *worker = assignment->worker;
    CS_AUTO_BUF packed = {0};
    report_pack(report, &packed);
    pthread_mutex_lock(&worker->lock);
    assignment->final = true;
    worker->leaving++;
    if (assignment->session != NULL) {
        session_put_locked(assignment->session, packed.data, packed.size);
    }
    leave_locked(assignment);
    pthread_mutex_unlock(&worker->lock);
    sessions_flush(worker);
    pthread_mutex_lock(&worker->lock);
    worker->leaving--; /* last: the worker may be destroyed when nobody is left */
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

void cs_report_succeeded(struct cs_assignment *assignment, const Callsheet__V1__Succeeded *succeeded) {
    Callsheet__V1__Report report = report_of(assignment, CALLSHEET__V1__REPORT__REPORT_SUCCEEDED);
    report.succeeded = (Callsheet__V1__Succeeded *)succeeded;
    finish(assignment, &report);
}

/* "Cancelled" from the service only says that it was told to stop; we know by whom. */
static void correct_cancelled(struct cs_assignment *assignment, Callsheet__V1__Failed *failed) {
    if (failed->failure_class != CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_CANCELLED) {
        return;
    }
    pthread_mutex_lock(&assignment->worker->lock);
    enum cancel_cause cause = assignment->cause;
    pthread_mutex_unlock(&assignment->worker->lock);
    if (cause == CANCEL_DEADLINE) {
        failed->failure_class = CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TIMEOUT;
        failed->code = (char *)"deadline";
    } else if (cause == CANCEL_DRAINING) {
        failed->failure_class = CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TRANSIENT;
        failed->code = (char *)"draining";
    }
}

static void fail(struct cs_assignment *assignment, Callsheet__V1__FailureClass failure_class, const char *code,
                 int64_t retry_after_ms, const char *message) {
    char short_code[CODE_BYTES_MAX + 1];
    char text[CS_ERR_MESSAGE_MAX];
    cs_str_copy(short_code, sizeof(short_code), code);
    cs_str_copy(text, sizeof(text), message);
    cs_utf8_repair(short_code);
    cs_utf8_repair(text); /* it may quote a stranger */
    Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
    Callsheet__V1__Report report = report_of(assignment, CALLSHEET__V1__REPORT__REPORT_FAILED);
    failed.failure_class = failure_class;
    failed.code = short_code;
    failed.message = text;
    failed.retry_after_ms = retry_after_ms;
    correct_cancelled(assignment, &failed);
    report.failed = &failed;
    finish(assignment, &report);
}

void cs_report_failed(struct cs_assignment *assignment, Callsheet__V1__FailureClass failure_class, const char *code,
                      int64_t retry_after_ms, const char *fmt, ...) {
    CS_AUTO_BUF text = {0};
    va_list args;
    va_start(args, fmt);
    cs_buf_vprintf(&text, fmt, args);
    va_end(args);
    fail(assignment, failure_class, code, retry_after_ms, text.data != NULL ? text.data : "");
}

void cs_report_error(struct cs_assignment *assignment, const struct cs_err *err) {
    fail(assignment, failure_class_of(err), err->reason, err->retry_after_ms, err->message);
}
