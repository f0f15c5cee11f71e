/* COVERS app.c config.c api/media_api.c jobs/: the service in-process, an orchestrator by hand, and a runner whose jobs
 * do as they are told (fake_render.c). */
#include <signal.h>
#include <string.h>

#include "callsheet/v1/media.pb-c.h"
#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/test.h"
#include "world.h"

#define CLASS(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word

enum { PROMPT_MS_MAX = 3000 };

static const char hello_sha256[] = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/* A job whose child does the trick; inputs are added by the test. */
struct trick_job {
    Callsheet__V1__AddSubtitles subtitles;
    Callsheet__V1__Operation operation;
    struct world_assign made;
};

static void trick_init(struct trick_job *job, const char *trick) {
    callsheet__v1__add_subtitles__init(&job->subtitles);
    job->subtitles.text = (char *)trick;
    callsheet__v1__operation__init(&job->operation);
    job->operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES;
    job->operation.add_subtitles = &job->subtitles;
    world_assign_init(&job->made, &job->operation);
}

static const Callsheet__V1__Failed *wait_failed(struct world *world, const char *fence) {
    const Callsheet__V1__Report *report = dialer_wait_final(world->dialer, fence);
    assert_int_equal(report->report_case, CALLSHEET__V1__REPORT__REPORT_FAILED);
    return report->failed;
}

static void expect_success(struct world *world, const char *fence) {
    struct trick_job job;
    trick_init(&job, "copy");
    world_put(world, "test/in", "hello");
    world_add_key(&job.made, "test/in");
    dialer_assign(world->dialer, fence, &job.made.assign);
    assert_int_equal(dialer_wait_final(world->dialer, fence)->report_case, CALLSHEET__V1__REPORT__REPORT_SUCCEEDED);
}

TEST(worker_says_what_it_can_do) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, false);
    const Callsheet__V1__Hello *hello = dialer_hello(world.dialer);
    size_t wanted = 0;
    for (size_t i = 0; i < cs_catalog_count(); i++) {
        wanted += cs_catalog_at(i)->worker == CS_WORKER_MEDIA;
    }
    assert_true(wanted > 0);
    assert_int_equal(hello->n_operations, wanted);
    assert_int_equal(hello->slots, 3);
    assert_true(cs_str_starts(hello->worker, "media"));
    assert_int_equal(dialer_credits(world.dialer), 3);
    world_stop(&world);
}

TEST(job_reads_from_storage_and_its_output_lands_there) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, false);
    struct trick_job job;
    trick_init(&job, "copy");
    world_put(&world, "test/t1/e1/j0/1/in.mp4", "hello");
    world_add_key(&job.made, "test/t1/e1/j0/1/in.mp4");
    dialer_assign(world.dialer, "f1", &job.made.assign);
    const Callsheet__V1__Report *report = dialer_wait_final(world.dialer, "f1");
    assert_int_equal(report->report_case, CALLSHEET__V1__REPORT__REPORT_SUCCEEDED);
    assert_int_equal(report->succeeded->n_outputs, 1);
    const Callsheet__V1__Artifact *artifact = report->succeeded->outputs[0];
    assert_string_equal(artifact->key, "test/t1/e1/j1/1/captioned.mp4");
    assert_string_equal(artifact->name, "captioned.mp4");
    assert_string_equal(artifact->sha256, hello_sha256);
    assert_int_equal(artifact->size_bytes, 5);
    assert_string_equal(artifact->content_type, "video/mp4");
    assert_int_equal(artifact->type, CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO);
    assert_string_equal(artifact->facts->container, "fake");
    struct cs_err err = {0};
    char bytes[6] = {0};
    assert_ok(cs_storage_get_range(world.storage, artifact->key, 0, 5, bytes, &err), &err);
    assert_string_equal(bytes, "hello");
    world_stop(&world);
}

TEST(failed_job_leaves_nothing_in_storage) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, false);
    struct trick_job job;
    trick_init(&job, "crash");
    dialer_assign(world.dialer, "f1", &job.made.assign);
    const Callsheet__V1__Failed *failed = wait_failed(&world, "f1");
    assert_string_equal(failed->code, "decoder_crashed");
    assert_int_equal(failed->failure_class, CLASS(INVALID_INPUT));
    struct cs_err err = {0};
    struct cs_object_info info;
    assert_int_equal(cs_storage_stat(world.storage, "test/t1/e1/j1/1/captioned.mp4", &info, &err), CS_NOT_FOUND);
    world_stop(&world);
}

TEST(missing_input_is_invalid_input) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, false);
    struct trick_job job;
    trick_init(&job, "copy");
    world_add_key(&job.made, "test/no/such");
    dialer_assign(world.dialer, "f1", &job.made.assign);
    const Callsheet__V1__Failed *failed = wait_failed(&world, "f1");
    assert_string_equal(failed->code, "input_not_found");
    assert_int_equal(failed->failure_class, CLASS(INVALID_INPUT));
    assert_true(cs_str_starts(failed->message, "input 1: "));
    world_stop(&world);
}

TEST(ex_040_a_full_disk_is_noticed_before_anything_is_fetched) {
    struct world world;
    struct trick_job job;
    char url[256];
    world_init(&world, MED_FAKE_RUNNER, true);
    world.config.disk_free_min_bytes = INT64_MAX;
    world_serve(&world);
    trick_init(&job, "copy");
    world_add_url(&job.made, peer_url(world.peer, "/hello", url));
    dialer_assign(world.dialer, "f1", &job.made.assign);
    const Callsheet__V1__Failed *failed = wait_failed(&world, "f1");
    assert_string_equal(failed->code, "disk_full");
    assert_int_equal(failed->failure_class, CLASS(TRANSIENT)); /* there may be room elsewhere, or later */
    assert_int_equal(peer_connections(world.peer), 0);
    world_stop(&world);
}

TEST(foreign_operation_is_refused) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, false);
    Callsheet__V1__Noop noop = CALLSHEET__V1__NOOP__INIT;
    Callsheet__V1__Operation operation = CALLSHEET__V1__OPERATION__INIT;
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_NOOP;
    operation.noop = &noop;
    struct world_assign made;
    world_assign_init(&made, &operation);
    dialer_assign(world.dialer, "f1", &made.assign);
    assert_string_equal(wait_failed(&world, "f1")->code, "unknown_operation");
    world_stop(&world);
}

TEST(private_targets_are_refused_without_the_switch) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, false);
    struct trick_job job;
    char url[256];
    trick_init(&job, "copy");
    world_add_url(&job.made, peer_url(world.peer, "/hello", url));
    dialer_assign(world.dialer, "f1", &job.made.assign);
    const Callsheet__V1__Failed *failed = wait_failed(&world, "f1");
    assert_string_equal(failed->code, "target_not_allowed");
    assert_int_equal(failed->failure_class, CLASS(INVALID_INPUT));
    assert_int_equal(peer_connections(world.peer), 0);
    world_stop(&world);
}

TEST(url_inputs_are_fetched_with_the_switch_each_once) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, true);
    struct trick_job job;
    char hello[256];
    char redirect[256];
    trick_init(&job, "copy");
    world_put(&world, "test/in", "other");
    world_add_url(&job.made, peer_url(world.peer, "/hello", hello));
    world_add_key(&job.made, "test/in");
    world_add_url(&job.made, peer_url(world.peer, "/redirect", redirect));
    for (size_t i = 0; i < 20; i++) {
        world_add_url(&job.made, hello);
    }
    dialer_assign(world.dialer, "f1", &job.made.assign);
    const Callsheet__V1__Report *report = dialer_wait_final(world.dialer, "f1");
    assert_int_equal(report->report_case, CALLSHEET__V1__REPORT__REPORT_SUCCEEDED);
    assert_string_equal(report->succeeded->outputs[0]->sha256, hello_sha256);
    assert_int_equal(peer_requests(world.peer), 3); /* the redirect is two */
    world_stop(&world);
}

TEST(answers_of_the_inputs_server_decide_about_retries) {
    static const struct {
        const char *path;
        const char *code;
        Callsheet__V1__FailureClass failure_class;
        int64_t retry_after_ms;
    } rows[] = {
        {"/404", "input_not_found", CLASS(INVALID_INPUT), 0},
        {"/403", "input_forbidden", CLASS(INVALID_INPUT), 0},
        {"/503", "http_503", CLASS(TRANSIENT), 0},
        {"/429", "http_429", CLASS(RATE_LIMITED), 7000},
    };
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, true);
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        struct trick_job job;
        char url[256];
        trick_init(&job, "copy");
        world_add_url(&job.made, peer_url(world.peer, rows[i].path, url));
        dialer_assign(world.dialer, rows[i].path, &job.made.assign);
        const Callsheet__V1__Failed *failed = wait_failed(&world, rows[i].path);
        assert_string_equal(failed->code, rows[i].code);
        assert_int_equal(failed->failure_class, rows[i].failure_class);
        assert_int_equal(failed->retry_after_ms, rows[i].retry_after_ms);
        assert_null(strstr(failed->message, "127.0.0.1"));
    }
    world_stop(&world);
}

TEST(cancel_while_fetching_is_prompt) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, true);
    struct trick_job job;
    char url[256];
    trick_init(&job, "copy");
    world_add_url(&job.made, peer_url(world.peer, "/hang", url));
    dialer_assign(world.dialer, "f1", &job.made.assign);
    assert_true(peer_wait_requests(world.peer, 1));
    int64_t cancelled_ms = cs_clock_mono_ms();
    dialer_cancel(world.dialer, "f1");
    assert_int_equal(wait_failed(&world, "f1")->failure_class, CLASS(CANCELLED));
    assert_true(cs_clock_mono_ms() - cancelled_ms < PROMPT_MS_MAX);
    world_stop(&world);
}

TEST(cancel_in_mid_render_kills_the_child) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, false);
    struct trick_job job;
    trick_init(&job, "spin");
    dialer_assign(world.dialer, "f1", &job.made.assign);
    dialer_wait_stage(world.dialer, "f1", "rendering");
    assert_int_equal(world_child_count(world_runner_pid()), 1);
    int64_t cancelled_ms = cs_clock_mono_ms();
    dialer_cancel(world.dialer, "f1");
    const Callsheet__V1__Failed *failed = wait_failed(&world, "f1");
    assert_int_equal(failed->failure_class, CLASS(CANCELLED));
    assert_true(cs_clock_mono_ms() - cancelled_ms < PROMPT_MS_MAX);
    assert_int_equal(world_child_count(world_runner_pid()), 0);
    expect_success(&world, "f2");
    world_stop(&world);
}

TEST(end_of_the_stream_stops_its_jobs) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, false);
    struct trick_job job;
    trick_init(&job, "spin");
    dialer_assign(world.dialer, "f1", &job.made.assign);
    dialer_wait_stage(world.dialer, "f1", "rendering");
    dialer_close(world.dialer);
    /* Full credits mean that no assignment is open any more. */
    world.dialer = dialer_open(med_app_address(world.app), "sesame");
    expect_success(&world, "f2");
    world_stop(&world);
}

TEST(deadline_ends_the_job_as_timeout) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, false);
    struct trick_job job;
    trick_init(&job, "spin");
    job.made.assign.deadline_ms = cs_clock_unix_ms() + 300;
    dialer_assign(world.dialer, "f1", &job.made.assign);
    const Callsheet__V1__Failed *failed = wait_failed(&world, "f1");
    assert_int_equal(failed->failure_class, CLASS(TIMEOUT));
    assert_string_equal(failed->code, "deadline");
    assert_int_equal(world_child_count(world_runner_pid()), 0);
    world_stop(&world);
}

TEST(death_of_the_runner_is_transient) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, false);
    struct trick_job job;
    trick_init(&job, "spin");
    dialer_assign(world.dialer, "f1", &job.made.assign);
    dialer_wait_stage(world.dialer, "f1", "rendering");
    assert_int_equal(kill(world_runner_pid(), SIGKILL), 0);
    const Callsheet__V1__Failed *failed = wait_failed(&world, "f1");
    assert_string_equal(failed->code, "runner_died");
    assert_int_equal(failed->failure_class, CLASS(TRANSIENT));
    expect_success(&world, "f2");
    world_stop(&world);
}

TEST(drain_lets_the_grace_pass_then_stops_what_runs) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, false);
    struct trick_job job;
    trick_init(&job, "spin");
    dialer_assign(world.dialer, "f1", &job.made.assign);
    dialer_wait_stage(world.dialer, "f1", "rendering");
    int64_t started_ms = cs_clock_mono_ms();
    med_app_drain(world.app);
    int64_t took_ms = cs_clock_mono_ms() - started_ms;
    assert_true(took_ms >= world.config.drain_timeout_ms && took_ms < PROMPT_MS_MAX);
    const Callsheet__V1__Failed *failed = wait_failed(&world, "f1");
    assert_int_equal(failed->failure_class, CLASS(TRANSIENT)); /* another worker may do it */
    assert_string_equal(failed->code, "draining");
    world_stop(&world);
}

TEST(slots_run_at_once) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, false);
    static const char *const fences[] = {"f1", "f2", "f3"};
    struct trick_job jobs[CS_COUNT(fences)];
    for (size_t i = 0; i < CS_COUNT(fences); i++) {
        trick_init(&jobs[i], "spin");
        dialer_assign(world.dialer, fences[i], &jobs[i].made.assign);
    }
    for (size_t i = 0; i < CS_COUNT(fences); i++) {
        dialer_wait_stage(world.dialer, fences[i], "rendering");
    }
    for (size_t i = 0; i < CS_COUNT(fences); i++) {
        dialer_cancel(world.dialer, fences[i]);
        assert_int_equal(wait_failed(&world, fences[i])->failure_class, CLASS(CANCELLED));
    }
    world_stop(&world);
}

TEST(probe_answers_facts_or_the_reason_why_not) {
    struct world world;
    world_start(&world, MED_FAKE_RUNNER, false);
    struct cs_err err = {0};
    Callsheet__V1__ProbeReply *reply = NULL;
    char url[256];
    world_put(&world, "test/in", "hello");
    assert_ok(world_probe(&world, "test/in", NULL, &reply, &err), &err);
    assert_string_equal(reply->facts->container, "fake");
    cs_rpc_message_free((ProtobufCMessage *)reply);
    assert_fails(world_probe(&world, "test/none", NULL, &reply, &err), &err, CS_INVALID_ARGUMENT, "input_not_found");
    assert_fails(world_probe(&world, "../x", NULL, &reply, &err), &err, CS_INVALID_ARGUMENT, "bad_key");
    assert_fails(world_probe(&world, NULL, NULL, &reply, &err), &err, CS_INVALID_ARGUMENT, "no_source");
    assert_fails(world_probe(&world, NULL, peer_url(world.peer, "/hello", url), &reply, &err), &err,
                 CS_INVALID_ARGUMENT, "target_not_allowed");
    world_stop(&world);
}

TEST_MAIN(CS_TEST(probe_answers_facts_or_the_reason_why_not), CS_TEST(worker_says_what_it_can_do),
          CS_TEST(job_reads_from_storage_and_its_output_lands_there), CS_TEST(failed_job_leaves_nothing_in_storage),
          CS_TEST(missing_input_is_invalid_input), CS_TEST(ex_040_a_full_disk_is_noticed_before_anything_is_fetched),
          CS_TEST(foreign_operation_is_refused), CS_TEST(private_targets_are_refused_without_the_switch),
          CS_TEST(url_inputs_are_fetched_with_the_switch_each_once),
          CS_TEST(answers_of_the_inputs_server_decide_about_retries), CS_TEST(cancel_while_fetching_is_prompt),
          CS_TEST(cancel_in_mid_render_kills_the_child), CS_TEST(end_of_the_stream_stops_its_jobs),
          CS_TEST(deadline_ends_the_job_as_timeout), CS_TEST(death_of_the_runner_is_transient),
          CS_TEST(drain_lets_the_grace_pass_then_stops_what_runs), CS_TEST(slots_run_at_once))
