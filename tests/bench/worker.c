/*
 * callsheet-bench-worker: a worker that does nothing, over the real contract, and notes when.
 *
 * How long it keeps a job stands in the stamps (stamps.h); a probe's job is never kept.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

#include "cs/base/clock.h"
#include "cs/base/mem.h"
#include "cs/conf.h"
#include "cs/rpc.h"
#include "cs/svc.h"
#include "cs/worker.h"
#include "stamps.h"

enum { LOOK_MS = 5 /* at what is held until that changes */ };

struct options {
    int64_t ready_fd;
    int64_t memory_fd;
    int64_t event_fd;
    int64_t index;
    int64_t slots;
};

#define AT(field) offsetof(struct options, field)
static const struct cs_conf_option option_table[] = {
    {"ready-fd", NULL, CS_CONF_INT, AT(ready_fd), NULL, .help = "gets \"ready ADDRESS\" once serving"},
    {"memory-fd", NULL, CS_CONF_INT, AT(memory_fd), NULL, .help = "the stamps"},
    {"event-fd", NULL, CS_CONF_INT, AT(event_fd), NULL, .help = "told when a count is reached"},
    {"index", NULL, CS_CONF_INT, AT(index), NULL, 0, STAMPS_WORKERS_MAX - 1, .help = "which worker it is"},
    {"slots", NULL, CS_CONF_INT, AT(slots), NULL, 1, 65536, .help = "jobs at once"},
};
static const struct cs_conf_spec option_spec = {
    .program = "callsheet-bench-worker",
    .summary = "A worker of callsheet-bench, which starts it.",
    .options = option_table,
    .count = CS_COUNT(option_table),
};

struct held {
    struct cs_assignment *assignment;
    int64_t due_ns;
    struct held *prev;
    struct held *next;
};

static struct {
    struct stamps_map stamps;
    int64_t index;
    pthread_t keeper;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    struct held *held;
    uint32_t dice;
    bool stopping;
} worker = {.lock = PTHREAD_MUTEX_INITIALIZER, .dice = 1};

/* ---- jobs ---- */

static void report(struct cs_assignment *assignment) {
    static const Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    int probe = stamps_probe(cs_assignment_get(assignment)->job);
    if (probe >= 0) {
        worker.stamps.shared->reported_ns[probe] = cs_clock_mono_ns();
    }
    cs_report_succeeded(assignment, &succeeded);
    stamps_note_ended(&worker.stamps);
}

/* Of different length, so that slots do not all become free at once. */
static int64_t some_ns(int64_t hold_us) {
    worker.dice = worker.dice * 1664525U + 1013904223U;
    return hold_us * (500 + worker.dice / (UINT32_MAX / 1000));
}

static void hold(struct cs_assignment *assignment, int64_t hold_us) {
    struct held *held = cs_alloc(sizeof(*held));
    held->assignment = assignment;
    pthread_mutex_lock(&worker.lock);
    held->due_ns = hold_us < 0 ? INT64_MAX : cs_clock_mono_ns() + some_ns(hold_us);
    DL_APPEND(worker.held, held);
    pthread_mutex_unlock(&worker.lock);
    (void)atomic_fetch_add(&worker.stamps.shared->held[worker.index], 1);
    (void)pthread_cond_signal(&worker.changed);
}

static void start(struct cs_assignment *assignment, __attribute__((unused)) void *ctx) {
    int probe = stamps_probe(cs_assignment_get(assignment)->job);
    int64_t hold_us = probe >= 0 ? STAMPS_HOLD_NOT : atomic_load(&worker.stamps.shared->hold_us);
    stamps_note_started(&worker.stamps, probe);
    if (hold_us == STAMPS_HOLD_NOT) {
        report(assignment);
    } else {
        hold(assignment, hold_us);
    }
}

static void cancel(__attribute__((unused)) struct cs_assignment *assignment, __attribute__((unused)) const char *reason,
                   __attribute__((unused)) void *ctx) {
    (void)pthread_cond_signal(&worker.changed);
}

/* ---- what is held ---- */

/* Takes out what need not be held any more; *ret_next_ns is when to look again. */
static struct held *take_due(int64_t *ret_next_ns) {
    int64_t now_ns = cs_clock_mono_ns();
    int64_t hold_us = atomic_load(&worker.stamps.shared->hold_us);
    struct held *due = NULL;
    struct held *held = NULL;
    struct held *next = NULL;
    *ret_next_ns = now_ns + (int64_t)LOOK_MS * 1000000;
    DL_FOREACH_SAFE(worker.held, held, next) {
        if (held->due_ns == INT64_MAX && hold_us >= 0) {
            held->due_ns = hold_us == STAMPS_HOLD_NOT ? now_ns : now_ns + some_ns(hold_us);
        }
        if (held->due_ns <= now_ns || worker.stopping || cs_assignment_cancelled(held->assignment)) {
            DL_DELETE(worker.held, held);
            DL_APPEND(due, held);
        } else if (held->due_ns < *ret_next_ns) {
            *ret_next_ns = held->due_ns;
        }
    }
    return due;
}

static void let_go(struct held *due) {
    while (due != NULL) {
        struct held *held = due;
        DL_DELETE(due, held);
        (void)atomic_fetch_sub(&worker.stamps.shared->held[worker.index], 1);
        report(held->assignment);
        free(held);
    }
}

static void *keep(__attribute__((unused)) void *arg) {
    pthread_mutex_lock(&worker.lock);
    while (!worker.stopping || worker.held != NULL) {
        int64_t next_ns = 0;
        struct held *due = take_due(&next_ns);
        pthread_mutex_unlock(&worker.lock);
        let_go(due);
        pthread_mutex_lock(&worker.lock);
        if (!worker.stopping && worker.held == NULL) {
            (void)pthread_cond_wait(&worker.changed, &worker.lock);
        } else if (!worker.stopping) {
            struct timespec until = {.tv_sec = next_ns / 1000000000, .tv_nsec = next_ns % 1000000000};
            (void)pthread_cond_timedwait(&worker.changed, &worker.lock, &until);
        }
    }
    pthread_mutex_unlock(&worker.lock);
    return NULL;
}

static enum cs_status start_keeper(struct cs_err *err) {
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&worker.changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    return pthread_create(&worker.keeper, NULL, keep, NULL) == 0
               ? CS_OK
               : cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for what is held");
}

static void stop_keeper(void) {
    pthread_mutex_lock(&worker.lock);
    worker.stopping = true;
    (void)pthread_cond_signal(&worker.changed);
    pthread_mutex_unlock(&worker.lock);
    (void)pthread_join(worker.keeper, NULL);
}

/* ---- life ---- */

static enum cs_status serve(const struct options *options, struct cs_worker *of, struct cs_err *err) {
    CS_AUTO(cs_rpc) *rpc = NULL;
    CS_TRY(cs_rpc_create(NULL, &rpc, err));
    struct cs_rpc_service service = cs_worker_service(of);
    const struct cs_rpc_server_config config = {.listen = "127.0.0.1:0", .services = &service, .service_count = 1};
    struct cs_rpc_server *server = NULL;
    CS_TRY(cs_rpc_server_start(rpc, &config, &server, err));
    cs_svc_ready(options->ready_fd, cs_rpc_server_address(server));
    (void)cs_svc_wait_stop();
    cs_rpc_server_destroy(server);
    return CS_OK;
}

static enum cs_status run(const struct options *options, struct cs_err *err) {
    static const char *const operations[] = {"noop"};
    static const struct cs_worker_ops ops = {.start = start, .cancel = cancel};
    const struct cs_worker_config config = {.kind = "bench",
                                            .operations = operations,
                                            .operation_count = CS_COUNT(operations),
                                            .slots = (uint32_t)options->slots,
                                            .ops = &ops};
    CS_TRY(cs_svc_start("bench-worker", "warn", err));
    CS_TRY(stamps_open((int)options->memory_fd, (int)options->event_fd, &worker.stamps, err));
    worker.index = options->index;
    CS_TRY(start_keeper(err));
    struct cs_worker *of = cs_worker_create(&config);
    enum cs_status status = serve(options, of, err);
    stop_keeper(); /* gives the final reports that the worker waits for */
    cs_worker_destroy(of);
    return status;
}

int main(int argc, char **argv) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct options options = {0};
    enum cs_conf_outcome outcome = CS_CONF_RUN;
    struct cs_err err = {0};
    enum cs_status status = cs_conf_load(&option_spec, argc, argv, arena, &options, &outcome, NULL, &err);
    if (status == CS_OK && outcome == CS_CONF_RUN) {
        status = run(&options, &err);
    }
    return status == CS_OK ? 0 : cs_svc_fail(option_spec.program, &err);
}
