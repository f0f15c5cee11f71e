/* A thousand executions through the real engine, store, links and worker contract: none is left. */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/pg.h"
#include "cs/test.h"
#include "cs/test_support.h"
#include "drain_sql.h"
#include "engine/engine.h"
#include "scripted_worker.h"

enum { EXECUTIONS = 1000, JOBS = 6, WORKERS = 2, SLOTS = 64, PATIENCE_S = 100 };

static const struct cs_pg_statement drain_stuck =
    CS_PG_STATEMENT(drain_stuck, "", "without_wakeup:int8 open:int8 completed:int8 succeeded:int8");

/* ---- what a run needs ---- */

struct run {
    const char *url;
    struct cs_rpc *rpc;
    struct scripted_worker *workers[WORKERS];
    struct orc_engine *engine;
    char *addresses;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int answered;
    int refused;
};

static void start_engine(struct run *run) {
    const struct orc_engine_config config = {
        .database_url = run->url,
        .replica = "orchestrator-1",
        .environment = "dev",
        .public_url = "http://127.0.0.1:8080",
        .link_secret = "a secret of the tests",
        .rpc = run->rpc,
        .workers = run->addresses,
    };
    struct cs_err err = {0};
    assert_ok(orc_engine_start(&config, &run->engine, &err), &err);
}

static void run_start(struct run *run, const char *url) {
    struct cs_err err = {0};
    cs_log_setup("test", CS_LOG_OFF);
    *run = (struct run){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    run->url = url;
    assert_ok(cs_rpc_create(NULL, &run->rpc, &err), &err);
    struct cs_buf addresses = {0};
    for (int i = 0; i < WORKERS; i++) {
        const struct scripted_config config = {.rpc = run->rpc, .slots = SLOTS, .automatic = true};
        run->workers[i] = scripted_start(&config);
        cs_buf_printf(&addresses, "%s%s", i != 0 ? "," : "", scripted_address(run->workers[i]));
    }
    run->addresses = cs_buf_steal(&addresses);
    start_engine(run);
}

static void run_end(struct run *run) {
    orc_engine_stop(run->engine);
    for (int i = 0; i < WORKERS; i++) {
        scripted_stop(run->workers[i]);
    }
    cs_rpc_destroy(run->rpc);
    free(run->addresses);
}

/* ---- executions ---- */

static void on_created(const Callsheet__V1__CreateExecutionReply *reply,
                       __attribute__((unused)) const struct cs_err *err, void *ctx) {
    struct run *run = ctx;
    pthread_mutex_lock(&run->lock);
    run->answered++;
    run->refused += reply == NULL;
    (void)pthread_cond_signal(&run->changed);
    pthread_mutex_unlock(&run->lock);
}

/* Two sources, a join, two steps, and a sixth job after all five. */
static struct orc_submission *dag6(void) {
    static const char *const ids[JOBS] = {"gen1", "gen2", "merge", "reframe", "subtitles", "report"};
    static char *after[JOBS][5] = {
        [2] = {(char *)"gen1", (char *)"gen2"},
        [3] = {(char *)"merge"},
        [4] = {(char *)"reframe"},
        [5] = {(char *)"gen1", (char *)"gen2", (char *)"merge", (char *)"reframe", (char *)"subtitles"}};
    static const size_t after_count[JOBS] = {0, 0, 2, 1, 1, 5};
    Callsheet__V1__Noop noop = CALLSHEET__V1__NOOP__INIT;
    Callsheet__V1__Operation operation = CALLSHEET__V1__OPERATION__INIT;
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_NOOP;
    operation.noop = &noop;
    Callsheet__V1__Job jobs[JOBS];
    Callsheet__V1__Job *list[JOBS];
    for (int i = 0; i < JOBS; i++) {
        callsheet__v1__job__init(&jobs[i]);
        jobs[i].id = (char *)ids[i];
        jobs[i].operation = &operation;
        jobs[i].depends_on = after[i];
        jobs[i].n_depends_on = after_count[i];
        list[i] = &jobs[i];
    }
    Callsheet__V1__Plan plan = CALLSHEET__V1__PLAN__INIT;
    plan.n_jobs = JOBS;
    plan.jobs = list;
    Callsheet__V1__CreateExecutionRequest request = CALLSHEET__V1__CREATE_EXECUTION_REQUEST__INIT;
    request.tenant = (char *)"acme";
    request.plan = &plan;
    struct orc_submission *submission = NULL;
    struct cs_trace trace = cs_trace_root();
    struct cs_err err = {0};
    assert_ok(orc_submission_from(&request, &trace, &submission, &err), &err);
    return submission;
}

static void submit_all(struct run *run) {
    for (int i = 0; i < EXECUTIONS; i++) {
        orc_engine_submit(run->engine, dag6(), on_created, run);
    }
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&run->lock);
    while (run->answered < EXECUTIONS && pthread_cond_timedwait(&run->changed, &run->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&run->lock);
    assert_int_equal(run->answered, EXECUTIONS);
    assert_int_equal(run->refused, 0);
}

/* ---- what is left ---- */

struct left {
    int64_t without_wakeup;
    int64_t open;
    int64_t completed;
    int64_t succeeded;
};

static struct left look(const struct run *run) {
    struct cs_err err = {0};
    CS_AUTO(cs_pg) *pg = NULL;
    assert_ok(cs_pg_open(run->url, NULL, &pg, &err), &err);
    CS_AUTO(cs_pg_rows) *rows = NULL;
    assert_ok(cs_pg_one(pg, &drain_stuck, NULL, &rows, &err), &err);
    return (struct left){cs_pg_i64(rows, "without_wakeup"), cs_pg_i64(rows, "open"), cs_pg_i64(rows, "completed"),
                         cs_pg_i64(rows, "succeeded")};
}

static void await_drained(struct run *run) {
    int64_t until_ms = cs_clock_mono_ms() + PATIENCE_S * 1000;
    struct left left = look(run);
    while (left.open != 0 && cs_clock_mono_ms() < until_ms) {
        assert_int_equal(left.without_wakeup, 0); /* at no time */
        left = look(run);
    }
    assert_int_equal(left.open, 0);
    assert_int_equal(left.without_wakeup, 0);
    assert_int_equal(left.completed, EXECUTIONS);
    assert_int_equal(left.succeeded, EXECUTIONS * JOBS); /* each job has one winner */
}

TEST(a_thousand_executions_drain_and_none_is_stuck) {
    CS_AUTO_TEST_DB db = {0};
    struct run run;
    cs_test_db_create(&db, NULL);
    run_start(&run, db.url);
    submit_all(&run);
    await_drained(&run);
    run_end(&run);
}

TEST(none_is_stuck_when_workers_vanish_and_come_back) {
    CS_AUTO_TEST_DB db = {0};
    struct run run;
    cs_test_db_create(&db, NULL);
    run_start(&run, db.url);
    submit_all(&run);
    for (int i = 0; i < 5; i++) { /* fewer than a job may lose */
        scripted_break(run.workers[i % WORKERS]);
        (void)look(&run);
    }
    await_drained(&run);
    run_end(&run);
}

TEST(none_is_stuck_when_the_orchestrator_starts_again) {
    CS_AUTO_TEST_DB db = {0};
    struct run run;
    cs_test_db_create(&db, NULL);
    run_start(&run, db.url);
    submit_all(&run);
    orc_engine_stop(run.engine);
    start_engine(&run);
    await_drained(&run);
    run_end(&run);
}

TEST(none_is_stuck_when_the_database_crashes) {
    CS_AUTO_TEST_POSTGRES postgres = {0};
    struct run run;
    cs_test_postgres_start(&postgres, true);
    run_start(&run, postgres.url);
    submit_all(&run);
    cs_test_postgres_kill(&postgres);
    cs_test_postgres_restart(&postgres);
    await_drained(&run);
    run_end(&run);
}

TEST_MAIN(CS_TEST(a_thousand_executions_drain_and_none_is_stuck),
          CS_TEST(none_is_stuck_when_workers_vanish_and_come_back),
          CS_TEST(none_is_stuck_when_the_orchestrator_starts_again), CS_TEST(none_is_stuck_when_the_database_crashes))
