#include "up/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "up/member.h"

enum { FDS_PER_MEMBER = 3 };

struct cli_sup {
    struct cli_sup_options options;
    struct member *members;
    size_t count;
    bool stopping;
    bool killed;
    int stop_stage; /* while stopping: the stage that is being stopped */
};

static const char *const state_names[] = {"idle", "starting", "ready", "waiting", "ended"};

struct cli_sup *cli_sup_create(const struct cli_sup_options *options) {
    struct cli_sup *sup = cs_alloc(sizeof(*sup));
    sup->options = *options;
    return sup;
}

void cli_sup_destroy(struct cli_sup *sup) {
    if (sup == NULL) {
        return;
    }
    for (size_t i = sup->count; i-- > 0;) {
        member_fini(&sup->members[i]);
    }
    free(sup->members);
    free(sup);
}

void cli_sup_add(struct cli_sup *sup, const struct cli_member_spec *spec) {
    sup->members = cs_realloc(sup->members, (sup->count + 1) * sizeof(*sup->members));
    member_init(&sup->members[sup->count++], spec, sup->options.log_fd);
}

static void changed(const struct cli_sup *sup) {
    if (sup->options.changed != NULL) {
        sup->options.changed(sup->options.ctx);
    }
}

/* ---- starting ---- */

/* Whether every member of the earlier stages has been ready once. */
static bool may_start(const struct cli_sup *sup, int stage) {
    for (size_t i = 0; i < sup->count; i++) {
        if (sup->members[i].spec.stage < stage && !sup->members[i].ever_ready) {
            return false;
        }
    }
    return true;
}

static enum cs_status fail_member(const struct member *member, struct cs_err *err) {
    return cs_fail(err, CS_FAILED_PRECONDITION, "member_failed",
                   "%s ended %d times before it was ready; its log lines above say why", member->spec.name,
                   member->failures);
}

static bool gave_up(const struct member *member) {
    return !member->ever_ready && member->failures >= CLI_START_TRIES;
}

/* A start that fails counts like a process that ends at once. */
static enum cs_status start_member(struct cli_sup *sup, struct member *member, int64_t now_ms, struct cs_err *err) {
    struct cs_err problem = {0};
    if (member_start(member, now_ms, &problem) == CS_OK) {
        changed(sup);
        return CS_OK;
    }
    member_back_off(member, now_ms);
    changed(sup);
    if (gave_up(member)) {
        *err = problem;
        return problem.status;
    }
    cs_log_warn("process did not start, trying again", CS_KV("process", member->spec.name), CS_KVE(&problem));
    return CS_OK;
}

static enum cs_status start_due(struct cli_sup *sup, int64_t now_ms, struct cs_err *err) {
    for (size_t i = 0; !sup->stopping && i < sup->count; i++) {
        struct member *member = &sup->members[i];
        bool due = (member->state == MEMBER_IDLE && may_start(sup, member->spec.stage)) ||
                   (member->state == MEMBER_WAITING && member->due_ms <= now_ms);
        if (due) {
            CS_TRY(start_member(sup, member, now_ms, err));
        }
    }
    return CS_OK;
}

/* ---- stopping ---- */

void cli_sup_stop(struct cli_sup *sup) {
    if (sup->stopping) {
        return;
    }
    sup->stopping = true;
    for (size_t i = 0; i < sup->count; i++) {
        struct member *member = &sup->members[i];
        sup->stop_stage = member->spec.stage > sup->stop_stage ? member->spec.stage : sup->stop_stage;
        if (member->process.pid == 0) {
            member->state = MEMBER_ENDED;
        }
    }
}

static void kill_member(struct cli_sup *sup, struct member *member) {
    cs_log_warn("process does not end, killing it", CS_KV("process", member->spec.name));
    cs_process_signal(&member->process, SIGKILL);
    sup->killed = true;
    member->due_ms = INT64_MAX;
}

void cli_sup_kill(struct cli_sup *sup) {
    cli_sup_stop(sup);
    for (size_t i = 0; i < sup->count; i++) {
        if (sup->members[i].process.pid != 0) {
            kill_member(sup, &sup->members[i]);
            sup->members[i].signalled = true;
        }
    }
}

/* Signals the stage that is next; true while some of it runs. */
static bool stop_stage(struct cli_sup *sup, int64_t now_ms) {
    bool running = false;
    for (size_t i = 0; i < sup->count; i++) {
        struct member *member = &sup->members[i];
        if (member->process.pid == 0 || member->spec.stage != sup->stop_stage) {
            continue;
        }
        running = true;
        if (!member->signalled) {
            cs_process_signal(&member->process, member->spec.stop_signal);
            member->signalled = true;
            member->due_ms = now_ms + sup->options.grace_ms;
        } else if (member->due_ms <= now_ms) {
            kill_member(sup, member);
        }
    }
    return running;
}

static void stop_due(struct cli_sup *sup, int64_t now_ms) {
    while (sup->stopping && sup->stop_stage >= 0 && !stop_stage(sup, now_ms)) {
        sup->stop_stage--;
    }
}

/* ---- events ---- */

static void announce(struct cli_sup *sup, const struct member *member) {
    cs_log_info("process is ready", CS_KV("process", member->spec.name), CS_KV("address", member->address),
                CS_KVI("pid", member->process.pid), CS_KVI("restarts", member->restarts));
    changed(sup);
}

static enum cs_status take_end(struct cli_sup *sup, struct member *member, int64_t now_ms, struct cs_err *err) {
    pid_t pid = member->process.pid;
    int code = member_reap(member);
    if (sup->stopping) {
        member->state = MEMBER_ENDED;
        changed(sup);
        return CS_OK;
    }
    member_back_off(member, now_ms);
    cs_log_warn("process ended, starting it again", CS_KV("process", member->spec.name), CS_KVI("pid", pid),
                CS_KVI("code", code), CS_KVI("wait_ms", member->due_ms - now_ms));
    changed(sup);
    return gave_up(member) ? fail_member(member, err) : CS_OK;
}

/* A member that is not ready in time is killed; its end is an event like any other. */
static void check_starting(struct cli_sup *sup, struct member *member, int64_t now_ms) {
    if (member->state != MEMBER_STARTING || sup->stopping) {
        return;
    }
    if (member->spec.probe != NULL && member_probe(member, now_ms)) {
        announce(sup, member);
    } else if (member->due_ms <= now_ms) {
        cs_log_warn("process was not ready in time, killing it", CS_KV("process", member->spec.name));
        cs_process_signal(&member->process, SIGKILL);
        member->due_ms = INT64_MAX;
    }
}

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t next_ms(const struct cli_sup *sup, int64_t limit_ms, int64_t now_ms) {
    for (size_t i = 0; i < sup->count; i++) {
        const struct member *member = &sup->members[i];
        bool timed = member->state == MEMBER_WAITING || member->state == MEMBER_STARTING || member->signalled;
        if (timed && member->state != MEMBER_ENDED) {
            limit_ms = sooner(limit_ms, member->due_ms);
        }
        if (member->state == MEMBER_STARTING && member->spec.probe != NULL) {
            limit_ms = sooner(limit_ms, now_ms + CLI_PROBE_MS);
        }
    }
    return limit_ms;
}

static enum cs_status handle(struct cli_sup *sup, struct member *member, const struct pollfd *fds, struct cs_err *err) {
    int64_t now_ms = cs_clock_mono_ms();
    if (fds[0].revents != 0 && member->log_fd >= 0) {
        member_read_log(member);
    }
    if (fds[1].revents != 0 && member->ready_fd >= 0 && member_read_ready(member, now_ms)) {
        announce(sup, member);
    }
    if (fds[2].revents != 0 && member->process.pid != 0) {
        return take_end(sup, member, now_ms, err);
    }
    check_starting(sup, member, now_ms);
    return CS_OK;
}

enum cs_status cli_sup_turn(struct cli_sup *sup, int wake_fd, int64_t timeout_ms, struct cs_err *err) {
    int64_t now_ms = cs_clock_mono_ms();
    CS_TRY(start_due(sup, now_ms, err));
    stop_due(sup, now_ms);
    if (cli_sup_ended(sup)) {
        return CS_OK;
    }
    CS_AUTO_FREE struct pollfd *fds = cs_alloc_array(1 + sup->count * FDS_PER_MEMBER, sizeof(*fds));
    fds[0] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
    for (size_t i = 0; i < sup->count; i++) {
        const struct member *member = &sup->members[i];
        struct pollfd *own = &fds[1 + i * FDS_PER_MEMBER];
        own[0] = (struct pollfd){.fd = member->log_fd, .events = POLLIN};
        own[1] = (struct pollfd){.fd = member->ready_fd, .events = POLLIN};
        own[2] = (struct pollfd){.fd = member->process.pid != 0 ? member->process.pidfd : -1, .events = POLLIN};
    }
    int64_t wait_ms = next_ms(sup, now_ms + timeout_ms, now_ms) - now_ms;
    if (poll(fds, 1 + sup->count * FDS_PER_MEMBER, wait_ms > 0 ? (int)wait_ms : 0) < 0) {
        return errno == EINTR ? CS_OK : cs_fail_errno(err, errno, "waiting for processes");
    }
    for (size_t i = 0; i < sup->count; i++) {
        CS_TRY(handle(sup, &sup->members[i], &fds[1 + i * FDS_PER_MEMBER], err));
    }
    return CS_OK;
}

/* ---- looking ---- */

bool cli_sup_all_ready(const struct cli_sup *sup) {
    for (size_t i = 0; i < sup->count; i++) {
        if (sup->members[i].state != MEMBER_READY) {
            return false;
        }
    }
    return true;
}

bool cli_sup_ended(const struct cli_sup *sup) {
    return sup->stopping && sup->stop_stage < 0;
}

bool cli_sup_killed(const struct cli_sup *sup) {
    return sup->killed;
}

size_t cli_sup_count(const struct cli_sup *sup) {
    return sup->count;
}

struct cli_member_view cli_sup_member(const struct cli_sup *sup, size_t index) {
    const struct member *member = &sup->members[index];
    return (struct cli_member_view){
        .name = member->spec.name,
        .address = member->address,
        .state = state_names[member->state],
        .pid = member->process.pid,
        .restarts = member->restarts,
    };
}

const char *cli_sup_address(const struct cli_sup *sup, const char *name) {
    for (size_t i = 0; i < sup->count; i++) {
        if (cs_str_eq(sup->members[i].spec.name, name)) {
            return sup->members[i].address;
        }
    }
    return "";
}
