/* The service over gRPC: create, read, list, watch, cancel; bad input; tenants. */
#include <string.h>

#include "cs/base/text.h"
#include "wire/page_token.h"
#include "world.h"

#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word
#define JOB(word) CALLSHEET__V1__JOB_STATE__JOB_STATE_##word

#define ONE "{'tenant':'acme','plan':{'jobs':[{'id':'a','operation':{'noop':{}}}]}}"
#define EMPTY "{'tenant':'acme','plan':{}}"

TEST(an_execution_runs_to_its_end_and_a_watcher_sees_it) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id = world_create(&world, DIAMOND);
    struct watch *watch = watch_start(&world, "acme", id, false);
    const Callsheet__V1__ExecutionUpdate *update = watch_next(watch);
    assert_true(update->snapshot);
    assert_int_equal(update->execution->n_jobs, 4);
    for (int i = 0; i < 4; i++) {
        CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
        scripted_succeed(assigned);
    }
    uint64_t revision = 0;
    Callsheet__V1__ExecutionState state = STATE(UNSPECIFIED);
    size_t updates = 0;
    for (; (update = watch_next(watch)) != NULL; updates++) {
        assert_true(update->execution->revision >= revision);
        assert_true(update->execution->n_jobs <= 4);
        revision = update->execution->revision;
        state = update->execution->state;
    }
    assert_true(updates >= 2);
    assert_int_equal(watch_end(watch)->status, CS_OK);
    assert_int_equal(state, STATE(COMPLETED));
    watch_stop(watch);

    const Callsheet__V1__Execution *execution = world_get(&world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_string_equal(execution->result_job_id, "d");
    assert_int_equal(execution->n_jobs, 4);
    assert_true(execution->completed_at_ms >= execution->created_at_ms);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(execution->jobs[i]->state, JOB(COMPLETED));
        assert_int_equal(execution->jobs[i]->attempt, 1);
    }
    assert_int_equal(world_open_count(&world), 0);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(a_watcher_of_a_finished_execution_gets_it_whole_and_the_end) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    const char *id = world_create(&world, EMPTY);
    (void)world_await(&world, id);
    struct watch *watch = watch_start(&world, "acme", id, false);
    const Callsheet__V1__ExecutionUpdate *update = watch_next(watch);
    assert_true(update->snapshot);
    assert_int_equal(update->execution->state, STATE(COMPLETED));
    assert_null(watch_next(watch));
    assert_int_equal(watch_end(watch)->status, CS_OK);
    watch_stop(watch);
}

TEST(sy_018_w21_a_plan_without_jobs_completes_at_once) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    const Callsheet__V1__Execution *execution = world_await(&world, world_create(&world, EMPTY));
    assert_int_equal(execution->state, STATE(COMPLETED));
    assert_int_equal(execution->n_jobs, 0);
    assert_string_equal(execution->result_job_id, "");
}

TEST(without_workers_an_execution_waits) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    const Callsheet__V1__Execution *execution = world_get(&world, world_create(&world, PICTURE));
    assert_int_equal(execution->state, STATE(PENDING));
    assert_int_equal(execution->jobs[0]->state, JOB(READY));
    assert_int_equal(execution->jobs[1]->state, JOB(WAITING));
    assert_string_equal(execution->labels[0]->value, "blue");
    assert_int_equal(world_stuck_count(&world), 0);
}

TEST(progress_reaches_the_watcher) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id = world_create(&world, ONE);
    struct watch *watch = watch_start(&world, "acme", id, false);
    CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
    scripted_accept(assigned);
    scripted_progress(assigned, 0.25);
    double fraction = 0;
    while (fraction == 0) {
        const Callsheet__V1__ExecutionUpdate *update = watch_next(watch);
        assert_non_null(update);
        if (update->execution->n_jobs > 0 && update->execution->jobs[0]->progress != NULL) {
            fraction = update->execution->jobs[0]->progress->fraction;
        }
    }
    assert_true(fraction == 0.25);
    const Callsheet__V1__Execution *execution = world_get(&world, id);
    assert_int_equal(execution->jobs[0]->state, JOB(RUNNING));
    assert_string_equal(execution->jobs[0]->progress->stage, "rendering");
    watch_stop(watch);
    world_stop(&world);
    scripted_stop(worker);
}

/* ---- bad input ---- */

TEST(sy_021_sy_022_sy_025_each_bad_plan_is_refused_with_its_path_and_changes_nothing) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    (void)world_create(&world, ONE);
    struct world_counts before = world_count(&world);
    for (size_t i = 0; i < bad_request_count; i++) {
        const struct bad_request *bad = &bad_requests[i];
        const Callsheet__V1__CreateExecutionReply *reply = NULL;
        struct cs_err err = {0};
        enum cs_status status = world_try_create(&world, bad_request_make(bad, world.arena), &reply, &err);
        if (status != CS_INVALID_ARGUMENT || !cs_str_eq(err.reason, bad->reason) || !cs_str_eq(err.path, bad->path)) {
            fail_msg("%s: got %s \"%s\" at \"%s\" (%s), wanted \"%s\" at \"%s\"", bad->what, cs_status_name(status),
                     err.reason, err.path, err.message, bad->reason, bad->path);
        }
    }
    struct world_counts after = world_count(&world);
    assert_memory_equal(&before, &after, sizeof(before));
}

TEST(bytes_that_are_no_text_are_refused) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    Callsheet__V1__CreateExecutionRequest *request = request_from(ONE, world.arena);
    request->plan->jobs[0]->output = (char *)"\xc3\x28";
    const Callsheet__V1__CreateExecutionReply *reply = NULL;
    struct cs_err err = {0};
    assert_int_equal(world_try_create(&world, request, &reply, &err), CS_INVALID_ARGUMENT);
    assert_int_equal(world_count(&world).executions, 0);
}

TEST(a_bad_page_size_token_reason_or_tenant_is_refused) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    const ProtobufCMessage *reply = NULL;
    struct cs_err err = {0};
    Callsheet__V1__ListExecutionsRequest list = CALLSHEET__V1__LIST_EXECUTIONS_REQUEST__INIT;
    list.tenant = (char *)"acme";
    list.page_size = 101;
    assert_fails(world_try(&world, "ListExecutions", &list.base, &reply, &err), &err, CS_INVALID_ARGUMENT,
                 "bad_page_size");
    assert_string_equal(err.path, "pageSize");
    list.page_size = 1;
    list.page_token = (char *)"forged";
    assert_fails(world_try(&world, "ListExecutions", &list.base, &reply, &err), &err, CS_INVALID_ARGUMENT,
                 "bad_page_token");
    list.page_token = (char *)"";
    list.skip = ORC_LIST_SKIP_MAX + 1;
    assert_fails(world_try(&world, "ListExecutions", &list.base, &reply, &err), &err, CS_INVALID_ARGUMENT,
                 "out_of_range");
    assert_string_equal(err.path, "skip");
    list.skip = 0;
    list.since_ms = -1;
    assert_fails(world_try(&world, "ListExecutions", &list.base, &reply, &err), &err, CS_INVALID_ARGUMENT,
                 "out_of_range");
    assert_string_equal(err.path, "sinceMs");
    list.since_ms = 0;
    char *ids[ORC_LIST_IDS_MAX + 1];
    for (size_t i = 0; i < CS_COUNT(ids); i++) {
        ids[i] = (char *)"e";
    }
    list.execution_ids = ids;
    list.n_execution_ids = CS_COUNT(ids);
    assert_fails(world_try(&world, "ListExecutions", &list.base, &reply, &err), &err, CS_INVALID_ARGUMENT, "too_many");
    assert_string_equal(err.path, "executionIds");
    list.n_execution_ids = 0;
    list.tenant = (char *)"NO";
    assert_fails(world_try(&world, "ListExecutions", &list.base, &reply, &err), &err, CS_INVALID_ARGUMENT,
                 "bad_tenant");
    const Callsheet__V1__Execution *execution = NULL;
    char long_reason[300];
    memset(long_reason, 'x', sizeof(long_reason));
    long_reason[sizeof(long_reason) - 1] = '\0';
    assert_fails(world_try_cancel(&world, "acme", "abc", long_reason, &execution, &err), &err, CS_INVALID_ARGUMENT,
                 "bad_reason");
}

/* ---- idempotency ---- */

static Callsheet__V1__CreateExecutionRequest *keyed(struct world *world, const char *text, const char *key) {
    Callsheet__V1__CreateExecutionRequest *request = request_from(text, world->arena);
    request->idempotency_key = (char *)key;
    return request;
}

TEST(ta_006_t3_a_key_repeated_with_the_same_plan_answers_the_first_execution) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    const Callsheet__V1__CreateExecutionReply *first = NULL;
    const Callsheet__V1__CreateExecutionReply *again = NULL;
    struct cs_err err = {0};
    assert_ok(world_try_create(&world, keyed(&world, PICTURE, "once"), &first, &err), &err);
    assert_ok(world_try_create(&world, keyed(&world, PICTURE, "once"), &again, &err), &err);
    assert_false(first->existing);
    assert_true(again->existing);
    assert_string_equal(first->execution_id, again->execution_id);
    assert_int_equal(first->created_at_ms, again->created_at_ms);
    assert_int_equal(world_count(&world).executions, 1);
    assert_fails(world_try_create(&world, keyed(&world, DIAMOND, "once"), &again, &err), &err, CS_ALREADY_EXISTS,
                 "idempotency_key_reused");
    Callsheet__V1__CreateExecutionRequest *other = keyed(&world, PICTURE, "once");
    other->tenant = (char *)"other";
    assert_ok(world_try_create(&world, other, &again, &err), &err);
    assert_false(again->existing);
    assert_string_not_equal(first->execution_id, again->execution_id);
    assert_int_equal(world_count(&world).executions, 2);
}

TEST(ta_006_t1_a_key_is_kept_when_its_execution_has_ended_and_the_server_started_again) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    const Callsheet__V1__CreateExecutionReply *first = NULL;
    const Callsheet__V1__CreateExecutionReply *again = NULL;
    struct cs_err err = {0};
    assert_ok(world_try_create(&world, keyed(&world, EMPTY, "once"), &first, &err), &err);
    (void)world_await(&world, first->execution_id);
    world_stop(&world);
    world_start(&world);
    assert_ok(world_try_create(&world, keyed(&world, EMPTY, "once"), &again, &err), &err);
    assert_true(again->existing);
    assert_string_equal(first->execution_id, again->execution_id);
    assert_int_equal(again->state, STATE(COMPLETED));
}

/* ---- tenants ---- */

TEST(x1_sy_146_ta_013_another_tenant_learns_nothing_of_an_execution) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    const char *open = world_create(&world, ONE);
    const char *closed = world_create(&world, EMPTY);
    (void)world_await(&world, closed);
    const char *const ids[] = {open, closed, "doesnotexist000000000", "no/id", ""};
    for (size_t i = 0; i < CS_COUNT(ids); i++) {
        const Callsheet__V1__Execution *execution = NULL;
        struct cs_err err = {0};
        assert_fails(world_try_get(&world, "other", ids[i], &execution, &err), &err, CS_NOT_FOUND, "no_such_execution");
        char message[CS_ERR_MESSAGE_MAX];
        cs_str_copy(message, sizeof(message), err.message);
        assert_fails(world_try_cancel(&world, "other", ids[i], "", &execution, &err), &err, CS_NOT_FOUND,
                     "no_such_execution");
        assert_string_equal(message, err.message); /* one answer for what is not there and what is another's */
        struct watch *watch = watch_start(&world, "other", ids[i], false);
        assert_null(watch_next(watch));
        assert_int_equal(watch_end(watch)->status, CS_NOT_FOUND);
        watch_stop(watch);
    }
    assert_int_equal(world_get(&world, open)->state, STATE(PENDING));
}

/* ---- lists ---- */

static const Callsheet__V1__ListExecutionsReply *list(struct world *world, uint32_t size, const char *token,
                                                      bool active) {
    Callsheet__V1__ListExecutionsRequest request = CALLSHEET__V1__LIST_EXECUTIONS_REQUEST__INIT;
    request.tenant = (char *)"acme";
    request.page_size = size;
    request.page_token = (char *)token;
    request.active_only = active;
    const ProtobufCMessage *reply = NULL;
    struct cs_err err = {0};
    assert_ok(world_try(world, "ListExecutions", &request.base, &reply, &err), &err);
    return (const Callsheet__V1__ListExecutionsReply *)reply;
}

TEST(lists_come_newest_first_in_pages) {
    enum { EXECUTIONS = 7 };
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    for (int i = 0; i < EXECUTIONS; i++) {
        const char *id = world_create(&world, i < 3 ? EMPTY : PICTURE);
        if (i < 3) {
            (void)world_await(&world, id);
        }
    }
    (void)world_create(&world, "{'tenant':'other','plan':{}}");
    size_t seen = 0;
    size_t pages = 0;
    int64_t newest_ms = INT64_MAX;
    const char *token = "";
    do {
        const Callsheet__V1__ListExecutionsReply *page = list(&world, 3, token, false);
        for (size_t i = 0; i < page->n_executions; i++) {
            assert_true(page->executions[i]->created_at_ms <= newest_ms);
            newest_ms = page->executions[i]->created_at_ms;
            assert_string_equal(page->executions[i]->tenant, "acme");
            assert_int_equal(page->executions[i]->n_jobs, 0);
        }
        seen += page->n_executions;
        token = page->next_page_token;
        pages++;
    } while (token[0] != '\0');
    assert_int_equal(seen, EXECUTIONS);
    assert_int_equal(pages, 3);
    const Callsheet__V1__ListExecutionsReply *active = list(&world, 0, "", true);
    assert_int_equal(active->n_executions, 4);
    assert_int_equal(active->executions[0]->state, STATE(PENDING));
}

TEST(sy_045_a_dashboard_lists_what_is_new_and_what_it_watches) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    char *watched = (char *)world_create(&world, EMPTY);
    (void)world_await(&world, watched);
    char *foreign = (char *)world_create(&world, "{'tenant':'other','plan':{}}");
    const char *open = world_create(&world, PICTURE);
    Callsheet__V1__ListExecutionsRequest request = CALLSHEET__V1__LIST_EXECUTIONS_REQUEST__INIT;
    char *ids[] = {watched, foreign};
    request.tenant = (char *)"acme";
    request.active_only = true;
    request.execution_ids = ids;
    request.n_execution_ids = CS_COUNT(ids);
    const ProtobufCMessage *reply = NULL;
    struct cs_err err = {0};
    assert_ok(world_try(&world, "ListExecutions", &request.base, &reply, &err), &err);
    const Callsheet__V1__ListExecutionsReply *page = (const Callsheet__V1__ListExecutionsReply *)reply;
    assert_int_equal(page->n_executions, 2);
    assert_string_equal(page->executions[0]->id, open);
    assert_string_equal(page->executions[1]->id, watched);
    assert_int_equal(page->executions[1]->state, STATE(COMPLETED));
    request.skip = 1;
    assert_ok(world_try(&world, "ListExecutions", &request.base, &reply, &err), &err);
    page = (const Callsheet__V1__ListExecutionsReply *)reply;
    assert_int_equal(page->n_executions, 1);
    assert_string_equal(page->executions[0]->id, watched);
    request.skip = 0;
    request.since_ms = INT64_MAX;
    request.n_execution_ids = 0;
    assert_ok(world_try(&world, "ListExecutions", &request.base, &reply, &err), &err);
    assert_int_equal(((const Callsheet__V1__ListExecutionsReply *)reply)->n_executions, 0);
}

/* ---- cancelling ---- */

TEST(sy_054_w15_w23_e14_a_cancel_reaches_the_worker_and_is_final) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id = world_create(&world, DIAMOND);
    CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
    struct watch *watch = watch_start(&world, "acme", id, false);
    const Callsheet__V1__Execution *execution = NULL;
    struct cs_err err = {0};
    assert_ok(world_try_cancel(&world, "acme", id, "not wanted", &execution, &err), &err);
    assert_int_equal(execution->state, STATE(CANCELLED));
    assert_int_equal(execution->jobs[0]->state, JOB(CANCELLED));
    CS_AUTO(heard) *cancelled = scripted_take(worker, HEARD_CANCEL);
    assert_memory_equal(cancelled->fence, assigned->fence, ORC_FENCE_BYTES);
    while (watch_next(watch) != NULL) {
    }
    assert_int_equal(watch_end(watch)->status, CS_OK);
    watch_stop(watch);

    scripted_succeed(assigned); /* too late: it changes nothing */
    assert_ok(world_try_cancel(&world, "acme", id, "again", &execution, &err), &err);
    assert_int_equal(execution->state, STATE(CANCELLED));
    assert_int_equal(world_events(&world, id, ORC_EVENT_CANCEL), 1);
    assert_int_equal(world_events(&world, id, ORC_EVENT_SUCCEEDED), 0);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(what_has_completed_cannot_be_cancelled) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    world_start(&world);
    const char *id = world_create(&world, EMPTY);
    (void)world_await(&world, id);
    const Callsheet__V1__Execution *execution = NULL;
    struct cs_err err = {0};
    assert_int_equal(world_try_cancel(&world, "acme", id, "", &execution, &err), CS_FAILED_PRECONDITION);
    assert_int_equal(world_get(&world, id)->state, STATE(COMPLETED));
}

/* ---- slow watchers, drain, tokens ---- */

TEST(a_slow_watcher_gets_the_newest_state_and_not_each_change) {
    enum { JOBS = 600, LABEL_BYTES = 16000 }; /* each change carries the label: about 10 MB in all */
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){.automatic = true, .slots = 8});
    CS_AUTO_BUF plan = {0};
    cs_buf_puts(&plan, "{'tenant':'acme','plan':{'jobs':[");
    for (int i = 0; i < JOBS; i++) {
        cs_buf_printf(&plan, "%s{'id':'j%d','operation':{'noop':{}}", i > 0 ? "," : "", i);
        cs_buf_printf(&plan, i > 0 ? ",'dependsOn':['j%d']}" : "}", i - 1);
    }
    cs_buf_printf(&plan, "]},'labels':[{'key':'big','value':'%0*d'}]}", LABEL_BYTES, 0);
    world_start(&world);
    const char *id = world_create(&world, plan.data);
    struct watch *slow = watch_start(&world, "acme", id, true);
    const Callsheet__V1__Execution *execution = world_await(&world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    watch_go(slow);
    const Callsheet__V1__Execution *last = NULL;
    size_t updates = 0;
    size_t bytes = 0;
    for (const Callsheet__V1__ExecutionUpdate *update = NULL; (update = watch_next(slow)) != NULL; updates++) {
        assert_true(last == NULL || update->execution->revision >= last->revision);
        last = update->execution;
        bytes += protobuf_c_message_get_packed_size(&update->base);
    }
    assert_int_equal(watch_end(slow)->status, CS_OK);
    assert_int_equal(last->state, STATE(COMPLETED));
    assert_true(updates < JOBS / 2);
    assert_true(bytes < JOBS * LABEL_BYTES / 2);
    watch_stop(slow);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(a_drain_ends_watches_and_keeps_what_is_open) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){0});
    world_start(&world);
    const char *id = world_create(&world, ONE);
    heard_free(scripted_take(worker, HEARD_ASSIGN));
    struct watch *watch = watch_start(&world, "acme", id, false);
    assert_non_null(watch_next(watch));
    orc_app_drain(world.app);
    while (watch_next(watch) != NULL) {
    }
    assert_int_equal(watch_end(watch)->status, CS_UNAVAILABLE);
    assert_string_equal(watch_end(watch)->reason, "draining");
    watch_stop(watch);
    heard_free(scripted_take(worker, HEARD_CLOSED)); /* the worker's stream has ended too */
    assert_int_equal(world_open_count(&world), 1);
    scripted_stop(worker);
}

TEST(a_call_without_the_token_is_refused) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker =
        world_worker(&world, (struct scripted_config){.token = "s3cret-token", .automatic = true});
    world.config.service_token = "s3cret-token";
    world_start(&world);
    assert_int_equal(world_await(&world, world_create(&world, ONE))->state,
                     STATE(COMPLETED)); /* workers are shown it */
    cs_rpc_channel_destroy(world.channel);
    world.channel = NULL;
    struct cs_err err = {0};
    const struct cs_rpc_channel_config config = {
        .target = orc_app_address(world.app), .authorization = "Bearer guess", .own_connection = true};
    assert_ok(cs_rpc_channel_create(world.rpc, &config, &world.channel, &err), &err);
    const Callsheet__V1__Execution *execution = NULL;
    assert_int_equal(world_try_get(&world, "acme", "abc", &execution, &err), CS_UNAUTHENTICATED);
    world_stop(&world);
    scripted_stop(worker);
}

TEST(bad_settings_are_refused) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct orc_config bad[5] = {world.config, world.config, world.config, world.config, world.config};
    bad[0].link_secret = "short";
    bad[1].environment = "a/b";
    bad[2].replica = "a/b";
    bad[3].public_url = "ftp://x";
    bad[4].workers = "nowhere";
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct orc_app *app = NULL;
        struct cs_err err = {0};
        assert_int_equal(orc_app_create(&bad[i], &app, &err), CS_INVALID_ARGUMENT);
        assert_null(strstr(err.message, "short"));
    }
}

TEST_MAIN(CS_TEST(an_execution_runs_to_its_end_and_a_watcher_sees_it),
          CS_TEST(a_watcher_of_a_finished_execution_gets_it_whole_and_the_end),
          CS_TEST(sy_018_w21_a_plan_without_jobs_completes_at_once), CS_TEST(without_workers_an_execution_waits),
          CS_TEST(progress_reaches_the_watcher),
          CS_TEST(sy_021_sy_022_sy_025_each_bad_plan_is_refused_with_its_path_and_changes_nothing),
          CS_TEST(bytes_that_are_no_text_are_refused), CS_TEST(a_bad_page_size_token_reason_or_tenant_is_refused),
          CS_TEST(ta_006_t3_a_key_repeated_with_the_same_plan_answers_the_first_execution),
          CS_TEST(ta_006_t1_a_key_is_kept_when_its_execution_has_ended_and_the_server_started_again),
          CS_TEST(x1_sy_146_ta_013_another_tenant_learns_nothing_of_an_execution),
          CS_TEST(lists_come_newest_first_in_pages), CS_TEST(sy_045_a_dashboard_lists_what_is_new_and_what_it_watches),
          CS_TEST(sy_054_w15_w23_e14_a_cancel_reaches_the_worker_and_is_final),
          CS_TEST(what_has_completed_cannot_be_cancelled),
          CS_TEST(a_slow_watcher_gets_the_newest_state_and_not_each_change),
          CS_TEST(a_drain_ends_watches_and_keeps_what_is_open), CS_TEST(a_call_without_the_token_is_refused),
          CS_TEST(bad_settings_are_refused))
