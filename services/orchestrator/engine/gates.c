#include "engine/gates.h"

#include <string.h>
#include <utlist.h>

#include "cs/base/text.h"
#include "engine/internal.h"

/* ---- permits ---- */

static bool is_rate(const struct orc_gate *gate) {
    return gate->kind == ORC_LIMIT_PROVIDER_RATE;
}

static int64_t full(const struct orc_gate *gate) {
    return gate->max * gate->period_ms;
}

/* What is in the bucket now; a token is period_ms of it. */
static int64_t level_at(const struct orc_gate *gate, int64_t now_ms) {
    int64_t passed_ms = now_ms - gate->level_ms;
    int64_t level = passed_ms >= gate->period_ms ? full(gate) : gate->level + passed_ms * gate->max;
    return level < full(gate) ? level : full(gate);
}

static uint32_t free_permits(const struct orc_gate *gate, int64_t now_ms) {
    if (is_rate(gate)) {
        return (uint32_t)(level_at(gate, now_ms) / gate->period_ms);
    }
    return gate->running < gate->max ? gate->max - gate->running : 0;
}

static void take_permit(struct orc_gate *gate, int64_t now_ms) {
    if (is_rate(gate)) {
        gate->level = level_at(gate, now_ms) - gate->period_ms;
        gate->level_ms = now_ms;
    } else {
        gate->running++;
    }
}

/* When the bucket holds that much. */
static int64_t filled_ms(const struct orc_gate *gate, int64_t level) {
    int64_t missing = level - gate->level;
    return missing > 0 ? gate->level_ms + (missing + gate->max - 1) / gate->max : gate->level_ms;
}

int64_t orc_gate_opens_ms(const struct orc_gate *gate, int64_t now_ms) {
    int64_t at_ms = is_rate(gate) ? filled_ms(gate, gate->period_ms) : now_ms;
    return at_ms > now_ms ? at_ms : now_ms;
}

/* ---- gates and lines ---- */

static struct orc_gate *gate_of(struct orc_engine *engine, enum orc_limit_kind kind, const char *name, uint32_t max,
                                int64_t period_ms) {
    struct orc_gate *gate = NULL;
    HASH_FIND_STR(engine->dispatch.gates.gates, name, gate);
    if (gate == NULL) {
        gate = cs_alloc(sizeof(*gate));
        *gate = (struct orc_gate){.name = cs_strdup(name),
                                  .kind = kind,
                                  .max = max,
                                  .period_ms = period_ms,
                                  .level = max * period_ms,
                                  .level_ms = engine->now_ms};
        orc_timer_init(&gate->timer);
        HASH_ADD_KEYPTR(hh, engine->dispatch.gates.gates, gate->name, strlen(gate->name), gate);
    }
    if (kind == ORC_LIMIT_KEY && max < gate->max) {
        gate->max = max; /* the strictest of those who use the key */
    }
    return gate;
}

/* A bucket that is not full must be remembered. */
static bool needed(const struct orc_gate *gate, int64_t now_ms) {
    return gate->lines != NULL || gate->running != 0 || (is_rate(gate) && level_at(gate, now_ms) < full(gate));
}

static void tidy(struct orc_engine *engine, struct orc_gate *gate) {
    if (needed(gate, engine->now_ms)) {
        if (is_rate(gate)) {
            bool wanted = gate->lines != NULL && free_permits(gate, engine->now_ms) == 0;
            int64_t at_ms = filled_ms(gate, wanted ? gate->period_ms : full(gate));
            bool ripe = at_ms <= engine->now_ms; /* who was called takes a token soon */
            orc_timer_set(&engine->dispatch.gates.timers, &gate->timer, ripe ? INT64_MAX : at_ms);
        }
        return;
    }
    orc_timer_set(&engine->dispatch.gates.timers, &gate->timer, INT64_MAX);
    HASH_DEL(engine->dispatch.gates.gates, gate);
    free(gate->name);
    free(gate);
}

static void tidy_line(struct orc_line *line) {
    if (line->hall.count == 0 && line->woken == 0) {
        DL_DELETE(line->gate->lines, line); // NOLINT(clang-analyzer-core.NullDereference): it is in it
        free(line);
    }
}

static struct orc_line *line_of(struct orc_gate *gate, struct orc_station *station) {
    struct orc_line *line = NULL;
    DL_FOREACH(gate->lines, line) {
        if (line->hall.station == station) {
            break;
        }
    }
    if (line == NULL) {
        line = cs_alloc(sizeof(*line));
        *line = (struct orc_line){.gate = gate};
        line->hall = (struct orc_hall){.station = station, .line = line, .limits = station->hall.limits};
        DL_APPEND(gate->lines, line);
    }
    return line;
}

/* As many of each line as could pass now, less those that were called already. The gate may be gone afterwards. */
static void stir(struct orc_engine *engine, struct orc_gate *gate) {
    uint32_t permits = free_permits(gate, engine->now_ms);
    struct orc_line *line = NULL;
    DL_FOREACH(gate->lines, line) {
        while (line->woken < permits && line->hall.count != 0) {
            struct orc_seat *seat = orc_hall_take(&line->hall);
            line->woken++;
            seat->called = line;
            orc_hall_put(&line->hall.station->hall, seat);
            engine->dispatch.gates.stirred = true;
        }
    }
    tidy(engine, gate);
}

/* It does not answer to the call any more. */
static void uncall(struct orc_engine *engine, struct orc_seat *seat) {
    struct orc_line *line = seat->called;
    if (line != NULL) {
        struct orc_gate *gate = line->gate;
        seat->called = NULL;
        line->woken--;
        tidy_line(line);
        stir(engine, gate);
    }
}

/* ---- which gates concern a seat ---- */

static void add_configured(struct orc_engine *engine, enum orc_limit_kind kind, const char *name,
                           struct orc_pass *pass) {
    const struct orc_limit *limit = orc_limits_find(&engine->dispatch.gates.limits, kind, name);
    if (limit != NULL) {
        CS_AUTO_FREE char *whole = cs_sprintf("%s%s", orc_limit_prefix(kind), name);
        pass->gates[pass->count++] = gate_of(engine, kind, whole, limit->max, limit->period_ms);
    }
}

static void add_key(struct orc_engine *engine, const struct orc_seat *seat, const struct orc_plan_job *job,
                    struct orc_pass *pass) {
    CS_AUTO_FREE char *whole =
        cs_sprintf("%s%s:%s", orc_limit_prefix(ORC_LIMIT_KEY), seat->entry->execution->tenant, job->concurrency_key);
    pass->gates[pass->count++] = gate_of(engine, ORC_LIMIT_KEY, whole, job->concurrency_limit, 0);
}

/* How many items of a map run at once. */
static void add_map(struct orc_engine *engine, const struct orc_seat *seat, const struct orc_plan_job *map,
                    struct orc_pass *pass) {
    CS_AUTO_FREE char *whole = cs_sprintf("%s%s/%s", ORC_MAP_GATE_PREFIX, seat->entry->execution->id, map->id);
    pass->gates[pass->count++] = gate_of(engine, ORC_LIMIT_KEY, whole, map->parallel_max, 0);
}

static void find_gates(struct orc_engine *engine, const struct orc_station *station, const struct orc_seat *seat,
                       struct orc_pass *pass) {
    bool configured = engine->dispatch.gates.limits.count != 0;
    if (configured) {
        add_configured(engine, ORC_LIMIT_OPERATION, station->operation->name, pass);
    }
    if (orc_seat_is_delivery(seat)) {
        return; /* its execution has ended: it takes nothing from its tenant */
    }
    const struct orc_plan_job *job = &seat->entry->execution->plan->jobs[seat->job];
    if (configured) {
        add_configured(engine, ORC_LIMIT_TENANT, seat->entry->execution->tenant, pass);
    }
    if (configured && job->provider != NULL) {
        add_configured(engine, ORC_LIMIT_PROVIDER, job->provider, pass);
        add_configured(engine, ORC_LIMIT_PROVIDER_RATE, job->provider, pass);
    }
    if (job->concurrency_key != NULL) {
        add_key(engine, seat, job, pass);
    }
    if (job->owner >= 0) {
        add_map(engine, seat, &seat->entry->execution->plan->jobs[job->owner], pass);
    }
}

/* ---- passing ---- */

bool orc_gates_enter(struct orc_engine *engine, struct orc_station *station, struct orc_seat *seat,
                     struct orc_pass *ret_pass) {
    struct orc_pass pass = {.count = 0};
    find_gates(engine, station, seat, &pass);
    struct orc_gate *closed = NULL;
    for (uint32_t i = 0; i < pass.count && closed == NULL; i++) {
        closed = free_permits(pass.gates[i], engine->now_ms) == 0 ? pass.gates[i] : NULL;
    }
    for (uint32_t i = 0; i < pass.count && closed == NULL; i++) {
        take_permit(pass.gates[i], engine->now_ms);
    }
    if (closed != NULL) {
        orc_hall_put(&line_of(closed, station)->hall, seat);
    }
    for (uint32_t i = 0; i < pass.count; i++) {
        tidy(engine, pass.gates[i]); /* the one that called it has a line yet */
    }
    uncall(engine, seat);
    *ret_pass = closed == NULL ? pass : (struct orc_pass){.count = 0};
    return closed == NULL;
}

static bool has(const struct orc_pass *pass, const struct orc_gate *gate) {
    for (uint32_t i = 0; i < pass->count; i++) {
        if (pass->gates[i] == gate) {
            return true;
        }
    }
    return false;
}

bool orc_gates_join(struct orc_engine *engine, struct orc_station *station, const struct orc_seat *seat,
                    struct orc_pass *pass) {
    struct orc_pass wanted = {.count = 0};
    find_gates(engine, station, seat, &wanted);
    bool open = true;
    uint32_t count = pass->count;
    for (uint32_t i = 0; i < wanted.count; i++) {
        bool there = has(pass, wanted.gates[i]);
        open = open && (there || (count < ORC_PASS_MAX && free_permits(wanted.gates[i], engine->now_ms) != 0));
        count += !there;
    }
    for (uint32_t i = 0; i < wanted.count; i++) {
        if (open && !has(pass, wanted.gates[i])) {
            take_permit(wanted.gates[i], engine->now_ms);
            pass->gates[pass->count++] = wanted.gates[i];
        }
    }
    for (uint32_t i = 0; i < wanted.count; i++) {
        tidy(engine, wanted.gates[i]);
    }
    return open;
}

void orc_gates_leave(struct orc_engine *engine, struct orc_pass *pass) {
    for (uint32_t i = 0; i < pass->count; i++) {
        if (!is_rate(pass->gates[i])) {
            pass->gates[i]->running--;
            stir(engine, pass->gates[i]);
        }
    }
    pass->count = 0;
}

void orc_gates_forget(struct orc_engine *engine, struct orc_seat *seat) {
    struct orc_line *line = seat->lane->hall->line;
    orc_hall_remove(seat);
    if (line != NULL) {
        struct orc_gate *gate = line->gate;
        tidy_line(line);
        tidy(engine, gate);
    }
    uncall(engine, seat);
}

/* ---- rates ---- */

void orc_gates_fire(struct orc_engine *engine) {
    struct orc_timer *timer = NULL;
    while ((timer = orc_timers_first(&engine->dispatch.gates.timers)) != NULL && timer->at_ms <= engine->now_ms) {
        struct orc_gate *gate = (struct orc_gate *)((char *)timer - offsetof(struct orc_gate, timer));
        stir(engine, gate);
    }
}

void orc_gates_fini(struct orc_gates *gates) {
    struct orc_gate *gate = NULL;
    struct orc_gate *next = NULL;
    HASH_ITER(hh, gates->gates, gate, next) {
        HASH_DEL(gates->gates, gate); // NOLINT(clang-analyzer-unix.Malloc): the table goes with its last item
        free(gate->name);
        free(gate);
    }
    orc_timers_fini(&gates->timers);
    orc_limits_fini(&gates->limits);
}
