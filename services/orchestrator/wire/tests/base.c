/* Plans on a base whose outputs were not all kept. */
#include <string.h>

#include "cs/json.h"
#include "cs/test.h"
#include "requests.h"
#include "wire/base.h"

#define GEN(id) "{'id':'" id "','operation':{'generateVideo':{'prompt':'p','provider':'local'}}}"
#define REVERSE(id, of) "{'id':'" id "','operation':{'reverse':{'video':{'job':'" of "'}}}}"
#define IMPORT(id, job) "{'id':'" id "','operation':{'import':{'executionId':'e0','jobId':'" job "'}}}"
#define PLAN(jobs) "{'tenant':'acme','baseExecutionId':'e1','plan':{'jobs':[" jobs "]}}"
/* x was done in the run of y. */
#define SUMMARY                                                                                                        \
    "{\"id\":\"e1\",\"resultJobId\":\"y\",\"jobs\":["                                                                  \
    "{\"id\":\"c\",\"state\":\"completed\",\"outputs\":[{\"key\":\"k/c.mp4\",\"type\":\"video\"}]},"                   \
    "{\"id\":\"x\",\"state\":\"completed\",\"fusedInto\":\"y\"},"                                                      \
    "{\"id\":\"y\",\"state\":\"completed\",\"outputs\":[{\"key\":\"k/y.mp4\",\"type\":\"video\"}]}]}"

static struct orc_base base_of(const char *plan, struct cs_arena *arena) {
    CS_AUTO_JSON *summary = NULL;
    ProtobufCMessage *message = NULL;
    struct cs_err err = {0};
    assert_ok(cs_json_parse(SUMMARY, strlen(SUMMARY), &summary, &err), &err);
    assert_ok(cs_json_to_message(summary, &callsheet__v1__execution__descriptor, "", arena, &message, &err), &err);
    return (struct orc_base){.id = "e1",
                             .state = ORC_EXECUTION_COMPLETED,
                             .plan = request_from(plan, arena)->plan,
                             .summary = (const Callsheet__V1__Execution *)message};
}

static const char *operation_of(const Callsheet__V1__Plan *plan, size_t job) {
    return plan->jobs[job]->operation->params_case == CALLSHEET__V1__OPERATION__PARAMS_IMPORT ? "import" : "";
}

TEST(sy_060_a_job_whose_output_the_base_did_not_keep_is_done_again_with_what_it_needs) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    const struct orc_base base = base_of(PLAN(GEN("c") "," REVERSE("x", "c") "," REVERSE("y", "x")), arena);
    Callsheet__V1__CreateExecutionRequest *request = request_from(PLAN(REVERSE("z", "x")), arena);
    assert_ok(orc_base_resolve(request, &base, arena, &err), &err);
    assert_int_equal(request->plan->n_jobs, 3);
    assert_string_equal(request->plan->jobs[1]->id, "x");
    assert_string_equal(operation_of(request->plan, 1), "");
    assert_string_equal(request->plan->jobs[2]->id, "c");
    assert_string_equal(operation_of(request->plan, 2), "import");
}

TEST(sy_060_it_takes_a_job_of_the_plan_that_is_the_bases) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    const struct orc_base base = base_of(PLAN(GEN("c") "," REVERSE("x", "c") "," REVERSE("y", "x")), arena);
    Callsheet__V1__CreateExecutionRequest *request = request_from(PLAN(GEN("c") "," REVERSE("z", "x")), arena);
    assert_ok(orc_base_resolve(request, &base, arena, &err), &err);
    assert_int_equal(request->plan->n_jobs, 3);
    assert_true(request->plan->jobs[0]->reference);
}

TEST(sy_060_nothing_is_done_again_for_a_job_that_has_its_result) {
    static const char *const bases[] = {
        PLAN(GEN("c") "," REVERSE("x", "c") "," REVERSE("y", "x")),
        PLAN(REVERSE("x", "clip") "," REVERSE("y", "x") "," IMPORT("clip", "clip")), /* x could not be */
    };
    for (size_t i = 0; i < CS_COUNT(bases); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct cs_err err = {0};
        const struct orc_base base = base_of(bases[i], arena);
        Callsheet__V1__CreateExecutionRequest *request =
            request_from(PLAN(REVERSE("y", "x") "," REVERSE("z", "y")), arena);
        assert_ok(orc_base_resolve(request, &base, arena, &err), &err);
        assert_int_equal(request->plan->n_jobs, 3);
        assert_true(request->plan->jobs[0]->reference);
        assert_string_equal(request->plan->jobs[2]->id, "x");
        assert_string_equal(operation_of(request->plan, 2), "import");
    }
}

TEST(sy_060_what_one_job_needs_again_is_done_again_for_all) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    const struct orc_base base = base_of(PLAN(GEN("c") "," REVERSE("x", "c") "," REVERSE("y", "x")), arena);
    Callsheet__V1__CreateExecutionRequest *request = request_from(PLAN(REVERSE("y", "x") "," REVERSE("z", "x")), arena);
    assert_ok(orc_base_resolve(request, &base, arena, &err), &err);
    assert_int_equal(request->plan->n_jobs, 4);
    assert_string_equal(request->plan->jobs[2]->id, "x");
    assert_string_equal(operation_of(request->plan, 2), "");
}

TEST(sy_060_what_cannot_be_done_again_is_refused_by_name) {
    static const struct {
        const char *base;
        const char *plan;
        const char *says;
    } cases[] = {
        {PLAN(REVERSE("x", "clip") "," REVERSE("y", "x") "," IMPORT("clip", "clip")), PLAN(REVERSE("z", "x")),
         "it takes \"clip\" of that execution's own base"},
        {PLAN(REVERSE("x", "$base") "," REVERSE("y", "x") "," IMPORT("$base", "")), PLAN(REVERSE("z", "x")),
         "it takes \"$base\" of that execution's own base"},
        {PLAN(GEN("c") "," REVERSE("x", "c") "," REVERSE("y", "x")), PLAN(REVERSE("c", "y") "," REVERSE("z", "x")),
         "it takes \"c\", which is another job in this plan"},
        {PLAN("{'id':'x','dependsOn':['clip'],'operation':{'noop':{}}}," REVERSE("y", "x") "," IMPORT("clip", "clip")),
         PLAN("{'id':'z','dependsOn':['x'],'operation':{'noop':{}}}"),
         "it takes \"clip\" of that execution's own base"},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        struct cs_err err = {0};
        const struct orc_base base = base_of(cases[i].base, arena);
        Callsheet__V1__CreateExecutionRequest *request = request_from(cases[i].plan, arena);
        assert_fails(orc_base_resolve(request, &base, arena, &err), &err, CS_FAILED_PRECONDITION,
                     "base_output_discarded");
        assert_string_equal(err.path, "baseExecutionId");
        assert_non_null(strstr(err.message, "job \"x\" of the base execution e1"));
        assert_non_null(strstr(err.message, cases[i].says));
    }
}

TEST(what_a_job_of_the_base_gives_beside_its_main_output_is_known) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    const struct orc_base base = base_of(
        PLAN("{'id':'c','operation':{'reframe':{'video':{'url':'https://e.com/v.mp4'},'mode':'smart'}}}"), arena);
    Callsheet__V1__CreateExecutionRequest *request =
        request_from(PLAN("{'id':'z','operation':{'reframe':{'video':{'url':'https://e.com/v.mp4'},'mode':'smart',"
                          "'path':{'job':'c'}}}}"),
                     arena);
    assert_ok(orc_base_resolve(request, &base, arena, &err), &err);
    assert_int_equal(request->plan->n_jobs, 2);
    const Callsheet__V1__Import *import = request->plan->jobs[1]->operation->import;
    assert_int_equal(import->output, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO);
    assert_int_equal(import->more_output, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_REFRAME_PATH);
}

TEST_MAIN(CS_TEST(what_a_job_of_the_base_gives_beside_its_main_output_is_known),
          CS_TEST(sy_060_a_job_whose_output_the_base_did_not_keep_is_done_again_with_what_it_needs),
          CS_TEST(sy_060_it_takes_a_job_of_the_plan_that_is_the_bases),
          CS_TEST(sy_060_nothing_is_done_again_for_a_job_that_has_its_result),
          CS_TEST(sy_060_what_one_job_needs_again_is_done_again_for_all),
          CS_TEST(sy_060_what_cannot_be_done_again_is_refused_by_name))
