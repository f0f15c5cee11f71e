/* COVERS jobs/chunks.c jobs/slots.c: a long render in chunks, with the real runner. */
#include <stdio.h>
#include <string.h>

#include "callsheet/v1/media.pb-c.h"
#include "cs/base/text.h"
#include "cs/test.h"
#include "jobs/slots.h"
#include "world.h"

enum { CHUNKS = 4 };

/* 34 s, of more bytes than a render needs to be looked at. */
static void put_long_clip(struct world *world) {
    CS_AUTO_FREE char *path = cs_sprintf("%s/long.mp4", world->dir);
    CS_AUTO_FREE char *command = cs_sprintf(
        "ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=size=192x108:rate=25:duration=34,noise=alls=70:allf=t "
        "-f lavfi -i sine=frequency=440:duration=34:sample_rate=48000 "
        "-c:v libx264 -preset ultrafast -crf 16 -g 50 -pix_fmt yuv420p -c:a aac '%s'",
        path);
    assert_int_equal(system(command), 0);
    world_put_file(world, "test/a", path);
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
    CS_AUTO_FREE char *command = cs_sprintf("find '%s' -path '*chunks-*' -name '*.mp4' | wc -l", world->storage_dir);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%zu", &count), 1);
    (void)pclose(pipe);
    return count;
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
    assert_int_equal(count_chunks_in_storage(&world), 0);
    world_stop(&world);
}

TEST(another_attempt_makes_only_the_chunks_that_are_missing_and_the_bytes_are_the_same) {
    struct world world;
    struct job whole;
    struct job first;
    struct job second;
    world_start(&world, MED_RUNNER, false);
    put_long_clip(&world);
    job_init(&whole, 1, NULL);
    dialer_assign(world.dialer, "whole", &whole.made.assign);
    CS_AUTO_FREE char *expected = cs_strdup(artifact_of(&world, "whole")->sha256);

    job_init(&first, 2, NULL);
    dialer_assign(world.dialer, "first", &first.made.assign);
    const Callsheet__V1__Checkpoint *checkpoint = dialer_wait_checkpoint(world.dialer, "first", 1);
    dialer_cancel(world.dialer, "first");
    (void)dialer_wait_final(world.dialer, "first");
    size_t kept = done_of(checkpoint);
    assert_in_range(kept, 1, CHUNKS - 1);

    job_init(&second, 3, checkpoint);
    dialer_assign(world.dialer, "second", &second.made.assign);
    assert_string_equal(artifact_of(&world, "second")->sha256, expected);
    assert_int_equal(checkpoints(&world, "second"), CHUNKS - kept);
    assert_int_equal(count_chunks_in_storage(&world), 0);
    world_stop(&world);
}

TEST(a_checkpoint_of_other_work_is_not_gone_on_from) {
    struct world world;
    struct job job;
    struct job other;
    world_start(&world, MED_RUNNER, false);
    put_long_clip(&world);
    job_init(&job, 1, NULL);
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
}

TEST_MAIN(CS_TEST(a_long_render_says_which_chunks_are_done_and_leaves_none_behind),
          CS_TEST(another_attempt_makes_only_the_chunks_that_are_missing_and_the_bytes_are_the_same),
          CS_TEST(a_checkpoint_of_other_work_is_not_gone_on_from), CS_TEST(chunks_take_only_slots_that_nobody_needs))
