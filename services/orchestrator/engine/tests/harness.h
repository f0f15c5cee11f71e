/*
 * harness: an engine on a fake store, fake links and a clock that stands still.
 *
 * Plans are lines as in domain/tests/fixture.h: "a", "gen", "join<a,gen"; an id that starts with "g" is generateVideo
 * (paid), with "V" reframe of its first dependency, any other noop. After the id may come "!7" (priority) and "#key:2"
 * (concurrency key and limit), in this order.
 */
#ifndef ORC_ENGINE_TESTS_HARNESS_H
#define ORC_ENGINE_TESTS_HARNESS_H

#include <pthread.h>

#include "cs/test.h"
#include "engine/engine.h"
#include "engine/tests/fake_links.h"
#include "engine/tests/fake_store.h"

enum { HARNESS_START_MS = 1000000 };

/* What came back for one request. */
struct answer {
    bool done;
    enum cs_status status;
    char reason[CS_ERR_REASON_MAX];
    char id[24];
    bool existing;
    Callsheet__V1__Execution *execution; /* of a read */
    const char *text;                    /* metrics */
};

/* What a watcher was told. */
struct told {
    Callsheet__V1__ExecutionUpdate *updates[256];
    size_t count;
    bool ended;
    enum cs_status status;
};

struct harness {
    struct orc_engine *engine;
    struct cs_arena *arena; /* answers and watchers live here until harness_end */
    _Atomic int64_t now_ms;
    const char *limits; /* of the engines to come; NULL again after each test */
    const char *weights;
    uint32_t headroom_share; /* 0 again after each test */
};

extern struct harness harness;
extern const char *const harness_noop[];  /* operations of a worker */
extern const char *const harness_every[]; /* noop, generateVideo, deliverWebhook */

int harness_setup(void **state); /* empty database, engine, no worker */
int harness_teardown(void **state);
void harness_stop(void);
void harness_start(void); /* on the same database */
void harness_advance(int64_t ms);

struct submit_options {
    const char *tenant; /* NULL: "acme" */
    const char *key;
    bool webhook;
    int64_t timeout_ms;
    int priority;                            /* of the plan, plus one; 0: not given */
    const char *provider;                    /* of paid jobs; NULL: "local" */
    Callsheet__V1__CacheMode cache;          /* of the plan; not given: off */
    void (*edit)(Callsheet__V1__Plan *plan); /* adds what the lines do not say; may be NULL */
};

struct answer *harness_submit(const char *const *lines, size_t count, struct submit_options options);
struct answer *harness_get(const char *tenant, const char *id);
struct answer *harness_cancel(const char *id);
/* For what has no function here: an answer, and what a read, or a command, fills it with. */
struct answer *harness_new_answer(void);
void harness_on_read(const Callsheet__V1__Execution *execution, const struct cs_err *err, void *answer);
bool harness_done(const struct answer *answer);
/* Waits for it. */
void harness_await(const struct answer *answer);
/* Submits, waits, expects success; the id lives as long as the harness. */
const char *harness_create(const char *const *lines, size_t count, struct submit_options options);
/* The same on a base of tenant "acme". */
const char *harness_create_on_base(const char *const *lines, size_t count, const char *base);
/* Reads the execution; waits. */
const Callsheet__V1__Execution *harness_read(const char *id);
const Callsheet__V1__Execution *harness_read_of(const char *tenant, const char *id);
/* Reads until the execution is in that state. */
const Callsheet__V1__Execution *harness_read_state(const char *id, Callsheet__V1__ExecutionState state);

struct told *harness_watch(const char *id);
size_t harness_updates(const struct told *told);
void harness_await_updates(const struct told *told, size_t count);
void harness_await_ended(const struct told *told);
/* The whole text that the engine's thread gives; lives as long as the harness. */
const char *harness_metrics(void);
/* Value of a metric, once the engine is through with what it was told before. */
double harness_metric(const char *name);
/* Until the engine has taken note of so many in all; a read that is put then comes after what they led to. */
void harness_await_commits(double count);
/* Until it has that value. */
void harness_await_metric(const char *name, double value);

#define SUBMIT(lines, ...) harness_submit(lines, CS_COUNT(lines), (struct submit_options){__VA_ARGS__})
#define CREATE(lines, ...) harness_create(lines, CS_COUNT(lines), (struct submit_options){__VA_ARGS__})
#define ENGINE_TEST(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

#endif
