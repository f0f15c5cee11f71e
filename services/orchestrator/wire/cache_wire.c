#include "wire/cache_wire.h"

#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/crypto.h"
#include "wire/assign_wire.h"

#define MODE(word) CALLSHEET__V1__CACHE_MODE__CACHE_MODE_##word

_Static_assert(ORC_CACHE_SUBJECT_BYTES == (int)CS_SHA256_BYTES, "a subject is a SHA-256");

/* ---- modes ---- */

static enum cs_status check_mode(Callsheet__V1__CacheMode mode, struct cs_err *err) {
    if ((unsigned)mode > (unsigned)MODE(OFF)) {
        return cs_fail_at(err, "cache", "bad_cache_mode", "a cache mode is on, refresh or off");
    }
    return CS_OK;
}

enum cs_status orc_plan_cache_check(const Callsheet__V1__Plan *plan, struct cs_err *err) {
    return check_mode(plan->cache, err);
}

enum cs_status orc_job_cache_check(const Callsheet__V1__Job *job, const struct cs_operation *row, struct cs_err *err) {
    CS_TRY(check_mode(job->cache, err));
    bool asked = job->cache == MODE(ON) || job->cache == MODE(REFRESH);
    if (asked && cs_catalog_cacheability(row) == CS_CACHE_NEVER) {
        return cs_fail_at(err, "cache", "not_cacheable", "what %s does cannot be taken from a job that did it before",
                          row->name);
    }
    return CS_OK;
}

/* If it runs at all. */
static enum orc_cache_mode mode_of(const Callsheet__V1__Plan *plan, const Callsheet__V1__Job *job,
                                   const struct cs_operation *row) {
    enum cs_cacheability able = cs_catalog_cacheability(row);
    Callsheet__V1__CacheMode mode = job->cache != MODE(UNSPECIFIED) ? job->cache : plan->cache;
    if (able == CS_CACHE_NEVER) {
        return ORC_CACHE_OFF;
    }
    if (mode == MODE(UNSPECIFIED)) {
        mode = able == CS_CACHE_BY_DEFAULT ? MODE(ON) : MODE(OFF);
    }
    return mode == MODE(ON) ? ORC_CACHE_ON : mode == MODE(REFRESH) ? ORC_CACHE_REFRESH : ORC_CACHE_OFF;
}

enum orc_cache_mode orc_job_cache(const Callsheet__V1__Plan *plan, const Callsheet__V1__Job *job,
                                  const struct cs_operation *row) {
    return job->reference ? ORC_CACHE_OFF : mode_of(plan, job, row);
}

void orc_job_cache_refresh(const Callsheet__V1__Plan *plan, Callsheet__V1__Job *job) {
    const struct cs_operation *row = cs_catalog_by_case(job->operation->params_case);
    if (row != NULL && mode_of(plan, job, row) == ORC_CACHE_ON) {
        job->cache = MODE(REFRESH);
    }
}

/* ---- the subject ---- */

/* With its length ahead, so that no two lists of values give the same bytes. */
static void put(struct cs_sha256 *hash, const void *bytes, size_t size_bytes) {
    unsigned char length[8];
    for (size_t i = 0; i < sizeof(length); i++) {
        length[i] = (unsigned char)((uint64_t)size_bytes >> (8 * i));
    }
    cs_sha256_update(hash, length, sizeof(length));
    cs_sha256_update(hash, size_bytes != 0 ? bytes : "", size_bytes);
}

static void put_text(struct cs_sha256 *hash, const char *text) {
    put(hash, text, strlen(text));
}

static void put_input(struct cs_sha256 *hash, const Callsheet__V1__ResolvedInput *input) {
    if (input->source_case != CALLSHEET__V1__RESOLVED_INPUT__SOURCE_ARTIFACT) {
        put_text(hash, "url");
        put_text(hash, input->url);
    } else if (cs_str_empty(input->artifact->sha256)) {
        put_text(hash, "key"); /* immutable, too */
        put_text(hash, input->artifact->key);
    } else {
        put_text(hash, "sha256");
        put_text(hash, input->artifact->sha256);
    }
}

enum cs_status orc_cache_subject(const struct orc_execution *execution, uint32_t job, struct cs_arena *arena,
                                 unsigned char ret_subject[ORC_CACHE_SUBJECT_BYTES], struct cs_err *err) {
    Callsheet__V1__Assign assign = CALLSHEET__V1__ASSIGN__INIT;
    CS_TRY(orc_assign_work(execution, job, arena, &assign, err));
    cs_catalog_reduce(assign.operation);
    size_t size = protobuf_c_message_get_packed_size(&assign.operation->base);
    uint8_t *params = cs_arena_alloc(arena, size + 1);
    (void)protobuf_c_message_pack(&assign.operation->base, params);
    CS_AUTO(cs_sha256) *hash = cs_sha256_create();
    put_text(hash, "callsheet result 1");
    put_text(hash, execution->tenant);
    put_text(hash, execution->plan->jobs[job].operation->name);
    put(hash, params, size);
    for (size_t i = 0; i < assign.n_inputs; i++) {
        put_input(hash, assign.inputs[i]);
    }
    cs_sha256_final(hash, ret_subject);
    return CS_OK;
}

/* ---- what clients see ---- */

Callsheet__V1__CacheStatus *orc_cache_status(const struct orc_plan_job *planned, const struct orc_job *job,
                                             struct cs_arena *arena) {
    if (planned->cache == ORC_CACHE_OFF) {
        return NULL;
    }
    Callsheet__V1__CacheStatus *status = cs_arena_alloc(arena, sizeof(*status));
    callsheet__v1__cache_status__init(status);
    status->mode = planned->cache == ORC_CACHE_ON ? MODE(ON) : MODE(REFRESH);
    if (job->reused != NULL && cs_str_eq(job->reused->reason, "cache")) {
        status->outcome = (char *)"hit";
    } else if (job->cache_miss != ORC_CACHE_NO_MISS) {
        status->outcome = (char *)"miss";
        status->reason = (char *)orc_cache_miss_word(job->cache_miss);
    }
    return status;
}
