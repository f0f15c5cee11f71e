/*
 * sharing: chunks of a long job on slots of other workers that nobody needs.
 *
 * The worker of an attempt says which chunks of it may be made elsewhere (Spread). Each goes, the last first, to a
 * worker that takes such work, could do the job, and has a free slot while no job waits that the slot would fit: an
 * assignment as any other to that worker, and nothing to the log, to limits and to the turns of tenants. A job that
 * becomes ready meanwhile waits for the end of a chunk at most. What becomes of each is told to the worker of the
 * attempt (ChunkNews), which makes itself what nobody else does. Nothing of this outlives the attempt.
 *
 * Owns     a spread belongs to the assignment of its attempt, until nobody wants the attempt's result any more; a share
 *          to the assignment of who makes the chunk, which stays until that worker's last word.
 * Threads  the engine's.
 */
#ifndef ORC_ENGINE_SHARING_H
#define ORC_ENGINE_SHARING_H

#include "engine/dispatch.h"

enum {
    ORC_SHARE_REFUSED_REST_MS = 1000,     /* before a worker that had no slot after all is asked again */
    ORC_SHARE_FAILED_REST_MS = 30 * 1000, /* … one that could not make a chunk, or fell silent over it */
};

/* Of an attempt. */
struct orc_spread {
    struct orc_assignment *owner;
    unsigned char plan[ORC_SPREAD_PLAN_BYTES];
    uint32_t chunks[ORC_SPREAD_CHUNKS_MAX]; /* on offer, or under way elsewhere */
    uint32_t count;
    bool settled[ORC_SPREAD_CHUNKS_MAX]; /* was made elsewhere, or could not be: not given again */
    struct orc_share *shares;            /* under way */
    uint32_t share_count;
    struct orc_spread *prev;
    struct orc_spread *next;
};

/* A chunk that another worker makes. */
struct orc_share {
    struct orc_assignment *assignment;
    struct orc_spread *spread; /* NULL: not wanted any more */
    uint32_t chunk;
    struct orc_share *prev;
    struct orc_share *next;
};

/* What the worker of an attempt has on offer now. */
void orc_spread_take(struct orc_engine *engine, struct orc_assignment *assignment, const struct orc_report *report);
/* When the assignment has one: whoever helps is told to stop. */
void orc_spread_end(struct orc_engine *engine, struct orc_assignment *assignment);
/* Gives chunks to slots that nobody needs, as far as both go. After all jobs that are ready. */
void orc_sharing_run(struct orc_engine *engine);
/* Chunks of workers that are not heard of any more are theirs no longer. */
void orc_sharing_look(struct orc_engine *engine);
/* When there is something to do, if nothing happens before; INT64_MAX never. */
int64_t orc_sharing_due_ms(const struct orc_engine *engine);
/* What the worker of a share says about it. */
void orc_share_report(struct orc_engine *engine, struct orc_assignment *assignment, const struct orc_report *report);
/* When the assignment is one: it ends without a word. */
void orc_share_leave(struct orc_engine *engine, struct orc_assignment *assignment);

#endif
