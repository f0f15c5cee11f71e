#include "stack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench_sql.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/pg.h"

enum { START_MS = 60 * 1000, STOP_MS = 10 * 1000, READY_FD = 3, MEMORY_FD = 4, EVENT_FD = 5 };

static const struct cs_pg_statement bench_transactions = CS_PG_STATEMENT(bench_transactions, "", "next:int8");
static const struct cs_pg_statement bench_is_left = CS_PG_STATEMENT(bench_is_left, "text", "left:bool");

static const char NAME[] = "bench";
static const char DATABASE_LOG[] = "postgres.log";
static const char PROGRAMS_LOG[] = "programs.log";

static enum cs_status make_directory(struct stack *stack, const char *scratch, struct cs_err *err) {
    if (mkdir(scratch, 0755) != 0 && errno != EEXIST) {
        return cs_fail_errno(err, errno, "making %s", scratch);
    }
    CS_AUTO_FREE char *absolute = realpath(scratch, NULL);
    if (absolute == NULL) {
        return cs_fail_errno(err, errno, "%s", scratch);
    }
    stack->directory = cs_sprintf("%s/data-XXXXXX", absolute);
    return mkdtemp(stack->directory) != NULL ? CS_OK : cs_fail_errno(err, errno, "making %s", stack->directory);
}

/* Beside the directory, so that it is still there after a failure. */
static enum cs_status open_log(const struct stack *stack, const char *name, int flags, int *ret_fd,
                               struct cs_err *err) {
    CS_AUTO_FREE char *path = cs_sprintf("%s/../%s", stack->directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0644);
    if (fd < 0) {
        return cs_fail_errno(err, errno, "writing %s", path);
    }
    *ret_fd = fd;
    return CS_OK;
}

static enum cs_status empty_logs(const struct stack *stack, struct cs_err *err) {
    static const char *const names[] = {DATABASE_LOG, PROGRAMS_LOG};
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        CS_AUTO_FD int fd = -1;
        CS_TRY(open_log(stack, names[i], O_TRUNC, &fd, err));
    }
    return CS_OK;
}

/* ---- PostgreSQL ---- */

enum cs_status stack_start_postgres(struct stack *stack, struct cs_err *err) {
    struct cs_process_spec spec = cs_pg_server_spec(stack->server);
    CS_AUTO_FD int log_fd = -1;
    CS_TRY(open_log(stack, DATABASE_LOG, 0, &log_fd, err));
    spec.stderr_fd = log_fd;
    CS_TRY(cs_process_start(&spec, &stack->postgres, err));
    return cs_pg_server_await(stack->server, &stack->postgres, START_MS, err);
}

void stack_stop_postgres(struct stack *stack) {
    (void)cs_process_stop(&stack->postgres, SIGINT, STOP_MS);
    cs_process_fini(&stack->postgres);
}

static enum cs_status make_database(struct stack *stack, struct cs_err *err) {
    CS_AUTO_FREE char *directory = cs_sprintf("%s/pg", stack->directory);
    CS_TRY(cs_pg_server_prepare(directory, CS_PG_SERVER_DURABLE, &stack->server, err));
    CS_TRY(stack_start_postgres(stack, err));
    return cs_pg_server_database(stack->server, "callsheet", stack->database_url, err);
}

/* ---- programs of ours ---- */

/* "ready ADDRESS\n" */
static enum cs_status await_ready(int fd, const char *program, char ret_address[static STACK_ADDRESS_MAX],
                                  struct cs_err *err) {
    char line[STACK_ADDRESS_MAX];
    size_t size = 0;
    ssize_t got = 0;
    while (size < sizeof(line) - 1 && (got = read(fd, line + size, sizeof(line) - 1 - size)) > 0) {
        size += (size_t)got;
        if (line[size - 1] == '\n') {
            break;
        }
    }
    line[size > 0 ? size - 1 : 0] = '\0';
    if (!cs_str_starts(line, "ready ")) {
        return cs_fail(err, CS_UNAVAILABLE, "not_ready", "%s did not become ready", program);
    }
    cs_str_copy(ret_address, STACK_ADDRESS_MAX, line + strlen("ready "));
    return CS_OK;
}

/* Adds the descriptor for "ready", and waits for that. */
static enum cs_status start_program(const struct stack *stack, struct cs_process_spec *spec, struct cs_process_fd *fds,
                                    struct cs_process *ret_process, char ret_address[static STACK_ADDRESS_MAX],
                                    struct cs_err *err) {
    CS_AUTO_FD int log_fd = -1;
    CS_TRY(open_log(stack, PROGRAMS_LOG, 0, &log_fd, err));
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return cs_fail_errno(err, errno, "a pipe");
    }
    fds[spec->fd_count++] = (struct cs_process_fd){.ours = pipe_fds[1], .theirs = READY_FD};
    spec->fds = fds;
    spec->stderr_fd = log_fd;
    spec->death_signal = SIGKILL;
    enum cs_status status = cs_process_start(spec, ret_process, err);
    (void)close(pipe_fds[1]);
    if (status == CS_OK) {
        status = await_ready(pipe_fds[0], spec->argv[0], ret_address, err);
    }
    (void)close(pipe_fds[0]);
    return status;
}

static enum cs_status start_orchestrator(const struct stack *stack, const char *name, enum stack_links links,
                                         struct stack_orchestrator *ret_orchestrator, struct cs_err *err) {
    CS_AUTO_FREE char *database = cs_sprintf("DATABASE_URL=%s", stack->database_url);
    CS_AUTO_BUF workers = {0};
    for (int i = 0; links == STACK_WITH_WORKERS && i < STACK_WORKERS; i++) {
        cs_buf_printf(&workers, "%s%s", i != 0 ? "," : "", stack->workers[i].address);
    }
    static const char program[] = CS_BIN_DIR "/callsheet-orchestrator";
    /* A name of its own, as under `callsheet up`: who starts again under it goes on at once. */
    const char *const argv[] = {
        program, "--workers", workers.size != 0 ? workers.data : "", "--ready-fd", "3", "--replica", name, NULL};
    const char *const environment[] = {database, "CALLSHEET_LINK_SECRET=a secret for measuring", NULL};
    struct cs_process_fd fds[1];
    struct cs_process_spec spec = {.argv = argv, .environment = environment};
    return start_program(stack, &spec, fds, &ret_orchestrator->process, ret_orchestrator->address, err);
}

enum cs_status stack_start_worker(struct stack *stack, int index, struct cs_err *err) {
    static const char program[] = CS_TEST_DIR "/callsheet-bench-worker";
    char which[16];
    char slots[16];
    (void)snprintf(which, sizeof(which), "%d", index);
    (void)snprintf(slots, sizeof(slots), "%u", stack->slots);
    const char *const argv[] = {program, "--ready-fd", "3",   "--memory-fd", "4",   "--event-fd",
                                "5",     "--index",    which, "--slots",     slots, NULL};
    struct cs_process_fd fds[3] = {{.ours = stack->stamps.memory_fd, .theirs = MEMORY_FD},
                                   {.ours = stack->stamps.event_fd, .theirs = EVENT_FD}};
    struct cs_process_spec spec = {.argv = argv, .fd_count = 2};
    atomic_store(&stack->stamps.shared->held[index], 0);
    return start_program(stack, &spec, fds, &stack->workers[index].process, stack->workers[index].address, err);
}

/* ---- life ---- */

enum cs_status stack_start(struct stack *ret_stack, const char *scratch, uint32_t slots, struct cs_err *err) {
    *ret_stack = (struct stack){.slots = slots};
    CS_TRY(stamps_create(&ret_stack->stamps, err));
    CS_TRY(make_directory(ret_stack, scratch, err));
    CS_TRY(empty_logs(ret_stack, err));
    CS_TRY(make_database(ret_stack, err));
    for (int i = 0; i < STACK_WORKERS; i++) {
        CS_TRY(stack_start_worker(ret_stack, i, err));
    }
    return start_orchestrator(ret_stack, NAME, STACK_WITH_WORKERS, &ret_stack->orchestrator, err);
}

void stack_kill_orchestrator(struct stack *stack) {
    cs_process_kill(&stack->orchestrator.process);
    cs_process_fini(&stack->orchestrator.process);
}

enum cs_status stack_restart(struct stack *stack, enum stack_links links, struct cs_err *err) {
    stack_kill_orchestrator(stack);
    return start_orchestrator(stack, NAME, links, &stack->orchestrator, err);
}

enum cs_status stack_start_standby(struct stack *stack, enum stack_links links, struct cs_err *err) {
    return start_orchestrator(stack, "standby", links, &stack->standby, err);
}

void stack_promote_standby(struct stack *stack) {
    stack->orchestrator = stack->standby;
    stack->standby = (struct stack_orchestrator){0};
}

static void remove_directory(const char *directory) {
    const char *const argv[] = {"/bin/rm", "-rf", directory, NULL};
    const struct cs_process_spec spec = {.argv = argv};
    struct cs_err err = {0};
    if (cs_process_run(&spec, STOP_MS, &err) != CS_OK) {
        (void)fprintf(stderr, "%s stays: %s\n", directory, err.message);
    }
}

static void stop(struct cs_process *process, int number) {
    (void)cs_process_stop(process, number, STOP_MS);
    cs_process_fini(process);
}

void stack_stop(struct stack *stack) {
    stop(&stack->standby.process, SIGTERM);
    stop(&stack->orchestrator.process, SIGTERM);
    for (int i = 0; i < STACK_WORKERS; i++) {
        stop(&stack->workers[i].process, SIGTERM);
    }
    stop(&stack->postgres, SIGINT);
    cs_pg_server_destroy(stack->server);
    if (stack->directory != NULL) {
        remove_directory(stack->directory);
    }
    free(stack->directory);
    stamps_close(&stack->stamps);
}

/* ---- questions to the database ---- */

enum cs_status stack_transactions(const struct stack *stack, int64_t *ret_count, struct cs_err *err) {
    CS_AUTO(cs_pg) *pg = NULL;
    CS_TRY(cs_pg_open(stack->database_url, NULL, &pg, err));
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_one(pg, &bench_transactions, NULL, &rows, err));
    *ret_count = cs_pg_i64(rows, "next");
    return CS_OK;
}

enum cs_status stack_is_left(const struct stack *stack, bool *ret_left, struct cs_err *err) {
    CS_AUTO(cs_pg) *pg = NULL;
    CS_TRY(cs_pg_open(stack->database_url, NULL, &pg, err));
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, NAME);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_one(pg, &bench_is_left, &params, &rows, err));
    *ret_left = cs_pg_bool(rows, "left");
    return CS_OK;
}
