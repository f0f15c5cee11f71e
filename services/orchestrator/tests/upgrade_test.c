/* A database of the first releases under this program: all of it is there, and what was open goes on. */
#include <string.h>

#include "cs/base/clock.h"
#include "peek_log_sql.h"
#include "store/store.h"
#include "upkeep.h"
#include "world.h"

#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word
#define DAY_MS INT64_C(86400000)

/* The ids of tests/data/first_release.sql. */
#define COMPLETED "8rC2hWeAvc8JXhKibkOU7"
#define FAILED "bldJSHsq2fzGhy8jItiw5"
#define CANCELLED "WOQL5QRfGjC2Z1gznCwCQ"
#define HALF "QWMpldfc2vjIZTHpnFmNg"
#define PAID "iDwMQrfdGrwS4NnEqlF9t"

static const struct cs_pg_statement log_counts =
    CS_PG_STATEMENT(log_counts, "",
                    "executions:int8 events:int8 keys:int8 runs:int8 partitions:int8 tables:int8 undated:int8 "
                    "version_1:int8");
static const struct cs_pg_statement executions_freshen = CS_PG_STATEMENT(executions_freshen, "int8", "");

static const char *const everything[] = {"generateVideo", "reframe", "noop", "deliverWebhook"};
#define EVERYTHING .operations = everything, .operation_count = CS_COUNT(everything)

static int64_t unix_ms(void) {
    struct cs_clock clock = cs_clock_system();
    return clock.unix_ms(clock.ctx);
}

static enum cs_status load(const char *url, __attribute__((unused)) void *ctx, struct cs_err *err) {
    CS_AUTO_TEST_PROGRAM psql = {0};
    const char *const arguments[] = {
        "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", CS_SOURCE_DIR "/services/orchestrator/tests/data/first_release.sql",
        url,  NULL};
    cs_test_program_start(&psql, "/usr/bin/psql", arguments, NULL, CS_TEST_READY_NONE);
    assert_int_equal(cs_test_program_wait(&psql), 0);
    CS_AUTO(cs_pg) *pg = NULL;
    CS_AUTO_PG_PARAMS params = {0};
    CS_TRY(cs_pg_open(url, NULL, &pg, err));
    cs_pg_put_i64(&params, unix_ms());
    return cs_pg_exec(pg, &executions_freshen, &params, NULL, err);
}

static void first_release(struct cs_test_db *db, struct world *world) {
    cs_test_db_create(db, &(struct cs_test_template){"first_release", load, NULL});
    world_open(world, db->url);
}

static int64_t count(struct world *world, const char *column) {
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    assert_ok(cs_pg_one(world->pg, &log_counts, NULL, &rows, &err), &err);
    return cs_pg_i64(rows, column);
}

TEST(a_database_of_the_first_release_keeps_all_that_it_has) {
    CS_AUTO_TEST_DB db = {0};
    AUTO_WORLD world = {0};
    struct cs_err err = {0};
    first_release(&db, &world);
    assert_ok(orc_store_migrate(db.url, &err), &err);
    assert_int_equal(count(&world, "executions"), 5);
    assert_int_equal(count(&world, "undated"), 5);
    assert_int_equal(count(&world, "events"), 12);
    assert_int_equal(count(&world, "version_1"), 12);
    assert_int_equal(count(&world, "keys"), 2);
    assert_int_equal(world_stuck_count(&world), 0);
    assert_ok(orc_store_migrate(db.url, &err), &err);
}

TEST(what_was_open_at_the_upgrade_goes_on_and_what_had_ended_is_read) {
    CS_AUTO_TEST_DB db = {0};
    AUTO_WORLD world = {0};
    first_release(&db, &world);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){EVERYTHING, .slots = 8});
    world_start(&world);
    const Callsheet__V1__Execution *execution = world_get(&world, FAILED);
    assert_int_equal(execution->state, STATE(FAILED));
    assert_string_equal(execution->jobs[0]->error->code, "unsafe");
    assert_int_equal(execution->delivery->state, CALLSHEET__V1__DELIVERY_STATE__DELIVERY_STATE_DELIVERED);
    assert_int_equal(world_get(&world, COMPLETED)->state, STATE(COMPLETED));
    assert_int_equal(world_get(&world, CANCELLED)->state, STATE(CANCELLED));

    Callsheet__V1__CreateExecutionRequest *request = request_from(DIAMOND, world.arena);
    const Callsheet__V1__CreateExecutionReply *reply = NULL;
    struct cs_err err = {0};
    request->idempotency_key = (char *)"nightly";
    assert_ok(world_try_create(&world, request, &reply, &err), &err);
    assert_true(reply->existing);
    assert_string_equal(reply->execution_id, COMPLETED);

    int checkpoints = 0;
    for (int i = 0; i < 5; i++) { /* b and c and d; g and r */
        CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
        const Callsheet__V1__Assign *assign = assigned->command->assign;
        assert_string_not_equal(assign->job, "a");
        if (strcmp(assign->job, "g") == 0) {
            assert_int_equal(assign->attempt, 2);
            assert_int_equal(assign->checkpoint.len, strlen("submitted as 42"));
            assert_memory_equal(assign->checkpoint.data, "submitted as 42", assign->checkpoint.len);
            checkpoints++;
        }
        scripted_succeed(assigned);
    }
    assert_int_equal(checkpoints, 1);
    assert_int_equal(world_await(&world, HALF)->state, STATE(COMPLETED));
    assert_int_equal(world_await(&world, PAID)->state, STATE(COMPLETED));
    CS_AUTO(heard) *delivery = scripted_take(worker, HEARD_ASSIGN);
    scripted_succeed(delivery);
    int64_t until_ms = cs_clock_mono_ms() + CS_TEST_PATIENCE_MS;
    while (world_open_count(&world) > 0) {
        assert_true(cs_clock_mono_ms() < until_ms);
    }
    const char *new_id = world_create(&world, DIAMOND); /* has a day, beside those that have none */
    for (int i = 0; i < 4; i++) {
        CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
        scripted_succeed(assigned);
    }
    (void)world_await(&world, new_id);
    assert_int_equal(count(&world, "undated"), 5);
    assert_int_equal(count(&world, "executions"), 6);
    assert_int_equal(count(&world, "version_1"), 12);
    assert_int_equal(count(&world, "events"), 12 + 3 + 3 + 1 + 4);
    world_stop(&world);
    scripted_stop(worker);

    CS_AUTO(orc_store) *store = NULL;
    assert_ok(orc_store_open(db.url, &store, &err), &err);
    assert_ok(orc_upkeep_run(store, unix_ms() + 70 * DAY_MS, 30 * DAY_MS, &err), &err);
    assert_int_equal(count(&world, "executions"), 0);
    assert_int_equal(count(&world, "events"), 0);
    assert_int_equal(count(&world, "keys"), 0);
}

TEST_MAIN(CS_TEST(a_database_of_the_first_release_keeps_all_that_it_has),
          CS_TEST(what_was_open_at_the_upgrade_goes_on_and_what_had_ended_is_read))
