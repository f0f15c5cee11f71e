#include <string.h>

#include "engine/waiting.h"

#include "cs/base/text.h"
#include "engine/internal.h"

struct asking {
    struct orc_engine *engine;
    struct orc_entry *entry;
    struct cs_arena *arena;
};

static Callsheet__V1__Waiting *new_waiting(const struct asking *asking, const char *reason) {
    Callsheet__V1__Waiting *waiting = cs_arena_alloc(asking->arena, sizeof(*waiting));
    callsheet__v1__waiting__init(waiting);
    waiting->reason = cs_arena_strdup(asking->arena, reason);
    return waiting;
}

static const char *time_of(const struct asking *asking, int64_t unix_ms) {
    char text[CS_ISO8601_SIZE];
    cs_format_iso8601(unix_ms, text);
    return cs_arena_strdup(asking->arena, text);
}

static Callsheet__V1__Waiting *starting(const struct asking *asking) {
    Callsheet__V1__Waiting *waiting = new_waiting(asking, "starting");
    waiting->message = cs_arena_strdup(asking->arena, "is about to go to a worker");
    return waiting;
}

/* ---- not ready ---- */

static const char *dependencies_text(const struct asking *asking, const Callsheet__V1__Waiting *waiting, uint32_t unmet,
                                     bool any) {
    CS_AUTO_BUF text = {0};
    cs_buf_puts(&text, any ? "waits for one of " : "waits for ");
    for (size_t i = 0; i < waiting->n_dependencies; i++) {
        cs_buf_printf(&text, "%s\"%s\"", i != 0 ? ", " : "", waiting->dependencies[i]);
    }
    if (unmet > waiting->n_dependencies) {
        cs_buf_printf(&text, " and %zu more", unmet - waiting->n_dependencies);
    }
    return cs_arena_strdup(asking->arena, text.data);
}

/* due_ms INT64_MAX: never. */
static Callsheet__V1__Waiting *for_approval(const struct asking *asking, const struct orc_approval_rule *rule,
                                            int64_t due_ms, const char *what) {
    Callsheet__V1__Waiting *waiting = new_waiting(asking, "approval");
    waiting->until_ms = due_ms != INT64_MAX ? due_ms : 0;
    waiting->message = due_ms == INT64_MAX
                           ? cs_arena_strdup(asking->arena, what)
                           : cs_arena_sprintf(asking->arena, "%s; at %s it counts as %s", what, time_of(asking, due_ms),
                                              rule->approves ? "approved" : "rejected");
    return waiting;
}

static Callsheet__V1__Waiting *for_dependencies(const struct asking *asking, uint32_t job) {
    const struct orc_execution *execution = asking->entry->execution;
    const struct orc_plan_job *planned = &execution->plan->jobs[job];
    char *names[ORC_WAITING_DEPENDENCIES_MAX];
    uint32_t unmet = 0;
    for (uint32_t i = 0; i < planned->parent_count; i++) {
        if (!orc_job_terminal(&execution->jobs[planned->parents[i]])) {
            if (unmet < ORC_WAITING_DEPENDENCIES_MAX) {
                names[unmet] = cs_arena_strdup(asking->arena, execution->plan->jobs[planned->parents[i]].id);
            }
            unmet++;
        }
    }
    if (unmet == 0 && orc_execution_awaits_approval(execution)) {
        return for_approval(asking, execution->plan->approval, orc_execution_approval_due_ms(execution),
                            "waits for the approval of the whole execution");
    }
    if (unmet == 0) {
        return starting(asking); /* the execution itself has just been accepted */
    }
    Callsheet__V1__Waiting *waiting = new_waiting(asking, "dependencies");
    waiting->n_dependencies = unmet < ORC_WAITING_DEPENDENCIES_MAX ? unmet : ORC_WAITING_DEPENDENCIES_MAX;
    waiting->dependencies = cs_arena_copy(asking->arena, names, waiting->n_dependencies * sizeof(char *));
    waiting->message =
        (char *)dependencies_text(asking, waiting, unmet, planned->policy == (uint8_t)ORC_DEPENDENCY_ANY);
    return waiting;
}

static Callsheet__V1__Waiting *for_retry(const struct asking *asking, uint32_t job) {
    const struct orc_job *retrying = &asking->entry->execution->jobs[job];
    const char *code = retrying->error_code != NULL ? retrying->error_code : "it was given back";
    Callsheet__V1__Waiting *waiting = new_waiting(asking, "retry");
    waiting->until_ms = retrying->wake_at_ms;
    waiting->message = cs_arena_sprintf(asking->arena, "is tried again at %s; attempt %u ended with %s",
                                        time_of(asking, retrying->wake_at_ms), retrying->attempt, code);
    return waiting;
}

/* ---- ready: until the base has ended ---- */

static Callsheet__V1__Waiting *for_worker(const struct asking *asking, uint32_t job);

static Callsheet__V1__Waiting *for_base(const struct asking *asking, uint32_t job) {
    if (asking->entry->seats[job].lane != NULL) {
        return for_worker(asking, job); /* the base has no result for it */
    }
    Callsheet__V1__Waiting *waiting = new_waiting(asking, "base");
    waiting->message =
        cs_arena_sprintf(asking->arena, "waits for the base execution %s", asking->entry->execution->plan->base);
    return waiting;
}

/* ---- ready: at a gate ---- */

/* The name of a key's gate has the tenant in it, that of a map's the execution. */
static const char *limit_name(const struct asking *asking, const struct orc_seat *seat, const struct orc_gate *gate) {
    const struct orc_plan *plan = asking->entry->execution->plan;
    const struct orc_plan_job *job = &plan->jobs[seat->job];
    if (strncmp(gate->name, ORC_MAP_GATE_PREFIX, strlen(ORC_MAP_GATE_PREFIX)) == 0) {
        return cs_arena_sprintf(asking->arena, "%s%s", ORC_MAP_GATE_PREFIX, plan->jobs[job->owner].id);
    }
    return gate->kind == ORC_LIMIT_KEY ? cs_arena_sprintf(asking->arena, "key:%s", job->concurrency_key)
                                       : cs_arena_strdup(asking->arena, gate->name);
}

static Callsheet__V1__Waiting *for_gate(const struct asking *asking, const struct orc_seat *seat) {
    const struct orc_gate *gate = seat->lane->hall->line->gate;
    bool rate = gate->kind == ORC_LIMIT_PROVIDER_RATE;
    Callsheet__V1__Waiting *waiting = new_waiting(asking, rate ? "rate" : "limit");
    waiting->limit = (char *)limit_name(asking, seat, gate);
    if (rate) {
        waiting->until_ms = orc_gate_opens_ms(gate, asking->engine->now_ms);
        waiting->message =
            cs_arena_sprintf(asking->arena, "%s lets %u begin in %lld s; the next may at %s", waiting->limit, gate->max,
                             (long long)(gate->period_ms / 1000), time_of(asking, waiting->until_ms));
    } else {
        waiting->message =
            cs_arena_sprintf(asking->arena, "%s lets no more than %u run at once", waiting->limit, gate->max);
    }
    return waiting;
}

/* ---- ready: another job does the same work ---- */

static Callsheet__V1__Waiting *for_same_work(const struct asking *asking, const struct orc_flight *flight) {
    Callsheet__V1__Waiting *waiting = new_waiting(asking, "same_work");
    if (flight->state == ORC_FLIGHT_ELSEWHERE) {
        waiting->same_execution_id = cs_arena_strdup(asking->arena, flight->execution);
        waiting->same_job_id = cs_arena_strdup(asking->arena, flight->job);
    } else {
        const struct orc_execution *leading = flight->leader->entry->execution;
        waiting->same_execution_id = cs_arena_strdup(asking->arena, leading->id);
        waiting->same_job_id = cs_arena_strdup(asking->arena, leading->plan->jobs[flight->leader->job].id);
    }
    waiting->message =
        cs_str_empty(waiting->same_job_id)
            ? cs_arena_strdup(asking->arena, "waits for another job that does the same work")
            : cs_arena_sprintf(asking->arena, "waits for job \"%s\" of execution %s, which does the same work",
                               waiting->same_job_id, waiting->same_execution_id);
    return waiting;
}

/* ---- ready: at its station ---- */

struct offer {
    bool any;  /* a worker offers the operation */
    bool free; /* … and has a slot */
    bool kept; /* … that is left to tenants that hold few */
};

static struct offer offer_of(const struct orc_dispatch *dispatch, size_t station, const char *tenant) {
    struct orc_room room = orc_station_room(dispatch, station);
    struct offer offer = {
        .kept = orc_headroom_is_scarce(&room, dispatch->headroom_share) &&
                !orc_headroom_admits(&room, dispatch->headroom_share, dispatch->stations[station].holders, tenant)};
    for (const struct orc_peer *peer = dispatch->peers; peer != NULL; peer = peer->hh.next) {
        if (peer->offers[station]) {
            offer.any = true;
            offer.free = offer.free || peer->open < peer->limit;
        }
    }
    return offer;
}

static Callsheet__V1__Waiting *for_slot(const struct asking *asking, const struct orc_seat *seat) {
    const struct orc_hall *hall = seat->lane->hall;
    const char *operation = hall->station->operation->name;
    bool first = seat->place == 1;
    bool turn = first && hall->ring != seat->lane;
    Callsheet__V1__Waiting *waiting = new_waiting(asking, turn ? "tenant_turn" : "no_slot");
    waiting->place = seat->place;
    if (turn) {
        waiting->message = cs_arena_sprintf(
            asking->arena, "all workers for %s are busy, and it is another tenant's turn; then it is the first",
            operation);
    } else if (seat->place != 0) {
        waiting->message = cs_arena_sprintf(
            asking->arena, "all workers for %s are busy; place %u among its tenant's jobs", operation, seat->place);
    } else {
        waiting->message = cs_arena_sprintf(
            asking->arena, "all workers for %s are busy; more than %d of its tenant's jobs are before it", operation,
            ORC_WAITING_PLACES_MAX);
    }
    return waiting;
}

static Callsheet__V1__Waiting *for_worker(const struct asking *asking, uint32_t job) {
    const struct orc_seat *seat = orc_entry_seat(asking->entry, job);
    if (seat->flight != NULL && (seat->flight->leader != seat || seat->flight->state == ORC_FLIGHT_ELSEWHERE)) {
        return for_same_work(asking, seat->flight);
    }
    if (seat->lane == NULL) {
        return starting(asking); /* its readiness is being written */
    }
    if (seat->lane->hall->line != NULL) {
        return for_gate(asking, seat);
    }
    const struct orc_station *station = seat->lane->hall->station;
    struct offer offer = offer_of(&asking->engine->dispatch, orc_station_index(&asking->engine->dispatch, station),
                                  asking->entry->execution->tenant);
    if (!offer.any) {
        Callsheet__V1__Waiting *waiting = new_waiting(asking, "no_worker");
        waiting->message =
            cs_arena_sprintf(asking->arena, "no worker that is connected offers %s", station->operation->name);
        return waiting;
    }
    return offer.free && !offer.kept ? starting(asking) : for_slot(asking, seat);
}

/* ---- places ---- */

/* Numbers the first seats of a lane, from 1. */
static void number(struct orc_lane *lane) {
    uint32_t place = 0;
    for (int rank = ORC_PRIORITIES - 1; rank >= 0; rank--) {
        struct orc_seat *seat = lane->ranks[rank];
        for (; seat != NULL && place < ORC_WAITING_PLACES_MAX; seat = seat->next) {
            seat->place = ++place;
        }
    }
}

/* The lanes of an execution are few: one for each operation, as all its jobs are of one tenant. */
static void number_all(struct orc_engine *engine, struct orc_entry *entry) {
    for (uint32_t i = 0; i < entry->execution->plan->job_count; i++) {
        orc_entry_seat(entry, i)->place = 0;
    }
    for (size_t i = 0; i < engine->dispatch.station_count; i++) {
        struct orc_lane *lane = NULL;
        HASH_FIND_STR(engine->dispatch.stations[i].hall.lanes, entry->execution->tenant, lane);
        if (lane != NULL) {
            number(lane);
        }
    }
}

/* ---- all ---- */

void orc_waiting_explain(struct orc_engine *engine, struct orc_entry *entry, Callsheet__V1__Execution *message,
                         struct cs_arena *arena) {
    const struct asking asking = {engine, entry, arena};
    const struct orc_execution *execution = entry->execution;
    if (orc_execution_terminal(execution)) {
        return;
    }
    number_all(engine, entry);
    size_t shown = 0; /* hidden jobs are not in the message */
    for (uint32_t i = 0; i < execution->plan->job_count && shown < message->n_jobs; i++) {
        if (execution->plan->jobs[i].hidden) {
            continue;
        }
        Callsheet__V1__JobStatus *status = message->jobs[shown++];
        switch ((enum orc_job_state)execution->jobs[i].state) {
        case ORC_JOB_WAITING:
            status->waiting = for_dependencies(&asking, i);
            break;
        case ORC_JOB_READY:
            status->waiting = execution->plan->jobs[i].base_job != NULL ? for_base(&asking, i) : for_worker(&asking, i);
            break;
        case ORC_JOB_RETRYING:
            status->waiting = for_retry(&asking, i);
            break;
        case ORC_JOB_AWAITING_APPROVAL:
            status->waiting =
                for_approval(&asking, execution->plan->jobs[i].approval,
                             execution->jobs[i].deadline_ms != 0 ? execution->jobs[i].deadline_ms : INT64_MAX,
                             "waits for its approval");
            break;
        case ORC_JOB_RUNNING:
            orc_outside_explain(engine, entry, i, status, arena);
            break;
        default:
            break;
        }
    }
}
