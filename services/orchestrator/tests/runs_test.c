/* Tracked runs over gRPC and PostgreSQL: single flight, leases, conflicts, restarts. */
#include <pthread.h>
#include <string.h>

#include "callsheet/v1/runs.pb-c.h"
#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "domain/run.h"
#include "peek_runs_sql.h"
#include "world.h"

#define STATUS(word) CALLSHEET__V1__RUN_STATUS__RUN_STATUS_##word

static const struct cs_pg_statement runs_counts = CS_PG_STATEMENT(runs_counts, "", "runs:int8 running:int8");
static const struct cs_pg_statement run_words =
    CS_PG_STATEMENT(run_words, "", "status:int4 name:text word:text terminal:bool");
static const struct cs_pg_statement run_age = CS_PG_STATEMENT(run_age, "text int8", "");
static const struct cs_pg_statement run_corrupt = CS_PG_STATEMENT(run_corrupt, "text", "");

/* ---- calls: requests are JSON with ' for ", replies live in the world's arena ---- */

static enum cs_status invoke(struct cs_rpc_channel *channel, const char *method, const ProtobufCMessage *request,
                             struct cs_arena *arena, const ProtobufCMessage **ret_reply, struct cs_err *err) {
    const struct cs_rpc_options options = {.timeout_ms = CS_TEST_PATIENCE_MS, .wait_for_ready = true};
    ProtobufCMessage *reply = NULL;
    CS_TRY(cs_rpc_invoke(channel, &callsheet__v1__runs__descriptor, method, request, &options, &reply, err));
    size_t size = protobuf_c_message_get_packed_size(reply);
    uint8_t *bytes = cs_arena_alloc(arena, size + 1);
    (void)protobuf_c_message_pack(reply, bytes);
    ProtobufCMessage *copy = NULL;
    enum cs_status status = cs_rpc_message_unpack_arena(reply->descriptor, bytes, size, arena, &copy, err);
    cs_rpc_message_free(reply);
    *ret_reply = copy;
    return status;
}

static ProtobufCMessage *request_of(const char *method, const char *text, struct cs_arena *arena) {
    const ProtobufCMethodDescriptor *found =
        protobuf_c_service_descriptor_get_method_by_name(&callsheet__v1__runs__descriptor, method);
    char *json = cs_arena_strdup(arena, text);
    for (char *c = json; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    CS_AUTO_JSON *value = NULL;
    ProtobufCMessage *message = NULL;
    struct cs_err err = {0};
    assert_ok(cs_json_parse(json, strlen(json), &value, &err), &err);
    assert_ok(cs_json_to_message(value, found->input, "", arena, &message, &err), &err);
    return message;
}

static enum cs_status try_call(struct world *world, const char *method, const char *text,
                               const ProtobufCMessage **ret_reply, struct cs_err *err) {
    return invoke(world->channel, method, request_of(method, text, world->arena), world->arena, ret_reply, err);
}

static const ProtobufCMessage *call(struct world *world, const char *method, const char *text) {
    const ProtobufCMessage *reply = NULL;
    struct cs_err err = {0};
    assert_ok(try_call(world, method, text, &reply, &err), &err);
    return reply;
}

#define TEXT(...) cs_arena_sprintf(world->arena, __VA_ARGS__)

static const Callsheet__V1__StartRunReply *start(struct world *world, const char *text) {
    return (const Callsheet__V1__StartRunReply *)call(world, "StartRun", text);
}

static const Callsheet__V1__Run *get(struct world *world, const char *id) {
    return (const Callsheet__V1__Run *)call(world, "GetRun", TEXT("{'tenant':'acme','runId':'%s'}", id));
}

static const Callsheet__V1__ChangeRunReply *complete(struct world *world, const char *id, const char *more) {
    return (const Callsheet__V1__ChangeRunReply *)call(
        world, "CompleteRun", TEXT("{'tenant':'acme','jobType':'scoring','runId':'%s'%s}", id, more));
}

static void must_fail(struct world *world, const char *method, const char *text, enum cs_status status,
                      const char *reason) {
    const ProtobufCMessage *reply = NULL;
    struct cs_err err = {0};
    assert_fails(try_call(world, method, text, &reply, &err), &err, status, reason);
}

static int64_t peek(struct world *world, const char *column) {
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    assert_ok(cs_pg_one(world->pg, &runs_counts, NULL, &rows, &err), &err);
    return cs_pg_i64(rows, column);
}

static void make_older(struct world *world, const char *id, int64_t by_ms) {
    CS_AUTO_PG_PARAMS params = {0};
    struct cs_err err = {0};
    cs_pg_put_text(&params, id);
    cs_pg_put_i64(&params, by_ms);
    assert_ok(cs_pg_exec(world->pg, &run_age, &params, NULL, &err), &err);
}

static const Callsheet__V1__RunMetric *metric(Callsheet__V1__RunMetric **metrics, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (cs_str_eq(metrics[i]->name, name)) {
            return metrics[i];
        }
    }
    fail_msg("there is no metric %s", name);
    return NULL;
}

#define OPEN                                                                                                           \
    AUTO_WORLD opened = {0};                                                                                           \
    struct world *world = &opened;                                                                                     \
    world_open(world, NULL);                                                                                           \
    world_start(world)

#define SCORING "{'tenant':'acme','jobType':'scoring'}"

/* ---- start ---- */

TEST(pb_001_the_service_alone_makes_run_ids) {
    OPEN;
    const Callsheet__V1__Run *run = start(world, SCORING)->run;
    struct orc_run_id id;
    struct cs_err err = {0};
    assert_ok(orc_run_id_parse(run->run_id, &id, &err), &err);
    must_fail(world, "StartRun", "{'tenant':'acme','jobType':'other','runId':'991231-235959'}", CS_NOT_FOUND,
              "no_such_run");
    must_fail(world, "StartRun", "{'tenant':'acme','jobType':'other','runId':'991231-235959','client':'west'}",
              CS_NOT_FOUND, "no_such_run");
    assert_int_equal(peek(world, "runs"), 1);
}

TEST(p9_pb_002_a_start_answers_the_run_that_is_stored) {
    OPEN;
    const Callsheet__V1__StartRunReply *reply =
        start(world, "{'tenant':'acme','jobType':'scoring','client':'west','initial':[{'name':'posts','text':'3'}]}");
    assert_false(reply->already_running);
    assert_int_equal(reply->n_warnings, 0);
    assert_true(cs_str_ends(reply->run->run_id, "-west"));
    const Callsheet__V1__Run *stored = get(world, reply->run->run_id);
    assert_int_equal(stored->started_at_ms, reply->run->started_at_ms); /* one clock, read once */
    assert_int_equal(stored->status, STATUS(RUNNING));
    assert_string_equal(stored->job_type, "scoring");
    assert_string_equal(stored->client, "west");
    assert_true(metric(stored->metrics, stored->n_metrics, "posts")->number == 3);
    assert_int_equal(stored->deadline_ms - stored->started_at_ms, ORC_RUN_CLIENT_TIMEOUT_MS_DEFAULT);
    assert_int_equal(stored->lease_until_ms - stored->started_at_ms, ORC_RUN_LEASE_MS_DEFAULT);
}

TEST(p3_pb_003_a_second_start_answers_the_run_that_runs) {
    OPEN;
    const Callsheet__V1__Run *first = start(world, SCORING)->run;
    const Callsheet__V1__StartRunReply *second = start(world, SCORING);
    assert_true(second->already_running);
    assert_string_equal(second->run->run_id, first->run_id);
    assert_int_equal(second->run->started_at_ms, first->started_at_ms);
    assert_int_equal(peek(world, "runs"), 1);
    /* another type, another client and another tenant have nothing to do with it */
    assert_false(start(world, "{'tenant':'acme','jobType':'other'}")->already_running);
    assert_false(start(world, "{'tenant':'acme','jobType':'scoring','client':'west'}")->already_running);
    assert_false(start(world, "{'tenant':'other','jobType':'scoring'}")->already_running);
    assert_int_equal(peek(world, "running"), 4);
}

struct contender {
    struct cs_rpc_channel *channel;
    ProtobufCMessage *request;
    pthread_barrier_t *barrier;
    struct cs_arena *arena;
    enum cs_status status;
    const ProtobufCMessage *reply;
};

static void *contend(void *arg) {
    struct contender *it = arg;
    struct cs_err err = {0};
    (void)pthread_barrier_wait(it->barrier);
    it->status = invoke(it->channel, "StartRun", it->request, it->arena, &it->reply, &err);
    return NULL;
}

enum { CONTENDERS = 20 };

/* Starts CONTENDERS at once, half of them at a second replica. */
static void start_all(struct world *world, struct orc_app *other, const char *text,
                      struct contender contenders[CONTENDERS]) {
    pthread_barrier_t barrier;
    pthread_t threads[CONTENDERS];
    struct cs_rpc_channel *channel = NULL;
    struct cs_err err = {0};
    const struct cs_rpc_channel_config config = {.target = orc_app_address(other), .own_connection = true};
    assert_ok(cs_rpc_channel_create(world->rpc, &config, &channel, &err), &err);
    assert_int_equal(pthread_barrier_init(&barrier, NULL, CONTENDERS), 0);
    for (size_t i = 0; i < CONTENDERS; i++) {
        contenders[i] = (struct contender){
            .channel = i % 2 == 0 ? world->channel : channel,
            .request = request_of("StartRun", text, world->arena),
            .barrier = &barrier,
            .arena = cs_arena_create(),
        };
        assert_int_equal(pthread_create(&threads[i], NULL, contend, &contenders[i]), 0);
    }
    for (size_t i = 0; i < CONTENDERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(contenders[i].status, CS_OK);
    }
    (void)pthread_barrier_destroy(&barrier);
    cs_rpc_channel_destroy(channel);
}

static const Callsheet__V1__StartRunReply *reply_of(const struct contender *it) {
    return (const Callsheet__V1__StartRunReply *)it->reply;
}

TEST(p2_pb_003_of_twenty_starts_at_two_replicas_one_wins) {
    OPEN;
    struct orc_app *other = NULL;
    struct cs_err err = {0};
    struct orc_config config = world->config;
    config.replica = "orchestrator-2";
    assert_ok(orc_app_create(&config, &other, &err), &err);
    for (int round = 0; round < 5; round++) {
        struct contender contenders[CONTENDERS];
        const char *winner = NULL;
        size_t won = 0;
        start_all(world, other, SCORING, contenders);
        for (size_t i = 0; i < CONTENDERS; i++) {
            won += !reply_of(&contenders[i])->already_running;
            winner = winner != NULL ? winner : reply_of(&contenders[i])->run->run_id;
            assert_string_equal(reply_of(&contenders[i])->run->run_id, winner);
        }
        assert_int_equal(won, 1);
        assert_int_equal(peek(world, "runs"), round + 1);
        (void)complete(world, winner, "");
        for (size_t i = 0; i < CONTENDERS; i++) {
            cs_arena_destroy(contenders[i].arena);
        }
    }
    orc_app_drain(other);
    orc_app_destroy(other);
}

TEST(p6_pb_008_runs_that_start_in_one_second_have_different_ids) {
    OPEN;
    enum { RUNS = 30 };
    const char *before = "";
    int64_t begin_ms = cs_clock_mono_ms();
    size_t numbered = 0;
    for (int i = 0; i < RUNS; i++) {
        const Callsheet__V1__Run *run = start(world, TEXT("{'tenant':'acme','jobType':'type%d'}", i))->run;
        assert_string_not_equal(run->run_id, before);
        numbered += strstr(run->run_id, "-_") != NULL;
        before = run->run_id;
    }
    assert_int_equal(peek(world, "runs"), RUNS);
    /* of n runs in t seconds at most t + 1 are the first of theirs */
    assert_true(numbered + (size_t)((cs_clock_mono_ms() - begin_ms) / 1000 + 2) >= RUNS);
}

TEST(pb_011_starting_a_run_that_exists_answers_it) {
    OPEN;
    const char *id = start(world, SCORING)->run->run_id;
    const Callsheet__V1__StartRunReply *again =
        start(world, TEXT("{'tenant':'acme','jobType':'scoring','runId':'%s.0'}", id));
    assert_true(again->already_exists);
    assert_string_equal(again->run->run_id, id);
    /* a client run joins it, once */
    const char *join = TEXT("{'tenant':'acme','jobType':'scoring','runId':'%s','client':'west'}", id);
    const Callsheet__V1__StartRunReply *joined = start(world, join);
    assert_false(joined->already_exists);
    assert_string_equal(joined->run->run_id, TEXT("%s-west", id));
    assert_string_equal(joined->run->base_run_id, id);
    assert_true(start(world, join)->already_exists);
    assert_true(start(world, TEXT("{'tenant':'acme','jobType':'scoring','runId':'%s-west','client':'west'}", id))
                    ->already_exists);
    (void)complete(world, TEXT("%s-west", id), "");
    assert_true(start(world, join)->already_exists); /* an end is final */
    assert_int_equal(peek(world, "runs"), 2);
    must_fail(world, "StartRun", TEXT("{'tenant':'acme','jobType':'other','runId':'%s','client':'east'}", id),
              CS_FAILED_PRECONDITION, "wrong_run_id");
    (void)complete(world, id, "");
    must_fail(world, "StartRun", TEXT("{'tenant':'acme','jobType':'scoring','runId':'%s','client':'east'}", id),
              CS_FAILED_PRECONDITION, "run_ended");
    assert_int_equal(peek(world, "runs"), 2);
}

/* ---- questions ---- */

TEST(p10_pb_004_who_asks_is_told_what_runs) {
    OPEN;
    const char *ask = "{'tenant':'acme','jobType':'scoring','withoutClient':true,'runningOnly':true}";
    assert_int_equal(((const Callsheet__V1__ListRunsReply *)call(world, "ListRuns", ask))->n_runs, 0);
    const Callsheet__V1__Run *run = start(world, SCORING)->run;
    (void)start(world, "{'tenant':'acme','jobType':'scoring','client':'west'}");
    const Callsheet__V1__ListRunsReply *list = (const Callsheet__V1__ListRunsReply *)call(world, "ListRuns", ask);
    assert_int_equal(list->n_runs, 1);
    assert_string_equal(list->runs[0]->run_id, run->run_id);
    assert_int_equal(list->runs[0]->started_at_ms, run->started_at_ms);
    list = (const Callsheet__V1__ListRunsReply *)call(world, "ListRuns",
                                                      "{'tenant':'acme','jobType':'scoring','client':'west'}");
    assert_int_equal(list->n_runs, 1);
    (void)complete(world, run->run_id, "");
    assert_int_equal(((const Callsheet__V1__ListRunsReply *)call(world, "ListRuns", ask))->n_runs, 0);
}

TEST(runs_are_listed_newest_first_page_by_page) {
    OPEN;
    enum { RUNS = 7 };
    const char *ids[RUNS];
    for (int i = 0; i < RUNS; i++) {
        ids[i] = start(world, TEXT("{'tenant':'acme','jobType':'scoring','client':'c%d'}", i))->run->run_id;
        make_older(world, ids[i], (RUNS - i) * 1000);
    }
    const char *token = "";
    int seen = 0;
    do {
        const Callsheet__V1__ListRunsReply *page = (const Callsheet__V1__ListRunsReply *)call(
            world, "ListRuns", TEXT("{'tenant':'acme','pageSize':3,'pageToken':'%s'}", token));
        for (size_t i = 0; i < page->n_runs; i++) {
            assert_string_equal(page->runs[i]->run_id, ids[RUNS - 1 - seen]);
            seen++;
        }
        token = page->next_page_token;
    } while (token[0] != '\0');
    assert_int_equal(seen, RUNS);
}

TEST(another_tenant_learns_nothing) {
    OPEN;
    const char *id = start(world, SCORING)->run->run_id;
    must_fail(world, "GetRun", TEXT("{'tenant':'other','runId':'%s'}", id), CS_NOT_FOUND, "no_such_run");
    must_fail(world, "CompleteRun", TEXT("{'tenant':'other','jobType':'scoring','runId':'%s'}", id), CS_NOT_FOUND,
              "no_such_run");
    must_fail(world, "HeartbeatRun", TEXT("{'tenant':'other','runId':'%s'}", id), CS_NOT_FOUND, "no_such_run");
    const Callsheet__V1__ListRunsReply *list =
        (const Callsheet__V1__ListRunsReply *)call(world, "ListRuns", "{'tenant':'other'}");
    assert_int_equal(list->n_runs, 0);
    assert_int_equal(get(world, id)->revision, 1);
}

/* ---- completion ---- */

TEST(pb_005_a_completion_keeps_the_metrics_and_frees_the_way) {
    OPEN;
    const char *id = start(world, SCORING)->run->run_id;
    const Callsheet__V1__ChangeRunReply *reply =
        complete(world, id, ",'metrics':[{'name':'posts','number':5},{'name':'cost','rule':'max','text':'0.25'}]");
    assert_int_equal(reply->run->status, STATUS(COMPLETED));
    assert_true(reply->run->ended_at_ms >= reply->run->started_at_ms); /* pb_013 */
    const Callsheet__V1__Run *run = get(world, id);
    assert_int_equal(run->ended_at_ms, reply->run->ended_at_ms);
    assert_true(metric(run->metrics, run->n_metrics, "posts")->number == 5);
    assert_true(metric(run->metrics, run->n_metrics, "cost")->number == 0.25);
    assert_false(start(world, SCORING)->already_running);
}

TEST(pb_006_a_completion_with_an_error_is_failed_and_says_why) {
    OPEN;
    const char *id = start(world, SCORING)->run->run_id;
    assert_int_equal(complete(world, id, ",'error':'no connection'")->run->status, STATUS(FAILED));
    assert_non_null(strstr(get(world, id)->notes, "Error: no connection"));
}

TEST(p5_pb_007_a_wrong_run_id_is_a_conflict_and_changes_nothing) {
    OPEN;
    const char *old = start(world, SCORING)->run->run_id;
    (void)complete(world, old, "");
    const char *id = start(world, SCORING)->run->run_id;
    must_fail(world, "CompleteRun", TEXT("{'tenant':'acme','jobType':'scoring','runId':'%s','status':'failed'}", old),
              CS_FAILED_PRECONDITION, "run_ended");
    must_fail(world, "CompleteRun", "{'tenant':'acme','jobType':'scoring','runId':'200101-000000'}",
              CS_FAILED_PRECONDITION, "wrong_run_id");
    must_fail(world, "HeartbeatRun", "{'tenant':'acme','jobType':'scoring','runId':'200101-000000'}",
              CS_FAILED_PRECONDITION, "wrong_run_id");
    must_fail(world, "CompleteRun", TEXT("{'tenant':'acme','jobType':'other','runId':'%s'}", id),
              CS_FAILED_PRECONDITION, "wrong_run_id");
    assert_int_equal(get(world, id)->status, STATUS(RUNNING));
    assert_int_equal(get(world, id)->revision, 1);
    assert_int_equal(get(world, old)->status, STATUS(COMPLETED));
    assert_true(start(world, SCORING)->already_running); /* the lock is still held */
}

TEST(pb_012_a_missing_run_is_named_and_never_made) {
    OPEN;
    const ProtobufCMessage *reply = NULL;
    struct cs_err err = {0};
    assert_fails(try_call(world, "CompleteRun", "{'tenant':'acme','jobType':'scoring','runId':'261125-093000-west'}",
                          &reply, &err),
                 &err, CS_NOT_FOUND, "no_such_run");
    assert_string_equal(err.message, "Job tracking record not found for base run ID: 261125-093000");
    must_fail(world, "HeartbeatRun", "{'tenant':'acme','runId':'261125-093000'}", CS_NOT_FOUND, "no_such_run");
    assert_int_equal(peek(world, "runs"), 0);
}

TEST(a_completion_that_is_repeated_changes_nothing) {
    OPEN;
    const char *id = start(world, SCORING)->run->run_id;
    const Callsheet__V1__ChangeRunReply *first = complete(world, id, ",'note':'done'");
    const Callsheet__V1__ChangeRunReply *second = complete(world, id, ",'note':'done'");
    assert_false(first->unchanged);
    assert_true(second->unchanged);
    assert_int_equal(second->run->revision, first->run->revision);
    assert_string_equal(second->run->notes, first->run->notes);
}

TEST(pb_014_notes_of_heartbeats_are_appended_in_order) {
    OPEN;
    const char *id = start(world, SCORING)->run->run_id;
    (void)call(world, "HeartbeatRun", TEXT("{'tenant':'acme','runId':'%s','note':'one'}", id));
    (void)call(world, "HeartbeatRun", TEXT("{'tenant':'acme','runId':'%s','note':'two'}", id));
    (void)complete(world, id, ",'note':'three'");
    const char *at = get(world, id)->notes;
    static const char *const lines[] = {"started\n", "Job Type: scoring\n", "Z one\n",
                                        "Z two\n",   "Z three\n",           "Z Run ended: Completed"};
    for (size_t i = 0; i < CS_COUNT(lines); i++) {
        at = strstr(at, lines[i]);
        assert_non_null(at);
    }
}

TEST(pb_016_a_base_run_shows_the_totals_of_its_clients) {
    OPEN;
    const char *id = start(world, SCORING)->run->run_id;
    for (int i = 1; i <= 3; i++) {
        (void)start(world, TEXT("{'tenant':'acme','jobType':'scoring','runId':'%s','client':'c%d'}", id, i));
        (void)complete(world, TEXT("%s-c%d", id, i),
                       TEXT(",'metrics':[{'name':'posts','number':%d},{'name':'best','rule':'max','number':%d}]%s", i,
                            10 - i, i == 2 ? ",'error':'broke'" : ""));
    }
    const Callsheet__V1__Run *run = get(world, id);
    assert_true(metric(run->totals, run->n_totals, "posts")->number == 6);
    assert_true(metric(run->totals, run->n_totals, "best")->number == 9);
    assert_true(metric(run->totals, run->n_totals, "Clients Processed")->number == 3);
    assert_true(metric(run->totals, run->n_totals, "Clients With Errors")->number == 1);
    assert_string_equal(metric(run->totals, run->n_totals, "Status")->text, "Completed");
    assert_int_equal(run->n_metrics, 0);
}

TEST(pb_018_bad_metrics_are_warnings_and_the_completion_holds) {
    OPEN;
    const char *id = start(world, SCORING)->run->run_id;
    const Callsheet__V1__ChangeRunReply *reply = complete(
        world, id, ",'metrics':[{'name':'posts','rule':'sum','text':'many'},{'name':'','number':1},{'name':'x'}]");
    assert_int_equal(reply->run->status, STATUS(COMPLETED));
    assert_int_equal(reply->n_warnings, 3);
    assert_true(metric(reply->run->metrics, reply->run->n_metrics, "posts")->number == 0);
}

struct reporter {
    struct cs_rpc_channel *channel;
    ProtobufCMessage *request;
    struct cs_arena *arena;
    enum cs_status status;
};

static void *report(void *arg) {
    struct reporter *it = arg;
    const ProtobufCMessage *reply = NULL;
    struct cs_err err = {0};
    it->status = invoke(it->channel, "HeartbeatRun", it->request, it->arena, &reply, &err);
    return NULL;
}

TEST(p8_of_heartbeats_at_once_none_is_lost) {
    OPEN;
    enum { REPORTERS = 8 };
    const char *id = start(world, SCORING)->run->run_id;
    struct reporter reporters[REPORTERS];
    pthread_t threads[REPORTERS];
    for (int i = 0; i < REPORTERS; i++) {
        const char *text =
            TEXT("{'tenant':'acme','runId':'%s','note':'n%d','metrics':[{'name':'m%d','number':%d}]}", id, i, i, i);
        reporters[i] = (struct reporter){world->channel, request_of("HeartbeatRun", text, world->arena),
                                         cs_arena_create(), CS_UNKNOWN};
        assert_int_equal(pthread_create(&threads[i], NULL, report, &reporters[i]), 0);
    }
    for (int i = 0; i < REPORTERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(reporters[i].status, CS_OK);
        cs_arena_destroy(reporters[i].arena);
    }
    const Callsheet__V1__Run *run = get(world, id);
    assert_int_equal(run->n_metrics, REPORTERS);
    assert_int_equal(run->revision, 1 + REPORTERS);
    for (int i = 0; i < REPORTERS; i++) {
        assert_non_null(strstr(run->notes, TEXT("Z n%d", i)));
    }
}

/* ---- leases ---- */

static bool nothing_runs(void *ctx) {
    return peek(ctx, "running") == 0;
}

TEST(p4_p11_pb_021_a_silent_run_is_marked_without_a_reader) {
    OPEN;
    const char *id = start(world, "{'tenant':'acme','jobType':'scoring','leaseMs':150}")->run->run_id;
    cs_test_await(nothing_runs, world, "the timer to end the run"); /* looks at the table, not at the service */
    const Callsheet__V1__Run *run = get(world, id);
    assert_int_equal(run->status, STATUS(TIMED_OUT));
    assert_int_equal(run->ended_at_ms - run->started_at_ms, 150);
    must_fail(world, "HeartbeatRun", TEXT("{'tenant':'acme','runId':'%s'}", id), CS_FAILED_PRECONDITION, "run_ended");
    must_fail(world, "CompleteRun", TEXT("{'tenant':'acme','jobType':'scoring','runId':'%s'}", id),
              CS_FAILED_PRECONDITION, "run_ended");
}

TEST(pb_021_who_takes_too_long_is_killed_by_its_kind) {
    OPEN;
    const char *job = start(world, "{'tenant':'acme','jobType':'scoring','timeoutMs':120}")->run->run_id;
    const char *client =
        start(world, "{'tenant':'acme','jobType':'scoring','client':'west','timeoutMs':120}")->run->run_id;
    cs_test_await(nothing_runs, world, "the timer to end both runs");
    assert_int_equal(get(world, job)->status, STATUS(JOB_TIMEOUT_KILLED));
    assert_int_equal(get(world, client)->status, STATUS(CLIENT_TIMEOUT_KILLED));
}

/* Beats without a pause: what is waited for is the end of the first lease, by the clock of the answers. */
TEST(pb_021_heartbeats_keep_a_run_beyond_its_first_lease) {
    OPEN;
    enum { LEASE_MS = 2000 };
    const Callsheet__V1__Run *first =
        start(world, TEXT("{'tenant':'acme','jobType':'scoring','leaseMs':%d}", LEASE_MS))->run;
    const char *beat = TEXT("{'tenant':'acme','runId':'%s'}", first->run_id);
    int64_t heartbeat_at_ms = 0;
    while (heartbeat_at_ms <= first->lease_until_ms) {
        const Callsheet__V1__ChangeRunReply *reply =
            (const Callsheet__V1__ChangeRunReply *)call(world, "HeartbeatRun", beat);
        heartbeat_at_ms = reply->run->heartbeat_at_ms;
        assert_int_equal(reply->run->lease_until_ms - heartbeat_at_ms, LEASE_MS);
    }
    assert_int_equal(get(world, first->run_id)->status, STATUS(RUNNING));
}

/* The timer knows nothing of a run that became older beside it: readers decide on their own. */
TEST(an_expired_run_is_ended_by_whoever_looks) {
    OPEN;
    enum { DAY_MS = 24 * 60 * 60 * 1000 };
    const char *read = start(world, "{'tenant':'acme','jobType':'read'}")->run->run_id;
    const char *listed = start(world, "{'tenant':'acme','jobType':'listed'}")->run->run_id;
    const char *started = start(world, "{'tenant':'acme','jobType':'started'}")->run->run_id;
    const char *beating = start(world, "{'tenant':'acme','jobType':'beating'}")->run->run_id;
    make_older(world, read, DAY_MS);
    make_older(world, listed, DAY_MS);
    make_older(world, started, DAY_MS);
    make_older(world, beating, DAY_MS);
    assert_int_equal(get(world, read)->status, STATUS(TIMED_OUT));
    const Callsheet__V1__ListRunsReply *list = (const Callsheet__V1__ListRunsReply *)call(
        world, "ListRuns", "{'tenant':'acme','jobType':'listed','runningOnly':true}");
    assert_int_equal(list->n_runs, 0);
    const Callsheet__V1__StartRunReply *next = start(world, "{'tenant':'acme','jobType':'started'}");
    assert_false(next->already_running);
    assert_string_not_equal(next->run->run_id, started);
    must_fail(world, "HeartbeatRun", TEXT("{'tenant':'acme','runId':'%s'}", beating), CS_FAILED_PRECONDITION,
              "run_ended");
    assert_int_equal(peek(world, "running"), 1);
}

TEST(p1_pb_022_runs_outlive_the_service_and_end_without_it) {
    OPEN;
    const char *kept = start(world, SCORING)->run->run_id;
    const char *over = start(world, "{'tenant':'acme','jobType':'over'}")->run->run_id;
    world_stop(world);
    make_older(world, over, ORC_RUN_LEASE_MS_DEFAULT);
    world_start(world);
    assert_true(start(world, SCORING)->already_running);
    assert_string_equal(start(world, SCORING)->run->run_id, kept);
    assert_int_equal(get(world, over)->status, STATUS(TIMED_OUT));
    assert_int_equal(complete(world, kept, "")->run->status, STATUS(COMPLETED));
}

/* ---- bad input, bad rows, words ---- */

TEST(bad_requests_are_refused_with_their_path) {
    OPEN;
    static const struct {
        const char *method;
        const char *text;
        const char *reason;
        const char *path;
    } cases[] = {
        {"StartRun", "{'jobType':'scoring'}", "bad_tenant", "tenant"},
        {"StartRun", "{'tenant':'acme'}", "bad_job_type", "jobType"},
        {"StartRun", "{'tenant':'acme','jobType':'a b'}", "bad_job_type", "jobType"},
        {"StartRun", "{'tenant':'acme','jobType':'a','client':'_x'}", "bad_client", "client"},
        {"StartRun", "{'tenant':'acme','jobType':'a','runId':'x'}", "bad_run_id", "runId"},
        {"StartRun", "{'tenant':'acme','jobType':'a','runId':'261125-093000-b','client':'c'}", "client_mismatch",
         "client"},
        {"StartRun", "{'tenant':'acme','jobType':'a','leaseMs':99}", "bad_lease", "leaseMs"},
        {"StartRun", "{'tenant':'acme','jobType':'a','leaseMs':86400001}", "bad_lease", "leaseMs"},
        {"StartRun", "{'tenant':'acme','jobType':'a','timeoutMs':-1}", "bad_timeout", "timeoutMs"},
        {"StartRun", "{'tenant':'acme','jobType':'a','note':'\\u0001'}", "bad_note", "note"},
        {"CompleteRun", "{'tenant':'acme','jobType':'a'}", "bad_run_id", "runId"},
        {"CompleteRun", "{'tenant':'acme','runId':'261125-093000'}", "bad_job_type", "jobType"},
        {"CompleteRun", "{'tenant':'acme','jobType':'a','runId':'261125-093000','error':'\\u0007'}", "bad_note",
         "error"},
        {"HeartbeatRun", "{'tenant':'acme','runId':'261125'}", "bad_run_id", "runId"},
        {"GetRun", "{'tenant':'acme','runId':'261125-093000','client':'a b'}", "bad_client", "client"},
        {"ListRuns", "{'tenant':'acme','pageSize':101}", "bad_page_size", "pageSize"},
        {"ListRuns", "{'tenant':'acme','pageToken':'x'}", "bad_page_token", "pageToken"},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        const ProtobufCMessage *reply = NULL;
        struct cs_err err = {0};
        assert_fails(try_call(world, cases[i].method, cases[i].text, &reply, &err), &err, CS_INVALID_ARGUMENT,
                     cases[i].reason);
        assert_string_equal(err.path, cases[i].path);
    }
    const char *id = start(world, SCORING)->run->run_id;
    must_fail(world, "CompleteRun", TEXT("{'tenant':'acme','jobType':'scoring','runId':'%s','status':'running'}", id),
              CS_INVALID_ARGUMENT, "bad_status");
    assert_int_equal(get(world, id)->revision, 1);
    assert_int_equal(peek(world, "runs"), 1);
}

TEST(pb_019_a_row_that_is_no_run_is_left_out_of_lists) {
    OPEN;
    const char *bad = start(world, SCORING)->run->run_id;
    const char *good = start(world, "{'tenant':'acme','jobType':'other'}")->run->run_id;
    CS_AUTO_PG_PARAMS params = {0};
    struct cs_err err = {0};
    cs_pg_put_text(&params, bad);
    assert_ok(cs_pg_exec(world->pg, &run_corrupt, &params, NULL, &err), &err);
    const Callsheet__V1__ListRunsReply *list =
        (const Callsheet__V1__ListRunsReply *)call(world, "ListRuns", "{'tenant':'acme'}");
    assert_int_equal(list->n_runs, 1);
    assert_string_equal(list->runs[0]->run_id, good);
    must_fail(world, "GetRun", TEXT("{'tenant':'acme','runId':'%s'}", bad), CS_DATA_LOSS, "bad_run_row");
}

TEST(pb_015_status_words_are_those_of_the_domain) {
    OPEN;
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    assert_ok(cs_pg_many(world->pg, &run_words, NULL, &rows, &err), &err);
    assert_int_equal(cs_pg_count(rows), ORC_RUN_STATUSES - 1);
    for (int status = ORC_RUN_RUNNING; cs_pg_next(rows); status++) {
        assert_int_equal(cs_pg_i64(rows, "status"), status);
        assert_string_equal(cs_pg_text(rows, "name"), orc_run_fsm.state_names[status]);
        assert_string_equal(cs_pg_text(rows, "word"), orc_run_status_word(status));
        assert_int_equal(cs_pg_bool(rows, "terminal"), status != ORC_RUN_RUNNING);
    }
}

TEST_MAIN(CS_TEST(pb_001_the_service_alone_makes_run_ids), CS_TEST(p9_pb_002_a_start_answers_the_run_that_is_stored),
          CS_TEST(p3_pb_003_a_second_start_answers_the_run_that_runs),
          CS_TEST(p2_pb_003_of_twenty_starts_at_two_replicas_one_wins),
          CS_TEST(p6_pb_008_runs_that_start_in_one_second_have_different_ids),
          CS_TEST(pb_011_starting_a_run_that_exists_answers_it), CS_TEST(p10_pb_004_who_asks_is_told_what_runs),
          CS_TEST(runs_are_listed_newest_first_page_by_page), CS_TEST(another_tenant_learns_nothing),
          CS_TEST(pb_005_a_completion_keeps_the_metrics_and_frees_the_way),
          CS_TEST(pb_006_a_completion_with_an_error_is_failed_and_says_why),
          CS_TEST(p5_pb_007_a_wrong_run_id_is_a_conflict_and_changes_nothing),
          CS_TEST(pb_012_a_missing_run_is_named_and_never_made), CS_TEST(a_completion_that_is_repeated_changes_nothing),
          CS_TEST(pb_014_notes_of_heartbeats_are_appended_in_order),
          CS_TEST(pb_016_a_base_run_shows_the_totals_of_its_clients),
          CS_TEST(pb_018_bad_metrics_are_warnings_and_the_completion_holds),
          CS_TEST(p8_of_heartbeats_at_once_none_is_lost),
          CS_TEST(p4_p11_pb_021_a_silent_run_is_marked_without_a_reader),
          CS_TEST(pb_021_who_takes_too_long_is_killed_by_its_kind),
          CS_TEST(pb_021_heartbeats_keep_a_run_beyond_its_first_lease),
          CS_TEST(an_expired_run_is_ended_by_whoever_looks),
          CS_TEST(p1_pb_022_runs_outlive_the_service_and_end_without_it),
          CS_TEST(bad_requests_are_refused_with_their_path), CS_TEST(pb_019_a_row_that_is_no_run_is_left_out_of_lists),
          CS_TEST(pb_015_status_words_are_those_of_the_domain))
