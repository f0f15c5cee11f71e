#include "wire/results.h"

#include <stdlib.h>
#include <string.h>

#include "cs/base/text.h"

struct orc_results {
    const char *final_id;
    const Callsheet__V1__JobStatus **jobs; /* with a result, by id */
    size_t count;
    const Callsheet__V1__JobStatus **fused; /* done in the run of another, by id */
    size_t fused_count;
};

static int by_id(const void *a, const void *b) {
    const Callsheet__V1__JobStatus *const *left = a;
    const Callsheet__V1__JobStatus *const *right = b;
    return strcmp((*left)->id, (*right)->id);
}

static bool is_usable(const Callsheet__V1__JobStatus *job) {
    bool usable = job->state == CALLSHEET__V1__JOB_STATE__JOB_STATE_COMPLETED && cs_str_empty(job->fused_into);
    for (size_t i = 0; i < job->n_outputs; i++) {
        usable = usable && (!cs_str_empty(job->outputs[i]->key) || !cs_str_empty(job->outputs[i]->url));
    }
    return usable;
}

static bool is_fused(const Callsheet__V1__JobStatus *job) {
    return job->state == CALLSHEET__V1__JOB_STATE__JOB_STATE_COMPLETED && !cs_str_empty(job->fused_into);
}

const struct orc_results *orc_results_of(const Callsheet__V1__Execution *summary, struct cs_arena *arena) {
    struct orc_results *results = cs_arena_alloc(arena, sizeof(*results));
    results->final_id = summary->result_job_id;
    results->jobs = cs_arena_array(arena, summary->n_jobs, sizeof(Callsheet__V1__JobStatus *));
    results->fused = cs_arena_array(arena, summary->n_jobs, sizeof(Callsheet__V1__JobStatus *));
    results->count = 0;
    results->fused_count = 0;
    for (size_t i = 0; i < summary->n_jobs; i++) {
        if (is_usable(summary->jobs[i])) {
            results->jobs[results->count++] = summary->jobs[i];
        } else if (is_fused(summary->jobs[i])) {
            results->fused[results->fused_count++] = summary->jobs[i];
        }
    }
    qsort(results->fused, results->fused_count, sizeof(Callsheet__V1__JobStatus *), by_id);
    qsort(results->jobs, results->count, sizeof(Callsheet__V1__JobStatus *), by_id);
    return results;
}

static const Callsheet__V1__JobStatus *find(const Callsheet__V1__JobStatus **jobs, size_t count, const char *id) {
    Callsheet__V1__JobStatus wanted = CALLSHEET__V1__JOB_STATUS__INIT;
    const Callsheet__V1__JobStatus *key = &wanted;
    wanted.id = (char *)id;
    const Callsheet__V1__JobStatus **found =
        count != 0 ? bsearch(&key, jobs, count, sizeof(Callsheet__V1__JobStatus *), by_id) : NULL;
    return found != NULL ? *found : NULL;
}

const Callsheet__V1__JobStatus *orc_results_find(const struct orc_results *results, const char *id) {
    return find(results->jobs, results->count, id[0] != '\0' ? id : results->final_id);
}

const Callsheet__V1__JobStatus *orc_results_fused(const struct orc_results *results, const char *id) {
    return find(results->fused, results->fused_count, id);
}

static void add(struct orc_reuses *reuses, uint32_t job, const Callsheet__V1__JobStatus *source, int32_t fused_into,
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
    reuses->items[reuses->count++] =
        (struct orc_reuse){job, cs_arena_strdup(arena, source->id), fused_into, payload, size};
}

static struct orc_reuses empty(const struct orc_plan *plan, const Callsheet__V1__Execution *summary, const char *reason,
                               struct cs_arena *arena) {
    return (struct orc_reuses){.execution = cs_arena_strdup(arena, summary->id),
                               .reason = reason,
                               .items = cs_arena_array(arena, plan->job_count, sizeof(struct orc_reuse))};
}

/* What each job of the plan may take, or NULL, and which of these have no outputs. */
struct taking {
    const struct orc_plan *plan;
    const Callsheet__V1__JobStatus **sources;
    bool *fused;
};

/* Who takes an output of the job does not run; and there is somebody, or its output would be asked for. */
static bool only_done_take(const struct taking *taking, uint32_t job) {
    const struct orc_plan_job *node = &taking->plan->jobs[job];
    bool any = false;
    for (uint32_t i = 0; i < node->child_count; i++) {
        const struct orc_plan_job *child = &taking->plan->jobs[node->children[i]];
        for (uint32_t n = 0; n < child->input_count; n++) {
            bool takes = child->inputs[n].job == (int32_t)job;
            if (takes && taking->sources[node->children[i]] == NULL) {
                return false;
            }
            any |= takes;
        }
    }
    return any;
}

/* A job without outputs is done only where nobody needs them. One that has to run may need another: until nothing
 * changes; in both directions in turn, as plans are mostly in the order of their edges. */
static void drop_needed(struct taking *taking) {
    uint32_t count = taking->plan->job_count;
    for (bool changed = true, down = false; changed; down = !down) {
        changed = false;
        for (uint32_t k = 0; k < count; k++) {
            uint32_t i = down ? count - 1 - k : k;
            if (taking->fused[i] && taking->sources[i] != NULL && !only_done_take(taking, i)) {
                taking->sources[i] = NULL;
                changed = true;
            }
        }
    }
}

static void consider(struct taking *taking, uint32_t job, const struct orc_results *results, const char *id) {
    taking->sources[job] = orc_results_find(results, id);
    if (taking->sources[job] == NULL && id[0] != '\0') {
        taking->sources[job] = orc_results_fused(results, id);
        taking->fused[job] = taking->sources[job] != NULL;
    }
}

static struct taking start_taking(const struct orc_plan *plan, struct cs_arena *arena) {
    return (struct taking){.plan = plan,
                           .sources = cs_arena_array(arena, plan->job_count, sizeof(Callsheet__V1__JobStatus *)),
                           .fused = cs_arena_array(arena, plan->job_count, sizeof(bool))};
}

/* A child that takes its output. */
static int32_t taker_of(const struct orc_plan *plan, uint32_t job) {
    for (uint32_t i = 0; i < plan->jobs[job].child_count; i++) {
        uint32_t child = plan->jobs[job].children[i];
        for (uint32_t n = 0; n < plan->jobs[child].input_count; n++) {
            if (plan->jobs[child].inputs[n].job == (int32_t)job) {
                return (int32_t)child;
            }
        }
    }
    return -1;
}

/* The first job behind it that has an output. */
static int32_t into_of(const struct taking *taking, uint32_t job) {
    int32_t into = (int32_t)job;
    for (int steps = 0; into >= 0 && taking->fused[into] && steps < ORC_FUSED_MAX; steps++) {
        into = taker_of(taking->plan, (uint32_t)into);
    }
    return into >= 0 && !taking->fused[into] ? into : -1;
}

static void take_all(struct taking *taking, struct orc_reuses *reuses, struct cs_arena *arena) {
    drop_needed(taking);
    for (uint32_t i = 0; i < taking->plan->job_count; i++) {
        if (taking->sources[i] != NULL && !taking->fused[i]) {
            add(reuses, i, taking->sources[i], -1, arena);
        } else if (taking->sources[i] != NULL && into_of(taking, i) >= 0) {
            add(reuses, i, taking->sources[i], into_of(taking, i), arena);
        }
    }
}

struct orc_reuses orc_reuses_of_base(const struct orc_plan *plan, const Callsheet__V1__Execution *summary,
                                     struct cs_arena *arena) {
    struct orc_reuses reuses = empty(plan, summary, "base", arena);
    const struct orc_results *results = orc_results_of(summary, arena);
    struct taking taking = start_taking(plan, arena);
    for (uint32_t i = 0; i < plan->job_count; i++) {
        if (plan->jobs[i].base_job != NULL) {
            consider(&taking, i, results, plan->jobs[i].base_job);
        }
    }
    take_all(&taking, &reuses, arena);
    return reuses;
}

struct orc_reuses orc_reuses_of_earlier(const struct orc_plan *plan, const Callsheet__V1__Execution *summary,
                                        const bool *again, const char *reason, struct cs_arena *arena) {
    struct orc_reuses reuses = empty(plan, summary, reason, arena);
    const struct orc_results *results = orc_results_of(summary, arena);
    struct taking taking = start_taking(plan, arena);
    for (uint32_t i = 0; i < plan->job_count; i++) {
        if (!plan->jobs[i].hidden && (again == NULL || !again[i])) {
            consider(&taking, i, results, plan->jobs[i].id);
        }
    }
    take_all(&taking, &reuses, arena);
    return reuses;
}
