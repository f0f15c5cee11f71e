#include "noop_worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "cs/base/clock.h"
#include "cs/worker.h"

static struct {
    struct cs_worker *workers[NOOP_WORKERS];
    struct cs_rpc_service services[NOOP_WORKERS];
    struct cs_rpc_server *servers[NOOP_WORKERS];
    struct cs_buf addresses;
    _Atomic int64_t started_ns[NOOP_JOBS_MAX];
    _Atomic int64_t reported_ns[NOOP_JOBS_MAX];
    _Atomic int64_t first_ns;
    atomic_uint_fast64_t ended;
    atomic_uint_fast64_t awaited;
    pthread_mutex_t lock;
    pthread_cond_t reached;
} noop = {.lock = PTHREAD_MUTEX_INITIALIZER, .reached = PTHREAD_COND_INITIALIZER};

static void count_ended(void) {
    uint64_t ended = atomic_fetch_add(&noop.ended, 1) + 1;
    if (ended == atomic_load(&noop.awaited)) {
        pthread_mutex_lock(&noop.lock);
        (void)pthread_cond_broadcast(&noop.reached);
        pthread_mutex_unlock(&noop.lock);
    }
}

static void start(struct cs_assignment *assignment, __attribute__((unused)) void *ctx) {
    static const Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    uint32_t job = (uint32_t)strtoul(cs_assignment_get(assignment)->job + 1, NULL, 10) % NOOP_JOBS_MAX;
    int64_t none = 0;
    noop.started_ns[job] = cs_clock_mono_ns();
    (void)atomic_compare_exchange_strong(&noop.first_ns, &none, noop.started_ns[job]);
    noop.reported_ns[job] = cs_clock_mono_ns();
    cs_report_succeeded(assignment, &succeeded);
    count_ended();
}

/* What has no duration cannot be stopped. */
static void cancel(__attribute__((unused)) struct cs_assignment *assignment, __attribute__((unused)) const char *reason,
                   __attribute__((unused)) void *ctx) {
}

static enum cs_status start_one(struct cs_rpc *rpc, int index, struct cs_err *err) {
    static const char *const operations[] = {"noop"};
    static const struct cs_worker_ops ops = {.start = start, .cancel = cancel};
    const struct cs_worker_config config = {
        .kind = "bench", .operations = operations, .operation_count = 1, .slots = NOOP_SLOTS, .ops = &ops};
    noop.workers[index] = cs_worker_create(&config);
    noop.services[index] = cs_worker_service(noop.workers[index]);
    const struct cs_rpc_server_config server = {
        .listen = "127.0.0.1:0", .services = &noop.services[index], .service_count = 1};
    CS_TRY(cs_rpc_server_start(rpc, &server, &noop.servers[index], err));
    cs_buf_printf(&noop.addresses, "%s%s", index != 0 ? "," : "", cs_rpc_server_address(noop.servers[index]));
    return CS_OK;
}

enum cs_status noop_workers_start(struct cs_rpc *rpc, struct cs_err *err) {
    for (int i = 0; i < NOOP_WORKERS; i++) {
        CS_TRY(start_one(rpc, i, err));
    }
    return CS_OK;
}

void noop_workers_stop(void) {
    for (int i = 0; i < NOOP_WORKERS; i++) {
        cs_rpc_server_destroy(noop.servers[i]);
        cs_worker_destroy(noop.workers[i]);
    }
    cs_buf_fini(&noop.addresses);
}

const char *noop_workers_addresses(void) {
    return noop.addresses.data;
}

void noop_reset(void) {
    for (int i = 0; i < NOOP_JOBS_MAX; i++) {
        noop.started_ns[i] = noop.reported_ns[i] = 0;
    }
    noop.first_ns = 0;
    atomic_store(&noop.ended, 0);
    atomic_store(&noop.awaited, UINT64_MAX);
}

enum cs_status noop_await(uint64_t jobs, int64_t timeout_ms, struct cs_err *err) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    atomic_store(&noop.awaited, jobs);
    int waited = 0;
    pthread_mutex_lock(&noop.lock);
    while (atomic_load(&noop.ended) < jobs && waited == 0) {
        waited = pthread_cond_timedwait(&noop.reached, &noop.lock, &until);
    }
    pthread_mutex_unlock(&noop.lock);
    if (atomic_load(&noop.ended) < jobs) {
        return cs_fail(err, CS_DEADLINE_EXCEEDED, "timeout", "%llu of %llu jobs ended",
                       (unsigned long long)atomic_load(&noop.ended), (unsigned long long)jobs);
    }
    return CS_OK;
}

int64_t noop_started_ns(uint32_t job) {
    return noop.started_ns[job];
}

int64_t noop_reported_ns(uint32_t job) {
    return noop.reported_ns[job];
}

int64_t noop_first_ns(void) {
    return noop.first_ns;
}
