/* store/internal: what the files of the store share. */
#ifndef ORC_STORE_INTERNAL_H
#define ORC_STORE_INTERNAL_H

#include "cs/pg.h"
#include "store/store.h"

struct orc_store {
    struct cs_pg *pg;
    struct cs_pg_batch *batch; /* reused by each commit */
    char *replica;             /* joined as, or NULL */
    int64_t epoch;
};

/* read.c: an execution's columns, for statements that return them. */
#define ORC_WHOLE                                                                                                      \
    "id:text tenant:text state:int4 open:bool request:bytea summary:bytea webhook_body:bytea request_sha256:bytea "    \
    "created_at_ms:int8 started_at_ms:int8 completed_at_ms:int8 seq:int8 traceparent:text"
/* Rows of those columns, with their events (one more query when there are any). */
enum cs_status orc_store_read_whole(struct orc_store *store, struct cs_pg_rows *rows, struct cs_arena *arena,
                                    struct orc_stored **ret_items, size_t *ret_count, struct cs_err *err) CS_MUST_USE;
/* commit.c: fenced, in doubt, or to be tried again; the rest are bugs. */
enum cs_status orc_store_explain(struct cs_err *err);
/* cache.c: the statement that keeps results, in a batch. */
void orc_store_add_kept(struct orc_store *store, const struct orc_row_kept *rows, size_t count);
/* commit.c: the statement that verifies our epoch, first in a batch. */
void orc_store_add_fence(struct orc_store *store);

#endif
