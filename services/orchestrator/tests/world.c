#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "peek_sql.h"
#include "store/store.h"

static const struct cs_pg_statement counts =
    CS_PG_STATEMENT(counts, "", "executions:int8 events:int8 replicas:int8 migrations:int8");
static const struct cs_pg_statement without_wakeup = CS_PG_STATEMENT(without_wakeup, "", "stuck:int8");
static const struct cs_pg_statement open_count = CS_PG_STATEMENT(open_count, "", "open:int8");
static const struct cs_pg_statement events_of_kind = CS_PG_STATEMENT(events_of_kind, "text int4", "events:int8");

static enum cs_status migrate(const char *url, __attribute__((unused)) void *ctx, struct cs_err *err) {
    return orc_store_migrate(url, err);
}

/* ---- life ---- */

void world_open(struct world *world, const char *url) {
    struct cs_err err = {0};
    world->arena = cs_arena_create();
    assert_ok(cs_rpc_create(&(struct cs_rpc_config){0}, &world->rpc, &err), &err);
    if (url == NULL) {
        cs_test_db_create(&world->db, &(struct cs_test_template){"orchestrator", migrate, NULL});
        url = world->db.url;
    }
    cs_str_copy(world->url, sizeof(world->url), url);
    world->config = (struct orc_config){
        .listen = "127.0.0.1:0",
        .log_level = "warn",
        .drain_timeout_ms = 10000,
        .service_token = "",
        .database_url = world->url,
        .workers = world->workers,
        .replica = "orchestrator-1",
        .advertise = "",
        .environment = "test",
        .public_url = "http://127.0.0.1:8080",
        .link_secret = WORLD_LINK_SECRET,
    };
    assert_ok(cs_pg_open_lazy(world->url, NULL, &world->pg, &err), &err);
}

static void disconnect(struct world *world) {
    cs_rpc_channel_destroy(cs_steal(&world->channel));
}

void world_close(struct world *world) {
    disconnect(world);
    orc_app_destroy(cs_steal(&world->app));
    cs_test_program_fini(&world->program);
    cs_rpc_destroy(world->rpc);
    cs_pg_close(world->pg);
    if (world->db.url[0] != '\0') {
        cs_test_db_drop(&world->db);
    }
    cs_arena_destroy(world->arena);
}

struct scripted_worker *world_worker(struct world *world, struct scripted_config config) {
    config.rpc = world->rpc;
    struct scripted_worker *worker = scripted_start(&config);
    size_t used = strlen(world->workers);
    (void)snprintf(world->workers + used, sizeof(world->workers) - used, "%s%s", used > 0 ? "," : "",
                   scripted_address(worker));
    return worker;
}

static void connect_to(struct world *world, const char *address) {
    struct cs_err err = {0};
    char authorization[128];
    (void)snprintf(authorization, sizeof(authorization), "Bearer %s", world->config.service_token);
    const struct cs_rpc_channel_config config = {
        .target = address, .authorization = authorization, .own_connection = true};
    assert_ok(cs_rpc_channel_create(world->rpc, &config, &world->channel, &err), &err);
    cs_str_copy(world->address, sizeof(world->address), address);
}

void world_go_to(struct world *world, const char *address) {
    disconnect(world);
    connect_to(world, address);
}

void world_start(struct world *world) {
    struct cs_err err = {0};
    assert_ok(orc_app_create(&world->config, &world->app, &err), &err);
    connect_to(world, orc_app_address(world->app));
}

void world_stop(struct world *world) {
    orc_app_drain(world->app);
    orc_app_destroy(cs_steal(&world->app));
    disconnect(world);
}

static void start_program(struct world *world, const char *replica, enum cs_test_ready ready,
                          struct cs_test_program *program) {
    char database[CS_TEST_URL_MAX + 16];
    (void)snprintf(database, sizeof(database), "DATABASE_URL=%s", world->url);
    const char *const arguments[] = {"--workers", world->workers, "--log-level", "warn", "--environment",
                                     "test",      "--replica",    replica,       NULL};
    char crash_at[64];
    (void)snprintf(crash_at, sizeof(crash_at), "CALLSHEET_CRASH_AT=%s",
                   world->config.crash_at != NULL ? world->config.crash_at : "");
    const char *const environment[] = {database, "CALLSHEET_LINK_SECRET=" WORLD_LINK_SECRET, crash_at, NULL};
    cs_test_program_start(program, "callsheet-orchestrator", arguments, environment, ready);
}

void world_start_program(struct world *world) {
    start_program(world, world->config.replica, CS_TEST_READY_FD, &world->program);
    connect_to(world, world->program.address);
}

void world_start_second(struct world *world, const char *replica, struct cs_test_program *ret_program) {
    start_program(world, replica, CS_TEST_READY_FD, ret_program);
}

void world_die_at_start(struct world *world, const char *crash_at) {
    CS_AUTO_TEST_PROGRAM program = {0};
    world->config.crash_at = crash_at;
    start_program(world, world->config.replica, CS_TEST_READY_NONE, &program);
    assert_int_equal(cs_test_program_wait(&program), 128 + SIGKILL);
    world->config.crash_at = NULL;
}

void world_kill_program(struct world *world) {
    cs_test_program_kill(&world->program);
    cs_test_program_fini(&world->program);
    disconnect(world);
}

int world_stop_program(struct world *world) {
    int code = cs_test_program_stop(&world->program);
    cs_test_program_fini(&world->program);
    disconnect(world);
    return code;
}

/* ---- calls ---- */

/* Answers are copied into the arena, so that tests have nothing to free. */
static ProtobufCMessage *keep(struct world *world, ProtobufCMessage *message) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = cs_arena_alloc(world->arena, size + 1);
    (void)protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *copy = NULL;
    struct cs_err err = {0};
    assert_ok(cs_rpc_message_unpack_arena(message->descriptor, bytes, size, world->arena, &copy, &err), &err);
    return copy;
}

enum cs_status world_try(struct world *world, const char *method, const ProtobufCMessage *request,
                         const ProtobufCMessage **ret_reply, struct cs_err *err) {
    ProtobufCMessage *reply = NULL;
    const struct cs_rpc_options options = {.timeout_ms = CS_TEST_PATIENCE_MS, .wait_for_ready = true};
    CS_TRY(cs_rpc_invoke(world->channel, &callsheet__v1__orchestrator__descriptor, method, request, &options, &reply,
                         err));
    *ret_reply = keep(world, reply);
    cs_rpc_message_free(reply);
    return CS_OK;
}

enum cs_status world_try_create(struct world *world, Callsheet__V1__CreateExecutionRequest *request,
                                const Callsheet__V1__CreateExecutionReply **ret_reply, struct cs_err *err) {
    const ProtobufCMessage *reply = NULL;
    CS_TRY(world_try(world, "CreateExecution", &request->base, &reply, err));
    *ret_reply = (const Callsheet__V1__CreateExecutionReply *)reply;
    return CS_OK;
}

const char *world_create(struct world *world, const char *request) {
    const Callsheet__V1__CreateExecutionReply *reply = NULL;
    struct cs_err err = {0};
    assert_ok(world_try_create(world, request_from(request, world->arena), &reply, &err), &err);
    assert_int_equal(strlen(reply->execution_id), 21);
    return reply->execution_id;
}

enum cs_status world_try_get(struct world *world, const char *tenant, const char *id,
                             const Callsheet__V1__Execution **ret_execution, struct cs_err *err) {
    Callsheet__V1__GetExecutionRequest request = CALLSHEET__V1__GET_EXECUTION_REQUEST__INIT;
    const ProtobufCMessage *reply = NULL;
    request.tenant = (char *)tenant;
    request.execution_id = (char *)id;
    CS_TRY(world_try(world, "GetExecution", &request.base, &reply, err));
    *ret_execution = (const Callsheet__V1__Execution *)reply;
    return CS_OK;
}

const Callsheet__V1__Execution *world_get(struct world *world, const char *id) {
    const Callsheet__V1__Execution *execution = NULL;
    struct cs_err err = {0};
    assert_ok(world_try_get(world, "acme", id, &execution, &err), &err);
    return execution;
}

enum cs_status world_try_cancel(struct world *world, const char *tenant, const char *id, const char *reason,
                                const Callsheet__V1__Execution **ret_execution, struct cs_err *err) {
    Callsheet__V1__CancelExecutionRequest request = CALLSHEET__V1__CANCEL_EXECUTION_REQUEST__INIT;
    const ProtobufCMessage *reply = NULL;
    request.tenant = (char *)tenant;
    request.execution_id = (char *)id;
    request.reason = (char *)reason;
    CS_TRY(world_try(world, "CancelExecution", &request.base, &reply, err));
    *ret_execution = (const Callsheet__V1__Execution *)reply;
    return CS_OK;
}

/* ---- the database ---- */

static int64_t number(struct world *world, const struct cs_pg_statement *statement, const char *column) {
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    assert_ok(cs_pg_one(world->pg, statement, NULL, &rows, &err), &err);
    return cs_pg_i64(rows, column);
}

struct world_counts world_count(struct world *world) {
    return (struct world_counts){
        .executions = number(world, &counts, "executions"),
        .events = number(world, &counts, "events"),
        .replicas = number(world, &counts, "replicas"),
    };
}

int64_t world_open_count(struct world *world) {
    return number(world, &open_count, "open");
}

int64_t world_stuck_count(struct world *world) {
    return number(world, &without_wakeup, "stuck");
}

int64_t world_events(struct world *world, const char *id, int kind) {
    CS_AUTO_PG_PARAMS params = {0};
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    cs_pg_put_text(&params, id);
    cs_pg_put_i32(&params, kind);
    assert_ok(cs_pg_one(world->pg, &events_of_kind, &params, &rows, &err), &err);
    return cs_pg_i64(rows, "events");
}
