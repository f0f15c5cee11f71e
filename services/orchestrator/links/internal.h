/*
 * links/internal: peers and how they are kept.
 *
 * A peer is one address, a session one stream to it. The dialler thread opens sessions when they are due (dialler.c),
 * the resolver thread keeps the set of peers (resolver.c), the rest happens in the callbacks of the streams
 * (session.c).
 *
 *     IDLE --dial--> OPENING --Hello--> UP --closed--> IDLE
 *                       \------closed / no Hello in time------/
 */
#ifndef ORC_LINKS_INTERNAL_H
#define ORC_LINKS_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>

#include "links/links.h"
#include "links/targets.h"

enum {
    ORC_LINK_BACKOFF_MIN_MS = 50,
    ORC_LINK_BACKOFF_MAX_MS = 1000,
};

enum orc_peer_state { ORC_PEER_IDLE, ORC_PEER_OPENING, ORC_PEER_UP };

struct orc_link_peer {
    struct orc_link_peer *next; /* the list only grows */
    struct orc_links *links;
    char address[ORC_ADDRESS_SIZE];
    size_t target; /* index of where it came from */
    bool wanted;   /* its name still resolves to it */
    enum orc_peer_state state;
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
    struct orc_link_peer *peers;
    uint64_t next_link;
    bool stopping;
};

/* Waits for `changed`, at most until then. With the lock. */
void orc_links_wait_until(struct orc_links *links, int64_t mono_ms);

/* The callbacks of a session; user is the peer. */
extern const struct cs_rpc_stream_events orc_session_events;
/* What `closed` does, for a session that could not even be opened. */
void orc_session_closed(struct orc_link_peer *peer, const struct cs_err *err);

void *orc_run_dialler(void *links);
void *orc_run_resolver(void *links);

#endif
