/* COVERS jobs/chunks.c jobs/division.c jobs/hands.c jobs/slots.c jobs/visits.c: a long render in chunks, with the real
 * runner. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "callsheet/v1/media.pb-c.h"
#include "cs/base/text.h"
#include "cs/test.h"
#include "jobs/slots.h"
#include "jobs/visits.h"
#include "world.h"

#define CHUNK(word) CALLSHEET__V1__CHUNK_STATE__CHUNK_STATE_##word

enum { CHUNKS = 4, LAST = CHUNKS - 1, SLOTS = 3 };

static char clip_dir[] = "/tmp/med_chunks_XXXXXX";

static void remove_clip(void) {
    CS_AUTO_FREE char *command = cs_sprintf("rm -rf -- '%s'", clip_dir);
    (void)system(command);
}

/* 34 s, of more bytes than a render needs to be looked at; made once. */
static const char *long_clip(void) {
    static char path[64];
    if (path[0] == '\0') {
        assert_non_null(mkdtemp(clip_dir));
        (void)atexit(remove_clip);
        (void)snprintf(path, sizeof(path), "%s/long.mp4", clip_dir);
        CS_AUTO_FREE char *command = cs_sprintf(
            "ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=size=192x108:rate=25:duration=34,noise=alls=70:allf=t "
            "-f lavfi -i sine=frequency=440:duration=34:sample_rate=48000 "
            "-c:v libx264 -preset ultrafast -crf 16 -g 50 -pix_fmt yuv420p -c:a aac '%s'",
            path);
        assert_int_equal(system(command), 0);
    }
    return path;
}

static void put_long_clip(struct world *world) {
    world_put_file(world, "test/a", long_clip());
}

struct job {
    Callsheet__V1__MediaRef ref;
    Callsheet__V1__AddSubtitles captions;
    Callsheet__V1__Operation operation;
    struct world_assign made;
    char prefix[64];
};

static void job_init(struct job *job, uint32_t attempt, const Callsheet__V1__Checkpoint *checkpoint) {
    callsheet__v1__media_ref__init(&job->ref);
    callsheet__v1__add_subtitles__init(&job->captions);
    callsheet__v1__operation__init(&job->operation);
    job->ref.source_case = CALLSHEET__V1__MEDIA_REF__SOURCE_JOB;
    job->ref.job = (char *)"earlier";
    job->ref.input = 1;
    job->captions.video = &job->ref;
    job->captions.text = (char *)"one two three";
    job->operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES;
    job->operation.add_subtitles = &job->captions;
    world_assign_init(&job->made, &job->operation);
    world_add_key(&job->made, "test/a");
    (void)snprintf(job->prefix, sizeof(job->prefix), "test/t1/e1/j1/%u/", attempt);
    job->made.assign.output_prefix = job->prefix;
    job->made.assign.attempt = attempt;
    if (checkpoint != NULL) {
        job->made.assign.checkpoint = checkpoint->data;
    }
}

static const Callsheet__V1__Artifact *artifact_of(struct world *world, const char *fence) {
    const Callsheet__V1__Report *report = dialer_wait_final(world->dialer, fence);
    if (report->report_case == CALLSHEET__V1__REPORT__REPORT_FAILED) {
        fail_msg("%s: %s", report->failed->code, report->failed->message);
    }
    return report->succeeded->outputs[0];
}

static size_t count_chunks_in_storage(const struct world *world) {
    size_t count = 0;
    CS_AUTO_FREE char *command =
        cs_sprintf("find '%s' -path '*/j1/chunks-*' -name '*.mp4' | wc -l", world->storage_dir);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%zu", &count), 1);
    (void)pclose(pipe);
    return count;
}

/* They go when the result has been told. */
static void expect_none_left(struct world *world) {
    world_end_service(world);
    assert_int_equal(count_chunks_in_storage(world), 0);
}

static size_t checkpoints(struct world *world, const char *fence) {
    return dialer_count(world->dialer, fence, CALLSHEET__V1__REPORT__REPORT_CHECKPOINT);
}

static size_t done_of(const Callsheet__V1__Checkpoint *checkpoint) {
    size_t done = 0;
    Callsheet__V1__ChunksDone *message =
        callsheet__v1__chunks_done__unpack(NULL, checkpoint->data.len, checkpoint->data.data);
    assert_non_null(message);
    for (size_t i = 0; i < message->done.len * 8; i++) {
        done += message->done.data[i / 8] >> (i % 8) & 1;
    }
    callsheet__v1__chunks_done__free_unpacked(message, NULL);
    return done;
}

TEST(a_long_render_says_which_chunks_are_done_and_leaves_none_behind) {
    struct world world;
    struct job job;
    world_start(&world, MED_RUNNER, false);
    put_long_clip(&world);
    job_init(&job, 1, NULL);
    dialer_assign(world.dialer, "f1", &job.made.assign);
    const Callsheet__V1__Artifact *artifact = artifact_of(&world, "f1");
    assert_int_equal(artifact->facts->video->frame_count, 34 * 25);
    assert_int_equal(checkpoints(&world, "f1"), CHUNKS);
    assert_int_equal(done_of(dialer_wait_checkpoint(world.dialer, "f1", CHUNKS)), CHUNKS);
    expect_none_left(&world);
    world_stop(&world);
}

TEST(ta_049_another_attempt_makes_only_the_chunks_that_are_missing_and_the_bytes_are_the_same) {
    struct world world;
    struct job whole;
    struct job first;
    struct job second;
    world_start(&world, MED_RUNNER, false);
    put_long_clip(&world);
    job_init(&whole, 1, NULL);
    whole.made.assign.output_prefix = (char *)"test/t1/e1/other/1/";
    dialer_assign(world.dialer, "whole", &whole.made.assign);
    CS_AUTO_FREE char *expected = cs_strdup(artifact_of(&world, "whole")->sha256);

    job_init(&first, 2, NULL);
    dialer_assign(world.dialer, "first", &first.made.assign);
    const Callsheet__V1__Checkpoint *checkpoint = dialer_wait_checkpoint(world.dialer, "first", 1);
    dialer_cancel(world.dialer, "first");
    (void)dialer_wait_final(world.dialer, "first");
    size_t kept = count_chunks_in_storage(&world); /* also what was made after the checkpoint */
    assert_in_range(kept, done_of(checkpoint), CHUNKS - 1);

    job_init(&second, 3, checkpoint);
    dialer_assign(world.dialer, "second", &second.made.assign);
    assert_string_equal(artifact_of(&world, "second")->sha256, expected);
    assert_int_equal(checkpoints(&world, "second"), CHUNKS - kept);
    expect_none_left(&world);
    world_stop(&world);
}

TEST(chunks_of_a_job_that_was_cancelled_for_good_go) {
    struct world world;
    struct job job;
    world_start(&world, MED_RUNNER, false);
    put_long_clip(&world);
    job_init(&job, 1, NULL);
    dialer_assign(world.dialer, "f1", &job.made.assign);
    (void)dialer_wait_checkpoint(world.dialer, "f1", 1);
    dialer_cancel_for_good(world.dialer, "f1");
    assert_int_equal(dialer_wait_final(world.dialer, "f1")->report_case, CALLSHEET__V1__REPORT__REPORT_FAILED);
    expect_none_left(&world);
    world_stop(&world);
}

TEST(a_checkpoint_of_other_work_is_not_gone_on_from) {
    struct world world;
    struct job job;
    struct job other;
    world_start(&world, MED_RUNNER, false);
    put_long_clip(&world);
    job_init(&job, 1, NULL);
    job.made.assign.output_prefix = (char *)"test/t1/e1/other/1/";
    dialer_assign(world.dialer, "f1", &job.made.assign);
    const Callsheet__V1__Checkpoint *checkpoint = dialer_wait_checkpoint(world.dialer, "f1", CHUNKS);
    (void)artifact_of(&world, "f1");
    job_init(&other, 2, checkpoint);
    other.captions.text = (char *)"something else";
    dialer_assign(world.dialer, "f2", &other.made.assign);
    assert_int_equal(artifact_of(&world, "f2")->facts->video->frame_count, 34 * 25);
    assert_int_equal(checkpoints(&world, "f2"), CHUNKS);

    static uint8_t garbage[] = {0xFF, 0x01, 0x80};
    Callsheet__V1__Checkpoint broken = CALLSHEET__V1__CHECKPOINT__INIT;
    broken.data = (ProtobufCBinaryData){.len = sizeof(garbage), .data = garbage};
    job_init(&job, 3, &broken);
    dialer_assign(world.dialer, "f3", &job.made.assign);
    (void)artifact_of(&world, "f3");
    assert_int_equal(checkpoints(&world, "f3"), CHUNKS);
    world_stop(&world);
}

/* ---- other nodes ---- */

/* What the whole job makes, and the plan of its chunks. */
struct known {
    char sha256[CS_SHA256_HEX_SIZE];
    uint8_t plan[CS_SHA256_BYTES];
};

static void learn_of(struct world *world, const char *text, struct known *ret_known) {
    struct job whole;
    put_long_clip(world);
    job_init(&whole, 1, NULL);
    whole.captions.text = (char *)text;
    whole.made.assign.output_prefix = (char *)"test/t1/e1/other/1/";
    dialer_assign(world->dialer, text, &whole.made.assign);
    const Callsheet__V1__Spread *spread =
        dialer_wait(world->dialer, text, CALLSHEET__V1__REPORT__REPORT_SPREAD)->spread;
    assert_int_equal(spread->plan.len, sizeof(ret_known->plan));
    memcpy(ret_known->plan, spread->plan.data, sizeof(ret_known->plan));
    cs_str_copy(ret_known->sha256, sizeof(ret_known->sha256), artifact_of(world, text)->sha256);
}

/* The same in every world: found out once. */
static void learn(struct world *world, struct known *ret_known) {
    static struct known known;
    if (known.sha256[0] == '\0') {
        learn_of(world, "one two three", &known);
    }
    put_long_clip(world);
    *ret_known = known;
}

/* As another node is asked for it. */
static const Callsheet__V1__Report *ask_for_chunk(struct world *world, const char *fence, struct job *job,
                                                  const struct known *known, uint32_t chunk) {
    Callsheet__V1__Share share = CALLSHEET__V1__SHARE__INIT;
    share.plan = (ProtobufCBinaryData){.len = sizeof(known->plan), .data = (uint8_t *)known->plan};
    share.chunk = chunk;
    job->made.assign.share = &share;
    dialer_assign(world->dialer, fence, &job->made.assign);
    return dialer_wait_final(world->dialer, fence);
}

static void make_chunk_of(struct world *world, const char *fence, const char *text, const struct known *known,
                          uint32_t chunk) {
    struct job job;
    job_init(&job, 1, NULL);
    job.captions.text = (char *)text;
    const Callsheet__V1__Report *report = ask_for_chunk(world, fence, &job, known, chunk);
    assert_int_equal(report->report_case, CALLSHEET__V1__REPORT__REPORT_SUCCEEDED);
    assert_int_equal(report->succeeded->n_outputs, 0);
}

static void make_chunk(struct world *world, const char *fence, const struct known *known, uint32_t chunk) {
    make_chunk_of(world, fence, "one two three", known, chunk);
}

static char *key_of(const struct known *known, uint32_t chunk) {
    char plan[17];
    cs_hex_format(known->plan, 8, plan);
    return cs_sprintf("test/t1/e1/j1/chunks-%s/%u.mp4", plan, chunk);
}

/* A chunk as other words would make it, in the place of the last: a render that takes it shows it. */
static void plant_other_chunk(struct world *world, const struct known *known) {
    static const char *const text = "something else";
    struct known other;
    struct cs_err err = {0};
    int fd = -1;
    learn_of(world, text, &other);
    make_chunk_of(world, "other", text, &other, LAST);
    CS_AUTO_FREE char *from = key_of(&other, LAST);
    CS_AUTO_FREE char *to = key_of(known, LAST);
    assert_ok(cs_storage_open_fd(world->storage, from, &fd, NULL, &err), &err);
    assert_ok(cs_storage_put_fd(world->storage, to, fd, NULL, &err), &err);
    (void)close(fd);
}

static void expect_failed(const Callsheet__V1__Report *report, Callsheet__V1__FailureClass failure_class,
                          const char *code) {
    assert_int_equal(report->report_case, CALLSHEET__V1__REPORT__REPORT_FAILED);
    assert_int_equal(report->failed->failure_class, failure_class);
    assert_string_equal(report->failed->code, code);
}

TEST(chunks_that_nobody_is_at_are_offered_as_long_as_they_are_missing) {
    struct world world;
    struct job job;
    world_start(&world, MED_RUNNER, false);
    assert_true(dialer_hello(world.dialer)->shares);
    put_long_clip(&world);
    job_init(&job, 1, NULL);
    dialer_assign(world.dialer, "f1", &job.made.assign);
    (void)artifact_of(&world, "f1");
    const Callsheet__V1__Spread *first = dialer_wait(world.dialer, "f1", CALLSHEET__V1__REPORT__REPORT_SPREAD)->spread;
    assert_int_equal(first->n_chunks, CHUNKS - 1);
    assert_int_equal(first->chunks[0], 1);
    assert_int_equal(first->chunks[first->n_chunks - 1], LAST);
    size_t count = dialer_count(world.dialer, "f1", CALLSHEET__V1__REPORT__REPORT_SPREAD);
    const Callsheet__V1__Spread *last =
        dialer_wait_nth(world.dialer, "f1", CALLSHEET__V1__REPORT__REPORT_SPREAD, count)->spread;
    assert_int_equal(last->n_chunks, 0);
    world_stop(&world);
}

TEST(chunks_that_others_made_for_a_dead_attempt_are_found_without_a_checkpoint) {
    struct world world;
    struct known known;
    struct job job;
    world_start(&world, MED_RUNNER, false);
    learn(&world, &known);
    make_chunk(&world, "h0", &known, 0);
    make_chunk(&world, "h1", &known, 1);
    make_chunk(&world, "h2", &known, 2);
    make_chunk(&world, "h3", &known, 3);
    assert_int_equal(count_chunks_in_storage(&world), CHUNKS);
    job_init(&job, 2, NULL);
    dialer_assign(world.dialer, "f1", &job.made.assign);
    assert_string_equal(artifact_of(&world, "f1")->sha256, known.sha256);
    assert_int_equal(checkpoints(&world, "f1"), 0);
    expect_none_left(&world);
    world_stop(&world);
}

TEST(a_chunk_that_another_node_made_is_taken_from_storage) {
    struct world world;
    struct known known;
    struct job job;
    world_start(&world, MED_RUNNER, false);
    learn(&world, &known);
    plant_other_chunk(&world, &known);
    job_init(&job, 1, NULL);
    dialer_assign(world.dialer, "f1", &job.made.assign);
    (void)dialer_wait(world.dialer, "f1", CALLSHEET__V1__REPORT__REPORT_SPREAD);
    dialer_chunk_news(world.dialer, "f1", LAST, CHUNK(BEGUN));
    dialer_chunk_news(world.dialer, "f1", LAST, CHUNK(MADE));
    const Callsheet__V1__Artifact *artifact = artifact_of(&world, "f1");
    assert_int_equal(artifact->facts->video->frame_count, 34 * 25);
    assert_string_not_equal(artifact->sha256, known.sha256);
    assert_int_equal(checkpoints(&world, "f1"), CHUNKS);
    dialer_chunk_news(world.dialer, "f1", LAST, CHUNK(MADE)); /* too late, of no job */
    world_stop(&world);
}

TEST(a_chunk_that_is_not_there_though_another_node_made_it_is_made_here) {
    struct world world;
    struct known known;
    struct job job;
    world_start(&world, MED_RUNNER, false);
    learn(&world, &known);
    job_init(&job, 1, NULL);
    dialer_assign(world.dialer, "f1", &job.made.assign);
    (void)dialer_wait(world.dialer, "f1", CALLSHEET__V1__REPORT__REPORT_SPREAD);
    dialer_chunk_news(world.dialer, "f1", LAST, CHUNK(MADE));
    dialer_chunk_news(world.dialer, "f1", 100000, CHUNK(MADE)); /* no chunk of ours */
    assert_string_equal(artifact_of(&world, "f1")->sha256, known.sha256);
    world_stop(&world);
}

TEST(what_cannot_be_put_together_is_made_anew_by_the_next_attempt) {
    struct world world;
    struct known known;
    struct job job;
    world_start(&world, MED_RUNNER, false);
    learn(&world, &known);
    CS_AUTO_FREE char *key = key_of(&known, LAST);
    world_put(&world, key, "no film");
    job_init(&job, 2, NULL);
    dialer_assign(world.dialer, "f1", &job.made.assign);
    expect_failed(dialer_wait_final(world.dialer, "f1"), CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INTERNAL,
                  "bad_chunk");
    assert_int_equal(count_chunks_in_storage(&world), 0);
    job_init(&job, 3, NULL);
    dialer_assign(world.dialer, "f2", &job.made.assign);
    assert_string_equal(artifact_of(&world, "f2")->sha256, known.sha256);
    world_stop(&world);
}

TEST(nobody_waits_for_a_node_that_is_slow) {
    struct world world;
    struct known known;
    struct job job;
    world_start(&world, MED_RUNNER, false);
    learn(&world, &known);
    job_init(&job, 1, NULL);
    dialer_assign(world.dialer, "f1", &job.made.assign);
    (void)dialer_wait(world.dialer, "f1", CALLSHEET__V1__REPORT__REPORT_SPREAD);
    for (uint32_t i = 1; i < CHUNKS; i++) {
        dialer_chunk_news(world.dialer, "f1", i, CHUNK(BEGUN));
    }
    assert_string_equal(artifact_of(&world, "f1")->sha256, known.sha256);
    world_stop(&world);
}

TEST(what_is_being_made_is_left_when_another_node_has_made_it) {
    struct world world;
    struct known known;
    struct job job;
    world_start(&world, MED_RUNNER, false);
    learn(&world, &known);
    make_chunk(&world, "h3", &known, LAST);
    job_init(&job, 1, NULL);
    dialer_assign(world.dialer, "f1", &job.made.assign);
    (void)dialer_wait(world.dialer, "f1", CALLSHEET__V1__REPORT__REPORT_SPREAD);
    dialer_chunk_news(world.dialer, "f1", LAST, CHUNK(BEGUN));
    (void)dialer_wait_checkpoint(world.dialer, "f1", CHUNKS - 1); /* now it makes the last itself */
    dialer_chunk_news(world.dialer, "f1", LAST, CHUNK(MADE));
    assert_string_equal(artifact_of(&world, "f1")->sha256, known.sha256);
    assert_int_equal(checkpoints(&world, "f1"), CHUNKS);
    world_stop(&world);
}

TEST(a_chunk_of_what_this_node_would_not_make_is_refused) {
    struct world world;
    struct known known;
    struct job job;
    world_start(&world, MED_RUNNER, false);
    learn(&world, &known);
    job_init(&job, 1, NULL);
    job.captions.text = (char *)"something else";
    expect_failed(ask_for_chunk(&world, "h1", &job, &known, 0),
                  CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT, "other_plan");
    job_init(&job, 1, NULL);
    expect_failed(ask_for_chunk(&world, "h2", &job, &known, CHUNKS),
                  CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT, "no_chunk");
    assert_int_equal(count_chunks_in_storage(&world), 0);
    world_stop(&world);
}

TEST(what_was_fetched_for_a_chunk_is_kept_for_the_next) {
    struct world world;
    struct known known;
    struct job job;
    struct cs_err err = {0};
    world_start(&world, MED_RUNNER, false);
    learn(&world, &known);
    make_chunk(&world, "h0", &known, 0);
    assert_ok(cs_storage_delete(world.storage, "test/a", &err), &err);
    make_chunk(&world, "h1", &known, 1);
    job_init(&job, 1, NULL);
    job.made.assign.execution = (char *)"e2"; /* of somebody else */
    expect_failed(ask_for_chunk(&world, "h2", &job, &known, 2),
                  CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT, "input_not_found");
    world_stop(&world);
}

TEST(what_was_fetched_for_others_goes_when_this_node_begins_a_job_of_its_own) {
    struct world world;
    struct known known;
    struct job job;
    struct cs_err err = {0};
    world_start(&world, MED_RUNNER, false);
    learn(&world, &known);
    make_chunk(&world, "h0", &known, 0);
    assert_ok(cs_storage_delete(world.storage, "test/a", &err), &err);
    job_init(&job, 1, NULL);
    job.made.assign.execution = (char *)"e2";
    dialer_assign(world.dialer, "f1", &job.made.assign);
    expect_failed(dialer_wait_final(world.dialer, "f1"), CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT,
                  "input_not_found");
    job_init(&job, 1, NULL);
    expect_failed(ask_for_chunk(&world, "h1", &job, &known, 1),
                  CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT, "input_not_found");
    world_stop(&world);
}

/* Without inputs: it is kept all the same. */
static struct med_visit *visit_of(const char *job, Callsheet__V1__Assign *ret_assign) {
    static uint8_t plan[CS_SHA256_BYTES];
    static Callsheet__V1__Share share = CALLSHEET__V1__SHARE__INIT;
    struct med_inputs inputs = {0};
    struct med_division division = {.count = 1, .folder = "test/"};
    callsheet__v1__assign__init(ret_assign);
    share.plan = (ProtobufCBinaryData){.len = sizeof(plan), .data = plan};
    ret_assign->execution = (char *)"e1";
    ret_assign->job = (char *)job;
    ret_assign->share = &share;
    return med_visit_create(ret_assign, &inputs, &division);
}

TEST(what_was_fetched_is_kept_for_a_moment_and_never_more_than_one_for_each_slot) {
    struct med_visits visits;
    Callsheet__V1__Assign a;
    Callsheet__V1__Assign b;
    Callsheet__V1__Assign c;
    struct med_visit *first = visit_of("a", &a);
    med_visits_init(&visits, 2);
    assert_null(med_visits_take(&visits, &a));
    med_visits_keep(&visits, first);
    assert_ptr_equal(med_visits_take(&visits, &a), first);
    assert_null(med_visits_take(&visits, &a)); /* it has one owner */
    med_visits_keep(&visits, first);
    med_visits_keep(&visits, visit_of("b", &b));
    med_visits_keep(&visits, visit_of("c", &c));
    assert_null(med_visits_take(&visits, &a)); /* the oldest */
    struct med_visit *last = med_visits_take(&visits, &c);
    assert_non_null(last);
    assert_true(med_visits_expire(&visits, visits.idle->until_ms - 1) == visits.idle->until_ms);
    assert_true(med_visits_expire(&visits, visits.idle->until_ms) == INT64_MAX);
    assert_null(med_visits_take(&visits, &b));
    med_visits_keep(&visits, last);
    med_visits_fini(&visits);
}

TEST(a_node_whose_slots_are_at_a_long_job_of_its_own_makes_no_chunk_for_another) {
    struct world world;
    struct known known;
    struct job job;
    struct job other;
    world_start(&world, MED_RUNNER, false);
    learn(&world, &known);
    job_init(&job, 1, NULL);
    dialer_assign(world.dialer, "f1", &job.made.assign);
    (void)dialer_wait_nth(world.dialer, "f1", CALLSHEET__V1__REPORT__REPORT_SPREAD, SLOTS);
    job_init(&other, 1, NULL);
    expect_failed(ask_for_chunk(&world, "h1", &other, &known, LAST),
                  CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_TRANSIENT, "no_slot");
    (void)artifact_of(&world, "f1");
    world_stop(&world);
}

/* ---- slots ---- */

TEST(chunks_take_only_slots_that_nobody_needs) {
    struct med_slots slots;
    med_slots_init(&slots, 2);
    assert_true(med_slots_try_enter(&slots));
    med_slots_enter(&slots);
    assert_false(med_slots_try_enter(&slots));
    med_slots_enter(&slots); /* an assignment is never refused */
    med_slots_leave(&slots);
    med_slots_leave(&slots);
    assert_true(med_slots_try_enter(&slots));
    med_slots_fini(&slots);
}

struct waiting {
    struct med_slots slots;
    struct med_stop stop;
    bool entered;
};

static void *enter_when_idle(void *ctx) {
    struct waiting *waiting = ctx;
    med_stop_lock(&waiting->stop);
    while (!(waiting->entered = med_slots_try_enter(&waiting->slots)) && med_stop_wait(&waiting->stop)) {
    }
    med_stop_unlock(&waiting->stop);
    return NULL;
}

TEST(who_waits_for_a_slot_is_woken_when_one_is_left) {
    enum { PATIENCE_MS = 20 * 1000 };
    struct waiting waiting = {.entered = false};
    struct med_slots_watch watch;
    pthread_t thread;
    med_slots_init(&waiting.slots, 1);
    med_stop_init(&waiting.stop, PATIENCE_MS);
    med_slots_enter(&waiting.slots);
    med_slots_watch(&waiting.slots, &watch, &waiting.stop);
    assert_int_equal(pthread_create(&thread, NULL, enter_when_idle, &waiting), 0);
    med_slots_leave(&waiting.slots);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(waiting.entered);
    assert_in_range(med_stop_left_ms(&waiting.stop), 1, PATIENCE_MS);
    med_slots_unwatch(&waiting.slots, &watch);
    med_slots_leave(&waiting.slots);
    med_stop_fini(&waiting.stop);
    med_slots_fini(&waiting.slots);
}

TEST_MAIN(CS_TEST(a_long_render_says_which_chunks_are_done_and_leaves_none_behind),
          CS_TEST(ta_049_another_attempt_makes_only_the_chunks_that_are_missing_and_the_bytes_are_the_same),
          CS_TEST(chunks_of_a_job_that_was_cancelled_for_good_go),
          CS_TEST(a_checkpoint_of_other_work_is_not_gone_on_from),
          CS_TEST(chunks_that_nobody_is_at_are_offered_as_long_as_they_are_missing),
          CS_TEST(chunks_that_others_made_for_a_dead_attempt_are_found_without_a_checkpoint),
          CS_TEST(a_chunk_that_another_node_made_is_taken_from_storage),
          CS_TEST(a_chunk_that_is_not_there_though_another_node_made_it_is_made_here),
          CS_TEST(what_cannot_be_put_together_is_made_anew_by_the_next_attempt),
          CS_TEST(nobody_waits_for_a_node_that_is_slow),
          CS_TEST(what_is_being_made_is_left_when_another_node_has_made_it),
          CS_TEST(a_chunk_of_what_this_node_would_not_make_is_refused),
          CS_TEST(what_was_fetched_for_a_chunk_is_kept_for_the_next),
          CS_TEST(what_was_fetched_for_others_goes_when_this_node_begins_a_job_of_its_own),
          CS_TEST(what_was_fetched_is_kept_for_a_moment_and_never_more_than_one_for_each_slot),
          CS_TEST(a_node_whose_slots_are_at_a_long_job_of_its_own_makes_no_chunk_for_another),
          CS_TEST(chunks_take_only_slots_that_nobody_needs), CS_TEST(who_waits_for_a_slot_is_woken_when_one_is_left))
