/*
 * scripted_worker: a worker that does what the test says, over real gRPC.
 *
 * It notes what it hears; the test takes the notes one by one (waiting for them) and tells it what to report. An
 * automatic one answers each assignment with Succeeded at once.
 *
 * Threads  the test's own for all functions.
 * Fails    by failing the test.
 */
#ifndef ORC_TESTS_SCRIPTED_WORKER_H
#define ORC_TESTS_SCRIPTED_WORKER_H

#include "callsheet/v1/worker.pb-c.h"
#include "cs/rpc.h"
#include "domain/execution.h"

struct scripted_worker;

enum scripted_greeting {
    GREET_WELL,
    GREET_WITH_CREDITS,
    GREET_TWICE,
    GREET_WITHOUT_NAME,
    GREET_WITH_FLOOD,
    GREET_NEVER
};

struct scripted_config {
    struct cs_rpc *rpc;
    const char *listen;            /* NULL: any port */
    const char *name;              /* NULL: "scripted" */
    const char *const *operations; /* NULL: noop */
    size_t operation_count;
    uint32_t slots; /* 0: 4 */
    bool automatic;
    enum scripted_greeting greeting;
    const char *token; /* NULL: none */
};

struct scripted_worker *scripted_start(const struct scripted_config *config);
const char *scripted_address(const struct scripted_worker *worker);
void scripted_break(struct scripted_worker *worker); /* its streams end as if the process had died; it listens on */
void scripted_stop(struct scripted_worker *worker);  /* NULL is fine */
uint64_t scripted_assigned(struct scripted_worker *worker); /* assignments so far */

/* ---- what it heard ---- */

enum heard_kind { HEARD_OPEN, HEARD_WELCOME, HEARD_ASSIGN, HEARD_CANCEL, HEARD_SAVED, HEARD_CLOSED };

struct heard {
    struct heard *next;
    enum heard_kind kind;
    struct cs_rpc_stream *stream; /* a reference */
    unsigned char fence[ORC_FENCE_BYTES];
    Callsheet__V1__WorkCommand *command; /* a copy; NULL for OPEN and CLOSED */
};
/* The first of this kind that was not taken yet; waits for it. */
struct heard *scripted_take(struct scripted_worker *worker, enum heard_kind kind);
/* Without waiting: NULL when there is none. */
struct heard *scripted_poll(struct scripted_worker *worker, enum heard_kind kind);
void heard_free(struct heard *heard);
CS_DEFINE_AUTO(heard, heard_free)

/* ---- what it says about an assignment; on the stream it came from, however late ---- */

void scripted_accept(const struct heard *assigned);
void scripted_progress(const struct heard *assigned, double fraction);
void scripted_checkpoint(const struct heard *assigned, uint64_t sequence, const char *data);
/* One output of the operation's type (none for noop). */
void scripted_succeed(const struct heard *assigned);
void scripted_fail(const struct heard *assigned, Callsheet__V1__FailureClass failure_class, const char *code,
                   int64_t retry_after_ms);

#endif
