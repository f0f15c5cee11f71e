/* The engine's life and its loop. */
#include "engine/engine.h"

#include <string.h>

#include "cs/base/log.h"
#include "engine/internal.h"

enum {
    IDLE_WAIT_MS = 60 * 1000,
    STOP_WAIT_MS = 3000,
    RETURN_WAIT_MS = 300, /* what is little is back before anybody asks for it */
};

/* ---- one turn of the loop ---- */

/* Not when stopping: nobody would wait for what adopting asks to be committed. */
static void take_joined(struct orc_engine *engine, const struct orc_item *item) {
    if (engine->stopping) {
        orc_owned_destroy(item->owned);
    } else {
        orc_engine_joined(engine, item->owned);
    }
}

/* What was read or claimed under an identity that we have lost is not ours. */
static bool is_ours(struct orc_engine *engine, const struct orc_item *item) {
    return !engine->stopping && !engine->recovering && !engine->falling &&
           orc_keeper_is_current(&engine->keeper, item->taken.generation);
}

static void take_taken(struct orc_engine *engine, const struct orc_item *item) {
    if (is_ours(engine, item)) {
        orc_engine_adopt(engine, item->taken.entries);
        orc_returning_look(engine);
    } else {
        orc_entries_destroy(item->taken.entries);
    }
}

static void take_returned(struct orc_engine *engine, const struct orc_item *item) {
    if (is_ours(engine, item)) {
        orc_returning_end(engine);
    }
}

/* The commits under way fail, or are the last ones that went through before. */
static void take_replaced(struct orc_engine *engine, const struct orc_item *item) {
    if (engine->recovering || !orc_keeper_is_current(&engine->keeper, item->taken.generation)) {
        return;
    }
    cs_log_warn("this replica has been taken over, starting again");
    orc_engine_fall(engine);
}

static void take(struct orc_engine *engine, struct orc_item *item) {
    if (orc_returning_keep(engine, item)) {
        return;
    }
    switch (item->kind) {
    case ORC_ITEM_SUBMIT:
        orc_engine_take_submit(engine, item);
        break;
    case ORC_ITEM_GET:
        orc_engine_take_get(engine, item);
        break;
    case ORC_ITEM_CANCEL:
        orc_engine_take_cancel(engine, item);
        break;
    case ORC_ITEM_WATCH:
    case ORC_ITEM_UNWATCH:
    case ORC_ITEM_WATCH_LOADED:
        orc_engine_take_watch(engine, item);
        break;
    case ORC_ITEM_LINK_UP:
        orc_engine_take_link_up(engine, item);
        break;
    case ORC_ITEM_REPORTS:
        orc_engine_take_reports(engine, item);
        break;
    case ORC_ITEM_LINK_DOWN:
        orc_engine_take_link_down(engine, item);
        break;
    case ORC_ITEM_COMMITTED:
        orc_engine_committed(engine, item);
        break;
    case ORC_ITEM_JOINED:
        take_joined(engine, item);
        break;
    case ORC_ITEM_TAKEN:
        take_taken(engine, item);
        break;
    case ORC_ITEM_RETURNED:
        take_returned(engine, item);
        break;
    case ORC_ITEM_REPLACED:
        take_replaced(engine, item);
        break;
    case ORC_ITEM_BASES:
        orc_engine_take_bases(engine, item);
        break;
    case ORC_ITEM_CHANGE:
        orc_engine_take_change(engine, item);
        break;
    case ORC_ITEM_ANSWERS:
        orc_engine_take_answers(engine, item);
        break;
    case ORC_ITEM_DECIDE:
        orc_engine_take_decide(engine, item);
        break;
    case ORC_ITEM_OUTSIDE:
        orc_engine_take_report(engine, item);
        break;
    case ORC_ITEM_METRICS:
        orc_engine_take_metrics(engine, item);
        break;
    case ORC_ITEM_POKE:
        break;
    case ORC_ITEM_STOP:
        engine->stopping = true;
        orc_returning_end(engine);
        engine->give_up_ms = cs_clock_mono_ms() + STOP_WAIT_MS;
        break;
    }
    orc_engine_bytes_taken(engine, item->size_bytes);
    free(item);
}

/* Never goes back. While the clock that was set back catches up ours goes at half the pace: no timer waits for long. */
static void read_clock(struct orc_engine *engine) {
    int64_t now_ms = engine->clock.unix_ms(engine->clock.ctx);
    int64_t mono_ms = cs_clock_mono_ms();
    if (now_ms >= engine->now_ms) {
        engine->now_ms = now_ms;
        engine->read_mono_ms = mono_ms;
    } else {
        int64_t steps = (mono_ms - engine->read_mono_ms) / 2;
        engine->now_ms += steps;
        engine->read_mono_ms += 2 * steps;
    }
}

static void turn(struct orc_engine *engine, struct orc_item *items) {
    cs_arena_reset(engine->scratch);
    read_clock(engine);
    while (items != NULL) {
        struct orc_item *next = items->next;
        take(engine, items);
        items = orc_returning_before(engine, next);
    }
    if (!engine->stopping) { /* what is left to do then is done after the next start */
        orc_engine_fire_timers(engine);
        orc_gates_fire(engine);
        orc_bases_look(engine);
        orc_cache_ask(engine);
        orc_sharing_look(engine);
        orc_dispatch_run(engine);
    }
    orc_peers_flush(engine);
    orc_engine_commit_if_free(engine);
}

/* Until something is due; an item ends the wait. */
static int64_t wait_ms(const struct orc_engine *engine, int64_t flush_ms) {
    const struct orc_timer *timer = orc_timers_first(&engine->timers);
    int64_t at_ms = timer != NULL && timer->at_ms < flush_ms ? timer->at_ms : flush_ms;
    const struct orc_timer *rate = orc_timers_first(&engine->dispatch.gates.timers);
    at_ms = rate != NULL && rate->at_ms < at_ms ? rate->at_ms : at_ms;
    at_ms = orc_bases_due_ms(engine) < at_ms ? orc_bases_due_ms(engine) : at_ms;
    at_ms = orc_cache_due_ms(engine) < at_ms ? orc_cache_due_ms(engine) : at_ms;
    at_ms = orc_sharing_due_ms(engine) < at_ms ? orc_sharing_due_ms(engine) : at_ms;
    if (engine->stopping) {
        return engine->give_up_ms - cs_clock_mono_ms();
    }
    if (at_ms == INT64_MAX || at_ms - engine->now_ms > IDLE_WAIT_MS) {
        return IDLE_WAIT_MS;
    }
    return at_ms > engine->now_ms ? at_ms - engine->now_ms : 1;
}

/* The database has had its time: what is under way fails, soon. */
static void give_up(struct orc_engine *engine) {
    if (engine->give_up_ms != INT64_MAX && cs_clock_mono_ms() >= engine->give_up_ms) {
        engine->give_up_ms = INT64_MAX;
        for (size_t i = 0; i < ORC_TRACKS; i++) {
            orc_committer_hurry(&engine->tracks[i]);
        }
    }
}

static void end(struct orc_engine *engine) {
    struct cs_err err = {0};
    (void)cs_fail(&err, CS_UNAVAILABLE, "stopping", "the orchestrator stops");
    orc_queue_close(&engine->queue);
    struct orc_item *items = orc_queue_take(&engine->queue, 0);
    engine->recovering = true; /* refuses what came after the end */
    turn(engine, items);
    orc_watchers_end_all(engine, &err);
    orc_cache_drop(engine);
    while (engine->entries != NULL) {
        orc_engine_forget(engine, engine->entries);
    }
    while (engine->dispatch.peers != NULL) {
        struct orc_peer *peer = engine->dispatch.peers;
        while (peer->assignments != NULL) {
            orc_assignment_remove(engine, peer->assignments);
        }
        orc_peer_remove(engine, peer);
    }
}

static void *run(void *arg) {
    struct orc_engine *engine = arg;
    struct orc_item *items = NULL;
    while (!engine->stopping || !orc_engine_settled(engine)) {
        turn(engine, items);
        int64_t flush_ms = orc_watches_flush(engine);
        if (engine->stopping) {
            give_up(engine);
        }
        bool done = engine->stopping && orc_engine_settled(engine);
        items = done ? NULL : orc_queue_take(&engine->queue, wait_ms(engine, flush_ms));
    }
    turn(engine, items);
    end(engine);
    return NULL;
}

/* ---- life ---- */

static char *copy(const char *text) {
    return cs_strdup(text != NULL ? text : "");
}

/* Takes over the limits. */
static struct orc_engine *create(const struct orc_engine_config *config, struct orc_limits *limits) {
    struct orc_engine *engine = cs_alloc(sizeof(*engine));
    engine->database_url = copy(config->database_url);
    engine->replica = copy(config->replica);
    engine->failed = config->failed;
    engine->failed_ctx = config->failed_ctx;
    engine->environment = copy(config->environment);
    engine->public_url = copy(config->public_url);
    engine->link_secret = copy(config->link_secret);
    engine->clock = config->clock != NULL ? *config->clock : cs_clock_system();
    atomic_init(&engine->next_watch, 1);
    orc_queue_init(&engine->queue);
    orc_keeper_init(&engine->keeper);
    orc_dispatch_init(&engine->dispatch, limits, config->headroom_share);
    for (size_t i = 0; i < ORC_TRACKS; i++) {
        orc_track_init(&engine->tracks[i], engine);
    }
    engine->scratch = cs_arena_create();
    engine->recovering = true;
    return engine;
}

static void destroy(struct orc_engine *engine) {
    orc_keeper_stop(engine);
    orc_cache_stop(engine);
    orc_readers_destroy(engine->readers);
    orc_commands_fini(&engine->commands);
    orc_timers_fini(&engine->timers);
    for (size_t i = 0; i < ORC_TRACKS; i++) {
        orc_track_fini(&engine->tracks[i]);
    }
    orc_dispatch_fini(&engine->dispatch);
    cs_arena_destroy(engine->scratch);
    orc_keeper_fini(&engine->keeper); /* after the readers, who ask it for our address */
    orc_queue_fini(&engine->queue);
    free(engine->database_url);
    free(engine->replica);
    free(engine->environment);
    free(engine->public_url);
    free(engine->link_secret);
    free(engine);
}

static enum cs_status open_database(struct orc_engine *engine, struct orc_owned **ret_owned, struct cs_err *err) {
    CS_TRY(orc_store_migrate(engine->database_url, err));
    for (size_t i = 0; i < ORC_TRACKS; i++) {
        CS_TRY(orc_store_open(engine->database_url, &engine->tracks[i].committer.store, err));
    }
    CS_TRY(orc_readers_create(engine->database_url, &engine->readers, err));
    CS_TRY(orc_keeper_start(engine, err));
    return orc_engine_join(engine, ret_owned, err);
}

static enum cs_status dial(struct orc_engine *engine, const struct orc_engine_config *config, struct cs_err *err) {
    const struct orc_links_config links = {
        .targets = config->workers,
        .replica = engine->name,
        .tls = config->tls,
        .authorization = config->authorization,
        .events = &orc_engine_link_events,
        .ctx = engine,
    };
    return orc_links_create(config->rpc, &links, &engine->links, err);
}

static void stop_committers(struct orc_engine *engine, size_t count) {
    for (size_t i = 0; i < count; i++) {
        orc_committer_stop(&engine->tracks[i]);
    }
}

static enum cs_status start_threads(struct orc_engine *engine, struct cs_err *err) {
    size_t started = 0;
    while (started < ORC_TRACKS && orc_committer_start(&engine->tracks[started], err) == CS_OK) {
        started++;
    }
    if (started == ORC_TRACKS && pthread_create(&engine->thread, NULL, run, engine) == 0) {
        return CS_OK;
    }
    stop_committers(engine, started);
    return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for the engine");
}

enum cs_status orc_engine_start(const struct orc_engine_config *config, struct orc_engine **ret_engine,
                                struct cs_err *err) {
    struct orc_limits limits = {0};
    CS_TRY(orc_limits_parse(config->limits, config->tenant_weights, &limits, err));
    struct orc_engine *engine = create(config, &limits);
    CS_AUTO(orc_owned) *owned = NULL;
    if (orc_cache_start(engine, config->version, config->cache_ttl_ms, err) != CS_OK ||
        open_database(engine, &owned, err) != CS_OK) {
        destroy(engine);
        return err->status;
    }
    read_clock(engine);
    /* The engine's thread needs the links, and what they report waits in the queue until it runs. */
    if (dial(engine, config, err) != CS_OK || start_threads(engine, err) != CS_OK) {
        orc_links_destroy(engine->links);
        destroy(engine);
        return err->status;
    }
    struct orc_item *joined = orc_item_create(ORC_ITEM_JOINED);
    joined->owned = cs_steal(&owned);
    (void)orc_queue_put(&engine->queue, joined);
    orc_keeper_await_returned(&engine->keeper, RETURN_WAIT_MS);
    *ret_engine = engine;
    return CS_OK;
}

void orc_engine_poke(struct orc_engine *engine) {
    (void)orc_queue_put(&engine->queue, orc_item_create(ORC_ITEM_POKE));
}

void orc_engine_stop(struct orc_engine *engine) {
    if (engine == NULL) {
        return;
    }
    (void)orc_queue_put(&engine->queue, orc_item_create(ORC_ITEM_STOP));
    (void)pthread_join(engine->thread, NULL);
    stop_committers(engine, ORC_TRACKS);
    orc_keeper_stop(engine); /* nothing is written any more: others may have it at once */
    orc_links_destroy(engine->links);
    destroy(engine);
}

void orc_engine_set_address(struct orc_engine *engine, const char *address) {
    orc_keeper_set_address(&engine->keeper, address);
}
