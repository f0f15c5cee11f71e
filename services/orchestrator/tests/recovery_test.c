/* What survives: kill -9 at any instant, a second process of the name, a database that restarts, SIGTERM in mid-work.
 */
#include <stdio.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/base/id.h"
#include "cs/base/text.h"
#include "world.h"

#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word

#define ONE "{'tenant':'acme','plan':{'jobs':[{'id':'a','operation':{'noop':{}}}]}}"

static const char *const everything[] = {"generateVideo", "reframe", "noop", "deliverWebhook"};
#define EVERYTHING .operations = everything, .operation_count = CS_COUNT(everything)

TEST(ex_007_w22_an_execution_goes_on_after_kill_9) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){EVERYTHING});
    world_start_program(&world);
    const char *id = world_create(&world, PICTURE);
    CS_AUTO(heard) *first = scripted_take(worker, HEARD_ASSIGN);
    scripted_checkpoint(first, 1, "submitted as 42");
    heard_free(scripted_take(worker, HEARD_SAVED));
    world_kill_program(&world);
    heard_free(scripted_take(worker, HEARD_CLOSED));

    world_start_program(&world);
    const Callsheet__V1__Execution *execution = world_get(&world, id);
    assert_int_equal(execution->n_jobs, 2);
    assert_string_equal(execution->labels[0]->value, "blue");
    CS_AUTO(heard) *second = scripted_take(worker, HEARD_ASSIGN);
    assert_string_equal(second->command->assign->job, "g");
    assert_int_equal(second->command->assign->attempt, 2); /* its start was in the log */
    assert_memory_not_equal(first->fence, second->fence, ORC_FENCE_BYTES);
    assert_memory_equal(second->command->assign->checkpoint.data, "submitted as 42", strlen("submitted as 42"));
    scripted_succeed(second);
    CS_AUTO(heard) *third = scripted_take(worker, HEARD_ASSIGN);
    world_kill_program(&world); /* once more: g is done, r is not */
    world_start_program(&world);
    CS_AUTO(heard) *fourth = scripted_take(worker, HEARD_ASSIGN);
    assert_string_equal(fourth->command->assign->job, "r");
    assert_int_equal(fourth->command->assign->n_inputs, 1);
    scripted_succeed(third); /* a zombie of the process before */
    scripted_succeed(fourth);
    execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_string_equal(execution->result_job_id, "r");

    CS_AUTO(heard) *delivery = scripted_take(worker, HEARD_ASSIGN);
    world_kill_program(&world); /* and in mid-delivery */
    world_start_program(&world);
    CS_AUTO(heard) *again = scripted_take(worker, HEARD_ASSIGN);
    const Callsheet__V1__DeliverWebhook *told = delivery->command->assign->operation->deliver_webhook;
    const Callsheet__V1__DeliverWebhook *retold = again->command->assign->operation->deliver_webhook;
    assert_string_equal(told->event_id, retold->event_id);
    assert_int_equal(told->body.len, retold->body.len);
    assert_memory_equal(told->body.data, retold->body.data, told->body.len);
    scripted_succeed(again);
    int64_t until_ms = cs_clock_mono_ms() + CS_TEST_PATIENCE_MS;
    while (world_open_count(&world) > 0) {
        assert_true(cs_clock_mono_ms() < until_ms);
    }
    assert_int_equal(world_events(&world, id, ORC_EVENT_SUCCEEDED), 2);
    assert_int_equal(world_events(&world, id, ORC_EVENT_DELIVERED), 1);
    assert_int_equal(world_stop_program(&world), 0);
    scripted_stop(worker);
}

/* kill -9 again and again while many executions run; each must end, each job with one result. */
TEST(many_executions_survive_many_crashes) {
    enum { EXECUTIONS = 150, CRASHES = 6 };
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){.automatic = true, .slots = 4});
    world_start_program(&world);
    const char *ids[EXECUTIONS];
    int accepted = 0;
    int crashes = 0;
    while (accepted < EXECUTIONS) {
        const Callsheet__V1__CreateExecutionReply *reply = NULL;
        struct cs_err err = {0};
        Callsheet__V1__CreateExecutionRequest *request = request_from(DIAMOND, world.arena);
        request->idempotency_key = cs_arena_sprintf(world.arena, "key-%d", accepted);
        assert_ok(world_try_create(&world, request, &reply, &err), &err);
        ids[accepted++] = reply->execution_id;
        if (crashes < CRASHES && accepted % (EXECUTIONS / CRASHES) == 0) {
            crashes++;
            world_kill_program(&world);
            assert_int_equal(world_stuck_count(&world), 0);
            world_start_program(&world);
        }
    }
    for (int i = 0; i < EXECUTIONS; i++) {
        const Callsheet__V1__Execution *execution = world_await(&world, ids[i]);
        assert_int_equal(execution->state, STATE(COMPLETED));
        assert_int_equal(world_events(&world, ids[i], ORC_EVENT_SUCCEEDED), 4);
    }
    assert_int_equal(crashes, CRASHES);
    assert_int_equal(world_count(&world).executions, EXECUTIONS);
    assert_int_equal(world_open_count(&world), 0);
    assert_int_equal(world_stuck_count(&world), 0);
    assert_int_equal(world_stop_program(&world), 0);
    scripted_stop(worker);
}

TEST(kill_9_while_thousands_come_back_loses_none_and_brings_none_twice) {
    enum { EXECUTIONS = 1700 }; /* some 500 are read at once */
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start_program(&world);
    const char *ids[EXECUTIONS];
    for (int i = 0; i < EXECUTIONS; i++) {
        ids[i] = world_create(&world, ONE);
    }
    world_kill_program(&world);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){.automatic = true, .slots = 4});
    world_die_at_start(&world, "orchestrator.while_returning:1");
    world_die_at_start(&world, "orchestrator.while_returning:3"); /* some of those before have been done */
    assert_int_equal(world_stuck_count(&world), 0);
    world_start_program(&world);
    int64_t until_ms = cs_clock_mono_ms() + CS_TEST_PATIENCE_MS;
    while (world_open_count(&world) > 0) {
        assert_true(cs_clock_mono_ms() < until_ms);
    }
    for (int i = 0; i < EXECUTIONS; i++) {
        assert_int_equal(world_events(&world, ids[i], ORC_EVENT_SUCCEEDED), 1);
    }
    assert_int_equal(world_stop_program(&world), 0);
    scripted_stop(worker);
}

TEST(sigterm_in_mid_work_ends_well_and_the_next_process_goes_on) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start_program(&world);
    const char *id = world_create(&world, DIAMOND);
    heard_free(scripted_take(worker, HEARD_ASSIGN));
    assert_int_equal(world_stop_program(&world), 0);
    heard_free(scripted_take(worker, HEARD_CLOSED));
    assert_int_equal(world_open_count(&world), 1);
    world_start_program(&world);
    for (int i = 0; i < 4; i++) {
        CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
        scripted_succeed(assigned);
    }
    assert_int_equal(world_await(&world, id)->state, STATE(COMPLETED));
    assert_int_equal(world_stop_program(&world), 0);
    scripted_stop(worker);
}

/* The first process must write nothing between the second's join and its own fall; then it leaves the name alone. */
TEST(a_process_whose_name_was_taken_writes_nothing_and_ends) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){.slots = 8});
    world_start_program(&world);
    const char *before = world_create(&world, ONE);
    CS_AUTO(heard) *old = scripted_take(worker, HEARD_ASSIGN);

    CS_AUTO_TEST_PROGRAM second = {0};
    world_start_second(&world, world.config.replica, &second); /* joined, has read the log, has the execution */
    CS_AUTO(heard) *new = scripted_take(worker, HEARD_ASSIGN);
    assert_memory_not_equal(old->fence, new->fence, ORC_FENCE_BYTES);
    scripted_succeed(old); /* the first hears of a success that is not its to write */
    assert_int_equal(cs_test_program_wait(&world.program), 1);
    assert_int_equal(world_events(&world, before, ORC_EVENT_SUCCEEDED), 0); /* nobody honours that fence */
    world_go_to(&world, second.address);
    scripted_succeed(new);
    assert_int_equal(world_await(&world, before)->state, STATE(COMPLETED));
    assert_int_equal(world_events(&world, before, ORC_EVENT_SUCCEEDED), 1);
    assert_int_equal(world_stuck_count(&world), 0);
    assert_int_equal(cs_test_program_stop(&second), 0);
    scripted_stop(worker);
}

TEST(a_database_that_restarts_in_mid_work_delays_and_loses_nothing) {
    CS_AUTO_TEST_POSTGRES postgres = {0};
    cs_test_postgres_start(&postgres, true);
    AUTO_WORLD world = {0};
    world_open(&world, postgres.url);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){.slots = 8});
    world_start(&world);
    const char *id = world_create(&world, DIAMOND);
    CS_AUTO(heard) *a = scripted_take(worker, HEARD_ASSIGN);
    cs_test_postgres_kill(&postgres);
    scripted_succeed(a); /* cannot be written now */
    cs_test_postgres_restart(&postgres);
    for (int i = 0; i < 3; i++) {
        CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
        scripted_succeed(assigned);
    }
    struct cs_err err = {0};
    const Callsheet__V1__Execution *execution = NULL;
    int64_t until_ms = cs_clock_mono_ms() + CS_TEST_PATIENCE_MS;
    do { /* while it recovers it says so */
        assert_true(cs_clock_mono_ms() < until_ms);
    } while (world_try_get(&world, "acme", id, &execution, &err) != CS_OK || execution->state != STATE(COMPLETED));
    assert_int_equal(world_events(&world, id, ORC_EVENT_SUCCEEDED), 4);
    assert_int_equal(world_stuck_count(&world), 0);
    assert_int_equal(world_await(&world, world_create(&world, "{'tenant':'acme','plan':{}}"))->state, STATE(COMPLETED));
    world_stop(&world);
    scripted_stop(worker);
}

/* Clients learn that it is away, not where it is. */
static void assert_away(const struct cs_err *err, const char *reason) {
    assert_int_equal(err->status, CS_UNAVAILABLE);
    assert_string_equal(err->reason, reason);
    assert_null(strstr(err->message, "socket"));
    assert_null(strstr(err->message, "port"));
    assert_null(strstr(err->message, "SQLSTATE"));
}

TEST(what_is_asked_of_a_database_that_is_away_is_told_so_and_no_more) {
    CS_AUTO_TEST_POSTGRES postgres = {0};
    cs_test_postgres_start(&postgres, true);
    AUTO_WORLD world = {0};
    world_open(&world, postgres.url);
    world_start(&world);
    cs_test_postgres_kill(&postgres);
    const Callsheet__V1__Execution *execution = NULL;
    Callsheet__V1__ListExecutionsRequest list = CALLSHEET__V1__LIST_EXECUTIONS_REQUEST__INIT;
    list.tenant = (char *)"acme";
    const ProtobufCMessage *page = NULL;
    for (int i = 0; i < 3; i++) { /* also after the first, which finds its connection lost */
        struct cs_err err = {0};
        assert_int_equal(world_try_get(&world, "acme", "abcdefghijklmnop", &execution, &err), CS_UNAVAILABLE);
        assert_away(&err, "not_read");
        assert_int_equal(world_try(&world, "ListExecutions", &list.base, &page, &err), CS_UNAVAILABLE);
        assert_away(&err, "not_read");
    }
    cs_test_postgres_restart(&postgres);
    world_stop(&world);
}

TEST(a_drain_without_a_database_ends_too) {
    CS_AUTO_TEST_POSTGRES postgres = {0};
    cs_test_postgres_start(&postgres, true);
    AUTO_WORLD world = {0};
    world_open(&world, postgres.url);
    world_start_program(&world);
    (void)world_create(&world, ONE);
    cs_test_postgres_kill(&postgres);
    assert_int_equal(world_stop_program(&world), 0);
}

TEST_MAIN(CS_TEST(ex_007_w22_an_execution_goes_on_after_kill_9), CS_TEST(many_executions_survive_many_crashes),
          CS_TEST(kill_9_while_thousands_come_back_loses_none_and_brings_none_twice),
          CS_TEST(sigterm_in_mid_work_ends_well_and_the_next_process_goes_on),
          CS_TEST(a_process_whose_name_was_taken_writes_nothing_and_ends),
          CS_TEST(a_database_that_restarts_in_mid_work_delays_and_loses_nothing),
          CS_TEST(what_is_asked_of_a_database_that_is_away_is_told_so_and_no_more),
          CS_TEST(a_drain_without_a_database_ends_too))
