#include "wire/cache_wire.h"

#include "cs/catalog.h"
#include "life.h"

#define PICTURE_OF(params) "{'tenant':'acme','plan':{'jobs':[{'id':'g','operation':{'generateVideo':{" params "}}}]}}"
#define REFRAMED(id, more)                                                                                             \
    "{'tenant':'acme','plan':{'jobs':["                                                                                \
    "{'id':'" id "','operation':{'generateVideo':{'prompt':'a fox','provider':'local'}}},"                             \
    "{'id':'r','cache':'CACHE_MODE_ON','operation':{'reframe':{'video':{'job':'" id "'},'aspectRatio':'9:16'" more     \
    "}}}]}}"

typedef unsigned char subject[ORC_CACHE_SUBJECT_BYTES];

static void subject_of(const struct life *life, uint32_t job, subject ret_subject) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    assert_ok(orc_cache_subject(life->execution, job, arena, ret_subject, &err), &err);
}

static void subject_of_root(const char *request, subject ret_subject) {
    AUTO_LIFE life = {0};
    life_begin(&life, request);
    subject_of(&life, 0, ret_subject);
}

#define assert_same(a, b) assert_memory_equal(a, b, ORC_CACHE_SUBJECT_BYTES)
#define assert_other(a, b) assert_memory_not_equal(a, b, ORC_CACHE_SUBJECT_BYTES)

/* ---- parameters ---- */

TEST(w24_the_order_of_members_does_not_matter) {
    subject a;
    subject b;
    subject_of_root(PICTURE_OF("'prompt':'a fox','provider':'local','duration':2,'seed':7"), a);
    subject_of_root(PICTURE_OF("'seed':7,'duration':2,'provider':'local','prompt':'a fox'"), b);
    assert_same(a, b);
}

TEST(w24_every_parameter_matters) {
    subject a;
    subject b;
    subject_of_root(PICTURE_OF("'prompt':'a fox','provider':'local'"), a);
    subject_of_root(PICTURE_OF("'prompt':'a dog','provider':'local'"), b);
    assert_other(a, b);
    subject_of_root(PICTURE_OF("'prompt':'a fox','provider':'local','seed':7"), b);
    assert_other(a, b);
}

TEST(w24_the_tenant_matters) {
    AUTO_LIFE life = {0};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    subject a;
    subject b;
    life_begin(&life, PICTURE_OF("'prompt':'a fox','provider':'local'"));
    CS_AUTO(orc_execution) *other =
        orc_execution_create("execution000000000002", "other", life.submission->plan, 1, 2, false);
    subject_of(&life, 0, a);
    assert_ok(orc_cache_subject(other, 0, arena, b, &err), &err);
    assert_other(a, b);
}

TEST(w24_secrets_are_not_in_it) {
    Callsheet__V1__DeliverWebhook deliver = CALLSHEET__V1__DELIVER_WEBHOOK__INIT;
    Callsheet__V1__Operation operation = CALLSHEET__V1__OPERATION__INIT;
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_DELIVER_WEBHOOK;
    operation.deliver_webhook = &deliver;
    deliver.url = (char *)"https://example.com";
    deliver.secret = (char *)"s3cret";
    cs_catalog_reduce(&operation);
    assert_string_equal(deliver.secret, "");
    assert_string_equal(deliver.url, "https://example.com");
}

/* ---- inputs ---- */

static void subject_of_input(const char *request, const char *sha256, subject ret_subject) {
    AUTO_LIFE life = {0};
    life_begin(&life, request);
    life_assign(&life, 0);
    Callsheet__V1__Artifact artifact = CALLSHEET__V1__ARTIFACT__INIT;
    Callsheet__V1__Artifact *artifacts[] = {&artifact};
    Callsheet__V1__Succeeded succeeded = CALLSHEET__V1__SUCCEEDED__INIT;
    uint8_t packed[512];
    artifact.key = (char *)"dev/acme/e/g/1-aaaa/out.mp4";
    artifact.sha256 = (char *)sha256;
    artifact.type = CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO;
    succeeded.n_outputs = 1;
    succeeded.outputs = artifacts;
    size_t size = protobuf_c_message_pack(&succeeded.base, packed);
    life_step(&life, (struct orc_event){.kind = ORC_EVENT_SUCCEEDED,
                                        .attempt = life.execution->jobs[0].attempt,
                                        .payload = packed,
                                        .payload_size = size});
    subject_of(&life, 1, ret_subject);
}

TEST(w24_the_bytes_of_an_input_matter_and_not_who_made_them) {
    subject a;
    subject b;
    subject_of_input(REFRAMED("g", ""), "aa", a);
    subject_of_input(REFRAMED("other-name", ""), "aa", b);
    assert_same(a, b);
    subject_of_input(REFRAMED("g", ""), "bb", b);
    assert_other(a, b);
    subject_of_input(REFRAMED("g", ",'crop':'CROP_ANCHOR_TOP'"), "aa", b);
    assert_other(a, b);
}

TEST(the_text_of_a_url_matters) {
    subject a;
    subject b;
    subject_of_root(PICTURE_OF("'provider':'local','image':{'url':'https://example.com/a.png'}"), a);
    subject_of_root(PICTURE_OF("'provider':'local','image':{'url':'https://example.com/b.png'}"), b);
    assert_other(a, b);
    subject_of_root(PICTURE_OF("'provider':'local','startImage':{'url':'https://example.com/a.png'}"), b);
    assert_other(a, b);
}

TEST(work_whose_inputs_are_not_there_has_none) {
    AUTO_LIFE life = {0};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_err err = {0};
    subject a;
    life_begin(&life, REFRAMED("g", ""));
    assert_int_equal(orc_cache_subject(life.execution, 1, arena, a, &err), CS_INVALID_ARGUMENT);
}

/* ---- modes ---- */

static enum orc_cache_mode mode_of(const char *request, uint32_t job) {
    AUTO_LIFE life = {0};
    life_begin(&life, request);
    return (enum orc_cache_mode)life.execution->plan->jobs[job].cache;
}

TEST(sy_138_paid_work_is_kept_unless_somebody_says_otherwise) {
#define TWO(plan, job)                                                                                                 \
    "{'tenant':'acme','plan':{" plan "'jobs':[{'id':'g'," job                                                          \
    "'operation':{'generateVideo':{'prompt':'a fox','provider':'local'}}},"                                            \
    "{'id':'n','operation':{'noop':{}}}]}}"
    assert_int_equal(mode_of(TWO("", ""), 0), ORC_CACHE_ON);
    assert_int_equal(mode_of(TWO("", ""), 1), ORC_CACHE_OFF);
    assert_int_equal(mode_of(TWO("'cache':'CACHE_MODE_REFRESH',", ""), 0), ORC_CACHE_REFRESH);
    assert_int_equal(mode_of(TWO("'cache':'CACHE_MODE_REFRESH',", ""), 1), ORC_CACHE_REFRESH);
    assert_int_equal(mode_of(TWO("'cache':'CACHE_MODE_REFRESH',", "'cache':'CACHE_MODE_OFF',"), 0), ORC_CACHE_OFF);
    assert_int_equal(mode_of(TWO("'cache':'CACHE_MODE_OFF',", "'cache':'CACHE_MODE_ON',"), 0), ORC_CACHE_ON);
}

TEST(work_that_acts_on_the_world_cannot_be_kept) {
    const struct cs_operation *deliver = cs_catalog_by_name("deliverWebhook");
    Callsheet__V1__Plan plan = CALLSHEET__V1__PLAN__INIT;
    Callsheet__V1__Job job = CALLSHEET__V1__JOB__INIT;
    struct cs_err err = {0};
    plan.cache = CALLSHEET__V1__CACHE_MODE__CACHE_MODE_ON;
    assert_int_equal(orc_job_cache(&plan, &job, deliver), ORC_CACHE_OFF);
    job.cache = CALLSHEET__V1__CACHE_MODE__CACHE_MODE_ON;
    assert_int_equal(orc_job_cache_check(&job, deliver, &err), CS_INVALID_ARGUMENT);
    assert_string_equal(err.reason, "not_cacheable");
    assert_string_equal(err.path, "cache");
    job.cache = (Callsheet__V1__CacheMode)9;
    assert_int_equal(orc_job_cache_check(&job, deliver, &err), CS_INVALID_ARGUMENT);
    assert_string_equal(err.reason, "bad_cache_mode");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(w24_the_order_of_members_does_not_matter),
        cmocka_unit_test(w24_every_parameter_matters),
        cmocka_unit_test(w24_the_tenant_matters),
        cmocka_unit_test(w24_secrets_are_not_in_it),
        cmocka_unit_test(w24_the_bytes_of_an_input_matter_and_not_who_made_them),
        cmocka_unit_test(the_text_of_a_url_matters),
        cmocka_unit_test(work_whose_inputs_are_not_there_has_none),
        cmocka_unit_test(sy_138_paid_work_is_kept_unless_somebody_says_otherwise),
        cmocka_unit_test(work_that_acts_on_the_world_cannot_be_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
