#include "wire/results.h"

#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"

struct orc_results {
    const char *final_id;
    const Callsheet__V1__JobStatus **jobs; /* with a result, by id */
    size_t count;
};

static int by_id(const void *a, const void *b) {
    const Callsheet__V1__JobStatus *const *left = a;
    const Callsheet__V1__JobStatus *const *right = b;
    return strcmp((*left)->id, (*right)->id);
}

static bool is_usable(const Callsheet__V1__JobStatus *job) {
    bool usable = job->state == CALLSHEET__V1__JOB_STATE__JOB_STATE_COMPLETED;
    for (size_t i = 0; i < job->n_outputs; i++) {
        usable = usable && (!cs_str_empty(job->outputs[i]->key) || !cs_str_empty(job->outputs[i]->url));
    }
    return usable;
}

const struct orc_results *orc_results_of(const Callsheet__V1__Execution *summary, struct cs_arena *arena) {
    struct orc_results *results = cs_arena_alloc(arena, sizeof(*results));
    results->final_id = summary->result_job_id;
    results->jobs = cs_arena_array(arena, summary->n_jobs, sizeof(Callsheet__V1__JobStatus *));
    results->count = 0;
    for (size_t i = 0; i < summary->n_jobs; i++) {
        if (is_usable(summary->jobs[i])) {
            results->jobs[results->count++] = summary->jobs[i];
        }
    }
    qsort(results->jobs, results->count, sizeof(Callsheet__V1__JobStatus *), by_id);
    return results;
}

const Callsheet__V1__JobStatus *orc_results_find(const struct orc_results *results, const char *id) {
    Callsheet__V1__JobStatus wanted = CALLSHEET__V1__JOB_STATUS__INIT;
    const Callsheet__V1__JobStatus *key = &wanted;
    wanted.id = (char *)(id[0] != '\0' ? id : results->final_id);
    const Callsheet__V1__JobStatus **found =
        bsearch(&key, results->jobs, results->count, sizeof(Callsheet__V1__JobStatus *), by_id);
    return found != NULL ? *found : NULL;
}

static void add(struct orc_reuses *reuses, uint32_t job, const Callsheet__V1__JobStatus *source,
                struct cs_arena *arena) {
    Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    succeeded.n_outputs = source->n_outputs;
    succeeded.outputs = source->outputs;
    succeeded.n_metrics = source->n_metrics;
    succeeded.metrics = source->metrics;
    if (source->external != NULL) {
        succeeded.data = source->external->result;
    }
    size_t size = protobuf_c_message_get_packed_size(&succeeded.base);
    uint8_t *payload = cs_arena_alloc(arena, size);
    (void)protobuf_c_message_pack(&succeeded.base, payload);
    reuses->items[reuses->count++] = (struct orc_reuse){job, cs_arena_strdup(arena, source->id), payload, size};
}

static struct orc_reuses empty(const struct orc_plan *plan, const Callsheet__V1__Execution *summary, const char *reason,
                               struct cs_arena *arena) {
    return (struct orc_reuses){.execution = cs_arena_strdup(arena, summary->id),
                               .reason = reason,
                               .items = cs_arena_array(arena, plan->job_count, sizeof(struct orc_reuse))};
}

struct orc_reuses orc_reuses_of_base(const struct orc_plan *plan, const Callsheet__V1__Execution *summary,
                                     struct cs_arena *arena) {
    struct orc_reuses reuses = empty(plan, summary, "base", arena);
    const struct orc_results *results = orc_results_of(summary, arena);
    for (uint32_t i = 0; i < plan->job_count; i++) {
        const Callsheet__V1__JobStatus *source =
            plan->jobs[i].base_job != NULL ? orc_results_find(results, plan->jobs[i].base_job) : NULL;
        if (source != NULL) {
            add(&reuses, i, source, arena);
        }
    }
    return reuses;
}

struct orc_reuses orc_reuses_of_earlier(const struct orc_plan *plan, const Callsheet__V1__Execution *summary,
                                        const bool *again, const char *reason, struct cs_arena *arena) {
    struct orc_reuses reuses = empty(plan, summary, reason, arena);
    const struct orc_results *results = orc_results_of(summary, arena);
    for (uint32_t i = 0; i < plan->job_count; i++) {
        bool kept = !plan->jobs[i].hidden && (again == NULL || !again[i]);
        const Callsheet__V1__JobStatus *source = kept ? orc_results_find(results, plan->jobs[i].id) : NULL;
        if (source != NULL) {
            add(&reuses, i, source, arena);
        }
    }
    return reuses;
}
