#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "descriptors.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/reflection/v1alpha/reflection.pb-c.h"
#include "raw.h"
#include "support.h"

typedef Grpc__Reflection__V1alpha__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1alpha__ServerReflectionResponse Response;
#define ASK(kind) GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##kind
#define TOLD(kind) GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##kind

/* Asks one question at a time and keeps the answer as one string: names of services or files, or the error. */
struct asker {
    struct latch answered;
    struct latch closed;
    struct cs_rpc_stream *stream;
    enum cs_status how;
    char answer[1024];
};

static void put(struct asker *asker, const char *word) {
    size_t length = strlen(asker->answer);
    (void)snprintf(asker->answer + length, sizeof(asker->answer) - length, "%s%s", length != 0 ? " " : "", word);
}

static void put_file(struct asker *asker, ProtobufCBinaryData bytes) {
    struct cs_err err;
    ProtobufCMessage *file = NULL;
    if (cs_rpc_message_unpack(&google__protobuf__file_descriptor_proto__descriptor, bytes.data, bytes.len, &file,
                              &err) == CS_OK) {
        put(asker, ((const Google__Protobuf__FileDescriptorProto *)file)->name);
        cs_rpc_message_free(file);
    }
}

static void answered(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *user) {
    (void)stream;
    struct asker *asker = user;
    const Response *response = (const Response *)message;
    asker->answer[0] = '\0';
    switch (response->message_response_case) {
    case TOLD(LIST_SERVICES_RESPONSE):
        for (size_t i = 0; i < response->list_services_response->n_service; i++) {
            put(asker, response->list_services_response->service[i]->name);
        }
        break;
    case TOLD(FILE_DESCRIPTOR_RESPONSE):
        for (size_t i = 0; i < response->file_descriptor_response->n_file_descriptor_proto; i++) {
            put_file(asker, response->file_descriptor_response->file_descriptor_proto[i]);
        }
        break;
    case TOLD(ERROR_RESPONSE):
        put(asker, response->error_response->error_message);
        break;
    default:
        put(asker, "unexpected");
        break;
    }
    latch_add(&asker->answered);
}

static void closed(struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    (void)stream;
    ((struct asker *)user)->how = err->status;
    latch_add(&((struct asker *)user)->closed);
}

static const struct cs_rpc_stream_events events = {.message = answered, .closed = closed};

static void open_asker(struct fixture *f, struct asker *asker, const struct cs_rpc_stream_events *with) {
    struct cs_err err = {0};
    *asker = (struct asker){.answered = LATCH_INIT, .closed = LATCH_INIT};
    assert_ok(cs_rpc_stream_open(f->channel, &grpc__reflection__v1alpha__server_reflection__descriptor,
                                 "ServerReflectionInfo", NULL, NULL, with, asker, &asker->stream, &err),
              &err);
}

static const char *ask(struct asker *asker, int kind, const char *word) {
    Request request = GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__INIT;
    request.message_request_case = kind;
    request.list_services = (char *)word; /* the cases share their place */
    struct cs_err err = {0};
    int before = latch_count(&asker->answered);
    assert_ok(cs_rpc_stream_send(asker->stream, &request.base, &err), &err);
    assert_true(latch_wait(&asker->answered, before + 1));
    return asker->answer;
}

TEST(reflection_tells_services_and_files_with_all_that_they_need) {
    struct fixture f = {0};
    setup(&f);
    struct asker asker;
    open_asker(&f, &asker, &events);
    assert_string_equal(ask(&asker, ASK(LIST_SERVICES), ""),
                        "callsheet.v1.Webhooks callsheet.v1.Worker callsheet.v1.Orchestrator grpc.health.v1.Health "
                        "grpc.reflection.v1alpha.ServerReflection");
    static const char worker_files[] = "callsheet/v1/worker.proto callsheet/v1/media_types.proto "
                                       "callsheet/v1/operations.proto google/protobuf/wrappers.proto";
    assert_string_equal(ask(&asker, ASK(FILE_CONTAINING_SYMBOL), "callsheet.v1.Worker"), worker_files);
    assert_string_equal(ask(&asker, ASK(FILE_CONTAINING_SYMBOL), "callsheet.v1.Worker.Work"), worker_files);
    assert_string_equal(ask(&asker, ASK(FILE_CONTAINING_SYMBOL), "callsheet.v1.FailureClass"), worker_files);
    assert_string_equal(ask(&asker, ASK(FILE_BY_FILENAME), "callsheet/v1/worker.proto"), worker_files);
    assert_string_equal(ask(&asker, ASK(FILE_CONTAINING_SYMBOL), "grpc.health.v1.HealthCheckResponse.ServingStatus"),
                        "grpc/health/v1/health.proto");
    assert_string_equal(ask(&asker, ASK(FILE_CONTAINING_SYMBOL), "no.such.Symbol"), "no such symbol");
    assert_string_equal(ask(&asker, ASK(FILE_BY_FILENAME), "no/such.proto"), "no such file");
    assert_string_equal(ask(&asker, ASK(ALL_EXTENSION_NUMBERS_OF_TYPE), "callsheet.v1.Job"), "there are no extensions");
    cs_rpc_stream_finish(asker.stream, NULL);
    assert_true(latch_wait(&asker.closed, 1));
    cs_rpc_stream_unref(asker.stream);
    struct raw_result v1 = raw_call(cs_rpc_server_address(f.server),
                                    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "\x3A\x00", 2);
    assert_int_equal(v1.status, CS_OK); /* the younger name is served too */
    teardown(&f);
}

TEST(open_reflection_stream_does_not_hold_up_the_end) {
    struct fixture f = {0};
    setup(&f);
    struct asker asker;
    open_asker(&f, &asker, &events);
    (void)ask(&asker, ASK(LIST_SERVICES), "");
    int64_t started_ms = cs_clock_mono_ms();
    cs_rpc_server_drain(f.server, PATIENCE_MS);
    assert_true(cs_clock_mono_ms() - started_ms < PATIENCE_MS / 2);
    assert_true(latch_wait(&asker.closed, 1));
    cs_rpc_stream_unref(asker.stream);
    teardown(&f);
}

TEST(reflection_ends_the_stream_of_who_asks_at_length) {
    struct fixture f = {0};
    setup(&f);
    struct asker asker;
    open_asker(&f, &asker, &events);
    enum { LONG = 1 << 20 };
    CS_AUTO_FREE char *name = cs_alloc(LONG + 1);
    memset(name, 'x', LONG);
    Request request = GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__INIT;
    request.host = name;
    struct cs_err err = {0};
    assert_ok(cs_rpc_stream_send(asker.stream, &request.base, &err), &err);
    assert_true(latch_wait(&asker.closed, 1));
    assert_int_equal(asker.how, CS_RESOURCE_EXHAUSTED);
    assert_int_equal(latch_count(&asker.answered), 0);
    cs_rpc_stream_unref(asker.stream);
    teardown(&f);
}

static struct latch may_read = LATCH_INIT;

static void read_late(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *user) {
    (void)message;
    (void)stream;
    latch_wait(&may_read, 1);
    latch_add(&((struct asker *)user)->answered);
}

TEST(reflection_ends_the_stream_of_who_asks_and_does_not_read) {
    static const struct cs_rpc_stream_events late = {.message = read_late, .closed = closed};
    enum { QUESTIONS = 200 };
    struct fixture f = {0};
    setup(&f);
    struct asker asker;
    struct asker other;
    open_asker(&f, &asker, &late);
    open_asker(&f, &other, &events);
    Request request = GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__INIT;
    request.message_request_case = ASK(FILE_CONTAINING_SYMBOL);
    request.file_containing_symbol = (char *)"callsheet.v1.Orchestrator";
    struct cs_err err = {0};
    for (int i = 0; i < QUESTIONS; i++) {
        assert_ok(cs_rpc_stream_send(asker.stream, &request.base, &err), &err);
    }
    for (int i = 0; i < QUESTIONS; i++) { /* meanwhile all of those have been looked at */
        (void)ask(&other, ASK(LIST_SERVICES), "");
    }
    latch_add(&may_read);
    assert_true(latch_wait(&asker.closed, 1));
    assert_int_equal(asker.how, CS_RESOURCE_EXHAUSTED);
    cs_rpc_stream_unref(asker.stream);
    cs_rpc_stream_unref(other.stream);
    teardown(&f);
}

TEST(reflection_serves_so_many_streams_at_a_time) {
    struct fixture f = {0};
    setup(&f);
    struct asker askers[CS_RPC_REFLECTIONS_MAX];
    for (int i = 0; i < CS_RPC_REFLECTIONS_MAX; i++) {
        open_asker(&f, &askers[i], &events);
        (void)ask(&askers[i], ASK(LIST_SERVICES), "");
    }
    struct asker beyond;
    open_asker(&f, &beyond, &events);
    assert_true(latch_wait(&beyond.closed, 1));
    assert_int_equal(beyond.how, CS_RESOURCE_EXHAUSTED);
    cs_rpc_stream_unref(beyond.stream);
    for (int i = 0; i < CS_RPC_REFLECTIONS_MAX; i++) {
        cs_rpc_stream_finish(askers[i].stream, NULL);
        assert_true(latch_wait(&askers[i].closed, 1));
        cs_rpc_stream_unref(askers[i].stream);
    }
    open_asker(&f, &beyond, &events);
    assert_non_null(strstr(ask(&beyond, ASK(LIST_SERVICES), ""), "callsheet.v1.Worker"));
    cs_rpc_stream_unref(beyond.stream);
    teardown(&f);
}

TEST(descriptors_know_which_methods_stream) {
    struct cs_err err = {0};
    assert_ok(rpc_descriptors_load(&err), &err);
    const struct rpc_method *work = rpc_method_find("callsheet.v1.Worker", "Work");
    const struct rpc_method *watch = rpc_method_find("callsheet.v1.Orchestrator", "WatchExecution");
    const struct rpc_method *get = rpc_method_find("callsheet.v1.Orchestrator", "GetExecution");
    assert_true(work->client_streams && work->server_streams);
    assert_true(!watch->client_streams && watch->server_streams);
    assert_true(!get->client_streams && !get->server_streams);
    assert_string_equal(get->path, "/callsheet.v1.Orchestrator/GetExecution");
    assert_null(rpc_method_find("callsheet.v1.Orchestrator", "NoSuch"));
    assert_null(rpc_method_find("no.such.Service", "GetExecution"));
    for (size_t i = 0; i < rpc_method_count(); i++) {
        assert_int_equal(rpc_method_at(i)->index, i);
    }
}

TEST(metrics_count_calls_by_method_and_status_on_both_sides) {
    struct fixture f = {.sign = echo_sign};
    setup(&f);
    struct cs_err err = {0};
    for (int i = 0; i < 3; i++) {
        assert_ok(call_sign(f.channel, "", NULL, NULL, &err), &err);
    }
    Callsheet__V1__VerifyRequest request = CALLSHEET__V1__VERIFY_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    assert_int_equal(
        cs_rpc_invoke(f.channel, &callsheet__v1__webhooks__descriptor, "Verify", &request.base, NULL, &reply, &err),
        CS_UNIMPLEMENTED);
    CS_AUTO_BUF text = {0};
    cs_rpc_metrics(f.rpc, &text);
    static const char *const wanted[] = {
        "# TYPE callsheet_rpc_duration_seconds histogram\n",
        "callsheet_rpc_duration_seconds_count{side=\"server\",method=\"/callsheet.v1.Webhooks/Sign\",status=\"OK\"} "
        "3\n",
        "callsheet_rpc_duration_seconds_count{side=\"client\",method=\"/callsheet.v1.Webhooks/Sign\",status=\"OK\"} "
        "3\n",
        "method=\"/callsheet.v1.Webhooks/Sign\",status=\"OK\",le=\"+Inf\"} 3\n",
        "side=\"server\",method=\"/callsheet.v1.Webhooks/Verify\",status=\"UNIMPLEMENTED\"} 1\n",
        "callsheet_rpc_waiting_handlers 0\n",
    };
    for (size_t i = 0; i < CS_COUNT(wanted); i++) {
        if (strstr(text.data, wanted[i]) == NULL) {
            fail_msg("no %s in\n%s", wanted[i], text.data);
        }
    }
    teardown(&f);
}

TEST_MAIN(CS_TEST(reflection_tells_services_and_files_with_all_that_they_need),
          CS_TEST(open_reflection_stream_does_not_hold_up_the_end),
          CS_TEST(reflection_ends_the_stream_of_who_asks_at_length),
          CS_TEST(reflection_ends_the_stream_of_who_asks_and_does_not_read),
          CS_TEST(reflection_serves_so_many_streams_at_a_time), CS_TEST(descriptors_know_which_methods_stream),
          CS_TEST(metrics_count_calls_by_method_and_status_on_both_sides))
