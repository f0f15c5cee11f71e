#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/test.h"
#include "view/execution_view.h"

static const struct gw_links links = {"http://gw", "0123456789abcdef", 7200};

/* Two completed jobs and one of another state. */
struct sample {
    Callsheet__V1__MediaFacts facts;
    Callsheet__V1__Artifact artifact;
    Callsheet__V1__Artifact *outputs[1];
    Callsheet__V1__Metric metric;
    Callsheet__V1__Metric *metrics[1];
    Callsheet__V1__Progress progress;
    Callsheet__V1__JobError error;
    Callsheet__V1__JobStatus jobs[3];
    Callsheet__V1__JobStatus *list[3];
    char *depends[1];
    Callsheet__V1__Execution execution;
};

static void sample_init(struct sample *s) {
    callsheet__v1__media_facts__init(&s->facts);
    callsheet__v1__artifact__init(&s->artifact);
    callsheet__v1__metric__init(&s->metric);
    callsheet__v1__progress__init(&s->progress);
    callsheet__v1__job_error__init(&s->error);
    callsheet__v1__execution__init(&s->execution);
    s->facts.duration_us = 2500000;
    s->artifact.key = "dev/t/e1/m/1/merged.mp4";
    s->artifact.name = "merged.mp4";
    s->artifact.content_type = "video/mp4";
    s->artifact.size_bytes = 10;
    s->artifact.type = CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO;
    s->artifact.facts = &s->facts;
    s->outputs[0] = &s->artifact;
    s->metric.name = "itemCount";
    s->metric.value = 2;
    s->metrics[0] = &s->metric;
    s->depends[0] = "a";
    s->error.message = "it broke";
    s->error.code = "bad";
    s->error.failure_class = CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_CODEC_UNSUPPORTED;
    static char *const ids[] = {"a", "m", "z"};
    static char *const operations[] = {"generateVideo", "merge", "reframe"};
    for (size_t i = 0; i < 3; i++) {
        callsheet__v1__job_status__init(&s->jobs[i]);
        s->jobs[i].id = ids[i];
        s->jobs[i].operation = operations[i];
        s->jobs[i].state = CALLSHEET__V1__JOB_STATE__JOB_STATE_COMPLETED;
        s->jobs[i].completed_at_ms = 1000;
        s->list[i] = &s->jobs[i];
    }
    s->jobs[1].n_outputs = 1;
    s->jobs[1].outputs = s->outputs;
    s->jobs[1].n_metrics = 1;
    s->jobs[1].metrics = s->metrics;
    s->jobs[1].n_depends_on = 1;
    s->jobs[1].depends_on = s->depends;
    s->execution.id = "e1";
    s->execution.n_jobs = 2;
    s->execution.jobs = s->list;
    s->execution.state = CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED;
    s->execution.result_job_id = "m";
    s->execution.created_at_ms = 1;
}

/* The text or number at a dotted path, elements by number; "(none)" when there is nothing. */
static const char *at(const json_t *value, const char *path, char *scratch, size_t size) {
    char copy[128];
    char *state = NULL;
    (void)snprintf(copy, sizeof(copy), "%s", path);
    for (char *part = strtok_r(copy, ".", &state); part != NULL; part = strtok_r(NULL, ".", &state)) {
        value = json_is_array(value) ? json_array_get(value, (size_t)(part[0] - '0')) : json_object_get(value, part);
    }
    if (value == NULL) {
        return "(none)";
    }
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    if (json_is_number(value)) {
        (void)snprintf(scratch, size, "%g", json_number_value(value));
        return scratch;
    }
    return json_is_null(value) ? "null" : "(value)";
}

static void assert_at(const json_t *value, const char *path, const char *want) {
    char scratch[64];
    const char *is = at(value, path, scratch, sizeof(scratch));
    if (strcmp(is, want) != 0) {
        fail_msg("%s is %s, wanted %s", path, is, want);
    }
}

TEST(a_job_that_waits_says_why) {
    struct sample s;
    sample_init(&s);
    Callsheet__V1__Waiting waiting = CALLSHEET__V1__WAITING__INIT;
    waiting.reason = "no_slot";
    waiting.message = "all workers for merge are busy";
    waiting.place = 3;
    waiting.until_ms = 1;
    waiting.limit = "tenant:acme";
    waiting.n_dependencies = 1;
    waiting.dependencies = s.depends;
    s.jobs[1].waiting = &waiting;
    json_t *execution = gw_view_execution(&s.execution, GW_VIEW_WHOLE, &links);
    assert_at(execution, "jobs.0.waiting", "null");
    assert_at(execution, "jobs.1.waiting.reason", "no_slot");
    assert_at(execution, "jobs.1.waiting.message", "all workers for merge are busy");
    assert_at(execution, "jobs.1.waiting.place", "3");
    assert_at(execution, "jobs.1.waiting.until", "1970-01-01T00:00:00.001Z");
    assert_at(execution, "jobs.1.waiting.limit", "tenant:acme");
    assert_at(execution, "jobs.1.waiting.dependencies.0", "a");
    json_decref(execution);
}

TEST(sy_029_sy_031_sy_034_sy_036_sy_037_a_finished_execution_shows_its_result_in_the_dialects_form) {
    struct sample s;
    sample_init(&s);
    json_t *status = gw_view_status(&s.execution, "processing", &links);
    assert_at(status, "id", "e1");
    assert_at(status, "executionId", "e1");
    assert_at(status, "status", "completed");
    assert_at(status, "progress", "100");
    assert_at(status, "totalJobs", "2");
    assert_at(status, "currentJob", "null");
    assert_at(status, "error", "null");
    assert_at(status, "createdAt", "1970-01-01T00:00:00.001Z");
    assert_at(status, "result.status", "completed");
    assert_at(status, "result.type", "video");
    assert_at(status, "result.duration", "2.5");
    assert_at(status, "result.itemCount", "2");
    assert_at(status, "result.outputs.m.outputs.0.mimeType", "video/mp4");
    assert_at(status, "result.outputs.a.url", "null");
    assert_at(status, "jobs.1.result.url",
              json_string_value(json_object_get(json_object_get(status, "result"), "url")));
    assert_at(status, "jobs.1.dependencies.0", "a");
    assert_at(status, "jobs.1.dependsOn.0", "a");
    assert_at(status, "jobs.1.progress.percentage", "100");
    json_decref(status);
}

TEST(a_job_that_was_done_in_the_run_of_a_later_one_says_so_and_has_no_result) {
    struct sample s;
    sample_init(&s);
    s.jobs[0].fused_into = "m";
    s.jobs[0].n_outputs = 0;
    s.execution.state = CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED;
    json_t *whole = gw_view_execution(&s.execution, GW_VIEW_WHOLE, &links);
    const json_t *job = json_array_get(json_object_get(whole, "jobs"), 0);
    assert_string_equal(json_string_value(json_object_get(job, "fusedInto")), "m");
    assert_string_equal(json_string_value(json_object_get(job, "status")), "completed");
    assert_true(json_is_null(json_object_get(json_array_get(json_object_get(whole, "jobs"), 1), "fusedInto")));
    json_decref(whole);
    json_t *status = gw_view_status(&s.execution, "processing", &links);
    job = json_array_get(json_object_get(status, "jobs"), 0);
    assert_string_equal(json_string_value(json_object_get(job, "fusedInto")), "m");
    assert_string_equal(json_string_value(json_object_get(job, "status")), "completed");
    assert_true(json_is_null(json_object_get(job, "result")));
    const json_t *outputs = json_object_get(json_object_get(status, "result"), "outputs");
    assert_null(json_object_get(outputs, "a"));
    assert_non_null(json_object_get(outputs, "m"));
    json_decref(status);
}

TEST(sy_032_sy_033_sy_035_running_jobs_speak_the_words_of_the_dialect) {
    struct sample s;
    sample_init(&s);
    s.execution.state = CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_PROCESSING;
    s.jobs[1].state = CALLSHEET__V1__JOB_STATE__JOB_STATE_RUNNING;
    s.progress.stage = "rendering";
    s.progress.fraction = 0.257;
    s.jobs[1].progress = &s.progress;
    static const char *const words[] = {"processing", "in_progress"};
    for (size_t i = 0; i < CS_COUNT(words); i++) {
        json_t *status = gw_view_status(&s.execution, words[i], &links);
        assert_at(status, "status", words[i]);
        assert_at(status, "jobs.1.status", words[i]);
        assert_at(status, "jobs.1.result", "null");
        assert_at(status, "jobs.1.progress.stage", "rendering");
        assert_at(status, "jobs.1.progress.percentage", "25");
        assert_at(status, "currentJob", "m");
        assert_at(status, "result", "null");
        assert_at(status, "progress", "50");
        json_decref(status);
    }
}

TEST(sy_031_sy_041_failures_say_which_operation_failed_and_why) {
    struct sample s;
    sample_init(&s);
    s.execution.n_jobs = 3;
    s.execution.state = CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_FAILED;
    s.jobs[1].state = CALLSHEET__V1__JOB_STATE__JOB_STATE_FAILED;
    s.jobs[1].error = &s.error;
    s.jobs[2].state = CALLSHEET__V1__JOB_STATE__JOB_STATE_SKIPPED;
    json_t *status = gw_view_status(&s.execution, "processing", &links);
    assert_at(status, "error", "merge: it broke");
    assert_at(status, "jobs.1.error", "it broke");
    assert_at(status, "jobs.2.status", "failed");
    assert_at(status, "jobs.2.error", "Dependency job failed");
    assert_at(status, "result", "null");
    json_decref(status);
    s.jobs[2].error = &s.error; /* skipped for another reason */
    status = gw_view_status(&s.execution, "processing", &links);
    assert_at(status, "jobs.2.error", "it broke");
    json_decref(status);
    s.execution.error = "Job 'merge' failed: it broke";
    status = gw_view_status(&s.execution, "processing", &links);
    assert_at(status, "error", "Job 'merge' failed: it broke");
    json_decref(status);
    json_t *native = gw_view_execution(&s.execution, GW_VIEW_WHOLE, &links);
    assert_at(native, "jobs.1.error.class", "codec_unsupported");
    assert_at(native, "jobs.2.status", "skipped");
    json_decref(native);
}

TEST(sy_018_w21_an_empty_execution_is_complete_without_a_result) {
    Callsheet__V1__Execution execution = CALLSHEET__V1__EXECUTION__INIT;
    execution.state = CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_COMPLETED;
    json_t *status = gw_view_status(&execution, "processing", &links);
    assert_at(status, "result", "null");
    assert_at(status, "progress", "100");
    assert_at(status, "jobs", "(value)");
    json_decref(status);
}

TEST(ta_014_an_execution_is_pending_processing_completed_failed_or_cancelled) {
    static const char *const words[] = {"pending", "processing", "completed", "failed", "cancelled"};
    const ProtobufCEnumDescriptor *states = &callsheet__v1__execution_state__descriptor;
    size_t known = 0;
    for (unsigned i = 0; i < states->n_values; i++) {
        Callsheet__V1__Execution execution = CALLSHEET__V1__EXECUTION__INIT;
        execution.state = (Callsheet__V1__ExecutionState)states->values[i].value;
        if (execution.state == CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_UNSPECIFIED) {
            continue;
        }
        json_t *native = gw_view_execution(&execution, GW_VIEW_HEAD, &links);
        assert_true(known < CS_COUNT(words)); /* there are no others */
        assert_at(native, "status", words[known++]);
        json_decref(native);
    }
    assert_int_equal(known, CS_COUNT(words));
}

TEST(our_own_form_has_everything_and_changes_have_no_totals) {
    struct sample s;
    sample_init(&s);
    Callsheet__V1__DeliveryStatus delivery = CALLSHEET__V1__DELIVERY_STATUS__INIT;
    Callsheet__V1__Label label = CALLSHEET__V1__LABEL__INIT;
    Callsheet__V1__Label *labels[] = {&label};
    delivery.state = CALLSHEET__V1__DELIVERY_STATE__DELIVERY_STATE_DELIVERED;
    label.key = "team";
    label.value = "a";
    s.execution.delivery = &delivery;
    s.execution.labels = labels;
    s.execution.n_labels = 1;
    s.execution.revision = 9;
    json_t *whole = gw_view_execution(&s.execution, GW_VIEW_WHOLE, &links);
    assert_at(whole, "revision", "9");
    assert_at(whole, "webhook.status", "delivered");
    assert_at(whole, "labels.team", "a");
    assert_at(whole, "result.name", "merged.mp4");
    assert_at(whole, "jobs.1.outputs.0.facts.durationUs", "2.5e+06");
    assert_at(whole, "jobs.1.metrics.itemCount", "2");
    assert_at(whole, "jobs.0.progress", "null");
    assert_at(whole, "totalJobs", "2");
    json_decref(whole);
    json_t *change = gw_view_execution(&s.execution, GW_VIEW_CHANGE, &links);
    assert_at(change, "totalJobs", "(none)");
    assert_at(change, "result", "(none)");
    assert_at(change, "jobs.0.id", "a");
    json_decref(change);
    json_t *head = gw_view_execution(&s.execution, GW_VIEW_HEAD, &links);
    assert_at(head, "jobs", "(none)");
    json_decref(head);
}

TEST(a_playlist_is_shown_with_the_link_of_its_folder) {
    struct sample s;
    sample_init(&s);
    s.artifact.key = "dev/t/e1/m/1/master.m3u8";
    json_t *status = gw_view_status(&s.execution, "processing", &links);
    const char *url = json_string_value(json_object_get(json_object_get(status, "result"), "url"));
    assert_true(cs_str_starts(url, "http://gw/artifacts/@7200."));
    assert_true(cs_str_ends(url, "/dev/t/e1/m/1/master.m3u8"));
    json_decref(status);
}

TEST(links_end_on_a_full_hour_after_their_lifetime) {
    assert_int_equal(gw_links_from("u", "s", 100, 0).expires_unix_s, 3600);
    assert_int_equal(gw_links_from("u", "s", 100, 3499).expires_unix_s, 3600);
    assert_int_equal(gw_links_from("u", "s", 100, 3500).expires_unix_s, 7200);
}

TEST(sy_002_sy_003_a_created_execution_has_both_names_of_its_id) {
    Callsheet__V1__CreateExecutionReply reply = CALLSHEET__V1__CREATE_EXECUTION_REPLY__INIT;
    reply.execution_id = "e1";
    reply.state = CALLSHEET__V1__EXECUTION_STATE__EXECUTION_STATE_PENDING;
    reply.created_at_ms = 1;
    json_t *created = gw_view_created(&reply);
    assert_at(created, "id", "e1");
    assert_at(created, "executionId", "e1");
    assert_at(created, "status", "pending");
    assert_at(created, "createdAt", "1970-01-01T00:00:00.001Z");
    json_decref(created);
    assert_string_equal(gw_view_state_word((Callsheet__V1__ExecutionState)42), "unknown");
}

TEST(what_is_known_of_an_output_is_shown_with_it_and_words_are_metrics) {
    struct sample s;
    sample_init(&s);
    Callsheet__V1__Quality quality = CALLSHEET__V1__QUALITY__INIT;
    Callsheet__V1__MediaSpan black = CALLSHEET__V1__MEDIA_SPAN__INIT;
    Callsheet__V1__MediaSpan *blacks[] = {&black};
    black.end = 1.5;
    quality.frame_count = 60;
    quality.black = blacks;
    quality.n_black = 1;
    s.artifact.quality = &quality;
    s.metric.word = "limited";
    json_t *whole = gw_view_execution(&s.execution, GW_VIEW_WHOLE, &links);
    assert_at(whole, "jobs.1.outputs.0.quality.frameCount", "60");
    assert_at(whole, "jobs.1.outputs.0.quality.black.0.end", "1.5");
    assert_at(whole, "jobs.1.metrics.itemCount", "limited");
    json_decref(whole);
}

TEST_MAIN(CS_TEST(what_is_known_of_an_output_is_shown_with_it_and_words_are_metrics),
          CS_TEST(a_job_that_waits_says_why),
          CS_TEST(sy_029_sy_031_sy_034_sy_036_sy_037_a_finished_execution_shows_its_result_in_the_dialects_form),
          CS_TEST(a_job_that_was_done_in_the_run_of_a_later_one_says_so_and_has_no_result),
          CS_TEST(sy_032_sy_033_sy_035_running_jobs_speak_the_words_of_the_dialect),
          CS_TEST(sy_031_sy_041_failures_say_which_operation_failed_and_why),
          CS_TEST(sy_018_w21_an_empty_execution_is_complete_without_a_result),
          CS_TEST(ta_014_an_execution_is_pending_processing_completed_failed_or_cancelled),
          CS_TEST(our_own_form_has_everything_and_changes_have_no_totals),
          CS_TEST(a_playlist_is_shown_with_the_link_of_its_folder),
          CS_TEST(links_end_on_a_full_hour_after_their_lifetime),
          CS_TEST(sy_002_sy_003_a_created_execution_has_both_names_of_its_id))
