#include "stack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench_sql.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/pg.h"

enum { START_MS = 60 * 1000, STOP_MS = 10 * 1000, READY_FD = 3 };

static const struct cs_pg_statement bench_transactions = CS_PG_STATEMENT(bench_transactions, "", "next:int8");

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

static enum cs_status open_log(const struct stack *stack, const char *name, int *ret_fd, struct cs_err *err) {
    CS_AUTO_FREE char *path = cs_sprintf("%s/%s", stack->directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        return cs_fail_errno(err, errno, "writing %s", path);
    }
    *ret_fd = fd;
    return CS_OK;
}

static enum cs_status start_postgres(struct stack *stack, struct cs_err *err) {
    CS_AUTO_FREE char *directory = cs_sprintf("%s/pg", stack->directory);
    CS_TRY(cs_pg_server_prepare(directory, CS_PG_SERVER_DURABLE, &stack->server, err));
    struct cs_process_spec spec = cs_pg_server_spec(stack->server);
    CS_AUTO_FD int log_fd = -1;
    CS_TRY(open_log(stack, "postgres.log", &log_fd, err));
    spec.stderr_fd = log_fd;
    CS_TRY(cs_process_start(&spec, &stack->postgres, err));
    CS_TRY(cs_pg_server_await(stack->server, &stack->postgres, START_MS, err));
    return cs_pg_server_database(stack->server, "callsheet", stack->database_url, err);
}

/* "ready ADDRESS\n" */
static enum cs_status await_ready(int fd, char *ret_address, size_t capacity, struct cs_err *err) {
    char line[256];
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
        return cs_fail(err, CS_UNAVAILABLE, "not_ready", "the orchestrator did not become ready");
    }
    cs_str_copy(ret_address, capacity, line + strlen("ready "));
    return CS_OK;
}

static enum cs_status start_orchestrator(struct stack *stack, const char *workers, struct cs_err *err) {
    CS_AUTO_FD int log_fd = -1;
    CS_TRY(open_log(stack, "orchestrator.log", &log_fd, err));
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return cs_fail_errno(err, errno, "a pipe");
    }
    CS_AUTO_FREE char *database = cs_sprintf("DATABASE_URL=%s", stack->database_url);
    static const char program[] = CS_BIN_DIR "/callsheet-orchestrator";
    /* A name of its own, as under `callsheet up`: who starts again under it goes on at once. */
    const char *const argv[] = {program, "--workers", workers, "--ready-fd", "3", "--replica", "bench", NULL};
    const char *const environment[] = {database, "CALLSHEET_LINK_SECRET=a secret for measuring", NULL};
    const struct cs_process_fd fds[] = {{.ours = pipe_fds[1], .theirs = READY_FD}};
    const struct cs_process_spec spec = {.argv = argv,
                                         .environment = environment,
                                         .fds = fds,
                                         .fd_count = 1,
                                         .stderr_fd = log_fd,
                                         .death_signal = SIGKILL};
    enum cs_status status = cs_process_start(&spec, &stack->orchestrator, err);
    (void)close(pipe_fds[1]);
    if (status == CS_OK) {
        status = await_ready(pipe_fds[0], stack->address, sizeof(stack->address), err);
    }
    (void)close(pipe_fds[0]);
    return status;
}

enum cs_status stack_start(struct stack *ret_stack, const char *scratch, const char *workers, struct cs_err *err) {
    *ret_stack = (struct stack){0};
    CS_TRY(make_directory(ret_stack, scratch, err));
    CS_TRY(start_postgres(ret_stack, err));
    return start_orchestrator(ret_stack, workers, err);
}

enum cs_status stack_restart(struct stack *stack, const char *workers, struct cs_err *err) {
    cs_process_kill(&stack->orchestrator);
    cs_process_fini(&stack->orchestrator);
    return start_orchestrator(stack, workers, err);
}

static void remove_directory(const char *directory) {
    const char *const argv[] = {"/bin/rm", "-rf", directory, NULL};
    const struct cs_process_spec spec = {.argv = argv};
    struct cs_err err = {0};
    if (cs_process_run(&spec, STOP_MS, &err) != CS_OK) {
        (void)fprintf(stderr, "%s stays: %s\n", directory, err.message);
    }
}

void stack_stop(struct stack *stack) {
    (void)cs_process_stop(&stack->orchestrator, SIGTERM, STOP_MS);
    (void)cs_process_stop(&stack->postgres, SIGINT, STOP_MS);
    cs_process_fini(&stack->orchestrator);
    cs_process_fini(&stack->postgres);
    cs_pg_server_destroy(stack->server);
    if (stack->directory != NULL) {
        remove_directory(stack->directory);
    }
    free(stack->directory);
}

enum cs_status stack_transactions(const struct stack *stack, int64_t *ret_count, struct cs_err *err) {
    CS_AUTO(cs_pg) *pg = NULL;
    CS_TRY(cs_pg_open(stack->database_url, NULL, &pg, err));
    CS_AUTO(cs_pg_rows) *rows = NULL;
    CS_TRY(cs_pg_one(pg, &bench_transactions, NULL, &rows, err));
    *ret_count = cs_pg_i64(rows, "next");
    return CS_OK;
}

double stack_cpu_s(const struct cs_process *process) {
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)process->pid);
    FILE *file = fopen(path, "re");
    unsigned long user = 0;
    unsigned long system = 0;
    if (file != NULL) {
        if (fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) {
            user = system = 0;
        }
        (void)fclose(file);
    }
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}
