/* Which addresses are workers: names are resolved again and again. */
#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "links/internal.h"

enum { RESOLVE_EVERY_MS = 3000 };

static struct orc_link_peer *find_peer(struct orc_links *links, const char *address) {
    for (struct orc_link_peer *peer = links->peers; peer != NULL; peer = peer->next) {
        if (cs_str_eq(peer->address, address)) {
            return peer;
        }
    }
    return NULL;
}

static void want(struct orc_links *links, size_t target, const char *address) {
    struct orc_link_peer *peer = find_peer(links, address);
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
    peer->backoff_ms = ORC_LINK_BACKOFF_MIN_MS;
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
    for (struct orc_link_peer *peer = links->peers; peer != NULL; peer = peer->next) {
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

void *orc_run_resolver(void *arg) {
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
            orc_links_wait_until(links, next_ms);
        }
    }
    pthread_mutex_unlock(&links->lock);
    return NULL;
}
