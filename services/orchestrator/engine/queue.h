/*
 * queue: everything that reaches the engine's thread, in order of arrival.
 *
 * Any thread puts items; the engine's thread takes all that are there at once.
 *
 * Owns     an item belongs to the queue once it was put, to the taker afterwards; items are malloc'ed.
 * Threads  any, but orc_queue_take.
 */
#ifndef ORC_ENGINE_QUEUE_H
#define ORC_ENGINE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/report.h"

enum orc_item_kind {
    ORC_ITEM_SUBMIT,
    ORC_ITEM_GET,
    ORC_ITEM_CANCEL,
    ORC_ITEM_WATCH,
    ORC_ITEM_UNWATCH,
    ORC_ITEM_WATCH_LOADED, /* a watched execution that was not in memory has been read */
    ORC_ITEM_LINK_UP,
    ORC_ITEM_REPORTS,
    ORC_ITEM_LINK_DOWN,
    ORC_ITEM_COMMITTED, /* the batch under way, or its failure */
    ORC_ITEM_JOINED,
    ORC_ITEM_TAKEN,    /* executions that are ours now, or again */
    ORC_ITEM_RETURNED, /* all that we owned has been TAKEN */
    ORC_ITEM_REPLACED, /* we are not who we were: another has fenced us */
    ORC_ITEM_BASES,    /* bases that are waited for: those that have ended */
    ORC_ITEM_CHANGE,   /* of a plan under way */
    ORC_ITEM_ANSWERS,  /* which results are kept */
    ORC_ITEM_DECIDE,   /* about an approval */
    ORC_ITEM_OUTSIDE,  /* a report about an external job */
    ORC_ITEM_METRICS,
    ORC_ITEM_POKE, /* look at the clock again */
    ORC_ITEM_STOP,
};

struct orc_entry;
struct orc_owned;
struct orc_track;
struct orc_lookup_round;
struct orc_change;
struct orc_decide;
struct orc_outside_report;

struct orc_item {
    struct orc_item *next;
    enum orc_item_kind kind;
    size_t size_bytes;                     /* CHANGE, OUTSIDE: of the request */
    char tenant[ORC_TENANT_BYTES_MAX + 1]; /* GET, CANCEL, WATCH */
    char id[24];
    union {
        struct {
            struct orc_submission *submission;
            orc_created_fn *done;
            void *ctx;
        } submit;
        struct {
            char reason[ORC_CANCEL_REASON_BYTES_MAX + 1]; /* CANCEL */
            struct orc_change *change;                    /* CHANGE */
            struct orc_decide *decide;                    /* DECIDE */
            struct orc_outside_report *report;            /* OUTSIDE */
            orc_read_fn *done;
            void *ctx;
        } read;
        struct {
            uint64_t watch;
            const struct orc_watcher_events *events;
            void *ctx;
        } watch; /* UNWATCH: only its number */
        struct {
            uint64_t watch;
            struct cs_arena *arena;              /* holds execution */
            Callsheet__V1__Execution *execution; /* or NULL and err */
            struct cs_err err;
        } loaded;
        struct {
            uint64_t link;
            struct orc_hello *hello;     /* LINK_UP */
            struct orc_reports *reports; /* REPORTS */
        } link;
        struct {
            struct orc_track *track;
            bool ok;
            struct cs_err err;
        } committed;
        struct {
            orc_metrics_fn *done;
            void *ctx;
        } metrics;
        struct {
            struct cs_arena *arena; /* holds items */
            const struct orc_stored *items;
            size_t count;
        } bases;
        struct orc_lookup_round *round; /* ANSWERS */
        struct orc_owned *owned;        /* JOINED */
        struct {
            uint64_t generation;       /* of the keeper */
            struct orc_entry *entries; /* TAKEN: a list by their next_recovered */
        } taken;
    };
};

struct orc_queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    /* below: guarded by lock */
    struct orc_item *first;
    struct orc_item *last;
    size_t count;
    bool closed;
};

void orc_queue_init(struct orc_queue *queue);
void orc_queue_fini(struct orc_queue *queue);
struct orc_item *orc_item_create(enum orc_item_kind kind);
/* False when the queue is closed; the item is then the caller's again. */
bool orc_queue_put(struct orc_queue *queue, struct orc_item *item);
/* Takes everything, in order; waits for something up to wait_ms (<= 0: not at all). */
struct orc_item *orc_queue_take(struct orc_queue *queue, int64_t wait_ms);
size_t orc_queue_count(struct orc_queue *queue);
/* No more puts; what is in it can still be taken. */
void orc_queue_close(struct orc_queue *queue);

#endif
