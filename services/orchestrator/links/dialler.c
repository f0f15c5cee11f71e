/* Opens the sessions that are due, gives up those that stay silent. */
#include "cs/base/clock.h"
#include "links/internal.h"

enum { HELLO_WITHIN_MS = 10 * 1000 };

static enum cs_status open_stream(struct orc_link_peer *peer, struct cs_rpc_stream **ret_stream, struct cs_err *err) {
    struct orc_links *links = peer->links;
    const struct cs_rpc_channel_config config = {
        .target = peer->address,
        .tls = {links->tls_files[0], links->tls_files[1], links->tls_files[2]},
        .authorization = links->authorization,
        .own_connection = true,
    };
    CS_TRY(cs_rpc_channel_create(links->rpc, &config, &peer->channel, err));
    return cs_rpc_stream_open(peer->channel, &callsheet__v1__worker__descriptor, "Work", NULL, NULL,
                              &orc_session_events, peer, ret_stream, err);
}

/* A fresh channel each time: a used one has a backoff of its own, of up to minutes. Dialler thread only, without the
 * lock. */
static void dial(struct orc_link_peer *peer) {
    struct orc_links *links = peer->links;
    cs_rpc_channel_destroy(cs_steal(&peer->channel));
    struct cs_rpc_stream *stream = NULL;
    struct cs_err err = {0};
    if (open_stream(peer, &stream, &err) != CS_OK) {
        orc_session_closed(peer, &err);
        return;
    }
    pthread_mutex_lock(&links->lock);
    bool keep = peer->state != ORC_PEER_IDLE && peer->stream == NULL; /* IDLE: it is over already */
    if (keep) {
        peer->stream = stream;
    }
    pthread_mutex_unlock(&links->lock);
    if (!keep) {
        cs_rpc_stream_unref(stream);
    }
}

/* A peer that is to be dialled now, moved to OPENING; NULL none. Lowers *next_ms to when there is something to do. */
static struct orc_link_peer *take_due(struct orc_links *links, int64_t now_ms, int64_t *next_ms) {
    for (struct orc_link_peer *peer = links->peers; peer != NULL; peer = peer->next) {
        if (peer->state != ORC_PEER_IDLE || !peer->wanted) {
            continue;
        }
        if (peer->dial_at_ms <= now_ms) {
            peer->state = ORC_PEER_OPENING;
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
    for (struct orc_link_peer *peer = links->peers; peer != NULL; peer = peer->next) {
        if (peer->state != ORC_PEER_OPENING || peer->stream == NULL) {
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

void *orc_run_dialler(void *arg) {
    struct orc_links *links = arg;
    pthread_mutex_lock(&links->lock);
    while (!links->stopping) {
        int64_t now_ms = cs_clock_mono_ms();
        int64_t next_ms = now_ms + HELLO_WITHIN_MS;
        struct orc_link_peer *due = take_due(links, now_ms, &next_ms);
        struct cs_rpc_stream *silent = due == NULL ? take_silent(links, now_ms, &next_ms) : NULL;
        if (due == NULL && silent == NULL) {
            orc_links_wait_until(links, next_ms);
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
