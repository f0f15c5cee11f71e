/*
 * stack: a private durable PostgreSQL, orchestrators and workers as processes of their own, for a measurement.
 *
 * Owns     the processes, the stamps, and the directory below `scratch`, which goes with it.
 */
#ifndef BENCH_STACK_H
#define BENCH_STACK_H

#include "cs/base/err.h"
#include "cs/pg_server.h"
#include "cs/process.h"
#include "stamps.h"

enum { STACK_WORKERS = 2, STACK_ADDRESS_MAX = 128 };

struct stack_orchestrator {
    struct cs_process process;
    char address[STACK_ADDRESS_MAX];
};

struct stack_worker {
    struct cs_process process;
    char address[STACK_ADDRESS_MAX];
};

struct stack {
    char *directory;
    uint32_t slots; /* of each worker */
    struct cs_pg_server *server;
    struct cs_process postgres;
    struct stack_worker workers[STACK_WORKERS];
    struct stack_orchestrator orchestrator;
    struct stack_orchestrator standby; /* or none */
    struct stamps_map stamps;
    char database_url[CS_PG_URL_MAX];
};

/* Everything but the standby. */
enum cs_status stack_start(struct stack *ret_stack, const char *scratch, uint32_t slots,
                           struct cs_err *err) CS_MUST_USE;
void stack_stop(struct stack *stack);

enum stack_links { STACK_ALONE, STACK_WITH_WORKERS };
/* kill -9 of the orchestrator, and another one of its name on the same database and another address. */
enum cs_status stack_restart(struct stack *stack, enum stack_links links, struct cs_err *err) CS_MUST_USE;
/* Another one, of another name. */
enum cs_status stack_start_standby(struct stack *stack, enum stack_links links, struct cs_err *err) CS_MUST_USE;
void stack_kill_orchestrator(struct stack *stack);
/* The standby is the orchestrator from now on. */
void stack_promote_standby(struct stack *stack);
/* Whether something of the dead orchestrator has not been taken over. */
enum cs_status stack_is_left(const struct stack *stack, bool *ret_left, struct cs_err *err) CS_MUST_USE;
enum cs_status stack_start_worker(struct stack *stack, int index, struct cs_err *err) CS_MUST_USE;
void stack_stop_postgres(struct stack *stack);
enum cs_status stack_start_postgres(struct stack *stack, struct cs_err *err) CS_MUST_USE;

/* Transactions that wrote so far. */
enum cs_status stack_transactions(const struct stack *stack, int64_t *ret_count, struct cs_err *err) CS_MUST_USE;

/* CPU seconds so far. */
struct stack_cpu {
    double engine;
    double postgres; /* with all its children */
    double workers;
    double client; /* this process */
};
struct stack_cpu stack_cpu(const struct stack *stack);
/* Memory of the orchestrator. */
int64_t stack_rss_bytes(const struct stack *stack);

#endif
