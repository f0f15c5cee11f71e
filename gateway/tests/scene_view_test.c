/* Scenes, stages and percentages as Elix's clients read them. */
#include <string.h>

#include "cs/test.h"
#include "view/scene_view.h"

#define JOB(word) CALLSHEET__V1__JOB_STATE__JOB_STATE_##word
#define STATE(word) CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_##word

enum { SCENES = 3, MAP = 0, FILM = 1, FIRST = 2, JOBS = FIRST + SCENES };

/* A map "scenes" of three, and the film of them. */
struct sample {
    Callsheet__V1__JobStatus jobs[JOBS];
    Callsheet__V1__JobStatus *list[JOBS];
    char ids[SCENES][24];
    char *film_parents[1];
    Callsheet__V1__JobError error;
    Callsheet__V1__Approval approval;
    Callsheet__V1__Execution execution;
    struct cs_arena *arena;
};

static void sample_init(struct sample *s) {
    *s = (struct sample){.arena = cs_arena_create()};
    callsheet__v1__execution__init(&s->execution);
    callsheet__v1__job_error__init(&s->error);
    callsheet__v1__approval__init(&s->approval);
    for (int i = 0; i < JOBS; i++) {
        callsheet__v1__job_status__init(&s->jobs[i]);
        s->list[i] = &s->jobs[i];
        s->jobs[i].state = JOB(WAITING);
        s->jobs[i].operation = (char *)"generateVideo";
    }
    for (int i = 0; i < SCENES; i++) { /* in the plan in another order than theirs */
        uint32_t index = (uint32_t)(SCENES - 1 - i);
        (void)snprintf(s->ids[i], sizeof(s->ids[i]), "scenes.%u", index);
        s->jobs[FIRST + i].id = s->ids[i];
        s->jobs[FIRST + i].parent = (char *)"scenes";
        s->jobs[FIRST + i].index = index;
    }
    s->jobs[MAP].id = (char *)"scenes";
    s->jobs[MAP].operation = (char *)"map";
    s->jobs[MAP].state = JOB(RUNNING);
    s->film_parents[0] = (char *)"scenes";
    s->jobs[FILM].id = (char *)"film";
    s->jobs[FILM].operation = (char *)"merge";
    s->jobs[FILM].depends_on = s->film_parents;
    s->jobs[FILM].n_depends_on = 1;
    s->execution.id = (char *)"e1";
    s->execution.state = STATE(PROCESSING);
    s->execution.jobs = s->list;
    s->execution.n_jobs = JOBS;
}

static void sample_end(struct sample *s) {
    cs_arena_destroy(s->arena);
}
#define AUTO_SAMPLE __attribute__((cleanup(sample_end))) struct sample

static void set_scenes(struct sample *s, Callsheet__V1__JobState a, Callsheet__V1__JobState b,
                       Callsheet__V1__JobState c) {
    const Callsheet__V1__JobState states[] = {c, b, a};
    for (int i = 0; i < SCENES; i++) {
        s->jobs[FIRST + i].state = states[i];
    }
}

static struct gw_stage stage(struct sample *s) {
    const struct gw_scenes scenes = gw_scenes_of(&s->execution, s->arena);
    return gw_stage_of(&scenes);
}

TEST(ex_029_e6_stages_have_percentages_that_never_fall) {
    AUTO_SAMPLE s;
    sample_init(&s);
    static const struct {
        Callsheet__V1__ExecutionState execution;
        Callsheet__V1__JobState map;
        Callsheet__V1__JobState scenes[SCENES];
        Callsheet__V1__JobState film;
        const char *stage;
        double percentage;
    } steps[] = {
        {STATE(PENDING), JOB(WAITING), {JOB(WAITING), JOB(WAITING), JOB(WAITING)}, JOB(WAITING), "approved", 0},
        {STATE(PROCESSING), JOB(WAITING), {JOB(WAITING), JOB(WAITING), JOB(WAITING)}, JOB(WAITING), "initializing", 5},
        {STATE(PROCESSING), JOB(RUNNING), {JOB(READY), JOB(READY), JOB(READY)}, JOB(WAITING), "starting_render", 10},
        {STATE(PROCESSING), JOB(RUNNING), {JOB(RUNNING), JOB(READY), JOB(READY)}, JOB(WAITING), "rendering", 10},
        {STATE(PROCESSING), JOB(RUNNING), {JOB(COMPLETED), JOB(FAILED), JOB(READY)}, JOB(WAITING), "rendering", 53.33},
        {STATE(PROCESSING),
         JOB(COMPLETED),
         {JOB(COMPLETED), JOB(FAILED), JOB(COMPLETED)},
         JOB(READY),
         "partial_rendering_complete",
         75},
        {STATE(PROCESSING),
         JOB(COMPLETED),
         {JOB(COMPLETED), JOB(FAILED), JOB(COMPLETED)},
         JOB(RUNNING),
         "stitching_videos",
         80},
        {STATE(PROCESSING),
         JOB(COMPLETED),
         {JOB(COMPLETED), JOB(FAILED), JOB(COMPLETED)},
         JOB(COMPLETED),
         "stitching_complete",
         90},
        {STATE(COMPLETED),
         JOB(COMPLETED),
         {JOB(COMPLETED), JOB(FAILED), JOB(COMPLETED)},
         JOB(COMPLETED),
         "completed_partial",
         100},
    };
    double before = 0;
    for (size_t i = 0; i < CS_COUNT(steps); i++) {
        s.execution.state = steps[i].execution;
        s.jobs[MAP].state = steps[i].map;
        set_scenes(&s, steps[i].scenes[0], steps[i].scenes[1], steps[i].scenes[2]);
        s.jobs[FILM].state = steps[i].film;
        struct gw_stage now = stage(&s);
        assert_string_equal(now.name, steps[i].stage);
        assert_true(now.percentage > steps[i].percentage - 0.01 && now.percentage < steps[i].percentage + 0.01);
        assert_true(now.percentage >= before);
        before = now.percentage;
    }
}

TEST(ex_029_the_end_has_a_word_for_how_it_came) {
    AUTO_SAMPLE s;
    sample_init(&s);
    s.execution.state = STATE(PENDING);
    s.execution.approval = &s.approval;
    s.approval.state = CALLSHEET__V1__APPROVAL_STATE__APPROVAL_STATE_AWAITED;
    assert_string_equal(stage(&s).name, "storyboard_ready");
    s.jobs[MAP].state = JOB(COMPLETED);
    set_scenes(&s, JOB(COMPLETED), JOB(COMPLETED), JOB(COMPLETED));
    s.execution.state = STATE(COMPLETED);
    assert_string_equal(stage(&s).name, "completed");
    s.execution.state = STATE(FAILED);
    assert_string_equal(stage(&s).name, "failed");
    s.jobs[FILM].state = JOB(FAILED);
    assert_string_equal(stage(&s).name, "stitching_failed");
    set_scenes(&s, JOB(FAILED), JOB(FAILED), JOB(CANCELLED));
    assert_string_equal(stage(&s).name, "all_renders_failed"); /* EX-024 */
}

TEST(ex_016_ex_021_scenes_are_in_order_and_counted) {
    AUTO_SAMPLE s;
    sample_init(&s);
    set_scenes(&s, JOB(COMPLETED), JOB(RETRYING), JOB(AWAITING_APPROVAL));
    struct gw_scenes scenes = gw_scenes_of(&s.execution, s.arena);
    json_t *view = gw_view_scenes(&scenes, s.arena);
    json_t *progress = json_object_get(view, "progress");
    assert_true(json_real_value(json_object_get(view, "progress_percentage")) == 33.33);
    assert_string_equal(json_string_value(json_object_get(progress, "stage")), "processing");
    assert_int_equal(json_integer_value(json_object_get(progress, "total_scenes")), 3);
    assert_int_equal(json_integer_value(json_object_get(progress, "completed_scenes")), 1);
    assert_int_equal(json_integer_value(json_object_get(progress, "processing_scenes")), 1);
    assert_int_equal(json_integer_value(json_object_get(progress, "failed_scenes")), 0);
    for (int i = 0; i < SCENES; i++) {
        static const char *const want[] = {"completed", "processing", "pending"};
        json_t *scene = json_array_get(json_object_get(view, "scenes"), (size_t)i);
        assert_int_equal(json_integer_value(json_object_get(scene, "index")), i);
        assert_string_equal(json_string_value(json_object_get(scene, "status")), want[i]);
    }
    json_decref(view);
    set_scenes(&s, JOB(COMPLETED), JOB(FAILED), JOB(READY));
    scenes = gw_scenes_of(&s.execution, s.arena);
    progress = gw_view_scene_progress(&scenes);
    assert_string_equal(json_string_value(json_object_get(progress, "stage")), "processing_with_errors");
    json_decref(progress);
}

TEST(ex_013_e5_scenes_are_known_before_they_are_jobs_and_removed_ones_are_gone) {
    AUTO_SAMPLE s;
    sample_init(&s);
    uint32_t known[] = {0, 2};
    s.execution.n_jobs = FIRST;
    s.jobs[MAP].items = known;
    s.jobs[MAP].n_items = 2;
    struct gw_scenes scenes = gw_scenes_of(&s.execution, s.arena);
    assert_int_equal(scenes.count, 2);
    assert_string_equal(scenes.items[1].job, "scenes.2");
    assert_int_equal(scenes.items[1].status, GW_SCENE_PENDING);
    assert_null(gw_scenes_find(&scenes, "scenes.1"));

    s.execution.n_jobs = JOBS;
    s.jobs[MAP].n_items = 0;
    s.error.code = (char *)"removed";
    s.jobs[FIRST + 1].state = JOB(SKIPPED);
    s.jobs[FIRST + 1].error = &s.error;
    scenes = gw_scenes_of(&s.execution, s.arena);
    assert_int_equal(scenes.count, 2);
    assert_null(gw_scenes_find(&scenes, "scenes.1"));
    s.jobs[MAP].operation = (char *)"noop";
    scenes = gw_scenes_of(&s.execution, s.arena);
    assert_int_equal(scenes.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(ex_029_e6_stages_have_percentages_that_never_fall),
        CS_TEST(ex_029_the_end_has_a_word_for_how_it_came),
        CS_TEST(ex_016_ex_021_scenes_are_in_order_and_counted),
        CS_TEST(ex_013_e5_scenes_are_known_before_they_are_jobs_and_removed_ones_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
