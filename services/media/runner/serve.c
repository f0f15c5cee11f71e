#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "cs/base/mem.h"
#include "cs/runner_wire.h"
#include "verdict.h"

/* An unpacked command may take this many times its bytes, plus a little. */
enum { UNPACKED_FACTOR = 16, UNPACKED_EXTRA = 1 << 20 };

struct child {
    uint64_t id;
    pid_t pid; /* 0: free */
    bool killed;
};

struct server {
    const struct med_sandbox *sandbox;
    pid_t self;
    int socket;
    int signals;
    struct cs_buf out; /* reports that have not left yet: the loop never waits for the client */
    struct child children[MED_SERVE_JOBS_MAX];
    struct cs_runner_command command;
};

/* ---- reports ---- */

static void report(struct server *server, uint64_t id, Callsheet__V1__Failed *failed) {
    Callsheet__V1__RunnerReport message = CALLSHEET__V1__RUNNER_REPORT__INIT;
    message.id = id;
    if (failed != NULL) {
        message.report_case = CALLSHEET__V1__RUNNER_REPORT__REPORT_FAILED;
        message.failed = failed;
    }
    cs_runner_frame_put(&server->out, (const ProtobufCMessage *)&message);
}

static void report_refusal(struct server *server, uint64_t id, const char *code, const char *text) {
    Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
    failed.failure_class = CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TRANSIENT;
    failed.code = (char *)code;
    failed.message = (char *)text;
    report(server, id, &failed);
}

/* False when the client is gone. */
static bool flush(struct server *server) {
    ssize_t sent = send(server->socket, server->out.data, server->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    cs_runner_buf_consume(&server->out, (size_t)sent);
    return true;
}

/* ---- children ---- */

static struct child *find_child(struct server *server, pid_t pid) {
    for (size_t i = 0; i < MED_SERVE_JOBS_MAX; i++) {
        if (server->children[i].pid == pid) {
            return &server->children[i];
        }
    }
    return NULL;
}

static void start_job(struct server *server, const Callsheet__V1__RunnerJob *job) {
    const struct cs_runner_command *command = &server->command;
    if (command->incomplete) {
        report_refusal(server, job->id, "too_many_files", "the media runner cannot open more files");
        return;
    }
    if (command->fd_count != (size_t)job->inputs + job->n_outputs + 1) {
        report_refusal(server, job->id, "bad_command", "a job came without its descriptors");
        return;
    }
    struct child *place = find_child(server, 0);
    pid_t pid = place != NULL ? fork() : -1;
    if (pid == 0) {
        med_child_run(server->sandbox, server->self, job, command->fds, command->fd_count);
    }
    if (pid < 0) {
        report_refusal(server, job->id, "no_process", "the media runner cannot start another process");
        return;
    }
    *place = (struct child){.id = job->id, .pid = pid};
}

static void kill_child(struct child *child) {
    child->killed = true;
    (void)kill(child->pid, SIGKILL); /* it has not been waited for: the id is its own */
}

static void kill_job(struct server *server, uint64_t id) {
    for (size_t i = 0; i < MED_SERVE_JOBS_MAX; i++) {
        if (server->children[i].pid != 0 && server->children[i].id == id) {
            kill_child(&server->children[i]);
        }
    }
}

static void reap(struct server *server) {
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        struct child *child = find_child(server, pid);
        if (child == NULL) {
            continue;
        }
        Callsheet__V1__Failed failed;
        bool own_report_counts = med_verdict(status, child->killed, &failed);
        report(server, child->id, own_report_counts ? NULL : &failed);
        child->pid = 0;
    }
}

static void kill_all(struct server *server) {
    for (size_t i = 0; i < MED_SERVE_JOBS_MAX; i++) {
        if (server->children[i].pid != 0) {
            kill_child(&server->children[i]);
        }
    }
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
    }
}

/* ---- commands ---- */

/* Memory for one unpacked command that goes back to the system as a whole. */
struct pool {
    uint8_t *start;
    size_t used;
    size_t capacity;
};

static void *pool_alloc(void *ctx, size_t size_bytes) {
    struct pool *pool = ctx;
    size_t wanted = (size_bytes + 15) & ~(size_t)15;
    if (wanted < size_bytes || wanted > pool->capacity - pool->used) {
        return NULL;
    }
    void *memory = pool->start + pool->used;
    pool->used += wanted;
    return memory;
}

static void pool_free(void *ctx, void *memory) {
    (void)ctx;
    (void)memory;
}

static void run_command(struct server *server, struct pool *pool) {
    ProtobufCAllocator allocator = {pool_alloc, pool_free, pool};
    const Callsheet__V1__RunnerCommand *command =
        callsheet__v1__runner_command__unpack(&allocator, server->command.size_bytes, server->command.bytes);
    if (command == NULL) {
        return; /* our own client never sends such; it will see no child */
    }
    switch (command->command_case) {
    case CALLSHEET__V1__RUNNER_COMMAND__COMMAND_START:
        start_job(server, command->start);
        break;
    case CALLSHEET__V1__RUNNER_COMMAND__COMMAND_KILL:
        kill_job(server, command->kill);
        break;
    default:
        break;
    }
}

static enum cs_status take_command(struct server *server, bool *ret_end, struct cs_err *err) {
    CS_TRY(cs_runner_command_receive(server->socket, &server->command, ret_end, err));
    if (*ret_end) {
        return CS_OK;
    }
    struct pool pool = {.capacity = server->command.size_bytes * UNPACKED_FACTOR + UNPACKED_EXTRA};
    void *memory =
        mmap(NULL, pool.capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        int errnum = errno;
        cs_runner_command_fini(&server->command);
        return cs_fail_errno(err, errnum, "reading a command");
    }
    pool.start = memory;
    run_command(server, &pool);
    (void)munmap(pool.start, pool.capacity);
    cs_runner_command_fini(&server->command);
    return CS_OK;
}

/* ---- the loop ---- */

static enum cs_status turn(struct server *server, bool *ret_end, struct cs_err *err) {
    short writable = server->out.size > 0 ? POLLOUT : 0;
    struct pollfd watched[] = {{.fd = server->socket, .events = (short)(POLLIN | writable)},
                               {.fd = server->signals, .events = POLLIN}};
    if (poll(watched, CS_COUNT(watched), -1) < 0) {
        return errno == EINTR ? CS_OK : cs_fail_errno(err, errno, "waiting for commands");
    }
    if (watched[1].revents != 0) {
        struct signalfd_siginfo ignored;
        ssize_t got = read(server->signals, &ignored, sizeof(ignored));
        (void)got;
        reap(server);
    }
    if ((watched[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        CS_TRY(take_command(server, ret_end, err));
    }
    if (server->out.size > 0 && !flush(server)) {
        *ret_end = true;
    }
    return CS_OK;
}

static enum cs_status watch_children(int *ret_signals, struct cs_err *err) {
    sigset_t child_ended;
    (void)sigemptyset(&child_ended);
    (void)sigaddset(&child_ended, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &child_ended, NULL);
    int signals = signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) {
        return cs_fail_errno(err, errno, "watching children");
    }
    *ret_signals = signals;
    return CS_OK;
}

enum cs_status med_serve(int socket, const struct med_sandbox *sandbox, struct cs_err *err) {
    int signals = -1;
    CS_TRY(watch_children(&signals, err));
    struct server *server = cs_alloc(sizeof(*server));
    server->sandbox = sandbox;
    server->self = getpid();
    server->socket = socket;
    server->signals = signals;
    report(server, 0, NULL);
    bool end = !flush(server);
    enum cs_status status = CS_OK;
    while (status == CS_OK && !end) {
        status = turn(server, &end, err);
    }
    kill_all(server);
    (void)close(signals);
    cs_buf_fini(&server->out);
    free(server);
    return status;
}

void med_serve_refuse(int socket, const struct cs_err *err) {
    Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
    failed.failure_class = CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INTERNAL;
    failed.code = (char *)err->reason;
    failed.message = (char *)err->message;
    Callsheet__V1__RunnerReport message = CALLSHEET__V1__RUNNER_REPORT__INIT;
    message.report_case = CALLSHEET__V1__RUNNER_REPORT__REPORT_FAILED;
    message.failed = &failed;
    (void)cs_runner_frame_write(socket, (const ProtobufCMessage *)&message);
}
