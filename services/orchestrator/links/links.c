/*
 * A peer is one address; a session is one stream to it. The dialler thread opens sessions when they are due, the
 * resolver thread keeps the set of peers; the rest happens in the callbacks of the streams.
 *
 *     IDLE --dial--> OPENING --Hello--> UP --closed--> IDLE
 *                       \------closed / no Hello in time------/
 */
#include "links/links.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "cs/base/clock.h"
#include "cs/base/id.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "links/hello.h"
#include "links/targets.h"

enum {
    BACKOFF_MIN_MS = 50,
    BACKOFF_MAX_MS = 1000,
    RESOLVE_EVERY_MS = 3000,
    HELLO_WITHIN_MS = 10 * 1000,
    SAME_WORKER_AGAIN_MS = 5 * 1000, /* a second address of a worker that has a link */
    STOP_GRACE_MS = 1000,
};

enum peer_state { IDLE, OPENING, UP };

struct peer {
    struct peer *next; /* the list only grows */
    struct orc_links *links;
    char address[ORC_ADDRESS_SIZE];
    size_t target; /* index of where it came from */
    bool wanted;   /* its name still resolves to it */
    enum peer_state state;
    uint64_t link; /* of the session, from OPENING on */
    struct cs_rpc_channel *channel;
    struct cs_rpc_stream *stream; /* a reference, once known */
    char *worker;                 /* as Hello said, while UP */
    bool failing;                 /* has been logged as unreachable */
    int64_t dial_at_ms;           /* IDLE */
    int64_t hello_by_ms;          /* OPENING */
    int64_t backoff_ms;
};

struct orc_links {
    struct cs_rpc *rpc;
    const struct orc_link_events *events;
    void *ctx;
    char *replica;
    char *authorization;
    char *tls_files[3];
    struct orc_target *targets;
    size_t target_count;
    pthread_t dialler;
    pthread_t resolver;
    pthread_mutex_t lock;
    /* below: guarded by lock */
    pthread_cond_t changed;
    struct peer *peers;
    uint64_t next_link;
    bool stopping;
};

static void wait_until(struct orc_links *links, int64_t mono_ms) {
    struct timespec until = {.tv_sec = mono_ms / 1000, .tv_nsec = (mono_ms % 1000) * 1000000};
    (void)pthread_cond_timedwait(&links->changed, &links->lock, &until);
}

/* ---- the events of a stream ---- */

static bool worker_has_link(const struct orc_links *links, const char *worker) {
    for (const struct peer *peer = links->peers; peer != NULL; peer = peer->next) {
        if (peer->state == UP && cs_str_eq(peer->worker, worker)) {
            return true;
        }
    }
    return false;
}

/* OPENING -> UP; false when the worker is linked through another address. */
static bool come_up(struct peer *peer, struct cs_rpc_stream *stream, const char *worker) {
    struct orc_links *links = peer->links;
    pthread_mutex_lock(&links->lock);
    bool taken = worker_has_link(links, worker);
    if (taken) {
        peer->backoff_ms = SAME_WORKER_AGAIN_MS;
        peer->failing = true; /* nothing to complain about */
    } else {
        peer->state = UP;
        peer->backoff_ms = BACKOFF_MIN_MS;
        peer->failing = false;
        peer->worker = cs_strdup(worker);
        if (peer->stream == NULL) {
            peer->stream = cs_rpc_stream_ref(stream);
        }
    }
    pthread_mutex_unlock(&links->lock);
    return !taken;
}

/* When it cannot be sent the stream is ending, which `closed` will tell. */
static void send_welcome(struct peer *peer, struct cs_rpc_stream *stream) {
    Callsheet__V1__Welcome welcome = CALLSHEET__V1__WELCOME__INIT;
    Callsheet__V1__WorkCommand command = CALLSHEET__V1__WORK_COMMAND__INIT;
    Callsheet__V1__WorkCommand *commands[] = {&command};
    Callsheet__V1__WorkRequest request = CALLSHEET__V1__WORK_REQUEST__INIT;
    welcome.replica = peer->links->replica;
    command.command_case = CALLSHEET__V1__WORK_COMMAND__COMMAND_WELCOME;
    command.welcome = &welcome;
    request.n_commands = 1;
    request.commands = commands;
    (void)cs_rpc_stream_send(stream, &request.base, NULL);
}

/* Hangs up, and takes its time before it dials again. */
static void misbehaves(struct peer *peer, struct cs_rpc_stream *stream, const struct cs_err *err) {
    pthread_mutex_lock(&peer->links->lock);
    bool known = peer->failing;
    peer->failing = true;
    peer->backoff_ms = BACKOFF_MAX_MS;
    pthread_mutex_unlock(&peer->links->lock);
    if (!known) {
        cs_log_warn("worker dropped, dialling again later", CS_KV("address", peer->address), CS_KVE(err));
    }
    cs_rpc_stream_cancel(stream);
}

/* The first message. False when the stream is to say no more. */
static bool greet(struct peer *peer, struct cs_rpc_stream *stream, const Callsheet__V1__WorkReport *first) {
    const Callsheet__V1__Hello *hello = NULL;
    struct cs_err err = {0};
    if (orc_hello_from(first, &hello, &err) != CS_OK) {
        misbehaves(peer, stream, &err);
        return false;
    }
    if (!come_up(peer, stream, hello->worker)) {
        cs_log_debug("worker is linked through another address", CS_KV("address", peer->address),
                     CS_KV("worker", hello->worker));
        cs_rpc_stream_cancel(stream);
        return false;
    }
    cs_log_info("worker linked", CS_KV("address", peer->address), CS_KV("worker", hello->worker),
                CS_KV("version", hello->version), CS_KVI("slots", hello->slots), CS_KVI("link", peer->link));
    send_welcome(peer, stream); /* before `up`, which lets the first assignment follow */
    peer->links->events->up(peer->link, hello, peer->links->ctx);
    return true;
}

static void on_message(struct cs_rpc_stream *stream, const ProtobufCMessage *message, void *user) {
    struct peer *peer = user;
    const Callsheet__V1__WorkReport *reports = (const Callsheet__V1__WorkReport *)message;
    size_t start = 0;
    pthread_mutex_lock(&peer->links->lock);
    enum peer_state state = peer->state;
    pthread_mutex_unlock(&peer->links->lock);
    if (state == OPENING) {
        if (!greet(peer, stream, reports)) {
            return;
        }
        start = 1;
    }
    if (orc_hello_again(reports, start)) {
        struct cs_err err = {0};
        (void)cs_fail(&err, CS_FAILED_PRECONDITION, "second_hello", "a worker says Hello once");
        misbehaves(peer, stream, &err);
        return;
    }
    if (reports->n_reports > start) {
        Callsheet__V1__WorkReport rest = CALLSHEET__V1__WORK_REPORT__INIT;
        rest.n_reports = reports->n_reports - start;
        rest.reports = reports->reports + start;
        peer->links->events->reports(peer->link, &rest, peer->links->ctx);
    }
}

static void log_closed(const struct peer *peer, bool was_up, const struct cs_err *err) {
    if (was_up) {
        cs_log_warn("worker lost, dialling again", CS_KV("address", peer->address), CS_KVI("link", peer->link),
                    CS_KVE(err));
    } else {
        cs_log_warn("worker cannot be reached, dialling again", CS_KV("address", peer->address), CS_KVE(err));
    }
}

static void become_idle(struct peer *peer, bool was_up) {
    struct orc_links *links = peer->links;
    pthread_mutex_lock(&links->lock);
    struct cs_rpc_stream *stream = cs_steal(&peer->stream);
    free(cs_steal(&peer->worker));
    int64_t backoff_ms = peer->backoff_ms;
    peer->dial_at_ms = cs_clock_mono_ms() + backoff_ms / 2 + (int64_t)(cs_random_u64() % (uint64_t)backoff_ms);
    if (!was_up) {
        peer->backoff_ms = backoff_ms * 2 < BACKOFF_MAX_MS ? backoff_ms * 2 : BACKOFF_MAX_MS;
    }
    peer->state = IDLE;
    (void)pthread_cond_broadcast(&links->changed);
    pthread_mutex_unlock(&links->lock);
    cs_rpc_stream_unref(stream);
}

/* The last event of a session; after become_idle the peer may be dialled again or freed. */
static void on_closed(__attribute__((unused)) struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    struct peer *peer = user;
    struct orc_links *links = peer->links;
    pthread_mutex_lock(&links->lock);
    bool was_up = peer->state == UP;
    bool complain = !links->stopping && (was_up || !peer->failing);
    peer->failing = peer->failing || !was_up; /* said once, until it is up again: it may be away for long */
    pthread_mutex_unlock(&links->lock);
    if (complain) {
        log_closed(peer, was_up, err);
    }
    if (was_up) {
        links->events->down(peer->link, links->ctx);
    }
    become_idle(peer, was_up);
}

static const struct cs_rpc_stream_events stream_events = {.message = on_message, .closed = on_closed};

/* ---- dialling ---- */

static enum cs_status open_stream(struct peer *peer, struct cs_rpc_stream **ret_stream, struct cs_err *err) {
    struct orc_links *links = peer->links;
    const struct cs_rpc_channel_config config = {
        .target = peer->address,
        .tls = {links->tls_files[0], links->tls_files[1], links->tls_files[2]},
        .authorization = links->authorization,
        .own_connection = true,
    };
    CS_TRY(cs_rpc_channel_create(links->rpc, &config, &peer->channel, err));
    return cs_rpc_stream_open(peer->channel, &callsheet__v1__worker__descriptor, "Work", NULL, NULL, &stream_events,
                              peer, ret_stream, err);
}

/* A fresh channel each time: a used one has a backoff of its own, of up to minutes. Dialler thread only, without the
 * lock. */
static void dial(struct peer *peer) {
    struct orc_links *links = peer->links;
    cs_rpc_channel_destroy(cs_steal(&peer->channel));
    struct cs_rpc_stream *stream = NULL;
    struct cs_err err = {0};
    if (open_stream(peer, &stream, &err) != CS_OK) {
        on_closed(NULL, &err, peer);
        return;
    }
    pthread_mutex_lock(&links->lock);
    bool keep = peer->state != IDLE && peer->stream == NULL; /* IDLE: it is over already */
    if (keep) {
        peer->stream = stream;
    }
    pthread_mutex_unlock(&links->lock);
    if (!keep) {
        cs_rpc_stream_unref(stream);
    }
}

/* A peer that is to be dialled now, moved to OPENING; NULL none. Lowers *next_ms to when there is something to do. */
static struct peer *take_due(struct orc_links *links, int64_t now_ms, int64_t *next_ms) {
    for (struct peer *peer = links->peers; peer != NULL; peer = peer->next) {
        if (peer->state != IDLE || !peer->wanted) {
            continue;
        }
        if (peer->dial_at_ms <= now_ms) {
            peer->state = OPENING;
            peer->link = ++links->next_link;
            peer->hello_by_ms = now_ms + HELLO_WITHIN_MS;
            return peer;
        }
        *next_ms = peer->dial_at_ms < *next_ms ? peer->dial_at_ms : *next_ms;
    }
    return NULL;
}

/* A session whose worker has not said Hello in time (a reference), or NULL. */
static struct cs_rpc_stream *take_silent(struct orc_links *links, int64_t now_ms, int64_t *next_ms) {
    for (struct peer *peer = links->peers; peer != NULL; peer = peer->next) {
        if (peer->state != OPENING || peer->stream == NULL) {
            continue;
        }
        if (peer->hello_by_ms <= now_ms) {
            peer->hello_by_ms = INT64_MAX;
            return cs_rpc_stream_ref(peer->stream);
        }
        *next_ms = peer->hello_by_ms < *next_ms ? peer->hello_by_ms : *next_ms;
    }
    return NULL;
}

static void *run_dialler(void *arg) {
    struct orc_links *links = arg;
    pthread_mutex_lock(&links->lock);
    while (!links->stopping) {
        int64_t now_ms = cs_clock_mono_ms();
        int64_t next_ms = now_ms + HELLO_WITHIN_MS;
        struct peer *due = take_due(links, now_ms, &next_ms);
        struct cs_rpc_stream *silent = due == NULL ? take_silent(links, now_ms, &next_ms) : NULL;
        if (due == NULL && silent == NULL) {
            wait_until(links, next_ms);
            continue;
        }
        pthread_mutex_unlock(&links->lock);
        if (due != NULL) {
            dial(due);
        } else {
            cs_rpc_stream_cancel(silent);
            cs_rpc_stream_unref(silent);
        }
        pthread_mutex_lock(&links->lock);
    }
    pthread_mutex_unlock(&links->lock);
    return NULL;
}

/* ---- resolving ---- */

static struct peer *find_peer(struct orc_links *links, const char *address) {
    for (struct peer *peer = links->peers; peer != NULL; peer = peer->next) {
        if (cs_str_eq(peer->address, address)) {
            return peer;
        }
    }
    return NULL;
}

static void want(struct orc_links *links, size_t target, const char *address) {
    struct peer *peer = find_peer(links, address);
    if (peer == NULL) {
        peer = cs_alloc(sizeof(*peer));
        peer->links = links;
        cs_str_copy(peer->address, sizeof(peer->address), address);
        peer->next = links->peers;
        links->peers = peer;
    } else if (peer->wanted) {
        return;
    }
    peer->target = target;
    peer->wanted = true;
    peer->backoff_ms = BACKOFF_MIN_MS;
}

/* What the target resolves to now is wanted; what it resolved to before is not dialled again once it has ended. */
static void resolve(struct orc_links *links, size_t target) {
    char(*addresses)[ORC_ADDRESS_SIZE] = cs_alloc_array(ORC_TARGET_ADDRESSES_MAX, ORC_ADDRESS_SIZE);
    size_t count = 0;
    struct cs_err err = {0};
    if (orc_target_resolve(&links->targets[target], addresses, &count, &err) != CS_OK) {
        cs_log_debug("name not resolved, keeping what it gave before", CS_KVE(&err));
        free(addresses);
        return;
    }
    pthread_mutex_lock(&links->lock);
    for (struct peer *peer = links->peers; peer != NULL; peer = peer->next) {
        bool named = false;
        for (size_t i = 0; i < count; i++) {
            named = named || cs_str_eq(addresses[i], peer->address);
        }
        if (peer->target == target && !named) {
            peer->wanted = false;
        }
    }
    for (size_t i = 0; i < count; i++) {
        want(links, target, addresses[i]);
    }
    (void)pthread_cond_broadcast(&links->changed);
    pthread_mutex_unlock(&links->lock);
    free(addresses);
}

static void *run_resolver(void *arg) {
    struct orc_links *links = arg;
    bool first = true;
    bool names = true;
    pthread_mutex_lock(&links->lock);
    while (!links->stopping && names) {
        pthread_mutex_unlock(&links->lock);
        names = false;
        for (size_t i = 0; i < links->target_count; i++) {
            names = names || !links->targets[i].literal;
            if (first || !links->targets[i].literal) {
                resolve(links, i);
            }
        }
        first = false;
        int64_t next_ms = cs_clock_mono_ms() + RESOLVE_EVERY_MS;
        pthread_mutex_lock(&links->lock);
        while (names && !links->stopping && cs_clock_mono_ms() < next_ms) {
            wait_until(links, next_ms);
        }
    }
    pthread_mutex_unlock(&links->lock);
    return NULL;
}

/* ---- life ---- */

static void init_sync(struct orc_links *links) {
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&links->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&links->lock, NULL);
}

static void links_free(struct orc_links *links) {
    while (links->peers != NULL) {
        struct peer *peer = links->peers;
        links->peers = peer->next;
        cs_rpc_channel_destroy(peer->channel);
        free(peer);
    }
    for (size_t i = 0; i < CS_COUNT(links->tls_files); i++) {
        free(links->tls_files[i]);
    }
    orc_targets_free(links->targets, links->target_count);
    (void)pthread_cond_destroy(&links->changed);
    (void)pthread_mutex_destroy(&links->lock);
    free(links->replica);
    free(links->authorization);
    free(links);
}

enum cs_status orc_links_create(struct cs_rpc *rpc, const struct orc_links_config *config, struct orc_links **ret_links,
                                struct cs_err *err) {
    struct orc_target *targets = NULL;
    size_t count = 0;
    CS_TRY(orc_targets_parse(config->targets, &targets, &count, err));
    struct orc_links *links = cs_alloc(sizeof(*links));
    links->rpc = rpc;
    links->events = config->events;
    links->ctx = config->ctx;
    links->replica = cs_strdup(config->replica);
    links->authorization = config->authorization != NULL ? cs_strdup(config->authorization) : NULL;
    const char *const files[] = {config->tls.ca_file, config->tls.cert_file, config->tls.key_file};
    for (size_t i = 0; i < CS_COUNT(files); i++) {
        links->tls_files[i] = files[i] != NULL ? cs_strdup(files[i]) : NULL;
    }
    links->targets = targets;
    links->target_count = count;
    init_sync(links);
    if (pthread_create(&links->resolver, NULL, run_resolver, links) != 0) {
        links_free(links);
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for the links");
    }
    if (pthread_create(&links->dialler, NULL, run_dialler, links) != 0) {
        pthread_mutex_lock(&links->lock);
        links->stopping = true;
        (void)pthread_cond_broadcast(&links->changed);
        pthread_mutex_unlock(&links->lock);
        (void)pthread_join(links->resolver, NULL);
        links_free(links);
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for the links");
    }
    *ret_links = links;
    return CS_OK;
}

static bool any_open(const struct orc_links *links) {
    for (const struct peer *peer = links->peers; peer != NULL; peer = peer->next) {
        if (peer->state != IDLE) {
            return true;
        }
    }
    return false;
}

/* After the threads have ended, so the list stands still. */
static void end_streams(struct orc_links *links, void (*end)(struct cs_rpc_stream *stream)) {
    for (struct peer *peer = links->peers; peer != NULL; peer = peer->next) {
        pthread_mutex_lock(&links->lock);
        struct cs_rpc_stream *stream = peer->stream != NULL ? cs_rpc_stream_ref(peer->stream) : NULL;
        pthread_mutex_unlock(&links->lock);
        if (stream != NULL) {
            end(stream);
            cs_rpc_stream_unref(stream);
        }
    }
}

static void half_close(struct cs_rpc_stream *stream) {
    cs_rpc_stream_finish(stream, NULL);
}

void orc_links_destroy(struct orc_links *links) {
    if (links == NULL) {
        return;
    }
    pthread_mutex_lock(&links->lock);
    links->stopping = true;
    (void)pthread_cond_broadcast(&links->changed);
    pthread_mutex_unlock(&links->lock);
    (void)pthread_join(links->dialler, NULL);
    (void)pthread_join(links->resolver, NULL);
    end_streams(links, half_close);
    int64_t cancel_at_ms = cs_clock_mono_ms() + STOP_GRACE_MS;
    pthread_mutex_lock(&links->lock);
    while (any_open(links) && cs_clock_mono_ms() < cancel_at_ms) {
        wait_until(links, cancel_at_ms);
    }
    pthread_mutex_unlock(&links->lock);
    end_streams(links, cs_rpc_stream_cancel);
    pthread_mutex_lock(&links->lock);
    while (any_open(links)) {
        (void)pthread_cond_wait(&links->changed, &links->lock);
    }
    pthread_mutex_unlock(&links->lock);
    links_free(links);
}

/* ---- sending ---- */

/* The stream of a link that is up (a reference), or NULL. */
static struct cs_rpc_stream *stream_of(struct orc_links *links, uint64_t link) {
    struct cs_rpc_stream *stream = NULL;
    pthread_mutex_lock(&links->lock);
    for (struct peer *peer = links->peers; peer != NULL; peer = peer->next) {
        if (peer->state == UP && peer->link == link && peer->stream != NULL) {
            stream = cs_rpc_stream_ref(peer->stream);
            break;
        }
    }
    pthread_mutex_unlock(&links->lock);
    return stream;
}

enum cs_status orc_links_send(struct orc_links *links, uint64_t link, const Callsheet__V1__WorkRequest *request,
                              struct cs_err *err) {
    struct cs_rpc_stream *stream = stream_of(links, link);
    if (stream == NULL) {
        return cs_fail(err, CS_CANCELLED, "link_down", "the link to the worker is down");
    }
    enum cs_status status = cs_rpc_stream_send(stream, &request->base, err);
    cs_rpc_stream_unref(stream);
    return status;
}

void orc_links_drop(struct orc_links *links, uint64_t link) {
    struct cs_rpc_stream *stream = stream_of(links, link);
    if (stream != NULL) {
        cs_rpc_stream_cancel(stream);
        cs_rpc_stream_unref(stream);
    }
}
