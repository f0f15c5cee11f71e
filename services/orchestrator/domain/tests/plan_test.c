#include "cs/test.h"
#include "domain/tests/fixture.h"

static struct orc_job_draft draft(const char *id, const char *const *depends_on, uint32_t count) {
    return (struct orc_job_draft){.id = id,
                                  .output = "",
                                  .operation = &fixture_merge,
                                  .params = "",
                                  .depends_on = depends_on,
                                  .depends_on_count = count};
}

static void expect_failure(const struct orc_job_draft *drafts, size_t count, const char *reason, const char *path,
                           const char *words) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_plan *plan = NULL;
    struct cs_err err = {0};
    assert_fails(orc_plan_build(drafts, count, arena, &plan, &err), &err, CS_INVALID_ARGUMENT, reason);
    assert_string_equal(err.path, path);
    assert_non_null(strstr(err.message, words));
    assert_null(plan);
}

TEST(edges_are_stored_once_in_both_directions_and_in_order) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    static const char *const lines[] = {"end<c,b,b,a,c", "a", "b<a", "c<a,b"};
    const struct orc_plan *plan = fixture_plan(arena, lines, CS_COUNT(lines));
    assert_int_equal(plan->job_count, 4);
    assert_int_equal(plan->edge_count, 6);
    static const uint32_t parents_of_end[] = {1, 2, 3};
    assert_int_equal(plan->jobs[0].parent_count, 3);
    assert_memory_equal(plan->jobs[0].parents, parents_of_end, sizeof(parents_of_end));
    static const uint32_t children_of_a[] = {0, 2, 3};
    assert_int_equal(plan->jobs[1].child_count, 3);
    assert_memory_equal(plan->jobs[1].children, children_of_a, sizeof(children_of_a));
    assert_int_equal(plan->jobs[1].parent_count, 0);
    assert_int_equal(plan->jobs[0].child_count, 0);
}

TEST(inputs_make_edges_and_know_their_job) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    char url[] = "http://x/a.mp4";
    struct orc_input inputs[] = {{.url = url, .accepts = 1}, {.accepts = 2}};
    const char *input_jobs[] = {NULL, "clip"};
    const char *paths[] = {"jobs[0].params.a", "jobs[0].params.b"};
    struct orc_job_draft drafts[] = {draft("join", NULL, 0), draft("clip", NULL, 0)};
    drafts[0].inputs = inputs;
    drafts[0].input_jobs = input_jobs;
    drafts[0].input_paths = paths;
    drafts[0].input_count = 2;
    struct orc_plan *plan = NULL;
    struct cs_err err = {0};
    assert_ok(orc_plan_build(drafts, 2, arena, &plan, &err), &err);
    url[0] = '!'; /* the plan has its own copy */
    assert_string_equal(plan->jobs[0].inputs[0].url, "http://x/a.mp4");
    assert_int_equal(plan->jobs[0].inputs[0].job, -1);
    assert_int_equal(plan->jobs[0].inputs[1].job, 1);
    assert_int_equal(plan->jobs[0].inputs[1].accepts, 2);
    assert_null(plan->jobs[0].inputs[1].url);
    assert_int_equal(plan->jobs[0].parent_count, 1);
    assert_int_equal(orc_plan_find(plan, "clip"), 1);
    assert_int_equal(orc_plan_find(plan, "clap"), -1);
}

TEST(an_empty_plan_is_a_plan) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_plan *plan = NULL;
    struct cs_err err = {0};
    assert_ok(orc_plan_build(NULL, 0, arena, &plan, &err), &err);
    assert_int_equal(plan->job_count, 0);
}

TEST(bad_ids_are_refused) {
    struct orc_job_draft spaces[] = {draft("a b", NULL, 0)};
    expect_failure(spaces, 1, "bad_id", "jobs[0].id", "characters");
    struct orc_job_draft empty[] = {draft("a", NULL, 0), draft("", NULL, 0)};
    expect_failure(empty, 2, "bad_id", "jobs[1].id", "characters");
    struct orc_job_draft twins[] = {draft("a", NULL, 0), draft("b", NULL, 0), draft("a", NULL, 0)};
    expect_failure(twins, 3, "duplicate_id", "jobs[2].id", "jobs[0]");
}

TEST(sy_022_w4_unknown_and_own_ids_are_refused_with_their_path) {
    const char *unknown[] = {"a", "nobody"};
    struct orc_job_draft drafts[] = {draft("a", NULL, 0), draft("b", unknown, 2)};
    expect_failure(drafts, 2, "unknown_dependency", "jobs[1].dependsOn[1]", "\"nobody\"");
    const char *self[] = {"b"};
    struct orc_job_draft own[] = {draft("a", NULL, 0), draft("b", self, 1)};
    expect_failure(own, 2, "self_dependency", "jobs[1].dependsOn[0]", "itself");
    const char *input_jobs[] = {"gone"};
    const char *paths[] = {"jobs[0].params.items[3].media"};
    struct orc_input inputs[] = {{.job = -1}};
    struct orc_job_draft input[] = {draft("a", NULL, 0)};
    input[0].inputs = inputs;
    input[0].input_jobs = input_jobs;
    input[0].input_paths = paths;
    input[0].input_count = 1;
    expect_failure(input, 1, "unknown_dependency", "jobs[0].params.items[3].media", "\"gone\"");
}

TEST(sy_023_w4_a_cycle_is_listed) {
    const char *on_c[] = {"c"};
    const char *on_a[] = {"root", "a"};
    const char *on_b[] = {"b"};
    struct orc_job_draft drafts[] = {draft("behind", on_c, 1), draft("a", on_c, 1), draft("b", on_a, 2),
                                     draft("c", on_b, 1), draft("root", NULL, 0)};
    expect_failure(drafts, 5, "cycle", "jobs[3].dependsOn[0]", "c -> b -> a -> c");
    const char *each_other[] = {"b"};
    const char *back[] = {"a"};
    struct orc_job_draft pair[] = {draft("a", each_other, 1), draft("b", back, 1)};
    expect_failure(pair, 2, "cycle", "jobs[0].dependsOn[0]", "a -> b -> a");
}

/* A ring as long as a plan may be: found without recursion, told in a sentence that fits. */
TEST(the_longest_cycle_is_found_and_told_shortly) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_job_draft *drafts = cs_arena_array(arena, ORC_PLAN_JOBS_MAX, sizeof(*drafts));
    for (uint32_t i = 0; i < ORC_PLAN_JOBS_MAX; i++) {
        const char **on = cs_arena_array(arena, 1, sizeof(*on));
        on[0] = cs_arena_sprintf(arena, "job%u", (i + 1) % ORC_PLAN_JOBS_MAX);
        drafts[i] = draft(cs_arena_sprintf(arena, "job%u", i), on, 1);
    }
    expect_failure(drafts, ORC_PLAN_JOBS_MAX, "cycle", "jobs[0].dependsOn[0]", "more");
}

TEST(limits_are_checked_first) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct orc_job_draft *drafts = cs_arena_array(arena, ORC_PLAN_JOBS_MAX + 1, sizeof(*drafts));
    expect_failure(drafts, ORC_PLAN_JOBS_MAX + 1, "too_many_jobs", "jobs", "10000");
    const char **many = cs_arena_array(arena, ORC_PLAN_EDGES_MAX + 1, sizeof(*many));
    for (uint32_t i = 0; i <= ORC_PLAN_EDGES_MAX; i++) {
        many[i] = "a";
    }
    struct orc_job_draft wide[] = {draft("a", NULL, 0), draft("b", many, ORC_PLAN_EDGES_MAX + 1)};
    expect_failure(wide, 2, "too_many_edges", "jobs", "100000");
}

TEST_MAIN(CS_TEST(edges_are_stored_once_in_both_directions_and_in_order), CS_TEST(inputs_make_edges_and_know_their_job),
          CS_TEST(an_empty_plan_is_a_plan), CS_TEST(bad_ids_are_refused),
          CS_TEST(sy_022_w4_unknown_and_own_ids_are_refused_with_their_path), CS_TEST(sy_023_w4_a_cycle_is_listed),
          CS_TEST(the_longest_cycle_is_found_and_told_shortly), CS_TEST(limits_are_checked_first))
