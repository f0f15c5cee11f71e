/*
 * supervisor: keeps a few programs running.
 *
 *     sup = cli_sup_create(&options, &err);
 *     cli_sup_add(sup, &postgres); cli_sup_add(sup, &media); …
 *     while (!stopped) cli_sup_turn(sup, wake_fd, 1000, &err);
 *     cli_sup_stop(sup);
 *     while (!cli_sup_ended(sup)) cli_sup_turn(…);
 *
 * Stages start one after another: a stage begins when every member of the stages before has been ready once. They stop
 * in the opposite order. A member that ends is started again after a backoff of 100 ms that doubles up to 5 s; it
 * begins anew once the member has been ready for 10 s. Whatever a member leaves in its process group is killed with it.
 *
 * Owns     the processes: they die with us, also by kill -9.
 * Threads  one: the one that made it, which must live as long (death signals follow the thread).
 * Fails    FAILED_PRECONDITION "member_failed" when a member has ended 5 times without ever being ready.
 */
#ifndef CLI_UP_SUPERVISOR_H
#define CLI_UP_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "cs/process.h"

enum {
    CLI_ADDRESS_MAX = 256,
    CLI_READY_FD = 3, /* where a member finds the descriptor for "ready ADDRESS" */
    CLI_BACKOFF_FIRST_MS = 100,
    CLI_BACKOFF_MAX_MS = 5000,
    CLI_STEADY_MS = 10000,
    CLI_READY_TIMEOUT_MS = 60000,
    CLI_START_TRIES = 5,
    CLI_PROBE_MS = 25,
};

struct cli_member_spec {
    const char *name;
    int stage; /* from 0 */
    int stop_signal;
    /* How to start it next. address: what it was ready with before, to be used again; "" before that. */
    enum cs_status (*launch)(void *ctx, const char *address, struct cs_arena *arena, struct cs_process_spec *ret_spec,
                             struct cs_err *err);
    /* NULL: it says "ready ADDRESS" on CLI_READY_FD. Else asked every CLI_PROBE_MS; must not block. */
    bool (*probe)(void *ctx, char ret_address[CLI_ADDRESS_MAX]);
    void *ctx;
};

struct cli_member_view {
    const char *name;
    const char *address; /* "" until it was ready */
    const char *state;   /* "idle" "starting" "ready" "waiting" "ended" */
    pid_t pid;           /* 0: does not run */
    int restarts;
};

struct cli_sup_options {
    int log_fd;                 /* gets the members' lines as "name | line" */
    int64_t grace_ms;           /* between a stop signal and SIGKILL */
    void (*changed)(void *ctx); /* a pid, a state or an address changed; may be NULL */
    void *ctx;
};

struct cli_sup;

struct cli_sup *cli_sup_create(const struct cli_sup_options *options);
void cli_sup_destroy(struct cli_sup *sup); /* kills what runs */
CS_DEFINE_AUTO(cli_sup, cli_sup_destroy)

void cli_sup_add(struct cli_sup *sup, const struct cli_member_spec *spec); /* copied; the name is not */

/* Starts what is due, waits for one event or timeout_ms or until wake_fd (-1: none) is readable, handles it. */
enum cs_status cli_sup_turn(struct cli_sup *sup, int wake_fd, int64_t timeout_ms, struct cs_err *err) CS_MUST_USE;

void cli_sup_stop(struct cli_sup *sup); /* begins; turns do the rest */
void cli_sup_kill(struct cli_sup *sup); /* no more grace for anybody */

bool cli_sup_all_ready(const struct cli_sup *sup);
bool cli_sup_ended(const struct cli_sup *sup);
bool cli_sup_killed(const struct cli_sup *sup); /* somebody had to be killed while stopping */

size_t cli_sup_count(const struct cli_sup *sup);
struct cli_member_view cli_sup_member(const struct cli_sup *sup, size_t index);
/* The address of a member that was ready once; "" otherwise. */
const char *cli_sup_address(const struct cli_sup *sup, const char *name);

/* The pause before the n-th start in a row (n from 1). */
int64_t cli_backoff_ms(int failures);

#endif
