/* Templates of plans: what is refused, and what the others become. JSON is written with ' for ". */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "cs/json.h"
#include "cs/test.h"
#include "dialect/dialect.h"
#include "pipeline/params.h"
#include "pipeline/pipeline.h"

static json_t *json_of(const char *text) {
    CS_AUTO_BUF quoted = {0};
    json_t *value = NULL;
    struct cs_err err = {0};
    cs_buf_puts(&quoted, text);
    for (size_t i = 0; i < quoted.size; i++) {
        quoted.data[i] = quoted.data[i] == '\'' ? '"' : quoted.data[i];
    }
    assert_ok(cs_json_parse(quoted.data, quoted.size, &value, &err), &err);
    return value;
}

/* ---- declared parameters ---- */

struct bad_case {
    const char *what;
    const char *given;
    const char *path;
    const char *reason;
};

TEST(declarations_that_mean_nothing_are_refused) {
    static const struct bad_case cases[] = {
        {"{'a':1}", "", "params.a", "wrong_type"},
        {"{'a b':{'type':'string'}}", "", "params.a b", "bad_name"},
        {"{'a.b':{'type':'string'}}", "", "params.a.b", "bad_name"},
        {"{'a':{'type':'text'}}", "", "params.a.type", "unknown_word"},
        {"{'a':{'type':'string','minimum':1}}", "", "params.a.minimum", "unknown_field"},
        {"{'a':{'type':'string','maxLength':-1}}", "", "params.a.maxLength", "wrong_type"},
        {"{'a':{'type':'string','enum':[]}}", "", "params.a.enum", "wrong_type"},
        {"{'a':{'type':'string','enum':['x'],'default':'y'}}", "", "params.a.default", "unknown_word"},
        {"{'a':{'type':'integer','maximum':3,'example':4}}", "", "params.a.example", "out_of_range"},
        {"{'a':{'type':'array'}}", "", "params.a.items", "wrong_type"},
        {"{'a':{'type':'object','properties':{'b':{'type':'x'}}}}", "", "params.a.properties.b.type", "unknown_word"},
        {"{'a':{'type':'array','items':{'type':'array','items':{'type':'array','items':{'type':'array','items':"
         "{'type':'string'}}}}}}",
         "", "params.a.items.items.items.items", "too_deep"},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        CS_AUTO_JSON *declared = json_of(cases[i].what);
        struct cs_err err = {0};
        assert_fails(gw_pipeline_params_check(declared, "params", arena, &err), &err, CS_INVALID_ARGUMENT,
                     cases[i].reason);
        assert_string_equal(err.path, cases[i].path);
    }
}

TEST(values_that_do_not_fit_are_refused) {
    static const struct bad_case cases[] = {
        {"{'a':{'type':'string'}}", "{}", "params.a", "required"},
        {"{'a':{'type':'string'}}", "{'a':null}", "params.a", "required"},
        {"{'a':{'type':'string'}}", "{'a':'x','b':1}", "params.b", "unknown_field"},
        {"{'a':{'type':'string'}}", "{'a':1}", "params.a", "wrong_type"},
        {"{'a':{'type':'string','maxLength':2}}", "{'a':'xyz'}", "params.a", "out_of_range"},
        {"{'a':{'type':'string','enum':['x','y']}}", "{'a':'z'}", "params.a", "unknown_word"},
        {"{'a':{'type':'integer'}}", "{'a':1.5}", "params.a", "wrong_type"},
        {"{'a':{'type':'number','minimum':0}}", "{'a':-0.5}", "params.a", "out_of_range"},
        {"{'a':{'type':'boolean'}}", "{'a':'true'}", "params.a", "wrong_type"},
        {"{'a':{'type':'media'}}", "{'a':'file:///etc/passwd'}", "params.a", "bad_media"},
        {"{'a':{'type':'media'}}", "{'a':{'job':'x'}}", "params.a", "bad_media"},
        {"{'a':{'type':'array','items':{'type':'string'},'minItems':1}}", "{'a':[]}", "params.a", "out_of_range"},
        {"{'a':{'type':'array','items':{'type':'string'}}}", "{'a':['x',2]}", "params.a[1]", "wrong_type"},
        {"{'a':{'type':'array','items':{'type':'object','properties':{'p':{'type':'string'}}}}}", "{'a':[{'q':1}]}",
         "params.a[0].q", "unknown_field"},
        {"{'a':{'type':'array','items':{'type':'object','properties':{'p':{'type':'string'}}}}}", "{'a':[{}]}",
         "params.a[0].p", "required"},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        CS_AUTO_JSON *declared = json_of(cases[i].what);
        CS_AUTO_JSON *given = json_of(cases[i].given);
        json_t *values = NULL;
        struct cs_err err = {0};
        assert_ok(gw_pipeline_params_check(declared, "params", arena, &err), &err);
        assert_fails(gw_pipeline_params_read(declared, given, "params", arena, &values, &err), &err,
                     CS_INVALID_ARGUMENT, cases[i].reason);
        assert_string_equal(err.path, cases[i].path);
    }
}

/* ---- templates ---- */

TEST(templates_that_cannot_work_are_refused) {
    static const struct bad_case cases[] = {
        {"[]", "", "", "wrong_type"},
        {"{'plan':{'jobs':[]}}", "", "plan.jobs", "no_jobs"},
        {"{'plan':{'jobs':[{}]}}", "", "plan.jobs[0].id", "bad_id"},
        {"{'plan':{'jobs':[{'id':'{{params.a}}'}]}}", "", "plan.jobs[0].id", "bad_id"},
        {"{'plan':{'jobs':[{'id':'a'},{'id':'a'}]}}", "", "plan.jobs[1].id", "duplicate_id"},
        {"{'plan':{'jobs':[{'id':'a','when':{}}]}}", "", "plan.jobs[0].when", "bad_condition"},
        {"{'plan':{'jobs':[{'id':'a','when':{'param':'x'}}]}}", "", "plan.jobs[0].when.param", "unknown_param"},
        {"{'plan':{'jobs':[{'id':'a','when':{'any':[{'not':{'param':'x'}}]}}]}}", "",
         "plan.jobs[0].when.any[0].not.param", "unknown_param"},
        {"{'plan':{'jobs':[{'id':'a','otherwise':'b'}]}}", "", "plan.jobs[0].otherwise", "unknown_job"},
        {"{'plan':{'jobs':[{'id':'a','otherwise':'b'},{'id':'b','otherwise':'a'}]}}", "", "plan.jobs[0].otherwise",
         "cycle"},
        {"{'plan':{'jobs':[{'id':'a','params':{'x':{'$param':'y'}}}]}}", "", "plan.jobs[0].params.x.$param",
         "unknown_param"},
        {"{'plan':{'jobs':[{'id':'a','params':{'x':{'$param':'y','z':1}}}]}}", "", "plan.jobs[0].params.x.$param",
         "unknown_param"},
        {"{'plan':{'jobs':[{'id':'a','params':{'x':'see {{params.y}}'}}]}}", "", "plan.jobs[0].params.x",
         "unknown_param"},
        {"{'plan':{'jobs':[{'id':'a','params':{'x':'see {{params.y'}}]}}", "", "plan.jobs[0].params.x",
         "unknown_param"},
        {"{'params':{'y':{'type':'array','items':{'type':'string'}}},"
         "'plan':{'jobs':[{'id':'a','params':{'x':'see {{params.y}}'}}]}}",
         "", "plan.jobs[0].params.x", "wrong_type"},
        {"{'plan':{'jobs':[{'id':'a','operation':'nonsense','params':{}}]}}", "", "plan.jobs[0].operation",
         "unknown_operation"},
        {"{'params':{'r':{'type':'string','example':'7:3'}},'plan':{'jobs':[{'id':'a','operation':'reframe',"
         "'params':{'video':'https://example.com/a.mp4','aspectRatio':{'$param':'r'}}}]}}",
         "", "plan.jobs[0].params.aspectRatio", "unknown_word"},
        {"{'secrets':1,'plan':{}}", "", "secrets", "unknown_field"},
    };
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        CS_AUTO_JSON *template = json_of(cases[i].what);
        struct cs_err err = {0};
        enum cs_status status = gw_pipeline_check(template, arena, &err);
        if (status != CS_INVALID_ARGUMENT || strcmp(err.path, cases[i].path) != 0 ||
            strcmp(err.reason, cases[i].reason) != 0) {
            fail_msg("%s\n  gave %d %s at \"%s\" (%s)\n  wanted %s at \"%s\"", cases[i].what, status, err.reason,
                     err.path, err.message, cases[i].reason, cases[i].path);
        }
    }
}

/* ---- expansion ---- */

static enum cs_status try_expand(const char *template_text, const char *params, const char *skip_text, char **ret_text,
                                 struct cs_err *err) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    CS_AUTO_JSON *template = json_of(template_text);
    CS_AUTO_JSON *given = json_of(params);
    CS_AUTO_JSON *skip = skip_text != NULL ? json_of(skip_text) : NULL;
    CS_AUTO_JSON *values = NULL;
    CS_AUTO_JSON *body = NULL;
    struct gw_paths *paths = gw_paths_create(arena);
    CS_TRY(gw_pipeline_params_read(json_object_get(template, "params"), given, "params", arena, &values, err));
    CS_TRY(gw_pipeline_expand(template, values, skip, arena, paths, &body, err));
    char *text = json_dumps(body, JSON_COMPACT | JSON_PRESERVE_ORDER);
    for (char *c = text; *c != '\0'; c++) {
        *c = *c == '"' ? '\'' : *c;
    }
    *ret_text = text;
    return CS_OK;
}

static void assert_expands(const char *template_text, const char *params, const char *skip, const char *want) {
    struct cs_err err = {0};
    char *text = NULL;
    assert_ok(try_expand(template_text, params, skip, &text, &err), &err);
    assert_string_equal(text, want);
    free(text);
}

TEST(parameters_become_values_and_text) {
    static const char template[] =
        "{'params':{'n':{'type':'integer','default':3},'s':{'type':'string','required':false},"
        "'o':{'type':'object','properties':{'x':{'type':'number'}},'required':false}},"
        "'plan':{'jobs':[{'id':'a','params':{'n':{'$param':'n'},'s':{'$param':'s'},"
        "'x':{'$param':'o.x'},'t':'{{params.n}} of <{{params.s}}> {{item}}',"
        "'l':[1,{'$param':'s'},{'$param':'n'}]}}]},'labels':{'k':'v{{params.n}}'}}";
    assert_expands(template, "{}", NULL,
                   "{'plan':{'jobs':[{'id':'a','params':{'n':3,'t':'3 of <> {{item}}','l':[1,3]}}]},"
                   "'labels':{'k':'v3'}}");
    assert_expands(template, "{'n':5,'s':'{{params.n}}','o':{'x':0.5}}", NULL,
                   "{'plan':{'jobs':[{'id':'a','params':{'n':5,'s':'{{params.n}}','x':0.5,"
                   "'t':'5 of <{{params.n}}> {{item}}','l':[1,'{{params.n}}',5]}}]},'labels':{'k':'v5'}}");
}

TEST(a_condition_decides_whether_a_job_is_there) {
    static const char template[] =
        "{'params':{'on':{'type':'boolean','default':false},'r':{'type':'string','default':'a'}},'plan':{'jobs':["
        "{'id':'one','when':{'param':'on'}},{'id':'two','when':{'not':{'param':'on'}}},"
        "{'id':'three','when':{'param':'r','in':['b','c']}},"
        "{'id':'four','when':{'all':[{'param':'r','equals':'b'},{'any':[{'param':'on'},{'param':'r'}]}]}}]}}";
    assert_expands(template, "{}", NULL, "{'plan':{'jobs':[{'id':'two'}]}}");
    assert_expands(template, "{'on':true,'r':'c'}", NULL, "{'plan':{'jobs':[{'id':'one'},{'id':'three'}]}}");
    assert_expands(template, "{'r':'b'}", NULL, "{'plan':{'jobs':[{'id':'two'},{'id':'three'},{'id':'four'}]}}");
}

/* cuts -> (transitions) -> subtitles -> (brand), as in podcast-edit */
static const char steps[] =
    "{'params':{'transitions':{'type':'boolean','default':false}},'plan':{'jobs':["
    "{'id':'probe'},{'id':'cuts','dependsOn':['probe']},"
    "{'id':'transitions','when':{'param':'transitions'},'otherwise':'cuts','params':{'video':{'job':'cuts'}}},"
    "{'id':'check','when':{'param':'transitions'},'dependsOn':['cuts','probe']},"
    "{'id':'subtitles','dependsOn':['transitions','check'],'params':{'video':{'job':'transitions'},"
    "'items':[{'media':{'job':'check'}},{'media':{'job':'probe'}}]}}]}}";

TEST(ta_016_a_step_that_is_switched_off_is_stood_in_for) {
    assert_expands(steps, "{'transitions':true}", NULL,
                   "{'plan':{'jobs':[{'id':'probe'},{'id':'cuts','dependsOn':['probe']},"
                   "{'id':'transitions','params':{'video':{'job':'cuts'}}},"
                   "{'id':'check','dependsOn':['cuts','probe']},"
                   "{'id':'subtitles','dependsOn':['transitions','check'],'params':{'video':{'job':'transitions'},"
                   "'items':[{'media':{'job':'check'}},{'media':{'job':'probe'}}]}}]}}");
    assert_expands(steps, "{}", NULL,
                   "{'plan':{'jobs':[{'id':'probe'},{'id':'cuts','dependsOn':['probe']},"
                   "{'id':'subtitles','dependsOn':['cuts','probe'],'params':{'video':{'job':'cuts'},"
                   "'items':[{'media':{'job':'probe'}}]}}]}}");
}

TEST(ex_042_a_run_may_skip_what_the_pipeline_can_do_without) {
    struct cs_err err = {0};
    char *text = NULL;
    assert_expands(steps, "{'transitions':true}", "['transitions']",
                   "{'plan':{'jobs':[{'id':'probe'},{'id':'cuts','dependsOn':['probe']},"
                   "{'id':'check','dependsOn':['cuts','probe']},"
                   "{'id':'subtitles','dependsOn':['cuts','check'],'params':{'video':{'job':'cuts'},"
                   "'items':[{'media':{'job':'check'}},{'media':{'job':'probe'}}]}}]}}");
    assert_fails(try_expand(steps, "{}", "['cuts']", &text, &err), &err, CS_INVALID_ARGUMENT, "not_optional");
    assert_string_equal(err.path, "skip[0]");
    err = (struct cs_err){0};
    assert_fails(try_expand(steps, "{}", "['check','nobody']", &text, &err), &err, CS_INVALID_ARGUMENT, "unknown_job");
    assert_string_equal(err.path, "skip[1]");
}

TEST(a_reference_that_nothing_stands_in_for_is_an_error) {
    struct cs_err err = {0};
    char *text = NULL;
    assert_fails(try_expand("{'params':{'m':{'type':'boolean'}},'plan':{'jobs':[{'id':'music','when':{'param':'m'}},"
                            "{'id':'mix','params':{'audio':{'job':'music'}}}]}}",
                            "{'m':false}", NULL, &text, &err),
                 &err, CS_INVALID_ARGUMENT, "needs_job");
    assert_string_equal(err.path, "pipeline.plan.jobs[1].params");
}

TEST(an_expansion_has_a_limit) {
    CS_AUTO_BUF template = {0};
    CS_AUTO_BUF params = {0};
    struct cs_err err = {0};
    char *text = NULL;
    cs_buf_puts(&template, "{'params':{'t':{'type':'string'}},'plan':{'jobs':[");
    for (int i = 0; i < 200; i++) {
        cs_buf_printf(&template, "%s{'id':'j%d','params':{'t':{'$param':'t'}}}", i > 0 ? "," : "", i);
    }
    cs_buf_puts(&template, "]}}");
    cs_buf_puts(&params, "{'t':'");
    for (int i = 0; i < 30000; i++) {
        cs_buf_puts(&params, "x");
    }
    cs_buf_puts(&params, "'}");
    assert_fails(try_expand(template.data, params.data, NULL, &text, &err), &err, CS_INVALID_ARGUMENT, "too_big");
}

TEST(text_counts_once_however_many_parameters_are_in_it) {
    CS_AUTO_BUF template = {0};
    struct cs_err err = {0};
    char *text = NULL;
    cs_buf_puts(&template, "{'params':{'t':{'type':'string'}},'plan':{'jobs':[{'id':'j','params':{'t':'");
    for (int i = 0; i < 2000; i++) {
        cs_buf_puts(&template, "some words {{params.t}}");
    }
    cs_buf_puts(&template, "'}}]}}");
    assert_ok(try_expand(template.data, "{'t':'x'}", NULL, &text, &err), &err);
    free(text);
}

/* Jobs that are not there: a long chain of those that stand in for each other, and one that names its head again and
 * again, on which `jobs` depend. */
static void put_absent_jobs(struct cs_buf *template, int chain, int edges, int jobs) {
    cs_buf_puts(template, "{'params':{'m':{'type':'boolean'}},'plan':{'jobs':[");
    for (int i = 0; i < chain; i++) {
        cs_buf_printf(template, "{'id':'c%d','when':{'param':'m'}", i);
        cs_buf_printf(template, i + 1 < chain ? ",'otherwise':'c%d'}," : "},", i + 1);
    }
    cs_buf_puts(template, "{'id':'x','when':{'param':'m'},'dependsOn':['c0'");
    for (int i = 1; i < edges; i++) {
        cs_buf_puts(template, ",'c0'");
    }
    cs_buf_puts(template, "]}");
    for (int i = 0; i < jobs; i++) {
        cs_buf_printf(template, ",{'id':'j%d','dependsOn':['x']}", i);
    }
    cs_buf_puts(template, "]}}");
}

TEST(dependencies_that_multiply_are_refused_soon) {
    CS_AUTO_BUF template = {0};
    struct cs_err err = {0};
    char *text = NULL;
    put_absent_jobs(&template, 1000, 10000, 1000); /* 10^10 steps, one at a time */
    assert_fails(try_expand(template.data, "{'m':false}", NULL, &text, &err), &err, CS_INVALID_ARGUMENT, "too_big");
}

TEST(a_long_chain_of_stand_ins_is_walked_once) {
    CS_AUTO_BUF template = {0};
    struct cs_err err = {0};
    char *text = NULL;
    put_absent_jobs(&template, 2000, 1, 2000);
    assert_ok(try_expand(template.data, "{'m':false}", NULL, &text, &err), &err);
    assert_null(strstr(text, "'c"));
    free(text);
}

TEST(defaults_that_multiply_are_refused) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    CS_AUTO_BUF text = {0};
    struct cs_err err = {0};
    cs_buf_puts(&text, "{'a':{'type':'array','items':{'type':'object','properties':{'b':{'type':'array','items':"
                       "{'type':'integer'},'default':[0");
    for (int i = 1; i < 1000; i++) {
        cs_buf_puts(&text, ",0");
    }
    cs_buf_puts(&text, "]}}}}}");
    CS_AUTO_JSON *declared = json_of(text.data);
    assert_ok(gw_pipeline_params_check(declared, "params", arena, &err), &err);
    CS_AUTO_JSON *given = json_pack("{s:[]}", "a");
    for (int i = 0; i < 1000; i++) {
        (void)json_array_append_new(json_object_get(given, "a"), json_object());
    }
    json_t *values = NULL;
    assert_fails(gw_pipeline_params_read(declared, given, "params", arena, &values, &err), &err, CS_INVALID_ARGUMENT,
                 "too_many");
    (void)json_object_set(json_object_get(declared, "a"), "example", json_object_get(given, "a"));
    assert_fails(gw_pipeline_params_check(declared, "params", arena, &err), &err, CS_INVALID_ARGUMENT, "too_many");
}

TEST(the_pipelines_that_come_with_us_are_good_and_try_themselves) {
    assert_true(gw_builtin_pipeline_count > 0);
    for (size_t i = 0; i < gw_builtin_pipeline_count; i++) {
        CS_AUTO(cs_arena) *arena = cs_arena_create();
        CS_AUTO_JSON *template = json_of(gw_builtin_pipelines[i].template);
        CS_AUTO_JSON *sample = gw_pipeline_params_sample(json_object_get(template, "params"));
        struct cs_err err = {0};
        assert_true(gw_pipeline_name_valid(gw_builtin_pipelines[i].name));
        assert_non_null(sample); /* so the check tries a run */
        assert_ok(gw_pipeline_check(template, arena, &err), &err);
        assert_ptr_equal(gw_builtin_pipeline_find(gw_builtin_pipelines[i].name, gw_builtin_pipelines[i].version),
                         &gw_builtin_pipelines[i]);
    }
    assert_null(gw_builtin_pipeline_find("nobody", 0));
}

TEST(ta_017_ta_048_the_steps_of_podcast_edit_have_their_limits_and_retries) {
    static const struct {
        const char *id;
        int seconds;
    } steps_of_talks[] = {
        {"audio-extraction", 480},  {"transcription", 3600},       {"smart-cut-planner", 0},
        {"video-cuts", 480},        {"video-transitions", 600},    {"subtitles-post-edit", 240},
        {"subtitles-burn-in", 600}, {"subtitles-with-intro", 240}, {"branding-layer", 360},
    };
    const struct gw_builtin_pipeline *pipeline = gw_builtin_pipeline_find("podcast-edit", 0);
    assert_non_null(pipeline);
    CS_AUTO_JSON *template = json_of(pipeline->template);
    const json_t *jobs = json_object_get(json_object_get(template, "plan"), "jobs");
    assert_int_equal(json_array_size(jobs), CS_COUNT(steps_of_talks));
    for (size_t i = 0; i < CS_COUNT(steps_of_talks); i++) {
        const json_t *job = json_array_get(jobs, i);
        const json_t *retry = json_object_get(job, "retry");
        assert_string_equal(json_string_value(json_object_get(job, "id")), steps_of_talks[i].id);
        assert_int_equal(json_integer_value(json_object_get(job, "timeoutMs")), steps_of_talks[i].seconds * 1000);
        assert_int_equal(json_integer_value(json_object_get(retry, "attempts")), 3);
        assert_int_equal(json_integer_value(json_object_get(retry, "baseMs")), 2000);
        assert_int_equal(json_integer_value(json_object_get(retry, "capMs")), 8000);
    }
}

/* The ids of its jobs, and the job that one of them takes its video from. */
static void assert_steps(const char *params, const char *ids, const char *job, const char *video) {
    CS_AUTO_JSON *template = json_of(gw_builtin_pipeline_find("podcast-edit", 0)->template);
    CS_AUTO_JSON *given = json_of(params);
    CS_AUTO_JSON *values = NULL;
    CS_AUTO_JSON *body = NULL;
    CS_AUTO_BUF found = {0};
    struct cs_err err = {0};
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    assert_ok(gw_pipeline_params_read(json_object_get(template, "params"), given, "params", arena, &values, &err),
              &err);
    assert_ok(gw_pipeline_expand(template, values, NULL, arena, gw_paths_create(arena), &body, &err), &err);
    const json_t *jobs = json_object_get(json_object_get(body, "plan"), "jobs");
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        const json_t *step = json_array_get(jobs, i);
        const char *id = json_string_value(json_object_get(step, "id"));
        cs_buf_printf(&found, "%s%s", i > 0 ? " " : "", id);
        if (strcmp(id, job) == 0) {
            const json_t *from = json_object_get(json_object_get(step, "params"), "video");
            assert_string_equal(json_string_value(json_object_get(from, "job")), video);
        }
    }
    assert_string_equal(found.data, ids);
}

TEST(ta_016_podcast_edit_cuts_once_with_and_without_transitions) {
    assert_steps("{'source':'https://x.y/a.mp4'}",
                 "audio-extraction transcription smart-cut-planner video-cuts subtitles-post-edit branding-layer",
                 "branding-layer", "video-cuts");
    assert_steps("{'source':'https://x.y/a.mp4','applyTransitions':true,'burnSubtitles':true}",
                 "audio-extraction transcription smart-cut-planner video-transitions subtitles-post-edit "
                 "subtitles-burn-in branding-layer",
                 "subtitles-burn-in", "video-transitions");
}

TEST(ta_045_podcast_edit_has_subtitles_for_what_is_behind_an_intro) {
    assert_steps("{'source':'https://x.y/a.mp4','intro':'https://x.y/i.mp4'}",
                 "audio-extraction transcription smart-cut-planner video-cuts subtitles-post-edit subtitles-with-intro "
                 "branding-layer",
                 "subtitles-with-intro", "video-cuts");
}

/* Objects in objects under long names, with a list of zeros at the bottom: each zero has a long path. */
static json_t *deep_and_wide(size_t depth, size_t width) {
    char name[61];
    json_t *value = json_array();
    for (size_t i = 0; i < width; i++) {
        (void)json_array_append_new(value, json_integer(0));
    }
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < depth; i++) {
        value = json_pack("{s:o}", name, value);
    }
    return value;
}

TEST(a_deep_template_takes_no_memory_for_places_that_nobody_asks_about) {
    enum { DEPTH = 26, WIDTH = 100000, BYTES_MAX = 32 << 20 }; /* with a text for each place: 160 MB */
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    CS_AUTO_JSON *template = json_pack("{s:{s:[{s:s, s:s, s:{s:o}}]}}", "plan", "jobs", "id", "a", "operation",
                                       "reverse", "params", "video", deep_and_wide(DEPTH, WIDTH));
    struct cs_err err = {0};
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    assert_fails(gw_pipeline_check(template, arena, &err), &err, CS_INVALID_ARGUMENT, "unknown_field");
    assert_string_equal(err.path,
                        "plan.jobs[0].params.video.nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
    assert_true(mallinfo2().uordblks + mallinfo2().hblkhd < before + BYTES_MAX); /* the arena is still there */
}

TEST(a_deep_place_is_told_when_something_is_wrong_there) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    CS_AUTO_JSON *template = json_of("{'plan':{'jobs':[{'id':'a','operation':'reverse','params':{'x':[0,{'y':"
                                     "'{{params.z}}'}]}}]}}");
    struct cs_err err = {0};
    assert_fails(gw_pipeline_check(template, arena, &err), &err, CS_INVALID_ARGUMENT, "unknown_param");
    assert_string_equal(err.path, "plan.jobs[0].params.x[1].y");
}

TEST_MAIN(CS_TEST(ta_016_podcast_edit_cuts_once_with_and_without_transitions),
          CS_TEST(ta_045_podcast_edit_has_subtitles_for_what_is_behind_an_intro),
          CS_TEST(a_deep_template_takes_no_memory_for_places_that_nobody_asks_about),
          CS_TEST(a_deep_place_is_told_when_something_is_wrong_there),
          CS_TEST(ta_017_ta_048_the_steps_of_podcast_edit_have_their_limits_and_retries),
          CS_TEST(declarations_that_mean_nothing_are_refused), CS_TEST(values_that_do_not_fit_are_refused),
          CS_TEST(templates_that_cannot_work_are_refused), CS_TEST(parameters_become_values_and_text),
          CS_TEST(a_condition_decides_whether_a_job_is_there),
          CS_TEST(ta_016_a_step_that_is_switched_off_is_stood_in_for),
          CS_TEST(ex_042_a_run_may_skip_what_the_pipeline_can_do_without),
          CS_TEST(a_reference_that_nothing_stands_in_for_is_an_error), CS_TEST(an_expansion_has_a_limit),
          CS_TEST(text_counts_once_however_many_parameters_are_in_it),
          CS_TEST(a_long_chain_of_stand_ins_is_walked_once), CS_TEST(defaults_that_multiply_are_refused),
          CS_TEST(dependencies_that_multiply_are_refused_soon),
          CS_TEST(the_pipelines_that_come_with_us_are_good_and_try_themselves))
