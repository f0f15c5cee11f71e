/* Forgetting the kept results of an execution's work: in the caller's thread, from rows alone, whoever runs it. */
#include "cs/base/log.h"
#include "engine/internal.h"
#include "wire/cache_wire.h"

struct invalidation {
    const char *tenant;
    const char *id;
    int64_t count;
};

typedef unsigned char subject_bytes[ORC_CACHE_SUBJECT_BYTES];

/* The same digests that the jobs looked for and kept their results under. */
static size_t subjects_of(const struct orc_execution *execution, struct cs_arena *arena, subject_bytes *subjects) {
    size_t count = 0;
    for (uint32_t i = 0; i < execution->plan->job_count; i++) {
        struct cs_err not_ready = {0}; /* then it has neither taken nor made a result */
        if (execution->plan->jobs[i].cache != ORC_CACHE_OFF &&
            orc_cache_subject(execution, i, arena, subjects[count], &not_ready) == CS_OK) {
            count++;
        }
    }
    return count;
}

static enum cs_status invalidate(struct orc_store *store, void *ctx, struct cs_err *err) {
    struct invalidation *invalidation = ctx;
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_stored *row = NULL;
    struct orc_entry *entry = NULL;
    subject_bytes *subjects = NULL;
    size_t count = 0;
    struct cs_err why = {0};
    CS_TRY(orc_store_get_log(store, invalidation->tenant, invalidation->id, arena, &row, err));
    if (orc_engine_entry_from(row, arena, &entry, &why) == CS_OK) {
        subjects = cs_arena_array(arena, entry->execution->plan->job_count, sizeof(*subjects));
        count = subjects_of(entry->execution, arena, subjects);
        orc_entry_destroy(entry);
    } else { /* what it made itself is found by its id */
        cs_log_warn("execution cannot be read for its kept results", CS_KV("execution", invalidation->id),
                    CS_KVE(&why));
    }
    return orc_store_cache_invalidate(store, invalidation->tenant, invalidation->id, (const subject_bytes *)subjects,
                                      count, &invalidation->count, err);
}

enum cs_status orc_engine_invalidate(struct orc_engine *engine, const char *tenant, const char *id,
                                     uint32_t *ret_entries, struct cs_err *err) {
    struct invalidation invalidation = {.tenant = tenant, .id = id};
    CS_TRY(orc_readers_lend(engine->readers, invalidate, &invalidation, err));
    *ret_entries = (uint32_t)invalidation.count;
    return CS_OK;
}
