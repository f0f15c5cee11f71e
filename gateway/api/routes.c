#include <string.h>
#include <strings.h>

#include "api/api.h"
#include "api/errors.h"
#include "api/events.h"
#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "cs/crypto.h"
#include "cs/link.h"

struct route {
    const char *method;
    const char *pattern; /* a "*" stands for a segment, at the end of /artifacts/ for all the rest */
    void (*handle)(struct gw_api *api, struct gw_request *request, const char *arg);
    bool open;  /* needs no key */
    bool quiet; /* logged at debug only */
};

static const struct route routes[] = {
    {"POST", "/api/execute", gw_handle_create, false, false},
    {"GET", "/api/execute/*/status", gw_handle_status, false, false},
    {"GET", "/api/executions", gw_handle_dashboard, false, false},
    {"POST", "/v1/executions", gw_handle_create, false, false},
    {"GET", "/v1/executions", gw_handle_list, false, false},
    {"GET", "/v1/executions/*", gw_handle_get, false, false},
    {"GET", "/v1/executions/*/events", gw_handle_events, false, false},
    {"POST", "/v1/executions/*/cancel", gw_handle_cancel, false, false},
    {"POST", "/v1/executions/*/retry", gw_handle_retry, false, false},
    {"POST", "/v1/executions/*/rerun", gw_handle_rerun, false, false},
    {"POST", "/api/execute/*/retry", gw_handle_retry, false, false},
    {"DELETE", "/v1/executions/*/cache", gw_handle_invalidate, false, false},
    {"DELETE", "/api/execute/*/cache", gw_handle_invalidate, false, false},
    {"POST", "/v1/executions/*/approve", gw_handle_approve, false, false},
    {"POST", "/v1/executions/*/reject", gw_handle_reject, false, false},
    {"GET", "/api/v3/jobs/*", gw_handle_elix_job, false, false},
    {"GET", "/api/v3/jobs/*/scenes", gw_handle_scenes, false, false},
    {"GET", "/api/v3/jobs/*/scenes/*", gw_handle_scene, false, false},
    {"PUT", "/api/v3/jobs/*/scenes/*", gw_handle_scene_update, false, false},
    {"DELETE", "/api/v3/jobs/*/scenes/*", gw_handle_scene_delete, false, false},
    {"POST", "/api/v3/jobs/*/scenes/*/regenerate", gw_handle_scene_regenerate, false, false},
    {"POST", "/api/v3/jobs/*/approve", gw_handle_elix_approve, false, false},
    {"POST", "/v1/external/complete", gw_handle_external_complete, true, false}, /* the token of the work is the key */
    {"POST", "/v1/external/fail", gw_handle_external_fail, true, false},
    {"POST", "/v1/external/heartbeat", gw_handle_external_heartbeat, true, false},
    {"POST", "/v1/executions/*/jobs", gw_handle_append, false, false},
    {"PATCH", "/v1/executions/*/jobs/*", gw_handle_edit_job, false, false},
    {"DELETE", "/v1/executions/*/jobs/*", gw_handle_remove_job, false, false},
    {"POST", "/v1/runs", gw_handle_run_start, false, false},
    {"GET", "/v1/runs", gw_handle_run_list, false, false},
    {"GET", "/v1/runs/*", gw_handle_run_get, false, false},
    {"POST", "/v1/runs/*/heartbeat", gw_handle_run_heartbeat, false, false},
    {"POST", "/v1/runs/*/complete", gw_handle_run_complete, false, false},
    {"GET", "/v1/pipelines", gw_handle_pipeline_list, false, false},
    {"GET", "/v1/pipelines/*", gw_handle_pipeline_get, false, false},
    {"PUT", "/v1/pipelines/*", gw_handle_pipeline_put, false, false},
    {"POST", "/v1/pipelines/*/runs", gw_handle_pipeline_run, false, false},
    {"GET", "/artifacts/*", gw_handle_artifact, true, false}, /* checks links and keys itself */
    {"GET", "/openapi.json", gw_handle_openapi, true, true},
    {"GET", "/api/openapi.json", gw_handle_openapi, true, true},
    {"GET", "/swaggerui", gw_handle_swagger_ui, true, true},
    {"GET", "/health", gw_handle_health, true, true},
    {"GET", "/health/live", gw_handle_live, true, true},
    {"GET", "/metrics", gw_handle_metrics, true, true},
};

bool gw_api_route_at(size_t index, const char **ret_method, const char **ret_pattern, bool *ret_open) {
    if (index >= CS_COUNT(routes)) {
        return false;
    }
    *ret_method = routes[index].method;
    *ret_pattern = routes[index].pattern;
    *ret_open = routes[index].open;
    return true;
}

/* A second "*" behind what the first one stands for; *length grows to the end of that, as in "ID/jobs/JOB". */
static bool fits_twice(const char *tail, const char *arg, size_t *length) {
    const char *star = strchr(tail, '*');
    size_t middle = star != NULL ? (size_t)(star - tail) : 0;
    if (star == NULL || strncmp(arg + *length, tail, middle) != 0) {
        return false;
    }
    size_t second = strcspn(arg + *length + middle, "/");
    bool fit = second != 0 && strcmp(arg + *length + middle + second, star + 1) == 0;
    *length += middle + second;
    return fit;
}

/* Whether path fits; *ret_arg is what the "*" stands for (in path); with two of them, all from the first to the last.
 */
static bool fits(const char *pattern, const char *path, const char **ret_arg, size_t *ret_length) {
    const char *star = strchr(pattern, '*');
    if (star == NULL) {
        return strcmp(pattern, path) == 0;
    }
    size_t head = (size_t)(star - pattern);
    const char *tail = star + 1;
    if (strncmp(pattern, path, head) != 0) {
        return false;
    }
    const char *arg = path + head;
    bool is_rest = tail[0] == '\0' && strcmp(pattern, "/artifacts/*") == 0;
    size_t length = is_rest ? strlen(arg) : strcspn(arg, "/");
    bool is_twice = strchr(tail, '*') != NULL; /* then a "*" in the path is a segment like any other */
    bool fit = length != 0 && (is_twice ? fits_twice(tail, arg, &length) : strcmp(arg + length, tail) == 0);
    *ret_arg = arg;
    *ret_length = length;
    return fit;
}

static bool method_fits(const struct route *route, const char *method) {
    bool head = strcmp(method, "HEAD") == 0 && route->handle != gw_handle_events;
    return strcmp(route->method, method) == 0 || (head && strcmp(route->method, "GET") == 0);
}

struct found {
    const struct route *route; /* NULL: none */
    const char *arg;
    bool has_get;
    char allowed[64]; /* methods of this path */
};

static struct found find_route(struct gw_request *request) {
    struct found found = {.arg = ""};
    size_t used = 0;
    for (size_t i = 0; i < CS_COUNT(routes); i++) {
        const char *arg = "";
        size_t length = 0;
        if (!fits(routes[i].pattern, gw_request_path(request), &arg, &length)) {
            continue;
        }
        bool get = strcmp(routes[i].method, "GET") == 0;
        const char *head = get && routes[i].handle != gw_handle_events ? ", HEAD" : "";
        int written = snprintf(found.allowed + used, sizeof(found.allowed) - used, "%s%s%s", used != 0 ? ", " : "",
                               routes[i].method, head);
        used += written > 0 ? (size_t)written : 0;
        found.has_get = found.has_get || get;
        if (method_fits(&routes[i], gw_request_method(request))) {
            found.route = &routes[i];
            found.arg = cs_arena_strndup(gw_request_arena(request), arg, length);
        }
    }
    return found;
}

/* ---- checks ahead of the body ---- */

/* A body without a type is refused too: a browser lets any page send such a one, without asking us first. */
static enum cs_status check_media_type(const struct gw_request *request, struct cs_err *err) {
    static const char json[] = "application/json";
    const char *type = gw_request_header(request, "Content-Type");
    const char *coding = gw_request_header(request, "Content-Encoding");
    if (coding != NULL && strcasecmp(coding, "identity") != 0) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_media_type", "bodies with a Content-Encoding are not read");
    }
    size_t length = strlen(json);
    if (type == NULL || (strncasecmp(type, json, length) != 0 || strchr("; \t", type[length]) == NULL)) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_media_type", "the body must be application/json");
    }
    return CS_OK;
}

static void put_cors(struct gw_api *api, struct gw_request *request, const struct found *found) {
    if (api->cors_origin[0] != '\0' && found->has_get) {
        gw_answer_header(request, "Access-Control-Allow-Origin", api->cors_origin);
        gw_answer_header(request, "Access-Control-Expose-Headers",
                         "X-Request-Id, ETag, Accept-Ranges, Content-Length, Content-Range, Retry-After");
        gw_answer_header(request, "Vary", "Origin");
    }
}

/* The question of a browser ahead of a GET with a key or a range. */
static bool answer_preflight(struct gw_api *api, struct gw_request *request, const struct found *found) {
    if (strcmp(gw_request_method(request), "OPTIONS") != 0 || api->cors_origin[0] == '\0' || !found->has_get) {
        return false;
    }
    gw_answer_header(request, "Access-Control-Allow-Methods", "GET, HEAD");
    gw_answer_header(request, "Access-Control-Allow-Headers",
                     "Authorization, X-Api-Key, Range, If-Range, If-None-Match, Last-Event-ID");
    gw_answer_header(request, "Access-Control-Max-Age", "600");
    gw_answer_empty(request, 204);
    return true;
}

static void answer_no_route(struct gw_request *request, const struct found *found) {
    struct cs_err err = {0};
    if (found->allowed[0] == '\0') {
        (void)cs_fail(&err, CS_NOT_FOUND, "no_such_route", "Not found");
    } else {
        gw_answer_header(request, "Allow", found->allowed);
        (void)cs_fail(&err, CS_UNIMPLEMENTED, "method_not_allowed", "this path allows %s", found->allowed);
    }
    gw_answer_error(request, &err);
}

/* Of a request with a good key (or where none is needed): one bucket for each key, or for each address. Guesses of keys
 * count for their address. Answers 429 and gives false when there is nothing left. */
static bool take_turn(struct gw_api *api, struct gw_request *request, const char *key) {
    unsigned char who[1 + CS_SHA256_BYTES] = {key != NULL ? 'k' : 'a'};
    size_t size = 1 + (key != NULL ? CS_SHA256_BYTES : GW_ADDRESS_BYTES);
    char number[24];
    struct cs_err err = {0};
    if (key != NULL) {
        cs_sha256_of(key, strlen(key), who + 1);
    } else {
        gw_address_network(gw_request_client(request), who + 1);
    }
    struct gw_rate_verdict verdict = gw_rate_take(api->rate, who, size, cs_clock_mono_ns());
    (void)snprintf(number, sizeof(number), "%lld", (long long)verdict.limit);
    gw_answer_header(request, "X-RateLimit-Limit", number);
    (void)snprintf(number, sizeof(number), "%lld", (long long)verdict.remaining);
    gw_answer_header(request, "X-RateLimit-Remaining", number);
    if (!verdict.allowed) {
        (void)cs_fail(&err, CS_RESOURCE_EXHAUSTED, "rate_limited",
                      "%lld requests are allowed in this time; wait a moment", (long long)verdict.limit);
        err.retry_after_ms = verdict.retry_after_ms;
        gw_answer_error(request, &err);
    }
    return verdict.allowed;
}

/* Whether a request to a route that is not open may go on; otherwise it is answered. */
static bool admit(struct gw_api *api, struct gw_request *request) {
    struct cs_err err = {0};
    const char *authorization = gw_request_header(request, "Authorization");
    const char *api_key = gw_request_header(request, "X-Api-Key");
    const char *tenant = NULL;
    bool known = gw_auth_tenant(api->auth, authorization, api_key, &tenant, &err) == CS_OK;
    const char *key = known && gw_auth_has_keys(api->auth) ? gw_auth_key(authorization, api_key) : NULL;
    if (api->rate != NULL && !take_turn(api, request, key)) {
        return false;
    }
    if (!known) {
        gw_answer_error(request, &err);
        return false;
    }
    gw_request_set_tenant(request, tenant);
    return true;
}

static void on_arrived(struct gw_request *request, void *ctx) {
    struct gw_api *api = ctx;
    struct cs_err err = {0};
    struct found *found = cs_arena_alloc(gw_request_arena(request), sizeof(*found));
    *found = find_route(request);
    gw_request_set_client(request, gw_proxies_client(api->proxies, gw_request_client(request),
                                                     gw_request_header_list(request, "X-Forwarded-For"),
                                                     gw_request_arena(request)));
    put_cors(api, request, found);
    if (found->route == NULL) {
        if (!answer_preflight(api, request, found)) {
            answer_no_route(request, found);
        }
        return;
    }
    gw_request_set_user(request, found);
    gw_request_set_route(request, found->route->pattern);
    if (!found->route->open && !admit(api, request)) {
        return;
    }
    if (gw_request_has_body(request) && check_media_type(request, &err) != CS_OK) {
        gw_answer_error(request, &err);
    }
}

static void on_complete(struct gw_request *request, void *ctx) {
    const struct found *found = gw_request_user(request);
    found->route->handle(ctx, request, found->arg);
}

static void on_refused(struct gw_request *request, const struct cs_err *err, __attribute__((unused)) void *ctx) {
    gw_answer_error(request, err);
}

/* Without what a folder's link is signed with. */
static const char *path_without_secrets(struct gw_request *request) {
    static const char artifacts[] = "/artifacts/";
    const char *path = gw_request_path(request);
    const char *key = cs_str_starts(path, artifacts) ? cs_link_folder_key(path + strlen(artifacts)) : NULL;
    return key != NULL ? cs_arena_sprintf(gw_request_arena(request), "%s@/%s", artifacts, key) : path;
}

/* One line per request; the query is left out, for links carry their signature there. */
static void on_finished(struct gw_request *request, void *ctx) {
    struct gw_api *api = ctx;
    const struct found *found = gw_request_user(request);
    char trace_id[CS_TRACE_ID_HEX_SIZE];
    const int64_t duration_ns = gw_request_duration_ns(request);
    cs_trace_id_hex(gw_request_trace(request), trace_id);
    gw_metrics_request(api->metrics, gw_request_route(request), gw_request_method(request), gw_request_status(request),
                       duration_ns);
    const struct cs_kv pairs[] = {
        CS_KV("method", gw_request_method(request)),
        CS_KV("path", path_without_secrets(request)),
        CS_KVI("status", gw_request_status(request)),
        CS_KVF("ms", (double)duration_ns / 1e6),
        CS_KVI("bytes", gw_request_answer_bytes(request)),
        CS_KV("client", gw_request_client(request)),
        CS_KV("tenant", gw_request_tenant(request)),
        CS_KV("request", gw_request_id(request)),
        CS_KV("trace", trace_id),
    };
    bool quiet = found != NULL && found->route != NULL && found->route->quiet;
    cs_log_write(quiet ? CS_LOG_DEBUG : CS_LOG_INFO, "request", pairs, CS_COUNT(pairs));
}

static void on_tick(int64_t now_ms, void *ctx) {
    struct gw_api *api = ctx;
    gw_events_tick(api->events, now_ms);
}

const struct gw_server_events gw_api_server_events = {
    .arrived = on_arrived,
    .complete = on_complete,
    .refused = on_refused,
    .finished = on_finished,
    .tick = on_tick,
};

bool gw_api_enter(struct gw_api *api, struct cs_err *err) {
    (void)pthread_rwlock_rdlock(&api->gate);
    if (!api->stopped) {
        return true;
    }
    (void)pthread_rwlock_unlock(&api->gate);
    (void)cs_fail(err, CS_UNAVAILABLE, "draining", "the gateway is going away; try again");
    return false;
}

void gw_api_leave(struct gw_api *api) {
    (void)pthread_rwlock_unlock(&api->gate);
}

void gw_api_stop(struct gw_api *api) {
    (void)pthread_rwlock_wrlock(&api->gate);
    api->stopped = true;
    (void)pthread_rwlock_unlock(&api->gate);
}

struct gw_links gw_api_links(const struct gw_api *api) {
    return gw_links_from(api->public_url, api->link_secret, api->link_lifetime_s, cs_clock_unix_ms() / 1000);
}

struct cs_rpc_options gw_api_call_options(const struct gw_api *api, const struct gw_request *request) {
    return (struct cs_rpc_options){
        .timeout_ms = api->call_timeout_ms,
        .trace = gw_request_trace(request),
        .wait_for_ready = true,
    };
}
