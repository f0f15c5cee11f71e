/*
 * bench: the measurements, and what they share.
 *
 * The orchestrator's program, a durable PostgreSQL (fsync and synchronous_commit on) and two workers that do nothing,
 * each a process of its own, talk over the real contract; this process is the client. Everything shares one machine:
 * compare figures of one run with each other, and CPU time rather than time when others use it too.
 *
 * Each measurement leaves the stack as it found it: everything has ended, orchestrator and workers are up.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "client.h"
#include "figures.h"
#include "shapes.h"
#include "stack.h"

#define BENCH_TENANT "bench"
enum { BENCH_DRAIN_MS = 120 * 1000 };

struct bench_options {
    const char *scratch;
    const char *out;
    int64_t samples;
    int64_t window;
    int64_t slots;
    int64_t open;
    const char *only; /* one measurement; "" all */
    bool endurance;
    int64_t endurance_jobs;
};

struct bench {
    struct bench_options options;
    struct cs_arena *arena;
    struct cs_rpc *rpc;
    struct stack stack;
    struct client *client; /* of the orchestrator that is up */
    struct figures figures;
    double dag6_jobs_per_s; /* once measured */
};

/* ---- run.c: what they are made of ---- */

/* A client of the orchestrator as it is now. */
enum cs_status bench_connect(struct bench *bench, struct cs_err *err) CS_MUST_USE;
/* Of a plan with probe jobs: one execution from submit to its terminal update, alone in its stamps. */
enum cs_status bench_play(struct bench *bench, const Callsheet__V1__CreateExecutionRequest *request,
                          int64_t *ret_begin_ns, int64_t *ret_end_ns, struct cs_err *err) CS_MUST_USE;
/* Until so many jobs have ended since the stamps' reset, and all executions of BENCH_TENANT. */
enum cs_status bench_drain(struct bench *bench, uint64_t jobs, struct cs_err *err) CS_MUST_USE;
/* Submits, and waits until all have ended. */
enum cs_status bench_complete(struct bench *bench, const struct shape *shape, uint32_t executions,
                              struct cs_err *err) CS_MUST_USE;
/* Submits `jobs` of the shape to an orchestrator without workers: they stay open. */
enum cs_status bench_fill(struct bench *bench, const struct shape *shape, uint32_t executions,
                          struct cs_err *err) CS_MUST_USE;

/* ---- the measurements ---- */

/* Dispatch, hop, chain of 20 and one 6-job DAG, at idle. */
enum cs_status bench_idle(struct bench *bench, struct cs_err *err) CS_MUST_USE;
/* Dispatch and hop while 6-job DAGs come at half the pace that was reached. After bench_throughput. */
enum cs_status bench_half_load(struct bench *bench, struct cs_err *err) CS_MUST_USE;
/* Each shape: jobs a second, whose CPU, commits. */
enum cs_status bench_throughput(struct bench *bench, struct cs_err *err) CS_MUST_USE;
/* How long a plan of 10,000 jobs takes to be accepted. */
enum cs_status bench_submit(struct bench *bench, struct cs_err *err) CS_MUST_USE;
/* Bytes of the orchestrator for each open job. */
enum cs_status bench_memory(struct bench *bench, struct cs_err *err) CS_MUST_USE;
/* Dispatch of one tenant while another has 100,000 jobs queued. */
enum cs_status bench_fairness(struct bench *bench, struct cs_err *err) CS_MUST_USE;
/* kill -9 of the orchestrator with much to do: the same again, or a standby. */
enum cs_status bench_restart(struct bench *bench, struct cs_err *err) CS_MUST_USE;
enum cs_status bench_takeover(struct bench *bench, struct cs_err *err) CS_MUST_USE;
/* kill -9 of a worker; a restart of PostgreSQL. */
enum cs_status bench_worker_loss(struct bench *bench, struct cs_err *err) CS_MUST_USE;
enum cs_status bench_postgres_restart(struct bench *bench, struct cs_err *err) CS_MUST_USE;
/* Millions of jobs: does it stay as fast? Not part of a usual run. */
enum cs_status bench_endurance(struct bench *bench, struct cs_err *err) CS_MUST_USE;

#endif
