/* Tracked runs through the whole gateway: what reaches the orchestrator, and what its answers become. */
#include <stdlib.h>
#include <string.h>

#include "callsheet/v1/runs.pb-c.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "tests/world.h"

/* ---- a scripted Runs service: remembers the last request, answers one run, or fails as planned ---- */

struct fake_runs {
    struct cs_rpc *rpc;
    struct cs_rpc_server *server;
    struct cs_rpc_service service;
    struct cs_err failure; /* set between calls only */
    bool already_running;
    char *last;
};

static enum cs_status remember(struct fake_runs *fake, const ProtobufCMessage *request, struct cs_err *err) {
    CS_AUTO_JSON *value = cs_json_from_message(request, 0);
    free(fake->last);
    fake->last = json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER);
    if (fake->failure.status != CS_OK) {
        *err = fake->failure;
    }
    return fake->failure.status;
}

/* Filled in place: metrics and run live as long as the call. */
struct sample {
    Callsheet__V1__Run run;
    Callsheet__V1__RunMetric posts;
    Callsheet__V1__RunMetric stage;
    Callsheet__V1__RunMetric *metrics[2];
};

static void sample_init(struct sample *sample) {
    callsheet__v1__run__init(&sample->run);
    callsheet__v1__run_metric__init(&sample->posts);
    callsheet__v1__run_metric__init(&sample->stage);
    sample->posts.name = "posts";
    sample->posts.value_case = CALLSHEET__V1__RUN_METRIC__VALUE_NUMBER;
    sample->posts.number = 5;
    sample->stage.name = "stage";
    sample->stage.value_case = CALLSHEET__V1__RUN_METRIC__VALUE_TEXT;
    sample->stage.text = "scored";
    sample->metrics[0] = &sample->posts;
    sample->metrics[1] = &sample->stage;
    sample->run.run_id = "261125-093000-west";
    sample->run.base_run_id = "261125-093000";
    sample->run.job_type = "scoring";
    sample->run.client = "west";
    sample->run.status = CALLSHEET__V1__RUN_STATUS__RUN_STATUS_COMPLETED_WITH_ERRORS;
    sample->run.started_at_ms = 1;
    sample->run.ended_at_ms = 2;
    sample->run.metrics = sample->metrics;
    sample->run.n_metrics = 2;
    sample->run.notes = "a note";
}

static enum cs_status start(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    struct fake_runs *fake = ctx;
    struct sample sample;
    Callsheet__V1__StartRunReply reply = CALLSHEET__V1__START_RUN_REPLY__INIT;
    char *warnings[] = {"careful"};
    CS_TRY(remember(fake, request, err));
    sample_init(&sample);
    reply.run = &sample.run;
    reply.already_running = fake->already_running;
    reply.warnings = warnings;
    reply.n_warnings = 1;
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

static enum cs_status change(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    struct sample sample;
    Callsheet__V1__ChangeRunReply reply = CALLSHEET__V1__CHANGE_RUN_REPLY__INIT;
    CS_TRY(remember(ctx, request, err));
    sample_init(&sample);
    reply.run = &sample.run;
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

static enum cs_status get(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    struct sample sample;
    CS_TRY(remember(ctx, request, err));
    sample_init(&sample);
    cs_rpc_reply(call, &sample.run.base);
    return CS_OK;
}

static enum cs_status list(struct cs_rpc_call *call, const ProtobufCMessage *request, void *ctx, struct cs_err *err) {
    struct sample sample;
    Callsheet__V1__ListRunsReply reply = CALLSHEET__V1__LIST_RUNS_REPLY__INIT;
    Callsheet__V1__Run *runs[] = {&sample.run};
    CS_TRY(remember(ctx, request, err));
    sample_init(&sample);
    reply.runs = runs;
    reply.n_runs = 1;
    reply.next_page_token = "next";
    cs_rpc_reply(call, &reply.base);
    return CS_OK;
}

static const struct cs_rpc_method methods[] = {
    {"StartRun", start, NULL}, {"HeartbeatRun", change, NULL}, {"CompleteRun", change, NULL},
    {"GetRun", get, NULL},     {"ListRuns", list, NULL},
};

/* A gateway in front of it. */
struct place {
    struct world world;
    struct fake_runs fake;
};

static void up(struct place *place, const char *api_keys) {
    struct cs_err err = {0};
    *place = (struct place){0};
    world_init(&place->world);
    struct fake_runs *fake = &place->fake;
    fake->service =
        (struct cs_rpc_service){&callsheet__v1__runs__descriptor, methods, sizeof(methods) / sizeof(methods[0]), fake};
    const struct cs_rpc_server_config config = {
        .listen = "127.0.0.1:0", .services = &fake->service, .service_count = 1};
    assert_ok(cs_rpc_create(&(struct cs_rpc_config){0}, &fake->rpc, &err), &err);
    assert_ok(cs_rpc_server_start(fake->rpc, &config, &fake->server, &err), &err);
    place->world.config.orchestrator = cs_rpc_server_address(fake->server);
    place->world.config.api_keys = api_keys;
    world_start(&place->world);
}

static void down(struct place *place) {
    world_stop(&place->world);
    cs_rpc_server_destroy(place->fake.server);
    cs_rpc_destroy(place->fake.rpc);
    free(place->fake.last);
}

static json_t *say(struct place *place, const char *method, const char *target, const char *body, int want_status) {
    return ask(&place->world, method, target, "", body, want_status);
}

static void refuses(struct place *place, const char *target, const char *body, const char *code, const char *path) {
    CS_AUTO_JSON *answer = say(place, "POST", target, body, 400);
    assert_string_equal(text_at(answer, "code"), code);
    assert_string_equal(text_at(answer, "path"), path);
}

/* ---- tests ---- */

TEST(pb_002_a_start_reaches_the_orchestrator_with_the_tenant_of_the_key) {
    struct place place;
    struct answer answer;
    char text[64];
    up(&place, "key-of-acme=acme");
    http(place.world.address, "POST", "/v1/runs", "Authorization: Bearer key-of-acme\r\n",
         "{\"jobType\":\"scoring\",\"clientId\":\"west\",\"initialData\":{\"posts\":5,\"cost\":\"0.25\",\"slow\":{"
         "\"value\":9,\"rule\":\"max\"}},\"leaseMs\":1000,\"timeoutMs\":2000,\"note\":\"n\"}",
         &answer);
    assert_int_equal(answer.status, 202);
    assert_string_equal(answer_header(&answer, "Location", text, sizeof(text)), "/v1/runs/261125-093000-west");
    assert_string_equal(
        answer.body.data,
        "{\"jobId\":\"261125-093000-west\",\"runId\":\"261125-093000-west\",\"jobType\":\"scoring\","
        "\"clientId\":\"west\",\"status\":\"Completed with Errors\",\"startTime\":\"1970-01-01T00:00:00."
        "001Z\",\"leaseUntil\":null,\"alreadyRunning\":false,\"alreadyExists\":false,\"message\":\"Job "
        "of type scoring has started\",\"warnings\":[\"careful\"]}\n");
    answer_fini(&answer);
    assert_string_equal(place.fake.last,
                        "{\"tenant\":\"acme\",\"jobType\":\"scoring\",\"client\":\"west\",\"initial\":[{\"name\":"
                        "\"posts\",\"number\":5.0},{\"name\":\"cost\",\"text\":\"0.25\"},{\"name\":\"slow\",\"rule\":"
                        "\"max\",\"number\":9.0}],\"leaseMs\":1000,\"timeoutMs\":2000,\"note\":\"n\"}");
    http(place.world.address, "POST", "/v1/runs", "", "{\"jobType\":\"scoring\"}", &answer);
    assert_int_equal(answer.status, 401);
    answer_fini(&answer);
    down(&place);
}

TEST(pb_003_a_run_that_runs_is_answered_with_its_start) {
    struct place place;
    up(&place, "");
    place.fake.already_running = true;
    CS_AUTO_JSON *answer = say(&place, "POST", "/v1/runs", "{\"jobType\":\"scoring\"}", 200);
    assert_true(json_is_true(json_object_get(answer, "alreadyRunning")));
    assert_string_equal(text_at(answer, "message"),
                        "Job of type scoring is already running (started at 1970-01-01T00:00:00.001Z)");
    assert_string_equal(text_at(answer, "startTime"), "1970-01-01T00:00:00.001Z");
    down(&place);
}

TEST(pb_020_of_several_run_ids_the_most_specific_counts) {
    static const struct {
        const char *target;
        const char *body;
        const char *id;
    } cases[] = {
        {"/v1/runs?runId=2", "{\"jobType\":\"a\",\"specificRunId\":\"1\",\"runId\":\"3\",\"parentRunId\":\"4\"}", "1"},
        {"/v1/runs?runId=2", "{\"jobType\":\"a\",\"options\":{\"specificRunId\":\"1\"},\"runId\":\"3\"}", "1"},
        {"/v1/runs?runId=2", "{\"jobType\":\"a\",\"runId\":\"3\",\"parentRunId\":\"4\"}", "2"},
        {"/v1/runs", "{\"jobType\":\"a\",\"runId\":\"3\",\"parentRunId\":\"4\"}", "3"},
        {"/v1/runs", "{\"jobType\":\"a\",\"runId\":null,\"parentRunId\":\"4\"}", "4"},
        {"/v1/runs?runId=", "{\"jobType\":\"a\"}", ""},
    };
    struct place place;
    up(&place, "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CS_AUTO_JSON *answer = say(&place, "POST", cases[i].target, cases[i].body, 202);
        CS_AUTO_JSON *last = json_loads(place.fake.last, 0, NULL);
        assert_non_null(answer);
        assert_string_equal(text_at(last, "runId"), cases[i].id);
    }
    down(&place);
}

TEST(pb_005_a_completion_carries_status_and_metrics_and_shows_the_run) {
    struct place place;
    up(&place, "");
    CS_AUTO_JSON *answer =
        say(&place, "POST", "/v1/runs/261125-093000/complete",
            "{\"jobType\":\"scoring\",\"clientId\":\"west\",\"status\":\"Completed with Errors\",\"finalMetrics\":{"
            "\"posts\":5},\"error\":\"two\",\"note\":\"n\"}",
            200);
    assert_string_equal(place.fake.last,
                        "{\"tenant\":\"default\",\"jobType\":\"scoring\",\"runId\":\"261125-093000\",\"client\":"
                        "\"west\",\"status\":\"completed_with_errors\",\"error\":\"two\",\"metrics\":[{\"name\":"
                        "\"posts\",\"number\":5.0}],\"note\":\"n\"}");
    assert_string_equal(text_at(answer, "runId"), "261125-093000-west");
    assert_string_equal(text_at(answer, "status"), "Completed with Errors");
    assert_string_equal(text_at(answer, "endTime"), "1970-01-01T00:00:00.002Z");
    assert_string_equal(text_at(answer, "notes"), "a note");
    const json_t *metrics = json_object_get(answer, "metrics");
    assert_true(json_real_value(json_object_get(metrics, "posts")) == 5);
    assert_string_equal(text_at(metrics, "stage"), "scored");
    assert_true(json_is_false(json_object_get(answer, "unchanged")));
    down(&place);
}

TEST(pb_018_values_that_are_none_go_on_for_the_orchestrator_to_warn) {
    struct place place;
    up(&place, "");
    CS_AUTO_JSON *answer = say(&place, "POST", "/v1/runs/261125-093000/complete",
                               "{\"jobType\":\"scoring\",\"finalMetrics\":{\"a\":null,\"b\":[1],\"c\":true,\"d\":{"
                               "\"value\":1,\"rule\":\"avg\"},\"e\":{}}}",
                               200);
    assert_non_null(answer);
    assert_string_equal(place.fake.last, "{\"tenant\":\"default\",\"jobType\":\"scoring\",\"runId\":\"261125-093000\","
                                         "\"metrics\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":"
                                         "\"d\"},{\"name\":\"e\"}]}");
    down(&place);
}

TEST(a_heartbeat_may_be_empty) {
    struct place place;
    up(&place, "");
    CS_AUTO_JSON *empty = say(&place, "POST", "/v1/runs/261125-093000/heartbeat", NULL, 200);
    assert_non_null(empty);
    assert_string_equal(place.fake.last, "{\"tenant\":\"default\",\"runId\":\"261125-093000\"}");
    CS_AUTO_JSON *full =
        say(&place, "POST", "/v1/runs/261125-093000/heartbeat", "{\"metrics\":{\"posts\":1},\"note\":\"n\"}", 200);
    assert_non_null(full);
    assert_string_equal(place.fake.last, "{\"tenant\":\"default\",\"runId\":\"261125-093000\",\"metrics\":[{\"name\":"
                                         "\"posts\",\"number\":1.0}],\"note\":\"n\"}");
    down(&place);
}

TEST(pb_004_runs_are_read_and_listed) {
    struct place place;
    up(&place, "");
    CS_AUTO_JSON *run = say(&place, "GET", "/v1/runs/261125-093000?clientId=west", NULL, 200);
    assert_string_equal(place.fake.last, "{\"tenant\":\"default\",\"runId\":\"261125-093000\",\"client\":\"west\"}");
    assert_string_equal(text_at(run, "baseRunId"), "261125-093000");
    CS_AUTO_JSON *runs =
        say(&place, "GET", "/v1/runs?jobType=scoring&client=west&running=true&limit=5&pageToken=t", NULL, 200);
    assert_string_equal(place.fake.last, "{\"tenant\":\"default\",\"jobType\":\"scoring\",\"client\":\"west\","
                                         "\"runningOnly\":true,\"pageSize\":5,\"pageToken\":\"t\"}");
    assert_int_equal(json_array_size(json_object_get(runs, "runs")), 1);
    assert_null(json_object_get(json_array_get(json_object_get(runs, "runs"), 0), "notes"));
    assert_string_equal(text_at(runs, "nextPageToken"), "next");
    CS_AUTO_JSON *without = say(&place, "GET", "/v1/runs?clientId=", NULL, 200);
    assert_non_null(without);
    assert_string_equal(place.fake.last, "{\"tenant\":\"default\",\"withoutClient\":true,\"pageSize\":10}");
    static const char *const bad[] = {"/v1/runs?limit=0", "/v1/runs?limit=101", "/v1/runs?running=yes",
                                      "/v1/runs/not%20an%20id", "/v1/runs?client=%ff"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CS_AUTO_JSON *refused = say(&place, "GET", bad[i], NULL, 400);
        assert_true(text_at(refused, "code")[0] != '\0');
    }
    down(&place);
}

TEST(pb_007_pb_012_conflicts_and_missing_runs_keep_their_words) {
    struct place place;
    up(&place, "");
    (void)cs_fail(&place.fake.failure, CS_FAILED_PRECONDITION, "wrong_run_id", "the run that runs is another one");
    CS_AUTO_JSON *conflict = say(&place, "POST", "/v1/runs/261125-093000/complete", "{\"jobType\":\"scoring\"}", 409);
    assert_string_equal(text_at(conflict, "code"), "wrong_run_id");
    assert_string_equal(text_at(conflict, "error"), "the run that runs is another one");
    (void)cs_fail(&place.fake.failure, CS_NOT_FOUND, "no_such_run",
                  "Job tracking record not found for base run ID: 261125-093000");
    CS_AUTO_JSON *missing = say(&place, "GET", "/v1/runs/261125-093000-west", NULL, 404);
    assert_string_equal(text_at(missing, "error"), "Job tracking record not found for base run ID: 261125-093000");
    (void)cs_fail(&place.fake.failure, CS_UNAVAILABLE, "not_done", "where the database is");
    CS_AUTO_JSON *away = say(&place, "GET", "/v1/runs/261125-093000", NULL, 503);
    assert_null(strstr(text_at(away, "message"), "database"));
    down(&place);
}

TEST(pb_010_bad_bodies_are_refused_with_their_path) {
    static const struct {
        const char *body;
        const char *code;
        const char *path;
    } cases[] = {
        {"[]", "wrong_type", ""},
        {"{\"jobType\":1}", "wrong_type", "jobType"},
        {"{\"jobType\":\"a\",\"runId\":261125}", "wrong_type", "runId"},
        {"{\"jobType\":\"a\",\"options\":{\"specificRunId\":1}}", "wrong_type", "options.specificRunId"},
        {"{\"jobType\":\"a\",\"options\":{\"x\":1}}", "unknown_field", "options.x"},
        {"{\"jobType\":\"a\",\"initialData\":[]}", "wrong_type", "initialData"},
        {"{\"jobType\":\"a\",\"leaseMs\":\"1s\"}", "wrong_type", "leaseMs"},
        {"{\"jobType\":\"a\",\"timeoutMs\":0}", "out_of_range", "timeoutMs"},
        {"{\"jobType\":\"a\",\"status\":\"Completed\"}", "unknown_field", "status"},
    };
    struct place place;
    up(&place, "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        refuses(&place, "/v1/runs", cases[i].body, cases[i].code, cases[i].path);
    }
    refuses(&place, "/v1/runs/261125-093000/complete", "{\"jobType\":\"a\",\"status\":\"Running\"}", "unknown_word",
            "status");
    refuses(&place, "/v1/runs/261125-093000/heartbeat", "{\"finalMetrics\":{}}", "unknown_field", "finalMetrics");
    refuses(&place, "/v1/runs?runId=a%20b", "{\"jobType\":\"a\"}", "bad_run_id", "runId");
    assert_null(place.fake.last); /* none of them went on */
    (void)cs_fail_at(&place.fake.failure, "client", "bad_client", "no client");
    refuses(&place, "/v1/runs", "{\"jobType\":\"a\",\"clientId\":\"_\"}", "bad_client", "clientId");
    (void)cs_fail_at(&place.fake.failure, "runId", "bad_run_id", "no run id");
    refuses(&place, "/v1/runs", "{\"jobType\":\"a\",\"parentRunId\":\"x\"}", "bad_run_id", "parentRunId");
    down(&place);
}

TEST_MAIN(CS_TEST(pb_002_a_start_reaches_the_orchestrator_with_the_tenant_of_the_key),
          CS_TEST(pb_003_a_run_that_runs_is_answered_with_its_start),
          CS_TEST(pb_020_of_several_run_ids_the_most_specific_counts),
          CS_TEST(pb_005_a_completion_carries_status_and_metrics_and_shows_the_run),
          CS_TEST(pb_018_values_that_are_none_go_on_for_the_orchestrator_to_warn), CS_TEST(a_heartbeat_may_be_empty),
          CS_TEST(pb_004_runs_are_read_and_listed), CS_TEST(pb_007_pb_012_conflicts_and_missing_runs_keep_their_words),
          CS_TEST(pb_010_bad_bodies_are_refused_with_their_path))
