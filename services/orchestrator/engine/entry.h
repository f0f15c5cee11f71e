/*
 * entry: an open execution as the engine holds it.
 *
 * Owns     its execution, the arena that holds plan and envelope, its seats. Whatever points to an entry (queues,
 *          timers, assignments, watches, batches) is undone before orc_entry_destroy.
 * Threads  the engine's; made by the recovering thread too.
 */
#ifndef ORC_ENGINE_ENTRY_H
#define ORC_ENGINE_ENTRY_H

#include "cs/base/hash.h"

#include "cs/trace.h"
#include "domain/execution.h"
#include "engine/timers.h"
#include "wire/plan_wire.h"

struct orc_lane;
struct orc_line;
struct orc_assignment;
struct orc_watch;
struct orc_awaited;
struct orc_outside;
struct orc_flight;
struct orc_track;
struct orc_holder;

#define ORC_SEAT_OF_DELIVERY UINT32_MAX
enum { ORC_SEATS_A_BLOCK = 64 };

/* The place of a job, or of the delivery, in the engine. It stays where it is while the plan grows. */
struct orc_seat {
    struct orc_entry *entry;
    uint32_t job;            /* or ORC_SEAT_OF_DELIVERY */
    uint32_t place;          /* in its lane; good only while an answer is made */
    struct orc_lane *lane;   /* waits there for a worker or at a gate, or NULL */
    struct orc_line *called; /* a gate's, that sent it back to its station, or NULL */
    uint64_t ticket;         /* order of becoming ready */
    int64_t ready_ms;
    uint64_t link; /* that its last attempt went to; 0 none since the start */
    struct orc_seat *prev;
    struct orc_seat *next;
    struct orc_assignment *assignment; /* of the current attempt, or NULL */
    struct orc_outside *outside;       /* the same of an external job */
    struct orc_flight *flight;         /* does, or waits for, work that others may want too; or NULL */
};

struct orc_entry {
    UT_hash_handle hh; /* by execution->id */
    struct orc_execution *execution;
    struct cs_arena *arena;
    const Callsheet__V1__CreateExecutionRequest *envelope;
    void *request; /* until the commit that creates the row */
    char traceparent[CS_TRACEPARENT_SIZE];
    char trace_id[CS_TRACE_ID_HEX_SIZE];
    struct orc_seat *seats; /* of the jobs that were there at first */
    struct orc_seat **more; /* of those that came later, in blocks; or NULL */
    uint32_t seat_count;    /* in `seats` */
    uint32_t block_count;   /* in `more` */
    struct orc_seat delivery;
    struct orc_track *track;   /* by which its changes are committed */
    struct orc_holder *holder; /* its tenant, and how many executions that has open */
    uint64_t batch;            /* number of the batch that holds its last change */
    bool dirty;                /* that batch is the one being filled */
    bool unwanted;             /* its idempotency key was taken: forgotten with the batch that would have created it */
    int recorded_state;        /* as its row says, with the batches under way */
    int64_t recorded_wake_ms;
    struct orc_awaited *awaited; /* waits for the end of its base, or NULL */
    struct orc_entry *base_prev; /* among those that do */
    struct orc_entry *base_next;
    struct orc_timer timer;
    int64_t guard_at_ms;     /* not after the first running attempt can be found silent or stuck; INT64_MAX none */
    struct orc_watch *watch; /* or NULL */
    void *webhook_body;      /* frozen at the terminal commit; or NULL */
    size_t webhook_body_size;
    const Callsheet__V1__Execution *ended; /* recovered after its end: as the row tells it, in the arena; or NULL */
    struct orc_entry *next_recovered;
};

/* Takes over the execution and the arena. */
struct orc_entry *orc_entry_create(struct orc_execution *execution, struct cs_arena *arena,
                                   const Callsheet__V1__CreateExecutionRequest *envelope, const struct cs_trace *trace);
void orc_entry_destroy(struct orc_entry *entry);
void orc_entries_destroy(struct orc_entry *entries); /* a list by next_recovered */

/* Of a job of the plan, or of ORC_SEAT_OF_DELIVERY. */
struct orc_seat *orc_entry_seat(const struct orc_entry *entry, uint32_t job);
/* After the plan has grown: seats for the jobs that are new. */
void orc_entry_grow(struct orc_entry *entry);
struct orc_seat *orc_entry_delivery(struct orc_entry *entry);
bool orc_seat_is_delivery(const struct orc_seat *seat);

#endif
