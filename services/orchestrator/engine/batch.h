/*
 * batch: what one commit writes, and what happens after it.
 *
 * Two batches take turns: one is filled by the engine's thread while the committer writes the other.
 *
 * Owns     rows, payloads and built messages live in the batch's arena until orc_batch_clear.
 * Threads  the engine's; the committer reads the rows of the batch that it was given.
 */
#ifndef ORC_ENGINE_BATCH_H
#define ORC_ENGINE_BATCH_H

#include "engine/engine.h"
#include "engine/entry.h"
#include "store/cache.h"
#include "store/store.h"

/* What happens after the commit. */
enum orc_effect_kind {
    ORC_EFFECT_CREATED,  /* answer a submission, begin its execution */
    ORC_EFFECT_READ,     /* answer a read or a cancellation */
    ORC_EFFECT_SEND,     /* the assignment of paid work, whose start is now in the log */
    ORC_EFFECT_SAVED,    /* acknowledge a checkpoint */
    ORC_EFFECT_STOP,     /* tell a worker to stop an attempt */
    ORC_EFFECT_DISPATCH, /* queue a job for a worker */
    ORC_EFFECT_GATHER,   /* see whether a map can end */
    ORC_EFFECT_DELIVER,  /* queue the webhook, or set its timer */
    ORC_EFFECT_FINISHED, /* say in the log of the process that an execution ended */
    ORC_EFFECT_UPDATE,   /* tell the watchers */
    ORC_EFFECT_SNAPSHOT, /* a watcher's first update */
    ORC_EFFECT_CLOSED,   /* forget the execution; after all others */
};

struct orc_effect {
    enum orc_effect_kind kind;
    struct orc_entry *entry;
    union {
        struct {
            size_t row; /* of created */
            orc_created_fn *done;
            void *ctx;
        } created;
        struct {
            const Callsheet__V1__Execution *execution; /* or NULL and err */
            const struct cs_err *err;
            orc_read_fn *done;
            void *ctx;
        } read;
        struct {
            unsigned char fence[ORC_FENCE_BYTES];
            uint64_t sequence; /* SAVED */
            bool for_good;     /* STOP: no other attempt of the job will follow */
        } attempt;             /* SEND, SAVED, STOP */
        uint32_t job;          /* DISPATCH, GATHER */
        struct {
            const Callsheet__V1__ExecutionUpdate *update;
            uint64_t watch; /* SNAPSHOT */
        } watch;
    };
};

struct orc_batch {
    uint64_t number;
    struct cs_arena *arena;
    struct orc_row_created *created;
    size_t created_count;
    size_t created_capacity;
    bool *duplicates; /* one for each created, written by the committer */
    struct orc_row_event *events;
    size_t event_count;
    size_t event_capacity;
    struct orc_row_head *heads; /* made when it is sealed */
    size_t head_count;
    struct orc_row_kept *kept;
    size_t kept_count;
    size_t kept_capacity;
    struct orc_entry **entries; /* with a change in this batch */
    size_t entry_count;
    size_t entry_capacity;
    struct orc_effect *effects;
    size_t effect_count;
    size_t effect_capacity;
};

void orc_batch_init(struct orc_batch *batch);
void orc_batch_fini(struct orc_batch *batch);
void orc_batch_clear(struct orc_batch *batch);
bool orc_batch_empty(const struct orc_batch *batch);

struct orc_row_created *orc_batch_add_created(struct orc_batch *batch);
struct orc_row_event *orc_batch_add_event(struct orc_batch *batch);
struct orc_row_kept *orc_batch_add_kept(struct orc_batch *batch);
void orc_batch_add_entry(struct orc_batch *batch, struct orc_entry *entry);
void orc_batch_add_effect(struct orc_batch *batch, const struct orc_effect *effect);

#endif
