#include "api/events.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/errors.h"
#include "api/watcher.h"
#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/clock.h"
#include "cs/base/id.h"
#include "cs/base/log.h"
#include "cs/base/text.h"

enum {
    EVENTS_WAITING_BYTES_MAX = 1 << 20,
    REOPEN_MS = 500,
    BROKEN_MS_MAX = 60 * 1000,
    WATCH_TIMEOUT_MS = 60 * 60 * 1000, /* a deadline always: it is opened again */
};

/* ---- what is sent; lock held ---- */

static size_t put_text(struct watcher *watcher, const char *text) {
    watcher->sent_ms = cs_clock_mono_ms();
    return gw_stream_put(watcher->stream, text, strlen(text));
}

static size_t put_event(struct watcher *watcher, const char *name, uint64_t revision, json_t *data) {
    CS_AUTO_BUF text = {0};
    char *line = json_dumps(data, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
    json_decref(data);
    if (revision != 0) {
        cs_buf_printf(&text, "id: %llu\n", (unsigned long long)revision);
    }
    cs_buf_printf(&text, "event: %s\ndata: ", name);
    cs_buf_puts(&text, line != NULL ? line : "{}");
    cs_buf_puts(&text, "\n\n");
    free(line);
    return put_text(watcher, text.data);
}

static void end(struct watcher *watcher) {
    watcher->ended = true;
    watcher->reopen_ms = 0;
    watcher->lagging = false;
    gw_stream_end(watcher->stream);
}

static void end_with_error(struct watcher *watcher, const struct cs_err *err) {
    (void)put_event(watcher, "error", 0, gw_error_body(err, watcher->request_id));
    end(watcher);
}

/* The attempt does not count any more; the caller cancels what is returned, without the lock. */
static struct cs_rpc_stream *detach(struct watcher *watcher) {
    struct cs_rpc_stream *stream = watcher->attempt != NULL ? cs_steal(&watcher->attempt->stream) : NULL;
    watcher->attempt = NULL;
    return stream;
}

static void drop(struct cs_rpc_stream *stream) {
    if (stream != NULL) {
        cs_rpc_stream_cancel(stream);
        cs_rpc_stream_unref(stream);
    }
}

/* ---- the watch ---- */

static bool is_terminal(const Callsheet__V1__Execution *execution) {
    return execution->state >= CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED;
}

/* Lock held. Returns the request to answer with the stream: the first message has come. */
static struct gw_request *forward(struct watcher *watcher, const Callsheet__V1__ExecutionUpdate *update,
                                  struct cs_rpc_stream **ret_dropped) {
    const Callsheet__V1__Execution *execution = update->execution;
    const struct gw_links links = gw_api_links(watcher->api);
    struct gw_request *request = cs_steal(&watcher->request);
    watcher->broken_ms = 0;
    if (request != NULL) {
        (void)put_text(watcher, "retry: 1000\n\n");
    }
    size_t waiting = put_event(watcher, update->snapshot ? "snapshot" : "update", execution->revision,
                               gw_view_execution(execution, update->snapshot ? GW_VIEW_WHOLE : GW_VIEW_CHANGE, &links));
    if (is_terminal(execution)) {
        (void)put_event(watcher, "end", 0,
                        json_pack("{s:s, s:s}", "id", execution->id, "status", gw_view_state_word(execution->state)));
        end(watcher);
    } else if (waiting > EVENTS_WAITING_BYTES_MAX) {
        watcher->lagging = true;
        *ret_dropped = detach(watcher);
    }
    return request;
}

static void answer_stream(struct watcher *watcher, struct gw_request *request) {
    gw_answer_header(request, "Cache-Control", "no-store");
    gw_answer_header(request, "X-Accel-Buffering", "no");
    gw_answer_stream(request, 200, "text/event-stream", watcher->stream);
}

static void on_message(__attribute__((unused)) struct cs_rpc_stream *stream, const ProtobufCMessage *message,
                       void *user) {
    struct attempt *attempt = user;
    struct watcher *watcher = attempt->watcher;
    const Callsheet__V1__ExecutionUpdate *update = (const Callsheet__V1__ExecutionUpdate *)message;
    struct gw_request *request = NULL;
    struct cs_rpc_stream *dropped = NULL;
    (void)pthread_mutex_lock(&watcher->lock);
    if (watcher->attempt == attempt && !watcher->ended && update->execution != NULL) {
        request = forward(watcher, update, &dropped);
    }
    (void)pthread_mutex_unlock(&watcher->lock);
    if (request != NULL) {
        answer_stream(watcher, request);
    }
    drop(dropped);
}

static bool may_reopen(const struct cs_err *err) {
    switch (err->status) {
    case CS_UNAVAILABLE:
    case CS_CANCELLED:
    case CS_DEADLINE_EXCEEDED:
    case CS_ABORTED:
    case CS_RESOURCE_EXHAUSTED:
    case CS_UNKNOWN:
        return true;
    default:
        return false;
    }
}

/* Lock held. The client has its stream, the watch has ended. */
static void plan_after(struct watcher *watcher, const struct cs_err *err) {
    const int64_t now_ms = cs_clock_mono_ms();
    if (err == NULL || err->status == CS_OK) {
        end(watcher);
        return;
    }
    if (watcher->broken_ms == 0) {
        watcher->broken_ms = now_ms;
    }
    if (may_reopen(err) && now_ms - watcher->broken_ms < BROKEN_MS_MAX) {
        watcher->reopen_ms = now_ms + REOPEN_MS;
        return;
    }
    const struct cs_err told = gw_error_of_call(err);
    end_with_error(watcher, &told);
}

static void answer_failure(struct watcher *watcher, struct gw_request *request, const struct cs_err *err) {
    struct cs_err told = {0};
    if (err == NULL || err->status == CS_OK) {
        (void)cs_fail(&told, CS_UNAVAILABLE, "no_snapshot", "the orchestrator ended the watch at once");
    } else {
        told = gw_error_of_call(err);
    }
    registry_remove(watcher->api->events, watcher);
    gw_answer_error(request, &told);
    watcher_unref(watcher); /* the reference of the stream that will not be */
}

static void on_closed(__attribute__((unused)) struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    struct attempt *attempt = user;
    struct watcher *watcher = attempt->watcher;
    struct gw_request *request = NULL;
    (void)pthread_mutex_lock(&watcher->lock);
    struct cs_rpc_stream *held = cs_steal(&attempt->stream);
    if (watcher->attempt == attempt) {
        watcher->attempt = NULL;
        request = cs_steal(&watcher->request);
        if (request == NULL && !watcher->ended) {
            plan_after(watcher, err);
        }
    }
    (void)pthread_mutex_unlock(&watcher->lock);
    if (held != NULL) {
        cs_rpc_stream_unref(held);
    }
    if (request != NULL) {
        answer_failure(watcher, request, err);
    }
    attempt_unref(attempt);
}

static const struct cs_rpc_stream_events watch_events = {.message = on_message, .closed = on_closed};

/* Opens a watch; its failure is told like one that comes later. */
static void open_watch(struct watcher *watcher) {
    Callsheet__V1__WatchExecutionRequest message = CALLSHEET__V1__WATCH_EXECUTION_REQUEST__INIT;
    const struct cs_rpc_options options = {
        .timeout_ms = WATCH_TIMEOUT_MS, .trace = &watcher->trace, .wait_for_ready = true};
    struct attempt *attempt = attempt_create(watcher); /* its references: ours and the stream's */
    struct cs_rpc_stream *stream = NULL;
    struct cs_err err = {0};
    message.tenant = watcher->tenant;
    message.execution_id = watcher->id;
    (void)pthread_mutex_lock(&watcher->lock);
    bool wanted = !watcher->ended && watcher->attempt == NULL;
    if (wanted) {
        watcher->attempt = attempt;
        watcher->reopen_ms = 0;
    }
    (void)pthread_mutex_unlock(&watcher->lock);
    if (!wanted) {
        attempt_unref(attempt);
        attempt_unref(attempt);
        return;
    }
    if (!gw_api_enter(watcher->api, &err)) {
        on_closed(NULL, &err, attempt);
        attempt_unref(attempt);
        return;
    }
    enum cs_status status =
        cs_rpc_stream_open(watcher->api->watches, &callsheet__v1__orchestrator__descriptor, "WatchExecution",
                           &message.base, &options, &watch_events, attempt, &stream, &err);
    gw_api_leave(watcher->api);
    if (status != CS_OK) {
        on_closed(NULL, &err, attempt);
        attempt_unref(attempt);
        return;
    }
    (void)pthread_mutex_lock(&watcher->lock);
    if (watcher->attempt == attempt) {
        attempt->stream = cs_steal(&stream);
    }
    (void)pthread_mutex_unlock(&watcher->lock);
    drop(stream); /* it does not count any more */
    attempt_unref(attempt);
}

/* ---- the client's side ---- */

static void on_drained(void *ctx) {
    struct watcher *watcher = ctx;
    (void)pthread_mutex_lock(&watcher->lock);
    bool again = watcher->lagging && !watcher->ended;
    watcher->lagging = false;
    (void)pthread_mutex_unlock(&watcher->lock);
    if (again) {
        open_watch(watcher);
    }
}

static void on_stream_closed(void *ctx) {
    struct watcher *watcher = ctx;
    (void)pthread_mutex_lock(&watcher->lock);
    watcher->ended = true;
    watcher->reopen_ms = 0;
    struct cs_rpc_stream *stream = detach(watcher);
    (void)pthread_mutex_unlock(&watcher->lock);
    drop(stream);
    registry_remove(watcher->api->events, watcher);
    watcher_unref(watcher);
}

static const struct gw_stream_events stream_events = {.drained = on_drained, .closed = on_stream_closed};

static void watcher_end(struct watcher *watcher) {
    (void)pthread_mutex_lock(&watcher->lock);
    struct gw_request *request = cs_steal(&watcher->request);
    struct cs_rpc_stream *dropped = detach(watcher);
    if (request == NULL && !watcher->ended) {
        (void)put_text(watcher, ": draining\n\n");
        end(watcher);
    }
    watcher->ended = true;
    (void)pthread_mutex_unlock(&watcher->lock);
    drop(dropped);
    if (request != NULL) {
        struct cs_err err = {0};
        (void)cs_fail(&err, CS_UNAVAILABLE, "draining", "the gateway is going away; try again");
        answer_failure(watcher, request, &err);
    }
}

void gw_handle_events(struct gw_api *api, struct gw_request *request, const char *arg) {
    struct cs_err err = {0};
    if (atomic_load(&api->draining)) {
        (void)cs_fail(&err, CS_UNAVAILABLE, "draining", "the gateway is going away; try again");
    } else if (!cs_id_valid(arg, GW_EXECUTION_ID_MAX)) {
        (void)cs_fail(&err, CS_NOT_FOUND, "no_such_execution", "Execution not found");
    }
    if (err.status != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    struct watcher *watcher = watcher_create(api, request, arg, &stream_events);
    gw_request_park(request);
    open_watch(watcher);
    if (atomic_load(&api->draining)) { /* since we looked: who ends all streams may not have seen this one */
        watcher_end(watcher);
    }
    watcher_unref(watcher);
}

/* ---- time ---- */

static void watcher_tick(struct watcher *watcher, int64_t now_ms) {
    struct gw_request *request = NULL;
    struct cs_rpc_stream *dropped = NULL;
    (void)pthread_mutex_lock(&watcher->lock);
    bool again = watcher->reopen_ms != 0 && watcher->reopen_ms <= now_ms;
    if (watcher->request != NULL && now_ms - watcher->opened_ms > watcher->api->call_timeout_ms) {
        request = cs_steal(&watcher->request);
        watcher->ended = true;
        dropped = detach(watcher);
    } else if (watcher->request == NULL && !watcher->ended &&
               now_ms - watcher->sent_ms >= watcher->api->keep_alive_ms) {
        (void)put_text(watcher, ": keep-alive\n\n");
    }
    (void)pthread_mutex_unlock(&watcher->lock);
    drop(dropped);
    if (request != NULL) {
        struct cs_err err = {0};
        (void)cs_fail(&err, CS_DEADLINE_EXCEEDED, "timeout", "the orchestrator did not answer in time");
        answer_failure(watcher, request, &err);
    } else if (again) {
        open_watch(watcher);
    }
}

void gw_events_tick(struct gw_events *events, int64_t now_ms) {
    size_t count = 0;
    CS_AUTO_FREE struct watcher **list = registry_list(events, &count);
    for (size_t i = 0; i < count; i++) {
        watcher_tick(list[i], now_ms);
        watcher_unref(list[i]);
    }
}

void gw_events_end_all(struct gw_events *events) {
    size_t count = 0;
    CS_AUTO_FREE struct watcher **list = registry_list(events, &count);
    for (size_t i = 0; i < count; i++) {
        watcher_end(list[i]);
        watcher_unref(list[i]);
    }
}
