#include "links/links.h"

#include <time.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "links/internal.h"

enum { STOP_GRACE_MS = 1000 };

void orc_links_wait_until(struct orc_links *links, int64_t mono_ms) {
    struct timespec until = {.tv_sec = mono_ms / 1000, .tv_nsec = (mono_ms % 1000) * 1000000};
    (void)pthread_cond_timedwait(&links->changed, &links->lock, &until);
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
        struct orc_link_peer *peer = links->peers;
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
    if (pthread_create(&links->resolver, NULL, orc_run_resolver, links) != 0) {
        links_free(links);
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_thread", "no thread for the links");
    }
    if (pthread_create(&links->dialler, NULL, orc_run_dialler, links) != 0) {
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
    for (const struct orc_link_peer *peer = links->peers; peer != NULL; peer = peer->next) {
        if (peer->state != ORC_PEER_IDLE) {
            return true;
        }
    }
    return false;
}

/* After the threads have ended, so the list stands still. */
static void end_streams(struct orc_links *links, void (*end)(struct cs_rpc_stream *stream)) {
    for (struct orc_link_peer *peer = links->peers; peer != NULL; peer = peer->next) {
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
        orc_links_wait_until(links, cancel_at_ms);
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
    for (struct orc_link_peer *peer = links->peers; peer != NULL; peer = peer->next) {
        if (peer->state == ORC_PEER_UP && peer->link == link && peer->stream != NULL) {
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
