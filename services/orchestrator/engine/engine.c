/* The engine's life and its loop. */
#include "engine/engine.h"

#include <string.h>

#include "cs/base/log.h"
#include "engine/internal.h"

enum { IDLE_WAIT_MS = 60 * 1000, STOP_WAIT_MS = 3000 };

/* ---- one turn of the loop ---- */

/* Not when stopping: nobody would wait for what adopting asks to be committed. */
static void take_recovered(struct orc_engine *engine, const struct orc_item *item) {
    if (engine->stopping) {
        orc_entries_destroy(item->recovered);
    } else {
        orc_engine_adopt(engine, item->recovered);
    }
}

/* What was claimed under an identity that we have lost is not ours. */
static void take_taken(struct orc_engine *engine, const struct orc_item *item) {
    if (engine->stopping || engine->recovering || engine->replaced ||
        !orc_keeper_is_current(&engine->keeper, item->taken.generation)) {
        orc_entries_destroy(item->taken.entries);
    } else {
        orc_engine_adopt_taken(engine, item->taken.entries);
    }
}

/* The committer still reads the batch under way; it fails, or is the last one that went through before. */
static void take_replaced(struct orc_engine *engine, const struct orc_item *item) {
    if (engine->recovering || !orc_keeper_is_current(&engine->keeper, item->taken.generation)) {
        return;
    }
    cs_log_warn("this replica has been taken over, starting again");
    engine->replaced = engine->committing != NULL;
    if (!engine->replaced) {
        orc_engine_drop_all(engine);
    }
}

static void take(struct orc_engine *engine, struct orc_item *item) {
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
        orc_engine_committed(engine, item->committed.ok, &item->committed.err);
        break;
    case ORC_ITEM_RECOVERED:
        take_recovered(engine, item);
        break;
    case ORC_ITEM_TAKEN:
        take_taken(engine, item);
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
        engine->give_up_ms = cs_clock_mono_ms() + STOP_WAIT_MS;
        break;
    }
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
        items = next;
    }
    if (!engine->stopping) { /* what is left to do then is done after the next start */
        orc_engine_fire_timers(engine);
        orc_gates_fire(engine);
        orc_bases_look(engine);
        orc_cache_ask(engine);
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
    if (engine->stopping) {
        return engine->give_up_ms - cs_clock_mono_ms();
    }
    if (at_ms == INT64_MAX || at_ms - engine->now_ms > IDLE_WAIT_MS) {
        return IDLE_WAIT_MS;
    }
    return at_ms > engine->now_ms ? at_ms - engine->now_ms : 1;
}

static bool settled(const struct orc_engine *engine) {
    return engine->committing == NULL && orc_batch_empty(engine->filling);
}

/* The database has had its time: what is under way fails, soon. */
static void give_up(struct orc_engine *engine) {
    if (engine->give_up_ms != INT64_MAX && cs_clock_mono_ms() >= engine->give_up_ms) {
        engine->give_up_ms = INT64_MAX;
        orc_committer_hurry(engine);
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
    while (!engine->stopping || !settled(engine)) {
        turn(engine, items);
        int64_t flush_ms = orc_watches_flush(engine);
        if (engine->stopping) {
            give_up(engine);
        }
        bool done = engine->stopping && settled(engine);
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
    orc_dispatch_init(&engine->dispatch, limits, config->headroom_share);
    orc_batch_init(&engine->batches[0]);
    orc_batch_init(&engine->batches[1]);
    engine->filling = &engine->batches[0];
    engine->filling->number = 1; /* 0: never changed */
    engine->scratch = cs_arena_create();
    return engine;
}

static void destroy(struct orc_engine *engine) {
    orc_keeper_stop(engine);
    orc_cache_stop(engine);
    orc_readers_destroy(engine->readers);
    orc_store_close(engine->committer.store);
    orc_commands_fini(&engine->commands);
    orc_timers_fini(&engine->timers);
    orc_batch_fini(&engine->batches[0]);
    orc_batch_fini(&engine->batches[1]);
    orc_dispatch_fini(&engine->dispatch);
    cs_arena_destroy(engine->scratch);
    orc_queue_fini(&engine->queue);
    free(engine->database_url);
    free(engine->replica);
    free(engine->environment);
    free(engine->public_url);
    free(engine->link_secret);
    free(engine);
}

static enum cs_status open_database(struct orc_engine *engine, struct orc_entry **ret_entries, struct cs_err *err) {
    CS_TRY(orc_store_migrate(engine->database_url, err));
    CS_TRY(orc_store_open(engine->database_url, &engine->committer.store, err));
    CS_TRY(orc_readers_create(engine->database_url, &engine->readers, err));
    CS_TRY(orc_keeper_start(engine, err));
    return orc_engine_load(engine, ret_entries, err);
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

static enum cs_status start_threads(struct orc_engine *engine, struct cs_err *err) {
    CS_TRY(orc_committer_start(engine, err));
    if (pthread_create(&engine->thread, NULL, run, engine) != 0) {
        orc_committer_stop(engine);
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for the engine");
    }
    return CS_OK;
}

static void forget_all(struct orc_engine *engine) {
    while (engine->entries != NULL) {
        orc_engine_forget(engine, engine->entries);
    }
}

enum cs_status orc_engine_start(const struct orc_engine_config *config, struct orc_engine **ret_engine,
                                struct cs_err *err) {
    struct orc_limits limits = {0};
    CS_TRY(orc_limits_parse(config->limits, config->tenant_weights, &limits, err));
    struct orc_engine *engine = create(config, &limits);
    struct orc_entry *entries = NULL;
    if (orc_cache_start(engine, config->version, config->cache_ttl_ms, err) != CS_OK ||
        open_database(engine, &entries, err) != CS_OK) {
        destroy(engine);
        return err->status;
    }
    read_clock(engine);
    orc_engine_adopt(engine, entries);
    /* The engine's thread needs the links, and what they report waits in the queue until it runs. */
    if (dial(engine, config, err) != CS_OK || start_threads(engine, err) != CS_OK) {
        orc_links_destroy(engine->links);
        forget_all(engine);
        destroy(engine);
        return err->status;
    }
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
    orc_committer_stop(engine);
    orc_keeper_stop(engine); /* nothing is written any more: others may have it at once */
    orc_links_destroy(engine->links);
    destroy(engine);
}

void orc_engine_set_address(struct orc_engine *engine, const char *address) {
    orc_keeper_set_address(&engine->keeper, address);
}
