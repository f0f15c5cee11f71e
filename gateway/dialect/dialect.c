#include "dialect/dialect.h"

#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "dialect/reader.h"

/* A target that may be written in several places; all that are given must agree. */
struct webhook {
    char *url;
    char *secret;
    const char *url_path;
    const char *secret_path;
};

static enum cs_status set_text(char **text, const char **text_path, const json_t *value, const char *path,
                               struct cs_arena *arena, struct cs_err *err) {
    char *read = NULL;
    CS_TRY(read_text(value, path, arena, &read, err));
    if (read == NULL) {
        return CS_OK;
    }
    if (*text != NULL && strcmp(*text, read) != 0) {
        return cs_fail_at(err, path, "one_of", "%s and %s say different things", *text_path, path);
    }
    *text = read;
    *text_path = path;
    return CS_OK;
}

/* A URL, or {url, secret}. */
static enum cs_status read_webhook(struct webhook *webhook, const json_t *value, const char *path,
                                   struct cs_arena *arena, struct cs_err *err) {
    static const char *const known[] = {"url", "secret", NULL};
    if (value == NULL || json_is_string(value)) {
        return set_text(&webhook->url, &webhook->url_path, value, path, arena, err);
    }
    if (!json_is_object(value)) {
        return cs_fail_at(err, path, "wrong_type", "%s must be a URL or an object {url, secret}", path);
    }
    CS_TRY(need_only(value, path, known, arena, err));
    CS_TRY(
        set_text(&webhook->url, &webhook->url_path, member(value, "url"), path_member(arena, path, "url"), arena, err));
    return set_text(&webhook->secret, &webhook->secret_path, member(value, "secret"),
                    path_member(arena, path, "secret"), arena, err);
}

static enum cs_status finish_webhook(const struct webhook *webhook, struct gw_submission *submission,
                                     struct cs_arena *arena, struct cs_err *err) {
    if (webhook->url == NULL) {
        return webhook->secret == NULL
                   ? CS_OK
                   : cs_fail_at(err, webhook->secret_path, "required", "a webhook's secret needs a webhook's URL");
    }
    if (!cs_web_url_valid(webhook->url)) {
        return cs_fail_at(err, webhook->url_path, "bad_url", "%s must be an http or https URL of at most %d bytes",
                          webhook->url_path, CS_URL_BYTES_MAX);
    }
    if (webhook->secret != NULL && strlen(webhook->secret) > GW_WEBHOOK_SECRET_BYTES_MAX) {
        return cs_fail_at(err, webhook->secret_path, "too_long", "%s has at most %d bytes", webhook->secret_path,
                          GW_WEBHOOK_SECRET_BYTES_MAX);
    }
    Callsheet__V1__WebhookTarget *target = cs_arena_alloc(arena, sizeof(*target));
    callsheet__v1__webhook_target__init(target);
    target->url = webhook->url;
    gw_paths_add(submission->paths, "webhook", webhook->url_path);
    gw_paths_add(submission->paths, "webhook.url", webhook->url_path);
    if (webhook->secret != NULL) {
        target->secret = webhook->secret;
        gw_paths_add(submission->paths, "webhook.secret", webhook->secret_path);
    }
    submission->request->webhook = target;
    return CS_OK;
}

/* ---- the execution that it builds on ---- */

/* May be written in several places, which must agree. */
static enum cs_status read_base(const json_t *object, const char *path, struct gw_submission *submission,
                                struct cs_arena *arena, struct cs_err *err) {
    Callsheet__V1__CreateExecutionRequest *request = submission->request;
    char *base = NULL;
    const char *at = path_member(arena, path, "baseExecutionId");
    CS_TRY(read_text(member(object, "baseExecutionId"), at, arena, &base, err));
    if (cs_str_empty(base)) {
        return CS_OK;
    }
    if (!cs_str_empty(request->base_execution_id) && strcmp(request->base_execution_id, base) != 0) {
        return cs_fail_at(err, at, "one_of", "two different base executions are given");
    }
    request->base_execution_id = base;
    gw_paths_add(submission->paths, "baseExecutionId", at);
    return CS_OK;
}

/* ---- what the SDKs can ask for and the engine cannot do yet ---- */

static enum cs_status refuse_keys(const json_t *object, const char *path, struct cs_arena *arena, struct cs_err *err) {
    const json_t *keys = member(object, "providerApiKeys");
    const char *at = path_member(arena, path, "providerApiKeys");
    const char *name = NULL;
    json_t *key = NULL;
    if (keys == NULL) {
        return CS_OK;
    }
    CS_TRY(need_object(keys, at, err));
    json_object_foreach((json_t *)keys, name, key) {
        if (!json_is_null(key) && !(json_is_string(key) && json_string_length(key) == 0)) {
            return fail_unsupported(path_member(arena, at, name), err,
                                    "keys of providers come from the configuration of the service, not from plans");
        }
    }
    return CS_OK;
}

/* ---- parts of bodies ---- */

static enum cs_status read_options(const json_t *body, struct webhook *webhook, struct gw_submission *submission,
                                   struct cs_arena *arena, struct cs_err *err) {
    static const char *const known[] = {"baseExecutionId", "webhookUrl",      "webhookSecret",
                                        "webhook",         "providerApiKeys", NULL};
    const json_t *options = member(body, "options");
    if (options == NULL) {
        return CS_OK;
    }
    CS_TRY(need_object(options, "options", err));
    CS_TRY(need_only(options, "options", known, arena, err));
    CS_TRY(read_base(options, "options", submission, arena, err));
    CS_TRY(refuse_keys(options, "options", arena, err));
    CS_TRY(
        set_text(&webhook->url, &webhook->url_path, member(options, "webhookUrl"), "options.webhookUrl", arena, err));
    CS_TRY(set_text(&webhook->secret, &webhook->secret_path, member(options, "webhookSecret"), "options.webhookSecret",
                    arena, err));
    return read_webhook(webhook, member(options, "webhook"), "options.webhook", arena, err);
}

/* {jobs, rootJobIds, priority, onFailure, cache, intermediates} at path ("" for a flat body). */
static enum cs_status read_plan(const json_t *plan, const char *path, struct gw_submission *submission,
                                struct cs_arena *arena, struct cs_err *err) {
    Callsheet__V1__Plan *read = submission->request->plan;
    const char *jobs_path = path_member(arena, path, "jobs");
    const char *roots_path = path_member(arena, path, "rootJobIds");
    gw_paths_add(submission->paths, "jobs", jobs_path);
    gw_paths_add(submission->paths, "rootJobIds", roots_path);
    gw_paths_add(submission->paths, "priority", path_member(arena, path, "priority"));
    CS_TRY(read_priority(plan, path, arena, &read->priority, err));
    CS_TRY(read_plan_failure(plan, path, submission, arena, err));
    CS_TRY(read_plan_cache(plan, path, submission, arena, err));
    gw_paths_add(submission->paths, "requiresApproval", path_member(arena, path, "requiresApproval"));
    CS_TRY(read_approval(plan, path, arena, &submission->request->requires_approval, err));
    CS_TRY(read_jobs(member(plan, "jobs"), jobs_path, submission, arena, err));
    if (read->n_jobs == 0 && submission->dialect != GW_DIALECT_PLAN) {
        return cs_fail_at(err, jobs_path, "no_jobs", "ExecutionPlan must contain at least one job");
    }
    return read_texts(member(plan, "rootJobIds"), roots_path, arena, &read->root_job_ids, &read->n_root_job_ids, err);
}

static enum cs_status read_labels(const json_t *labels, struct gw_submission *submission, struct cs_arena *arena,
                                  struct cs_err *err) {
    Callsheet__V1__CreateExecutionRequest *request = submission->request;
    const char *name = NULL;
    json_t *value = NULL;
    size_t bytes = 0;
    if (labels == NULL) {
        return CS_OK;
    }
    CS_TRY(need_object(labels, "labels", err));
    request->labels = cs_arena_array(arena, json_object_size(labels), sizeof(Callsheet__V1__Label *));
    json_object_foreach((json_t *)labels, name, value) {
        const char *path = path_member(arena, "labels", name);
        Callsheet__V1__Label *label = cs_arena_alloc(arena, sizeof(*label));
        callsheet__v1__label__init(label);
        if (!json_is_string(value)) {
            return cs_fail_at(err, path, "wrong_type", "%s must be a string", path);
        }
        bytes += strlen(name) + json_string_length(value);
        if (bytes > GW_LABELS_BYTES_MAX) {
            return cs_fail_at(err, "labels", "too_big", "labels have at most %d bytes in all", GW_LABELS_BYTES_MAX);
        }
        const char *native = path_element(arena, "labels", request->n_labels);
        gw_paths_add(submission->paths, path_member(arena, native, "key"), path);
        gw_paths_add(submission->paths, path_member(arena, native, "value"), path);
        label->key = cs_arena_strdup(arena, name);
        label->value = cs_arena_strdup(arena, json_string_value(value));
        request->labels[request->n_labels++] = label;
    }
    return CS_OK;
}

/* ---- bodies ---- */

static enum cs_status read_plan_body(const json_t *body, struct gw_submission *submission, struct cs_arena *arena,
                                     struct cs_err *err) {
    static const char *const known[] = {"executionPlan", "options", "webhook", NULL};
    static const char *const plan_known[] = {"jobs",  "rootJobIds",       "priority",        "onFailure",
                                             "cache", "requiresApproval", "baseExecutionId", "intermediates",
                                             NULL};
    const json_t *plan = member(body, "executionPlan");
    struct webhook webhook = {0};
    CS_TRY(need_only(body, "", known, arena, err));
    CS_TRY(need_object(plan, "executionPlan", err));
    CS_TRY(need_only(plan, "executionPlan", plan_known, arena, err));
    CS_TRY(read_base(plan, "executionPlan", submission, arena, err));
    CS_TRY(read_options(body, &webhook, submission, arena, err));
    CS_TRY(read_webhook(&webhook, member(body, "webhook"), "webhook", arena, err));
    CS_TRY(finish_webhook(&webhook, submission, arena, err));
    return read_plan(plan, "executionPlan", submission, arena, err);
}

static enum cs_status read_flat_body(const json_t *body, struct gw_submission *submission, struct cs_arena *arena,
                                     struct cs_err *err) {
    static const char *const known[] = {"jobs",
                                        "rootJobIds",
                                        "priority",
                                        "onFailure",
                                        "cache",
                                        "requiresApproval",
                                        "baseExecutionId",
                                        "webhook",
                                        "webhookSecret",
                                        "providerApiKeys",
                                        "options",
                                        "intermediates",
                                        NULL};
    struct webhook webhook = {0};
    CS_TRY(need_only(body, "", known, arena, err));
    CS_TRY(read_base(body, "", submission, arena, err));
    CS_TRY(refuse_keys(body, "", arena, err));
    CS_TRY(read_options(body, &webhook, submission, arena, err));
    CS_TRY(read_webhook(&webhook, member(body, "webhook"), "webhook", arena, err));
    CS_TRY(set_text(&webhook.secret, &webhook.secret_path, member(body, "webhookSecret"), "webhookSecret", arena, err));
    CS_TRY(finish_webhook(&webhook, submission, arena, err));
    return read_plan(body, "", submission, arena, err);
}

static enum cs_status read_timeout(const json_t *value, int64_t *ret_timeout_ms, struct cs_err *err) {
    if (value != NULL && (!json_is_integer(value) || json_integer_value(value) < 0)) {
        return cs_fail_at(err, "timeoutMs", json_is_number(value) ? "out_of_range" : "wrong_type",
                          "timeoutMs must be a whole number of milliseconds");
    }
    *ret_timeout_ms = json_integer_value(value);
    return CS_OK;
}

static enum cs_status read_native_body(const json_t *body, struct gw_submission *submission, struct cs_arena *arena,
                                       struct cs_err *err) {
    static const char *const known[] = {"plan",           "webhook",          "timeoutMs",       "labels",
                                        "idempotencyKey", "requiresApproval", "baseExecutionId", NULL};
    static const char *const plan_known[] = {"jobs",  "rootJobIds",       "priority",      "onFailure",
                                             "cache", "requiresApproval", "intermediates", NULL};
    Callsheet__V1__CreateExecutionRequest *request = submission->request;
    const json_t *plan = member(body, "plan");
    struct webhook webhook = {0};
    char *key = NULL;
    CS_TRY(need_only(body, "", known, arena, err));
    CS_TRY(need_object(plan, "plan", err));
    CS_TRY(need_only(plan, "plan", plan_known, arena, err));
    CS_TRY(read_base(body, "", submission, arena, err));
    CS_TRY(read_webhook(&webhook, member(body, "webhook"), "webhook", arena, err));
    CS_TRY(finish_webhook(&webhook, submission, arena, err));
    CS_TRY(read_timeout(member(body, "timeoutMs"), &request->timeout_ms, err));
    CS_TRY(read_labels(member(body, "labels"), submission, arena, err));
    CS_TRY(read_approval(body, "", arena, &request->requires_approval, err));
    CS_TRY(read_text(member(body, "idempotencyKey"), "idempotencyKey", arena, &key, err));
    if (key != NULL) {
        request->idempotency_key = key;
    }
    return read_plan(plan, "plan", submission, arena, err);
}

enum cs_status gw_dialect_read(const json_t *body, struct cs_arena *arena, struct gw_submission *ret_submission,
                               struct cs_err *err) {
    struct gw_submission read = {.paths = gw_paths_create(arena)};
    CS_TRY(need_object(body, "", err));
    read.request = cs_arena_alloc(arena, sizeof(*read.request));
    callsheet__v1__create_execution_request__init(read.request);
    read.request->plan = cs_arena_alloc(arena, sizeof(*read.request->plan));
    callsheet__v1__plan__init(read.request->plan);
    if (json_object_get(body, "executionPlan") != NULL) {
        read.dialect = GW_DIALECT_PLAN;
        CS_TRY(read_plan_body(body, &read, arena, err));
    } else if (json_object_get(body, "plan") != NULL) {
        read.dialect = GW_DIALECT_NATIVE;
        CS_TRY(read_native_body(body, &read, arena, err));
    } else if (json_object_get(body, "jobs") != NULL) {
        read.dialect = GW_DIALECT_FLAT;
        CS_TRY(read_flat_body(body, &read, arena, err));
    } else {
        return cs_fail_at(err, "executionPlan", "required",
                          "the body needs an executionPlan (or jobs, or a plan of the native form)");
    }
    *ret_submission = read;
    return CS_OK;
}
