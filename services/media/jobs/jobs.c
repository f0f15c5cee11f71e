#include "jobs.h"

#include <pthread.h>

#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/catalog.h"
#include "job.h"

/* An assignment from start to its final report. */
struct entry {
    struct entry *next;
    struct cs_assignment *assignment;
    struct med_stop stop;
    bool taken; /* by a thread */
};

struct med_jobs {
    const struct med_studio *studio;
    uint32_t slots;
    const char **operations;
    size_t operation_count;
    pthread_t *threads;
    uint32_t thread_count;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    struct entry *entries; /* oldest first */
    bool stopping;
};

/* ---- one job ---- */

static void log_end(const struct entry *entry, int64_t started_ms, const struct cs_err *err) {
    const Callsheet__V1__Assign *assign = cs_assignment_get(entry->assignment);
    char trace_id[CS_TRACE_ID_HEX_SIZE];
    cs_trace_id_hex(cs_assignment_trace(entry->assignment), trace_id);
    const struct cs_operation *operation = cs_catalog_by_case(assign->operation->params_case);
    const struct cs_kv pairs[] = {
        CS_KV("operation", operation != NULL ? operation->name : "unknown"),
        CS_KV("execution", assign->execution),
        CS_KV("job", assign->job),
        CS_KVI("attempt", assign->attempt),
        CS_KVI("steps_before", assign->n_steps_before),
        CS_KV("trace", trace_id),
        CS_KVI("ms", cs_clock_mono_ms() - started_ms),
        CS_KVE(err),
    };
    bool good = err->status == CS_OK;
    cs_log_write(err->status == CS_INTERNAL ? CS_LOG_ERROR : CS_LOG_INFO, good ? "job done" : "job failed", pairs,
                 CS_COUNT(pairs) - (good ? 1 : 0));
}

/* From here on cancel does not find it; the entry is ours alone. */
static void take_out(struct med_jobs *jobs, struct entry *entry) {
    pthread_mutex_lock(&jobs->lock);
    struct entry **link = &jobs->entries;
    while (*link != entry) {
        link = &(*link)->next;
    }
    *link = entry->next;
    pthread_mutex_unlock(&jobs->lock);
}

static void run(struct med_jobs *jobs, struct entry *entry) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    int64_t started_ms = cs_clock_mono_ms();
    Callsheet__V1__Succeeded succeeded;
    struct cs_err err = {0};
    med_slots_enter(jobs->studio->slots);
    enum cs_status status = med_stop_check(&entry->stop, &err);
    if (status == CS_OK) {
        status = med_job_run(jobs->studio, entry->assignment, &entry->stop, arena, &succeeded, &err);
    }
    med_slots_leave(jobs->studio->slots);
    log_end(entry, started_ms, &err);
    take_out(jobs, entry);
    if (status == CS_OK) {
        cs_report_succeeded(entry->assignment, &succeeded);
    } else {
        cs_report_error(entry->assignment, &err);
    }
    med_stop_fini(&entry->stop);
    free(entry);
}

/* ---- threads ---- */

static struct entry *find_untaken(const struct med_jobs *jobs) {
    struct entry *entry = jobs->entries;
    while (entry != NULL && entry->taken) {
        entry = entry->next;
    }
    return entry;
}

static void *work(void *ctx) {
    struct med_jobs *jobs = ctx;
    for (;;) {
        pthread_mutex_lock(&jobs->lock);
        struct entry *entry;
        while ((entry = find_untaken(jobs)) == NULL && !jobs->stopping) {
            (void)pthread_cond_wait(&jobs->changed, &jobs->lock);
        }
        if (entry != NULL) {
            entry->taken = true;
        }
        pthread_mutex_unlock(&jobs->lock);
        if (entry == NULL) {
            return NULL;
        }
        run(jobs, entry);
    }
}

static void start(struct cs_assignment *assignment, void *ctx) {
    struct med_jobs *jobs = ctx;
    struct entry *entry = cs_alloc(sizeof(*entry));
    entry->assignment = assignment;
    med_stop_init(&entry->stop, cs_assignment_left_ms(assignment));
    pthread_mutex_lock(&jobs->lock);
    struct entry **last = &jobs->entries;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = entry;
    pthread_cond_signal(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
}

static void cancel(struct cs_assignment *assignment, const char *reason, void *ctx) {
    (void)reason;
    struct med_jobs *jobs = ctx;
    pthread_mutex_lock(&jobs->lock);
    for (struct entry *entry = jobs->entries; entry != NULL; entry = entry->next) {
        if (entry->assignment == assignment) {
            med_stop_request(&entry->stop); /* under the lock: its thread may be about to free it */
        }
    }
    pthread_mutex_unlock(&jobs->lock);
}

/* ---- life ---- */

static void find_operations(struct med_jobs *jobs) {
    jobs->operations = cs_alloc_array(cs_catalog_count(), sizeof(*jobs->operations));
    for (size_t i = 0; i < cs_catalog_count(); i++) {
        const struct cs_operation *operation = cs_catalog_at(i);
        if (operation->worker == CS_WORKER_MEDIA) {
            jobs->operations[jobs->operation_count++] = operation->name;
        }
    }
}

enum cs_status med_jobs_create(const struct med_studio *studio, uint32_t slots, struct med_jobs **ret_jobs,
                               struct cs_err *err) {
    struct med_jobs *jobs = cs_alloc(sizeof(*jobs));
    jobs->studio = studio;
    jobs->slots = slots;
    (void)pthread_mutex_init(&jobs->lock, NULL);
    (void)pthread_cond_init(&jobs->changed, NULL);
    find_operations(jobs);
    jobs->threads = cs_alloc_array(slots, sizeof(*jobs->threads));
    for (; jobs->thread_count < slots; jobs->thread_count++) {
        int errnum = pthread_create(&jobs->threads[jobs->thread_count], NULL, work, jobs);
        if (errnum != 0) {
            med_jobs_destroy(jobs);
            return cs_fail_errno(err, errnum, "starting the threads of jobs");
        }
    }
    *ret_jobs = jobs;
    return CS_OK;
}

void med_jobs_destroy(struct med_jobs *jobs) {
    if (jobs == NULL) {
        return;
    }
    pthread_mutex_lock(&jobs->lock);
    jobs->stopping = true;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    for (uint32_t i = 0; i < jobs->thread_count; i++) {
        (void)pthread_join(jobs->threads[i], NULL);
    }
    (void)pthread_cond_destroy(&jobs->changed);
    (void)pthread_mutex_destroy(&jobs->lock);
    free(jobs->threads);
    free(jobs->operations);
    free(jobs);
}

struct cs_worker_config med_jobs_worker(struct med_jobs *jobs) {
    static const struct cs_worker_ops ops = {.start = start, .cancel = cancel};
    return (struct cs_worker_config){
        .kind = "media",
        .operations = jobs->operations,
        .operation_count = jobs->operation_count,
        .slots = jobs->slots,
        .fused_jobs = MED_FUSED_JOBS_MAX,
        .ops = &ops,
        .ctx = jobs,
    };
}
