/*
 * reader: reads rows of executions that are not in memory.
 *
 * A few threads, each with a connection, take requests in order; lists run in the caller's thread on a connection of
 * their own small pool.
 *
 * Threads  any. `done` runs on a reader's thread.
 * Patience a read that failed because the database is away is tried again for ORC_READ_PATIENCE_MS.
 * Fails    NOT_FOUND as orc_store_get does; UNAVAILABLE "not_read" when the database did not answer (why is logged),
 * "stopping" when the readers end first; RESOURCE_EXHAUSTED "overloaded" beyond ORC_READS_WAITING_MAX.
 */
#ifndef ORC_ENGINE_READER_H
#define ORC_ENGINE_READER_H

#include "store/store.h"

enum { ORC_READ_THREADS = 2, ORC_LIST_CONNECTIONS = 2, ORC_READS_WAITING_MAX = 1 << 14, ORC_READ_PATIENCE_MS = 5000 };

struct orc_readers;

enum cs_status orc_readers_create(const char *database_url, struct orc_readers **ret_readers,
                                  struct cs_err *err) CS_MUST_USE;
/* Answers what waits with a failure. */
void orc_readers_destroy(struct orc_readers *readers);
CS_DEFINE_AUTO(orc_readers, orc_readers_destroy)

/* item and what it holds live until done returns; or it is NULL and err set. */
typedef void orc_stored_fn(const struct orc_stored *item, const struct cs_err *err, void *ctx);
/* By id, or by idempotency key when id is NULL. */
void orc_readers_get(struct orc_readers *readers, const char *tenant, const char *id, const char *key,
                     orc_stored_fn *done, void *ctx);
/* Which of those executions have ended or are not there, as orc_store_ended tells. items live until done returns. */
typedef void orc_ended_fn(const struct orc_stored *items, size_t count, const struct cs_err *err, void *ctx);
void orc_readers_ended(struct orc_readers *readers, const char *const *ids, size_t id_count, orc_ended_fn *done,
                       void *ctx);
/* Who runs it: the address of a live replica that is neither ours nor unreachable (or NULL), or the row with its
 * events, or err. */
typedef void orc_owner_fn(const char *address, const struct orc_stored *item, const struct cs_err *err, void *ctx);
void orc_readers_locate(struct orc_readers *readers, const char *tenant, const char *id, const char *our_address,
                        const char *unreachable, orc_owner_fn *done, void *ctx);
enum cs_status orc_readers_list(struct orc_readers *readers, const struct orc_list *list, struct cs_arena *arena,
                                struct orc_stored **ret_items, size_t *ret_count, struct cs_err *err) CS_MUST_USE;

/* Runs something that may be done twice on a connection of the lists, in the caller's thread. */
typedef enum cs_status orc_lent_fn(struct orc_store *store, void *ctx, struct cs_err *err);
enum cs_status orc_readers_lend(struct orc_readers *readers, orc_lent_fn *run, void *ctx,
                                struct cs_err *err) CS_MUST_USE;

/* Makes lists that run, and every later one, fail with "stopping" soon. */
void orc_readers_end_lists(struct orc_readers *readers);

#endif
