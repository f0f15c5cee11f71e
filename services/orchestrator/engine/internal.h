/*
 * internal: the parts of the engine together; every file of engine/ that runs on its thread works on this struct.
 *
 *     queue.c     what comes in                      dispatch.c   ready jobs -> workers with free slots
 *     engine.c    life, the loop                     assign.c     attempts under way, by fence
 *     submit.c    submissions
 *     client.c    reads, cancels, watches, lists     workers.c    what links and workers report
 *     step.c      one event into one execution       wakeups.c    deadlines, retries, deliveries that are due
 *     batch.c seal.c effects.c   one group commit    watchers.c   who watches what
 *     waiting.c   why a job is not running           bases.c      executions that build on others wait for their end
 *     map.c       jobs that make jobs                change.c     plans that change under way
 *     approval.c  what people decide                 outside.c    jobs that somebody outside does
 *     fusion.c    jobs that are done in one run       sharing.c    chunks of long jobs on idle slots elsewhere
 *     cache.c     work that was done before, or is   lookup.c     the thread that asks what results are kept
 *     hall.c      turns, priorities              gates.c      limits: who must wait though a slot is free
 *     track.c     the ways to the database           headroom.c   slots for tenants that hold few
 *     committer.c the threads that write batches    reader.c     threads that read rows
 *     recovery.c  rows -> entries                    event_wire.c events <-> bytes
 *     keeper.c    the thread that keeps our lease, brings back what we own, takes over from the dead
 *     returning.c who waits for what is on its way back
 */
#ifndef ORC_ENGINE_INTERNAL_H
#define ORC_ENGINE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "cs/base/clock.h"
#include "engine/bases.h"
#include "engine/batch.h"
#include "engine/cache.h"
#include "engine/dispatch.h"
#include "engine/engine.h"
#include "engine/entry.h"
#include "engine/keeper.h"
#include "engine/outside.h"
#include "engine/queue.h"
#include "engine/reader.h"
#include "engine/returning.h"
#include "engine/sharing.h"
#include "engine/timers.h"
#include "engine/track.h"
#include "engine/watchers.h"
#include "store/store.h"

enum { ORC_RECORD_START_MS = 500 };

struct orc_counters {
    atomic_size_t open;    /* executions in memory */
    atomic_size_t left;    /* … that are on their way back to it */
    atomic_size_t ready;   /* jobs and deliveries that wait for a worker */
    atomic_size_t running; /* assignments */
    atomic_size_t links;
    atomic_size_t clients_waiting; /* submissions, reads and cancels without an answer */
    atomic_size_t waiting_bytes;   /* of submissions without an answer, and of changes that nobody has looked at */
    atomic_uint_fast64_t commits;
    atomic_uint_fast64_t commit_failures;
    atomic_uint_fast64_t commit_us;
    atomic_uint_fast64_t events;
    atomic_uint_fast64_t jobs_ended;
    atomic_uint_fast64_t executions_created;
    atomic_uint_fast64_t executions_ended;
    atomic_uint_fast64_t reports_dropped; /* with a fence that is not honoured (any more) */
    atomic_uint_fast64_t jobs_lost;
    atomic_uint_fast64_t recoveries;
    atomic_size_t outside; /* external attempts under way */
    atomic_uint_fast64_t approved;
    atomic_uint_fast64_t rejected;
    atomic_uint_fast64_t cache_hits; /* jobs with a result that was kept, or just made by another */
    atomic_uint_fast64_t cache_misses;
    atomic_uint_fast64_t cache_waits;  /* jobs that waited for another to make it */
    atomic_uint_fast64_t runs_fused;   /* of several jobs, that succeeded */
    atomic_uint_fast64_t jobs_fused;   /* … and how many jobs these did */
    atomic_uint_fast64_t runs_split;   /* … that failed */
    atomic_uint_fast64_t chunks_given; /* to workers that help another */
    atomic_uint_fast64_t chunks_made;  /* by them */
};

struct orc_engine {
    /* configuration, read-only */
    char *database_url;
    char *replica; /* the name we were given, or "": one of our own for each time we join */
    char *environment;
    char *public_url;
    char *link_secret;
    struct cs_clock clock;

    struct orc_queue queue;
    struct orc_links *links;
    struct orc_keeper keeper;
    char name[ORC_REPLICA_NAME_MAX]; /* joined as, in its last epoch; of the thread that loads */
    int64_t epoch;                   /* 0: never yet */
    void (*failed)(const struct cs_err *err, void *ctx);
    void *failed_ctx;
    struct orc_readers *readers;
    struct orc_counters counters;
    atomic_uint_fast64_t next_watch;
    pthread_t thread;

    /* below: of the engine's thread */
    int64_t now_ms;
    int64_t read_mono_ms;       /* up to where now_ms has followed */
    struct orc_entry *entries;  /* by id */
    struct orc_holder *tenants; /* for each of them a slot */
    struct orc_timers timers;
    struct orc_dispatch dispatch;
    struct orc_watches watches;
    struct orc_bases bases;
    struct orc_cache cache;
    struct orc_track tracks[ORC_TRACKS];
    uint64_t batch_count;         /* so far; they are numbered from 1 on, 0: never changed */
    struct orc_commands commands; /* of the step under way */
    struct cs_arena *scratch;     /* of the turn under way */
    bool recovering;
    struct orc_returning returning;
    bool falling; /* drops everything when the commits under way have ended; nothing more is committed */
    bool stopping;
    int64_t give_up_ms; /* stopping: when to stop waiting for the database */
};

/* ---- step.c ---- */
/* Steps the domain at engine->now_ms and arranges what follows. `entry` may have been closed for good, but not freed.
 */
enum cs_status orc_engine_step(struct orc_engine *engine, struct orc_entry *entry, struct orc_event *event,
                               struct cs_err *err) CS_MUST_USE;
/* For events that our own bookkeeping makes legal; a failure is logged. */
void orc_engine_must_step(struct orc_engine *engine, struct orc_entry *entry, struct orc_event *event);
/* Steps a job that waits or is ready to its end with a result that is there already. */
void orc_engine_reuse(struct orc_engine *engine, struct orc_entry *entry, const struct orc_reuses *reuses,
                      size_t index);
/* The entry has a change that the batch being filled must record. */
void orc_engine_touch(struct orc_engine *engine, struct orc_entry *entry);
/* Runs the effect once everything that the entry has been through is committed: now, or after a batch. */
void orc_engine_after_commit(struct orc_engine *engine, const struct orc_effect *effect);
/* The batch that holds the entry's last change, or NULL when all of it is committed. */
struct orc_batch *orc_engine_batch_of(const struct orc_entry *entry);
void orc_engine_set_timer(struct orc_engine *engine, struct orc_entry *entry);
/* How far the attempt under way says that it is; or NULL. */
const struct orc_progress *orc_seat_progress(const struct orc_seat *seat);
bool orc_engine_start_unrecorded(const struct orc_entry *entry);
struct orc_entry *orc_engine_find(struct orc_engine *engine, const char *id);
void orc_engine_add(struct orc_engine *engine, struct orc_entry *entry);
/* Takes it out of every list and frees it. */
void orc_engine_forget(struct orc_engine *engine, struct orc_entry *entry);
/* The execution as clients see it, in the arena, pointing into the entry: good until its next step. Never NULL. jobs
 * NULL: all. */
Callsheet__V1__Execution *orc_engine_view(struct orc_entry *entry, const uint32_t *jobs, size_t job_count,
                                          struct cs_arena *arena);
/* The same, on its own: good as long as the arena. */
Callsheet__V1__Execution *orc_engine_snapshot(struct orc_entry *entry, const uint32_t *jobs, size_t job_count,
                                              struct cs_arena *arena);

/* ---- track.c, seal.c, effects.c ---- */
/* Hands filled batches to the committers that are free. */
void orc_engine_commit_if_free(struct orc_engine *engine);
/* Every change has been committed. */
bool orc_engine_settled(const struct orc_engine *engine);
/* Makes the rows of a filled batch complete. */
void orc_engine_seal(struct orc_engine *engine, struct orc_batch *batch);
void orc_engine_run_effect(struct orc_engine *engine, const struct orc_batch *batch, const struct orc_effect *effect);
/* Gives a job that is ready to whoever does such work; an external one that is under way too. */
void orc_engine_start_job(struct orc_engine *engine, struct orc_entry *entry, uint32_t job);
void orc_engine_committed(struct orc_engine *engine, const struct orc_item *item);
/* Drops everything and recovers, once the committers do not read from it any more. */
void orc_engine_fall(struct orc_engine *engine);
/* Tells every client who waits for the commit that it failed. */
void orc_engine_fail_batch(struct orc_engine *engine, struct orc_batch *batch);

/* ---- recovery.c ---- */
/* What we had open when we joined, by id, and how much of it has come back to memory. */
struct orc_owned;
void orc_owned_destroy(struct orc_owned *owned); /* NULL is fine */
CS_DEFINE_AUTO(orc_owned, orc_owned_destroy)
size_t orc_owned_left(const struct orc_owned *owned);
/* Joins. On the committer's thread, or before there are any. */
enum cs_status orc_engine_join(struct orc_engine *engine, struct orc_owned **ret_owned, struct cs_err *err) CS_MUST_USE;
/* Serves from now on; the keeper brings back what we own. Takes it. */
void orc_engine_joined(struct orc_engine *engine, struct orc_owned *owned);
/* Puts a list of entries to work. */
void orc_engine_adopt(struct orc_engine *engine, struct orc_entry *entries);
/* A list of entries is ready; false: no more. On the store's thread. */
typedef bool orc_take_fn(struct orc_entry *entries, void *ctx);
/* Reads the rest of what the replica `name`, we, owns, in batches for `take`. A failure may be tried again. */
enum cs_status orc_engine_take_back(const char *name, struct orc_store *store, struct orc_owned *owned,
                                    orc_take_fn *take, void *ctx, struct cs_err *err) CS_MUST_USE;
/* Shuts out a dead replica and claims what it left, in batches that are given to `take` (false: no more).
 * *ret_progress: something was claimed, or nothing is left of it. */
enum cs_status orc_engine_take_over(struct orc_engine *engine, struct orc_store *store, const char *dead,
                                    orc_take_fn *take, void *ctx, bool *ret_progress, struct cs_err *err) CS_MUST_USE;
/* One entry of a row with its events. On any thread. */
enum cs_status orc_engine_entry_from(const struct orc_stored *row, struct cs_arena *scratch,
                                     struct orc_entry **ret_entry, struct cs_err *err) CS_MUST_USE;
/* Drops all memory and asks for a recovery; no committer is at work. */
void orc_engine_drop_all(struct orc_engine *engine);

/* ---- submit.c, client.c ---- */
/* UNAVAILABLE "recovering". */
void orc_engine_refuse_recovering(struct cs_err *err);
/* One more client waits for an answer; RESOURCE_EXHAUSTED "overloaded". */
enum cs_status orc_engine_enter(struct orc_engine *engine, struct cs_err *err) CS_MUST_USE;
/* The same with a request that needs so much room until orc_engine_bytes_taken. */
enum cs_status orc_engine_enter_with(struct orc_engine *engine, size_t size_bytes, struct cs_err *err) CS_MUST_USE;
void orc_engine_bytes_taken(struct orc_engine *engine, size_t size_bytes);
/* Answers with the execution that has the key, when it was asked for alike; `otherwise` (or NULL) when there is none.
 */
void orc_engine_answer_key(struct orc_engine *engine, const char *tenant, const char *key,
                           const unsigned char *request_sha256, const struct cs_err *otherwise, orc_created_fn *done,
                           void *ctx);
void orc_engine_reply_existing(const struct orc_stored *item, orc_created_fn *done, void *ctx);
void orc_engine_take_submit(struct orc_engine *engine, struct orc_item *item);
void orc_engine_take_get(struct orc_engine *engine, struct orc_item *item);
void orc_engine_take_cancel(struct orc_engine *engine, struct orc_item *item);
/* The entry of that tenant; NULL when it is not in memory and its row answers, or the answer has been given. */
struct orc_entry *orc_engine_find_for(struct orc_engine *engine, struct orc_item *item);
/* Answers once what the entry has been through is committed. why NULL: with its state as it is now. */
void orc_engine_answer_from(struct orc_engine *engine, struct orc_entry *entry, const struct orc_item *item,
                            const struct cs_err *why);
struct orc_item *orc_engine_named_item(enum orc_item_kind kind, const char *tenant, const char *id);
void orc_engine_put(struct orc_engine *engine, struct orc_item *item);
void orc_engine_take_watch(struct orc_engine *engine, struct orc_item *item);
/* A submission whose key was taken: answers it from the row that has the key. */
void orc_engine_answer_duplicate(struct orc_engine *engine, const struct orc_row_created *row,
                                 const struct orc_effect *effect);
void orc_engine_answered(struct orc_engine *engine);

/* ---- fusion.c ---- */
/* The job of the seat, which goes to that worker, and those that are done in the same run; the pass gets the permits
 * that they need. */
void orc_fusion_choose(struct orc_engine *engine, struct orc_seat *seat, const struct orc_peer *peer,
                       struct orc_pass *pass, struct orc_chain *ret_chain);
/* The job is done in one run with others, now. */
bool orc_fusion_runs(const struct orc_entry *entry, uint32_t job);
/* The first job of that run, which has its assignment; the job itself when it runs alone. */
uint32_t orc_fusion_first(const struct orc_entry *entry, uint32_t job);
/* What the failure of an attempt is to the domain, and what its loss: FAILED and LOST, or SPLIT. Counts and logs that.
 */
enum orc_event_kind orc_fusion_failure(struct orc_engine *engine, const struct orc_entry *entry, uint32_t job);
enum orc_event_kind orc_fusion_loss(struct orc_engine *engine, const struct orc_entry *entry, uint32_t job);
/* A run of several jobs has succeeded: steps each of them. The event: SUCCEEDED of its first job. */
void orc_fusion_succeeded(struct orc_engine *engine, struct orc_entry *entry, struct orc_event *event);

/* ---- map.c ---- */
/* A map is ready: its items come into the plan, or it looks at those that are there. */
void orc_map_begin(struct orc_engine *engine, struct orc_entry *entry, uint32_t job);
/* Ends it when its items tell enough. */
void orc_map_gather(struct orc_engine *engine, struct orc_entry *entry, uint32_t job);
/* After its bad end: what was ready of its items does not wait for a worker any more. */
void orc_map_leave(struct orc_engine *engine, struct orc_entry *entry, uint32_t job);

/* ---- change.c ---- */
void orc_engine_take_change(struct orc_engine *engine, struct orc_item *item);

/* ---- approval.c ---- */
void orc_engine_take_decide(struct orc_engine *engine, struct orc_item *item);
/* Of an execution that is not open any more. */
enum cs_status orc_engine_decided_late(int state, struct cs_err *err);
/* Nobody decided in time: about a job, about the whole. */
void orc_engine_expire_approval(struct orc_engine *engine, struct orc_entry *entry, uint32_t job);
void orc_engine_expire_approval_of_whole(struct orc_engine *engine, struct orc_entry *entry);

/* ---- outside.c ---- */
void orc_engine_take_report(struct orc_engine *engine, struct orc_item *item);
void orc_outside_report_destroy(struct orc_outside_report *report); /* NULL is fine */
/* Leaves only the job that the report is about; CS_OK when it says the same as what ended it. */
enum cs_status orc_outside_repeated(const struct orc_outside_report *report, Callsheet__V1__Execution *execution,
                                    struct cs_err *err) CS_MUST_USE;

/* ---- metrics.c ---- */
void orc_engine_take_metrics(struct orc_engine *engine, struct orc_item *item);

/* ---- workers.c ---- */
extern const struct orc_link_events orc_engine_link_events;
void orc_engine_take_link_up(struct orc_engine *engine, struct orc_item *item);
void orc_engine_take_reports(struct orc_engine *engine, struct orc_item *item);
void orc_engine_take_link_down(struct orc_engine *engine, struct orc_item *item);

/* ---- wakeups.c ---- */
void orc_engine_fire_timers(struct orc_engine *engine);
/* From now on its worker must be heard of and its progress seen, each within its limit. */
void orc_engine_guard(struct orc_engine *engine, struct orc_assignment *assignment);
/* Queues the delivery when it is due. */
void orc_engine_deliver(struct orc_engine *engine, struct orc_entry *entry);

/* For tests with a clock of their own: look at it again. */
void orc_engine_poke(struct orc_engine *engine);

#endif
