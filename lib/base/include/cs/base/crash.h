/*
 * crash: moments at which a test makes this process die, by name.
 *
 *     CS_TRY(cs_crash_arm(config->crash_at, err));      main, before any thread; "" arms nothing
 *     cs_crash_at(CS_CRASH_ORCHESTRATOR_AFTER_COMMIT);  in the code, where dying would hurt most
 *
 * A process is armed for one point, and dies the n-th time that it comes there: by SIGKILL, so nothing is flushed, said
 * or given back; or it is stopped by SIGSTOP until somebody continues it. Not armed, a point costs one comparison. An
 * operator never sets this.
 *
 * Threads  cs_crash_at from any.
 * Fails    INVALID_ARGUMENT "bad_setting" when there is no point of that name.
 */
#ifndef CS_BASE_CRASH_H
#define CS_BASE_CRASH_H

#include "cs/base/err.h"

/* Every point there is: X(CONSTANT, "service.name"). What it says has happened, has; what follows has not. */
#define CS_CRASH_POINTS(X)                                                                                             \
    X(ORCHESTRATOR_BEFORE_COMMIT, "orchestrator.before_commit")     /* a batch is full, nothing of it is sent */       \
    X(ORCHESTRATOR_AFTER_COMMIT, "orchestrator.after_commit")       /* durable; no effect of it has left */            \
    X(ORCHESTRATOR_BEFORE_ANSWER, "orchestrator.before_answer")     /* an execution is durable, its client waits */    \
    X(ORCHESTRATOR_AFTER_ASSIGN, "orchestrator.after_assign")       /* assignments are with the stream, unanswered */  \
    X(ORCHESTRATOR_BEFORE_SAVED, "orchestrator.before_saved")       /* a checkpoint is durable, its worker waits */    \
    X(ORCHESTRATOR_AFTER_JOIN, "orchestrator.after_join")           /* a new epoch, nothing of it read yet */          \
    X(ORCHESTRATOR_WHILE_RETURNING, "orchestrator.while_returning") /* some of what it owns is back */                 \
    X(ORCHESTRATOR_AFTER_FENCE, "orchestrator.after_fence")         /* a dead replica is shut out, nothing claimed */  \
    X(ORCHESTRATOR_AFTER_CLAIM, "orchestrator.after_claim") /* some of its executions are ours, not in memory */       \
    X(PROVIDERS_BEFORE_SUBMIT, "providers.before_submit")   /* the intent is durable, the provider not asked */        \
    X(PROVIDERS_AFTER_SUBMIT, "providers.after_submit")     /* the provider took it, its id is not durable */          \
    X(PROVIDERS_BEFORE_UPLOAD, "providers.before_upload")   /* the output is here, not in storage */                   \
    X(PROVIDERS_BEFORE_RESULT, "providers.before_result")   /* it is in storage, the result has not left */            \
    X(MEDIA_AFTER_CHUNK, "media.after_chunk")               /* a chunk is in storage and said to be */                 \
    X(MEDIA_BEFORE_UPLOAD, "media.before_upload")           /* rendered, not in storage */                             \
    X(MEDIA_BEFORE_RESULT, "media.before_result")           /* in storage, the result has not left */                  \
    X(WEBHOOKS_BEFORE_SEND, "webhooks.before_send")         /* a delivery was assigned, nothing sent */                \
    X(WEBHOOKS_BEFORE_RESULT, "webhooks.before_result")     /* the receiver has answered, nobody was told */

enum cs_crash_point {
    CS_CRASH_NONE,
#define CS_CRASH_CONSTANT(constant, name) CS_CRASH_##constant,
    CS_CRASH_POINTS(CS_CRASH_CONSTANT)
#undef CS_CRASH_CONSTANT
};

/* at: "", or "POINT[:N[:stop]]" with N from 1, the default. */
enum cs_status cs_crash_arm(const char *at, struct cs_err *err) CS_MUST_USE;

extern enum cs_crash_point cs_crash_armed; /* written by cs_crash_arm only */
void cs_crash_count(void);                 /* for cs_crash_at */

static inline void cs_crash_at(enum cs_crash_point point) {
    if (__builtin_expect(cs_crash_armed == point, 0)) {
        cs_crash_count();
    }
}

#endif
