#include "api/runs.h"

#include "api/run_moves.h"
#include "api/run_timer.h"
#include "api/stores.h"
#include "cs/base/text.h"
#include "wire/run_wire.h"

struct orc_runs {
    struct orc_stores stores;
    struct orc_run_timer *timer;
};

/* What the domain and the wire say to clients. */
static const char *const told[] = {"no_such_run",      "run_ended",     "wrong_run_id", "bad_status", "run_busy",
                                   "too_many_clients", "too_many_runs", "bad_run_row",  NULL};

static enum cs_status with_store(struct orc_runs *runs, orc_store_work_fn *fn, struct cs_arena *arena, void *work,
                                 struct cs_err *err) {
    return orc_stores_run(&runs->stores, fn, arena, work, told, err);
}

static char **warnings_to(const struct orc_run_warnings *warnings, struct cs_arena *arena) {
    return cs_arena_copy(arena, warnings->items, sizeof(warnings->items));
}

/* ---- StartRun ---- */

struct start_work {
    struct orc_run_start start;
    struct orc_run_id named;
    struct orc_run_started started;
};

static enum cs_status do_start(struct orc_store *store, struct cs_arena *arena, void *work, struct cs_err *err) {
    struct start_work *it = work;
    return orc_run_do_start(store, &it->start, &it->named, arena, &it->started, err);
}

static enum cs_status start_run(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                struct cs_err *err) {
    struct orc_runs *runs = ctx;
    struct cs_arena *arena = cs_rpc_call_arena(call);
    struct start_work work = {0};
    CS_TRY(orc_run_start_from((const Callsheet__V1__StartRunRequest *)message, arena, &work.start, &work.named, err));
    CS_TRY(with_store(runs, do_start, arena, &work, err));
    orc_run_timer_expect(runs->timer, orc_run_wake_at(&work.started.run), work.started.now_ms);
    Callsheet__V1__StartRunReply reply = CALLSHEET__V1__START_RUN_REPLY__INIT;
    reply.run = orc_run_to(&work.started.run, NULL, arena);
    reply.already_running = work.started.already_running;
    reply.already_exists = work.started.already_exists;
    reply.warnings = warnings_to(&work.started.warnings, arena);
    reply.n_warnings = work.started.warnings.count;
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

/* ---- HeartbeatRun, CompleteRun ---- */

struct change_work {
    const char *tenant;
    struct orc_run_id id;
    struct orc_run_change change;
    struct orc_run_changed changed;
};

static enum cs_status do_change(struct orc_store *store, struct cs_arena *arena, void *work, struct cs_err *err) {
    struct change_work *it = work;
    return orc_run_do_change(store, it->tenant, &it->id, &it->change, arena, &it->changed, err);
}

static enum cs_status change_run(struct cs_rpc_call *call, struct orc_runs *runs, struct change_work *work,
                                 struct cs_err *err) {
    struct cs_arena *arena = cs_rpc_call_arena(call);
    CS_TRY(with_store(runs, do_change, arena, work, err));
    Callsheet__V1__ChangeRunReply reply = CALLSHEET__V1__CHANGE_RUN_REPLY__INIT;
    reply.run = orc_run_to(&work->changed.run, NULL, arena);
    reply.unchanged = work->changed.unchanged;
    reply.warnings = warnings_to(&work->changed.warnings, arena);
    reply.n_warnings = work->changed.warnings.count;
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

static enum cs_status heartbeat_run(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                    struct cs_err *err) {
    const Callsheet__V1__HeartbeatRunRequest *request = (const Callsheet__V1__HeartbeatRunRequest *)message;
    struct change_work work = {.tenant = request->tenant};
    CS_TRY(orc_run_heartbeat_from(request, cs_rpc_call_arena(call), &work.id, &work.change.news, err));
    return change_run(call, ctx, &work, err);
}

static enum cs_status complete_run(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                   struct cs_err *err) {
    const Callsheet__V1__CompleteRunRequest *request = (const Callsheet__V1__CompleteRunRequest *)message;
    struct change_work work = {
        .tenant = request->tenant,
        .change = {.completes = true, .status = (int)request->status, .error = request->error},
    };
    CS_TRY(orc_run_complete_from(request, cs_rpc_call_arena(call), &work.id, &work.change.news, err));
    return change_run(call, ctx, &work, err);
}

/* ---- GetRun ---- */

struct get_work {
    const char *tenant;
    struct orc_run_id id;
    struct orc_run_read read;
    struct orc_run_metrics totals;
};

static enum cs_status do_get(struct orc_store *store, struct cs_arena *arena, void *work, struct cs_err *err) {
    struct get_work *it = work;
    struct orc_run_list clients = {0};
    CS_TRY(orc_run_do_get(store, it->tenant, &it->id, arena, &it->read, err));
    if (it->id.client[0] == '\0') {
        CS_TRY(orc_store_run_clients(store, it->tenant, it->id.base, ORC_RUN_CLIENTS_MAX, arena, &clients, err));
        for (size_t i = 0; i < clients.count; i++) {
            (void)orc_run_expire(&clients.runs[i], clients.now_ms, arena); /* the timer writes it */
        }
        it->totals = orc_run_totals(clients.runs, clients.count, arena);
    }
    return CS_OK;
}

static enum cs_status get_run(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                              struct cs_err *err) {
    const Callsheet__V1__GetRunRequest *request = (const Callsheet__V1__GetRunRequest *)message;
    struct cs_arena *arena = cs_rpc_call_arena(call);
    struct get_work work = {.tenant = request->tenant};
    CS_TRY(orc_run_target_from(request->tenant, request->run_id, request->client, &work.id, err));
    CS_TRY(with_store(ctx, do_get, arena, &work, err));
    cs_rpc_reply(call, &orc_run_to(&work.read.run, &work.totals, arena)->base);
    return CS_OK;
}

/* ---- ListRuns ---- */

struct list_work {
    struct orc_run_filter filter;
    struct orc_run_list list;
};

static enum cs_status do_list(struct orc_store *store, struct cs_arena *arena, void *work, struct cs_err *err) {
    struct list_work *it = work;
    CS_TRY(orc_store_run_list(store, &it->filter, arena, &it->list, err));
    for (size_t i = 0; i < it->list.count; i++) {
        struct orc_run *run = &it->list.runs[i];
        if (orc_run_wake_at(run) <= it->list.now_ms) {
            struct orc_run_read read = {0};
            CS_TRY(orc_run_do_get(store, it->filter.tenant, &run->id, arena, &read, err));
            *run = read.run;
            run->notes = "";
        }
    }
    return CS_OK;
}

static enum cs_status list_runs(struct cs_rpc_call *call, const ProtobufCMessage *message, void *ctx,
                                struct cs_err *err) {
    const Callsheet__V1__ListRunsRequest *request = (const Callsheet__V1__ListRunsRequest *)message;
    struct cs_arena *arena = cs_rpc_call_arena(call);
    struct orc_page_start from;
    CS_TRY(orc_run_list_check(request, &from, err));
    const size_t size = request->page_size != 0 ? request->page_size : ORC_PAGE_SIZE_DEFAULT;
    struct list_work work = {
        .filter =
            {
                .tenant = request->tenant,
                .job_type = request->job_type,
                .client = request->client,
                .without_client = request->without_client,
                .running_only = request->running_only,
                .before_ms = from.before_ms,
                .before_id = from.before_id,
                .limit = size + 1, /* one more tells whether there is another page */
            },
    };
    CS_TRY(with_store(ctx, do_list, arena, &work, err));
    Callsheet__V1__ListRunsReply reply = CALLSHEET__V1__LIST_RUNS_REPLY__INIT;
    reply.runs = cs_arena_array(arena, size + 1, sizeof(Callsheet__V1__Run *));
    size_t shown = work.list.count < size ? work.list.count : size;
    for (size_t i = 0; i < shown; i++) {
        if (!request->running_only || work.list.runs[i].status == ORC_RUN_RUNNING) {
            reply.runs[reply.n_runs++] = orc_run_to(&work.list.runs[i], NULL, arena);
        }
    }
    if (work.list.read > size && shown > 0) {
        const struct orc_run *last = &work.list.runs[shown - 1];
        reply.next_page_token = orc_page_token_format(last->started_at_ms, last->id.text, arena);
    }
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

static const struct cs_rpc_method methods[] = {
    {.name = "StartRun", .unary = start_run},       {.name = "HeartbeatRun", .unary = heartbeat_run},
    {.name = "CompleteRun", .unary = complete_run}, {.name = "GetRun", .unary = get_run},
    {.name = "ListRuns", .unary = list_runs},
};

/* ---- life ---- */

enum cs_status orc_runs_create(const char *database_url, struct orc_runs **ret_runs, struct cs_err *err) {
    CS_AUTO(orc_runs) *runs = cs_alloc(sizeof(*runs));
    CS_TRY(orc_stores_init(&runs->stores, database_url, err));
    CS_TRY(orc_run_timer_start(database_url, &runs->timer, err));
    *ret_runs = cs_steal(&runs);
    return CS_OK;
}

void orc_runs_destroy(struct orc_runs *runs) {
    if (runs == NULL) {
        return;
    }
    orc_run_timer_stop(runs->timer);
    orc_stores_fini(&runs->stores);
    free(runs);
}

struct cs_rpc_service orc_runs_service(struct orc_runs *runs) {
    return (struct cs_rpc_service){
        .descriptor = &callsheet__v1__runs__descriptor,
        .methods = methods,
        .method_count = CS_COUNT(methods),
        .ctx = runs,
    };
}

void orc_runs_interrupt(struct orc_runs *runs) {
    orc_stores_interrupt(&runs->stores);
}
