/*
 * replicate: https://replicate.com, its predictions API.
 *
 *     POST /predictions {version, input}     201 or 202: taken
 *     GET  /predictions/{id}                 starting → processing → succeeded | failed | canceled | aborted
 *     POST /predictions/{id}/cancel
 *     GET  /predictions                      the newest first: an unclear submission is looked for by model, input and
 * time
 *
 * An output is a string, an array of strings, or an object with one; it lives for an hour.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "adapters/replicate.h"
#include "cs/base/id.h"
#include "cs/base/text.h"

enum { INTENT_WINDOW_MS = 2 * 60 * 1000 };

static const char *const output_hosts[] = {"replicate.delivery", NULL};

/* ---- building ---- */

static enum cs_status submit(const struct prv_job *job, struct cs_arena *arena, struct prv_call *ret_call,
                             struct cs_err *err) {
    json_t *input = NULL;
    CS_TRY(prv_replicate_input(job, &input, err));
    CS_AUTO_JSON *body = json_pack("{s:s, s:o}", "version", job->model, "input", input);
    CS_AUTO_FREE char *text = json_dumps(body, JSON_COMPACT);
    if (text == NULL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_text", "the parameters are not valid UTF-8");
    }
    *ret_call = (struct prv_call){
        .method = "POST", .path = "/predictions", .body = cs_arena_strdup(arena, text), .body_size = strlen(text)};
    return CS_OK;
}

static void poll(const char *id, struct cs_arena *arena, struct prv_call *ret_call) {
    *ret_call = (struct prv_call){.method = "GET", .path = cs_arena_sprintf(arena, "/predictions/%s", id)};
}

static void cancel(const char *id, struct cs_arena *arena, struct prv_call *ret_call) {
    *ret_call = (struct prv_call){.method = "POST", .path = cs_arena_sprintf(arena, "/predictions/%s/cancel", id)};
}

static void find(const struct prv_job *job, struct cs_arena *arena, struct prv_call *ret_call) {
    (void)job;
    (void)arena;
    *ret_call = (struct prv_call){.method = "GET", .path = "/predictions"};
}

/* ---- reading ---- */

static json_t *parse(const struct prv_answer *answer) {
    json_t *object = NULL;
    return cs_json_parse(answer->body, answer->body_size, &object, NULL) == CS_OK ? object : NULL;
}

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* Ids go into paths: nothing but letters and digits. */
static bool take_id(const json_t *object, char ret_id[PRV_ID_SIZE]) {
    const char *id = text_of(object, "id");
    if (!cs_id_valid(id, PRV_ID_SIZE - 1) || strpbrk(id, ".:") != NULL) {
        return false;
    }
    cs_str_copy(ret_id, PRV_ID_SIZE, id);
    return true;
}

static struct prv_failure status_failure(const struct prv_answer *answer) {
    CS_AUTO_JSON *object = parse(answer);
    return prv_failure_from_status("replicate", answer->status, text_of(object, "detail"), answer->retry_after_ms);
}

static void submitted(const struct prv_answer *answer, struct prv_outcome *ret_outcome) {
    *ret_outcome = (struct prv_outcome){.kind = PRV_OUTCOME_UNCLEAR};
    if (prv_status_is_refusal(answer->status)) {
        ret_outcome->kind = PRV_OUTCOME_REFUSED;
        ret_outcome->failure = status_failure(answer);
        return;
    }
    CS_AUTO_JSON *object = parse(answer);
    if ((answer->status == 201 || answer->status == 202 || answer->status == 200) && take_id(object, ret_outcome->id)) {
        ret_outcome->kind = PRV_OUTCOME_ACCEPTED;
        ret_outcome->fresh = true;
    }
}

static bool take_url(const json_t *value, struct prv_snapshot *snapshot) {
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) >= sizeof(snapshot->output_url)) {
        return false;
    }
    cs_str_copy(snapshot->output_url, sizeof(snapshot->output_url), text);
    return true;
}

static bool find_output(const json_t *output, struct prv_snapshot *snapshot) {
    if (json_is_array(output)) {
        return find_output(json_array_get(output, 0), snapshot);
    }
    if (json_is_object(output)) {
        return take_url(json_object_get(output, "video"), snapshot) ||
               take_url(json_object_get(output, "url"), snapshot) ||
               take_url(json_object_get(output, "output"), snapshot);
    }
    return take_url(output, snapshot);
}

static void read_success(const json_t *object, struct prv_snapshot *snapshot) {
    if (find_output(json_object_get(object, "output"), snapshot)) {
        snapshot->kind = PRV_SNAPSHOT_DONE;
        return;
    }
    if (json_is_true(json_object_get(object, "data_removed"))) {
        snapshot->kind = PRV_SNAPSHOT_BARRED;
        snapshot->failure = prv_failure_make(PRV_CLASS(INTERNAL), "output_lost",
                                             "replicate has removed the output; it is not generated again silently");
        return;
    }
    snapshot->kind = PRV_SNAPSHOT_FAILED;
    snapshot->failure = prv_failure_make(PRV_CLASS(INTERNAL), "no_output", "replicate succeeded without an output");
}

static bool mentions(const char *text, const char *const *words) {
    for (; *words != NULL; words++) {
        if (strcasestr(text, *words) != NULL) {
            return true;
        }
    }
    return false;
}

/* Replicate gives no class, only a model's words. */
static struct prv_failure model_failure(const char *error) {
    static const char *const rejected[] = {"nsfw", "flagged as sensitive", "content policy", "safety", NULL};
    static const char *const bad_input[] = {"invalid input", "validation error", "cannot download", NULL};
    if (mentions(error, rejected)) {
        return prv_failure_make(PRV_CLASS(CONTENT_REJECTED), "content_rejected", "the model rejects the content: %s",
                                error);
    }
    if (mentions(error, bad_input)) {
        return prv_failure_make(PRV_CLASS(INVALID_INPUT), "bad_request", "the model does not accept the input: %s",
                                error);
    }
    return prv_failure_make(PRV_CLASS(INTERNAL), "prediction_failed", "the prediction failed: %s", error);
}

static void read_status(const json_t *object, struct prv_snapshot *snapshot) {
    static const char *const ends[] = {"fail", "error", "cancel", "expire", "reject", "abort", NULL};
    const char *status = text_of(object, "status");
    const char *error = text_of(object, "error");
    if (cs_str_eq(status, "succeeded")) {
        read_success(object, snapshot);
    } else if (cs_str_eq(status, "canceled")) {
        snapshot->kind = PRV_SNAPSHOT_FAILED;
        snapshot->failure =
            prv_failure_make(PRV_CLASS(INTERNAL), "canceled", "the prediction was cancelled at replicate");
    } else if (cs_str_eq(status, "aborted")) {
        snapshot->kind = PRV_SNAPSHOT_FAILED;
        snapshot->failure = prv_failure_make(PRV_CLASS(TIMEOUT), "provider_timeout", "replicate did not begin in time");
    } else if (cs_str_eq(status, "failed") || mentions(status, ends)) {
        snapshot->kind = PRV_SNAPSHOT_FAILED;
        snapshot->failure = model_failure(error[0] != '\0' ? error : status);
    } else if (status[0] != '\0') { /* an unknown word is no end */
        snapshot->kind = PRV_SNAPSHOT_RUNNING;
        snapshot->queued = cs_str_eq(status, "starting");
    }
}

static void polled(const struct prv_answer *answer, struct prv_snapshot *ret_snapshot) {
    *ret_snapshot = (struct prv_snapshot){.kind = PRV_SNAPSHOT_UNCLEAR};
    if (answer->status == 429) {
        return;
    }
    if (prv_status_is_refusal(answer->status)) {
        ret_snapshot->kind = PRV_SNAPSHOT_BARRED;
        ret_snapshot->failure = status_failure(answer);
        return;
    }
    CS_AUTO_JSON *object = parse(answer);
    if (answer->status == 200 && object != NULL) {
        read_status(object, ret_snapshot);
    }
}

/* ---- looking for an unclear submission ---- */

static int64_t unix_ms_of(const char *iso8601) {
    struct tm when = {0};
    const char *rest = strptime(iso8601, "%Y-%m-%dT%H:%M:%S", &when);
    return rest != NULL ? (int64_t)timegm(&when) * 1000 : 0;
}

static bool is_ours(const json_t *prediction, const char *model, const json_t *input, int64_t intent_unix_ms) {
    int64_t distance_ms = unix_ms_of(text_of(prediction, "created_at")) - intent_unix_ms;
    return distance_ms > -INTENT_WINDOW_MS && distance_ms < INTENT_WINDOW_MS &&
           cs_str_eq(text_of(prediction, "model"), model) &&
           json_equal(json_object_get(prediction, "input"), input) == 1;
}

static void found(const struct prv_job *job, const struct prv_answer *answer, struct prv_outcome *ret_outcome) {
    *ret_outcome = (struct prv_outcome){.kind = PRV_OUTCOME_UNCLEAR};
    if (answer->status == 401 || answer->status == 403) {
        ret_outcome->kind = PRV_OUTCOME_BARRED;
        ret_outcome->failure = status_failure(answer);
        return;
    }
    CS_AUTO_JSON *page = parse(answer);
    CS_AUTO_JSON *input = NULL;
    const json_t *results = json_object_get(page, "results");
    if (answer->status != 200 || !json_is_array(results) || prv_replicate_input(job, &input, NULL) != CS_OK) {
        return;
    }
    size_t matches = 0;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *prediction = json_array_get(results, i);
        matches +=
            is_ours(prediction, job->model, input, job->intent_unix_ms) && take_id(prediction, ret_outcome->id) ? 1 : 0;
    }
    if (matches <= 1) { /* several could be anybody's */
        ret_outcome->kind = matches == 1 ? PRV_OUTCOME_ACCEPTED : PRV_OUTCOME_ABSENT;
    }
}

const struct prv_adapter prv_adapter_replicate = {
    .name = "replicate",
    .reconcile = PRV_RECONCILE_LIST,
    .pace = {.first_ms = 2000, .middle_ms = 10000, .last_ms = 20000, .settle_ms = 45000},
    .models = prv_replicate_models,
    .model_count = PRV_REPLICATE_MODELS,
    .output_hosts = output_hosts,
    .submit = submit,
    .submitted = submitted,
    .poll = poll,
    .polled = polled,
    .cancel = cancel,
    .find = find,
    .found = found,
};
