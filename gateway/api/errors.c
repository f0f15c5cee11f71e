#include "api/errors.h"

#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"

#define SET(object, name, value) ((void)json_object_set_new(object, name, value))

enum { RETRY_AFTER_DEFAULT_MS = 1000 };

static const struct {
    enum cs_status status;
    unsigned http;
    const char *error; /* NULL: the message itself */
} table[] = {
    {CS_CANCELLED, 503, "Service unavailable"},
    {CS_UNKNOWN, 500, "Internal server error"},
    {CS_INVALID_ARGUMENT, 400, "Validation failed"},
    {CS_DEADLINE_EXCEEDED, 504, "Timeout"},
    {CS_NOT_FOUND, 404, NULL},
    {CS_ALREADY_EXISTS, 409, NULL},
    {CS_PERMISSION_DENIED, 403, "Forbidden"},
    {CS_RESOURCE_EXHAUSTED, 429, "Rate limit exceeded"},
    {CS_FAILED_PRECONDITION, 409, NULL},
    {CS_ABORTED, 503, "Service unavailable"},
    {CS_OUT_OF_RANGE, 400, "Validation failed"},
    {CS_UNIMPLEMENTED, 501, "Not implemented"},
    {CS_INTERNAL, 500, "Internal server error"},
    {CS_UNAVAILABLE, 503, "Service unavailable"},
    {CS_DATA_LOSS, 500, "Internal server error"},
    {CS_UNAUTHENTICATED, 401, "Unauthorized"},
};

/* Reasons of our own whose HTTP status says more than their cs_status. */
static const struct {
    const char *reason;
    unsigned http;
    const char *error; /* NULL: the message itself */
} reasons[] = {
    {"too_big", 413, "Payload too large"},
    {"target_too_long", 414, "URI too long"},
    {"bad_media_type", 415, "Unsupported media type"},
    {"bad_range", 416, "Range not satisfiable"},
    {"method_not_allowed", 405, "Method not allowed"},
    {"bad_framing", 400, "Bad request"},
    {"bad_target", 400, "Bad request"},
    {GW_EXECUTION_FAILED, 500, "Execution failed"},
};

struct mapping {
    unsigned http;
    const char *error;
};

static struct mapping map(const struct cs_err *err) {
    bool whole = err->path[0] == '\0'; /* "too_big" of a field is not the body's */
    for (size_t i = 0; i < CS_COUNT(reasons); i++) {
        if (whole && strcmp(reasons[i].reason, err->reason) == 0) {
            return (struct mapping){reasons[i].http, reasons[i].error};
        }
    }
    for (size_t i = 0; i < CS_COUNT(table); i++) {
        if (table[i].status == err->status) {
            return (struct mapping){table[i].http, table[i].error != NULL ? table[i].error : err->message};
        }
    }
    return (struct mapping){500, "Internal server error"};
}

unsigned gw_error_http_status(const struct cs_err *err) {
    return map(err).http;
}

/* Splits "a.b[2].c" into names; false at the end. */
static bool next_part(const char **path, char *ret_part, size_t capacity) {
    const char *at = *path + strspn(*path, ".[]");
    size_t length = strcspn(at, ".[]");
    if (length == 0 || length >= capacity) {
        return false;
    }
    memcpy(ret_part, at, length);
    ret_part[length] = '\0';
    *path = at + length;
    return true;
}

/* {"a": {"b": {"2": {"_errors": ["…"]}}}}, as form libraries want it. */
static json_t *details_of(const char *path, const char *message) {
    char part[CS_ERR_PATH_MAX];
    if (!next_part(&path, part, sizeof(part))) {
        return json_pack("{s:[s]}", "_errors", message);
    }
    json_t *tree = json_object();
    SET(tree, part, details_of(path, message));
    return tree;
}

static int64_t retry_after_s(const struct cs_err *err) {
    const int64_t ms = err->retry_after_ms > 0 ? err->retry_after_ms : RETRY_AFTER_DEFAULT_MS;
    return (ms - 1) / 1000 + 1;
}

json_t *gw_error_body(const struct cs_err *err, const char *request_id) {
    const struct mapping mapping = map(err);
    bool inside = mapping.http == 500;
    json_t *body = json_object();
    SET(body, "error", json_string(mapping.error));
    SET(body, "message",
        json_string(inside ? "something went wrong here; the request id helps to find it" : err->message));
    SET(body, "code", json_string(inside ? "internal" : err->reason));
    if (err->path[0] != '\0' && !inside) {
        SET(body, "path", json_string(err->path));
    }
    if (mapping.http == 400) {
        SET(body, "details", details_of(err->path, err->message));
    } else if (cs_str_eq(err->reason, GW_EXECUTION_FAILED)) {
        SET(body, "details", json_incref(json_object_get(body, "message")));
    }
    if (mapping.http == 429) {
        SET(body, "retryAfter", json_integer(retry_after_s(err)));
    }
    SET(body, "requestId", json_string(request_id));
    return body;
}

static void put_retry_after(struct gw_request *request, const struct cs_err *err) {
    char text[24];
    (void)snprintf(text, sizeof(text), "%lld", (long long)retry_after_s(err));
    gw_answer_header(request, "Retry-After", text);
}

void gw_answer_error(struct gw_request *request, const struct cs_err *err) {
    unsigned http = gw_error_http_status(err);
    if (http == 429 || http == 503) {
        put_retry_after(request, err);
    } else if (http == 401) {
        gw_answer_header(request, "WWW-Authenticate", "Bearer");
    }
    gw_answer_header(request, "Cache-Control", "no-store");
    gw_answer_json(request, http, gw_error_body(err, gw_request_id(request)));
}

/* What the orchestrator lacks is not what the client has had too much of. */
static bool is_shortage_inside(const struct cs_err *err) {
    return err->status == CS_RESOURCE_EXHAUSTED &&
           (cs_str_eq(err->reason, "disk_full") || cs_str_starts(err->reason, "database_"));
}

/* The execution is there, or is not to be spoken of; or it is another one that is not. */
static bool names_a_part(const struct cs_err *err) {
    return cs_str_eq(err->reason, "base_not_found") || cs_str_eq(err->reason, "no_such_job") ||
           cs_str_eq(err->reason, "no_such_work");
}

struct cs_err gw_error_of_call(const struct cs_err *err) {
    struct cs_err told = *err;
    const char *sentence = NULL;
    if (err->status == CS_UNAUTHENTICATED || err->status == CS_PERMISSION_DENIED) {
        told.status = CS_INTERNAL;
    } else if (err->status == CS_NOT_FOUND && !names_a_part(err)) {
        sentence = "Execution not found";
    } else if (is_shortage_inside(err)) {
        told.status = CS_UNAVAILABLE;
    }
    const unsigned http = gw_error_http_status(&told);
    if (http == 503 || http == 504) { /* the sentence may say where the orchestrator or its database is */
        sentence = http == 503 ? "the service cannot do this now; try again" : "the service did not answer in time";
    }
    if (sentence != NULL) {
        cs_str_copy(told.message, sizeof(told.message), sentence);
    }
    return told;
}
