#include "store/cache.h"
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/pg.h"
#include "cs/test.h"
#include "cs/test_support.h"
#include "domain/execution.h"
#include "domain/fsm.h"
#include "peek_sql.h"

static const struct cs_pg_statement counts =
    CS_PG_STATEMENT(counts, "", "executions:int8 events:int8 replicas:int8 migrations:int8");
static const struct cs_pg_statement without_wakeup = CS_PG_STATEMENT(without_wakeup, "", "stuck:int8");
static const struct cs_pg_statement state_words =
    CS_PG_STATEMENT(state_words, "", "state:int4 name:text terminal:bool");
static const struct cs_pg_statement kind_words = CS_PG_STATEMENT(kind_words, "", "kind:int4 name:text");
static const struct cs_pg_statement events_change = CS_PG_STATEMENT(events_change, "", "");
static const struct cs_pg_statement events_remove = CS_PG_STATEMENT(events_remove, "", "");
static const struct cs_pg_statement state_set = CS_PG_STATEMENT(state_set, "text int4 int8", "");
static const struct cs_pg_statement event_kind_try = CS_PG_STATEMENT(event_kind_try, "int4", "");
static const struct cs_pg_statement open_set = CS_PG_STATEMENT(open_set, "text bool int8", "");
static const struct cs_pg_statement owner_set = CS_PG_STATEMENT(owner_set, "text text", "");
static const struct cs_pg_statement wakeup_drop = CS_PG_STATEMENT(wakeup_drop, "", "");

static enum cs_status migrate(const char *url, __attribute__((unused)) void *ctx, struct cs_err *err) {
    return orc_store_migrate(url, err);
}

static const struct cs_test_template migrated = {"orchestrator", migrate, NULL};

/* A migrated database, a store that has joined, and a session to look beside it. */
struct place {
    struct cs_test_db db;
    struct orc_store *store;
    struct cs_pg *pg;
    struct cs_arena *arena;
    int64_t epoch;
};

static void place_open(struct place *place) {
    struct cs_err err = {0};
    cs_test_db_create(&place->db, &migrated);
    place->arena = cs_arena_create();
    assert_ok(orc_store_open(place->db.url, &place->store, &err), &err);
    assert_ok(orc_store_join(place->store, "r1", 1000, &place->epoch, &err), &err);
    assert_ok(cs_pg_open(place->db.url, NULL, &place->pg, &err), &err);
}

static void place_close(struct place *place) {
    orc_store_close(place->store);
    cs_pg_close(place->pg);
    cs_arena_destroy(place->arena);
    cs_test_db_drop(&place->db);
}
#define AUTO_PLACE __attribute__((cleanup(place_close))) struct place

static int64_t number(struct cs_pg *pg, const struct cs_pg_statement *statement, const char *column) {
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    assert_ok(cs_pg_one(pg, statement, NULL, &rows, &err), &err);
    return cs_pg_i64(rows, column);
}

static struct orc_row_created row(const char *id, const char *key) {
    struct orc_row_created created = {
        .id = id,
        .tenant = "acme",
        .idempotency_key = key,
        .request = "request",
        .request_size = 7,
        .created_at_ms = 5000,
        .wake_at_ms = 9000,
        .traceparent = "00-1-2-01",
    };
    memset(created.request_sha256, 0x5A, sizeof(created.request_sha256));
    return created;
}

static struct orc_row_event event(const char *execution, uint64_t seq) {
    return (struct orc_row_event){.execution = execution,
                                  .seq = seq,
                                  .kind = ORC_EVENT_SUCCEEDED,
                                  .job = 3,
                                  .attempt = 2,
                                  .at_ms = 6000,
                                  .payload = "done",
                                  .payload_size = 4};
}

static struct orc_row_head finished(const char *id, uint64_t seq) {
    return (struct orc_row_head){.id = id,
                                 .state = ORC_EXECUTION_COMPLETED,
                                 .open = false,
                                 .seq = seq,
                                 .started_at_ms = 5500,
                                 .completed_at_ms = 6000,
                                 .summary = "summary",
                                 .summary_size = 7,
                                 .webhook_body = "{}",
                                 .webhook_body_size = 2};
}

static void commit_created(struct place *place, const char *id, const char *key, bool want_duplicate) {
    const struct orc_row_created created = row(id, key);
    const struct orc_commit commit = {.created = &created, .created_count = 1};
    bool duplicate = !want_duplicate;
    struct cs_err err = {0};
    assert_ok(orc_store_commit(place->store, &commit, &duplicate, &err), &err);
    assert_int_equal(duplicate, want_duplicate);
}

/* ---- migrations ---- */

TEST(migrations_apply_from_zero_and_again) {
    CS_AUTO_TEST_DB db = {0};
    struct cs_err err = {0};
    cs_test_db_create(&db, NULL);
    assert_ok(orc_store_migrate(db.url, &err), &err);
    CS_AUTO(cs_pg) *pg = NULL;
    assert_ok(cs_pg_open(db.url, NULL, &pg, &err), &err);
    int64_t applied = number(pg, &counts, "migrations");
    assert_true(applied > 0);
    assert_ok(orc_store_migrate(db.url, &err), &err);
    assert_int_equal(number(pg, &counts, "migrations"), applied);
    assert_int_equal(number(pg, &counts, "executions"), 0);
}

TEST(state_words_are_those_of_the_domain) {
    AUTO_PLACE place = {0};
    place_open(&place);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    assert_ok(cs_pg_many(place.pg, &state_words, NULL, &rows, &err), &err);
    assert_int_equal(cs_pg_count(rows), ORC_EXECUTION_STATES - 1);
    for (int state = 1; cs_pg_next(rows); state++) {
        struct orc_execution execution = {.state = (uint8_t)state};
        assert_int_equal(cs_pg_i64(rows, "state"), state);
        assert_string_equal(cs_pg_text(rows, "name"), orc_execution_fsm.state_names[state]);
        assert_int_equal(cs_pg_bool(rows, "terminal"), orc_execution_terminal(&execution));
    }
}

TEST(t6_event_kinds_are_those_that_the_domain_stores) {
    AUTO_PLACE place = {0};
    place_open(&place);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    assert_ok(cs_pg_many(place.pg, &kind_words, NULL, &rows, &err), &err);
    bool has_word[200] = {false};
    while (cs_pg_next(rows)) {
        has_word[cs_pg_i64(rows, "kind")] = true;
    }
    for (int kind = 0; kind < (int)CS_COUNT(has_word); kind++) {
        CS_AUTO_PG_PARAMS params = {0};
        cs_pg_put_i32(&params, kind);
        bool stored = cs_pg_exec(place.pg, &event_kind_try, &params, NULL, &err) == CS_OK;
        bool known =
            (kind > 0 && kind <= ORC_EVENT_REJECTED) || (kind >= ORC_EVENT_APPENDED && kind <= ORC_EVENT_SPLIT);
        assert_int_equal(has_word[kind], known);
        assert_true(!known || orc_event_stored((enum orc_event_kind)kind));
        if (stored != known) {
            fail_msg("kind %d: %s", kind, err.message);
        }
    }
}

TEST(t6_only_states_of_the_domain_can_be_stored_and_terminal_ones_are_complete) {
    AUTO_PLACE place = {0};
    place_open(&place);
    commit_created(&place, "e1", "", false);
    for (int state = -1; state < 12; state++) {
        struct orc_execution execution = {.state = (uint8_t)state};
        bool known = state > ORC_EXECUTION_NONE && state < ORC_EXECUTION_STATES;
        for (int complete = 0; complete <= 1; complete++) {
            CS_AUTO_PG_PARAMS params = {0};
            struct cs_err err = {0};
            cs_pg_put_text(&params, "e1");
            cs_pg_put_i32(&params, state);
            if (complete) {
                cs_pg_put_i64(&params, 6000);
            } else {
                cs_pg_put_null(&params);
            }
            bool stored = cs_pg_exec(place.pg, &state_set, &params, NULL, &err) == CS_OK;
            assert_int_equal(stored, known && orc_execution_terminal(&execution) == (complete != 0));
        }
    }
}

TEST(an_execution_that_is_open_must_have_a_wakeup) {
    AUTO_PLACE place = {0};
    place_open(&place);
    commit_created(&place, "e1", "", false);
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, "e1");
    cs_pg_put_bool(&params, true);
    cs_pg_put_null(&params);
    struct cs_err err = {0};
    assert_fails(cs_pg_exec(place.pg, &open_set, &params, NULL, &err), &err, CS_FAILED_PRECONDITION, "check_violation");
    assert_int_equal(number(place.pg, &without_wakeup, "stuck"), 0);
    assert_ok(cs_pg_exec(place.pg, &wakeup_drop, NULL, NULL, &err), &err);
    assert_ok(cs_pg_exec(place.pg, &open_set, &params, NULL, &err), &err);
    assert_int_equal(number(place.pg, &without_wakeup, "stuck"), 1);
}

TEST(an_open_execution_of_no_replica_has_nobody_to_wake_it) {
    AUTO_PLACE place = {0};
    place_open(&place);
    commit_created(&place, "e1", "", false);
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, "e1");
    cs_pg_put_text(&params, "gone");
    struct cs_err err = {0};
    assert_ok(cs_pg_exec(place.pg, &owner_set, &params, NULL, &err), &err);
    assert_int_equal(number(place.pg, &without_wakeup, "stuck"), 1);
}

TEST(the_log_only_grows) {
    AUTO_PLACE place = {0};
    place_open(&place);
    struct cs_err err = {0};
    assert_fails(cs_pg_exec(place.pg, &events_change, NULL, NULL, &err), &err, CS_FAILED_PRECONDITION, "append_only");
    assert_fails(cs_pg_exec(place.pg, &events_remove, NULL, NULL, &err), &err, CS_FAILED_PRECONDITION, "append_only");
}

/* ---- commits ---- */

TEST(w5_t5_a_commit_writes_executions_events_and_heads) {
    AUTO_PLACE place = {0};
    place_open(&place);
    const struct orc_row_created created[] = {row("e1", "k1"), row("e2", "")};
    const struct orc_row_event events[] = {event("e1", 1), event("e2", 1), event("e1", 2)};
    const struct orc_row_head heads[] = {finished("e1", 2),
                                         {.id = "e2",
                                          .state = ORC_EXECUTION_PROCESSING,
                                          .open = true,
                                          .seq = 1,
                                          .started_at_ms = 5600,
                                          .wake_at_ms = 7000}};
    const struct orc_commit commit = {created, 2, events, 3, heads, 2};
    bool duplicates[2] = {true, true};
    struct cs_err err = {0};
    assert_ok(orc_store_commit(place.store, &commit, duplicates, &err), &err);
    assert_false(duplicates[0] || duplicates[1]);
    assert_int_equal(number(place.pg, &counts, "events"), 3);

    struct orc_stored *item = NULL;
    assert_ok(orc_store_get(place.store, "acme", "e1", place.arena, &item, &err), &err);
    assert_int_equal(item->state, ORC_EXECUTION_COMPLETED);
    assert_false(item->open);
    assert_int_equal(item->seq, 2);
    assert_int_equal(item->created_at_ms, 5000);
    assert_int_equal(item->started_at_ms, 5500);
    assert_int_equal(item->completed_at_ms, 6000);
    assert_int_equal(item->request_size, 7);
    assert_memory_equal(item->request, "request", 7);
    assert_memory_equal(item->summary, "summary", 7);
    assert_memory_equal(item->webhook_body, "{}", 2);
    assert_int_equal(item->request_sha256[31], 0x5A);
    assert_string_equal(item->traceparent, "00-1-2-01");
    assert_ok(orc_store_get(place.store, "acme", "e2", place.arena, &item, &err), &err);
    assert_true(item->open);
    assert_null(item->summary);
    assert_null(item->webhook_body);
    assert_int_equal(item->completed_at_ms, 0);
}

TEST(e8_a_later_head_keeps_summary_and_webhook_body) {
    AUTO_PLACE place = {0};
    place_open(&place);
    commit_created(&place, "e1", "", false);
    struct orc_row_head head = finished("e1", 1);
    head.open = true;
    head.wake_at_ms = 8000;
    struct orc_commit commit = {.heads = &head, .head_count = 1};
    struct cs_err err = {0};
    assert_ok(orc_store_commit(place.store, &commit, NULL, &err), &err);
    head = finished("e1", 2);
    head.summary = NULL;
    head.webhook_body = NULL;
    assert_ok(orc_store_commit(place.store, &commit, NULL, &err), &err);
    struct orc_stored *item = NULL;
    assert_ok(orc_store_get(place.store, "acme", "e1", place.arena, &item, &err), &err);
    assert_false(item->open);
    assert_memory_equal(item->summary, "summary", 7);
    assert_memory_equal(item->webhook_body, "{}", 2);
}

TEST(t2_a_key_makes_one_execution_of_many_rows) {
    AUTO_PLACE place = {0};
    place_open(&place);
    commit_created(&place, "e1", "key", false);
    commit_created(&place, "e2", "key", true);
    commit_created(&place, "e3", "", false);
    commit_created(&place, "e4", "", false); /* no key is no key, not the key "" */
    const struct orc_row_created created[] = {row("e5", "other"), row("e6", "other"), row("e7", "key")};
    const struct orc_row_event events[] = {event("e6", 1), event("e5", 1)};
    const struct orc_row_head heads[] = {finished("e6", 1), finished("e5", 1)};
    const struct orc_commit commit = {created, 3, events, 2, heads, 2};
    bool duplicates[3] = {false};
    struct cs_err err = {0};
    assert_ok(orc_store_commit(place.store, &commit, duplicates, &err), &err);
    assert_false(duplicates[0]);
    assert_true(duplicates[1]); /* of its own batch */
    assert_true(duplicates[2]); /* of an earlier one */
    assert_int_equal(number(place.pg, &counts, "executions"), 4);
    assert_int_equal(number(place.pg, &counts, "events"), 1); /* none of those that were left out */

    struct orc_stored *item = NULL;
    assert_ok(orc_store_find_key(place.store, "acme", "other", place.arena, &item, &err), &err);
    assert_string_equal(item->id, "e5");
    assert_fails(orc_store_find_key(place.store, "acme", "no such key", place.arena, &item, &err), &err, CS_NOT_FOUND,
                 "no_such_execution");
    assert_fails(orc_store_find_key(place.store, "another", "key", place.arena, &item, &err), &err, CS_NOT_FOUND,
                 "no_such_execution");
}

/* One of two that submit the same keys at the same time, in an order of their own. */
struct submitter {
    pthread_t thread;
    struct orc_store *store;
    pthread_barrier_t *start;
    bool backwards;
    int created;
    enum cs_status status;
    struct cs_err err;
};

enum { SUBMITTED_ROUNDS = 5, SUBMITTED_KEYS = 2000 };

static void submit_round(struct submitter *submitter, int round) {
    struct orc_row_created created[SUBMITTED_KEYS];
    char ids[SUBMITTED_KEYS][CS_ID_SIZE];
    char keys[SUBMITTED_KEYS][32];
    bool duplicates[SUBMITTED_KEYS];
    for (int i = 0; i < SUBMITTED_KEYS; i++) {
        cs_id_make(ids[i]);
        (void)snprintf(keys[i], sizeof(keys[i]), "%d/%d", round, submitter->backwards ? SUBMITTED_KEYS - 1 - i : i);
        created[i] = row(ids[i], keys[i]);
    }
    const struct orc_commit commit = {.created = created, .created_count = SUBMITTED_KEYS};
    (void)pthread_barrier_wait(submitter->start);
    if (submitter->status == CS_OK) {
        submitter->status = orc_store_commit(submitter->store, &commit, duplicates, &submitter->err);
    }
    for (int i = 0; submitter->status == CS_OK && i < SUBMITTED_KEYS; i++) {
        submitter->created += !duplicates[i];
    }
}

static void *submit_all(void *arg) {
    for (int round = 0; round < SUBMITTED_ROUNDS; round++) {
        submit_round(arg, round);
    }
    return NULL;
}

TEST(two_connections_of_a_replica_commit_the_same_keys_at_once_and_are_fenced_together) {
    AUTO_PLACE place = {0};
    place_open(&place);
    CS_AUTO(orc_store) *beside = NULL;
    CS_AUTO(orc_store) *second = NULL;
    struct cs_err err = {0};
    pthread_barrier_t start;
    assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
    assert_ok(orc_store_open(place.db.url, &beside, &err), &err);
    orc_store_assume(beside, "r1", place.epoch);
    struct submitter submitters[] = {{.store = place.store, .start = &start},
                                     {.store = beside, .start = &start, .backwards = true}};
    for (size_t i = 0; i < CS_COUNT(submitters); i++) {
        assert_int_equal(pthread_create(&submitters[i].thread, NULL, submit_all, &submitters[i]), 0);
    }
    for (size_t i = 0; i < CS_COUNT(submitters); i++) {
        (void)pthread_join(submitters[i].thread, NULL);
    }
    (void)pthread_barrier_destroy(&start);
    assert_ok(submitters[0].status, &submitters[0].err); /* no deadlock, which would be a failure for now */
    assert_ok(submitters[1].status, &submitters[1].err);
    assert_int_equal(submitters[0].created + submitters[1].created, SUBMITTED_ROUNDS * SUBMITTED_KEYS);
    assert_int_equal(number(place.pg, &counts, "executions"), SUBMITTED_ROUNDS * SUBMITTED_KEYS);

    int64_t epoch = 0;
    const struct orc_commit nothing = {0};
    assert_ok(orc_store_open(place.db.url, &second, &err), &err);
    assert_ok(orc_store_join(second, "r1", 2000, &epoch, &err), &err);
    assert_fails(orc_store_commit(place.store, &nothing, NULL, &err), &err, CS_ABORTED, "fenced");
    assert_fails(orc_store_commit(beside, &nothing, NULL, &err), &err, CS_ABORTED, "fenced");
}

TEST(a_second_process_of_the_name_fences_the_first) {
    AUTO_PLACE place = {0};
    place_open(&place);
    commit_created(&place, "e1", "", false);
    CS_AUTO(orc_store) *second = NULL;
    int64_t epoch = 0;
    struct cs_err err = {0};
    assert_ok(orc_store_open(place.db.url, &second, &err), &err);
    assert_ok(orc_store_join(second, "r1", 2000, &epoch, &err), &err);
    assert_true(epoch > place.epoch);
    const struct orc_row_event late = event("e1", 1);
    const struct orc_commit commit = {.events = &late, .event_count = 1};
    assert_fails(orc_store_commit(place.store, &commit, NULL, &err), &err, CS_ABORTED, "fenced");
    assert_false(err.retryable);
    assert_int_equal(number(place.pg, &counts, "events"), 0);
    assert_ok(orc_store_commit(second, &commit, NULL, &err), &err);
    assert_int_equal(number(place.pg, &counts, "events"), 1);
}

TEST(another_name_fences_nobody) {
    AUTO_PLACE place = {0};
    place_open(&place);
    CS_AUTO(orc_store) *second = NULL;
    int64_t epoch = 0;
    struct cs_err err = {0};
    assert_ok(orc_store_open(place.db.url, &second, &err), &err);
    assert_ok(orc_store_join(second, "r2", 2000, &epoch, &err), &err);
    assert_true(epoch > place.epoch); /* no epoch comes twice, under any name */
    commit_created(&place, "e1", "", false);
}

TEST(t4_an_event_number_is_written_once) {
    AUTO_PLACE place = {0};
    place_open(&place);
    const struct orc_row_event first = event("e1", 1);
    const struct orc_commit commit = {.events = &first, .event_count = 1};
    struct cs_err err = {0};
    assert_ok(orc_store_commit(place.store, &commit, NULL, &err), &err);
    assert_fails(orc_store_commit(place.store, &commit, NULL, &err), &err, CS_ABORTED, "fenced");
}

TEST(a_store_that_has_not_joined_cannot_commit) {
    AUTO_PLACE place = {0};
    place_open(&place);
    CS_AUTO(orc_store) *stranger = NULL;
    const struct orc_commit commit = {0};
    struct cs_err err = {0};
    assert_ok(orc_store_open(place.db.url, &stranger, &err), &err);
    assert_fails(orc_store_commit(stranger, &commit, NULL, &err), &err, CS_FAILED_PRECONDITION, "not_joined");
}

TEST(a_database_that_is_away_says_that_nothing_was_written_and_comes_back) {
    CS_AUTO_TEST_POSTGRES postgres = {0};
    cs_test_postgres_start(&postgres, true);
    struct cs_err err = {0};
    CS_AUTO(orc_store) *store = NULL;
    int64_t epoch = 0;
    assert_ok(orc_store_migrate(postgres.url, &err), &err);
    assert_ok(orc_store_open(postgres.url, &store, &err), &err);
    assert_ok(orc_store_join(store, "r1", 1000, &epoch, &err), &err);
    const struct orc_row_created created = row("e1", "");
    const struct orc_commit commit = {.created = &created, .created_count = 1};
    bool duplicate = false;
    cs_test_postgres_kill(&postgres);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(orc_store_commit(store, &commit, &duplicate, &err), CS_UNAVAILABLE);
        assert_true(err.retryable);
    }
    cs_test_postgres_restart(&postgres);
    enum cs_status status = CS_UNAVAILABLE;
    int64_t patience_ms = cs_clock_mono_ms() + CS_TEST_PATIENCE_MS;
    while (status != CS_OK && cs_clock_mono_ms() < patience_ms) { /* the store itself waits between attempts */
        status = orc_store_commit(store, &commit, &duplicate, &err);
        if (status != CS_OK && !err.retryable) {
            fail_msg("%s: %s", err.reason, err.message);
        }
    }
    assert_int_equal(status, CS_OK);
    assert_false(duplicate);
}

/* ---- reads ---- */

static int by_id(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

TEST(open_executions_come_with_their_events) {
    enum { EXECUTIONS = 7 };
    AUTO_PLACE place = {0};
    place_open(&place);
    struct orc_row_created created[EXECUTIONS];
    struct orc_row_event events[EXECUTIONS * 2];
    size_t event_count = 0;
    char ids[EXECUTIONS][CS_ID_SIZE];
    for (int i = 0; i < EXECUTIONS; i++) {
        cs_id_make(ids[i]);
        created[i] = row(ids[i], "");
        created[i].created_at_ms = i < 5 ? 1000 - i : 2000;
        for (int n = 0; n < i % 3; n++) {
            events[event_count++] = event(ids[i], (uint64_t)n + 1);
        }
    }
    const struct orc_row_head closed = finished(ids[5], 2);
    const struct orc_commit commit = {created, EXECUTIONS, events, event_count, &closed, 1};
    bool duplicates[EXECUTIONS];
    struct cs_err err = {0};
    assert_ok(orc_store_commit(place.store, &commit, duplicates, &err), &err);

    const char **open = NULL;
    size_t open_count = 0;
    assert_ok(orc_store_open_ids(place.store, "r1", place.arena, &open, &open_count, &err), &err);
    assert_int_equal(open_count, EXECUTIONS - 1);
    for (size_t i = 0; i < open_count; i++) {
        assert_string_equal(open[i], ids[i < 5 ? 0 - i + 4 : 6]);
    }
    qsort(open, open_count, sizeof(*open), by_id);
    struct orc_stored *items = NULL;
    size_t count = 0;
    assert_ok(orc_store_open_executions(place.store, "r1", open, open_count, place.arena, &items, &count, &err), &err);
    assert_int_equal(count, open_count);
    size_t events_seen = 0;
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(items[i].id, open[i]);
        assert_string_not_equal(items[i].id, ids[5]);
        for (size_t n = 0; n < items[i].event_count; n++) {
            assert_string_equal(items[i].events[n].execution, items[i].id);
            assert_int_equal(items[i].events[n].seq, n + 1);
            assert_int_equal(items[i].events[n].kind, ORC_EVENT_SUCCEEDED);
            assert_int_equal(items[i].events[n].job, 3);
            assert_int_equal(items[i].events[n].attempt, 2);
            assert_int_equal(items[i].events[n].at_ms, 6000);
            assert_memory_equal(items[i].events[n].payload, "done", 4);
        }
        events_seen += items[i].event_count;
    }
    assert_int_equal(events_seen, event_count - 2);
    const char *const closed_too[] = {ids[5], ids[6]};
    assert_ok(orc_store_open_executions(place.store, "r1", closed_too, 2, place.arena, &items, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_string_equal(items[0].id, ids[6]);
    assert_ok(orc_store_open_executions(place.store, "r2", open, open_count, place.arena, &items, &count, &err), &err);
    assert_int_equal(count, 0);
    assert_ok(orc_store_open_ids(place.store, "r2", place.arena, &open, &open_count, &err), &err);
    assert_int_equal(open_count, 0);
}

TEST(x1_another_tenants_execution_is_not_found) {
    AUTO_PLACE place = {0};
    place_open(&place);
    commit_created(&place, "e1", "", false);
    struct orc_stored *item = NULL;
    struct cs_err err = {0};
    assert_fails(orc_store_get(place.store, "other", "e1", place.arena, &item, &err), &err, CS_NOT_FOUND,
                 "no_such_execution");
}

TEST(lists_go_from_new_to_old_and_page_by_position) {
    enum { EXECUTIONS = 5 };
    static const char *const ids[EXECUTIONS] = {"a", "b", "c", "d", "e"};
    AUTO_PLACE place = {0};
    place_open(&place);
    struct orc_row_created created[EXECUTIONS];
    bool duplicates[EXECUTIONS];
    for (int i = 0; i < EXECUTIONS; i++) {
        created[i] = row(ids[i], "");
        created[i].created_at_ms = 1000 + i / 2; /* a b · c d · e */
        created[i].tenant = i == 4 ? "other" : "acme";
    }
    const struct orc_row_head head = finished("d", 1);
    const struct orc_commit commit = {created, EXECUTIONS, NULL, 0, &head, 1};
    struct cs_err err = {0};
    assert_ok(orc_store_commit(place.store, &commit, duplicates, &err), &err);

    struct orc_stored *items = NULL;
    size_t count = 0;
    struct orc_list list = {.tenant = "acme", .before_id = "", .limit = 3};
    assert_ok(orc_store_list(place.store, &list, place.arena, &items, &count, &err), &err);
    assert_int_equal(count, 3);
    assert_string_equal(items[0].id, "d");
    assert_string_equal(items[1].id, "c");
    assert_string_equal(items[2].id, "b");
    assert_memory_equal(items[0].summary, "summary", 7);
    list.before_ms = items[2].created_at_ms;
    list.before_id = "b";
    assert_ok(orc_store_list(place.store, &list, place.arena, &items, &count, &err), &err);
    assert_int_equal(count, 1);
    assert_string_equal(items[0].id, "a");
    list = (struct orc_list){.tenant = "acme", .active_only = true, .before_id = "", .limit = 10};
    assert_ok(orc_store_list(place.store, &list, place.arena, &items, &count, &err), &err);
    assert_int_equal(count, 3);
    assert_string_equal(items[0].id, "c");
}

/* "d,c," of what a list shows. */
static const char *listed(struct place *place, const struct orc_list *list) {
    struct orc_stored *items = NULL;
    size_t count = 0;
    CS_AUTO_BUF text = {0};
    struct cs_err err = {0};
    assert_ok(orc_store_list(place->store, list, place->arena, &items, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        cs_buf_printf(&text, "%s,", items[i].id);
    }
    return cs_arena_strdup(place->arena, text.data != NULL ? text.data : "");
}

TEST(sy_045_lists_show_what_is_new_and_what_is_watched_each_once) {
    static const char *const ids[] = {"a", "b", "c", "d", "e"};
    enum { EXECUTIONS = 5 };
    AUTO_PLACE place = {0};
    place_open(&place);
    struct orc_row_created created[EXECUTIONS];
    bool duplicates[EXECUTIONS];
    for (int i = 0; i < EXECUTIONS; i++) {
        created[i] = row(ids[i], "");
        created[i].created_at_ms = 1000 + i;
        created[i].tenant = i == 2 ? "other" : "acme";
    }
    const struct orc_row_head heads[] = {finished("b", 1), finished("e", 1)};
    const struct orc_commit commit = {created, EXECUTIONS, NULL, 0, heads, 2};
    struct cs_err err = {0};
    assert_ok(orc_store_commit(place.store, &commit, duplicates, &err), &err);

    const char *const watched[] = {"a", "b", "c", "e", "nobody"}; /* c is another tenant's, e is new anyway */
    struct orc_list list = {.tenant = "acme", .since_ms = 1003, .before_id = "", .limit = 10};
    assert_string_equal(listed(&place, &list), "e,d,");
    list.ids = watched;
    list.id_count = CS_COUNT(watched);
    assert_string_equal(listed(&place, &list), "e,d,b,a,");
    list.active_only = true; /* those that are watched show their end, too */
    assert_string_equal(listed(&place, &list), "e,d,b,a,");
    list.id_count = 0;
    assert_string_equal(listed(&place, &list), "d,");
    list = (struct orc_list){.tenant = "acme", .before_id = "", .skip = 1, .limit = 2};
    assert_string_equal(listed(&place, &list), "d,b,");
    list.skip = 3;
    assert_string_equal(listed(&place, &list), "a,");
    list.skip = 4;
    assert_string_equal(listed(&place, &list), "");
    list = (struct orc_list){
        .tenant = "acme", .since_ms = 1003, .ids = watched, .id_count = 2, .before_id = "", .skip = 1, .limit = 2};
    assert_string_equal(listed(&place, &list), "d,b,");
}

TEST(an_interrupted_store_fails_at_once) {
    AUTO_PLACE place = {0};
    place_open(&place);
    orc_store_interrupt(place.store);
    struct orc_stored *item = NULL;
    struct cs_err err = {0};
    assert_fails(orc_store_get(place.store, "acme", "e1", place.arena, &item, &err), &err, CS_CANCELLED, "interrupted");
}

/* ---- kept results ---- */

static enum orc_cache_verdict ask(struct place *place, const char *execution, const char **ret_leader) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    const struct orc_cache_question question = {.subject = {7},
                                                .engine = "",
                                                .tenant = "acme",
                                                .operation = "generateVideo",
                                                .execution = execution,
                                                .job = "g"};
    struct orc_cache_answer *answer = NULL;
    struct cs_err err = {0};
    assert_ok(orc_store_cache_ask(place->store, &question, 1, 1000, 100000, arena, &answer, &err), &err);
    *ret_leader = cs_str_eq(answer->execution, "e1") ? "e1" : cs_str_eq(answer->execution, "e2") ? "e2" : "";
    return answer->verdict;
}

static void commit_kept(struct place *place, enum orc_kept_kind kind, const char *from, const char *to) {
    const struct orc_row_kept kept = {.kind = kind,
                                      .subject = {7},
                                      .engine = "",
                                      .tenant = "acme",
                                      .operation = "generateVideo",
                                      .execution = to,
                                      .job = "g",
                                      .from_execution = from,
                                      .from_job = "g",
                                      .created_at_ms = 1000,
                                      .expires_at_ms = 100000};
    const struct orc_commit commit = {.kept = &kept, .kept_count = 1};
    struct cs_err err = {0};
    assert_ok(orc_store_commit(place->store, &commit, NULL, &err), &err);
}

TEST(w24_who_does_not_lead_hands_nothing_over) {
    AUTO_PLACE place = {0};
    const char *leader = "";
    place_open(&place);
    commit_created(&place, "e1", "", false);
    commit_created(&place, "e2", "", false);
    assert_int_equal(ask(&place, "e1", &leader), ORC_CACHE_LEAD);
    commit_kept(&place, ORC_KEPT_NOTHING, "e2", "e2"); /* too late: it led once */
    commit_kept(&place, ORC_KEPT_LEADER, "e2", "e2");
    assert_int_equal(ask(&place, "e2", &leader), ORC_CACHE_HELD);
    assert_string_equal(leader, "e1");
    commit_kept(&place, ORC_KEPT_LEADER, "e1", "e2");
    assert_int_equal(ask(&place, "e1", &leader), ORC_CACHE_HELD);
    assert_string_equal(leader, "e2");
    commit_kept(&place, ORC_KEPT_NOTHING, "e2", "e2");
    assert_int_equal(ask(&place, "e1", &leader), ORC_CACHE_LEAD);
}

TEST_MAIN(CS_TEST(migrations_apply_from_zero_and_again), CS_TEST(state_words_are_those_of_the_domain),
          CS_TEST(t6_event_kinds_are_those_that_the_domain_stores),
          CS_TEST(t6_only_states_of_the_domain_can_be_stored_and_terminal_ones_are_complete),
          CS_TEST(an_execution_that_is_open_must_have_a_wakeup),
          CS_TEST(an_open_execution_of_no_replica_has_nobody_to_wake_it), CS_TEST(the_log_only_grows),
          CS_TEST(w5_t5_a_commit_writes_executions_events_and_heads), CS_TEST(w24_who_does_not_lead_hands_nothing_over),
          CS_TEST(e8_a_later_head_keeps_summary_and_webhook_body), CS_TEST(t2_a_key_makes_one_execution_of_many_rows),
          CS_TEST(two_connections_of_a_replica_commit_the_same_keys_at_once_and_are_fenced_together),
          CS_TEST(a_second_process_of_the_name_fences_the_first), CS_TEST(another_name_fences_nobody),
          CS_TEST(t4_an_event_number_is_written_once), CS_TEST(a_store_that_has_not_joined_cannot_commit),
          CS_TEST(a_database_that_is_away_says_that_nothing_was_written_and_comes_back),
          CS_TEST(open_executions_come_with_their_events), CS_TEST(x1_another_tenants_execution_is_not_found),
          CS_TEST(lists_go_from_new_to_old_and_page_by_position),
          CS_TEST(sy_045_lists_show_what_is_new_and_what_is_watched_each_once),
          CS_TEST(an_interrupted_store_fails_at_once))
