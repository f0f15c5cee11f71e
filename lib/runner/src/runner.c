/*
 * One reader thread owns the runner process, its socket for reading, and all open jobs; others hand it new jobs and
 * kills through lists and wake it. Only sending a job happens on the caller's thread, under send_lock, which also
 * guards the exchange of the socket after a death.
 */
#include "cs/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/runner_wire.h"
#include "job.h"
#include "process.h"

enum {
    START_WAIT_MS = 10000,  /* for a runner that is being started again */
    REAP_GRACE_MS = 2000,   /* a runner that has closed its socket is about to exit */
    STOP_GRACE_MS = 3000,   /* for a runner that was told to stop */
    SHORT_LIFE_MS = 1000,   /* dying younger delays the next start */
    RESPAWN_DELAY_MS = 100, /* doubled with every short life */
    RESPAWN_DOUBLINGS_MAX = 6,
    READ_BYTES = 16 * 1024,
    JOB_BYTES_MAX = CS_RUNNER_COMMAND_BYTES_MAX - 64, /* its frame and id come on top */
};

enum state { STATE_STARTING, STATE_READY, STATE_DOWN };

struct kill {
    struct kill *next;
    uint64_t id;
};

struct cs_runner {
    char *program;
    pthread_t reader;
    int wake;

    /* owned by the reader */
    pid_t pid; /* 0: none */
    struct cs_buf in;
    struct cs_runner_job *jobs;
    int64_t spawned_ms;
    int64_t spawn_at_ms;
    int short_lives;
    bool was_ready; /* since it was created */
    bool told_to_stop;
    int64_t kill_at_ms; /* then */

    pthread_mutex_t send_lock;
    /* below: written under send_lock by the reader, which may read it without */
    int socket; /* -1: none */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    enum state state;
    struct cs_err down; /* why, in STATE_DOWN */
    bool stopping;
    uint64_t last_id;
    struct cs_runner_job *incoming;
    struct kill *kills;
};

static void wake(struct cs_runner *runner) {
    uint64_t one = 1;
    ssize_t ignored = write(runner->wake, &one, sizeof(one));
    (void)ignored;
}

static void set_state(struct cs_runner *runner, enum state state, const struct cs_err *why) {
    pthread_mutex_lock(&runner->lock);
    runner->state = state;
    if (why != NULL) {
        runner->down = *why;
    }
    pthread_cond_broadcast(&runner->changed);
    pthread_mutex_unlock(&runner->lock);
}

/* ---- the process ---- */

static void end_jobs(struct cs_runner *runner) {
    struct cs_runner_job *over = NULL;
    for (struct cs_runner_job **link = &runner->jobs; *link != NULL;) {
        struct cs_runner_job *job = *link;
        if (cs_runner_job_is_over(job)) {
            *link = job->next;
            job->next = over;
            over = job;
        } else {
            link = &job->next;
        }
    }
    while (over != NULL) {
        struct cs_runner_job *job = over;
        over = job->next;
        cs_runner_job_ended(job);
        cs_runner_job_free(job);
    }
}

static enum cs_status send_kill(struct cs_runner *runner, uint64_t id) {
    Callsheet__V1__RunnerCommand command = CALLSHEET__V1__RUNNER_COMMAND__INIT;
    command.command_case = CALLSHEET__V1__RUNNER_COMMAND__COMMAND_KILL;
    command.kill = id;
    pthread_mutex_lock(&runner->send_lock);
    enum cs_status status =
        runner->socket < 0 ? CS_UNAVAILABLE
                           : cs_runner_command_send(runner->socket, (const ProtobufCMessage *)&command, NULL, 0, NULL);
    pthread_mutex_unlock(&runner->send_lock);
    return status; /* a runner that is gone takes its children along */
}

static void set_socket(struct cs_runner *runner, int socket) {
    pthread_mutex_lock(&runner->send_lock);
    if (runner->socket >= 0) {
        (void)close(runner->socket);
    }
    runner->socket = socket;
    pthread_mutex_unlock(&runner->send_lock);
}

static void schedule_spawn(struct cs_runner *runner, int64_t lived_ms) {
    if (lived_ms >= SHORT_LIFE_MS) {
        runner->short_lives = 0;
        runner->spawn_at_ms = 0;
        return;
    }
    runner->spawn_at_ms = cs_clock_mono_ms() + (RESPAWN_DELAY_MS << runner->short_lives);
    if (runner->short_lives < RESPAWN_DOUBLINGS_MAX) {
        runner->short_lives++;
    }
}

static void spawn(struct cs_runner *runner) {
    int socket;
    struct cs_err err = {0};
    runner->spawned_ms = cs_clock_mono_ms();
    if (cs_runner_process_spawn(runner->program, &runner->pid, &socket, &err) != CS_OK) {
        runner->pid = 0;
        set_state(runner, STATE_DOWN, &err);
        schedule_spawn(runner, 0);
        return;
    }
    set_socket(runner, socket);
}

static void take_incoming(struct cs_runner *runner) {
    pthread_mutex_lock(&runner->lock);
    struct cs_runner_job *job = cs_steal(&runner->incoming);
    pthread_mutex_unlock(&runner->lock);
    while (job != NULL) {
        struct cs_runner_job *next = job->next;
        job->next = runner->jobs;
        runner->jobs = job;
        job = next;
    }
}

static void died(struct cs_runner *runner) {
    set_socket(runner, -1); /* from here on no job can be sent; those that were are in one of the lists */
    take_incoming(runner);
    cs_runner_process_reap(runner->pid, REAP_GRACE_MS);
    runner->pid = 0;
    cs_buf_fini(&runner->in);
    for (struct cs_runner_job *job = runner->jobs; job != NULL; job = job->next) {
        job->lost = job->verdict == NULL;
    }
    pthread_mutex_lock(&runner->lock);
    bool stopping = runner->stopping;
    if (runner->state != STATE_DOWN) {
        (void)cs_fail(&runner->down, CS_UNAVAILABLE, "runner_died", "the media runner has died");
    }
    runner->state = STATE_DOWN;
    pthread_cond_broadcast(&runner->changed);
    pthread_mutex_unlock(&runner->lock);
    if (!stopping) {
        if (runner->was_ready) {
            cs_log_warn("media runner died, starting it again", CS_KV("program", runner->program));
        }
        schedule_spawn(runner, cs_clock_mono_ms() - runner->spawned_ms);
    }
}

static void take_ready(struct cs_runner *runner, const Callsheet__V1__RunnerReport *report) {
    if (report->report_case == CALLSHEET__V1__RUNNER_REPORT__REPORT_FAILED) {
        struct cs_err err;
        (void)cs_fail(&err, CS_FAILED_PRECONDITION, report->failed->code, "%s", report->failed->message);
        set_state(runner, STATE_DOWN, &err);
    } else {
        runner->was_ready = true;
        set_state(runner, STATE_READY, NULL);
    }
}

static void take_verdict(struct cs_runner *runner, Callsheet__V1__RunnerReport *report) {
    for (struct cs_runner_job *job = runner->jobs; job != NULL; job = job->next) {
        if (job->id == report->id && job->verdict == NULL) {
            job->verdict = report;
            return;
        }
    }
    callsheet__v1__runner_report__free_unpacked(report, NULL);
}

static void read_socket(struct cs_runner *runner) {
    char bytes[READ_BYTES];
    ssize_t got = recv(runner->socket, bytes, sizeof(bytes), 0);
    if (got < 0 && errno == EINTR) {
        return;
    }
    if (got <= 0) {
        died(runner);
        return;
    }
    take_incoming(runner); /* verdicts find their jobs */
    cs_buf_put(&runner->in, bytes, (size_t)got);
    const uint8_t *body;
    size_t size_bytes;
    size_t offset = 0;
    bool bad = false;
    while (cs_runner_frame_next(&runner->in, &offset, CS_RUNNER_REPORT_BYTES_MAX, &body, &size_bytes, &bad)) {
        Callsheet__V1__RunnerReport *report = callsheet__v1__runner_report__unpack(NULL, size_bytes, body);
        if (report == NULL) {
            continue;
        }
        if (report->id == 0) {
            take_ready(runner, report);
            callsheet__v1__runner_report__free_unpacked(report, NULL);
        } else {
            take_verdict(runner, report);
        }
    }
    cs_runner_buf_consume(&runner->in, offset);
    if (bad) { /* where the next frame starts is unknown from here on */
        (void)kill(runner->pid, SIGKILL);
        died(runner);
    }
}

/* ---- the reader ---- */

static void send_kills(struct cs_runner *runner) {
    pthread_mutex_lock(&runner->lock);
    struct kill *kill = cs_steal(&runner->kills);
    pthread_mutex_unlock(&runner->lock);
    while (kill != NULL) {
        struct kill *next = kill->next;
        (void)send_kill(runner, kill->id);
        free(kill);
        kill = next;
    }
}

static size_t job_count(const struct cs_runner *runner) {
    size_t count = 0;
    for (const struct cs_runner_job *job = runner->jobs; job != NULL; job = job->next) {
        count++;
    }
    return count;
}

static int left_ms(int64_t at_ms) {
    int64_t left = at_ms - cs_clock_mono_ms();
    return left > 0 ? (int)left : 0;
}

static int spawn_wait_ms(const struct cs_runner *runner, bool stopping) {
    return runner->pid != 0 || stopping ? -1 : left_ms(runner->spawn_at_ms);
}

/* Closing our side makes it kill its children and exit; one that does not listen is killed itself. */
static void stop_process(struct cs_runner *runner) {
    if (!runner->told_to_stop) {
        runner->told_to_stop = true;
        runner->kill_at_ms = cs_clock_mono_ms() + STOP_GRACE_MS;
        (void)shutdown(runner->socket, SHUT_WR);
    } else if (left_ms(runner->kill_at_ms) == 0) {
        cs_log_warn("media runner does not stop, killing it", CS_KV("program", runner->program));
        (void)kill(runner->pid, SIGKILL);
        died(runner);
    }
}

static void wait_and_read(struct cs_runner *runner, bool stopping) {
    size_t count = job_count(runner);
    CS_AUTO_FREE struct pollfd *watched = cs_alloc_array(count + 2, sizeof(*watched));
    watched[0] = (struct pollfd){.fd = runner->wake, .events = POLLIN};
    watched[1] = (struct pollfd){.fd = runner->socket, .events = POLLIN};
    struct cs_runner_job *job = runner->jobs;
    for (size_t i = 0; i < count; i++, job = job->next) {
        watched[i + 2] = (struct pollfd){.fd = job->pipe, .events = POLLIN}; /* a closed pipe, -1, is passed over */
    }
    bool told = runner->pid != 0 && runner->told_to_stop;
    if (poll(watched, count + 2, told ? left_ms(runner->kill_at_ms) : spawn_wait_ms(runner, stopping)) <= 0) {
        return;
    }
    if (watched[0].revents != 0) {
        uint64_t ignored;
        ssize_t got = read(runner->wake, &ignored, sizeof(ignored));
        (void)got;
    }
    job = runner->jobs;
    for (size_t i = 0; i < count; i++, job = job->next) {
        bool was_readable = !job->unreadable;
        if (watched[i + 2].revents != 0) {
            cs_runner_job_read(job);
        }
        if (was_readable && job->unreadable) {
            (void)send_kill(runner, job->id);
        }
    }
    if (watched[1].revents != 0) {
        read_socket(runner);
    }
}

static void *read_all(void *ctx) {
    struct cs_runner *runner = ctx;
    for (;;) {
        pthread_mutex_lock(&runner->lock);
        bool stopping = runner->stopping;
        pthread_mutex_unlock(&runner->lock);
        take_incoming(runner);
        send_kills(runner);
        if (stopping && runner->socket >= 0) {
            stop_process(runner);
        }
        if (stopping && runner->pid == 0 && runner->jobs == NULL) {
            return NULL;
        }
        if (runner->pid == 0 && spawn_wait_ms(runner, stopping) == 0) {
            spawn(runner);
        }
        wait_and_read(runner, stopping);
        end_jobs(runner);
    }
}

/* ---- life ---- */

static enum cs_status wait_ready(struct cs_runner *runner, bool first, struct cs_err *err) {
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += START_WAIT_MS / 1000;
    pthread_mutex_lock(&runner->lock);
    while (runner->state != STATE_READY && !runner->stopping && !(first && runner->state == STATE_DOWN)) {
        if (pthread_cond_timedwait(&runner->changed, &runner->lock, &until) != 0) {
            break;
        }
    }
    enum cs_status status = CS_OK;
    if (runner->state == STATE_DOWN && first) {
        status = runner->down.status;
        *err = runner->down;
    } else if (runner->state == STATE_DOWN) {
        status = cs_fail(err, CS_UNAVAILABLE, runner->down.reason, "%s", runner->down.message);
    } else if (runner->state == STATE_STARTING || runner->stopping) {
        status = cs_fail(err, CS_UNAVAILABLE, "runner_not_ready", "the media runner is not ready");
    }
    pthread_mutex_unlock(&runner->lock);
    return status;
}

enum cs_status cs_runner_create(const char *program, struct cs_runner **ret_runner, struct cs_err *err) {
    int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_fd < 0) {
        return cs_fail_errno(err, errno, "starting the media runner");
    }
    struct cs_runner *runner = cs_alloc(sizeof(*runner));
    runner->program = cs_strdup(program);
    runner->wake = wake_fd;
    runner->socket = -1;
    (void)pthread_mutex_init(&runner->send_lock, NULL);
    (void)pthread_mutex_init(&runner->lock, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&runner->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    int errnum = pthread_create(&runner->reader, NULL, read_all, runner);
    if (errnum != 0) {
        (void)close(wake_fd);
        free(runner->program);
        free(runner);
        return cs_fail_errno(err, errnum, "starting the media runner");
    }
    enum cs_status status = wait_ready(runner, true, err);
    if (status != CS_OK) {
        cs_runner_destroy(runner);
        return status;
    }
    *ret_runner = runner;
    return CS_OK;
}

void cs_runner_destroy(struct cs_runner *runner) {
    if (runner == NULL) {
        return;
    }
    pthread_mutex_lock(&runner->lock);
    runner->stopping = true;
    pthread_cond_broadcast(&runner->changed);
    pthread_mutex_unlock(&runner->lock);
    wake(runner);
    (void)pthread_join(runner->reader, NULL);
    send_kills(runner); /* to nobody: frees them */
    (void)close(runner->wake);
    (void)pthread_cond_destroy(&runner->changed);
    (void)pthread_mutex_destroy(&runner->lock);
    (void)pthread_mutex_destroy(&runner->send_lock);
    free(runner->program);
    free(runner);
}

/* ---- verbs ---- */

/* True when the job was still with us: it is withdrawn and will have no events. */
static bool withdraw(struct cs_runner *runner, const struct cs_runner_job *job) {
    bool found = false;
    pthread_mutex_lock(&runner->lock);
    for (struct cs_runner_job **link = &runner->incoming; *link != NULL && !found;
         link = found ? link : &(*link)->next) {
        found = *link == job;
        if (found) {
            *link = job->next;
        }
    }
    pthread_mutex_unlock(&runner->lock);
    return found;
}

/* Registers the job and sends it, as one step against the socket's exchange in died(). *ret_taken: the job is the
 * reader's in any case, its end will be told by an event. */
static enum cs_status send_job(struct cs_runner *runner, struct cs_runner_job *job, Callsheet__V1__RunnerJob *wire,
                               const int *fds, size_t fd_count, bool *ret_taken, struct cs_err *err) {
    Callsheet__V1__RunnerCommand command = CALLSHEET__V1__RUNNER_COMMAND__INIT;
    command.command_case = CALLSHEET__V1__RUNNER_COMMAND__COMMAND_START;
    command.start = wire;
    pthread_mutex_lock(&runner->send_lock);
    if (runner->socket < 0) {
        pthread_mutex_unlock(&runner->send_lock);
        return cs_fail(err, CS_UNAVAILABLE, "runner_died", "the media runner has died");
    }
    pthread_mutex_lock(&runner->lock);
    job->id = ++runner->last_id;
    wire->id = job->id;
    job->next = runner->incoming;
    runner->incoming = job;
    pthread_mutex_unlock(&runner->lock);
    wake(runner);
    enum cs_status status =
        cs_runner_command_send(runner->socket, (const ProtobufCMessage *)&command, fds, fd_count, err);
    if (status != CS_OK) {
        *ret_taken = !withdraw(runner, job);
        (void)shutdown(runner->socket, SHUT_RDWR); /* half a command may be in it */
    }
    pthread_mutex_unlock(&runner->send_lock);
    return status;
}

static enum cs_status start(struct cs_runner *runner, struct cs_runner_job *job, Callsheet__V1__RunnerJob *wire,
                            const int *fds, size_t fd_count, bool *ret_taken, struct cs_err *err) {
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0) {
        return cs_fail_errno(err, errno, "opening a pipe for a media job");
    }
    (void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
    job->pipe = pair[0];
    CS_AUTO_FREE int *all = cs_alloc_array(fd_count + 1, sizeof(*all));
    for (size_t i = 0; i < fd_count; i++) {
        all[i] = fds[i];
    }
    all[fd_count] = pair[1];
    enum cs_status status = send_job(runner, job, wire, all, fd_count + 1, ret_taken, err);
    (void)close(pair[1]);
    return status;
}

enum cs_status cs_runner_start(struct cs_runner *runner, Callsheet__V1__RunnerJob *job, const int *fds, size_t fd_count,
                               const struct cs_runner_events *events, void *user, uint64_t *ret_id,
                               struct cs_err *err) {
    if (fd_count > CS_RUNNER_FILES_MAX || fd_count != job->inputs + job->n_outputs) {
        return cs_fail(err, CS_OUT_OF_RANGE, "too_many_files", "a media job has at most %d files, one per descriptor",
                       CS_RUNNER_FILES_MAX);
    }
    if (protobuf_c_message_get_packed_size((const ProtobufCMessage *)job) > JOB_BYTES_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "job_too_big", "a media job has at most %d bytes of parameters",
                       JOB_BYTES_MAX);
    }
    if (!pthread_equal(pthread_self(), runner->reader)) {
        CS_TRY(wait_ready(runner, false, err));
    }
    struct cs_runner_job *own = cs_alloc(sizeof(*own));
    own->events = *events;
    own->user = user;
    own->pipe = -1;
    bool taken = false;
    enum cs_status status = start(runner, own, job, fds, fd_count, &taken, err);
    if (status == CS_OK || taken) {
        *ret_id = job->id; /* not own->id: it may be freed already */
        return CS_OK;
    }
    cs_runner_job_free(own);
    return status;
}

void cs_runner_kill(struct cs_runner *runner, uint64_t id) {
    struct kill *kill = cs_alloc(sizeof(*kill));
    kill->id = id;
    pthread_mutex_lock(&runner->lock);
    struct kill **last = &runner->kills;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = kill;
    pthread_mutex_unlock(&runner->lock);
    wake(runner);
}
