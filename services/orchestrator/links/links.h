/*
 * links: one Work stream to every worker, dialled and kept open.
 *
 * Targets are host:port or DNS names; names are resolved again every few seconds and each address is a worker. A link
 * that breaks is dialled again with backoff (50 ms … 1 s). Events of one link never overlap and come on polling
 * threads: copy what you keep and return at once.
 *
 * Threads  any.
 * Owns     a link is a number that is never used twice.
 */
#ifndef ORC_LINKS_LINKS_H
#define ORC_LINKS_LINKS_H

#include "callsheet/v1/worker.pb-c.h"
#include "cs/rpc.h"

struct orc_links;

struct orc_link_events {
    void (*up)(uint64_t link, const Callsheet__V1__Hello *hello, void *ctx);
    /* All but Hello: credits and reports, in order. */
    void (*reports)(uint64_t link, const Callsheet__V1__WorkReport *reports, void *ctx);
    void (*down)(uint64_t link, void *ctx); /* once after up; nothing more comes from it */
};

struct orc_links_config {
    const char *targets; /* "127.0.0.1:7001,media.internal:7001" */
    const char *replica; /* sent in Welcome */
    struct cs_rpc_tls tls;
    const char *authorization; /* or NULL */
    const struct orc_link_events *events;
    void *ctx;
};

enum cs_status orc_links_create(struct cs_rpc *rpc, const struct orc_links_config *config, struct orc_links **ret_links,
                                struct cs_err *err) CS_MUST_USE;
/* Half-closes the streams, waits for `down` of each that was up. */
void orc_links_destroy(struct orc_links *links);
CS_DEFINE_AUTO(orc_links, orc_links_destroy)

/* Queues a message. CANCELLED when the link is down (its `down` has come or is on its way). */
enum cs_status orc_links_send(struct orc_links *links, uint64_t link, const Callsheet__V1__WorkRequest *request,
                              struct cs_err *err);
/* Breaks a link that misbehaves; `down` follows. */
void orc_links_drop(struct orc_links *links, uint64_t link);

#endif
