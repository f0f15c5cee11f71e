#include "engine/engine.h"

#include <pthread.h>
#include <utlist.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "engine/gen.h"

struct prv_engine {
    struct prv_engine_config config;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    struct gen *gens;
    uint64_t serial;
    int references; /* the owner's, and one for each thing that waits in the loop */
};

const struct prv_engine_config *prv_engine_config(const struct prv_engine *engine) {
    return &engine->config;
}

/* ---- from the worker's threads to the loop ---- */

/* A generation may be gone when its note is read, and its address may be another's: the serial tells. */
struct note {
    struct prv_engine *engine;
    uint64_t serial;
    void (*act)(struct gen *gen, int64_t argument);
    int64_t argument;
};

static void unref(struct prv_engine *engine) {
    (void)pthread_mutex_lock(&engine->lock);
    bool last = --engine->references == 0;
    (void)pthread_mutex_unlock(&engine->lock);
    if (last) {
        (void)pthread_mutex_destroy(&engine->lock);
        (void)pthread_cond_destroy(&engine->changed);
        free(engine);
    }
}

static void drop_note(void *ctx) {
    struct note *note = ctx;
    unref(note->engine);
    free(note);
}

static void take_note(void *ctx) {
    struct note *note = ctx;
    struct gen *gen = NULL;
    (void)pthread_mutex_lock(&note->engine->lock);
    DL_SEARCH_SCALAR(note->engine->gens, gen, serial, note->serial);
    (void)pthread_mutex_unlock(&note->engine->lock);
    if (gen != NULL) {
        note->act(gen, note->argument);
    }
    drop_note(note);
}

static void post_locked(struct prv_engine *engine, uint64_t serial, int64_t delay_ms,
                        void (*act)(struct gen *gen, int64_t argument), int64_t argument) {
    struct note *note = cs_alloc(sizeof(*note));
    *note = (struct note){engine, serial, act, argument};
    engine->references++;
    cs_http_after_or(engine->config.http, delay_ms, take_note, note, drop_note);
}

void prv_engine_post(struct gen *gen, int64_t delay_ms, void (*act)(struct gen *gen, int64_t argument),
                     int64_t argument) {
    struct prv_engine *engine = gen->engine;
    (void)pthread_mutex_lock(&engine->lock);
    post_locked(engine, gen->serial, delay_ms, act, argument);
    (void)pthread_mutex_unlock(&engine->lock);
}

static void begin(struct gen *gen, int64_t argument) {
    (void)argument;
    prv_gen_begin(gen);
}

static void stop_it(struct gen *gen, int64_t argument) {
    prv_gen_stop(gen, (enum prv_stop)argument);
}

static void start(struct cs_assignment *assignment, void *ctx) {
    struct prv_engine *engine = ctx;
    struct gen *gen = cs_alloc(sizeof(*gen));
    *gen = (struct gen){
        .engine = engine,
        .assignment = assignment,
        .assign = cs_assignment_get(assignment),
        .arena = cs_arena_create(),
        .started_ms = cs_clock_mono_ms(),
        .output_fd = -1,
    };
    (void)pthread_mutex_lock(&engine->lock);
    gen->serial = ++engine->serial;
    DL_APPEND(engine->gens, gen);
    post_locked(engine, gen->serial, 0, begin, 0);
    (void)pthread_mutex_unlock(&engine->lock);
}

static void cancel(struct cs_assignment *assignment, const char *reason, void *ctx) {
    struct prv_engine *engine = ctx;
    static const char *const nobodys_wish[] = {"deadline", "stream ended", "draining"};
    enum prv_stop stop = PRV_STOP_CANCEL;
    for (size_t i = 0; i < CS_COUNT(nobodys_wish); i++) {
        if (cs_str_eq(reason, nobodys_wish[i])) {
            stop = PRV_STOP_LEAVE;
        }
    }
    struct gen *gen = NULL;
    (void)pthread_mutex_lock(&engine->lock);
    DL_SEARCH_SCALAR(engine->gens, gen, assignment, assignment);
    if (gen != NULL) {
        post_locked(engine, gen->serial, 0, stop_it, stop);
    }
    (void)pthread_mutex_unlock(&engine->lock);
}

const struct cs_worker_ops prv_engine_ops = {.start = start, .cancel = cancel};

/* ---- the end of a generation ---- */

void prv_engine_finish(struct gen *gen) {
    struct prv_engine *engine = gen->engine;
    (void)pthread_mutex_lock(&engine->lock);
    DL_DELETE(engine->gens, gen);
    (void)pthread_mutex_unlock(&engine->lock);
    prv_report_final(gen);
    prv_ingest_fini(gen);
    prv_stage_fini(gen);
    cs_arena_destroy(gen->arena);
    free(gen);
    (void)pthread_mutex_lock(&engine->lock);
    (void)pthread_cond_broadcast(&engine->changed);
    (void)pthread_mutex_unlock(&engine->lock);
}

/* ---- life ---- */

struct prv_engine *prv_engine_create(const struct prv_engine_config *config) {
    struct prv_engine *engine = cs_alloc(sizeof(*engine));
    engine->config = *config;
    engine->references = 1;
    (void)pthread_mutex_init(&engine->lock, NULL);
    (void)pthread_cond_init(&engine->changed, NULL);
    return engine;
}

void prv_engine_destroy(struct prv_engine *engine) {
    if (engine == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&engine->lock);
    while (engine->gens != NULL) {
        (void)pthread_cond_wait(&engine->changed, &engine->lock);
    }
    (void)pthread_mutex_unlock(&engine->lock);
    unref(engine);
}
