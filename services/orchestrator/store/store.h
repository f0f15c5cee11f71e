/*
 * store: the orchestrator's rows. One function per job that SQL does; the only part that knows lib/pg.
 *
 * Threads  a store is one connection and belongs to one thread; the engine's committer has one, readers have a small
 *          pool.
 * Fails    ABORTED "fenced": this replica's row has gone or has a newer epoch — drop everything and start again.
 *          UNAVAILABLE "commit_in_doubt": the connection broke around COMMIT — likewise. UNAVAILABLE, retryable:
 *          nothing was written, try again.
 */
#ifndef ORC_STORE_STORE_H
#define ORC_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"

enum {
    ORC_LOG_VERSION = 3, /* of the events that are written now; see engine/event_wire.h */
    ORC_LEASE_MS = 2500, /* how long a replica that says nothing counts as alive */
    ORC_READ_BYTES_MAX =
        16 << 20, /* of executions with their events that are read at once, unless one alone is bigger */
};

struct orc_store;

/* Applies the migrations (advisory lock; safe to call from many processes). FAILED_PRECONDITION "database_newer",
 * "log_newer": a newer program has run on it. */
enum cs_status orc_store_migrate(const char *url, struct cs_err *err) CS_MUST_USE;
enum cs_status orc_store_open(const char *url, struct orc_store **ret_store, struct cs_err *err) CS_MUST_USE;
void orc_store_close(struct orc_store *store);
CS_DEFINE_AUTO(orc_store, orc_store_close)
/* Makes the call that runs, and every later one, fail with CANCELLED "interrupted" soon. Any thread; for shutting down.
 */
void orc_store_interrupt(struct orc_store *store);

/* Makes this process the replica of that name, alive for ORC_LEASE_MS: a new epoch that fences out any earlier process.
 * Later commits through this store verify it under a lock. */
enum cs_status orc_store_join(struct orc_store *store, const char *replica, int64_t now_ms, int64_t *ret_epoch,
                              struct cs_err *err) CS_MUST_USE;
/* The same after a fall, when the name's last epoch of ours was `epoch`: FAILED_PRECONDITION "replica_taken" when
 * another process is alive under the name. */
enum cs_status orc_store_rejoin(struct orc_store *store, const char *replica, int64_t epoch, int64_t now_ms,
                                int64_t *ret_epoch, struct cs_err *err) CS_MUST_USE;
/* Lets this store act as a replica that joined through another one. */
void orc_store_assume(struct orc_store *store, const char *replica, int64_t epoch);

/* ---- one group commit: everything or nothing, one round trip ---- */

struct orc_row_created {
    const char *id;
    const char *tenant;
    const char *idempotency_key; /* "" none; unique per tenant */
    unsigned char request_sha256[32];
    const void *request; /* packed CreateExecutionRequest, as accepted */
    size_t request_size;
    int64_t created_at_ms;
    int64_t wake_at_ms;
    const char *traceparent;
    const char *origin; /* the execution that it is a retry or a rerun of, or NULL */
};

struct orc_row_event {
    const char *execution;
    uint64_t seq;
    int kind; /* enum orc_event_kind */
    uint32_t job;
    uint32_t attempt;
    int64_t at_ms;
    const void *payload; /* encoded by engine/event_wire.c */
    size_t payload_size;
    int version; /* of a stored one; what is written has ORC_LOG_VERSION */
};

/* New head of an execution that had events. */
struct orc_row_head {
    const char *id;
    int state; /* enum orc_execution_state */
    bool open; /* false: the engine forgets it */
    uint64_t seq;
    int64_t started_at_ms;   /* 0 null */
    int64_t completed_at_ms; /* 0 null */
    int64_t wake_at_ms;      /* ignored when not open */
    const void *summary;     /* packed callsheet.v1.Execution once terminal, else NULL (kept as it is) */
    size_t summary_size;
    const void *webhook_body; /* frozen at the terminal commit, else NULL (kept as it is) */
    size_t webhook_body_size;
};

struct orc_row_kept; /* store/cache.h */

struct orc_commit {
    const struct orc_row_created *created;
    size_t created_count;
    const struct orc_row_event *events;
    size_t event_count;
    const struct orc_row_head *heads;
    size_t head_count;
    const struct orc_row_kept *kept; /* of each subject the last counts */
    size_t kept_count;
};

/* A created row whose (tenant, idempotency key) exists is left out and reported in ret_duplicates (created_count flags,
 * caller allocates); the rest of the batch commits. */
enum cs_status orc_store_commit(struct orc_store *store, const struct orc_commit *commit, bool *ret_duplicates,
                                struct cs_err *err) CS_MUST_USE;

/* ---- reading ---- */

/* A stored execution. Strings and bytes live in the arena that was passed. */
struct orc_stored {
    const char *id;
    const char *tenant;
    int state;
    bool open;
    const void *request;
    size_t request_size;
    const void *summary; /* NULL while open and not terminal */
    size_t summary_size;
    const void *webhook_body; /* or NULL */
    size_t webhook_body_size;
    unsigned char request_sha256[32];
    int64_t created_at_ms;
    int64_t started_at_ms;
    int64_t completed_at_ms;
    uint64_t seq;
    const char *traceparent;
    const char *successors;             /* of orc_store_get: ids of its retries and reruns, "a,b"; else NULL */
    const struct orc_row_event *events; /* of orc_store_open_executions, in order of seq */
    size_t event_count;
};

/* The ids of what a replica has open, the oldest first. */
enum cs_status orc_store_open_ids(struct orc_store *store, const char *replica, struct cs_arena *arena,
                                  const char ***ret_ids, size_t *ret_count, struct cs_err *err) CS_MUST_USE;
/* Those of `ids` (ordered by their bytes) that the replica has open, with their events: as many from the front as ORC_READ_BYTES_MAX
 * holds, one at least; two queries. *ret_count 0: it has none of them. */
enum cs_status orc_store_open_executions(struct orc_store *store, const char *replica, const char *const *ids,
                                         size_t id_count, struct cs_arena *arena, struct orc_stored **ret_items,
                                         size_t *ret_count, struct cs_err *err) CS_MUST_USE;
/* NOT_FOUND "no_such_execution", also when it is another tenant's. Without events. */
enum cs_status orc_store_get(struct orc_store *store, const char *tenant, const char *id, struct cs_arena *arena,
                             struct orc_stored **ret_item, struct cs_err *err) CS_MUST_USE;
/* The same with its events. */
enum cs_status orc_store_get_log(struct orc_store *store, const char *tenant, const char *id, struct cs_arena *arena,
                                 struct orc_stored **ret_item, struct cs_err *err) CS_MUST_USE;
/* Who runs it: *ret_address is "" when that replica is not alive. */
enum cs_status orc_store_owner(struct orc_store *store, const char *tenant, const char *id, struct cs_arena *arena,
                               const char **ret_owner, const char **ret_address, struct cs_err *err) CS_MUST_USE;
/* Of those executions the ones that have ended, with their summary, and those that are not there (any more), with state
 * 0: nothing but id, state and summary. One statement. */
enum cs_status orc_store_ended(struct orc_store *store, const char *const *ids, size_t id_count, struct cs_arena *arena,
                               struct orc_stored **ret_items, size_t *ret_count, struct cs_err *err) CS_MUST_USE;
/* By idempotency key; NOT_FOUND when there is none. */
enum cs_status orc_store_find_key(struct orc_store *store, const char *tenant, const char *idempotency_key,
                                  struct cs_arena *arena, struct orc_stored **ret_item, struct cs_err *err) CS_MUST_USE;
/* What a list shows of a tenant's executions. */
struct orc_list {
    const char *tenant;
    bool active_only;       /* only those that have not ended */
    int64_t since_ms;       /* only those created then or later; 0: all */
    const char *const *ids; /* also these, whether active or not */
    size_t id_count;
    int64_t before_ms; /* the page begins before (before_ms, before_id) when before_id is not "" */
    const char *before_id;
    size_t skip; /* so many of them left out */
    size_t limit;
};
/* Newest first. Without request, digest, webhook body and trace. */
enum cs_status orc_store_list(struct orc_store *store, const struct orc_list *list, struct cs_arena *arena,
                              struct orc_stored **ret_items, size_t *ret_count, struct cs_err *err) CS_MUST_USE;

/* ---- replicas: being alive, and taking over from those that are not ---- */

struct orc_alive {
    bool kept;        /* false: this epoch has been fenced */
    const char *dead; /* a replica whose lease has ended, or "" */
    int64_t next_ms;  /* until the next lease of another ends, unless it is renewed; -1: there is none */
};
/* Renews the lease for ORC_LEASE_MS and tells others where our gRPC server is. One statement. */
enum cs_status orc_store_keep(struct orc_store *store, const char *address, struct cs_arena *arena,
                              struct orc_alive *ret_alive, struct cs_err *err) CS_MUST_USE;
/* Ends our lease: the next that looks takes over what is open. *ret_released (may be NULL) is false when we are fenced.
 */
enum cs_status orc_store_release(struct orc_store *store, bool *ret_released, struct cs_err *err) CS_MUST_USE;

/* Shuts a replica out whose lease has ended; waits for its last commit. *ret_epoch 0: it is alive, or gone. */
enum cs_status orc_store_fence(struct orc_store *store, const char *dead, int64_t *ret_epoch,
                               struct cs_err *err) CS_MUST_USE;
/* Makes some of what it left open ours, with their events: the next ones after `after_id` ("" from the start), at most
 * `limit` and as many bytes as orc_store_open_executions reads. Of two that race exactly one gets each execution. *ret_count 0: nothing is left
 * there, or others are taking it. ABORTED "fenced" when we are fenced ourselves, "not_fenced" when somebody joined
 * under its name. A failure after the claim is in doubt. */
enum cs_status orc_store_claim(struct orc_store *store, const char *dead, int64_t epoch, const char *after_id,
                               size_t limit, struct cs_arena *arena, struct orc_stored **ret_items, size_t *ret_count,
                               struct cs_err *err) CS_MUST_USE;
/* Removes its row if nothing of it is open any more. */
enum cs_status orc_store_remove(struct orc_store *store, const char *dead, int64_t epoch, bool *ret_removed,
                                struct cs_err *err) CS_MUST_USE;

#endif
