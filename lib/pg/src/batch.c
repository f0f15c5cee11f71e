#include <assert.h>
#include <string.h>

#include "internal.h"

struct slot {
    size_t first_item; /* in batch->items */
    size_t bytes_offset;
    int64_t affected;
    struct cs_pg_rows *rows;
};

struct cs_pg_batch {
    struct cs_pg *pg;
    struct pg_command *commands; /* pointers into items and bytes are set when it is run */
    struct slot *slots;
    size_t count;
    size_t capacity;
    struct cs_buf items; /* of struct cs_pg_param */
    struct cs_buf bytes;
    bool committed;
};

struct cs_pg_batch *cs_pg_batch_create(struct cs_pg *pg) {
    struct cs_pg_batch *batch = cs_alloc(sizeof(*batch));
    batch->pg = pg;
    return batch;
}

static void forget_results(struct cs_pg_batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        pg_command_clear(&batch->commands[i]);
        cs_pg_rows_destroy(batch->slots[i].rows);
        batch->slots[i].rows = NULL;
        batch->slots[i].affected = 0;
    }
    batch->committed = false;
}

void cs_pg_batch_clear(struct cs_pg_batch *batch) {
    forget_results(batch);
    batch->count = 0;
    cs_buf_clear(&batch->items);
    cs_buf_clear(&batch->bytes);
}

void cs_pg_batch_destroy(struct cs_pg_batch *batch) {
    if (batch == NULL) {
        return;
    }
    cs_pg_batch_clear(batch);
    free(batch->commands);
    free(batch->slots);
    cs_buf_fini(&batch->items);
    cs_buf_fini(&batch->bytes);
    free(batch);
}

size_t cs_pg_batch_add(struct cs_pg_batch *batch, const struct cs_pg_statement *statement,
                       const struct cs_pg_params *params) {
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity != 0 ? batch->capacity * 2 : 8;
        batch->commands = cs_realloc(batch->commands, batch->capacity * sizeof(*batch->commands));
        batch->slots = cs_realloc(batch->slots, batch->capacity * sizeof(*batch->slots));
    }
    batch->slots[batch->count] = (struct slot){
        .first_item = batch->items.size / sizeof(struct cs_pg_param),
        .bytes_offset = batch->bytes.size,
    };
    batch->commands[batch->count] = (struct pg_command){
        .statement = statement,
        .item_count = params != NULL ? params->count : 0,
    };
    if (params != NULL) {
        cs_buf_put(&batch->items, params->items, (size_t)params->count * sizeof(struct cs_pg_param));
        cs_buf_put(&batch->bytes, params->bytes.data, params->bytes.size);
    }
    return batch->count++;
}

size_t cs_pg_batch_count(const struct cs_pg_batch *batch) {
    return batch->count;
}

static void aim(struct cs_pg_batch *batch) {
    const struct cs_pg_param *items = (const struct cs_pg_param *)(const void *)batch->items.data;
    for (size_t i = 0; i < batch->count; i++) {
        batch->commands[i].items = items != NULL ? items + batch->slots[i].first_item : NULL;
        batch->commands[i].bytes = batch->bytes.data != NULL ? batch->bytes.data + batch->slots[i].bytes_offset : NULL;
    }
}

enum cs_status cs_pg_batch_commit(struct cs_pg_batch *batch, struct cs_err *err) {
    forget_results(batch);
    if (batch->count != 0) {
        aim(batch);
        CS_TRY(pg_run(batch->pg, PG_TRANSACTION, batch->commands, batch->count, err));
    }
    for (size_t i = 0; i < batch->count; i++) {
        batch->slots[i].affected = pg_affected(batch->commands[i].result);
        batch->slots[i].rows = pg_rows_create(batch->commands[i].entry, cs_steal(&batch->commands[i].result));
    }
    batch->committed = true;
    return CS_OK;
}

int64_t cs_pg_batch_affected(const struct cs_pg_batch *batch, size_t index) {
    assert(batch->committed && index < batch->count);
    return batch->slots[index].affected;
}

struct cs_pg_rows *cs_pg_batch_rows(struct cs_pg_batch *batch, size_t index) {
    assert(batch->committed && index < batch->count);
    return batch->slots[index].rows;
}
