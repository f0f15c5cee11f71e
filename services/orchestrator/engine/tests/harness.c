#include "engine/tests/harness.h"

#include <string.h>
#include <time.h>

#include "cs/base/log.h"
#include "cs/base/text.h"
#include "engine/internal.h"

enum { WAIT_S = 20 };

struct harness harness;
const char *const harness_noop[] = {"noop", NULL};
const char *const harness_every[] = {"noop", "generateVideo", "deliverWebhook", "unheardOf", NULL};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* answers and watchers */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* ---- life ---- */

static int64_t unix_ms(__attribute__((unused)) void *ctx) {
    return harness.now_ms;
}

void harness_start(void) {
    static const struct cs_clock clock = {.unix_ms = unix_ms};
    const struct orc_engine_config config = {
        .replica = "orchestrator-1",
        .environment = "dev",
        .public_url = "http://127.0.0.1:8080",
        .link_secret = "secret of the tests",
        .limits = harness.limits,
        .tenant_weights = harness.weights,
        .headroom_share = harness.headroom_share,
        .clock = &clock,
    };
    struct cs_err err = {0};
    assert_ok(orc_engine_start(&config, &harness.engine, &err), &err);
    (void)harness_metrics(); /* what came back is in memory, as of now */
}

void harness_stop(void) {
    orc_engine_stop(harness.engine);
    harness.engine = NULL;
}

int harness_setup(__attribute__((unused)) void **state) {
    cs_log_setup("test", CS_LOG_OFF);
    fake_store_reset();
    fake_links_reset();
    harness.now_ms = HARNESS_START_MS;
    harness.arena = cs_arena_create();
    harness_start();
    return 0;
}

int harness_teardown(__attribute__((unused)) void **state) {
    fake_store_let_go();
    fake_store_return(SIZE_MAX);
    harness_stop();
    fake_store_reset();
    fake_links_reset();
    cs_arena_destroy(harness.arena);
    harness.limits = harness.weights = NULL;
    harness.headroom_share = 0;
    return 0;
}

void harness_advance(int64_t ms) {
    harness.now_ms += ms;
    orc_engine_poke(harness.engine);
}

/* ---- waiting ---- */

static void wait_for(const bool *flag, const char *what) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&lock);
    while (!*flag) {
        if (pthread_cond_timedwait(&changed, &lock, &until) != 0) {
            pthread_mutex_unlock(&lock);
            fail_msg("no %s within %d s", what, WAIT_S);
        }
    }
    pthread_mutex_unlock(&lock);
}

static void *keep(const ProtobufCMessage *message) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = cs_arena_alloc(harness.arena, size);
    (void)protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *copy = NULL;
    struct cs_err err = {0};
    if (cs_rpc_message_unpack_arena(message->descriptor, bytes, size, harness.arena, &copy, &err) != CS_OK) {
        abort();
    }
    return copy;
}

/* ---- requests ---- */

static void finish(struct answer *answer, const struct cs_err *err) {
    if (err != NULL) {
        answer->status = err->status;
        cs_str_copy(answer->reason, sizeof(answer->reason), err->reason);
    }
    answer->done = true;
    (void)pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void on_created(const Callsheet__V1__CreateExecutionReply *reply, const struct cs_err *err, void *ctx) {
    struct answer *answer = ctx;
    pthread_mutex_lock(&lock);
    if (reply != NULL) {
        cs_str_copy(answer->id, sizeof(answer->id), reply->execution_id);
        answer->existing = reply->existing;
    }
    finish(answer, err);
}

void harness_on_read(const Callsheet__V1__Execution *execution, const struct cs_err *err, void *ctx) {
    struct answer *answer = ctx;
    pthread_mutex_lock(&lock);
    if (execution != NULL) {
        answer->execution = keep(&execution->base);
    }
    finish(answer, err);
}

struct answer *harness_new_answer(void) {
    pthread_mutex_lock(&lock);
    struct answer *answer = cs_arena_alloc(harness.arena, sizeof(*answer));
    pthread_mutex_unlock(&lock);
    return answer;
}

/* Cuts what follows the mark off and returns it, or NULL. */
static char *cut(char *text, char mark) {
    char *rest = strchr(text, mark);
    if (rest != NULL) {
        *rest++ = '\0';
    }
    return rest;
}

static Google__Protobuf__UInt32Value *new_number(struct cs_arena *arena, uint32_t value) {
    Google__Protobuf__UInt32Value *number = cs_arena_alloc(arena, sizeof(*number));
    google__protobuf__uint32_value__init(number);
    number->value = value;
    return number;
}

static void read_queueing(struct cs_arena *arena, Callsheet__V1__Job *job, char *line) {
    char *key = cut(line, '#');
    const char *priority = cut(line, '!');
    if (key != NULL) {
        job->concurrency_limit = (uint32_t)strtoul(cut(key, ':'), NULL, 10);
        job->concurrency_key = key;
    }
    if (priority != NULL) {
        job->priority = new_number(arena, (uint32_t)strtoul(priority, NULL, 10));
    }
}

static void set_generate(struct cs_arena *arena, const char *provider, Callsheet__V1__Operation *operation) {
    operation->params_case = CALLSHEET__V1__OPERATION__PARAMS_GENERATE_VIDEO;
    operation->generate_video = cs_arena_alloc(arena, sizeof(*operation->generate_video));
    callsheet__v1__generate_video__init(operation->generate_video);
    operation->generate_video->prompt = (char *)"a dog";
    operation->generate_video->provider = (char *)(provider != NULL ? provider : "local");
}

static void set_reframe(struct cs_arena *arena, char *video, Callsheet__V1__Operation *operation) {
    operation->params_case = CALLSHEET__V1__OPERATION__PARAMS_REFRAME;
    operation->reframe = cs_arena_alloc(arena, sizeof(*operation->reframe));
    callsheet__v1__reframe__init(operation->reframe);
    operation->reframe->aspect_ratio = (char *)"1:1";
    operation->reframe->video = cs_arena_alloc(arena, sizeof(*operation->reframe->video));
    callsheet__v1__media_ref__init(operation->reframe->video);
    operation->reframe->video->source_case = CALLSHEET__V1__MEDIA_REF__SOURCE_JOB;
    operation->reframe->video->job = video;
}

static Callsheet__V1__Job *new_job(struct cs_arena *arena, const char *text, const char *provider) {
    char *line = cs_arena_strdup(arena, text);
    Callsheet__V1__Job *job = cs_arena_alloc(arena, sizeof(*job));
    callsheet__v1__job__init(job);
    job->id = line;
    job->depends_on = cs_arena_array(arena, strlen(line) + 1, sizeof(char *));
    char *rest = cut(line, '<');
    read_queueing(arena, job, line);
    if (rest != NULL) {
        char *save = NULL;
        for (char *id = strtok_r(rest, ",", &save); id != NULL; id = strtok_r(NULL, ",", &save)) {
            job->depends_on[job->n_depends_on++] = id;
        }
    }
    job->operation = cs_arena_alloc(arena, sizeof(*job->operation));
    callsheet__v1__operation__init(job->operation);
    if (line[0] == 'g') {
        set_generate(arena, provider, job->operation);
    } else if (line[0] == 'V') {
        set_reframe(arena, job->depends_on[0], job->operation);
    } else {
        job->operation->params_case = CALLSHEET__V1__OPERATION__PARAMS_NOOP;
        job->operation->noop = cs_arena_alloc(arena, sizeof(*job->operation->noop));
        callsheet__v1__noop__init(job->operation->noop);
    }
    return job;
}

static void fill_plan(const char *const *lines, size_t count, const char *provider, struct cs_arena *arena,
                      Callsheet__V1__Plan *plan) {
    callsheet__v1__plan__init(plan);
    plan->n_jobs = count;
    plan->jobs = cs_arena_array(arena, count, sizeof(*plan->jobs));
    for (size_t i = 0; i < count; i++) {
        plan->jobs[i] = new_job(arena, lines[i], provider);
    }
}

static struct orc_submission *new_submission(const char *const *lines, size_t count,
                                             const struct submit_options *options) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    Callsheet__V1__Plan plan;
    fill_plan(lines, count, options->provider, arena, &plan);
    plan.cache = options->cache != 0 ? options->cache : CALLSHEET__V1__CACHE_MODE__CACHE_MODE_OFF;
    if (options->priority != 0) {
        plan.priority = new_number(arena, (uint32_t)options->priority - 1);
    }
    if (options->edit != NULL) {
        options->edit(&plan);
    }
    Callsheet__V1__WebhookTarget webhook = CALLSHEET__V1__WEBHOOK_TARGET__INIT;
    webhook.url = (char *)"http://127.0.0.1:9/hook";
    Callsheet__V1__CreateExecutionRequest request = CALLSHEET__V1__CREATE_EXECUTION_REQUEST__INIT;
    request.tenant = (char *)(options->tenant != NULL ? options->tenant : "acme");
    request.idempotency_key = (char *)(options->key != NULL ? options->key : "");
    request.plan = &plan;
    request.webhook = options->webhook ? &webhook : NULL;
    request.timeout_ms = options->timeout_ms;
    struct orc_submission *submission = NULL;
    struct cs_trace trace = cs_trace_root();
    struct cs_err err = {0};
    assert_ok(orc_submission_from(&request, &trace, &submission, &err), &err);
    return submission;
}

struct answer *harness_submit(const char *const *lines, size_t count, struct submit_options options) {
    struct answer *answer = harness_new_answer();
    orc_engine_submit(harness.engine, new_submission(lines, count, &options), on_created, answer);
    return answer;
}

/* The engine reads the request until it answers. */
const char *harness_create_on_base(const char *const *lines, size_t count, const char *base) {
    struct answer *answer = harness_new_answer();
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    Callsheet__V1__Plan plan;
    Callsheet__V1__CreateExecutionRequest request = CALLSHEET__V1__CREATE_EXECUTION_REQUEST__INIT;
    struct cs_trace trace = cs_trace_root();
    fill_plan(lines, count, NULL, arena, &plan);
    request.tenant = (char *)"acme";
    request.base_execution_id = (char *)base;
    request.plan = &plan;
    orc_engine_submit_on_base(harness.engine, &request, &trace, on_created, answer);
    harness_await(answer);
    assert_int_equal(answer->status, CS_OK);
    return answer->id;
}

struct answer *harness_get(const char *tenant, const char *id) {
    struct answer *answer = harness_new_answer();
    orc_engine_get(harness.engine, tenant, id, harness_on_read, answer);
    return answer;
}

struct answer *harness_cancel(const char *id) {
    struct answer *answer = harness_new_answer();
    orc_engine_cancel(harness.engine, "acme", id, "by the test", harness_on_read, answer);
    return answer;
}

bool harness_done(const struct answer *answer) {
    pthread_mutex_lock(&lock);
    bool done = answer->done;
    pthread_mutex_unlock(&lock);
    return done;
}

void harness_await(const struct answer *answer) {
    wait_for(&answer->done, "answer");
}

const char *harness_create(const char *const *lines, size_t count, struct submit_options options) {
    struct answer *answer = harness_submit(lines, count, options);
    harness_await(answer);
    assert_int_equal(answer->status, CS_OK);
    return answer->id;
}

const Callsheet__V1__Execution *harness_read(const char *id) {
    return harness_read_of("acme", id);
}

const Callsheet__V1__Execution *harness_read_of(const char *tenant, const char *id) {
    struct answer *answer = harness_get(tenant, id);
    harness_await(answer);
    if (answer->status != CS_OK) {
        fail_msg("reading %s: %s", id, answer->reason);
    }
    return answer->execution;
}

/* Each read comes after what was put before it, so this ends as soon as the engine has got there. */
const Callsheet__V1__Execution *harness_read_state(const char *id, Callsheet__V1__ExecutionState state) {
    time_t until = time(NULL) + WAIT_S;
    for (;;) {
        const Callsheet__V1__Execution *execution = harness_read(id);
        if (execution->state == state) {
            return execution;
        }
        if (time(NULL) > until) {
            fail_msg("execution %s is in state %d, not %d", id, (int)execution->state, (int)state);
        }
    }
}

/* ---- watching ---- */

static void on_update(const Callsheet__V1__ExecutionUpdate *update, void *ctx) {
    struct told *told = ctx;
    pthread_mutex_lock(&lock);
    if (told->count < CS_COUNT(told->updates)) {
        told->updates[told->count++] = keep(&update->base);
    }
    (void)pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void on_ended(const struct cs_err *err, void *ctx) {
    struct told *told = ctx;
    pthread_mutex_lock(&lock);
    told->status = err != NULL ? err->status : CS_OK;
    told->ended = true;
    (void)pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

struct told *harness_watch(const char *id) {
    static const struct orc_watcher_events events = {.update = on_update, .ended = on_ended};
    pthread_mutex_lock(&lock);
    struct told *told = cs_arena_alloc(harness.arena, sizeof(*told));
    pthread_mutex_unlock(&lock);
    (void)orc_engine_watch(harness.engine, "acme", id, &events, told);
    return told;
}

size_t harness_updates(const struct told *told) {
    pthread_mutex_lock(&lock);
    size_t count = told->count;
    pthread_mutex_unlock(&lock);
    return count;
}

void harness_await_updates(const struct told *told, size_t count) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&lock);
    while (told->count < count) {
        if (pthread_cond_timedwait(&changed, &lock, &until) != 0) {
            pthread_mutex_unlock(&lock);
            fail_msg("%zu updates within %d s, not %zu", told->count, WAIT_S, count);
        }
    }
    pthread_mutex_unlock(&lock);
}

void harness_await_ended(const struct told *told) {
    wait_for(&told->ended, "end of the watch");
}

static void on_metrics(const char *text, const struct cs_err *err, void *ctx) {
    struct answer *answer = ctx;
    pthread_mutex_lock(&lock);
    answer->text = text != NULL ? cs_arena_strdup(harness.arena, text) : "";
    finish(answer, err);
}

const char *harness_metrics(void) {
    struct answer *answer = harness_new_answer();
    orc_engine_ask_metrics(harness.engine, on_metrics, answer);
    harness_await(answer);
    return answer->text;
}

double harness_metric(const char *name) {
    CS_AUTO_FREE char *line = cs_sprintf("\n%s ", name);
    const char *at = strstr(harness_metrics(), line);
    return at != NULL ? strtod(at + strlen(line), NULL) : -1;
}

void harness_await_commits(double count) {
    time_t until = time(NULL) + WAIT_S;
    while (harness_metric("callsheet_commits_total") < count) {
        if (time(NULL) > until) {
            fail_msg("no %.0f commits within %d s", count, WAIT_S);
        }
    }
}

void harness_await_metric(const char *name, double value) {
    time_t until = time(NULL) + WAIT_S;
    double now = harness_metric(name);
    while (now < value || now > value) {
        if (time(NULL) > until) {
            fail_msg("%s is %.0f, and not %.0f within %d s", name, now, value, WAIT_S);
        }
        now = harness_metric(name);
    }
}
