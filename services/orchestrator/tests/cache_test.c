/* Results that are kept, with a real database, one replica and two. */
#include <string.h>

#include "peek_cache_sql.h"
#include "world.h"

#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word
#define CLASS(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

#define TTL_MS (INT64_C(7) * 24 * 3600 * 1000)

static const struct cs_pg_statement cache_counts = CS_PG_STATEMENT(cache_counts, "", "leaders:int8 results:int8");
static const struct cs_pg_statement cache_age = CS_PG_STATEMENT(cache_age, "int8", "");
static const struct cs_pg_statement cache_engine = CS_PG_STATEMENT(cache_engine, "", "");
static const struct cs_pg_statement cache_source_remove = CS_PG_STATEMENT(cache_source_remove, "text", "");

#define FOX_OF(tenant, plan)                                                                                           \
    "{'tenant':'" tenant "','plan':{" plan                                                                             \
    "'jobs':[{'id':'g','operation':{'generateVideo':{'prompt':'a fox','provider':'local'}}}]}}"
#define FOX FOX_OF("acme", "")

/* The same fox, made taller. */
#define TALL                                                                                                           \
    "{'tenant':'acme','plan':{'cache':'CACHE_MODE_ON','jobs':["                                                        \
    "{'id':'fox','operation':{'generateVideo':{'provider':'local','prompt':'a fox'}}},"                                \
    "{'id':'tall','operation':{'reframe':{'video':{'job':'fox'},'aspectRatio':'9:16'}}}]}}"

static const char *const offers[] = {"generateVideo", "reframe"};
#define OFFERS .operations = offers, .operation_count = CS_COUNT(offers)

/* ---- helpers ---- */

static void alter(struct world *world, const struct cs_pg_statement *statement, const struct cs_pg_params *params) {
    struct cs_err err = {0};
    assert_ok(cs_pg_exec(world->pg, statement, params, NULL, &err), &err);
}

static void alter_text(struct world *world, const struct cs_pg_statement *statement, const char *text) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_text(&params, text);
    alter(world, statement, &params);
}

static void age(struct world *world, int64_t ms) {
    CS_AUTO_PG_PARAMS params = {0};
    cs_pg_put_i64(&params, ms);
    alter(world, &cache_age, &params);
}

static void assert_kept(struct world *world, int64_t leaders, int64_t results) {
    CS_AUTO(cs_pg_rows) *rows = NULL;
    struct cs_err err = {0};
    assert_ok(cs_pg_one(world->pg, &cache_counts, NULL, &rows, &err), &err);
    assert_int_equal(cs_pg_i64(rows, "leaders"), leaders);
    assert_int_equal(cs_pg_i64(rows, "results"), results);
}

static const Callsheet__V1__Execution *await_completed(struct world *world, const char *id) {
    const Callsheet__V1__Execution *execution = world_await(world, id);
    assert_int_equal(execution->state, STATE(COMPLETED));
    return execution;
}

/* Runs it with one worker's help for each of its jobs. */
static const char *run(struct world *world, struct scripted_worker *worker, const char *request, size_t jobs) {
    const char *id = world_create(world, request);
    for (size_t i = 0; i < jobs; i++) {
        CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
        scripted_succeed(assigned);
    }
    (void)await_completed(world, id);
    return id;
}

static void assert_hit(const Callsheet__V1__JobStatus *job, const char *source) {
    assert_string_equal(job->cache->outcome, "hit");
    assert_int_equal(job->attempt, 0);
    assert_string_equal(job->reused->reason, "cache");
    assert_string_equal(job->reused->execution_id, source);
    assert_int_equal(job->n_outputs, 1);
}

static void assert_miss(const Callsheet__V1__JobStatus *job, const char *reason) {
    assert_string_equal(job->cache->outcome, "miss");
    assert_string_equal(job->cache->reason, reason);
    assert_int_equal(job->attempt, 1);
}

static void open_world(struct world *world, struct scripted_worker **ret_worker) {
    world_open(world, NULL);
    *ret_worker = world_worker(world, (struct scripted_config){OFFERS});
    world_start(world);
}

static enum cs_status try_invalidate(struct world *world, const char *tenant, const char *id, uint32_t *ret_entries,
                                     struct cs_err *err) {
    Callsheet__V1__InvalidateCacheRequest request = CALLSHEET__V1__INVALIDATE_CACHE_REQUEST__INIT;
    const ProtobufCMessage *reply = NULL;
    request.tenant = (char *)tenant;
    request.execution_id = (char *)id;
    CS_TRY(world_try(world, "InvalidateCache", &request.base, &reply, err));
    *ret_entries = ((const Callsheet__V1__InvalidateCacheReply *)reply)->entries;
    return CS_OK;
}

/* ---- one after the other ---- */

TEST(sy_138_work_that_was_done_is_not_done_again_and_says_whose_it_is) {
    AUTO_WORLD world = {0};
    struct scripted_worker *worker = NULL;
    open_world(&world, &worker);
    const char *first = run(&world, worker, FOX, 1);
    assert_miss(world_get(&world, first)->jobs[0], "never_seen");
    assert_kept(&world, 0, 1);
    const char *second = world_create(&world, FOX);
    assert_hit(await_completed(&world, second)->jobs[0], first);
    assert_string_equal(world_get(&world, second)->jobs[0]->outputs[0]->key,
                        world_get(&world, first)->jobs[0]->outputs[0]->key);
    assert_int_equal(scripted_assigned(worker), 1);
    scripted_stop(worker);
}

TEST(sy_138_a_chain_hits_job_by_job_and_its_unpaid_part_only_when_asked_for) {
    AUTO_WORLD world = {0};
    struct scripted_worker *worker = NULL;
    open_world(&world, &worker);
    const char *fox = run(&world, worker, FOX, 1);
    const char *first = run(&world, worker, TALL, 1); /* the fox is there */
    assert_hit(world_get(&world, first)->jobs[0], fox);
    assert_miss(world_get(&world, first)->jobs[1], "never_seen");
    const char *second = world_create(&world, TALL);
    const Callsheet__V1__Execution *execution = await_completed(&world, second);
    assert_hit(execution->jobs[0], fox);
    assert_hit(execution->jobs[1], first);
    assert_string_equal(execution->result_job_id, "tall");
    scripted_stop(worker);
}

TEST(sy_138_refresh_and_off_do_it_anew) {
    AUTO_WORLD world = {0};
    struct scripted_worker *worker = NULL;
    open_world(&world, &worker);
    (void)run(&world, worker, FOX, 1);
    const char *anew = run(&world, worker, FOX_OF("acme", "'cache':'CACHE_MODE_REFRESH',"), 1);
    assert_miss(world_get(&world, anew)->jobs[0], "refresh");
    const char *apart = run(&world, worker, FOX_OF("acme", "'cache':'CACHE_MODE_OFF',"), 1);
    assert_null(world_get(&world, apart)->jobs[0]->cache);
    const char *last = world_create(&world, FOX);
    assert_hit(await_completed(&world, last)->jobs[0], anew);
    scripted_stop(worker);
}

TEST(sy_138_what_is_too_old_or_was_made_by_another_version_or_lost_its_source_is_made_anew) {
    AUTO_WORLD world = {0};
    struct scripted_worker *worker = NULL;
    open_world(&world, &worker);
    (void)run(&world, worker, TALL, 2);
    age(&world, TTL_MS - 60 * 1000);
    const char *still = world_create(&world, FOX);
    assert_string_equal(await_completed(&world, still)->jobs[0]->cache->outcome, "hit");
    age(&world, 60 * 1000);
    const char *expired = run(&world, worker, FOX, 1);
    assert_miss(world_get(&world, expired)->jobs[0], "expired");
    alter(&world, &cache_engine, NULL);
    const char *other = run(&world, worker, TALL, 1);
    assert_hit(world_get(&world, other)->jobs[0], expired); /* what is paid for does not depend on our version */
    assert_miss(world_get(&world, other)->jobs[1], "engine_changed");
    alter_text(&world, &cache_source_remove, expired);
    const char *gone = run(&world, worker, FOX, 1);
    assert_miss(world_get(&world, gone)->jobs[0], "source_gone");
    scripted_stop(worker);
}

TEST(w24_no_tenant_gets_what_another_one_made) {
    AUTO_WORLD world = {0};
    struct scripted_worker *worker = NULL;
    open_world(&world, &worker);
    (void)run(&world, worker, FOX, 1);
    (void)world_create(&world, FOX_OF("other", ""));
    CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
    assert_string_equal(assigned->command->assign->tenant, "other");
    scripted_stop(worker);
}

/* ---- forgetting ---- */

TEST(sy_043_w24_what_an_execution_wrote_or_used_can_be_forgotten) {
    AUTO_WORLD world = {0};
    struct scripted_worker *worker = NULL;
    uint32_t entries = 0;
    struct cs_err err = {0};
    open_world(&world, &worker);
    const char *fox = run(&world, worker, FOX, 1);
    const char *user = run(&world, worker, TALL, 1); /* used the fox, wrote the tall one */
    assert_ok(try_invalidate(&world, "acme", user, &entries, &err), &err);
    assert_int_equal(entries, 2);
    assert_int_equal(world_get(&world, user)->jobs[0]->n_outputs, 1); /* what it has it keeps */
    const char *again = run(&world, worker, TALL, 2);
    assert_miss(world_get(&world, again)->jobs[0], "invalidated");
    assert_miss(world_get(&world, again)->jobs[1], "invalidated");
    assert_ok(try_invalidate(&world, "acme", fox, &entries, &err), &err);
    assert_int_equal(entries, 1); /* the same work, whoever did it last */
    scripted_stop(worker);
}

TEST(sy_043_sy_146_an_execution_that_is_not_the_tenants_forgets_nothing) {
    AUTO_WORLD world = {0};
    struct scripted_worker *worker = NULL;
    uint32_t entries = 0;
    struct cs_err err = {0};
    open_world(&world, &worker);
    const char *first = run(&world, worker, FOX, 1);
    assert_int_equal(try_invalidate(&world, "other", first, &entries, &err), CS_NOT_FOUND);
    assert_string_equal(err.message, "Execution not found");
    assert_int_equal(try_invalidate(&world, "acme", "aaaaaaaaaaaaaaaaaaaaa", &entries, &err), CS_NOT_FOUND);
    assert_int_equal(try_invalidate(&world, "acme", "not an id", &entries, &err), CS_NOT_FOUND);
    assert_kept(&world, 0, 1);
    scripted_stop(worker);
}

/* ---- dying ---- */

static void assert_crash_leaves_both_or_none(const char *crash_at, bool both) {
    AUTO_WORLD world = {0};
    world_open(&world, NULL);
    struct scripted_worker *worker = world_worker(&world, (struct scripted_config){OFFERS});
    world.config.crash_at = crash_at;
    world_start_program(&world);
    const char *first =
        world_create(&world, FOX); /* its first commit; the start is the second, the success the third */
    CS_AUTO(heard) *assigned = scripted_take(worker, HEARD_ASSIGN);
    scripted_succeed(assigned);
    heard_free(scripted_take(worker, HEARD_CLOSED));
    world_kill_program(&world);
    assert_int_equal(world_events(&world, first, ORC_EVENT_SUCCEEDED), both ? 1 : 0);
    assert_kept(&world, both ? 0 : 1, both ? 1 : 0);
    world.config.crash_at = "";
    world_start_program(&world);
    const char *second = world_create(&world, FOX);
    if (!both) {
        CS_AUTO(heard) *again = scripted_take(worker, HEARD_ASSIGN);
        assert_string_equal(again->command->assign->execution, first);
        scripted_succeed(again);
    }
    assert_hit(await_completed(&world, second)->jobs[0], first);
    assert_kept(&world, 0, 1);
    scripted_stop(worker);
}

TEST(e1_a_crash_leaves_both_the_success_and_what_is_kept_of_it_or_none) {
    assert_crash_leaves_both_or_none("orchestrator.before_commit:3", false);
    assert_crash_leaves_both_or_none("orchestrator.after_commit:3", true);
}

/* ---- two replicas ---- */

struct pair {
    struct world world;
    struct cs_test_program other;
    struct scripted_worker *worker;
};

static void pair_open(struct pair *pair) {
    world_open(&pair->world, NULL);
    pair->world.config.replica = "";
    pair->worker = world_worker(&pair->world, (struct scripted_config){OFFERS});
    world_start_program(&pair->world);
    world_start_second(&pair->world, "", &pair->other);
}

static void pair_close(struct pair *pair) {
    scripted_stop(pair->worker);
    cs_test_program_fini(&pair->other);
    world_close(&pair->world);
}
#define AUTO_PAIR __attribute__((cleanup(pair_close))) struct pair

struct told {
    struct world *world;
    const char *id;
    const char *leader;
};

static bool waits_for_leader(void *ctx) {
    const struct told *told = ctx;
    const Callsheet__V1__Waiting *waiting = world_get(told->world, told->id)->jobs[0]->waiting;
    return waiting != NULL && strcmp(waiting->reason, "same_work") == 0 &&
           strcmp(waiting->same_execution_id, told->leader) == 0;
}

/* The first leads at one replica, the second follows at the other, where calls go from then on. */
static struct heard *lead_and_follow(struct pair *pair, const char **ret_first, const char **ret_second) {
    *ret_first = world_create(&pair->world, FOX);
    struct heard *assigned = scripted_take(pair->worker, HEARD_ASSIGN);
    world_go_to(&pair->world, pair->other.address);
    *ret_second = world_create(&pair->world, FOX);
    struct told told = {&pair->world, *ret_second, *ret_first};
    cs_test_await(waits_for_leader, &told, "the second to wait for the first");
    assert_int_equal(scripted_assigned(pair->worker), 1);
    return assigned;
}

TEST(sy_138_two_replicas_do_the_same_work_once) {
    AUTO_PAIR pair = {0};
    const char *first = NULL;
    const char *second = NULL;
    pair_open(&pair);
    CS_AUTO(heard) *assigned = lead_and_follow(&pair, &first, &second);
    scripted_succeed(assigned);
    assert_hit(await_completed(&pair.world, second)->jobs[0], first);
    assert_int_equal(scripted_assigned(pair.worker), 1);
}

TEST(sy_138_when_the_leader_of_another_replica_fails_who_follows_leads) {
    AUTO_PAIR pair = {0};
    const char *first = NULL;
    const char *second = NULL;
    pair_open(&pair);
    CS_AUTO(heard) *assigned = lead_and_follow(&pair, &first, &second);
    scripted_fail(assigned, CLASS(BILLING), "no_credit", 0);
    CS_AUTO(heard) *next = scripted_take(pair.worker, HEARD_ASSIGN);
    assert_string_equal(next->command->assign->execution, second);
    scripted_succeed(next);
    assert_miss(await_completed(&pair.world, second)->jobs[0], "never_seen");
}

TEST(sy_138_ex_007_a_leader_whose_replica_is_killed_is_not_paid_for_again) {
    AUTO_PAIR pair = {0};
    const char *first = NULL;
    const char *second = NULL;
    pair_open(&pair);
    CS_AUTO(heard) *assigned = lead_and_follow(&pair, &first, &second);
    scripted_checkpoint(assigned, 1, "submitted as 42");
    heard_free(scripted_take(pair.worker, HEARD_SAVED));
    cs_test_program_kill(&pair.world.program);
    CS_AUTO(heard) *next = scripted_take(pair.worker, HEARD_ASSIGN);
    assert_string_equal(next->command->assign->execution, first);
    assert_memory_equal(next->command->assign->checkpoint.data, "submitted as 42", strlen("submitted as 42"));
    scripted_succeed(next);
    assert_hit(await_completed(&pair.world, second)->jobs[0], first);
    assert_int_equal(scripted_assigned(pair.worker), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sy_138_work_that_was_done_is_not_done_again_and_says_whose_it_is),
        cmocka_unit_test(sy_138_a_chain_hits_job_by_job_and_its_unpaid_part_only_when_asked_for),
        cmocka_unit_test(sy_138_refresh_and_off_do_it_anew),
        cmocka_unit_test(sy_138_what_is_too_old_or_was_made_by_another_version_or_lost_its_source_is_made_anew),
        cmocka_unit_test(w24_no_tenant_gets_what_another_one_made),
        cmocka_unit_test(sy_043_w24_what_an_execution_wrote_or_used_can_be_forgotten),
        cmocka_unit_test(sy_043_sy_146_an_execution_that_is_not_the_tenants_forgets_nothing),
        cmocka_unit_test(e1_a_crash_leaves_both_the_success_and_what_is_kept_of_it_or_none),
        cmocka_unit_test(sy_138_two_replicas_do_the_same_work_once),
        cmocka_unit_test(sy_138_when_the_leader_of_another_replica_fails_who_follows_leads),
        cmocka_unit_test(sy_138_ex_007_a_leader_whose_replica_is_killed_is_not_paid_for_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
