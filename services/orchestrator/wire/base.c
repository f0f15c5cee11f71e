#include "wire/base.h"

#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/rpc.h"
#include "domain/fsm.h"
#include "wire/names.h"
#include "wire/results.h"

/* The request while it is resolved. */
struct resolving {
    Callsheet__V1__CreateExecutionRequest *request;
    const struct orc_base *base;
    struct cs_arena *arena;
    struct orc_named *own;             /* jobs of the plan */
    struct orc_named *theirs;          /* jobs of the base that can be named */
    struct orc_named *imports;         /* by the id that the plan uses */
    const struct orc_results *results; /* of the base, once it has ended */
    bool *same;                        /* for each job of the plan: it is a reference */
    Callsheet__V1__Job **all;          /* the plan's jobs and room for imports */
    size_t count;
};

static struct orc_named *names_of(const Callsheet__V1__Plan *plan, struct cs_arena *arena) {
    struct orc_named *names = NULL;
    for (size_t i = 0; i < plan->n_jobs; i++) {
        const Callsheet__V1__Job *job = plan->jobs[i];
        bool hidden = job->operation != NULL && job->operation->params_case == CALLSHEET__V1__OPERATION__PARAMS_IMPORT;
        if (!hidden && orc_names_find(names, job->id) == NULL) {
            names = orc_names_add(names, job->id, i, arena);
        }
    }
    return names;
}

/* ---- the base ---- */

enum cs_status orc_base_not_found(const char *id, struct cs_err *err) {
    (void)cs_fail(err, CS_NOT_FOUND, "base_not_found", "Base execution not found: %.64s", id);
    return cs_err_at(err, "baseExecutionId");
}

const char *orc_base_incomplete_text(const char *id, enum orc_execution_state state, struct cs_arena *arena) {
    return cs_arena_sprintf(arena, "Base execution not completed: %s (%s)", id, orc_execution_fsm.state_names[state]);
}

enum cs_status orc_base_check(const struct orc_base *base, struct cs_err *err) {
    if (base->state == ORC_EXECUTION_FAILED || base->state == ORC_EXECUTION_CANCELLED) {
        (void)cs_fail(err, CS_FAILED_PRECONDITION, "base_not_completed", "Base execution not completed: %s (%s)",
                      base->id, orc_execution_fsm.state_names[base->state]);
        return cs_err_at(err, "baseExecutionId");
    }
    return CS_OK;
}

enum cs_status orc_base_read(const char *id, enum orc_execution_state state, const void *request_bytes,
                             size_t request_size, const void *summary_bytes, size_t summary_size,
                             struct cs_arena *arena, struct orc_base *ret_base, struct cs_err *err) {
    ProtobufCMessage *request = NULL;
    ProtobufCMessage *summary = NULL;
    CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__create_execution_request__descriptor, request_bytes,
                                       request_size, arena, &request, err));
    if (summary_bytes != NULL) {
        CS_TRY(cs_rpc_message_unpack_arena(&callsheet__v1__execution__descriptor, summary_bytes, summary_size, arena,
                                           &summary, err));
    }
    const Callsheet__V1__Plan *plan = ((const Callsheet__V1__CreateExecutionRequest *)request)->plan;
    if (plan == NULL) {
        return cs_fail(err, CS_DATA_LOSS, "bad_request_row", "the stored request of execution %s has no plan", id);
    }
    *ret_base = (struct orc_base){cs_arena_strdup(arena, id), state, plan, (const Callsheet__V1__Execution *)summary};
    return CS_OK;
}

/* ---- references ---- */

static void pack(const ProtobufCMessage *message, struct cs_arena *arena, uint8_t **ret_bytes, size_t *ret_size) {
    *ret_size = protobuf_c_message_get_packed_size(message);
    *ret_bytes = cs_arena_alloc(arena, *ret_size);
    (void)protobuf_c_message_pack(message, *ret_bytes);
}

/* The parameters without what the orchestrator wrote into them. */
static enum cs_status canonical(const Callsheet__V1__Operation *operation, struct cs_arena *arena, uint8_t **ret_bytes,
                                size_t *ret_size, struct cs_err *err) {
    ProtobufCMessage *copy = NULL;
    struct cs_media_slot *slots = NULL;
    size_t count = 0;
    pack(&operation->base, arena, ret_bytes, ret_size);
    CS_TRY(
        cs_rpc_message_unpack_arena(&callsheet__v1__operation__descriptor, *ret_bytes, *ret_size, arena, &copy, err));
    CS_TRY(cs_catalog_media_slots((Callsheet__V1__Operation *)copy, arena, &slots, &count, err));
    for (size_t i = 0; i < count; i++) {
        slots[i].ref->input = 0;
        slots[i].ref->step = 0;
    }
    pack(copy, arena, ret_bytes, ret_size);
    return CS_OK;
}

static enum cs_status equal(const Callsheet__V1__Operation *a, const Callsheet__V1__Operation *b, bool *ret_equal,
                            struct cs_err *err) {
    CS_AUTO(cs_arena) *scratch = cs_arena_create();
    uint8_t *bytes[2];
    size_t sizes[2];
    *ret_equal = false;
    if (a == NULL || b == NULL || a->params_case != b->params_case) {
        return CS_OK;
    }
    CS_TRY(canonical(a, scratch, &bytes[0], &sizes[0], err));
    CS_TRY(canonical(b, scratch, &bytes[1], &sizes[1], err));
    *ret_equal = sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0;
    return CS_OK;
}

/* The same by themselves, whatever they refer to. */
static enum cs_status mark_candidates(struct resolving *r, struct cs_err *err) {
    const Callsheet__V1__Plan *plan = r->request->plan;
    for (size_t i = 0; i < plan->n_jobs; i++) {
        const struct orc_named *twin = orc_names_find(r->theirs, plan->jobs[i]->id);
        bool there = twin != NULL && (r->base->summary == NULL || orc_results_find(r->results, twin->id) != NULL ||
                                      orc_results_fused(r->results, twin->id) != NULL);
        if (there) {
            CS_TRY(equal(plan->jobs[i]->operation, r->base->plan->jobs[twin->index]->operation, &r->same[i], err));
        }
    }
    return CS_OK;
}

/* Whether what it refers to means the same in both plans. */
static bool refers_alike(const struct resolving *r, const struct cs_media_slot *slots, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const Callsheet__V1__MediaRef *ref = slots[i].ref;
        if (ref->source_case != CALLSHEET__V1__MEDIA_REF__SOURCE_JOB) {
            continue;
        }
        const struct orc_named *own = orc_names_find(r->own, ref->job);
        if (own != NULL ? !r->same[own->index] : orc_names_find(r->theirs, ref->job) == NULL) {
            return false; /* "$base" is another one in each of them, and no job of the base */
        }
    }
    return true;
}

static enum cs_status drop_different(struct resolving *r, size_t index, bool *changed, struct cs_err *err) {
    CS_AUTO(cs_arena) *scratch = cs_arena_create();
    struct cs_media_slot *slots = NULL;
    size_t count = 0;
    if (!r->same[index]) {
        return CS_OK;
    }
    CS_TRY(cs_catalog_media_slots(r->request->plan->jobs[index]->operation, scratch, &slots, &count, err));
    if (!refers_alike(r, slots, count)) {
        r->same[index] = false;
        *changed = true;
    }
    return CS_OK;
}

/* Until nothing changes; in both directions in turn, as plans are mostly in the order of their edges. */
static enum cs_status mark_references(struct resolving *r, struct cs_err *err) {
    size_t count = r->request->plan->n_jobs;
    bool changed = true;
    CS_TRY(mark_candidates(r, err));
    while (changed) {
        changed = false;
        for (size_t i = 0; i < count; i++) {
            CS_TRY(drop_different(r, i, &changed, err));
        }
        for (size_t i = count; changed && i-- > 0;) {
            CS_TRY(drop_different(r, i, &changed, err));
        }
    }
    for (size_t i = 0; i < count; i++) {
        r->request->plan->jobs[i]->reference = r->same[i];
    }
    return CS_OK;
}

/* ---- imports ---- */

static Callsheet__V1__MediaType output_of(const Callsheet__V1__Job *job) {
    return cs_catalog_output_type(job->operation);
}

static Callsheet__V1__Import *import_of(const struct resolving *r, const char *id) {
    Callsheet__V1__Import *import = cs_arena_alloc(r->arena, sizeof(*import));
    callsheet__v1__import__init(import);
    bool final = strcmp(id, CS_BASE_RESULT) == 0;
    const char *source = !final ? id : r->base->summary != NULL ? r->base->summary->result_job_id : "";
    const struct orc_named *named = orc_names_find(r->theirs, source);
    import->execution_id = (char *)r->base->id;
    import->job_id = (char *)source;
    import->unknown_output = named == NULL;
    import->output = named != NULL ? output_of(r->base->plan->jobs[named->index])
                                   : CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED;
    if (named != NULL) {
        import->more_output = cs_catalog_more_type(r->base->plan->jobs[named->index]->operation);
    }
    return import;
}

/* Whether a job of the base that is done again here finds what it takes under this name. */
static enum cs_status check_needed(struct resolving *r, const char *job, const char *needed, struct cs_err *err) {
    const struct orc_named *own = orc_names_find(r->own, needed);
    if (own != NULL ? r->same[own->index] : orc_names_find(r->theirs, needed) != NULL) {
        return CS_OK;
    }
    (void)cs_fail(err, CS_FAILED_PRECONDITION, "base_output_discarded",
                  own != NULL ? "job \"%s\" of the base execution %s has no output that was kept, and cannot be done "
                                "again here: it takes \"%s\", which is another job in this plan"
                              : "job \"%s\" of the base execution %s has no output that was kept, and cannot be done "
                                "again here: it takes \"%s\" of that execution's own base",
                  job, r->base->id, needed);
    return cs_err_at(err, "baseExecutionId");
}

/* The base has no output of it any more: it is done again here, with all that it needs. What the base itself took from
 * a base of its own is not in its plan, and "$base" would be another one. */
static enum cs_status redo(struct resolving *r, const struct orc_named *theirs, struct cs_err *err) {
    CS_AUTO(cs_arena) *scratch = cs_arena_create();
    Callsheet__V1__Job *job = cs_arena_copy(r->arena, r->base->plan->jobs[theirs->index], sizeof(*job));
    struct cs_media_slot *slots = NULL;
    size_t count = 0;
    CS_TRY(cs_catalog_media_slots(job->operation, scratch, &slots, &count, err));
    for (size_t i = 0; i < count; i++) {
        if (slots[i].ref->source_case == CALLSHEET__V1__MEDIA_REF__SOURCE_JOB) {
            CS_TRY(check_needed(r, job->id, slots[i].ref->job, err));
        }
    }
    for (size_t i = 0; i < job->n_depends_on; i++) {
        CS_TRY(check_needed(r, job->id, job->depends_on[i], err));
    }
    job->reference = false;
    r->imports = orc_names_add(r->imports, job->id, r->count, r->arena);
    r->all[r->count++] = job;
    return CS_OK;
}

/* It has its result there and does not run, so it needs nothing: what it refers to must only be known. */
static bool is_done(const struct resolving *r, const Callsheet__V1__Job *job) {
    return job->reference && r->results != NULL && orc_results_find(r->results, job->id) != NULL;
}

/* done: for a job that does not run. */
static enum cs_status import_result(struct resolving *r, const char *id, bool done, struct cs_err *err) {
    bool final = strcmp(id, CS_BASE_RESULT) == 0;
    if (orc_names_find(r->own, id) != NULL || orc_names_find(r->imports, id) != NULL ||
        (!final && orc_names_find(r->theirs, id) == NULL)) {
        return CS_OK;
    }
    if (!final && !done && r->results != NULL && orc_results_fused(r->results, id) != NULL) {
        return redo(r, orc_names_find(r->theirs, id), err);
    }
    Callsheet__V1__Job *job = cs_arena_alloc(r->arena, sizeof(*job));
    callsheet__v1__job__init(job);
    job->id = cs_arena_strdup(r->arena, id);
    job->operation = cs_arena_alloc(r->arena, sizeof(*job->operation));
    callsheet__v1__operation__init(job->operation);
    job->operation->params_case = CALLSHEET__V1__OPERATION__PARAMS_IMPORT;
    job->operation->import = import_of(r, id);
    r->imports = orc_names_add(r->imports, job->id, r->count, r->arena);
    r->all[r->count++] = job;
    return CS_OK;
}

static enum cs_status import_for(struct resolving *r, Callsheet__V1__Job *job, struct cs_err *err) {
    CS_AUTO(cs_arena) *scratch = cs_arena_create();
    struct cs_media_slot *slots = NULL;
    size_t count = 0;
    if (job->operation == NULL) {
        return CS_OK; /* the plan's check says so */
    }
    if (!job->reference && job->n_depends_on == 0 && orc_names_find(r->imports, job->id) == NULL) {
        cs_catalog_imply(job->operation, CS_BASE_RESULT, r->arena);
    }
    for (size_t i = 0; i < job->n_depends_on; i++) {
        CS_TRY(import_result(r, job->depends_on[i], is_done(r, job), err));
    }
    CS_TRY(cs_catalog_media_slots(job->operation, scratch, &slots, &count, err));
    for (size_t i = 0; i < count; i++) {
        if (slots[i].ref->source_case == CALLSHEET__V1__MEDIA_REF__SOURCE_JOB) {
            CS_TRY(import_result(r, slots[i].ref->job, is_done(r, job), err));
        }
    }
    return CS_OK;
}

static bool is_import(const Callsheet__V1__Job *job) {
    return job->operation != NULL && job->operation->params_case == CALLSHEET__V1__OPERATION__PARAMS_IMPORT;
}

static enum cs_status import_for_those(struct resolving *r, bool done, struct cs_err *err) {
    for (size_t i = 0; i < r->count; i++) { /* what is done again needs others, too */
        if (!is_import(r->all[i]) && is_done(r, r->all[i]) == done) {
            CS_TRY(import_for(r, r->all[i], err));
        }
    }
    return CS_OK;
}

static enum cs_status import_all(struct resolving *r, struct cs_err *err) {
    Callsheet__V1__Plan *plan = r->request->plan;
    r->count = plan->n_jobs;
    r->all = cs_arena_array(r->arena, plan->n_jobs + r->base->plan->n_jobs + 1, sizeof(Callsheet__V1__Job *));
    for (size_t i = 0; i < plan->n_jobs; i++) {
        r->all[i] = plan->jobs[i];
    }
    CS_TRY(import_for_those(r, false, err)); /* first: what one of these needs is there for all */
    CS_TRY(import_for_those(r, true, err));
    plan->jobs = r->all;
    plan->n_jobs = r->count;
    return CS_OK;
}

enum cs_status orc_base_resolve(Callsheet__V1__CreateExecutionRequest *request, const struct orc_base *base,
                                struct cs_arena *arena, struct cs_err *err) {
    CS_TRY(orc_base_check(base, err));
    if (request->plan == NULL || request->plan->n_jobs > ORC_PLAN_JOBS_MAX) {
        return CS_OK; /* the plan's check says so */
    }
    struct resolving r = {
        .request = request,
        .base = base,
        .arena = arena,
        .own = names_of(request->plan, arena),
        .theirs = names_of(base->plan, arena),
        .results = base->summary != NULL ? orc_results_of(base->summary, arena) : NULL,
        .same = cs_arena_array(arena, request->plan->n_jobs, sizeof(bool)),
    };
    enum cs_status status = mark_references(&r, err);
    if (status == CS_OK) {
        status = import_all(&r, err);
    }
    orc_names_clear(r.own);
    orc_names_clear(r.theirs);
    orc_names_clear(r.imports);
    return status;
}
