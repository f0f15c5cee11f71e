/*
 * stack: a private durable PostgreSQL and the orchestrator's program, for a measurement.
 *
 * Owns     both processes and the directory below `scratch`, which goes with it.
 */
#ifndef BENCH_STACK_H
#define BENCH_STACK_H

#include "cs/base/err.h"
#include "cs/pg_server.h"
#include "cs/process.h"

struct stack {
    char *directory;
    struct cs_pg_server *server;
    struct cs_process postgres;
    struct cs_process orchestrator;
    char database_url[CS_PG_URL_MAX];
    char address[128]; /* of the orchestrator */
};

enum cs_status stack_start(struct stack *ret_stack, const char *scratch, const char *workers,
                           struct cs_err *err) CS_MUST_USE;
void stack_stop(struct stack *stack);
/* kill -9 of the orchestrator, and another one on the same database (and another address) with these workers. */
enum cs_status stack_restart(struct stack *stack, const char *workers, struct cs_err *err) CS_MUST_USE;
/* Transactions that wrote so far. */
enum cs_status stack_transactions(const struct stack *stack, int64_t *ret_count, struct cs_err *err) CS_MUST_USE;
/* CPU time of a process so far. */
double stack_cpu_s(const struct cs_process *process);

#endif
