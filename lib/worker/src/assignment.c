#include <assert.h>
#include <string.h>

#include "cs/base/log.h"
#include "cs/base/text.h"
#include "failure.h"
#include "state.h"

/* ---- life ---- */

void assignment_unref_locked(struct cs_assignment *assignment) {
    if (--assignment->references != 0) {
        return;
    }
    cs_buf_fini(&assignment->progress);
    cs_arena_destroy(assignment->arena);
    free(assignment);
}

/* A deep copy in the arena: the message that came is gone after the callback. It passed all checks when it was read. */
static const Callsheet__V1__Assign *copy(struct cs_arena *arena, const Callsheet__V1__Assign *assign) {
    size_t size = protobuf_c_message_get_packed_size(&assign->base);
    uint8_t *packed = cs_arena_alloc(arena, size);
    (void)protobuf_c_message_pack(&assign->base, packed);
    ProtobufCMessage *copied = NULL;
    enum cs_status status = cs_rpc_message_unpack_arena(assign->base.descriptor, packed, size, arena, &copied, NULL);
    assert(status == CS_OK);
    (void)status;
    return (const Callsheet__V1__Assign *)copied;
}

static struct cs_assignment *create(struct cs_worker *worker, ProtobufCBinaryData fence,
                                    const Callsheet__V1__Assign *assign, int64_t left_ms) {
    struct cs_assignment *assignment = cs_alloc(sizeof(*assignment));
    assignment->worker = worker;
    assignment->arena = cs_arena_create();
    assignment->assign = copy(assignment->arena, assign);
    assignment->fence.data = cs_arena_copy(assignment->arena, fence.data, fence.len);
    assignment->fence.len = fence.len;
    assignment->trace = cs_trace_continue(assign->traceparent);
    assignment->deadline_mono_ms = cs_clock_mono_ms() + left_ms;
    assignment->references = 2; /* until the final report, and while it starts */
    return assignment;
}

struct cs_assignment *assignment_find_locked(struct session *session, ProtobufCBinaryData fence) {
    struct cs_assignment *found = NULL;
    HASH_FIND(hh, session->assignments, fence.data, fence.len, found);
    return found;
}

/* ---- beginning ---- */

static void put_accepted_locked(struct cs_assignment *assignment) {
    Callsheet__V1__Accepted accepted = CALLSHEET__V1__ACCEPTED__INIT;
    Callsheet__V1__Report report = CALLSHEET__V1__REPORT__INIT;
    report.fence = assignment->fence;
    report.report_case = CALLSHEET__V1__REPORT__REPORT_ACCEPTED;
    report.accepted = &accepted;
    session_report_locked(assignment->session, &report);
}

static void put_refusal_locked(struct session *session, ProtobufCBinaryData fence, const struct cs_err *err) {
    Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
    Callsheet__V1__Report report = CALLSHEET__V1__REPORT__INIT;
    failed.failure_class = failure_class_of(err);
    failed.code = (char *)err->reason;
    failed.message = (char *)err->message;
    report.fence = fence;
    report.report_case = CALLSHEET__V1__REPORT__REPORT_FAILED;
    report.failed = &failed;
    session_report_locked(session, &report);
}

static enum cs_status check(const Callsheet__V1__Assign *assign, int64_t left_ms, struct cs_err *err) {
    if (assign->operation == NULL || assign->operation->params_case == 0) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_assignment", "the assignment has no operation");
    }
    if (assign->deadline_ms <= 0) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_assignment", "the assignment has no deadline");
    }
    if (left_ms <= 0) {
        return cs_fail(err, CS_DEADLINE_EXCEEDED, "deadline", "the deadline had passed before the job could start");
    }
    return CS_OK;
}

/* A slot and a credit are there for one more. */
static enum cs_status admit_locked(const struct session *session, struct cs_err *err) {
    const struct cs_worker *worker = session->worker;
    if (worker->draining) {
        return cs_fail(err, CS_UNAVAILABLE, "no_slot", "the worker is about to stop");
    }
    if (worker->busy >= worker->config.slots || HASH_COUNT(session->assignments) >= session->limit) {
        return cs_fail(err, CS_UNAVAILABLE, "no_slot", "no slot is free on this stream");
    }
    return CS_OK;
}

static enum cs_status enter_locked(struct session *session, struct cs_assignment *assignment, struct cs_err *err) {
    struct cs_worker *worker = session->worker;
    CS_TRY(admit_locked(session, err));
    assignment->session = session;
    HASH_ADD_KEYPTR(hh, session->assignments, assignment->fence.data, assignment->fence.len, assignment);
    DL_APPEND(worker->assignments, assignment);
    worker->busy++;
    put_accepted_locked(assignment);
    if (worker->beat_at_ms == INT64_MAX) {
        worker->beat_at_ms = cs_clock_mono_ms() + worker->config.heartbeat_ms;
    }
    timer_set_locked(worker, worker->beat_at_ms);
    timer_set_locked(worker, assignment->deadline_mono_ms);
    return CS_OK;
}

/* From here on it may be cancelled; does so when that was asked for meanwhile. */
static void started(struct cs_assignment *assignment) {
    struct cs_worker *worker = assignment->worker;
    pthread_mutex_lock(&worker->lock);
    assignment->started = true;
    assignment->cancel_due = assignment->cause != NOT_CANCELLED && !assignment->final;
    bool due = assignment->cancel_due;
    assignment_unref_locked(assignment);
    pthread_mutex_unlock(&worker->lock);
    if (due) {
        assignments_run_cancels(worker);
    }
}

void assignment_begin(struct session *session, ProtobufCBinaryData fence, const Callsheet__V1__Assign *assign) {
    struct cs_worker *worker = session->worker;
    if (fence.len == 0 || fence.len > FENCE_BYTES_MAX) {
        cs_log_warn("assignment without a proper fence ignored", CS_KVI("fence_bytes", fence.len));
        return;
    }
    int64_t left_ms = assign->deadline_ms > 0 ? assign->deadline_ms - cs_clock_unix_ms() : 0;
    struct cs_err err;
    enum cs_status status = check(assign, left_ms, &err);
    struct cs_assignment *assignment = status == CS_OK ? create(worker, fence, assign, left_ms) : NULL;

    pthread_mutex_lock(&worker->lock);
    bool known = assignment_find_locked(session, fence) != NULL;
    if (!known && status == CS_OK) {
        status = enter_locked(session, assignment, &err);
    }
    if (!known && status != CS_OK) {
        put_refusal_locked(session, fence, &err);
    }
    bool begun = !known && status == CS_OK;
    if (!begun && assignment != NULL) {
        assignment->references = 1;
        assignment_unref_locked(assignment);
    }
    pthread_mutex_unlock(&worker->lock);
    if (known) {
        cs_log_warn("assignment that is open already ignored", CS_KV("execution", assign->execution),
                    CS_KV("job", assign->job));
    }
    if (begun) {
        worker->config.ops->start(assignment, worker->config.ctx);
        started(assignment);
    }
}

/* ---- cancelling ---- */

void assignment_cancel_locked(struct cs_assignment *assignment, enum cancel_cause cause, const char *reason) {
    if (assignment->cause != NOT_CANCELLED || assignment->final) {
        return;
    }
    assignment->cause = cause;
    cs_str_copy(assignment->reason, sizeof(assignment->reason), reason);
    atomic_store(&assignment->cancelled, true);
    assignment->cancel_due = assignment->started; /* before that, the thread that starts it sees to it */
}

/* Takes one whose cancel is due, with a reference. */
static struct cs_assignment *take_cancel_locked(struct cs_worker *worker) {
    struct cs_assignment *assignment = NULL;
    DL_FOREACH(worker->assignments, assignment) {
        if (assignment->cancel_due) {
            assignment->cancel_due = false;
            assignment->references++;
            return assignment;
        }
    }
    return NULL;
}

void assignments_run_cancels(struct cs_worker *worker) {
    struct cs_assignment *assignment = NULL;
    pthread_mutex_lock(&worker->lock);
    while ((assignment = take_cancel_locked(worker)) != NULL) {
        pthread_mutex_unlock(&worker->lock);
        worker->config.ops->cancel(assignment, assignment->reason, worker->config.ctx);
        pthread_mutex_lock(&worker->lock);
        assignment_unref_locked(assignment);
    }
    pthread_mutex_unlock(&worker->lock);
}

/* ---- questions ---- */

const Callsheet__V1__Assign *cs_assignment_get(const struct cs_assignment *assignment) {
    return assignment->assign;
}

const struct cs_trace *cs_assignment_trace(const struct cs_assignment *assignment) {
    return &assignment->trace;
}

int64_t cs_assignment_left_ms(const struct cs_assignment *assignment) {
    int64_t left_ms = assignment->deadline_mono_ms - cs_clock_mono_ms();
    return left_ms > 0 ? left_ms : 0;
}

bool cs_assignment_cancelled(const struct cs_assignment *assignment) {
    return atomic_load(&assignment->cancelled);
}

bool cs_assignment_over(const struct cs_assignment *assignment) {
    return atomic_load(&assignment->over);
}

void cs_assignment_set_user(struct cs_assignment *assignment, void *user) {
    atomic_store(&assignment->user, user);
}

void *cs_assignment_user(const struct cs_assignment *assignment) {
    return atomic_load(&((struct cs_assignment *)assignment)->user);
}

const Callsheet__V1__ResolvedInput *cs_assignment_input(const struct cs_assignment *assignment,
                                                        const Callsheet__V1__MediaRef *ref) {
    const Callsheet__V1__Assign *assign = assignment->assign;
    if (ref == NULL || ref->input == 0 || ref->input > assign->n_inputs) {
        return NULL;
    }
    return assign->inputs[ref->input - 1];
}
