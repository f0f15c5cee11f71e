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

#endif
