/* One stream to a worker: greeting, reports, end. */
#include "cs/base/clock.h"
#include "cs/base/id.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "links/hello.h"
#include "links/internal.h"

enum { SAME_WORKER_AGAIN_MS = 5 * 1000 }; /* a second address of a worker that has a link */

static bool worker_has_link(const struct orc_links *links, const char *worker) {
    for (const struct orc_link_peer *peer = links->peers; peer != NULL; peer = peer->next) {
        if (peer->state == ORC_PEER_UP && cs_str_eq(peer->worker, worker)) {
            return true;
        }
    }
    return false;
}

/* OPENING -> UP; false when the worker is linked through another address. */
static bool come_up(struct orc_link_peer *peer, struct cs_rpc_stream *stream, const char *worker) {
    struct orc_links *links = peer->links;
    pthread_mutex_lock(&links->lock);
    bool taken = worker_has_link(links, worker);
    if (taken) {
        peer->backoff_ms = SAME_WORKER_AGAIN_MS;
        peer->failing = true; /* nothing to complain about */
    } else {
        peer->state = ORC_PEER_UP;
        peer->backoff_ms = ORC_LINK_BACKOFF_MIN_MS;
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
static void send_welcome(struct orc_link_peer *peer, struct cs_rpc_stream *stream) {
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
static void misbehaves(struct orc_link_peer *peer, struct cs_rpc_stream *stream, const struct cs_err *err) {
    pthread_mutex_lock(&peer->links->lock);
    bool known = peer->failing;
    peer->failing = true;
    peer->backoff_ms = ORC_LINK_BACKOFF_MAX_MS;
    pthread_mutex_unlock(&peer->links->lock);
    if (!known) {
        cs_log_warn("worker dropped, dialling again later", CS_KV("address", peer->address), CS_KVE(err));
    }
    cs_rpc_stream_cancel(stream);
}

/* The first message. False when the stream is to say no more. */
static bool greet(struct orc_link_peer *peer, struct cs_rpc_stream *stream, const Callsheet__V1__WorkReport *first) {
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
    struct orc_link_peer *peer = user;
    const Callsheet__V1__WorkReport *reports = (const Callsheet__V1__WorkReport *)message;
    size_t start = 0;
    if (reports->n_reports > ORC_WORKER_REPORTS_MAX) {
        struct cs_err err = {0};
        (void)cs_fail(&err, CS_RESOURCE_EXHAUSTED, "too_many_reports", "a message has at most %d reports",
                      ORC_WORKER_REPORTS_MAX);
        misbehaves(peer, stream, &err);
        return;
    }
    pthread_mutex_lock(&peer->links->lock);
    enum orc_peer_state state = peer->state;
    pthread_mutex_unlock(&peer->links->lock);
    if (state == ORC_PEER_OPENING) {
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

static void log_closed(const struct orc_link_peer *peer, bool was_up, const struct cs_err *err) {
    if (was_up) {
        cs_log_warn("worker lost, dialling again", CS_KV("address", peer->address), CS_KVI("link", peer->link),
                    CS_KVE(err));
    } else {
        cs_log_warn("worker cannot be reached, dialling again", CS_KV("address", peer->address), CS_KVE(err));
    }
}

static void become_idle(struct orc_link_peer *peer, bool was_up) {
    struct orc_links *links = peer->links;
    pthread_mutex_lock(&links->lock);
    struct cs_rpc_stream *stream = cs_steal(&peer->stream);
    free(cs_steal(&peer->worker));
    int64_t backoff_ms = peer->backoff_ms;
    peer->dial_at_ms = cs_clock_mono_ms() + backoff_ms / 2 + (int64_t)(cs_random_u64() % (uint64_t)backoff_ms);
    if (!was_up) {
        peer->backoff_ms = backoff_ms * 2 < ORC_LINK_BACKOFF_MAX_MS ? backoff_ms * 2 : ORC_LINK_BACKOFF_MAX_MS;
    }
    peer->state = ORC_PEER_IDLE;
    (void)pthread_cond_broadcast(&links->changed);
    pthread_mutex_unlock(&links->lock);
    cs_rpc_stream_unref(stream);
}

/* The last event of a session; after become_idle the peer may be dialled again or freed. */
void orc_session_closed(struct orc_link_peer *peer, const struct cs_err *err) {
    struct orc_links *links = peer->links;
    pthread_mutex_lock(&links->lock);
    bool was_up = peer->state == ORC_PEER_UP;
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

static void on_closed(__attribute__((unused)) struct cs_rpc_stream *stream, const struct cs_err *err, void *user) {
    orc_session_closed(user, err);
}

const struct cs_rpc_stream_events orc_session_events = {.message = on_message, .closed = on_closed};
