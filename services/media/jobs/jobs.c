#include "jobs.h"

#include <pthread.h>
#include <time.h>

#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/catalog.h"
#include "job.h"
#include "visits.h"

/* An assignment from start to its final report. */
struct entry {
    struct entry *next;
    struct cs_assignment *assignment;
    struct med_stop stop;
    struct med_hands hands; /* guarded by the stop's lock */
    bool taken;             /* by a thread */
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
        CS_KVI("chunk", assign->share != NULL ? (int64_t)assign->share->chunk : -1),
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

/* An attempt was promised a slot; a chunk for another node is made only when one is idle after all. */
static enum cs_status enter_slot(struct med_slots *slots, const struct entry *entry, struct cs_err *err) {
    if (cs_assignment_get(entry->assignment)->share == NULL) {
        med_slots_enter(slots);
    } else if (!med_slots_try_enter(slots)) {
        return cs_fail(err, CS_UNAVAILABLE, "no_slot", "the slots of this node are used by jobs of its own");
    }
    return CS_OK;
}

/* A job of this node's own may last for hours, in which no thread might look at the time of what is kept for others. */
static void leave_visits(const struct med_studio *studio, const struct entry *entry) {
    if (cs_assignment_get(entry->assignment)->share == NULL) {
        (void)med_visits_expire(studio->visits, INT64_MAX);
    }
}

static enum cs_status do_job(struct entry *entry, struct med_job *job, Callsheet__V1__Succeeded *ret_succeeded,
                             struct cs_err *err) {
    CS_TRY(med_stop_check(&entry->stop, err));
    CS_TRY(enter_slot(job->studio->slots, entry, err));
    leave_visits(job->studio, entry);
    enum cs_status status = med_job_run(job, ret_succeeded, err);
    med_slots_leave(job->studio->slots);
    return status;
}

/* What cannot be done is not tried again, nor is what nobody wants any more. */
static bool is_last(const struct entry *entry, const struct cs_err *err) {
    bool impossible = err->status == CS_INVALID_ARGUMENT || err->status == CS_UNIMPLEMENTED;
    return err->status == CS_OK || impossible || cs_assignment_over(entry->assignment);
}

static void run(struct med_jobs *jobs, struct entry *entry) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    int64_t started_ms = cs_clock_mono_ms();
    Callsheet__V1__Succeeded succeeded;
    struct cs_err err = {0};
    struct med_job job = {.studio = jobs->studio,
                          .assignment = entry->assignment,
                          .stop = &entry->stop,
                          .hands = &entry->hands,
                          .arena = arena};
    enum cs_status status = do_job(entry, &job, &succeeded, &err);
    log_end(entry, started_ms, &err);
    take_out(jobs, entry);
    bool last = is_last(entry, &err);
    if (status == CS_OK) {
        cs_report_succeeded(entry->assignment, &succeeded);
    } else {
        cs_report_error(entry->assignment, &err);
    }
    if (last) {
        med_job_forget(&job);
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

/* With the lock; lets it go meanwhile. What was kept for another chunk goes when its time is over. */
static void wait_for_more(struct med_jobs *jobs) {
    int64_t until_ms = med_visits_expire(jobs->studio->visits, cs_clock_mono_ms());
    if (until_ms == INT64_MAX) {
        (void)pthread_cond_wait(&jobs->changed, &jobs->lock);
        return;
    }
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    (void)pthread_cond_timedwait(&jobs->changed, &jobs->lock, &until);
}

static void *work(void *ctx) {
    struct med_jobs *jobs = ctx;
    for (;;) {
        pthread_mutex_lock(&jobs->lock);
        struct entry *entry;
        while ((entry = find_untaken(jobs)) == NULL && !jobs->stopping) {
            wait_for_more(jobs);
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

static void take_chunk_news(struct cs_assignment *assignment, uint32_t chunk, Callsheet__V1__ChunkState state,
                            void *ctx) {
    struct med_jobs *jobs = ctx;
    pthread_mutex_lock(&jobs->lock);
    for (struct entry *entry = jobs->entries; entry != NULL; entry = entry->next) {
        if (entry->assignment == assignment) {
            med_stop_lock(&entry->stop);
            med_hands_tell(&entry->hands, chunk, state);
            med_stop_wake(&entry->stop);
            med_stop_unlock(&entry->stop);
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

static void init_monotonic(pthread_cond_t *cond) {
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

enum cs_status med_jobs_create(const struct med_studio *studio, uint32_t slots, struct med_jobs **ret_jobs,
                               struct cs_err *err) {
    struct med_jobs *jobs = cs_alloc(sizeof(*jobs));
    jobs->studio = studio;
    jobs->slots = slots;
    (void)pthread_mutex_init(&jobs->lock, NULL);
    init_monotonic(&jobs->changed);
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
    static const struct cs_worker_ops ops = {.start = start, .cancel = cancel, .chunk_news = take_chunk_news};
    return (struct cs_worker_config){
        .kind = "media",
        .operations = jobs->operations,
        .operation_count = jobs->operation_count,
        .slots = jobs->slots,
        .fused_jobs = MED_FUSED_JOBS_MAX,
        .shares = true,
        .ops = &ops,
        .ctx = jobs,
    };
}
