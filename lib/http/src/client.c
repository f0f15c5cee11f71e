#include "client.h"

#include <pthread.h>
#include <string.h>

#include "cs/base/clock.h"
#include "timers.h"
#include "transfer.h"

enum {
    LOOP_WAIT_MAX_MS = 60000,
    KEPT_CONNECTIONS_MAX = 64,
};

/* What other threads ask of the loop. */
struct command {
    struct command *next;
    enum { START, CANCEL, RESOLVED, AFTER } kind;
    uint64_t id;
    struct transfer *transfer;      /* START */
    struct cs_addresses *addresses; /* RESOLVED: or err */
    struct cs_err err;
    int64_t due_ms; /* AFTER */
    void (*fn)(void *ctx);
    void *ctx;
    void (*drop)(void *ctx);
};

struct cs_http {
    CURLM *multi;
    pthread_t thread;
    struct cs_resolver *resolver;

    /* of the loop thread */
    struct transfer *transfers;
    struct cs_timers timers;

    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct command *first;
    struct command **last;
    uint64_t next_id;
    bool stopping;
};

/* A timer about a transfer that may be gone by then. */
struct watch {
    struct cs_http *http;
    uint64_t id;
};

/* ---- commands ---- */

static void post_locked(struct cs_http *http, struct command command) {
    struct command *copy = cs_alloc(sizeof(*copy));
    *copy = command;
    copy->next = NULL;
    *http->last = copy;
    http->last = &copy->next;
}

static void post(struct cs_http *http, struct command command) {
    (void)pthread_mutex_lock(&http->lock);
    post_locked(http, command);
    (void)pthread_mutex_unlock(&http->lock);
    (void)curl_multi_wakeup(http->multi);
}

static struct command *take_commands(struct cs_http *http, bool *ret_stopping) {
    (void)pthread_mutex_lock(&http->lock);
    struct command *first = http->first;
    http->first = NULL;
    http->last = &http->first;
    *ret_stopping = http->stopping;
    (void)pthread_mutex_unlock(&http->lock);
    return first;
}

/* ---- transfers, on the loop thread ---- */

static struct transfer *find(struct cs_http *http, uint64_t id) {
    struct transfer *transfer = NULL;
    HASH_FIND(hh, http->transfers, &id, sizeof(id), transfer);
    return transfer;
}

static void finish(struct cs_http *http, struct transfer *transfer, const struct cs_err *err) {
    HASH_DEL(http->transfers, transfer);
    if (transfer->easy != NULL) {
        (void)curl_multi_remove_handle(http->multi, transfer->easy);
    }
    transfer_finish(transfer, err);
    transfer_destroy(transfer);
}

static void connect_hop(struct cs_http *http, struct transfer *transfer, const struct cs_addresses *addresses) {
    struct cs_err err = {0};
    if (transfer_connect(transfer, addresses, cs_clock_mono_ms(), &err) != CS_OK) {
        finish(http, transfer, &err);
        return;
    }
    (void)curl_multi_add_handle(http->multi, transfer->easy);
}

static void watch_idle(void *ctx);
static void watch_resolving(void *ctx);

static void watch_in(struct cs_http *http, uint64_t id, int64_t due_ms, cs_timer_fn *fn) {
    struct watch *watch = cs_alloc(sizeof(*watch));
    *watch = (struct watch){.http = http, .id = id};
    cs_timers_add(&http->timers, (struct cs_timer){.due_ms = due_ms, .fn = fn, .ctx = watch, .drop = free});
}

static void begin_hop(struct cs_http *http, struct transfer *transfer) {
    struct cs_err err = {0};
    int64_t now_ms = cs_clock_mono_ms();
    bool resolve = false;
    enum cs_status status = transfer_begin(transfer, now_ms, &resolve, &err);
    if (status == CS_OK && resolve) {
        status = cs_resolver_start(http->resolver, transfer->id, transfer->url.host, &err);
    }
    if (status != CS_OK) {
        finish(http, transfer, &err);
        return;
    }
    if (!resolve) {
        connect_hop(http, transfer, NULL);
        return;
    }
    transfer->resolving = true;
    int64_t due_ms = now_ms + transfer->connect_timeout_ms;
    watch_in(http, transfer->id, due_ms < transfer->deadline_ms ? due_ms : transfer->deadline_ms, watch_resolving);
}

static void watch_resolving(void *ctx) {
    struct watch watch = *(struct watch *)ctx;
    free(ctx);
    struct transfer *transfer = find(watch.http, watch.id);
    int64_t now_ms = cs_clock_mono_ms();
    if (transfer == NULL || !transfer->resolving ||
        (now_ms - transfer->hop_started_ms < transfer->connect_timeout_ms && now_ms < transfer->deadline_ms)) {
        return; /* it went on, or is in a later hop with a watch of its own */
    }
    struct cs_err err = {0};
    (void)cs_fail(&err, CS_DEADLINE_EXCEEDED, "timeout", "resolving %s took too long", transfer->url.host);
    finish(watch.http, transfer, &err);
}

static void watch_idle(void *ctx) {
    struct watch watch = *(struct watch *)ctx;
    free(ctx);
    struct transfer *transfer = find(watch.http, watch.id);
    if (transfer == NULL) {
        return;
    }
    int64_t now_ms = cs_clock_mono_ms();
    int64_t due_ms = transfer->last_byte_ms + transfer->idle_timeout_ms;
    if (transfer->resolving || due_ms > now_ms) {
        watch_in(watch.http, watch.id, due_ms > now_ms ? due_ms : now_ms + transfer->idle_timeout_ms, watch_idle);
        return;
    }
    struct cs_err err = {0};
    (void)cs_fail(&err, CS_DEADLINE_EXCEEDED, "timeout", "%s fell silent", transfer->url.host);
    finish(watch.http, transfer, &err);
}

static void start(struct cs_http *http, struct transfer *transfer) {
    HASH_ADD(hh, http->transfers, id, sizeof(transfer->id), transfer);
    if (transfer->idle_timeout_ms > 0) {
        watch_in(http, transfer->id, cs_clock_mono_ms() + transfer->idle_timeout_ms, watch_idle);
    }
    begin_hop(http, transfer);
}

static void resolved(struct cs_http *http, const struct command *command) {
    struct transfer *transfer = find(http, command->id);
    if (transfer == NULL || !transfer->resolving) {
        return;
    }
    transfer->resolving = false;
    if (command->addresses == NULL) {
        finish(http, transfer, &command->err);
        return;
    }
    connect_hop(http, transfer, command->addresses);
}

static void cancel(struct cs_http *http, struct transfer *transfer) {
    struct cs_err err = {0};
    (void)cs_fail(&err, CS_CANCELLED, "cancelled", "the request was cancelled");
    finish(http, transfer, &err);
}

static void ended(struct cs_http *http, CURL *easy, CURLcode code) {
    struct transfer *transfer = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    struct cs_err err = {0};
    bool again = false;
    (void)curl_multi_remove_handle(http->multi, easy);
    enum cs_status status = transfer_ended(transfer, code, &again, &err);
    if (status == CS_OK && again) {
        begin_hop(http, transfer);
        return;
    }
    finish(http, transfer, status == CS_OK ? NULL : &err);
}

/* ---- the loop ---- */

static void obey(struct cs_http *http, struct command *command) {
    struct transfer *transfer = NULL;
    switch (command->kind) {
    case START:
        start(http, command->transfer);
        break;
    case CANCEL:
        transfer = find(http, command->id);
        if (transfer != NULL) {
            cancel(http, transfer);
        }
        break;
    case RESOLVED:
        resolved(http, command);
        break;
    case AFTER:
        cs_timers_add(&http->timers,
                      (struct cs_timer){
                          .due_ms = command->due_ms, .fn = command->fn, .ctx = command->ctx, .drop = command->drop});
        break;
    }
    free(command->addresses);
    free(command);
}

static bool obey_all(struct cs_http *http) {
    bool stopping = false;
    struct command *command = take_commands(http, &stopping);
    while (command != NULL) {
        struct command *next = command->next;
        obey(http, command);
        command = next;
    }
    return !stopping;
}

static void run_due(struct cs_http *http) {
    struct cs_timer timer;
    int64_t now_ms = cs_clock_mono_ms();
    while (cs_timers_take(&http->timers, now_ms, &timer)) {
        timer.fn(timer.ctx);
    }
}

static void perform(struct cs_http *http) {
    int running = 0;
    int queued = 0;
    (void)curl_multi_perform(http->multi, &running);
    const CURLMsg *message = NULL;
    while ((message = curl_multi_info_read(http->multi, &queued)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            ended(http, message->easy_handle, message->data.result);
        }
    }
}

/* What done callbacks start while everything is being aborted is aborted too. */
static void abort_all(struct cs_http *http) {
    do {
        struct transfer *transfer = NULL;
        struct transfer *next = NULL;
        HASH_ITER(hh, http->transfers, transfer, next) {
            cancel(http, transfer);
        }
        (void)obey_all(http);
    } while (http->transfers != NULL);
}

static void *loop(void *arg) {
    struct cs_http *http = arg;
    while (obey_all(http)) {
        run_due(http);
        perform(http);
        int64_t wait_ms = cs_timers_wait_ms(&http->timers, cs_clock_mono_ms(), LOOP_WAIT_MAX_MS);
        (void)curl_multi_poll(http->multi, NULL, 0, (int)wait_ms, NULL);
    }
    abort_all(http);
    return NULL;
}

static void on_resolved(uint64_t id, const struct cs_addresses *addresses, const struct cs_err *err, void *ctx) {
    struct command command = {.kind = RESOLVED, .id = id};
    if (addresses != NULL) {
        command.addresses = cs_alloc(sizeof(*addresses));
        *command.addresses = *addresses;
    } else {
        command.err = *err;
    }
    post(ctx, command);
}

/* ---- life ---- */

static void global_init(void) {
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum cs_status cs_http_create_with(cs_resolve_fn *resolve, void *ctx, struct cs_http **ret_http, struct cs_err *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, global_init);
    struct cs_http *http = cs_alloc(sizeof(*http));
    http->last = &http->first;
    http->next_id = 1;
    http->multi = curl_multi_init();
    if (http->multi == NULL) {
        free(http);
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_memory", "libcurl has no handle left");
    }
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS_MAX);
    (void)pthread_mutex_init(&http->lock, NULL);
    http->resolver = cs_resolver_create(resolve, ctx, on_resolved, http);
    int code = pthread_create(&http->thread, NULL, loop, http);
    if (code != 0) {
        cs_resolver_destroy(http->resolver);
        (void)curl_multi_cleanup(http->multi);
        (void)pthread_mutex_destroy(&http->lock);
        free(http);
        return cs_fail_errno(err, code, "starting the HTTP loop");
    }
    *ret_http = http;
    return CS_OK;
}

enum cs_status cs_http_create(struct cs_http **ret_http, struct cs_err *err) {
    return cs_http_create_with(cs_resolve_system, NULL, ret_http, err);
}

void cs_http_destroy(struct cs_http *http) {
    if (http == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&http->lock);
    http->stopping = true;
    (void)pthread_mutex_unlock(&http->lock);
    (void)curl_multi_wakeup(http->multi);
    (void)pthread_join(http->thread, NULL);
    cs_resolver_destroy(http->resolver);
    abort_all(http); /* what arrived between: nothing but late answers of the resolver */
    cs_timers_fini(&http->timers);
    (void)curl_multi_cleanup(http->multi);
    (void)pthread_mutex_destroy(&http->lock);
    free(http);
}

/* ---- verbs ---- */

uint64_t cs_http_start(struct cs_http *http, const struct cs_http_request *request, cs_http_done_fn *done, void *user) {
    struct transfer *transfer = transfer_create(request, done, user);
    (void)pthread_mutex_lock(&http->lock);
    uint64_t id = http->next_id++;
    transfer->id = id;
    post_locked(http, (struct command){.kind = START, .transfer = transfer});
    (void)pthread_mutex_unlock(&http->lock);
    (void)curl_multi_wakeup(http->multi);
    return id;
}

void cs_http_cancel(struct cs_http *http, uint64_t handle) {
    post(http, (struct command){.kind = CANCEL, .id = handle});
}

void cs_http_after_or(struct cs_http *http, int64_t delay_ms, void (*fn)(void *ctx), void *ctx,
                      void (*drop)(void *ctx)) {
    int64_t due_ms = cs_clock_mono_ms() + (delay_ms > 0 ? delay_ms : 0);
    post(http, (struct command){.kind = AFTER, .due_ms = due_ms, .fn = fn, .ctx = ctx, .drop = drop});
}

void cs_http_after(struct cs_http *http, int64_t delay_ms, void (*fn)(void *ctx), void *ctx) {
    cs_http_after_or(http, delay_ms, fn, ctx, NULL);
}

/* ---- waiting ---- */

struct fetch {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    /* below: guarded by lock */
    bool done;
    int status;
    struct cs_buf body;
    struct cs_err err;
};

static void fetch_done(const struct cs_http_answer *answer, const struct cs_err *err, void *user) {
    struct fetch *fetch = user;
    (void)pthread_mutex_lock(&fetch->lock);
    fetch->status = answer->status;
    cs_buf_put(&fetch->body, answer->body, answer->body_size);
    fetch->err = err != NULL ? *err : (struct cs_err){0};
    fetch->done = true;
    (void)pthread_cond_signal(&fetch->ended);
    (void)pthread_mutex_unlock(&fetch->lock);
}

enum cs_status cs_http_fetch(struct cs_http *http, const struct cs_http_request *request, int *ret_status,
                             struct cs_buf *ret_body, struct cs_err *err) {
    struct fetch fetch = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
    (void)cs_http_start(http, request, fetch_done, &fetch);
    (void)pthread_mutex_lock(&fetch.lock);
    while (!fetch.done) {
        (void)pthread_cond_wait(&fetch.ended, &fetch.lock);
    }
    (void)pthread_mutex_unlock(&fetch.lock);
    (void)pthread_mutex_destroy(&fetch.lock);
    (void)pthread_cond_destroy(&fetch.ended);
    if (fetch.err.status == CS_OK) {
        *ret_status = fetch.status;
        cs_buf_put(ret_body, fetch.body.data, fetch.body.size);
    } else if (err != NULL) {
        *err = fetch.err;
    }
    cs_buf_fini(&fetch.body);
    return fetch.err.status;
}
