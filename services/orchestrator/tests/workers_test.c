/* The service and its workers: reports, retries, deaths, paid work, webhooks. */
#include <stdio.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "world.h"

#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word
#define JOB(word) CALLSHEET__V1__JOB_STATE__JOB_STATE_##word
#define FAILURE(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

#define ONE "{'tenant':'acme','plan':{'jobs':[{'id':'a','operation':{'noop':{}}}]}}"

static const char *const everything[] = {"generateVideo", "reframe", "noop", "deliverWebhook"};
#define EVERYTHING .operations = everything, .operation_count = CS_COUNT(everything)

TEST(an_assignment_carries_all_that_the_worker_needs) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){EVERYTHING});
    world_start(&world);
    const char *id = world_create(&world, PICTURE);
    CS_AUTO(heard) *first = scripted_take(worker, HEARD_ASSIGN);
    const Callsheet__V1__Assign *generate = first->command->assign;
    assert_string_equal(generate->execution, id);
    assert_string_equal(generate->job, "g");
    assert_string_equal(generate->tenant, "acme");
    assert_int_equal(generate->attempt, 1);
    assert_true(generate->deadline_ms > cs_clock_unix_ms());
    assert_int_equal(strlen(generate->traceparent), CS_TRACEPARENT_SIZE - 1);
    assert_true(cs_str_starts(generate->output_prefix, "test/acme/"));
    assert_true(cs_str_ends(generate->output_prefix, "/"));
    /* Paid: its start was in the log before we heard of it. */
    assert_int_equal(world_events(&world, id, ORC_EVENT_STARTED), 1);
    scripted_succeed(first);
    CS_AUTO(heard) *second = scripted_take(worker, HEARD_ASSIGN);
    const Callsheet__V1__Assign *reframe = second->command->assign;
    assert_string_equal(reframe->job, "r");
    assert_int_equal(reframe->n_inputs, 1);
    assert_true(cs_str_starts(reframe->inputs[0]->artifact->key, generate->output_prefix));
    assert_string_equal(reframe->operation->reframe->aspect_ratio, "9:16");
    assert_memory_not_equal(first->fence, second->fence, ORC_FENCE_BYTES);
    assert_int_equal(world_events(&world, id, ORC_EVENT_STARTED), 1); /* cheap work leaves no such event */
    scripted_succeed(second);
    CS_AUTO(heard) *delivery = scripted_take(worker, HEARD_ASSIGN);
    assert_non_null(strstr(delivery->command->assign->traceparent, "-"));
    assert_memory_equal(delivery->command->assign->traceparent, generate->traceparent, 3 + 32); /* the same trace */
    scripted_succeed(delivery);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(e3_w10_a_report_that_is_repeated_or_contradicts_itself_counts_once) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id = world_create(&world, DIAMOND);
    for (int i = 0; i < 4; i++) {
        CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
        scripted_succeed(assigned);
        scripted_succeed(assigned);
        scripted_fail(assigned, FAILURE(INTERNAL), "late", 0);
    }
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_int_equal(world_events(&world, id, ORC_EVENT_SUCCEEDED), 4);
    assert_int_equal(world_events(&world, id, ORC_EVENT_FAILED), 0);
    assert_int_equal(scripted_assigned(worker), 4);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(a_report_with_a_fence_of_nobody_changes_nothing) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id = world_create(&world, ONE);
    CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
    unsigned char fence[ORC_FENCE_BYTES];
    memcpy(fence, assigned->fence, sizeof(fence));
    memset(assigned->fence, 0xEE, sizeof(assigned->fence));
    scripted_succeed(assigned);
    scripted_fail(assigned, FAILURE(INVALID_INPUT), "forged", 0);
    memcpy(assigned->fence, fence, sizeof(fence));
    scripted_progress(assigned, 0.5);
    struct watch *watch = watch_start(&world, "acme", id, false); /* the progress came after the forged ones */
    for (double fraction = 0; fraction == 0;) {
        const Callsheet__V1__ExecutionUpdate *update = watch_next(watch);
        assert_non_null(update);
        assert_int_not_equal(update->execution->state, STATE(COMPLETED));
        bool shown = update->execution->n_jobs > 0 && update->execution->jobs[0]->progress != NULL;
        fraction = shown ? update->execution->jobs[0]->progress->fraction : 0;
    }
    watch_stop(watch);
    scripted_succeed(assigned);
    assert_int_equal(world_await(&world, id)->state, STATE(COMPLETED));
    world_stop(&world);
    scripted_stop(worker);
}

TEST(sy_139_t17_a_transient_failure_is_tried_again) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id = world_create(&world, ONE);
    CS_AUTO(heard) *first = scripted_take(worker, HEARD_ASSIGN);
    scripted_fail(first, FAILURE(TRANSIENT), "hiccup", 0);
    CS_AUTO(heard) *second = scripted_take(worker, HEARD_ASSIGN);
    assert_int_equal(second->command->assign->attempt, 2);
    assert_memory_not_equal(first->fence, second->fence, ORC_FENCE_BYTES);
    assert_string_not_equal(first->command->assign->output_prefix, second->command->assign->output_prefix);
    scripted_succeed(first); /* the zombie is not heard */
    scripted_succeed(second);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_int_equal(execution->jobs[0]->attempt, 2);
    assert_int_equal(world_events(&world, id, ORC_EVENT_SUCCEEDED), 1);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(sy_049_w11_a_failure_that_is_final_skips_what_depends_on_it) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id = world_create(&world, DIAMOND);
    CS_AUTO(heard) *a = scripted_take(worker, HEARD_ASSIGN);
    scripted_succeed(a);
    CS_AUTO(heard) *b = scripted_take(worker, HEARD_ASSIGN);
    CS_AUTO(heard) *c = scripted_take(worker, HEARD_ASSIGN);
    scripted_fail(b, FAILURE(INVALID_INPUT), "bad_payload", 0);
    scripted_succeed(c);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(FAILED));
    assert_int_equal(execution->jobs[3]->state, JOB(SKIPPED));
    assert_non_null(strstr(execution->error, "noop"));
    assert_int_equal(scripted_assigned(worker), 3);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(a_parent_without_a_fitting_output_fails_its_child) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){EVERYTHING});
    world_start(&world);
    const char *id = world_create(&world, PICTURE);
    CS_AUTO(heard) *generate = scripted_take(worker, HEARD_ASSIGN);
    generate->command->assign->operation->params_case =
        CALLSHEET__V1__OPERATION__PARAMS_NOOP; /* succeeds without output */
    scripted_succeed(generate);
    generate->command->assign->operation->params_case = CALLSHEET__V1__OPERATION__PARAMS_GENERATE_VIDEO;
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(FAILED));
    assert_string_equal(execution->jobs[1]->error->code, "input_missing");
    assert_non_null(strstr(execution->jobs[1]->error->message, "\"g\""));
    world_stop(&world);
    scripted_stop(worker);
}

TEST(a_worker_that_dies_loses_its_jobs_to_the_next_attempt) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *dies = world_worker(&world, (struct scripted_config){.name = "dies", .slots = 8});
    world_start(&world);
    const char *id = world_create(&world, ONE);
    CS_AUTO(heard) *first = scripted_take(dies, HEARD_ASSIGN);
    scripted_break(dies);
    CS_AUTO(heard) *second = scripted_take(dies, HEARD_ASSIGN); /* it is back */
    assert_int_equal(second->command->assign->attempt, 2);
    assert_memory_not_equal(first->fence, second->fence, ORC_FENCE_BYTES);
    scripted_succeed(second);
    assert_int_equal(world_await(&world, id)->state, STATE(COMPLETED));
    world_stop(&world);
    scripted_stop(dies);
}

TEST(jobs_of_a_dead_worker_go_to_another) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *one = world_worker(&world, (struct scripted_config){.name = "one"});
    struct scripted_worker *two = world_worker(&world, (struct scripted_config){.name = "two"});
    world_start(&world);
    heard_free(scripted_take(one, HEARD_WELCOME));
    heard_free(scripted_take(two, HEARD_WELCOME));
    const char *id = world_create(&world, DIAMOND);
    struct heard *first = NULL;
    while (first == NULL) { /* whoever got it */
        first = scripted_poll(one, HEARD_ASSIGN);
        first = first != NULL ? first : scripted_poll(two, HEARD_ASSIGN);
    }
    struct scripted_worker **dead = scripted_assigned(one) > 0 ? &one : &two;
    struct scripted_worker *alive = dead == &one ? two : one;
    heard_free(first);
    scripted_stop(*dead);
    *dead = NULL;
    for (int i = 0; i < 4; i++) {
        CS_AUTO(heard) *assigned = scripted_take(alive, HEARD_ASSIGN);
        scripted_succeed(assigned);
    }
    assert_int_equal(world_await(&world, id)->state, STATE(COMPLETED));
    world_stop(&world);
    scripted_stop(one);
    scripted_stop(two);
}

TEST(work_is_spread_and_credits_are_a_limit) {
    enum { SLOTS = 2, JOBS = 9 };
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *one = world_worker(&world, (struct scripted_config){.name = "one", .slots = SLOTS});
    struct scripted_worker *two = world_worker(&world, (struct scripted_config){.name = "two", .slots = SLOTS});
    world_start(&world);
    heard_free(scripted_take(one, HEARD_WELCOME));
    heard_free(scripted_take(two, HEARD_WELCOME));
    CS_AUTO_BUF plan = {0};
    cs_buf_puts(&plan, "{'tenant':'acme','plan':{'jobs':[");
    for (int i = 0; i < JOBS; i++) {
        cs_buf_printf(&plan, "%s{'id':'j%d','operation':{'noop':{}}}", i > 0 ? "," : "", i);
    }
    cs_buf_puts(&plan, "]}}");
    const char *id = world_create(&world, plan.data);
    struct scripted_worker *workers[] = {one, two};
    size_t done = 0;
    for (size_t w = 0; w < 2; w++) { /* each has all it can do, and no more */
        struct heard *held[SLOTS];
        for (size_t i = 0; i < SLOTS; i++) {
            held[i] = scripted_take(workers[w], HEARD_ASSIGN);
        }
        assert_null(scripted_poll(workers[w], HEARD_ASSIGN));
        for (size_t i = 0; i < SLOTS; i++, done++) {
            scripted_succeed(held[i]);
            heard_free(held[i]);
        }
    }
    while (done < JOBS) {
        for (size_t w = 0; w < 2; w++) {
            CS_AUTO(heard) *assigned = scripted_poll(workers[w], HEARD_ASSIGN);
            if (assigned != NULL) {
                scripted_succeed(assigned);
                done++;
            }
        }
    }
    assert_int_equal(world_await(&world, id)->state, STATE(COMPLETED));
    assert_int_equal(scripted_assigned(one) + scripted_assigned(two), JOBS);
    world_stop(&world);
    scripted_stop(one);
    scripted_stop(two);
}

TEST(e4_a_checkpoint_is_durable_when_it_is_acknowledged_and_goes_to_the_next_attempt) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){EVERYTHING});
    world_start(&world);
    const char *id = world_create(&world, PICTURE);
    CS_AUTO(heard) *first = scripted_take(worker, HEARD_ASSIGN);
    assert_int_equal(first->command->assign->checkpoint.len, 0);
    scripted_checkpoint(first, 1, "submitted as 42");
    CS_AUTO(heard) *saved = scripted_take(worker, HEARD_SAVED);
    assert_int_equal(saved->command->checkpoint_saved->sequence, 1);
    assert_memory_equal(saved->fence, first->fence, ORC_FENCE_BYTES);
    assert_int_equal(world_events(&world, id, ORC_EVENT_CHECKPOINT), 1);
    scripted_break(worker);
    CS_AUTO(heard) *second = scripted_take(worker, HEARD_ASSIGN);
    assert_int_equal(second->command->assign->attempt, 2);
    assert_int_equal(second->command->assign->checkpoint.len, strlen("submitted as 42"));
    assert_memory_equal(second->command->assign->checkpoint.data, "submitted as 42", strlen("submitted as 42"));
    world_stop(&world);
    scripted_stop(worker);
}

TEST(limits_and_priorities_of_the_settings_and_of_plans_count) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world.config.limits = "tenant:acme=2,operation:noop=3";
    world.config.tenant_weights = "acme=2";
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){.slots = 10});
    world_start(&world);
    const char *id = world_create(
        &world, "{'tenant':'acme','plan':{'priority':3,'jobs':[{'id':'a','operation':{'noop':{}},'priority':9},"
                "{'id':'b','operation':{'noop':{}},'concurrencyKey':'k'},"
                "{'id':'c','operation':{'noop':{}},'concurrencyKey':'k'},{'id':'d','operation':{'noop':{}}}]}}");
    CS_AUTO(heard) *a = scripted_take(worker, HEARD_ASSIGN);
    CS_AUTO(heard) *b = scripted_take(worker, HEARD_ASSIGN);
    assert_string_equal(a->command->assign->job, "a");
    assert_string_equal(b->command->assign->job, "b");
    (void)world_get(&world, id);
    assert_int_equal(scripted_assigned(worker), 2); /* the tenant's limit */
    scripted_succeed(a);
    CS_AUTO(heard) *d = scripted_take(worker, HEARD_ASSIGN);
    assert_string_equal(d->command->assign->job, "d"); /* c waits for its key */
    scripted_succeed(b);
    CS_AUTO(heard) *c = scripted_take(worker, HEARD_ASSIGN);
    assert_string_equal(c->command->assign->job, "c");
    scripted_succeed(c);
    scripted_succeed(d);
    assert_int_equal(world_await(&world, id)->state, STATE(COMPLETED));
    world_stop(&world);
    scripted_stop(worker);
}

TEST(the_metrics_of_the_engine_can_be_asked_for) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    const char *id = world_create(&world, ONE);
    (void)world_get(&world, id);
    Callsheet__V1__GetMetricsRequest request = CALLSHEET__V1__GET_METRICS_REQUEST__INIT;
    const ProtobufCMessage *reply = NULL;
    struct cs_err err = {0};
    assert_ok(world_try(&world, "GetMetrics", &request.base, &reply, &err), &err);
    const char *text = ((const Callsheet__V1__GetMetricsReply *)reply)->text;
    assert_non_null(strstr(text, "callsheet_executions_open 1\n"));
    assert_non_null(strstr(text, "callsheet_queue_oldest_seconds{operation=\"noop\"} "));
    assert_string_equal(world_get(&world, id)->jobs[0]->waiting->reason, "no_worker");
    world_stop(&world);
}

TEST(settings_that_limit_nothing_known_are_refused) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world.config.limits = "operation:fly=3";
    struct orc_app *app = NULL;
    struct cs_err err = {0};
    assert_fails(orc_app_create(&world.config, &app, &err), &err, CS_INVALID_ARGUMENT, "bad_setting");
    assert_non_null(strstr(err.message, "operation:fly"));
}

TEST(w12_an_execution_that_takes_too_long_fails) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id =
        world_create(&world, "{'tenant':'acme','timeoutMs':300,'plan':{'jobs':[{'id':'a','operation':{'noop':{}}}]}}");
    CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(FAILED));
    CS_AUTO(heard) *stopped = scripted_take(worker, HEARD_CANCEL);
    assert_memory_equal(stopped->fence, assigned->fence, ORC_FENCE_BYTES);
    world_stop(&world);
    scripted_stop(worker);
}

/* ---- webhooks ---- */

#define HOOKED "{'tenant':'acme','plan':{},'webhook':{'url':'https://example.com/hook','secret':'s3cret'}}"

static void await_delivery(struct world *world, const char *id, Callsheet__V1__DeliveryState wanted) {
    int64_t until_ms = cs_clock_mono_ms() + CS_TEST_PATIENCE_MS;
    while (world_get(world, id)->delivery->state != wanted) {
        assert_true(cs_clock_mono_ms() < until_ms);
    }
}

TEST(sy_117_w26_x8_the_end_is_told_by_a_webhook_once_more_with_the_same_event_when_it_fails) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){EVERYTHING});
    world_start(&world);
    const char *id = world_create(&world, HOOKED);
    CS_AUTO(heard) *first = scripted_take(worker, HEARD_ASSIGN);
    const Callsheet__V1__DeliverWebhook *deliver = first->command->assign->operation->deliver_webhook;
    char event_id[64];
    (void)snprintf(event_id, sizeof(event_id), "evt_%s", id);
    assert_string_equal(deliver->event_id, event_id);
    assert_string_equal(deliver->secret, "s3cret");
    assert_int_equal(deliver->tries, 1);
    assert_non_null(memmem(deliver->body.data, deliver->body.len, "\"status\":\"completed\"", 20));
    scripted_break(worker); /* nobody knows whether it arrived */
    CS_AUTO(heard) *again = scripted_take(worker, HEARD_ASSIGN);
    const Callsheet__V1__DeliverWebhook *repeated = again->command->assign->operation->deliver_webhook;
    assert_string_equal(repeated->event_id, event_id);
    assert_int_equal(repeated->body.len, deliver->body.len);
    assert_memory_equal(repeated->body.data, deliver->body.data, deliver->body.len);
    scripted_succeed(again);
    await_delivery(&world, id, CALLSHEET__V1__DELIVERY_STATE__DELIVERY_STATE_DELIVERED);
    assert_int_equal(world_open_count(&world), 0);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(a_receiver_that_is_gone_is_not_asked_again) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){EVERYTHING});
    world_start(&world);
    const char *id = world_create(&world, HOOKED);
    CS_AUTO(heard) *first = scripted_take(worker, HEARD_ASSIGN);
    scripted_fail(first, FAILURE(INVALID_INPUT), "gone", 0);
    await_delivery(&world, id, CALLSHEET__V1__DELIVERY_STATE__DELIVERY_STATE_ABANDONED);
    assert_int_equal(world_get(&world, id)->state, STATE(COMPLETED));
    assert_int_equal(world_open_count(&world), 0);
    world_stop(&world);
    scripted_stop(worker);
}

TEST_MAIN(CS_TEST(an_assignment_carries_all_that_the_worker_needs),
          CS_TEST(e3_w10_a_report_that_is_repeated_or_contradicts_itself_counts_once),
          CS_TEST(a_report_with_a_fence_of_nobody_changes_nothing),
          CS_TEST(sy_139_t17_a_transient_failure_is_tried_again),
          CS_TEST(sy_049_w11_a_failure_that_is_final_skips_what_depends_on_it),
          CS_TEST(a_parent_without_a_fitting_output_fails_its_child),
          CS_TEST(a_worker_that_dies_loses_its_jobs_to_the_next_attempt), CS_TEST(jobs_of_a_dead_worker_go_to_another),
          CS_TEST(work_is_spread_and_credits_are_a_limit),
          CS_TEST(e4_a_checkpoint_is_durable_when_it_is_acknowledged_and_goes_to_the_next_attempt),
          CS_TEST(limits_and_priorities_of_the_settings_and_of_plans_count),
          CS_TEST(the_metrics_of_the_engine_can_be_asked_for), CS_TEST(settings_that_limit_nothing_known_are_refused),
          CS_TEST(w12_an_execution_that_takes_too_long_fails),
          CS_TEST(sy_117_w26_x8_the_end_is_told_by_a_webhook_once_more_with_the_same_event_when_it_fails),
          CS_TEST(a_receiver_that_is_gone_is_not_asked_again))
