#include "scripted_worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/test.h"
#include "cs/test_support.h"
#include "links/hello.h"

struct scripted_worker {
    struct scripted_config config;
    struct cs_rpc_service service;
    struct cs_rpc_server *server;
    char authorization[128];
    _Atomic uint64_t assigned;
    pthread_mutex_t lock;
    /* below: guarded by lock */
    pthread_cond_t changed;
    struct heard *first;
    struct cs_rpc_stream *streams[8]; /* references */
};

/* ---- notes ---- */

void heard_free(struct heard *heard) {
    if (heard != NULL) {
        cs_rpc_stream_unref(heard->stream);
        cs_rpc_message_free((ProtobufCMessage *)heard->command);
        free(heard);
    }
}

static Callsheet__V1__WorkCommand *copy_command(const Callsheet__V1__WorkCommand *command) {
    size_t size = protobuf_c_message_get_packed_size(&command->base);
    uint8_t *bytes = cs_alloc(size + 1);
    (void)protobuf_c_message_pack(&command->base, bytes);
    Callsheet__V1__WorkCommand *copy = callsheet__v1__work_command__unpack(NULL, size, bytes);
    free(bytes);
    return copy;
}

static void hear(struct scripted_worker *worker, enum heard_kind kind, struct cs_rpc_stream *stream,
                 const Callsheet__V1__WorkCommand *command) {
    struct heard *heard = cs_alloc(sizeof(*heard));
    heard->kind = kind;
    heard->stream = cs_rpc_stream_ref(stream);
    if (command != NULL) {
        heard->command = copy_command(command);
    }
    if (command != NULL && command->fence.len != 0) { /* Welcome has none */
        memcpy(heard->fence, command->fence.data,
               command->fence.len < ORC_FENCE_BYTES ? command->fence.len : ORC_FENCE_BYTES);
    }
    pthread_mutex_lock(&worker->lock);
    struct heard **last = &worker->first;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = heard;
    (void)pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

/* With the lock. */
static struct heard *unlink_first(struct scripted_worker *worker, enum heard_kind kind) {
    for (struct heard **at = &worker->first; *at != NULL; at = &(*at)->next) {
        if ((*at)->kind == kind) {
            struct heard *heard = *at;
            *at = heard->next;
            return heard;
        }
    }
    return NULL;
}

struct heard *scripted_poll(struct scripted_worker *worker, enum heard_kind kind) {
    pthread_mutex_lock(&worker->lock);
    struct heard *heard = unlink_first(worker, kind);
    pthread_mutex_unlock(&worker->lock);
    return heard;
}

struct heard *scripted_take(struct scripted_worker *worker, enum heard_kind kind) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CS_TEST_PATIENCE_MS / 1000;
    pthread_mutex_lock(&worker->lock);
    struct heard *heard = NULL;
    int waited = 0;
    while ((heard = unlink_first(worker, kind)) == NULL && waited == 0) {
        waited = pthread_cond_timedwait(&worker->changed, &worker->lock, &until);
    }
    pthread_mutex_unlock(&worker->lock);
    if (heard == NULL) {
        fail_msg("the worker %s waited in vain for a note of kind %d", worker->config.name, (int)kind);
    }
    return heard;
}

/* ---- saying ---- */

static void say(struct cs_rpc_stream *stream, Callsheet__V1__Report **reports, size_t count) {
    Callsheet__V1__WorkReport message = CALLSHEET__V1__WORK_REPORT__INIT;
    message.n_reports = count;
    message.reports = reports;
    (void)cs_rpc_stream_send(stream, &message.base, NULL); /* a stream that has ended hears nothing, as in life */
}

static void say_about(struct cs_rpc_stream *stream, const unsigned char *fence, Callsheet__V1__Report *report) {
    report->fence.data = (uint8_t *)fence;
    report->fence.len = ORC_FENCE_BYTES;
    say(stream, &report, 1);
}

void scripted_accept(const struct heard *assigned) {
    Callsheet__V1__Accepted accepted = CALLSHEET__V1__ACCEPTED__INIT;
    Callsheet__V1__Report report = CALLSHEET__V1__REPORT__INIT;
    report.report_case = CALLSHEET__V1__REPORT__REPORT_ACCEPTED;
    report.accepted = &accepted;
    say_about(assigned->stream, assigned->fence, &report);
}

void scripted_progress(const struct heard *assigned, double fraction) {
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    Callsheet__V1__Report report = CALLSHEET__V1__REPORT__INIT;
    progress.stage = (char *)"rendering";
    progress.fraction = fraction;
    report.report_case = CALLSHEET__V1__REPORT__REPORT_PROGRESS;
    report.progress = &progress;
    say_about(assigned->stream, assigned->fence, &report);
}

void scripted_checkpoint(const struct heard *assigned, uint64_t sequence, const char *data) {
    Callsheet__V1__Checkpoint checkpoint = CALLSHEET__V1__CHECKPOINT__INIT;
    Callsheet__V1__Report report = CALLSHEET__V1__REPORT__INIT;
    checkpoint.sequence = sequence;
    checkpoint.data.data = (uint8_t *)data;
    checkpoint.data.len = strlen(data);
    checkpoint.ack_required = true;
    report.report_case = CALLSHEET__V1__REPORT__REPORT_CHECKPOINT;
    report.checkpoint = &checkpoint;
    say_about(assigned->stream, assigned->fence, &report);
}

static void succeed(struct cs_rpc_stream *stream, const unsigned char *fence, const Callsheet__V1__Assign *assign) {
    const struct cs_operation *operation = cs_catalog_by_case(assign->operation->params_case);
    Callsheet__V1__Artifact artifact = CALLSHEET__V1__ARTIFACT__INIT;
    Callsheet__V1__Artifact *artifacts[] = {&artifact};
    Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    Callsheet__V1__Report report = CALLSHEET__V1__REPORT__INIT;
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    char **names = NULL;
    size_t count = 0;
    cs_catalog_output_names(assign->operation, arena, &names, &count);
    artifact.name = count > 0 ? names[0] : (char *)"";
    artifact.key = cs_arena_sprintf(arena, "%s%s", assign->output_prefix, artifact.name);
    artifact.sha256 = (char *)"00";
    artifact.type = operation->output;
    succeeded.n_outputs = operation->output != CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED;
    succeeded.outputs = artifacts;
    report.report_case = CALLSHEET__V1__REPORT__REPORT_SUCCEEDED;
    report.succeeded = &succeeded;
    say_about(stream, fence, &report);
}

void scripted_succeed(const struct heard *assigned) {
    succeed(assigned->stream, assigned->fence, assigned->command->assign);
}

void scripted_fail(const struct heard *assigned, Callsheet__V1__FailureClass failure_class, const char *code,
                   int64_t retry_after_ms) {
    Callsheet__V1__Failed failed = CALLSHEET__V1__FAILED__INIT;
    Callsheet__V1__Report report = CALLSHEET__V1__REPORT__INIT;
    failed.failure_class = failure_class;
    failed.code = (char *)code;
    failed.message = (char *)"as the script wants it";
    failed.retry_after_ms = retry_after_ms;
    report.report_case = CALLSHEET__V1__REPORT__REPORT_FAILED;
    report.failed = &failed;
    say_about(assigned->stream, assigned->fence, &report);
}

/* ---- the greeting ---- */

/* One report more than a message may have. */
static void flood(struct cs_rpc_stream *stream, Callsheet__V1__Report *hello, Callsheet__V1__Report *credits) {
    size_t count = (size_t)ORC_WORKER_REPORTS_MAX + 1;
    CS_AUTO_FREE Callsheet__V1__Report **reports = cs_alloc_array(count, sizeof(Callsheet__V1__Report *));
    reports[0] = hello;
    for (size_t i = 1; i < count; i++) {
        reports[i] = credits;
    }
    say(stream, reports, count);
}

static void greet(struct scripted_worker *worker, struct cs_rpc_stream *stream) {
    Callsheet__V1__Hello hello = CALLSHEET__V1__HELLO__INIT;
    Callsheet__V1__Credits credits = CALLSHEET__V1__CREDITS__INIT;
    Callsheet__V1__Report first = CALLSHEET__V1__REPORT__INIT;
    Callsheet__V1__Report second = CALLSHEET__V1__REPORT__INIT;
    Callsheet__V1__Report *reports[] = {&first, &second, &first};
    hello.worker = (char *)(worker->config.greeting == GREET_WITHOUT_NAME ? "" : worker->config.name);
    hello.version = (char *)"0";
    hello.n_operations = worker->config.operation_count;
    hello.operations = (char **)worker->config.operations;
    hello.slots = worker->config.slots;
    credits.limit = worker->config.slots;
    first.report_case = CALLSHEET__V1__REPORT__REPORT_HELLO;
    first.hello = &hello;
    second.report_case = CALLSHEET__V1__REPORT__REPORT_CREDITS;
    second.credits = &credits;
    switch (worker->config.greeting) {
    case GREET_WELL:
    case GREET_WITHOUT_NAME:
        say(stream, reports, 2);
        break;
    case GREET_WITH_CREDITS:
        say(stream, reports + 1, 1);
        break;
    case GREET_TWICE:
        say(stream, reports, 3);
        break;
    case GREET_WITH_FLOOD:
        flood(stream, &first, &second);
        break;
    case GREET_NEVER:
        break;
    }
}

/* ---- the stream ---- */

static void keep(struct scripted_worker *worker, const struct cs_rpc_stream *old, struct cs_rpc_stream *new) {
    pthread_mutex_lock(&worker->lock);
    size_t i = 0;
    while (i < CS_COUNT(worker->streams) && worker->streams[i] != old) {
        i++;
    }
    assert_true(i < CS_COUNT(worker->streams));
    worker->streams[i] = new;
    pthread_mutex_unlock(&worker->lock);
}

static enum cs_status on_opened(struct cs_rpc_stream *stream, __attribute__((unused)) const ProtobufCMessage *request,
                                void *ctx, __attribute__((unused)) struct cs_err *err) {
    cs_rpc_stream_set_user(stream, ctx);
    keep(ctx, NULL, cs_rpc_stream_ref(stream));
    hear(ctx, HEARD_OPEN, stream, NULL);
    greet(ctx, stream);
    return CS_OK;
}

static void on_command(struct scripted_worker *worker, struct cs_rpc_stream *stream,
                       const Callsheet__V1__WorkCommand *command) {
    switch (command->command_case) {
    case CALLSHEET__V1__WORK_COMMAND__COMMAND_WELCOME:
        hear(worker, HEARD_WELCOME, stream, command);
        break;
    case CALLSHEET__V1__WORK_COMMAND__COMMAND_ASSIGN:
        (void)atomic_fetch_add(&worker->assigned, 1);
        if (worker->config.automatic) {
            succeed(stream, command->fence.data, command->assign);
        } else {
            hear(worker, HEARD_ASSIGN, stream, command);
        }
        break;
    case CALLSHEET__V1__WORK_COMMAND__COMMAND_CANCEL:
        hear(worker, HEARD_CANCEL, stream, command);
        break;
    case CALLSHEET__V1__WORK_COMMAND__COMMAND_CHECKPOINT_SAVED:
        hear(worker, HEARD_SAVED, stream, command);
        break;
    default:
        break;
    }
}

static void on_message(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *user) {
    const Callsheet__V1__WorkRequest *request = (const Callsheet__V1__WorkRequest *)message;
    for (size_t i = 0; i < request->n_commands; i++) {
        on_command(user, stream, request->commands[i]);
    }
}

static void on_closed(struct cs_rpc_stream *stream, __attribute__((unused)) const struct cs_err *err, void *user) {
    keep(user, stream, NULL);
    hear(user, HEARD_CLOSED, stream, NULL);
    cs_rpc_stream_unref(stream);
}

static const struct cs_rpc_stream_events stream_events = {
    .opened = on_opened, .message = on_message, .closed = on_closed};
static const struct cs_rpc_method methods[] = {{.name = "Work", .stream = &stream_events}};

/* ---- life ---- */

static enum cs_status authorize(const char *authorization, __attribute__((unused)) const char *method, void *ctx,
                                struct cs_err *err) {
    struct scripted_worker *worker = ctx;
    if (!cs_str_eq(authorization, worker->authorization)) {
        return cs_fail(err, CS_UNAUTHENTICATED, "bad_token", "a worker wants its token");
    }
    return CS_OK;
}

struct scripted_worker *scripted_start(const struct scripted_config *config) {
    static const char *const noop[] = {"noop"};
    struct scripted_worker *worker = cs_alloc(sizeof(*worker));
    worker->config = *config;
    worker->config.name = config->name != NULL ? config->name : "scripted";
    worker->config.slots = config->slots > 0 ? config->slots : 4;
    if (config->operations == NULL) {
        worker->config.operations = noop;
        worker->config.operation_count = CS_COUNT(noop);
    }
    if (config->token != NULL) {
        (void)snprintf(worker->authorization, sizeof(worker->authorization), "Bearer %s", config->token);
    }
    (void)pthread_mutex_init(&worker->lock, NULL);
    (void)pthread_cond_init(&worker->changed, NULL);
    worker->service = (struct cs_rpc_service){
        .descriptor = &callsheet__v1__worker__descriptor, .methods = methods, .method_count = 1, .ctx = worker};
    const struct cs_rpc_server_config server = {
        .listen = config->listen != NULL ? config->listen : "127.0.0.1:0",
        .services = &worker->service,
        .service_count = 1,
        .authorize = config->token != NULL ? authorize : NULL,
        .authorize_ctx = worker,
    };
    struct cs_err err = {0};
    assert_ok(cs_rpc_server_start(config->rpc, &server, &worker->server, &err), &err);
    return worker;
}

const char *scripted_address(const struct scripted_worker *worker) {
    return cs_rpc_server_address(worker->server);
}

uint64_t scripted_assigned(struct scripted_worker *worker) {
    return atomic_load(&worker->assigned);
}

void scripted_break(struct scripted_worker *worker) {
    struct cs_rpc_stream *streams[CS_COUNT(worker->streams)];
    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < CS_COUNT(streams); i++) {
        streams[i] = worker->streams[i] != NULL ? cs_rpc_stream_ref(worker->streams[i]) : NULL;
    }
    pthread_mutex_unlock(&worker->lock);
    for (size_t i = 0; i < CS_COUNT(streams); i++) {
        if (streams[i] != NULL) {
            cs_rpc_stream_cancel(streams[i]);
            cs_rpc_stream_unref(streams[i]);
        }
    }
}

void scripted_stop(struct scripted_worker *worker) {
    if (worker == NULL) {
        return;
    }
    cs_rpc_server_destroy(worker->server);
    while (worker->first != NULL) {
        struct heard *heard = worker->first;
        worker->first = heard->next;
        heard_free(heard);
    }
    (void)pthread_cond_destroy(&worker->changed);
    (void)pthread_mutex_destroy(&worker->lock);
    free(worker);
}
