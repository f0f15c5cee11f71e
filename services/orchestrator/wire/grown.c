#include "wire/grown.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/rpc.h"

/* ---- growing ---- */

static enum cs_status read_change(const struct orc_event *event, struct cs_arena *arena, Callsheet__V1__Plan **ret_plan,
                                  struct cs_err *err) {
    ProtobufCMessage *message = NULL;
    struct cs_err cause = {0};
    if (cs_rpc_message_unpack_arena(&callsheet__v1__plan__descriptor, event->payload, event->payload_size, arena,
                                    &message, &cause) != CS_OK) {
        return cs_fail(err, CS_DATA_LOSS, "bad_event_row", "an event of kind %d does not unpack: %s", (int)event->kind,
                       cause.message);
    }
    *ret_plan = (Callsheet__V1__Plan *)message;
    return CS_OK;
}

/* What the added plan says of all its jobs goes into each: it is not the whole plan's. */
static void settle_defaults(const Callsheet__V1__Plan *added, Callsheet__V1__Job *job) {
    if (job->priority == NULL) {
        job->priority = added->priority;
    }
}

static void mark_expanded(Callsheet__V1__Plan *plan, const char *map) {
    for (size_t i = 0; i < plan->n_jobs; i++) {
        plan->jobs[i]->expanded |= strcmp(plan->jobs[i]->id, map) == 0;
    }
}

static void append(Callsheet__V1__Plan *plan, const Callsheet__V1__Plan *added, struct cs_arena *arena) {
    Callsheet__V1__Job **jobs = cs_arena_array(arena, plan->n_jobs + added->n_jobs, sizeof(Callsheet__V1__Job *));
    for (size_t i = 0; i < plan->n_jobs; i++) {
        jobs[i] = plan->jobs[i];
    }
    for (size_t i = 0; i < added->n_jobs; i++) {
        settle_defaults(added, added->jobs[i]);
        jobs[plan->n_jobs + i] = added->jobs[i];
        if (!cs_str_empty(added->jobs[i]->parent) &&
            (i == 0 || strcmp(added->jobs[i]->parent, added->jobs[i - 1]->parent) != 0)) {
            mark_expanded(plan, added->jobs[i]->parent);
        }
    }
    plan->jobs = jobs;
    plan->n_jobs += added->n_jobs;
}

static enum cs_status change(Callsheet__V1__Plan *plan, const struct orc_event *event, struct cs_arena *arena,
                             struct cs_err *err) {
    Callsheet__V1__Plan *added = NULL;
    CS_TRY(read_change(event, arena, &added, err));
    assert(added != NULL);
    if (event->kind == ORC_EVENT_APPENDED) {
        append(plan, added, arena);
        return CS_OK;
    }
    if (event->job >= plan->n_jobs || added->n_jobs != 1) {
        return cs_fail(err, CS_DATA_LOSS, "bad_event_row", "an edit is of job number %" PRIu32 ", which is not there",
                       event->job);
    }
    plan->jobs[event->job]->operation = added->jobs[0]->operation;
    return CS_OK;
}

/* By id: the summary has the jobs in the order of the plan, but for those that clients do not see. */
static bool was_removed(const Callsheet__V1__Execution *summary, const char *id) {
    for (size_t i = 0; i < summary->n_jobs; i++) {
        const Callsheet__V1__JobStatus *job = summary->jobs[i];
        if (strcmp(job->id, id) == 0) {
            return job->state == CALLSHEET__V1__JOB_STATE__JOB_STATE_SKIPPED && job->error != NULL &&
                   cs_str_eq(job->error->code, "removed");
        }
    }
    return false;
}

static void drop_removed(Callsheet__V1__Plan *plan, const Callsheet__V1__Execution *summary, struct cs_arena *arena) {
    bool *removed = cs_arena_array(arena, plan->n_jobs, sizeof(*removed));
    for (size_t i = 0; i < plan->n_jobs; i++) {
        removed[i] = was_removed(summary, plan->jobs[i]->id);
    }
    orc_plan_drop(plan, removed, NULL, arena);
}

enum cs_status orc_request_grow(Callsheet__V1__CreateExecutionRequest *request, const struct orc_event *events,
                                size_t count, const Callsheet__V1__Execution *summary, struct cs_arena *arena,
                                struct cs_err *err) {
    bool removed = false;
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind == ORC_EVENT_APPENDED || events[i].kind == ORC_EVENT_EDITED) {
            CS_TRY(change(request->plan, &events[i], arena, err));
        }
        removed |= events[i].kind == ORC_EVENT_REMOVED;
    }
    if (removed) {
        drop_removed(request->plan, summary, arena);
    }
    return CS_OK;
}

/* ---- dropping ---- */

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct gone {
    const char **ids; /* sorted */
    size_t count;
};

static bool is_gone(const struct gone *gone, const char *id) {
    return bsearch(&id, gone->ids, gone->count, sizeof(*gone->ids), compare) != NULL;
}

static size_t keep_texts(const struct gone *gone, char **texts, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_gone(gone, texts[i])) {
            texts[kept++] = texts[i];
        }
    }
    return kept;
}

static void keep_inputs(const struct gone *gone, Callsheet__V1__Operation *operation, struct cs_arena *arena) {
    struct cs_media_slot *slots = NULL;
    size_t count = 0;
    struct cs_err err = {0};
    bool any = false;
    if (cs_catalog_media_slots(operation, arena, &slots, &count, &err) != CS_OK) {
        return; /* more inputs than a job may have: it was never accepted */
    }
    for (size_t i = 0; i < count; i++) {
        bool lost =
            slots[i].ref->source_case == CALLSHEET__V1__MEDIA_REF__SOURCE_JOB && is_gone(gone, slots[i].ref->job);
        slots[i].ref->input = lost ? 0 : (uint32_t)i + 1;
        any |= lost;
    }
    if (any) {
        cs_catalog_drop_unresolved(operation);
    }
}

static void forget(const struct gone *gone, Callsheet__V1__Job *job, struct cs_arena *arena) {
    job->n_depends_on = keep_texts(gone, job->depends_on, job->n_depends_on);
    job->n_optional_dependencies = keep_texts(gone, job->optional_dependencies, job->n_optional_dependencies);
    if (job->operation != NULL) {
        keep_inputs(gone, job->operation, arena);
    }
}

void orc_plan_drop(Callsheet__V1__Plan *plan, const bool *drop, bool *keep_in_step, struct cs_arena *arena) {
    struct gone gone = {.ids = cs_arena_array(arena, plan->n_jobs, sizeof(*gone.ids))};
    size_t kept = 0;
    for (size_t i = 0; i < plan->n_jobs; i++) {
        if (drop[i]) {
            gone.ids[gone.count++] = plan->jobs[i]->id;
            continue;
        }
        if (keep_in_step != NULL) {
            keep_in_step[kept] = keep_in_step[i];
        }
        plan->jobs[kept++] = plan->jobs[i];
    }
    if (gone.count == 0) {
        return;
    }
    plan->n_jobs = kept;
    qsort(gone.ids, gone.count, sizeof(*gone.ids), compare);
    for (size_t i = 0; i < kept; i++) {
        forget(&gone, plan->jobs[i], arena);
    }
    plan->n_root_job_ids = keep_texts(&gone, plan->root_job_ids, plan->n_root_job_ids);
}
