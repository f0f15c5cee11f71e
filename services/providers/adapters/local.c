/*
 * local: previews rendered on this machine, by the vendor in vendor/. It is spoken to like any other provider:
 *
 *     POST /predictions            idempotency-key, body: the packed Operation → 201 (new) or 200 (known) {id, status}
 *     GET  /predictions/{id}       → {id, status, fraction, mediaTimeUs, mediaDurationUs, speed, error {class, code,
 * message}} POST /predictions/{id}/cancel
 */
#include "adapters/adapter.h"

#include <string.h>

#include "cs/base/text.h"
#include "cs/json.h"

static const char *const operations[] = {"generateVideo", "generateImage", "generateAudio", NULL};
static const struct prv_model models[] = {{"preview", operations}};

static enum cs_status submit(const struct prv_job *job, struct cs_arena *arena, struct prv_call *ret_call,
                             struct cs_err *err) {
    (void)err;
    size_t size = callsheet__v1__operation__get_packed_size(job->operation);
    uint8_t *body = cs_arena_alloc(arena, size + 1);
    (void)callsheet__v1__operation__pack(job->operation, body);
    *ret_call = (struct prv_call){.method = "POST", .path = "/predictions", .body = body, .body_size = size};
    ret_call->headers[ret_call->header_count++] = (struct cs_http_header){"idempotency-key", job->key};
    return CS_OK;
}

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static json_t *parse(const struct prv_answer *answer) {
    json_t *object = NULL;
    return cs_json_parse(answer->body, answer->body_size, &object, NULL) == CS_OK ? object : NULL;
}

static void submitted(const struct prv_answer *answer, struct prv_outcome *ret_outcome) {
    CS_AUTO_JSON *object = parse(answer);
    const char *id = text_of(object, "id");
    *ret_outcome = (struct prv_outcome){.kind = PRV_OUTCOME_UNCLEAR};
    if (answer->status == 201 || answer->status == 200) {
        if (id[0] != '\0' && strlen(id) < PRV_ID_SIZE) {
            ret_outcome->kind = PRV_OUTCOME_ACCEPTED;
            ret_outcome->fresh = answer->status == 201;
            cs_str_copy(ret_outcome->id, sizeof(ret_outcome->id), id);
        }
    } else if (prv_status_is_refusal(answer->status) || answer->status == 503) { /* 503: it says that it took nothing */
        ret_outcome->kind = PRV_OUTCOME_REFUSED;
        ret_outcome->failure =
            prv_failure_from_status("local", answer->status, text_of(object, "detail"), answer->retry_after_ms);
    }
}

static void poll(const char *id, struct cs_arena *arena, struct prv_call *ret_call) {
    *ret_call = (struct prv_call){.method = "GET", .path = cs_arena_sprintf(arena, "/predictions/%s", id)};
}

static void cancel(const char *id, struct cs_arena *arena, struct prv_call *ret_call) {
    *ret_call = (struct prv_call){.method = "POST", .path = cs_arena_sprintf(arena, "/predictions/%s/cancel", id)};
}

static struct prv_failure failure_of(const json_t *object) {
    const json_t *error = json_object_get(object, "error");
    json_int_t failure_class = json_integer_value(json_object_get(error, "class"));
    if (failure_class <= 0 || failure_class > PRV_CLASS(CANCELLED)) {
        failure_class = PRV_CLASS(INTERNAL);
    }
    const char *code = text_of(error, "code");
    return prv_failure_make((Callsheet__V1__FailureClass)failure_class, code[0] != '\0' ? code : "prediction_failed",
                            "%s", text_of(error, "message"));
}

static void fill_running(const json_t *object, struct prv_snapshot *snapshot) {
    snapshot->kind = PRV_SNAPSHOT_RUNNING;
    snapshot->queued = cs_str_eq(text_of(object, "status"), "starting");
    snapshot->fraction = json_number_value(json_object_get(object, "fraction"));
    snapshot->media_time_us = json_integer_value(json_object_get(object, "mediaTimeUs"));
    snapshot->media_duration_us = json_integer_value(json_object_get(object, "mediaDurationUs"));
    snapshot->speed = json_number_value(json_object_get(object, "speed"));
}

static void polled(const struct prv_answer *answer, struct prv_snapshot *ret_snapshot) {
    CS_AUTO_JSON *object = parse(answer);
    const char *status = text_of(object, "status");
    *ret_snapshot = (struct prv_snapshot){.kind = PRV_SNAPSHOT_UNCLEAR};
    if (answer->status == 404) {
        ret_snapshot->kind = PRV_SNAPSHOT_BARRED;
        ret_snapshot->failure = prv_failure_make(PRV_CLASS(INTERNAL), "prediction_lost",
                                                 "the ledger of this machine does not know the prediction");
    } else if (cs_str_eq(status, "starting") || cs_str_eq(status, "processing")) {
        fill_running(object, ret_snapshot);
    } else if (cs_str_eq(status, "succeeded")) {
        ret_snapshot->kind = PRV_SNAPSHOT_DONE;
    } else if (cs_str_eq(status, "failed")) {
        ret_snapshot->kind = PRV_SNAPSHOT_FAILED;
        ret_snapshot->failure = failure_of(object);
    } else if (cs_str_eq(status, "canceled")) {
        ret_snapshot->kind = PRV_SNAPSHOT_FAILED;
        ret_snapshot->failure = prv_failure_make(PRV_CLASS(TRANSIENT), "canceled", "the prediction was cancelled");
    }
}

const struct prv_adapter prv_adapter_local = {
    .name = "local",
    .preview = true,
    .takes_files = true,
    .reconcile = PRV_RECONCILE_KEY,
    .pace = {.first_ms = 50, .middle_ms = 400, .last_ms = 1000, .settle_ms = 1000},
    .models = models,
    .model_count = CS_COUNT(models),
    .submit = submit,
    .submitted = submitted,
    .poll = poll,
    .polled = polled,
    .cancel = cancel,
};
