/* The service with the real runner on real media: jobs from assignment to artifact, facts, and hostile files in the
 * sandbox. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/test.h"
#include "world.h"

#define CLASS(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word
#define TYPE(word) CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_##word

/* Two seconds of a test picture with a tone, by the ffmpeg program. */
static char *make_clip(const struct world *world, const char *name, const char *size, const char *rate) {
    char *path = cs_sprintf("%s/%s", world->dir, name);
    CS_AUTO_FREE char *command =
        cs_sprintf("ffmpeg -nostdin -v error -y -f lavfi -i testsrc=size=%s:rate=%s:duration=2 "
                   "-f lavfi -i sine=frequency=440:duration=2:sample_rate=48000 "
                   "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -shortest '%s'",
                   size, rate, path);
    assert_int_equal(system(command), 0);
    return path;
}

static void put_clip(struct world *world, const char *key, const char *name, const char *size, const char *rate) {
    CS_AUTO_FREE char *path = make_clip(world, name, size, rate);
    world_put_file(world, key, path);
}

static Callsheet__V1__MediaRef ref_to(uint32_t input) {
    Callsheet__V1__MediaRef ref = CALLSHEET__V1__MEDIA_REF__INIT;
    ref.source_case = CALLSHEET__V1__MEDIA_REF__SOURCE_JOB;
    ref.job = (char *)"earlier";
    ref.input = input;
    return ref;
}

struct merge_job {
    Callsheet__V1__MediaRef refs[2];
    Callsheet__V1__MergeItem items[2];
    Callsheet__V1__MergeItem *item_list[2];
    Callsheet__V1__Merge merge;
    Callsheet__V1__Operation operation;
    struct world_assign made;
};

static void merge_init(struct merge_job *job, const char *first, const char *second) {
    callsheet__v1__merge__init(&job->merge);
    for (uint32_t i = 0; i < 2; i++) {
        job->refs[i] = ref_to(i + 1);
        callsheet__v1__merge_item__init(&job->items[i]);
        job->items[i].media = &job->refs[i];
        job->item_list[i] = &job->items[i];
    }
    job->merge.items = job->item_list;
    job->merge.n_items = 2;
    callsheet__v1__operation__init(&job->operation);
    job->operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_MERGE;
    job->operation.merge = &job->merge;
    world_assign_init(&job->made, &job->operation);
    world_add_key(&job->made, first);
    world_add_key(&job->made, second);
}

TEST(merge_makes_one_video_of_two) {
    struct world world;
    world_start(&world, MED_RUNNER, false);
    put_clip(&world, "test/a", "a.mp4", "320x240", "30");
    put_clip(&world, "test/b", "b.mp4", "640x360", "25");
    struct merge_job job;
    merge_init(&job, "test/a", "test/b");
    dialer_assign(world.dialer, "f1", &job.made.assign);
    const Callsheet__V1__Report *report = dialer_wait_final(world.dialer, "f1");
    if (report->report_case == CALLSHEET__V1__REPORT__REPORT_FAILED) {
        fail_msg("%s: %s", report->failed->code, report->failed->message);
    }
    const Callsheet__V1__Artifact *artifact = report->succeeded->outputs[0];
    assert_string_equal(artifact->key, "test/t1/e1/j1/1/merged.mp4");
    assert_int_equal(artifact->type, TYPE(VIDEO));
    assert_int_equal(artifact->facts->video->width, 320);
    assert_in_range(artifact->facts->duration_us, 3900000, 4100000);
    assert_non_null(artifact->quality);
    assert_int_equal(artifact->quality->frame_count, artifact->facts->video->frame_count);
    assert_int_equal(artifact->quality->decoded_frames, artifact->quality->frame_count);
    assert_non_null(artifact->quality->loudness);
    /* What was said about the output while writing is what is found in it. */
    struct cs_err err = {0};
    Callsheet__V1__ProbeReply *reply = NULL;
    assert_ok(world_probe(&world, artifact->key, NULL, &reply, &err), &err);
    assert_int_equal(reply->facts->type, TYPE(VIDEO));
    assert_int_equal(reply->facts->video->width, artifact->facts->video->width);
    assert_int_equal(reply->facts->video->height, artifact->facts->video->height);
    assert_in_range(reply->facts->duration_us, artifact->facts->duration_us - 50000,
                    artifact->facts->duration_us + 50000);
    assert_non_null(reply->facts->audio);
    cs_rpc_message_free((ProtobufCMessage *)reply);
    world_stop(&world);
}

/* Runs the operation on the clip (and sound) and gives the facts of what came out. */
static const Callsheet__V1__MediaFacts *run_operation(struct world *world, const char *fence,
                                                      Callsheet__V1__Operation *operation, size_t inputs) {
    struct world_assign made;
    world_assign_init(&made, operation);
    made.assign.output_prefix = cs_sprintf("test/t1/e1/%s/1/", fence);
    for (size_t i = 0; i < inputs; i++) {
        world_add_key(&made, "test/a");
    }
    dialer_assign(world->dialer, fence, &made.assign);
    free(made.assign.output_prefix);
    const Callsheet__V1__Report *report = dialer_wait_final(world->dialer, fence);
    if (report->report_case == CALLSHEET__V1__REPORT__REPORT_FAILED) {
        fail_msg("%s: %s: %s", fence, report->failed->code, report->failed->message);
    }
    return report->succeeded->outputs[0]->facts;
}

TEST(every_operation_works_inside_the_sandbox) {
    struct world world;
    world_start(&world, MED_RUNNER, false);
    put_clip(&world, "test/a", "a.mp4", "320x240", "30");
    Callsheet__V1__MediaRef first = ref_to(1);
    Callsheet__V1__MediaRef second = ref_to(2);
    Callsheet__V1__Operation operation = CALLSHEET__V1__OPERATION__INIT;

    Callsheet__V1__Reframe reframe = CALLSHEET__V1__REFRAME__INIT;
    reframe.video = &first;
    reframe.aspect_ratio = (char *)"9:16";
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_REFRAME;
    operation.reframe = &reframe;
    assert_int_equal(run_operation(&world, "reframe", &operation, 1)->video->height, 1920);

    Callsheet__V1__AddSubtitles subtitles = CALLSHEET__V1__ADD_SUBTITLES__INIT;
    subtitles.video = &first;
    subtitles.text = (char *)"Gr\xC3\xB6\xC3\x9F\x65 \xD0\x9F\xD1\x80\xD0\xB8 \xE6\xBC\xA2\xE5\xAD\x97";
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES;
    operation.add_subtitles = &subtitles;
    assert_int_equal(run_operation(&world, "subtitles", &operation, 1)->video->width, 320);

    Callsheet__V1__LipSync lip_sync = CALLSHEET__V1__LIP_SYNC__INIT;
    lip_sync.video = &first;
    lip_sync.audio = &second;
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_LIP_SYNC;
    operation.lip_sync = &lip_sync;
    assert_non_null(run_operation(&world, "lipsync", &operation, 2)->audio);

    Callsheet__V1__Brand brand = CALLSHEET__V1__BRAND__INIT;
    brand.video = &first;
    brand.outro = &second;
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_BRAND;
    operation.brand = &brand;
    assert_int_equal(run_operation(&world, "brand", &operation, 2)->video->frame_count, 60 + 60 - 15);

    Callsheet__V1__Transcribe transcribe = CALLSHEET__V1__TRANSCRIBE__INIT;
    transcribe.media = &first;
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_TRANSCRIBE;
    operation.transcribe = &transcribe;
    assert_string_equal(run_operation(&world, "transcribe", &operation, 1)->container, "text");
    world_stop(&world);
}

TEST(probe_tells_facts_of_a_clip) {
    struct world world;
    world_start(&world, MED_RUNNER, false);
    put_clip(&world, "test/a", "a.mp4", "320x240", "30");
    struct cs_err err = {0};
    Callsheet__V1__ProbeReply *reply = NULL;
    assert_ok(world_probe(&world, "test/a", NULL, &reply, &err), &err);
    assert_int_equal(reply->facts->type, TYPE(VIDEO));
    assert_string_equal(reply->facts->video->codec, "h264");
    assert_int_equal(reply->facts->video->width, 320);
    assert_int_equal(reply->facts->video->height, 240);
    assert_int_equal(reply->facts->video->frame_rate->num, 30 * reply->facts->video->frame_rate->den);
    assert_string_equal(reply->facts->audio->codec, "aac");
    assert_int_equal(reply->facts->audio->sample_rate, 48000);
    cs_rpc_message_free((ProtobufCMessage *)reply);
    world_stop(&world);
}

TEST(what_is_not_media_is_said_so) {
    struct world world;
    world_start(&world, MED_RUNNER, false);
    world_put(&world, "test/text", "this is not a video, whatever its name");
    struct cs_err err = {0};
    Callsheet__V1__ProbeReply *reply = NULL;
    assert_int_equal(world_probe(&world, "test/text", NULL, &reply, &err), CS_INVALID_ARGUMENT);
    put_clip(&world, "test/a", "a.mp4", "320x240", "30");
    struct merge_job job;
    merge_init(&job, "test/a", "test/text");
    dialer_assign(world.dialer, "f1", &job.made.assign);
    const Callsheet__V1__Report *report = dialer_wait_final(world.dialer, "f1");
    assert_int_equal(report->report_case, CALLSHEET__V1__REPORT__REPORT_FAILED);
    assert_int_equal(report->failed->failure_class, CLASS(INVALID_INPUT));
    world_stop(&world);
}

TEST(cancel_in_mid_render_ends_real_work) {
    struct world world;
    world_start(&world, MED_RUNNER, false);
    CS_AUTO_FREE char *path = cs_sprintf("%s/long.mp4", world.dir);
    CS_AUTO_FREE char *command =
        cs_sprintf("ffmpeg -nostdin -v error -y -f lavfi -i testsrc=size=640x360:rate=30:duration=60 "
                   "-c:v libx264 -preset ultrafast -pix_fmt yuv420p '%s'",
                   path);
    assert_int_equal(system(command), 0);
    world_put_file(&world, "test/long", path);
    Callsheet__V1__MediaRef video = ref_to(1);
    Callsheet__V1__Reframe reframe = CALLSHEET__V1__REFRAME__INIT;
    reframe.video = &video;
    reframe.aspect_ratio = (char *)"9:16";
    Callsheet__V1__Operation operation = CALLSHEET__V1__OPERATION__INIT;
    operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_REFRAME;
    operation.reframe = &reframe;
    struct world_assign made;
    world_assign_init(&made, &operation);
    world_add_key(&made, "test/long");
    dialer_assign(world.dialer, "f1", &made.assign);
    dialer_wait_stage(world.dialer, "f1", "rendering");
    dialer_cancel(world.dialer, "f1");
    const Callsheet__V1__Report *report = dialer_wait_final(world.dialer, "f1");
    assert_int_equal(report->report_case, CALLSHEET__V1__REPORT__REPORT_FAILED);
    assert_int_equal(report->failed->failure_class, CLASS(CANCELLED));
    assert_int_equal(world_child_count(world_runner_pid()), 0);
    world_stop(&world);
}

/* Each is refused cleanly, or read as what it is; none breaks the sandbox or the service. */
static void probe_all(struct world *world, const char *dir_path) {
    DIR *dir = opendir(dir_path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        CS_AUTO_FREE char *path = cs_sprintf("%s/%s", dir_path, entry->d_name);
        struct cs_err err = {0};
        Callsheet__V1__ProbeReply *reply = NULL;
        world_put_file(world, "test/hostile", path);
        enum cs_status status = world_probe(world, "test/hostile", NULL, &reply, &err);
        print_message("%s: %s %s\n", entry->d_name, cs_status_name(status), err.reason);
        if (status == CS_OK) {
            cs_rpc_message_free((ProtobufCMessage *)reply);
        } else {
            assert_int_equal(status, CS_INVALID_ARGUMENT);
            assert_string_not_equal(err.reason, "sandbox_violation");
        }
    }
    (void)closedir(dir);
}

TEST(hostile_and_broken_files_fail_cleanly) {
    const char *media = cs_conf_env("CALLSHEET_TEST_MEDIA");
    if (media == NULL) {
        print_message("skipped: CALLSHEET_TEST_MEDIA names no directory of real media\n");
        skip();
    }
    struct world world;
    world_start(&world, MED_RUNNER, false);
    CS_AUTO_FREE char *hostile = cs_sprintf("%s/hostile", media);
    CS_AUTO_FREE char *broken = cs_sprintf("%s/broken", media);
    probe_all(&world, hostile);
    probe_all(&world, broken);
    world_stop(&world);
}

TEST_MAIN(CS_TEST(merge_makes_one_video_of_two), CS_TEST(every_operation_works_inside_the_sandbox),
          CS_TEST(probe_tells_facts_of_a_clip), CS_TEST(what_is_not_media_is_said_so),
          CS_TEST(cancel_in_mid_render_ends_real_work), CS_TEST(hostile_and_broken_files_fail_cleanly))
