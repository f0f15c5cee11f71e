#include "cs/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "cs/test.h"
#include "orchestrator.h"

#define CLASS(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word
enum { LONG_MS = 60 * 1000, JOBS_MAX = 64 };

/* ---- a service that does what the test says ---- */

struct job {
    struct cs_assignment *assignment;
    char fence[65];
    char cancel_reason[64];
    int cancels;
    char signal[64];
    int chunk_made; /* number of the last; -1: none */
};

struct service {
    struct cs_rpc *rpc;
    struct cs_rpc_server *server;
    struct cs_worker *worker;
    struct cs_rpc_service rows[1];
    bool answer_at_once; /* start reports success */
    uint32_t heartbeat_ms;
    bool answer_cancels; /* cancel reports CANCELLED */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    struct job jobs[JOBS_MAX];
    int job_count;
    int saved_ok;
    int saved_failed;
};

static struct job *find_locked(struct service *service, const struct cs_assignment *assignment) {
    for (int i = 0; i < service->job_count; i++) {
        if (service->jobs[i].assignment == assignment) {
            return &service->jobs[i];
        }
    }
    return NULL;
}

static void report_done(struct cs_assignment *assignment) {
    Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    cs_report_succeeded(assignment, &succeeded);
}

static void start(struct cs_assignment *assignment, void *ctx) {
    struct service *service = ctx;
    if (service->answer_at_once) {
        report_done(assignment);
        return;
    }
    pthread_mutex_lock(&service->lock);
    struct job *job = &service->jobs[service->job_count++ % JOBS_MAX];
    *job = (struct job){.assignment = assignment, .chunk_made = -1};
    cs_str_copy(job->fence, sizeof(job->fence), cs_assignment_get(assignment)->job);
    pthread_cond_broadcast(&service->changed);
    pthread_mutex_unlock(&service->lock);
}

static void cancel(struct cs_assignment *assignment, const char *reason, void *ctx) {
    struct service *service = ctx;
    pthread_mutex_lock(&service->lock);
    struct job *job = find_locked(service, assignment);
    if (job != NULL) {
        cs_str_copy(job->cancel_reason, sizeof(job->cancel_reason), reason);
        job->cancels++;
    }
    pthread_cond_broadcast(&service->changed);
    pthread_mutex_unlock(&service->lock);
    if (service->answer_cancels) {
        cs_report_failed(assignment, CLASS(CANCELLED), "cancelled", 0, "told to stop: %s", reason);
    }
}

static void signalled(struct cs_assignment *assignment, const char *name, const void *payload, size_t size, void *ctx) {
    struct service *service = ctx;
    pthread_mutex_lock(&service->lock);
    struct job *job = find_locked(service, assignment);
    (void)snprintf(job->signal, sizeof(job->signal), "%s=%.*s", name, (int)size, (const char *)payload);
    pthread_cond_broadcast(&service->changed);
    pthread_mutex_unlock(&service->lock);
}

static void chunk_news(struct cs_assignment *assignment, uint32_t chunk, Callsheet__V1__ChunkState state, void *ctx) {
    struct service *service = ctx;
    pthread_mutex_lock(&service->lock);
    if (state == CALLSHEET__V1__CHUNK_STATE__CHUNK_STATE_MADE) {
        find_locked(service, assignment)->chunk_made = (int)chunk;
    }
    pthread_cond_broadcast(&service->changed);
    pthread_mutex_unlock(&service->lock);
}

static void saved(struct cs_assignment *assignment, bool ok, void *ctx) {
    (void)assignment;
    struct service *service = ctx;
    pthread_mutex_lock(&service->lock);
    service->saved_ok += ok ? 1 : 0;
    service->saved_failed += ok ? 0 : 1;
    pthread_cond_broadcast(&service->changed);
    pthread_mutex_unlock(&service->lock);
}

/* Waits until the condition holds; false when it does not in time. */
#define wait_for(service, condition)                                                                                   \
    (__extension__({                                                                                                   \
        struct timespec wait_until_;                                                                                   \
        (void)clock_gettime(CLOCK_REALTIME, &wait_until_);                                                             \
        wait_until_.tv_sec += PATIENCE_MS / 1000;                                                                      \
        pthread_mutex_lock(&(service)->lock);                                                                          \
        while (!(condition) && pthread_cond_timedwait(&(service)->changed, &(service)->lock, &wait_until_) == 0) {     \
        }                                                                                                              \
        bool wait_holds_ = (condition);                                                                                \
        pthread_mutex_unlock(&(service)->lock);                                                                        \
        wait_holds_;                                                                                                   \
    }))

static void service_start(struct service *service, uint32_t slots) {
    static const struct cs_worker_ops ops = {
        .start = start, .cancel = cancel, .signal = signalled, .chunk_news = chunk_news};
    static const char *const operations[] = {"noop", "merge"};
    struct cs_err err = {0};
    pthread_mutex_init(&service->lock, NULL);
    pthread_cond_init(&service->changed, NULL);
    struct cs_worker_config config = {
        .kind = "test", .operations = operations, .operation_count = 2, .slots = slots, .ops = &ops, .ctx = service};
    config.heartbeat_ms = service->heartbeat_ms;
    service->worker = cs_worker_create(&config);
    service->rows[0] = cs_worker_service(service->worker);
    assert_ok(cs_rpc_create(NULL, &service->rpc, &err), &err);
    struct cs_rpc_server_config server = {.listen = "127.0.0.1:0", .services = service->rows, .service_count = 1};
    assert_ok(cs_rpc_server_start(service->rpc, &server, &service->server, &err), &err);
}

static void service_stop(struct service *service) {
    cs_rpc_server_destroy(service->server);
    cs_worker_destroy(service->worker);
    cs_rpc_destroy(service->rpc);
    pthread_cond_destroy(&service->changed);
    pthread_mutex_destroy(&service->lock);
}

static struct orchestrator *dial(struct service *service) {
    struct orchestrator *orc = cs_alloc(sizeof(*orc));
    orchestrator_open(orc, service->rpc, cs_rpc_server_address(service->server));
    return orc;
}

static void hang_up(struct orchestrator *orc) {
    orchestrator_close(orc);
    free(orc);
}

/* ---- hello and results ---- */

TEST(worker_says_hello_then_credits) {
    struct service service = {0};
    service_start(&service, 3);
    struct orchestrator *orc = dial(&service);
    assert_true(orchestrator_wait_limit(orc, 3));
    assert_int_equal(orc->reports[0]->report_case, REPORT(HELLO));
    const Callsheet__V1__Hello *hello = orc->reports[0]->hello;
    assert_memory_equal(hello->worker, "test-", 5);
    assert_string_equal(hello->version, CS_VERSION);
    assert_int_equal(hello->slots, 3);
    assert_int_equal(hello->n_operations, 2);
    assert_string_equal(hello->operations[1], "merge");
    assert_int_equal(orc->reports[1]->report_case, REPORT(CREDITS));
    hang_up(orc);
    service_stop(&service);
}

TEST(assignment_reaches_the_service_whole_and_its_result_the_orchestrator) {
    struct service service = {0};
    service_start(&service, 1);
    struct orchestrator *orc = dial(&service);
    orchestrator_welcome(orc);

    Callsheet__V1__MediaRef first = CALLSHEET__V1__MEDIA_REF__INIT;
    Callsheet__V1__MediaRef beyond = CALLSHEET__V1__MEDIA_REF__INIT;
    first.input = 1;
    beyond.input = 2;
    Callsheet__V1__Reframe reframe = CALLSHEET__V1__REFRAME__INIT;
    reframe.video = &first;
    reframe.aspect_ratio = (char *)"9:16";
    Callsheet__V1__Operation operation = CALLSHEET__V1__OPERATION__INIT;
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_REFRAME;
    operation.reframe = &reframe;
    Callsheet__V1__ResolvedInput input = CALLSHEET__V1__RESOLVED_INPUT__INIT;
    input.source_case = CALLSHEET__V1__RESOLVED_INPUT__SOURCE_URL;
    input.url = (char *)"https://example.com/a.mp4";
    Callsheet__V1__ResolvedInput *inputs[] = {&input};
    Callsheet__V1__Assign assign = CALLSHEET__V1__ASSIGN__INIT;
    assign.tenant = (char *)"t1";
    assign.execution = (char *)"e1";
    assign.job = (char *)"f1";
    assign.deadline_ms = cs_clock_unix_ms() + LONG_MS;
    assign.operation = &operation;
    assign.n_inputs = 1;
    assign.inputs = inputs;
    assign.checkpoint = (ProtobufCBinaryData){4, (uint8_t *)"\0\1\2\3"};
    assign.traceparent = (char *)"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    orchestrator_assign_with(orc, "f1", &assign);

    assert_true(wait_for(&service, service.job_count == 1));
    assert_non_null(orchestrator_take(orc, REPORT(ACCEPTED), "f1"));
    struct cs_assignment *assignment = service.jobs[0].assignment;
    const Callsheet__V1__Assign *got = cs_assignment_get(assignment);
    assert_string_equal(got->tenant, "t1");
    assert_string_equal(got->operation->reframe->aspect_ratio, "9:16");
    assert_memory_equal(got->checkpoint.data, "\0\1\2\3", 4);
    assert_string_equal(cs_assignment_input(assignment, got->operation->reframe->video)->url, input.url);
    assert_null(cs_assignment_input(assignment, &beyond));
    assert_null(cs_assignment_input(assignment, NULL));
    assert_in_range(cs_assignment_left_ms(assignment), LONG_MS / 2, LONG_MS);
    char trace_id[CS_TRACE_ID_HEX_SIZE];
    cs_trace_id_hex(cs_assignment_trace(assignment), trace_id);
    assert_string_equal(trace_id, "0af7651916cd43dd8448eb211c80319c");
    assert_false(cs_assignment_cancelled(assignment));
    assert_int_equal(cs_worker_busy(service.worker), 1);

    Callsheet__V1__Artifact artifact = CALLSHEET__V1__ARTIFACT__INIT;
    artifact.name = (char *)"out.mp4";
    Callsheet__V1__Artifact *artifacts[] = {&artifact};
    Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    succeeded.n_outputs = 1;
    succeeded.outputs = artifacts;
    cs_report_log(assignment, "info", "nearly there");
    cs_report_succeeded(assignment, &succeeded);
    const Callsheet__V1__Report *result = orchestrator_take(orc, REPORT(SUCCEEDED), "f1");
    assert_non_null(result);
    assert_string_equal(result->succeeded->outputs[0]->name, "out.mp4");
    assert_string_equal(orchestrator_take(orc, REPORT(LOG), "f1")->log->message, "nearly there");
    assert_int_equal(cs_worker_busy(service.worker), 0);
    hang_up(orc);
    service_stop(&service);
}

TEST(service_may_answer_inside_start) {
    struct service service = {.answer_at_once = true};
    service_start(&service, 1);
    struct orchestrator *orc = dial(&service);
    assert_true(orchestrator_wait_limit(orc, 1));
    for (int i = 0; i < 50; i++) {
        orchestrator_assign(orc, "f", LONG_MS);
        assert_non_null(orchestrator_take(orc, REPORT(SUCCEEDED), "f"));
    }
    hang_up(orc);
    service_stop(&service);
}

TEST(statuses_become_classes_by_one_table) {
    static const struct {
        enum cs_status status;
        int64_t retry_after_ms;
        Callsheet__V1__FailureClass wanted;
    } rows[] = {
        {CS_INVALID_ARGUMENT, 0, CLASS(INVALID_INPUT)},
        {CS_NOT_FOUND, 0, CLASS(INVALID_INPUT)},
        {CS_UNAVAILABLE, 0, CLASS(TRANSIENT)},
        {CS_ABORTED, 0, CLASS(TRANSIENT)},
        {CS_RESOURCE_EXHAUSTED, 0, CLASS(TRANSIENT)},
        {CS_RESOURCE_EXHAUSTED, 700, CLASS(RATE_LIMITED)},
        {CS_DEADLINE_EXCEEDED, 0, CLASS(TIMEOUT)},
        {CS_UNIMPLEMENTED, 0, CLASS(CODEC_UNSUPPORTED)},
        {CS_UNAUTHENTICATED, 0, CLASS(AUTH)},
        {CS_PERMISSION_DENIED, 0, CLASS(AUTH)},
        {CS_INTERNAL, 0, CLASS(INTERNAL)},
        {CS_UNKNOWN, 0, CLASS(INTERNAL)},
        {CS_CANCELLED, 0, CLASS(CANCELLED)},
        {(enum cs_status)99, 0, CLASS(INTERNAL)},
    };
    struct service service = {0};
    service_start(&service, 1);
    struct orchestrator *orc = dial(&service);
    assert_true(orchestrator_wait_limit(orc, 1));
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        orchestrator_assign(orc, "f", LONG_MS);
        assert_true(wait_for(&service, service.job_count == (int)i + 1));
        struct cs_err err;
        (void)cs_fail(&err, rows[i].status, "some_word", "a sentence");
        err.retry_after_ms = rows[i].retry_after_ms;
        cs_report_error(service.jobs[i].assignment, &err);
        const Callsheet__V1__Report *report = orchestrator_take(orc, REPORT(FAILED), "f");
        assert_non_null(report);
        assert_int_equal(report->failed->failure_class, rows[i].wanted);
        assert_string_equal(report->failed->code, "some_word");
        assert_string_equal(report->failed->message, "a sentence");
        assert_int_equal(report->failed->retry_after_ms, rows[i].retry_after_ms);
    }
    hang_up(orc);
    service_stop(&service);
}

/* ---- credits ---- */

TEST(message_that_is_not_utf8_does_not_cost_the_stream) {
    struct service service = {0};
    service_start(&service, 1);
    struct orchestrator *orc = dial(&service);
    orchestrator_assign(orc, "f", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 1));
    cs_report_log(service.jobs[0].assignment, "info", "said \xFF");
    cs_report_failed(service.jobs[0].assignment, CLASS(INTERNAL), "odd", 0, "they said \xC3: %s", "caf\xC3\xA9");
    const Callsheet__V1__Report *log = orchestrator_take(orc, REPORT(LOG), "f");
    const Callsheet__V1__Report *report = orchestrator_take(orc, REPORT(FAILED), "f");
    assert_non_null(log);
    assert_non_null(report);
    assert_string_equal(log->log->message, "said ?");
    assert_string_equal(report->failed->message, "they said ?: caf??");
    hang_up(orc);
    service_stop(&service);
}

TEST(assignment_beyond_the_credit_has_no_slot) {
    struct service service = {0};
    service_start(&service, 2);
    struct orchestrator *orc = dial(&service);
    assert_true(orchestrator_wait_limit(orc, 2));
    orchestrator_assign(orc, "a", LONG_MS);
    orchestrator_assign(orc, "b", LONG_MS);
    orchestrator_assign(orc, "c", LONG_MS);
    const Callsheet__V1__Report *refused = orchestrator_take(orc, REPORT(FAILED), "c");
    assert_non_null(refused);
    assert_int_equal(refused->failed->failure_class, CLASS(TRANSIENT));
    assert_string_equal(refused->failed->code, "no_slot");
    assert_int_equal(cs_worker_busy(service.worker), 2);
    report_done(service.jobs[0].assignment);
    orchestrator_assign(orc, "d", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 3));
    report_done(service.jobs[1].assignment);
    report_done(service.jobs[2].assignment);
    hang_up(orc);
    service_stop(&service);
}

TEST(slots_are_shared_anew_when_orchestrators_come_and_go) {
    struct service service = {0};
    service_start(&service, 4);
    struct orchestrator *first = dial(&service);
    assert_true(orchestrator_wait_limit(first, 4));
    static const char *const fences[] = {"1", "2", "3"};
    for (int i = 0; i < 3; i++) {
        orchestrator_assign(first, fences[i], LONG_MS);
    }
    assert_true(wait_for(&service, service.job_count == 3));
    struct orchestrator *second = dial(&service);
    assert_true(orchestrator_wait_limit(first, 2));
    assert_true(orchestrator_wait_limit(second, 1)); /* the first has one more than its share */
    report_done(service.jobs[0].assignment);
    assert_true(orchestrator_wait_limit(second, 2));
    hang_up(second);
    assert_true(orchestrator_wait_limit(first, 4));
    report_done(service.jobs[1].assignment);
    report_done(service.jobs[2].assignment);
    hang_up(first);
    service_stop(&service);
}

TEST(with_fewer_slots_than_orchestrators_each_gets_its_turn) {
    struct service service = {0};
    service_start(&service, 1);
    struct orchestrator *first = dial(&service);
    assert_true(orchestrator_wait_limit(first, 1));
    struct orchestrator *second = dial(&service);
    assert_true(orchestrator_wait_limit(second, 1));
    assert_true(orchestrator_wait_limit(first, 0));
    assert_true(orchestrator_wait_limit(first, 1));
    hang_up(first);
    hang_up(second);
    service_stop(&service);
}

/* ---- bad assignments ---- */

TEST(assignment_that_makes_no_sense_is_refused_without_starting) {
    struct service service = {0};
    service_start(&service, 4);
    struct orchestrator *orc = dial(&service);
    assert_true(orchestrator_wait_limit(orc, 4));
    Callsheet__V1__Assign empty = CALLSHEET__V1__ASSIGN__INIT;
    orchestrator_assign_with(orc, "no-operation", &empty);
    const Callsheet__V1__Report *report = orchestrator_take(orc, REPORT(FAILED), "no-operation");
    assert_non_null(report);
    assert_int_equal(report->failed->failure_class, CLASS(INVALID_INPUT));
    assert_string_equal(report->failed->code, "bad_assignment");
    Callsheet__V1__Noop noop = CALLSHEET__V1__NOOP__INIT;
    Callsheet__V1__Operation operation = CALLSHEET__V1__OPERATION__INIT;
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_NOOP;
    operation.noop = &noop;
    Callsheet__V1__Assign ancient = CALLSHEET__V1__ASSIGN__INIT;
    ancient.operation = &operation;
    ancient.deadline_ms = INT64_MIN;
    orchestrator_assign_with(orc, "ancient", &ancient);
    report = orchestrator_take(orc, REPORT(FAILED), "ancient");
    assert_non_null(report);
    assert_string_equal(report->failed->code, "bad_assignment");
    orchestrator_assign(orc, "too-late", -1000);
    report = orchestrator_take(orc, REPORT(FAILED), "too-late");
    assert_non_null(report);
    assert_int_equal(report->failed->failure_class, CLASS(TIMEOUT));
    char long_fence[80];
    memset(long_fence, 'x', sizeof(long_fence) - 1);
    long_fence[sizeof(long_fence) - 1] = '\0';
    orchestrator_assign(orc, "", LONG_MS);
    orchestrator_assign(orc, long_fence, LONG_MS);
    orchestrator_cancel(orc, "nobody", "x");
    orchestrator_signal(orc, "nobody", "x", "y");
    orchestrator_saved(orc, "nobody", 1);
    orchestrator_assign(orc, "good", LONG_MS);
    orchestrator_assign(orc, "good", LONG_MS); /* twice: once is enough */
    orchestrator_assign(orc, "last", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 2));
    assert_string_equal(service.jobs[0].fence, "good");
    assert_string_equal(service.jobs[1].fence, "last");
    report_done(service.jobs[0].assignment);
    report_done(service.jobs[1].assignment);
    hang_up(orc);
    service_stop(&service);
}

/* ---- stopping ---- */

TEST(cancel_reaches_the_service_once_and_its_answer_the_orchestrator) {
    struct service service = {.answer_cancels = true};
    service_start(&service, 1);
    struct orchestrator *orc = dial(&service);
    orchestrator_assign(orc, "f", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 1));
    orchestrator_cancel(orc, "f", "customer asked");
    orchestrator_cancel(orc, "f", "again");
    const Callsheet__V1__Report *report = orchestrator_take(orc, REPORT(FAILED), "f");
    assert_non_null(report);
    assert_int_equal(report->failed->failure_class, CLASS(CANCELLED));
    assert_true(wait_for(&service, service.jobs[0].cancels == 1));
    assert_string_equal(service.jobs[0].cancel_reason, "customer asked");
    hang_up(orc);
    service_stop(&service);
}

/* What was sent before has been looked at. */
static void await_signal(struct service *service, struct orchestrator *orc, const char *name) {
    char text[32];
    (void)snprintf(text, sizeof(text), "%s=", name);
    orchestrator_signal(orc, "f", name, "");
    assert_true(wait_for(service, strcmp(service->jobs[0].signal, text) == 0));
}

TEST(what_was_cancelled_for_good_stays_so) {
    struct service service = {0};
    service_start(&service, 1);
    struct orchestrator *orc = dial(&service);
    orchestrator_assign(orc, "f", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 1));
    const struct cs_assignment *assignment = service.jobs[0].assignment;
    orchestrator_cancel(orc, "f", "takes too long");
    await_signal(&service, orc, "first");
    assert_true(cs_assignment_cancelled(assignment));
    assert_false(cs_assignment_over(assignment));
    orchestrator_cancel_for_good(orc, "f", "the job has ended");
    await_signal(&service, orc, "second");
    assert_true(cs_assignment_over(assignment));
    orchestrator_cancel(orc, "f", "starting again");
    await_signal(&service, orc, "third");
    assert_true(cs_assignment_over(assignment));
    assert_int_equal(service.jobs[0].cancels, 1);
    report_done(service.jobs[0].assignment);
    hang_up(orc);
    service_stop(&service);
}

TEST(passed_deadline_cancels_and_is_reported_as_a_timeout) {
    struct service service = {.answer_cancels = true};
    service_start(&service, 2);
    struct orchestrator *orc = dial(&service);
    orchestrator_assign(orc, "long", LONG_MS);
    orchestrator_assign(orc, "short", 150);
    const Callsheet__V1__Report *report = orchestrator_take(orc, REPORT(FAILED), "short");
    assert_non_null(report);
    assert_int_equal(report->failed->failure_class, CLASS(TIMEOUT));
    assert_string_equal(report->failed->code, "deadline");
    assert_true(wait_for(&service, service.job_count == 2 && service.jobs[1].cancels == 1));
    assert_string_equal(service.jobs[1].cancel_reason, "deadline");
    assert_int_equal(service.jobs[0].cancels, 0);
    report_done(service.jobs[0].assignment);
    hang_up(orc);
    service_stop(&service);
}

TEST(every_assignment_is_heard_of_as_often_as_was_promised) {
    struct service service = {.heartbeat_ms = 20};
    service_start(&service, 2);
    struct orchestrator *orc = dial(&service);
    const Callsheet__V1__Report *hello = orchestrator_take(orc, REPORT(HELLO), "");
    assert_non_null(hello);
    assert_int_equal(hello->hello->heartbeat_ms, 20);
    orchestrator_assign(orc, "a", LONG_MS);
    orchestrator_assign(orc, "b", LONG_MS);
    for (int i = 0; i < 3; i++) {
        assert_non_null(orchestrator_take(orc, REPORT(HEARTBEAT), "a"));
        assert_non_null(orchestrator_take(orc, REPORT(HEARTBEAT), "b"));
    }
    assert_true(wait_for(&service, service.job_count == 2));
    report_done(service.jobs[0].assignment);
    report_done(service.jobs[1].assignment);
    orchestrator_assign(orc, "c", LONG_MS); /* after a rest it begins again */
    assert_non_null(orchestrator_take(orc, REPORT(HEARTBEAT), "c"));
    assert_true(wait_for(&service, service.job_count == 3));
    report_done(service.jobs[2].assignment);
    hang_up(orc);
    service_stop(&service);
}

TEST(end_of_the_stream_cancels_what_runs_for_it) {
    struct service service = {0};
    service_start(&service, 2);
    struct orchestrator *orc = dial(&service);
    struct orchestrator *other = dial(&service);
    assert_true(orchestrator_wait_limit(orc, 1));
    assert_true(orchestrator_wait_limit(other, 1));
    orchestrator_assign(orc, "f", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 1));
    orchestrator_assign(other, "o", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 2));
    struct cs_assignment *assignment = service.jobs[0].assignment;
    cs_report_checkpoint(assignment, "x", 1, saved, &service);
    hang_up(orc);
    assert_true(wait_for(&service, service.jobs[0].cancels == 1 && service.saved_failed == 1));
    assert_string_equal(service.jobs[0].cancel_reason, "stream ended");
    assert_true(cs_assignment_cancelled(assignment));
    assert_int_equal(cs_worker_busy(service.worker), 2); /* until the service says that it has stopped */
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    cs_report_progress(assignment, &progress); /* for nobody, and harmless */
    cs_report_log(assignment, "info", "nobody hears");
    cs_report_checkpoint(assignment, "x", 1, saved, &service);
    assert_true(wait_for(&service, service.saved_failed == 2));
    report_done(assignment);
    assert_true(orchestrator_wait_limit(other, 2));
    assert_int_equal(service.jobs[1].cancels, 0);
    report_done(service.jobs[1].assignment);
    hang_up(other);
    service_stop(&service);
}

/* ---- checkpoints, signals, progress ---- */

TEST(checkpoint_is_acknowledged_in_its_own_time) {
    struct service service = {0};
    service_start(&service, 1);
    struct orchestrator *orc = dial(&service);
    orchestrator_assign(orc, "f", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 1));
    struct cs_assignment *assignment = service.jobs[0].assignment;
    cs_report_checkpoint(assignment, "one", 3, NULL, NULL);
    cs_report_checkpoint(assignment, "two", 3, saved, &service);
    cs_report_checkpoint(assignment, "three", 5, saved, &service);
    const Callsheet__V1__Checkpoint *one = orchestrator_take(orc, REPORT(CHECKPOINT), "f")->checkpoint;
    const Callsheet__V1__Checkpoint *two = orchestrator_take(orc, REPORT(CHECKPOINT), "f")->checkpoint;
    const Callsheet__V1__Checkpoint *three = orchestrator_take(orc, REPORT(CHECKPOINT), "f")->checkpoint;
    assert_false(one->ack_required);
    assert_true(two->ack_required);
    assert_memory_equal(two->data.data, "two", 3);
    assert_true(one->sequence < two->sequence && two->sequence < three->sequence);
    assert_int_equal(service.saved_ok, 0);
    orchestrator_saved(orc, "f", three->sequence);
    assert_true(wait_for(&service, service.saved_ok == 1));
    orchestrator_saved(orc, "f", three->sequence); /* again: nobody waits any more */
    orchestrator_saved(orc, "f", two->sequence);
    assert_true(wait_for(&service, service.saved_ok == 2));
    CS_AUTO_FREE char *large = cs_alloc(CS_CHECKPOINT_BYTES_MAX + 1);
    cs_report_checkpoint(assignment, large, CS_CHECKPOINT_BYTES_MAX + 1, saved, &service);
    assert_true(wait_for(&service, service.saved_failed == 1));
    cs_report_checkpoint(assignment, "late", 4, saved, &service); /* forgotten with the final report */
    report_done(assignment);
    assert_non_null(orchestrator_take(orc, REPORT(SUCCEEDED), "f"));
    hang_up(orc);
    service_stop(&service);
    assert_int_equal(service.saved_ok, 2);
    assert_int_equal(service.saved_failed, 1);
}

TEST(signal_reaches_its_job) {
    struct service service = {0};
    service_start(&service, 2);
    struct orchestrator *orc = dial(&service);
    orchestrator_assign(orc, "f", LONG_MS);
    orchestrator_assign(orc, "g", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 2));
    orchestrator_signal(orc, "g", "callback", "done");
    assert_true(wait_for(&service, service.jobs[1].signal[0] != '\0'));
    assert_string_equal(service.jobs[1].signal, "callback=done");
    assert_string_equal(service.jobs[0].signal, "");
    report_done(service.jobs[0].assignment);
    report_done(service.jobs[1].assignment);
    hang_up(orc);
    service_stop(&service);
}

TEST(chunks_on_offer_are_told_and_news_of_them_reaches_their_job) {
    static const uint32_t chunks[] = {1, 0, 7};
    struct service service = {0};
    service_start(&service, 2);
    struct orchestrator *orc = dial(&service);
    orchestrator_assign(orc, "f", LONG_MS);
    orchestrator_assign(orc, "g", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 2));
    cs_report_spread(service.jobs[1].assignment, "plan", 4, chunks, CS_COUNT(chunks));
    const Callsheet__V1__Report *report = orchestrator_take(orc, REPORT(SPREAD), "g");
    assert_non_null(report);
    assert_int_equal(report->spread->n_chunks, CS_COUNT(chunks));
    assert_memory_equal(report->spread->chunks, chunks, sizeof(chunks));
    assert_memory_equal(report->spread->plan.data, "plan", 4);
    orchestrator_chunk_news(orc, "nobody", 3, CALLSHEET__V1__CHUNK_STATE__CHUNK_STATE_MADE);
    orchestrator_chunk_news(orc, "g", 7, CALLSHEET__V1__CHUNK_STATE__CHUNK_STATE_MADE);
    assert_true(wait_for(&service, service.jobs[1].chunk_made == 7));
    assert_int_equal(service.jobs[0].chunk_made, -1);
    report_done(service.jobs[0].assignment);
    report_done(service.jobs[1].assignment);
    hang_up(orc);
    service_stop(&service);
}

TEST(progress_is_thinned_and_the_newest_arrives) {
    enum { UPDATES = 1000 };
    struct service service = {0};
    service_start(&service, 1);
    struct orchestrator *orc = dial(&service);
    orchestrator_assign(orc, "f", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 1));
    struct cs_assignment *assignment = service.jobs[0].assignment;
    int64_t started_ms = cs_clock_mono_ms();
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    progress.stage = (char *)"rendering";
    for (int i = 1; i <= UPDATES; i++) {
        progress.fraction = i == UPDATES - 1 ? 0.1 : (double)i / UPDATES; /* one step back */
        progress.media_time_us = i;
        cs_report_progress(assignment, &progress);
    }
    int64_t took_ms = cs_clock_mono_ms() - started_ms;
    const Callsheet__V1__Progress *newest = NULL;
    double fraction = 0;
    int count = 0;
    do {
        const Callsheet__V1__Report *report = orchestrator_take(orc, REPORT(PROGRESS), "f");
        assert_non_null(report);
        newest = report->progress;
        assert_true(newest->fraction >= fraction);
        fraction = newest->fraction;
        count++;
    } while (newest->media_time_us != UPDATES);
    assert_in_range(count, 2, 3 + took_ms / CS_PROGRESS_INTERVAL_MS);
    report_done(assignment);
    assert_non_null(orchestrator_take(orc, REPORT(SUCCEEDED), "f"));
    hang_up(orc);
    service_stop(&service);
}

TEST(reports_that_are_ready_together_travel_together) {
    enum { LINES = 3000 };
    struct service service = {0};
    service_start(&service, 1);
    struct orchestrator *orc = dial(&service);
    orchestrator_assign(orc, "f", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 1));
    char text[16];
    for (int i = 0; i < LINES; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        cs_report_log(service.jobs[0].assignment, "info", text);
    }
    report_done(service.jobs[0].assignment);
    assert_non_null(orchestrator_take(orc, REPORT(SUCCEEDED), "f"));
    for (int i = 0; i < LINES; i++) {
        const Callsheet__V1__Report *report = orchestrator_peek(orc, REPORT(LOG), "f");
        assert_non_null(report);
        (void)snprintf(text, sizeof(text), "%d", i);
        assert_string_equal(report->log->message, text);
    }
    assert_in_range(orchestrator_message_count(orc), 2, LINES / 2);
    hang_up(orc);
    service_stop(&service);
}

/* ---- draining ---- */

static void *drain_at_once(void *worker) {
    cs_worker_drain(worker, 0);
    return NULL;
}

static void *drain_with_patience(void *worker) {
    cs_worker_drain(worker, PATIENCE_MS);
    return NULL;
}

TEST(draining_withdraws_credits_lets_jobs_end_and_ends_the_stream_well) {
    struct service service = {0};
    service_start(&service, 2);
    struct orchestrator *orc = dial(&service);
    orchestrator_assign(orc, "f", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 1));
    pthread_t drainer;
    assert_int_equal(pthread_create(&drainer, NULL, drain_with_patience, service.worker), 0);
    assert_true(orchestrator_wait_limit(orc, 0));
    orchestrator_assign(orc, "late", LONG_MS);
    const Callsheet__V1__Report *refused = orchestrator_take(orc, REPORT(FAILED), "late");
    assert_non_null(refused);
    assert_string_equal(refused->failed->code, "no_slot");
    assert_int_equal(service.jobs[0].cancels, 0);
    report_done(service.jobs[0].assignment);
    assert_non_null(orchestrator_take(orc, REPORT(SUCCEEDED), "f"));
    assert_true(orchestrator_wait_closed(orc));
    assert_int_equal(orc->how.status, CS_OK);
    pthread_join(drainer, NULL);
    struct orchestrator *late = dial(&service);
    assert_true(orchestrator_wait_closed(late));
    assert_int_equal(late->how.status, CS_UNAVAILABLE);
    hang_up(late);
    hang_up(orc);
    service_stop(&service);
}

TEST(job_that_outlives_the_grace_is_cancelled_and_may_run_elsewhere) {
    struct service service = {.answer_cancels = true};
    service_start(&service, 1);
    struct orchestrator *orc = dial(&service);
    orchestrator_assign(orc, "f", LONG_MS);
    assert_true(wait_for(&service, service.job_count == 1));
    pthread_t drainer;
    assert_int_equal(pthread_create(&drainer, NULL, drain_at_once, service.worker), 0);
    const Callsheet__V1__Report *report = orchestrator_take(orc, REPORT(FAILED), "f");
    assert_non_null(report);
    assert_int_equal(report->failed->failure_class, CLASS(TRANSIENT));
    assert_string_equal(report->failed->code, "draining");
    assert_true(orchestrator_wait_closed(orc));
    pthread_join(drainer, NULL);
    hang_up(orc);
    service_stop(&service);
}

TEST_MAIN(CS_TEST(worker_says_hello_then_credits),
          CS_TEST(assignment_reaches_the_service_whole_and_its_result_the_orchestrator),
          CS_TEST(service_may_answer_inside_start), CS_TEST(statuses_become_classes_by_one_table),
          CS_TEST(message_that_is_not_utf8_does_not_cost_the_stream), CS_TEST(assignment_beyond_the_credit_has_no_slot),
          CS_TEST(slots_are_shared_anew_when_orchestrators_come_and_go),
          CS_TEST(with_fewer_slots_than_orchestrators_each_gets_its_turn),
          CS_TEST(assignment_that_makes_no_sense_is_refused_without_starting),
          CS_TEST(cancel_reaches_the_service_once_and_its_answer_the_orchestrator),
          CS_TEST(what_was_cancelled_for_good_stays_so), CS_TEST(passed_deadline_cancels_and_is_reported_as_a_timeout),
          CS_TEST(every_assignment_is_heard_of_as_often_as_was_promised),
          CS_TEST(end_of_the_stream_cancels_what_runs_for_it), CS_TEST(checkpoint_is_acknowledged_in_its_own_time),
          CS_TEST(signal_reaches_its_job), CS_TEST(chunks_on_offer_are_told_and_news_of_them_reaches_their_job),
          CS_TEST(progress_is_thinned_and_the_newest_arrives), CS_TEST(reports_that_are_ready_together_travel_together),
          CS_TEST(draining_withdraws_credits_lets_jobs_end_and_ends_the_stream_well),
          CS_TEST(job_that_outlives_the_grace_is_cancelled_and_may_run_elsewhere))
