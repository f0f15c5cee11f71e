#include "requests.h"

#include <string.h>

#include "cs/json.h"
#include "cs/test.h"
#include "domain/plan.h"
#include "wire/plan_wire.h"

Callsheet__V1__CreateExecutionRequest *request_from(const char *text, struct cs_arena *arena) {
    char *json = cs_arena_strdup(arena, text);
    for (char *c = json; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    CS_AUTO_JSON *value = NULL;
    ProtobufCMessage *message = NULL;
    struct cs_err err = {0};
    assert_ok(cs_json_parse(json, strlen(json), &value, &err), &err);
    assert_ok(
        cs_json_to_message(value, &callsheet__v1__create_execution_request__descriptor, "", arena, &message, &err),
        &err);
    return (Callsheet__V1__CreateExecutionRequest *)message;
}

/* ---- big ones ---- */

static Callsheet__V1__Job *add_noop(Callsheet__V1__Plan *plan, size_t index, struct cs_arena *arena) {
    Callsheet__V1__Job *job = cs_arena_alloc(arena, sizeof(*job));
    callsheet__v1__job__init(job);
    job->id = cs_arena_sprintf(arena, "j%zu", index);
    job->operation = cs_arena_alloc(arena, sizeof(*job->operation));
    callsheet__v1__operation__init(job->operation);
    job->operation->params_case = CALLSHEET__V1__OPERATION__PARAMS_NOOP;
    job->operation->noop = cs_arena_alloc(arena, sizeof(*job->operation->noop));
    callsheet__v1__noop__init(job->operation->noop);
    plan->jobs[index] = job;
    return job;
}

static Callsheet__V1__CreateExecutionRequest *noops(size_t count, struct cs_arena *arena) {
    Callsheet__V1__CreateExecutionRequest *request = request_from("{'tenant':'acme','plan':{'jobs':[]}}", arena);
    request->plan->n_jobs = count;
    request->plan->jobs = cs_arena_array(arena, count, sizeof(Callsheet__V1__Job *));
    for (size_t i = 0; i < count; i++) {
        (void)add_noop(request->plan, i, arena);
    }
    return request;
}

static Callsheet__V1__CreateExecutionRequest *too_many_jobs(struct cs_arena *arena) {
    return noops(ORC_PLAN_JOBS_MAX + 1, arena);
}

/* 450 jobs, each after all before it: 101,025 edges. */
static Callsheet__V1__CreateExecutionRequest *too_many_edges(struct cs_arena *arena) {
    enum { JOBS = 450 };
    Callsheet__V1__CreateExecutionRequest *request = noops(JOBS, arena);
    char **ids = cs_arena_array(arena, JOBS, sizeof(char *));
    for (size_t i = 0; i < JOBS; i++) {
        ids[i] = request->plan->jobs[i]->id;
        request->plan->jobs[i]->n_depends_on = i;
        request->plan->jobs[i]->depends_on = ids;
    }
    return request;
}

static Callsheet__V1__CreateExecutionRequest *with_payload(size_t jobs, size_t payload_size, struct cs_arena *arena) {
    Callsheet__V1__CreateExecutionRequest *request = noops(jobs, arena);
    for (size_t i = 0; i < jobs; i++) {
        Callsheet__V1__Noop *noop = request->plan->jobs[i]->operation->noop;
        noop->payload.len = payload_size;
        noop->payload.data = cs_arena_alloc(arena, payload_size);
    }
    return request;
}

static Callsheet__V1__CreateExecutionRequest *params_too_big(struct cs_arena *arena) {
    return with_payload(1, 256 * 1024 + 1, arena);
}

static Callsheet__V1__CreateExecutionRequest *request_too_big(struct cs_arena *arena) {
    return with_payload(17, 255 * 1024, arena);
}

static char *long_text(size_t length, struct cs_arena *arena) {
    char *text = cs_arena_alloc(arena, length + 1);
    memset(text, 'x', length);
    return text;
}

static Callsheet__V1__CreateExecutionRequest *long_job_id(struct cs_arena *arena) {
    Callsheet__V1__CreateExecutionRequest *request = noops(1, arena);
    request->plan->jobs[0]->id = long_text(129, arena);
    return request;
}

static Callsheet__V1__CreateExecutionRequest *long_output_label(struct cs_arena *arena) {
    Callsheet__V1__CreateExecutionRequest *request = noops(1, arena);
    request->plan->jobs[0]->output = long_text(ORC_OUTPUT_LABEL_BYTES_MAX + 1, arena);
    return request;
}

static Callsheet__V1__CreateExecutionRequest *long_idempotency_key(struct cs_arena *arena) {
    Callsheet__V1__CreateExecutionRequest *request = noops(1, arena);
    request->idempotency_key = long_text(ORC_IDEMPOTENCY_KEY_BYTES_MAX + 1, arena);
    return request;
}

static Callsheet__V1__CreateExecutionRequest *long_webhook_secret(struct cs_arena *arena) {
    Callsheet__V1__CreateExecutionRequest *request = request_from(PICTURE, arena);
    request->webhook->secret = long_text(ORC_WEBHOOK_SECRET_BYTES_MAX + 1, arena);
    return request;
}

static Callsheet__V1__CreateExecutionRequest *big_labels(struct cs_arena *arena) {
    Callsheet__V1__CreateExecutionRequest *request = request_from(PICTURE, arena);
    request->labels[0]->value = long_text(ORC_LABELS_BYTES_MAX, arena);
    return request;
}

static Callsheet__V1__CreateExecutionRequest *many_roots(struct cs_arena *arena) {
    Callsheet__V1__CreateExecutionRequest *request = noops(1, arena);
    request->plan->n_root_job_ids = ORC_PLAN_JOBS_MAX + 1;
    request->plan->root_job_ids = cs_arena_array(arena, ORC_PLAN_JOBS_MAX + 1, sizeof(char *));
    for (size_t i = 0; i <= ORC_PLAN_JOBS_MAX; i++) {
        request->plan->root_job_ids[i] = request->plan->jobs[0]->id;
    }
    return request;
}

/* ---- the table ---- */

#define PLAN(jobs) "{'tenant':'acme','plan':{'jobs':[" jobs "]}}"
#define NOOP(id, more) "{'id':'" id "','operation':{'noop':{}}" more "}"
#define VIDEO(id) "{'id':'" id "','operation':{'generateVideo':{'prompt':'p','provider':'local'}}}"
#define AUDIO(id) "{'id':'" id "','operation':{'generateAudio':{'text':'t','provider':'local'}}}"
#define AROUND(more) "{'tenant':'acme','plan':{'jobs':[]}," more "}"

const struct bad_request bad_requests[] = {
    {"no tenant", "{'plan':{'jobs':[]}}", .path = "tenant", .reason = "bad_tenant"},
    {"a tenant with a slash", "{'tenant':'a/b','plan':{'jobs':[]}}", .path = "tenant", .reason = "bad_tenant"},
    {"no plan", "{'tenant':'acme'}", .path = "plan", .reason = "missing_plan"},
    {"a cycle of two", PLAN(NOOP("a", ",'dependsOn':['b']") "," NOOP("b", ",'dependsOn':['a']")),
     .path = "jobs[0].dependsOn[0]", .reason = "cycle"},
    {"a cycle through a reference",
     PLAN("{'id':'a','operation':{'reframe':{'video':{'job':'b'},'aspectRatio':'1:1'}}},"
          "{'id':'b','operation':{'reframe':{'video':{'job':'a'},'aspectRatio':'1:1'}}}"),
     .path = "jobs[0].params.video", .reason = "cycle"},
    {"a job that depends on itself", PLAN(NOOP("a", ",'dependsOn':['a']")), .path = "jobs[0].dependsOn[0]",
     .reason = "self_dependency"},
    {"an unknown dependency", PLAN(NOOP("a", "") "," NOOP("b", ",'dependsOn':['a','zz']")),
     .path = "jobs[1].dependsOn[1]", .reason = "unknown_dependency"},
    {"a duplicate id", PLAN(NOOP("a", "") "," NOOP("b", "") "," NOOP("a", "")), .path = "jobs[2].id",
     .reason = "duplicate_id"},
    {"no job id", PLAN("{'operation':{'noop':{}}}"), .path = "jobs[0].id", .reason = "bad_id"},
    {"a job id with a slash", PLAN(NOOP("a/b", "")), .path = "jobs[0].id", .reason = "bad_id"},
    {"a job id that is a folder", PLAN(NOOP("..", "")), .path = "jobs[0].id", .reason = "bad_id"},
    {"a job id that is too long", .make = long_job_id, .path = "jobs[0].id", .reason = "bad_id"},
    {"no operation", PLAN("{'id':'a'}"), .path = "jobs[0].operation", .reason = "unknown_operation"},
    {"an empty operation", PLAN("{'id':'a','operation':{}}"), .path = "jobs[0].operation",
     .reason = "unknown_operation"},
    {"an operation of our own", PLAN("{'id':'a','operation':{'deliverWebhook':{'url':'https://e.com/'}}}"),
     .path = "jobs[0].operation", .reason = "operation_not_allowed"},
    {"a missing parameter", PLAN("{'id':'a','operation':{'generateVideo':{'prompt':'p'}}}"),
     .path = "jobs[0].params.provider", .reason = "required"},
    {"a parameter out of range",
     PLAN(VIDEO("v") ",{'id':'m','operation':{'merge':{'items':[{'media':{'job':'v'},'volume':7}]}}}"),
     .path = "jobs[1].params.items[0].volume", .reason = "out_of_range"},
    {"an unknown ratio",
     PLAN(VIDEO("v") ",{'id':'r','operation':{'reframe':{'video':{'job':'v'},'aspectRatio':'5:1'}}}"),
     .path = "jobs[1].params.aspectRatio", .reason = "unknown_word"},
    {"a reference without a source", PLAN("{'id':'r','operation':{'reframe':{'video':{},'aspectRatio':'1:1'}}}"),
     .path = "jobs[0].params.video", .reason = "required"},
    {"a reference to an unknown job",
     PLAN(VIDEO("v") ",{'id':'m','operation':{'merge':{'items':[{'media':{'job':'v'}},{'media':{'job':'w'}}]}}}"),
     .path = "jobs[1].params.items[1].media", .reason = "unknown_dependency"},
    {"a reference to itself", PLAN("{'id':'r','operation':{'reframe':{'video':{'job':'r'},'aspectRatio':'1:1'}}}"),
     .path = "jobs[0].params.video", .reason = "self_dependency"},
    {"sound where a picture is wanted",
     PLAN(AUDIO("s") ",{'id':'r','operation':{'reframe':{'video':{'job':'s'},'aspectRatio':'1:1'}}}"),
     .path = "jobs[1].params.video", .reason = "type_mismatch"},
    {"nothing where a picture is wanted",
     PLAN(NOOP("n", "") ",{'id':'m','operation':{'merge':{'items':[{'media':{'job':'n'}}]}}}"),
     .path = "jobs[1].params.items[0].media", .reason = "type_mismatch"},
    {"a path where there is none",
     PLAN("{'id':'p','operation':{'reframe':{'video':{'url':'https://e.com/v.mp4'},'aspectRatio':'1:1'}}},"
          "{'id':'r','operation':{'reframe':{'video':{'url':'https://e.com/v.mp4'},'aspectRatio':'1:1','mode':'smart',"
          "'path':{'job':'p'}}}}"),
     .path = "jobs[1].params.path", .reason = "type_mismatch"},
    {"a language that no recogniser knows",
     PLAN("{'id':'t','operation':{'transcribe':{'media':{'url':'https://e.com/v.mp4'},'language':'de'}}}"),
     .path = "jobs[0].params.language", .reason = "language_not_supported"},
    {"an upload that is not there",
     PLAN("{'id':'r','operation':{'reframe':{'video':{'upload':'u1'},'aspectRatio':'1:1'}}}"),
     .path = "jobs[0].params.video", .reason = "upload_not_found"},
    {"a media URL that is a file",
     PLAN("{'id':'r','operation':{'reframe':{'video':{'url':'file:///etc/passwd'},'aspectRatio':'1:1'}}}"),
     .path = "jobs[0].params.video", .reason = "bad_url"},
    {"a root that is no job", "{'tenant':'acme','plan':{'jobs':[" NOOP("a", "") "],'rootJobIds':['a','b']}}",
     .path = "rootJobIds[1]", .reason = "unknown_root_job"},
    {"more roots than jobs can be", .make = many_roots, .path = "rootJobIds", .reason = "too_many_jobs"},
    {"a webhook without a URL", AROUND("'webhook':{'secret':'s'}"), .path = "webhook.url", .reason = "bad_webhook_url"},
    {"a webhook that is a file", AROUND("'webhook':{'url':'file:///etc/passwd'}"), .path = "webhook.url",
     .reason = "bad_webhook_url"},
    {"a webhook with a password", AROUND("'webhook':{'url':'https://u:p@example.com/'}"), .path = "webhook.url",
     .reason = "bad_webhook_url"},
    {"a webhook secret that is too long", .make = long_webhook_secret, .path = "webhook.secret",
     .reason = "bad_webhook_secret"},
    {"a negative timeout", AROUND("'timeoutMs':-1"), .path = "timeoutMs", .reason = "bad_timeout"},
    {"a timeout beyond a month", AROUND("'timeoutMs':2592000001"), .path = "timeoutMs", .reason = "bad_timeout"},
    {"a label without a key", AROUND("'labels':[{'key':'a','value':''},{'value':'x'}]"), .path = "labels[1].key",
     .reason = "bad_label"},
    {"two labels of one key", AROUND("'labels':[{'key':'a','value':'1'},{'key':'a','value':'2'}]"),
     .path = "labels[1].key", .reason = "bad_label"},
    {"a label with a control character", AROUND("'labels':[{'key':'a\\n'}]"), .path = "labels[0].key",
     .reason = "bad_label"},
    {"labels that are too big", .make = big_labels, .path = "labels", .reason = "labels_too_big"},
    {"an idempotency key that is too long", .make = long_idempotency_key, .path = "idempotencyKey",
     .reason = "bad_idempotency_key"},
    {"an output label that is too long", .make = long_output_label, .path = "jobs[0].output", .reason = "bad_output"},
    {"a priority of a plan that is too high", .text = "{'tenant':'t','plan':{'priority':10}}", .path = "priority",
     .reason = "bad_priority"},
    {"a priority of a job that is too high",
     .text = "{'tenant':'t','plan':{'jobs':[{'id':'a','operation':{'noop':{}},'priority':10}]}}",
     .path = "jobs[0].priority", .reason = "bad_priority"},
    {"a concurrency key with control characters",
     .text = "{'tenant':'t','plan':{'jobs':[{'id':'a','operation':{'noop':{}},'concurrencyKey':'a\\u0007'}]}}",
     .path = "jobs[0].concurrencyKey", .reason = "bad_concurrency"},
    {"a concurrency limit without a key",
     .text = "{'tenant':'t','plan':{'jobs':[{'id':'a','operation':{'noop':{}},'concurrencyLimit':2}]}}",
     .path = "jobs[0].concurrencyLimit", .reason = "bad_concurrency"},
    {"a concurrency limit that is too big",
     .text = "{'tenant':'t','plan':{'jobs':[{'id':'a','operation':{'noop':{}},'concurrencyKey':'k',"
             "'concurrencyLimit':10001}]}}",
     .path = "jobs[0].concurrencyLimit", .reason = "bad_concurrency"},
    {"too many jobs", .make = too_many_jobs, .path = "jobs", .reason = "too_many_jobs"},
    {"too many edges", .make = too_many_edges, .path = "jobs", .reason = "too_many_edges"},
    {"parameters that are too big", .make = params_too_big, .path = "jobs[0].params", .reason = "params_too_big"},
    {"a request that is too big", .make = request_too_big, .path = "", .reason = "request_too_big"},
};
const size_t bad_request_count = CS_COUNT(bad_requests);

Callsheet__V1__CreateExecutionRequest *bad_request_make(const struct bad_request *bad, struct cs_arena *arena) {
    return bad->text != NULL ? request_from(bad->text, arena) : bad->make(arena);
}
