#include "shapes.h"

enum { LAYER = 500, PARENTS = 3 };

typedef void add_fn(uint32_t job, uint32_t parent, void *ctx);

/* ---- edges ---- */

static void none(__attribute__((unused)) uint32_t jobs, __attribute__((unused)) add_fn *add,
                 __attribute__((unused)) void *ctx) {
}

static void chain(uint32_t jobs, add_fn *add, void *ctx) {
    for (uint32_t job = 1; job < jobs; job++) {
        add(job, job - 1, ctx);
    }
}

static void dag6(uint32_t jobs, add_fn *add, void *ctx) {
    add(2, 0, ctx);
    add(2, 1, ctx);
    add(3, 2, ctx);
    add(4, 3, ctx);
    for (uint32_t parent = 0; parent + 1 < jobs; parent++) {
        add(jobs - 1, parent, ctx);
    }
}

static void fan_out(uint32_t jobs, add_fn *add, void *ctx) {
    for (uint32_t job = 1; job < jobs; job++) {
        add(job, 0, ctx);
    }
}

static void fan_in(uint32_t jobs, add_fn *add, void *ctx) {
    for (uint32_t parent = 0; parent + 1 < jobs; parent++) {
        add(jobs - 1, parent, ctx);
    }
}

static void diamond(__attribute__((unused)) uint32_t jobs, add_fn *add, void *ctx) {
    add(1, 0, ctx);
    add(2, 0, ctx);
    add(3, 1, ctx);
    add(3, 2, ctx);
}

static void layered(uint32_t jobs, add_fn *add, void *ctx) {
    for (uint32_t job = LAYER; job < jobs; job++) {
        uint32_t before = job / LAYER * LAYER - LAYER;
        for (uint32_t n = 0; n < PARENTS; n++) {
            add(job, before + (job + n * 167) % LAYER, ctx);
        }
    }
}

const struct shape shape_single = {"single", "one job", 1, 10000, none};
const struct shape shape_chain = {"chain20", "chain of 20", 20, 3000, chain};
const struct shape shape_dag6 = {"dag6", "6-job DAG", 6, 20000, dag6};
const struct shape shape_flat = {"flat", "flat, 1,000", 1000, 60, none};
const struct shape shape_fan_out = {"fan_out", "fan-out 1 -> 1,000", 1001, 60, fan_out};
const struct shape shape_fan_in = {"fan_in", "fan-in 1,000 -> 1", 1001, 60, fan_in};
const struct shape shape_diamond = {"diamond", "diamond", 4, 15000, diamond};
const struct shape shape_layered = {"layered", "20 x 500, 3 parents each", 20 * LAYER, 6, layered};

/* ---- plans ---- */

static void count_parent(uint32_t job, __attribute__((unused)) uint32_t parent, void *ctx) {
    Callsheet__V1__Plan *plan = ctx;
    plan->jobs[job]->n_depends_on++;
}

static void add_parent(uint32_t job, uint32_t parent, void *ctx) {
    Callsheet__V1__Plan *plan = ctx;
    plan->jobs[job]->depends_on[plan->jobs[job]->n_depends_on++] = plan->jobs[parent]->id;
}

static Callsheet__V1__Operation *new_noop(struct cs_arena *arena) {
    Callsheet__V1__Operation *operation = cs_arena_alloc(arena, sizeof(*operation));
    callsheet__v1__operation__init(operation);
    operation->params_case = CALLSHEET__V1__OPERATION__PARAMS_NOOP;
    operation->noop = cs_arena_alloc(arena, sizeof(*operation->noop));
    callsheet__v1__noop__init(operation->noop);
    return operation;
}

static Callsheet__V1__Job *new_job(char letter, uint32_t number, struct cs_arena *arena) {
    Callsheet__V1__Job *job = cs_arena_alloc(arena, sizeof(*job));
    callsheet__v1__job__init(job);
    job->id = cs_arena_sprintf(arena, "%c%u", letter, number);
    job->operation = new_noop(arena);
    return job;
}

Callsheet__V1__CreateExecutionRequest *shape_plan(const struct shape *shape, char letter, const char *tenant,
                                                  struct cs_arena *arena) {
    Callsheet__V1__CreateExecutionRequest *request = cs_arena_alloc(arena, sizeof(*request));
    callsheet__v1__create_execution_request__init(request);
    request->tenant = cs_arena_strdup(arena, tenant);
    Callsheet__V1__Plan *plan = request->plan = cs_arena_alloc(arena, sizeof(*plan));
    callsheet__v1__plan__init(plan);
    plan->n_jobs = shape->jobs;
    plan->jobs = cs_arena_array(arena, shape->jobs, sizeof(Callsheet__V1__Job *));
    for (uint32_t i = 0; i < shape->jobs; i++) {
        plan->jobs[i] = new_job(letter, i, arena);
    }
    shape->edges(shape->jobs, count_parent, plan);
    for (uint32_t i = 0; i < shape->jobs; i++) {
        plan->jobs[i]->depends_on = cs_arena_array(arena, plan->jobs[i]->n_depends_on, sizeof(char *));
        plan->jobs[i]->n_depends_on = 0;
    }
    shape->edges(shape->jobs, add_parent, plan);
    return request;
}
