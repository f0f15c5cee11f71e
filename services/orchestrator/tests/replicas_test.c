/* Several replicas on one database: who takes over, who is shut out, who answers. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "peek_sql.h"
#include "store/store.h"
#include "world.h"

#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word
#define JOB(word) CALLSHEET__V1__JOB_STATE__JOB_STATE_##word

#define ONE "{'tenant':'acme','plan':{'jobs':[{'id':'a','operation':{'noop':{}}}]}}"

enum { TAKEOVER_MS_MAX = 3000, HANDOVER_MS_MAX = 2000 };

static const struct cs_pg_statement owner_of = CS_PG_STATEMENT(owner_of, "text", "owner:text open:bool");
static const struct cs_pg_statement replicas_alive = CS_PG_STATEMENT(replicas_alive, "", "alive:int8 names:text");

/* Two replicas with names of their own; calls go to the first. */
struct pair {
    struct world world;
    struct cs_test_program other;
    struct scripted_worker *worker;
};

static void pair_open(struct pair *pair, struct scripted_config worker) {
    world_open(&pair->world, NULL);
    pair->world.config.replica = "";
    pair->worker = world_worker(&pair->world, worker);
    world_start_program(&pair->world);
    world_start_second(&pair->world, "", &pair->other);
}

static void pair_close(struct pair *pair) {
    scripted_stop(pair->worker);
    cs_test_program_fini(&pair->other);
    world_close(&pair->world);
}
#define AUTO_PAIR __attribute__((cleanup(pair_close))) struct pair

static void go_to_other(struct pair *pair) {
    world_go_to(&pair->world, pair->other.address);
}

static struct cs_pg_rows *peek(struct world *world, const struct cs_pg_statement *statement, const char *id) {
    CS_AUTO_PG_PARAMS params = {0};
    struct cs_pg_rows *rows = NULL;
    struct cs_err err = {0};
    if (id != NULL) {
        cs_pg_put_text(&params, id);
    }
    assert_ok(cs_pg_one(world->pg, statement, &params, &rows, &err), &err);
    return rows;
}

static const char *owner(struct world *world, const char *id) {
    CS_AUTO(cs_pg_rows) *rows = peek(world, &owner_of, id);
    return cs_arena_strdup(world->arena, cs_pg_text(rows, "owner"));
}

struct names {
    struct world *world;
    const char *before; /* must not be among them */
};

/* Two are alive, and none of them under the old name. */
static bool two_without(void *ctx) {
    const struct names *names = ctx;
    CS_AUTO(cs_pg_rows) *rows = peek(names->world, &replicas_alive, NULL);
    return cs_pg_i64(rows, "alive") == 2 && strstr(cs_pg_text(rows, "names"), names->before) == NULL;
}

static const Callsheet__V1__Execution *await_completed(struct world *world, const char *id) {
    const Callsheet__V1__Execution *execution = world_await(world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_int_equal(world_events(world, id, ORC_EVENT_SUCCEEDED), 1);
    return execution;
}

/* ---- death ---- */

TEST(ex_007_e11_w22_what_a_killed_replica_ran_is_done_by_the_other_within_3_s) {
    enum { COUNT = 20 };
    AUTO_PAIR pair = {0};
    pair_open(&pair, (struct scripted_config){.slots = COUNT});
    const char *ids[COUNT];
    for (int i = 0; i < COUNT; i++) {
        ids[i] = world_create(&pair.world, ONE);
        heard_free(scripted_take(pair.worker, HEARD_ASSIGN));
    }
    const char *before = owner(&pair.world, ids[0]);
    int64_t start_ms = cs_clock_mono_ms();
    cs_test_program_kill(&pair.world.program);
    go_to_other(&pair);
    for (int i = 0; i < COUNT; i++) {
        CS_AUTO(heard) *assigned = scripted_take(pair.worker, HEARD_ASSIGN);
        if (i == 0) {
            print_message("takeover after kill -9: %lld ms\n", (long long)(cs_clock_mono_ms() - start_ms));
        }
        scripted_succeed(assigned);
    }
    int64_t took_ms = cs_clock_mono_ms() - start_ms;
    for (int i = 0; i < COUNT; i++) {
        (void)await_completed(&pair.world, ids[i]);
        assert_string_not_equal(owner(&pair.world, ids[i]), before);
    }
    assert_true(took_ms <= TAKEOVER_MS_MAX);
    assert_int_equal(world_stuck_count(&pair.world), 0);
}

TEST(an_execution_of_a_dead_replica_is_read_from_its_log) {
    AUTO_PAIR pair = {0};
    pair_open(&pair, (struct scripted_config){.slots = 1});
    const char *id = world_create(&pair.world, DIAMOND);
    CS_AUTO(heard) *a = scripted_take(pair.worker, HEARD_ASSIGN);
    scripted_succeed(a);
    heard_free(scripted_take(pair.worker, HEARD_ASSIGN)); /* a's end is durable */
    cs_test_program_kill(&pair.world.program);
    go_to_other(&pair);
    const Callsheet__V1__Execution *execution = world_get(&pair.world, id); /* before its lease has ended */
    assert_int_equal(execution->state, STATE(PROCESSING));
    assert_int_equal(execution->n_jobs, 4);
    assert_int_equal(execution->jobs[0]->state, JOB(COMPLETED));
    assert_int_equal(execution->jobs[3]->state, JOB(WAITING));
}

/* ---- a stop ---- */

TEST(a_replica_that_was_stopped_and_replaced_writes_nothing_and_joins_anew) {
    AUTO_PAIR pair = {0};
    pair_open(&pair, (struct scripted_config){.slots = 8});
    const char *id = world_create(&pair.world, ONE);
    CS_AUTO(heard) *old = scripted_take(pair.worker, HEARD_ASSIGN);
    struct names names = {&pair.world, owner(&pair.world, id)};
    assert_int_equal(kill(pair.world.program.process.pid, SIGSTOP), 0);
    int64_t start_ms = cs_clock_mono_ms();
    CS_AUTO(heard) *new = scripted_take(pair.worker, HEARD_ASSIGN);
    print_message("takeover after SIGSTOP: %lld ms\n", (long long)(cs_clock_mono_ms() - start_ms));
    const char *taker = owner(&pair.world, id);
    assert_string_not_equal(taker, names.before);
    scripted_succeed(old); /* waits in its socket */
    assert_int_equal(kill(pair.world.program.process.pid, SIGCONT), 0);
    cs_test_await(two_without, &names, "the stopped replica to join under a new name");
    assert_int_equal(world_events(&pair.world, id, ORC_EVENT_SUCCEEDED),
                     0); /* it heard of it, and could not write it */
    assert_string_equal(owner(&pair.world, id), taker);
    scripted_succeed(new);
    (void)await_completed(&pair.world, id); /* through the one that was stopped */
    const char *next = world_create(&pair.world, ONE);
    CS_AUTO(heard) *again = scripted_take(pair.worker, HEARD_ASSIGN);
    assert_string_equal(again->command->assign->execution, next);
    scripted_succeed(again);
    (void)await_completed(&pair.world, next);
}

TEST(a_replica_that_was_replaced_while_it_had_nothing_to_write_joins_anew) {
    AUTO_PAIR pair = {0};
    pair_open(&pair, (struct scripted_config){.slots = 8});
    const char *id = world_create(&pair.world, ONE);
    heard_free(scripted_take(pair.worker, HEARD_ASSIGN));
    struct names names = {&pair.world, owner(&pair.world, id)};
    assert_int_equal(kill(pair.world.program.process.pid, SIGSTOP), 0);
    CS_AUTO(heard) *taken = scripted_take(pair.worker, HEARD_ASSIGN);
    assert_int_equal(kill(pair.world.program.process.pid, SIGCONT), 0);
    cs_test_await(two_without, &names, "the stopped replica to join under a new name");
    scripted_succeed(taken);
    (void)await_completed(&pair.world, id);
}

/* ---- a drain ---- */

TEST(a_drain_hands_over_at_once) {
    AUTO_PAIR pair = {0};
    pair_open(&pair, (struct scripted_config){.slots = 4});
    const char *id = world_create(&pair.world, ONE);
    heard_free(scripted_take(pair.worker, HEARD_ASSIGN));
    int64_t start_ms = cs_clock_mono_ms();
    assert_int_equal(cs_test_program_stop(&pair.world.program), 0);
    CS_AUTO(heard) *assigned = scripted_take(pair.worker, HEARD_ASSIGN);
    int64_t took_ms = cs_clock_mono_ms() - start_ms;
    print_message("hand-over after SIGTERM: %lld ms\n", (long long)took_ms);
    assert_true(took_ms <= HANDOVER_MS_MAX);
    go_to_other(&pair);
    scripted_succeed(assigned);
    (void)await_completed(&pair.world, id);
}

TEST(what_nobody_runs_is_taken_over_by_the_next_that_starts) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world.config.replica = "";
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){.automatic = true});
    char workers[sizeof(world.workers)];
    cs_str_copy(workers, sizeof(workers), world.workers);
    world.workers[0] = '\0';
    world_start_program(&world);
    const char *id = world_create(&world, ONE);
    assert_int_equal(world_stop_program(&world), 0);
    cs_str_copy(world.workers, sizeof(world.workers), workers);
    world_start_program(&world);
    (void)await_completed(&world, id);
    assert_int_equal(world_count(&world).replicas, 1); /* the row of the first has gone */
    assert_int_equal(world_stop_program(&world), 0);
    scripted_stop(worker);
}

/* ---- any replica answers ---- */

TEST(the_other_replica_forwards_reads_watches_and_cancels) {
    AUTO_PAIR pair = {0};
    pair_open(&pair, (struct scripted_config){.slots = 4});
    const char *id = world_create(&pair.world, ONE);
    CS_AUTO(heard) *assigned = scripted_take(pair.worker, HEARD_ASSIGN);
    go_to_other(&pair);
    const Callsheet__V1__Execution *execution = world_get(&pair.world, id);
    assert_int_equal(execution->jobs[0]->state, JOB(RUNNING)); /* only its owner knows */
    struct watch *watch = watch_start(&pair.world, "acme", id, false);
    assert_true(watch_next(watch)->snapshot);
    scripted_progress(assigned, 0.5);
    assert_true(watch_next(watch)->execution->jobs[0]->progress->fraction == 0.5);
    struct cs_err err = {0};
    assert_ok(world_try_cancel(&pair.world, "acme", id, "no more", &execution, &err), &err);
    assert_int_equal(execution->state, STATE(CANCELLED));
    heard_free(scripted_take(pair.worker, HEARD_CANCEL));
    Callsheet__V1__ExecutionState last = STATE(UNSPECIFIED);
    for (const Callsheet__V1__ExecutionUpdate *update = NULL; (update = watch_next(watch)) != NULL;) {
        last = update->execution->state;
    }
    assert_int_equal(last, STATE(CANCELLED));
    assert_int_equal(watch_end(watch)->status, CS_OK);
    watch_stop(watch);
    assert_int_equal(world_try_get(&pair.world, "other", id, &execution, &err), CS_NOT_FOUND);
    assert_int_equal(world_try_cancel(&pair.world, "other", id, "", &execution, &err), CS_NOT_FOUND);
}

TEST(a_watcher_that_leaves_the_other_replica_leaves_the_owner_too) {
    AUTO_PAIR pair = {0};
    pair_open(&pair, (struct scripted_config){.slots = 4});
    const char *id = world_create(&pair.world, ONE);
    CS_AUTO(heard) *assigned = scripted_take(pair.worker, HEARD_ASSIGN);
    struct cs_test_program first = pair.world.program;
    go_to_other(&pair);
    for (int i = 0; i < 3; i++) {
        struct watch *watch = watch_start(&pair.world, "acme", id, false);
        assert_true(watch_next(watch)->snapshot);
        watch_stop(watch);
    }
    struct watch *watch = watch_start(&pair.world, "acme", id, false);
    assert_true(watch_next(watch)->snapshot);
    assert_int_equal(cs_test_program_stop(&pair.other), 0); /* the one between them ends the watch, and ends */
    while (watch_next(watch) != NULL) {
    }
    assert_int_equal(watch_end(watch)->status, CS_UNAVAILABLE);
    watch_stop(watch);
    world_go_to(&pair.world, first.address);
    scripted_succeed(assigned);
    (void)await_completed(&pair.world, id);
    assert_int_equal(world_stop_program(&pair.world), 0);
}

TEST(t2_a_key_is_one_execution_on_both_replicas) {
    AUTO_PAIR pair = {0};
    pair_open(&pair, (struct scripted_config){.slots = 4});
    const Callsheet__V1__CreateExecutionReply *replies[2];
    struct cs_err err = {0};
    for (int i = 0; i < 2; i++) {
        Callsheet__V1__CreateExecutionRequest *request = request_from(ONE, pair.world.arena);
        request->idempotency_key = (char *)"once";
        assert_ok(world_try_create(&pair.world, request, &replies[i], &err), &err);
        go_to_other(&pair);
    }
    assert_string_equal(replies[0]->execution_id, replies[1]->execution_id);
    assert_true(replies[1]->existing);
}

/* ---- races ---- */

TEST(two_replicas_share_what_a_third_left_and_each_execution_has_one_winner) {
    enum { COUNT = 200 };
    AUTO_PAIR pair = {0};
    pair_open(&pair, (struct scripted_config){.slots = 2, .automatic = false});
    CS_AUTO_TEST_PROGRAM third = {0};
    world_start_second(&pair.world, "", &third);
    const char *ids[COUNT];
    for (int i = 0; i < COUNT; i++) {
        ids[i] = world_create(&pair.world, ONE);
    }
    const char *before = owner(&pair.world, ids[0]);
    cs_test_program_kill(&pair.world.program);
    scripted_break(pair.worker); /* what it had of the dead one is gone; the others dial it again */
    go_to_other(&pair);
    int done = 0;
    while (done < COUNT) {
        CS_AUTO(heard) *assigned = scripted_take(pair.worker, HEARD_ASSIGN);
        scripted_succeed(assigned);
        CS_AUTO(cs_pg_rows) *rows = peek(&pair.world, &owner_of, assigned->command->assign->execution);
        done += strcmp(cs_pg_text(rows, "owner"), before) != 0;
    }
    for (int i = 0; i < COUNT; i++) {
        (void)await_completed(&pair.world, ids[i]);
        assert_string_not_equal(owner(&pair.world, ids[i]), before);
    }
    assert_int_equal(world_open_count(&pair.world), 0);
    assert_int_equal(world_stuck_count(&pair.world), 0);
}

/* A store that has joined under a name. */
static struct orc_store *store_of(struct world *world, const char *name) {
    struct orc_store *store = NULL;
    int64_t epoch = 0;
    struct cs_err err = {0};
    assert_ok(orc_store_open(world->url, &store, &err), &err);
    assert_ok(orc_store_join(store, name, 1000, &epoch, &err), &err);
    return store;
}

static void insert(struct world *world, struct orc_store *store, int count, size_t request_size) {
    struct orc_row_created *rows = cs_arena_array(world->arena, (size_t)count, sizeof(*rows));
    bool *duplicates = cs_arena_array(world->arena, (size_t)count, sizeof(*duplicates));
    struct cs_err err = {0};
    for (int i = 0; i < count; i++) {
        rows[i] = (struct orc_row_created){.id = cs_arena_sprintf(world->arena, "execution-%04d", i),
                                           .tenant = "acme",
                                           .idempotency_key = "",
                                           .request = cs_arena_alloc(world->arena, request_size),
                                           .request_size = request_size,
                                           .created_at_ms = 5000,
                                           .wake_at_ms = 9000,
                                           .traceparent = "00-1-2-01"};
    }
    const struct orc_commit commit = {.created = rows, .created_count = (size_t)count};
    assert_ok(orc_store_commit(store, &commit, duplicates, &err), &err);
}

struct taker {
    struct orc_store *store;
    int64_t epoch;
    size_t claimed;
    struct cs_err err;
};

static void *claim_all(void *arg) {
    struct taker *taker = arg;
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    size_t count = 1;
    enum cs_status status = orc_store_fence(taker->store, "dead", &taker->epoch, &taker->err);
    while (status == CS_OK && count != 0) {
        struct orc_stored *items = NULL;
        status = orc_store_claim(taker->store, "dead", taker->epoch, "", 7, arena, &items, &count, &taker->err);
        taker->claimed += status == CS_OK ? count : 0;
    }
    return NULL;
}

TEST(of_two_takers_exactly_one_gets_each_execution) {
    enum { COUNT = 500 };
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    CS_AUTO(orc_store) *dead = store_of(&world, "dead");
    insert(&world, dead, COUNT, 10);
    struct taker takers[2] = {{.store = store_of(&world, "r1")}, {.store = store_of(&world, "r2")}};
    struct cs_err err = {0};
    int64_t epoch = -1;
    assert_ok(orc_store_fence(takers[0].store, "dead", &epoch, &err), &err);
    assert_int_equal(epoch, 0); /* it is alive */
    assert_ok(orc_store_release(dead, NULL, &err), &err);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, claim_all, &takers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_ok(takers[i].err.status, &takers[i].err);
        assert_true(takers[i].epoch > 1);
    }
    assert_int_equal(takers[0].epoch, takers[1].epoch);
    assert_int_equal(takers[0].claimed + takers[1].claimed, COUNT);
    bool removed = false;
    assert_ok(orc_store_remove(takers[0].store, "dead", takers[0].epoch, &removed, &err), &err);
    assert_true(removed);
    for (int i = 0; i < 2; i++) {
        orc_store_close(takers[i].store);
    }
}

TEST(a_fenced_replica_can_neither_write_nor_claim_nor_stay_alive) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    CS_AUTO(orc_store) *old = store_of(&world, "old");
    CS_AUTO(orc_store) *other = store_of(&world, "other");
    CS_AUTO(orc_store) *taker = store_of(&world, "taker");
    insert(&world, other, 3, 10);
    struct cs_err err = {0};
    struct orc_alive alive = {0};
    assert_ok(orc_store_keep(old, "127.0.0.1:1", world.arena, &alive, &err), &err);
    assert_true(alive.kept);
    assert_true(alive.next_ms > 0);
    int64_t epoch = 0;
    assert_ok(orc_store_release(old, NULL, &err), &err);
    assert_ok(orc_store_fence(taker, "old", &epoch, &err), &err);
    assert_ok(orc_store_keep(old, "127.0.0.1:1", world.arena, &alive, &err), &err);
    assert_false(alive.kept);
    bool released = true;
    assert_ok(orc_store_release(old, &released, &err), &err);
    assert_false(released);
    assert_fails(orc_store_commit(old, &(struct orc_commit){0}, NULL, &err), &err, CS_ABORTED, "fenced");
    assert_ok(orc_store_release(other, NULL, &err), &err);
    assert_ok(orc_store_fence(taker, "other", &epoch, &err), &err);
    struct orc_stored *items = NULL;
    size_t count = 0;
    assert_fails(orc_store_claim(old, "other", epoch, "", 9, world.arena, &items, &count, &err), &err, CS_ABORTED,
                 "fenced");
    int64_t joined = 0;
    assert_ok(orc_store_rejoin(other, "other", 1, 2000, &joined, &err), &err); /* nobody is alive under its name */
    assert_fails(orc_store_claim(taker, "other", epoch, "", 9, world.arena, &items, &count, &err), &err, CS_ABORTED,
                 "not_fenced");
    assert_fails(orc_store_rejoin(old, "taker", 77, 2000, &joined, &err), &err, CS_FAILED_PRECONDITION,
                 "replica_taken");
}

TEST(a_name_whose_row_was_removed_does_not_get_an_old_epoch_again) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    CS_AUTO(orc_store) *stopped = store_of(&world, "fixed");
    CS_AUTO(orc_store) *taker = store_of(&world, "taker");
    struct cs_err err = {0};
    int64_t epoch = 0;
    bool removed = false;
    assert_ok(orc_store_release(stopped, NULL, &err), &err);
    assert_ok(orc_store_fence(taker, "fixed", &epoch, &err), &err);
    assert_ok(orc_store_remove(taker, "fixed", epoch, &removed, &err), &err);
    assert_true(removed);
    CS_AUTO(orc_store) *next = store_of(&world, "fixed"); /* as a supervisor would start it */
    assert_fails(orc_store_commit(stopped, &(struct orc_commit){0}, NULL, &err), &err, CS_ABORTED, "fenced");
    assert_ok(orc_store_commit(next, &(struct orc_commit){0}, NULL, &err), &err);
}

TEST(what_is_read_at_once_has_a_limit_in_bytes) {
    enum { COUNT = 5, SIZE = ORC_READ_BYTES_MAX / 2 - 1000 };
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    CS_AUTO(orc_store) *dead = store_of(&world, "dead");
    CS_AUTO(orc_store) *taker = store_of(&world, "taker");
    insert(&world, dead, COUNT, SIZE);
    struct cs_err err = {0};
    struct orc_stored *items = NULL;
    size_t count = 0;
    const char **ids = NULL;
    assert_ok(orc_store_open_ids(dead, "dead", world.arena, &ids, &count, &err), &err);
    assert_int_equal(count, COUNT);
    assert_ok(orc_store_open_executions(dead, "dead", ids, COUNT, world.arena, &items, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_string_equal(items[1].id, ids[1]);
    int64_t epoch = 0;
    assert_ok(orc_store_release(dead, NULL, &err), &err);
    assert_ok(orc_store_fence(taker, "dead", &epoch, &err), &err);
    static const size_t expected[] = {2, 2, 1, 0};
    const char *after_id = "";
    for (size_t i = 0; i < CS_COUNT(expected); i++) {
        assert_ok(orc_store_claim(taker, "dead", epoch, after_id, 500, world.arena, &items, &count, &err), &err);
        assert_int_equal(count, expected[i]);
        after_id = count != 0 ? items[count - 1].id : after_id;
    }
}

TEST_MAIN(CS_TEST(ex_007_e11_w22_what_a_killed_replica_ran_is_done_by_the_other_within_3_s),
          CS_TEST(an_execution_of_a_dead_replica_is_read_from_its_log),
          CS_TEST(a_replica_that_was_stopped_and_replaced_writes_nothing_and_joins_anew),
          CS_TEST(a_replica_that_was_replaced_while_it_had_nothing_to_write_joins_anew),
          CS_TEST(a_drain_hands_over_at_once), CS_TEST(what_nobody_runs_is_taken_over_by_the_next_that_starts),
          CS_TEST(the_other_replica_forwards_reads_watches_and_cancels),
          CS_TEST(a_watcher_that_leaves_the_other_replica_leaves_the_owner_too),
          CS_TEST(t2_a_key_is_one_execution_on_both_replicas),
          CS_TEST(two_replicas_share_what_a_third_left_and_each_execution_has_one_winner),
          CS_TEST(of_two_takers_exactly_one_gets_each_execution),
          CS_TEST(a_fenced_replica_can_neither_write_nor_claim_nor_stay_alive),
          CS_TEST(a_name_whose_row_was_removed_does_not_get_an_old_epoch_again),
          CS_TEST(what_is_read_at_once_has_a_limit_in_bytes))
