/*
 * sim: the orchestrator's domain under random plans, workers and crashes, on virtual time.
 *
 *     orc_sim [SEED [COUNT]]     plays COUNT worlds from SEED on, without SEED from a fresh one; a failure prints the
 * seed that plays it again
 *
 * A world plays the engine's part: it keeps a log of committed events, hands jobs to pretended workers after the commit
 * that released them, lets workers succeed, fail, vanish, report twice, late or never, cancels, lets deadlines pass,
 * appends jobs, edits and removes some, expands maps and gathers them, does chains of jobs in one run, which may
 * succeed, fail and be split, or be lost, and crashes: memory and uncommitted events are dropped and the log is
 * replayed. After every event the rules of the domain are checked; a replay of the whole log must give what is in
 * memory.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "domain/tests/fixture.h"

enum {
    JOBS_MAX = 24,
    GROWN_MAX = 96,
    ITEMS_MAX = 5,
    TURNS_MAX = 20000,
    EVENTS_MAX = 4096,
    ATTEMPTS_MAX = 4096,
    WORLDS_DEFAULT = 1000
};

/* A stored event with its own payload. */
struct logged {
    struct orc_event event;
    char payload[32];
};

/* An attempt that some worker believes in, also after everybody else gave it up. */
struct attempt {
    uint32_t job;
    uint32_t attempt;
    unsigned char fence[ORC_FENCE_BYTES];
    bool told;    /* its end was reported once */
    bool sent;    /* its assignment has left */
    size_t needs; /* log position that must be committed before it leaves */
};

/* What happened in all worlds, so that it is seen that something did. */
struct tally {
    uint32_t states[ORC_EXECUTION_STATES];
    uint32_t runs;   /* of several jobs, that succeeded */
    uint32_t splits; /* … that failed */
    uint32_t losses; /* … that were lost or given back */
    uint32_t kept;   /* … that were stopped because somebody wants what lies between */
};

struct world {
    struct tally *tally;
    uint64_t seed;
    uint64_t chance;
    uint32_t calm; /* one report in 10 × calm is a failure */
    struct cs_arena *arena;
    struct orc_plan *first_plan; /* as it was accepted */
    struct cs_arena *plan_arena;
    struct orc_plan *plan; /* as it is now */
    struct orc_execution *execution;
    bool webhook;
    int64_t now_ms;
    int64_t deadline_ms;
    struct logged log[EVENTS_MAX];
    size_t log_count;
    size_t committed;
    struct orc_commands commands;           /* of the step under way */
    struct orc_command waiting[EVENTS_MAX]; /* until the commit */
    size_t waiting_count;
    bool ready[GROWN_MAX];
    bool gather[GROWN_MAX]; /* the map was told to look at its items */
    struct attempt attempts[ATTEMPTS_MAX];
    size_t attempt_count;
    bool deliver;
    uint32_t successes[GROWN_MAX]; /* committed, ever */
    uint32_t crashes;
    int terminal_seen; /* the terminal state that was committed, 0 none */
};

static void broken(const struct world *w, const char *fmt, ...) CS_PRINTF(2, 3);
static void broken(const struct world *w, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    (void)fprintf(stderr, "seed %" PRIu64 ": ", w->seed);
    (void)vfprintf(stderr, fmt, args);
    (void)fprintf(stderr, "\nplay it again with: orc_sim %" PRIu64 " 1\n", w->seed);
    va_end(args);
    abort();
}

/* ---- chance: splitmix64 ---- */

static uint64_t roll(struct world *w) {
    uint64_t x = w->chance += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint32_t below(struct world *w, uint32_t limit) {
    return (uint32_t)(roll(w) % limit);
}

static bool one_in(struct world *w, uint32_t n) {
    return below(w, n) == 0;
}

/* ---- plans ---- */

static void add_failure_rules(struct world *w, struct orc_plan *plan) {
    plan->fail_fast = one_in(w, 4);
    for (uint32_t i = 0; i < plan->job_count; i++) {
        struct orc_plan_job *job = &plan->jobs[i];
        job->queue_timeout_ms = one_in(w, 6) ? 1 + below(w, 2000) : 0;
        job->timeout_ms = one_in(w, 6) ? 1 + below(w, 2000) : job->timeout_ms;
        bool map = !job->operation->paid && one_in(w, 8);
        job->map = (uint8_t)(map ? 1 + below(w, 2) : ORC_MAP_NONE);
        if (one_in(w, 6)) {
            job->retry = (struct orc_retry_policy){
                .attempts_max = 1 + below(w, 5), .base_ms = below(w, 500), .cap_ms = below(w, 1000)};
        }
    }
}

/* Jobs take what their parents give, most of them; what nobody else wants may be dropped. */
static void add_fusion(struct world *w, struct orc_plan *plan) {
    uint32_t keeps = 1 + below(w, 8);
    for (uint32_t i = 0; i < plan->job_count; i++) {
        struct orc_plan_job *job = &plan->jobs[i];
        struct orc_input *inputs = cs_arena_array(w->arena, job->parent_count, sizeof(*inputs));
        for (uint32_t n = 0; n < job->parent_count; n++) {
            if (!one_in(w, 8)) {
                inputs[job->input_count++] = (struct orc_input){.job = (int32_t)job->parents[n]};
            }
        }
        job->inputs = inputs;
        job->ends_run = !job->operation->paid && job->map == ORC_MAP_NONE;
        job->fusible = job->ends_run && !one_in(w, 16);
        job->discards = !one_in(w, keeps);
    }
}

/* Each job but the first depends on the one before it: chains are long. */
static const char *chain_line(struct world *w, uint32_t i) {
    CS_AUTO_BUF line = {0};
    cs_buf_printf(&line, i == 0 || one_in(w, 8) ? "m%u" : "m%u<m%u", i, i - 1);
    return cs_arena_strdup(w->arena, line.data);
}

static struct orc_plan *random_plan(struct world *w) {
    uint32_t count = one_in(w, 30) ? 0 : 1 + below(w, JOBS_MAX);
    const char **lines = cs_arena_array(w->arena, count, sizeof(*lines));
    uint32_t density = 1 + below(w, 6);
    bool chains = one_in(w, 3);
    for (uint32_t i = 0; i < count; i++) {
        if (chains) {
            lines[i] = chain_line(w, i);
            continue;
        }
        CS_AUTO_BUF line = {0};
        cs_buf_printf(&line, "%c%u", one_in(w, 3) ? 'g' : 'm', i);
        char separator = "<<|!"[below(w, 4)];
        bool may_be_optional = separator == '<';
        uint32_t optional = below(w, 3); /* none, some, most */
        for (uint32_t parent = 0; parent < i; parent++) {
            if (below(w, 8) < density) {
                char kind = lines[parent][0];
                bool spared = may_be_optional && below(w, 3) < optional;
                cs_buf_printf(&line, "%c%c%u%s", separator, kind, parent, spared ? "?" : "");
                separator = ',';
            }
        }
        lines[i] = cs_arena_strdup(w->arena, line.data);
    }
    struct orc_plan *plan = fixture_plan(w->arena, lines, count);
    add_failure_rules(w, plan);
    add_fusion(w, plan);
    return plan;
}

/* A plan grows with its execution: each execution has its own. */
static struct orc_plan *fresh_plan(const struct world *w, struct cs_arena *arena) {
    struct orc_plan *plan = cs_arena_copy(arena, w->first_plan, sizeof(*plan));
    plan->jobs = cs_arena_copy(arena, w->first_plan->jobs, plan->job_count * sizeof(*plan->jobs));
    plan->job_room = plan->job_count;
    plan->arena = arena;
    return plan;
}

/* ---- one event ---- */

static bool committed_all(const struct world *w) {
    return w->committed == w->log_count;
}

static void store(struct world *w, const struct orc_event *event) {
    if (w->log_count == EVENTS_MAX) {
        broken(w, "the log is full: something goes in circles");
    }
    struct logged *logged = &w->log[w->log_count++];
    logged->event = *event;
    if (event->payload_size != 0) {
        memcpy(logged->payload, event->payload, event->payload_size);
    }
    logged->event.payload = logged->payload;
}

static void run_commands(struct world *w) {
    for (size_t i = 0; i < w->waiting_count; i++) {
        const struct orc_command *command = &w->waiting[i];
        if (command->kind == ORC_COMMAND_DISPATCH) {
            w->ready[command->job] = w->execution->jobs[command->job].state == ORC_JOB_READY;
        } else if (command->kind == ORC_COMMAND_GATHER) {
            w->gather[command->job] = true;
        } else if (command->kind == ORC_COMMAND_DELIVER) {
            w->deliver = true;
        }
    }
    w->waiting_count = 0;
}

static void commit(struct world *w) {
    for (; w->committed < w->log_count; w->committed++) {
        const struct orc_event *event = &w->log[w->committed].event;
        bool good =
            event->kind == ORC_EVENT_SUCCEEDED || event->kind == ORC_EVENT_REUSED || event->kind == ORC_EVENT_FUSED;
        if (good && ++w->successes[event->job] > 1) {
            broken(w, "job %u succeeded twice", event->job);
        }
    }
    if (orc_execution_terminal(w->execution)) {
        if (w->terminal_seen != 0 && w->terminal_seen != w->execution->state) {
            broken(w, "a terminal state changed from %d to %d", w->terminal_seen, w->execution->state);
        }
        w->terminal_seen = w->execution->state;
    }
    run_commands(w);
}

static enum cs_status step(struct world *w, struct orc_event event, struct cs_err *err) {
    event.at_ms = w->now_ms;
    event.chance = (uint32_t)roll(w);
    w->commands.count = 0;
    CS_TRY(orc_execution_step(w->execution, &event, &w->commands, err));
    orc_execution_check(w->execution);
    if (orc_event_stored(event.kind)) {
        store(w, &event);
    }
    for (size_t i = 0; i < w->commands.count && w->waiting_count < EVENTS_MAX; i++) {
        w->waiting[w->waiting_count++] = w->commands.items[i];
    }
    if (committed_all(w)) {
        run_commands(w);
    }
    return CS_OK;
}

static void must(struct world *w, struct orc_event event) {
    struct cs_err err = {0};
    if (step(w, event, &err) != CS_OK) {
        broken(w, "event %d of job %u: %s", (int)event.kind, event.job, err.message);
    }
}

/* Something that is refused must change nothing. */
static void try(struct world *w, struct orc_event event, bool expected_stale) {
    CS_AUTO_BUF before = {0};
    CS_AUTO_BUF after = {0};
    fixture_print(w->execution, false, &before);
    struct cs_err err = {0};
    if (step(w, event, &err) == CS_OK) {
        if (expected_stale) {
            broken(w, "a late report of job %u attempt %u was taken", event.job, event.attempt);
        }
        return;
    }
    fixture_print(w->execution, false, &after);
    if (!cs_str_eq(before.data, after.data)) {
        broken(w, "a refused event changed something:\n%s---\n%s", before.data, after.data);
    }
}

/* ---- replay ---- */

static struct orc_execution *replay(struct world *w, struct orc_plan *plan) {
    struct orc_execution *twin = orc_execution_create("sim", "acme", plan, 1, w->deadline_ms, w->webhook);
    struct orc_event begin = {.kind = ORC_EVENT_BEGIN, .at_ms = 1};
    struct cs_err err = {0};
    if (orc_execution_step(twin, &begin, NULL, &err) != CS_OK) {
        broken(w, "begin: %s", err.message);
    }
    for (size_t i = 0; i < w->committed; i++) {
        if (orc_execution_replay(twin, &w->log[i].event, &err) != CS_OK) {
            broken(w, "%s", err.message);
        }
        orc_execution_check(twin);
    }
    return twin;
}

static void compare_with_replay(struct world *w) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_execution *twin = replay(w, fresh_plan(w, arena));
    CS_AUTO_BUF live = {0};
    CS_AUTO_BUF replayed = {0};
    fixture_print(w->execution, true, &live);
    fixture_print(twin, true, &replayed);
    orc_execution_destroy(twin);
    if (!cs_str_eq(live.data, replayed.data)) {
        broken(w, "replay differs\nlive:\n%s\nreplayed:\n%s", live.data, replayed.data);
    }
}

static void crash(struct world *w) {
    w->crashes++;
    orc_execution_destroy(w->execution);
    w->log_count = w->committed;
    w->waiting_count = 0;
    w->deliver = false;
    memset(w->ready, 0, sizeof(w->ready));
    memset(w->gather, 0, sizeof(w->gather));
    cs_arena_destroy(w->plan_arena);
    w->plan_arena = cs_arena_create();
    w->plan = fresh_plan(w, w->plan_arena);
    w->execution = replay(w, w->plan);
    w->commands.count = 0;
    orc_execution_recovered(w->execution, w->now_ms, &w->commands);
    orc_execution_check(w->execution);
    for (size_t i = 0; i < w->commands.count; i++) {
        w->waiting[w->waiting_count++] = w->commands.items[i];
    }
    run_commands(w);
}

/* ---- the engine's part ---- */

/* ---- a plan that grows ---- */

static const char *name(struct world *w, const char *format, ...) CS_PRINTF(2, 3);
static const char *name(struct world *w, const char *format, ...) {
    char text[160];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return cs_arena_strdup(w->arena, text);
}

/* A job of a run whose output would not be kept, when there is one; else any. */
static const char *some_parent(struct world *w) {
    uint32_t from = below(w, w->plan->job_count);
    bool between = one_in(w, 2);
    for (uint32_t k = 0; k < w->plan->job_count && between; k++) {
        uint32_t i = (from + k) % w->plan->job_count;
        if (w->execution->jobs[i].fused_next >= 0) {
            return w->plan->jobs[i].id;
        }
    }
    return w->plan->jobs[from].id;
}

/* Depends on some of what is there, and on new ones before it. */
static struct orc_job_draft random_draft(struct world *w, const struct orc_job_draft *before, uint32_t count) {
    struct orc_job_draft draft = {.id = name(w, "n%u", (uint32_t)roll(w)), .output = "", .params = ""};
    draft.operation = one_in(w, 3) ? &fixture_generate : &fixture_merge;
    draft.policy = (enum orc_dependency_policy)below(w, 4);
    const char **parents = cs_arena_array(w->arena, 4, sizeof(*parents));
    for (uint32_t i = below(w, 4); i > 0; i--) {
        bool new = count != 0 && one_in(w, 3);
        const char *id = new ? before[below(w, count)].id : some_parent(w);
        parents[draft.depends_on_count++] = name(w, "%s", id); /* the plan's own goes with a crash */
    }
    draft.depends_on = parents;
    if (draft.depends_on_count != 0 && one_in(w, 2)) {
        draft.inputs = cs_arena_array(w->arena, 1, sizeof(*draft.inputs));
        draft.input_jobs = parents;
        draft.input_paths = parents;
        draft.input_count = 1;
    }
    draft.discards = one_in(w, 2);
    bool all = draft.policy == ORC_DEPENDENCY_DEFAULT || draft.policy == ORC_DEPENDENCY_ALL;
    draft.optional = parents;
    draft.optional_count = all ? below(w, draft.depends_on_count + 1) : 0;
    if (draft.operation == &fixture_merge && one_in(w, 6)) {
        draft.map = (enum orc_map_kind)(1 + below(w, 2));
    }
    draft.fusible = draft.operation == &fixture_merge && draft.map == ORC_MAP_NONE;
    draft.ends_run = draft.fusible;
    return draft;
}

static struct orc_event appended(struct world *w, const struct orc_job_draft *drafts, uint32_t count) {
    struct orc_addition *addition = cs_arena_alloc(w->arena, sizeof(*addition));
    *addition = (struct orc_addition){.drafts = drafts, .count = count, .size_bytes = 100};
    return (struct orc_event){.kind = ORC_EVENT_APPENDED, .addition = addition};
}

static uint32_t count_runs(const struct world *w) {
    uint32_t runs = 0;
    for (uint32_t i = 0; i < w->plan->job_count; i++) {
        runs += w->execution->jobs[i].fused_next >= 0 && w->execution->jobs[i].fused_prev < 0;
    }
    return runs;
}

static void append_some(struct world *w) {
    uint32_t count = 1 + below(w, 3);
    if (w->plan->job_count == 0 || w->plan->job_count + count + ITEMS_MAX > GROWN_MAX ||
        !one_in(w, count_runs(w) != 0 ? 3 : 12)) {
        return;
    }
    struct orc_job_draft *drafts = cs_arena_array(w->arena, count, sizeof(*drafts));
    for (uint32_t i = 0; i < count; i++) {
        drafts[i] = random_draft(w, drafts, i);
    }
    uint32_t runs = count_runs(w);
    try(w, appended(w, drafts, count), orc_execution_terminal(w->execution));
    if (!orc_execution_terminal(w->execution)) {
        w->tally->kept += runs - count_runs(w);
    }
}

/* Parameters that name no other job than before: none. */
static void edit_some(struct world *w) {
    if (w->plan->job_count == 0 || !one_in(w, 15)) {
        return;
    }
    uint32_t job = below(w, w->plan->job_count);
    bool may = !orc_execution_terminal(w->execution) && orc_job_unstarted(w->execution, job);
    struct orc_job_draft *draft = cs_arena_alloc(w->arena, sizeof(*draft));
    *draft = (struct orc_job_draft){.id = "", .params = name(w, "p%u", below(w, 1000))};
    draft->params_size = (uint32_t)strlen(draft->params);
    draft->map = (enum orc_map_kind)w->plan->jobs[job].map;
    draft->fusible = w->plan->jobs[job].fusible;
    draft->ends_run = w->plan->jobs[job].ends_run;
    struct orc_event event = appended(w, draft, 1);
    event.kind = ORC_EVENT_EDITED;
    event.job = job;
    try(w, event, !may);
    event.kind = ORC_EVENT_REMOVED;
    event.addition = NULL;
    event.cascade = one_in(w, 2);
    if (one_in(w, 3)) {
        may = !orc_execution_terminal(w->execution) && orc_job_unstarted(w->execution, job);
        try(w, event, !may);
    }
}

static void expand(struct world *w, uint32_t map) {
    uint32_t room = GROWN_MAX - w->plan->job_count;
    uint32_t count = below(w, (room < ITEMS_MAX ? room : ITEMS_MAX) + 1);
    if (count == 0) {
        w->gather[map] = true; /* nothing to wait for */
        return;
    }
    struct orc_job_draft *drafts = cs_arena_array(w->arena, count, sizeof(*drafts));
    for (uint32_t i = 0; i < count; i++) {
        drafts[i] = (struct orc_job_draft){.id = name(w, "%s.%u", w->plan->jobs[map].id, i),
                                           .output = "",
                                           .params = "",
                                           .operation = one_in(w, 2) ? &fixture_generate : &fixture_merge,
                                           .owner = name(w, "%s", w->plan->jobs[map].id),
                                           .item = i};
    }
    must(w, appended(w, drafts, count));
}

struct items {
    uint32_t completed;
    uint32_t bad;
};

static struct items items_of(const struct world *w, uint32_t map) {
    struct items items = {0};
    for (uint32_t i = 0; i < w->plan->job_count; i++) {
        const struct orc_job *job = &w->execution->jobs[i];
        if (w->plan->jobs[i].owner == (int32_t)map && orc_job_terminal(job)) {
            items.completed += job->state == ORC_JOB_COMPLETED;
            items.bad += job->state != ORC_JOB_COMPLETED && !job->removed;
        }
    }
    return items;
}

/* What the engine does with a map whose items tell enough. */
static void gather(struct world *w, uint32_t map) {
    const struct orc_job *job = &w->execution->jobs[map];
    struct items items = items_of(w, map);
    bool fails = items.bad != 0 && (w->plan->jobs[map].map == ORC_MAP_FAIL || items.completed == 0);
    bool due = job->items_open == 0 || (items.bad != 0 && w->plan->jobs[map].map == ORC_MAP_FAIL);
    if (due && !w->gather[map] && committed_all(w)) {
        broken(w, "map %u was not told that its items have ended", map);
    }
    if (!due || !w->gather[map]) {
        return;
    }
    w->gather[map] = false;
    struct orc_event event = {.kind = fails ? ORC_EVENT_FAILED : ORC_EVENT_SUCCEEDED,
                              .job = map,
                              .attempt = job->attempt,
                              .failure_class = ORC_FAILURE_INVALID_INPUT,
                              .code = "item_failed",
                              .message = "item"};
    must(w, event);
}

static void gather_some(struct world *w) {
    for (uint32_t job = 0; job < w->plan->job_count; job++) {
        if (w->plan->jobs[job].map != ORC_MAP_NONE && w->execution->jobs[job].state == ORC_JOB_RUNNING) {
            gather(w, job);
        }
    }
}

/* Once for all, or looks again at what is there after a crash. */
static void begin_map(struct world *w, uint32_t map) {
    if (!w->plan->jobs[map].expanded) {
        expand(w, map);
    } else {
        w->gather[map] = true;
    }
}

/* It, and some of those that can be done in the same run. */
static void choose_chain(struct world *w, struct orc_event *event) {
    orc_chain_find(w->execution, event->job, &event->chain);
    if (one_in(w, 4)) {
        event->chain.count = 1 + below(w, event->chain.count);
    }
    const struct orc_plan_job *node = &w->plan->jobs[event->job];
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i].job >= 0 && w->execution->jobs[node->inputs[i].job].fused_into >= 0) {
            broken(w, "job %u begins, and what it takes from job %d was not kept", event->job, node->inputs[i].job);
        }
    }
}

static void assign(struct world *w, uint32_t job) {
    struct orc_event event = {.kind = ORC_EVENT_ASSIGNED, .job = job};
    choose_chain(w, &event);
    for (int i = 0; i < ORC_FENCE_BYTES; i++) {
        event.fence[i] = (unsigned char)roll(w);
    }
    must(w, event);
    w->ready[job] = false;
    uint32_t attempt = w->execution->jobs[job].attempt;
    if (w->plan->jobs[job].map != ORC_MAP_NONE) {
        begin_map(w, job);
        return;
    }
    if (w->plan->jobs[job].operation->paid) {
        struct orc_event started = {.kind = ORC_EVENT_STARTED,
                                    .job = job,
                                    .attempt = attempt,
                                    .payload = event.fence,
                                    .payload_size = ORC_FENCE_BYTES};
        must(w, started);
    }
    if (w->attempt_count == ATTEMPTS_MAX) {
        broken(w, "too many attempts");
    }
    struct attempt *known = &w->attempts[w->attempt_count++];
    *known = (struct attempt){.job = job, .attempt = attempt, .needs = w->log_count};
    memcpy(known->fence, event.fence, ORC_FENCE_BYTES);
}

static void assign_some(struct world *w) {
    for (uint32_t job = 0; job < w->plan->job_count; job++) {
        if (w->ready[job] && w->execution->jobs[job].state != ORC_JOB_READY) {
            w->ready[job] = false;
        }
        if (w->ready[job] && !one_in(w, 3)) {
            assign(w, job);
        }
    }
}

static bool current(const struct world *w, const struct attempt *attempt) {
    const struct orc_job *job = &w->execution->jobs[attempt->job];
    return job->state == ORC_JOB_RUNNING && job->attempt == attempt->attempt && !attempt->told &&
           memcmp(job->fence, attempt->fence, ORC_FENCE_BYTES) == 0;
}

/* An attempt from before a crash may have the number of the current one; only the fence tells them apart, and that is
 * the engine's business. */
static bool namesake(const struct world *w, const struct attempt *attempt) {
    const struct orc_job *job = &w->execution->jobs[attempt->job];
    return job->attempt == attempt->attempt && memcmp(job->fence, attempt->fence, ORC_FENCE_BYTES) != 0;
}

static struct orc_event random_report(struct world *w, const struct attempt *attempt) {
    static char payload[32];
    struct orc_event event = {.job = attempt->job, .attempt = attempt->attempt, .payload = payload};
    event.payload_size = (size_t)snprintf(payload, sizeof(payload), "%u/%u", attempt->job, below(w, 1000));
    switch (below(w, 10)) {
    case 0:
        event.kind = ORC_EVENT_CHECKPOINT;
        break;
    case 1:
        event.kind = ORC_EVENT_LOST;
        break;
    case 2:
        event.kind = ORC_EVENT_RETURNED;
        break;
    case 3:
        event.kind = one_in(w, w->calm) ? ORC_EVENT_FAILED : ORC_EVENT_SUCCEEDED;
        event.failure_class = (enum orc_failure_class)below(w, ORC_FAILURE_CLASSES);
        event.retry_after_ms = one_in(w, 4) ? below(w, 5000) : 0;
        event.code = "code";
        event.message = one_in(w, 2) ? "message" : "";
        break;
    default:
        event.kind = ORC_EVENT_SUCCEEDED;
        break;
    }
    if (event.kind != ORC_EVENT_CHECKPOINT && event.kind != ORC_EVENT_SUCCEEDED) {
        event.payload_size = 0;
    }
    return event;
}

/* All of the run, and nothing comes in between: the engine has it in one commit. */
static void end_run(struct world *w, const struct orc_chain *chain, const struct orc_event *report) {
    uint32_t last = chain->jobs[chain->count - 1];
    for (uint32_t i = 0; i + 1 < chain->count; i++) {
        must(w, (struct orc_event){.kind = ORC_EVENT_FUSED,
                                   .job = chain->jobs[i],
                                   .attempt = w->execution->jobs[chain->jobs[i]].attempt,
                                   .chain = {.count = 1, .jobs = {last}}});
    }
    struct orc_event event = *report;
    event.job = last;
    event.attempt = w->execution->jobs[last].attempt;
    must(w, event);
    w->tally->runs++;
}

/* About a run of several jobs, which is under way: what is said of a job alone bounces off. False: that was all. */
static bool report_run(struct world *w, const struct orc_event *event) {
    struct orc_chain chain;
    orc_chain_of(w->execution, event->job, &chain);
    bool about_one =
        event->kind == ORC_EVENT_CHECKPOINT || event->kind == ORC_EVENT_SUCCEEDED || event->kind == ORC_EVENT_FAILED;
    struct orc_event other = *event;
    other.job = chain.jobs[1 + below(w, chain.count - 1)];
    other.attempt = w->execution->jobs[other.job].attempt;
    try(w, other, true);
    try(w, *event, about_one);
    if (event->kind == ORC_EVENT_SUCCEEDED) {
        end_run(w, &chain, event);
    } else if (event->kind == ORC_EVENT_FAILED) {
        struct orc_event split = *event;
        split.kind = ORC_EVENT_SPLIT;
        must(w, split);
        w->tally->splits++;
    } else if (event->kind != ORC_EVENT_CHECKPOINT) {
        w->tally->losses++;
    }
    return event->kind != ORC_EVENT_CHECKPOINT;
}

/* A report of a random attempt: of a live one it is taken, of any other it must bounce off. */
static void report_some(struct world *w) {
    for (uint32_t i = 0; i < 4 && w->attempt_count != 0; i++) {
        size_t recent = w->attempt_count > 12 && !one_in(w, 5) ? w->attempt_count - 12 : 0;
        struct attempt *attempt = &w->attempts[recent + roll(w) % (w->attempt_count - recent)];
        attempt->sent |= attempt->needs <= w->committed;
        if (!attempt->sent || namesake(w, attempt)) {
            continue; /* the start of paid work is committed before a worker hears of it */
        }
        bool live = current(w, attempt);
        struct orc_event event = random_report(w, attempt);
        if (live && w->execution->jobs[attempt->job].fused_next >= 0) {
            attempt->told = report_run(w, &event);
            continue;
        }
        try(w, event, !live);
        attempt->told |= event.kind != ORC_EVENT_CHECKPOINT;
        event.kind = one_in(w, 2) ? ORC_EVENT_FUSED : ORC_EVENT_SPLIT;
        event.chain = (struct orc_chain){.count = 1, .jobs = {0}};
        try(w, event, true);
    }
}

static struct orc_event reuse_of(const struct world *w, uint32_t job) {
    return (struct orc_event){.kind = ORC_EVENT_REUSED,
                              .job = job,
                              .attempt = w->execution->jobs[job].attempt,
                              .source_execution = "before",
                              .source_job = "job", /* the plan is made anew after a crash */
                              .reason = "cache",
                              .payload = "reused",
                              .payload_size = 6};
}

/* A result turns up for a job that waits or is ready; one that runs or has ended has no use for it. */
static void reuse_some(struct world *w) {
    if (w->plan->job_count != 0 && one_in(w, 10)) {
        uint32_t job = below(w, w->plan->job_count);
        int state = w->execution->jobs[job].state;
        try(w, reuse_of(w, job), state != ORC_JOB_WAITING && state != ORC_JOB_READY);
    }
}

/* Clocks are set, forwards and back. */
static void jump(struct world *w) {
    if (one_in(w, 150)) {
        int64_t back_ms = below(w, 3000);
        w->now_ms = w->now_ms > back_ms ? w->now_ms - back_ms : 1;
    } else if (one_in(w, 3000)) {
        w->now_ms += 1000 * (int64_t)(1 + below(w, 7200));
    }
}

static void pass_time(struct world *w) {
    int64_t wake = orc_execution_wake_at(w->execution);
    if (wake == INT64_MAX) {
        if (!orc_execution_closed(w->execution)) {
            broken(w, "an open execution has no wake-up");
        }
        return;
    }
    w->now_ms = wake > w->now_ms && one_in(w, 4) ? wake : w->now_ms + below(w, 200);
    jump(w);
    if (!orc_execution_terminal(w->execution) && w->now_ms >= w->deadline_ms) {
        must(w, (struct orc_event){.kind = ORC_EVENT_DEADLINE});
        return;
    }
    for (int32_t i = w->execution->timed_first; i >= 0;) {
        const struct orc_job *job = &w->execution->jobs[i];
        uint32_t index = (uint32_t)i;
        i = job->timed_next;
        if (job->state == ORC_JOB_RETRYING && job->wake_at_ms <= w->now_ms) {
            must(w, (struct orc_event){.kind = ORC_EVENT_RETRY_DUE, .job = index});
        } else if (job->state == ORC_JOB_RUNNING && job->deadline_ms <= w->now_ms &&
                   (job->fused_prev >= 0 || job->fused_next >= 0)) {
            struct orc_chain chain;
            orc_chain_of(w->execution, index, &chain);
            must(w, (struct orc_event){.kind = ORC_EVENT_SPLIT,
                                       .job = chain.jobs[0],
                                       .attempt = w->execution->jobs[chain.jobs[0]].attempt,
                                       .failure_class = ORC_FAILURE_TIMEOUT,
                                       .code = "attempt_timeout",
                                       .message = "too slow"});
            w->tally->splits++;
            i = w->execution->timed_first;
        } else if (job->state == ORC_JOB_RUNNING && job->deadline_ms <= w->now_ms) {
            must(w, (struct orc_event){.kind = ORC_EVENT_FAILED,
                                       .job = index,
                                       .attempt = job->attempt,
                                       .failure_class = ORC_FAILURE_TIMEOUT,
                                       .code = "attempt_timeout",
                                       .message = "too slow"});
            i = w->execution->timed_first; /* a failure may move others */
        } else if (job->state == ORC_JOB_READY && job->deadline_ms <= w->now_ms) {
            must(w, (struct orc_event){.kind = ORC_EVENT_FAILED,
                                       .job = index,
                                       .attempt = job->attempt,
                                       .unassigned = true,
                                       .failure_class = ORC_FAILURE_TIMEOUT,
                                       .code = "queue_timeout",
                                       .message = "nobody took it"});
            i = w->execution->timed_first;
        }
        if (orc_execution_terminal(w->execution)) {
            return;
        }
    }
}

static void deliver_some(struct world *w) {
    const struct orc_delivery *delivery = &w->execution->delivery;
    if (delivery->state != ORC_DELIVERY_PENDING) {
        return;
    }
    if (!delivery->in_flight) {
        if (w->deliver && delivery->next_try_at_ms <= w->now_ms) {
            must(w, (struct orc_event){.kind = ORC_EVENT_DELIVERY_ASSIGNED});
        }
        return;
    }
    struct orc_event event = {.attempt = delivery->tries + 1, .message = "HTTP 503", .final = one_in(w, 40)};
    switch (below(w, 4)) {
    case 0:
        event.kind = ORC_EVENT_DELIVERED;
        break;
    case 1:
        event.kind = ORC_EVENT_DELIVERY_LOST;
        break;
    case 2:
        event.attempt += one_in(w, 2);
        event.kind = ORC_EVENT_DELIVERY_FAILED;
        break;
    default:
        return;
    }
    try(w, event, event.attempt != delivery->tries + 1);
}

static void turn(struct world *w) {
    assign_some(w);
    report_some(w);
    reuse_some(w);
    append_some(w);
    edit_some(w);
    gather_some(w);
    if (one_in(w, 400)) {
        try(w, (struct orc_event){.kind = ORC_EVENT_CANCEL, .message = "sim"}, orc_execution_terminal(w->execution));
    }
    pass_time(w);
    deliver_some(w);
    if (one_in(w, 2)) {
        commit(w);
        if (one_in(w, 8)) {
            compare_with_replay(w);
        }
    }
    if (one_in(w, 60)) {
        crash(w);
    }
}

static void check_end(struct world *w) {
    commit(w);
    compare_with_replay(w);
    for (uint32_t job = 0; job < w->plan->job_count; job++) {
        bool completed = w->execution->jobs[job].state == ORC_JOB_COMPLETED;
        if (completed != (w->successes[job] == 1)) {
            broken(w, "job %u: state %d with %u committed successes", job, w->execution->jobs[job].state,
                   w->successes[job]);
        }
        int32_t into = w->execution->jobs[job].fused_into;
        if (into >= 0 && (w->execution->jobs[into].state != ORC_JOB_COMPLETED ||
                          w->execution->jobs[into].result_size == 0 || !w->plan->jobs[job].discards)) {
            broken(w, "what job %u gave went into job %d, which has nothing", job, into);
        }
    }
}

static void play(uint64_t seed, struct tally *tally) {
    struct world *w = cs_alloc(sizeof(*w));
    w->tally = tally;
    w->seed = w->chance = seed;
    w->arena = cs_arena_create();
    w->calm = 1 + below(w, 30);
    w->first_plan = random_plan(w);
    w->plan_arena = cs_arena_create();
    w->plan = fresh_plan(w, w->plan_arena);
    w->webhook = one_in(w, 2);
    w->now_ms = 1;
    w->deadline_ms = one_in(w, 5) ? 1 + below(w, 5000) : INT64_C(86400000);
    w->execution = orc_execution_create("sim", "acme", w->plan, 1, w->deadline_ms, w->webhook);
    for (uint32_t job = 0; job < w->plan->job_count && one_in(w, 3); job++) {
        must(w, reuse_of(w, job)); /* known when it was created */
    }
    if (!orc_execution_terminal(w->execution)) {
        must(w, (struct orc_event){.kind = ORC_EVENT_BEGIN});
    }
    uint32_t turns = 0;
    while (!orc_execution_closed(w->execution) || !committed_all(w)) {
        if (++turns > TURNS_MAX) {
            broken(w, "not closed after %d turns", TURNS_MAX);
        }
        turn(w);
    }
    check_end(w);
    tally->states[w->execution->state]++;
    orc_commands_fini(&w->commands);
    orc_execution_destroy(w->execution);
    cs_arena_destroy(w->plan_arena);
    cs_arena_destroy(w->arena);
    free(w);
}

int main(int argc, char **argv) {
    int64_t seed = cs_clock_unix_ms();
    int64_t count = WORLDS_DEFAULT;
    if ((argc > 1 && !cs_parse_i64(argv[1], 0, INT64_MAX / 2, &seed)) ||
        (argc > 2 && !cs_parse_i64(argv[2], 1, 1000000000, &count))) {
        (void)fprintf(stderr, "usage: orc_sim [SEED [COUNT]]\n");
        return 2;
    }
    struct tally tally = {0};
    const uint32_t *states = tally.states;
    for (int64_t i = 0; i < count; i++) {
        play((uint64_t)(seed + i), &tally);
    }
    (void)printf("seeds %" PRId64 " … %" PRId64 ": %u completed, %u failed, %u cancelled, every log replays\n", seed,
                 seed + count - 1, states[ORC_EXECUTION_COMPLETED], states[ORC_EXECUTION_FAILED],
                 states[ORC_EXECUTION_CANCELLED]);
    (void)printf("runs of several jobs: %u succeeded, %u were split, %u lost, %u stopped for what lies between\n",
                 tally.runs, tally.splits, tally.losses, tally.kept);
    /* worlds that all end alike would prove nothing */
    bool varied = states[ORC_EXECUTION_COMPLETED] != 0 && states[ORC_EXECUTION_FAILED] != 0 &&
                  states[ORC_EXECUTION_CANCELLED] != 0 && tally.runs != 0 && tally.splits != 0 && tally.losses != 0 &&
                  tally.kept != 0;
    return varied || count < WORLDS_DEFAULT ? 0 : 1;
}
