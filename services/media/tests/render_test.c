/* The service with the real runner on real media: jobs from assignment to artifact, facts, and hostile files in the
 * sandbox. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/json.h"
#include "cs/test.h"
#include "world.h"

#define CLASS(word) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##word
#define TYPE(word) CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_##word

/* Two seconds of a test picture with a tone, by the ffmpeg program. */
static char *make_clip(const struct world *world, const char *name, const char *size, const char *rate) {
    char *path = cs_sprintf("%s/%s", world->dir, name);
    bool still = cs_str_ends(name, ".png");
    CS_AUTO_FREE char *command =
        still ? cs_sprintf("ffmpeg -nostdin -v error -y -f lavfi -i testsrc=size=%s:rate=%s -frames:v 1 '%s'", size,
                           rate, path)
              : cs_sprintf("ffmpeg -nostdin -v error -y -f lavfi -i testsrc=size=%s:rate=%s:duration=2 "
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

static Callsheet__V1__Operation *read_operation(const char *text, struct cs_arena *arena) {
    CS_AUTO_JSON *value = NULL;
    ProtobufCMessage *operation = NULL;
    struct cs_err err = {0};
    assert_ok(cs_json_parse(text, strlen(text), &value, &err), &err);
    assert_ok(cs_json_to_message(value, &callsheet__v1__operation__descriptor, "", arena, &operation, &err), &err);
    return (Callsheet__V1__Operation *)operation;
}

TEST(what_a_package_does_not_need_is_not_stored) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct world world;
    struct world_assign made;
    static const char *const names[] = {"master.m3u8",   "manifest.mpd",   "video_240.mp4", "video_240.m3u8",
                                        "video_120.mp4", "video_120.m3u8", "audio.mp4",     "audio.m3u8"};
    static const char *const types[] = {"application/vnd.apple.mpegurl",
                                        "application/dash+xml",
                                        "video/mp4",
                                        "application/vnd.apple.mpegurl",
                                        "video/mp4",
                                        "application/vnd.apple.mpegurl",
                                        "video/mp4",
                                        "application/vnd.apple.mpegurl"};
    world_start(&world, MED_RUNNER, false);
    put_clip(&world, "test/a", "a.mp4", "320x240", "30");
    world_assign_init(&made, read_operation("{\"package\":{\"video\":{\"input\":1},\"rungs\":[{\"height\":480},{"
                                            "\"height\":240},{\"height\":120}]}}",
                                            arena));
    world_add_key(&made, "test/a");
    dialer_assign(world.dialer, "f1", &made.assign);
    const Callsheet__V1__Report *report = dialer_wait_final(world.dialer, "f1");
    if (report->report_case == CALLSHEET__V1__REPORT__REPORT_FAILED) {
        fail_msg("%s: %s", report->failed->code, report->failed->message);
    }
    assert_int_equal(report->succeeded->n_outputs, CS_COUNT(names));
    for (size_t i = 0; i < CS_COUNT(names); i++) {
        const Callsheet__V1__Artifact *artifact = report->succeeded->outputs[i];
        assert_string_equal(artifact->name, names[i]);
        assert_string_equal(artifact->content_type, types[i]);
        assert_true(artifact->size_bytes > 0);
    }
    assert_int_equal(report->succeeded->outputs[0]->type, TYPE(STREAM));
    assert_int_equal(report->succeeded->outputs[2]->quality->frame_count, 60);
    assert_null(report->succeeded->outputs[1]->quality);
    world_stop(&world);
}

/* Its inputs are the clip, so often, then a plan of cuts, a transcript and a picture. */
enum { CLIPS = 2, PLAN = CLIPS + 1, WORDS, PICTURE };

static const char *const everything[] = {
    "{\"merge\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":5}}]}}",
    "{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"9:16\"}}",
    "{\"reframe\":{\"video\":{\"input\":1},\"aspectRatio\":\"9:16\",\"mode\":\"smart\"}}",
    "{\"lipSync\":{\"video\":{\"input\":1},\"audio\":{\"input\":2}}}",
    "{\"addSubtitles\":{\"video\":{\"input\":1},\"text\":\"Gr\xC3\xB6\xC3\x9F\x65 \xD0\x9F\xD1\x80\xD0\xB8 "
    "\xE6\xBC\xA2\xE5\xAD\x97\"}}",
    "{\"addSubtitles\":{\"video\":{\"input\":1},\"transcript\":{\"input\":4},\"mode\":\"soft\"}}",
    "{\"extractAudio\":{\"media\":{\"input\":1}}}",
    "{\"transcribe\":{\"media\":{\"input\":1}}}",
    "{\"planCuts\":{\"transcript\":{\"input\":4},\"media\":{\"input\":1}}}",
    "{\"cut\":{\"video\":{\"input\":1},\"plan\":{\"input\":3}}}",
    "{\"retimeSubtitles\":{\"transcript\":{\"input\":4},\"plan\":{\"input\":3}}}",
    "{\"brand\":{\"video\":{\"input\":1},\"outro\":{\"input\":2},\"logo\":{\"input\":5}}}",
    "{\"trim\":{\"video\":{\"input\":1},\"start\":0.5,\"end\":1.5}}",
    "{\"transitions\":{\"items\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}]}}",
    "{\"mixAudio\":{\"video\":{\"input\":1},\"tracks\":[{\"audio\":{\"input\":2}}]}}",
    "{\"loudness\":{\"video\":{\"input\":1}}}",
    "{\"layer\":{\"layers\":[{\"media\":{\"input\":1},\"main\":true},{\"media\":{\"input\":5}}]}"
    "}",
    "{\"replaceGreenScreen\":{\"video\":{\"input\":1},\"background\":[{\"input\":5}]}}",
    "{\"overlayText\":{\"video\":{\"input\":1},\"texts\":[{\"text\":\"hello\"}]}}",
    "{\"speed\":{\"video\":{\"input\":1},\"factor\":2}}",
    "{\"reverse\":{\"video\":{\"input\":1}}}",
    "{\"freeze\":{\"video\":{\"input\":1},\"at\":1,\"duration\":0.5}}",
    "{\"thumbnail\":{\"video\":{\"input\":1},\"mode\":\"sprite\",\"columns\":2,\"rows\":2}}",
    "{\"gif\":{\"video\":{\"input\":1},\"duration\":0.5}}",
    "{\"gif\":{\"video\":{\"input\":1},\"duration\":0.5,\"format\":\"webp\"}}",
    "{\"convert\":{\"video\":{\"input\":1}}}",
    "{\"convert\":{\"video\":{\"input\":1},\"videoCodec\":\"hevc\"}}",
    "{\"convert\":{\"video\":{\"input\":1},\"container\":\"webm\"}}",
    "{\"convert\":{\"video\":{\"input\":1},\"videoCodec\":\"av1\"}}",
    "{\"convert\":{\"video\":{\"input\":1},\"videoCodec\":\"av1\",\"encoder\":\"libaom-av1\"}}",
    "{\"stitch\":{\"scenes\":[{\"media\":{\"input\":1}},{\"media\":{\"input\":2}}]}}",
    "{\"denoise\":{\"video\":{\"input\":1},\"sound\":\"medium\"}}",
    "{\"stabilise\":{\"video\":{\"input\":1}}}",
    "{\"package\":{\"video\":{\"input\":1},\"rungs\":[{\"height\":240},{\"height\":120}],\"transcript\":{\"input\":4}}"
    "}",
};

static void run_operation(struct world *world, size_t index, struct cs_arena *arena) {
    struct world_assign made;
    char fence[32];
    world_assign_init(&made, read_operation(everything[index], arena));
    (void)snprintf(fence, sizeof(fence), "f%zu", index);
    made.assign.output_prefix = cs_arena_sprintf(arena, "test/t1/e1/%s/1/", fence);
    for (size_t i = 0; i < CLIPS; i++) {
        world_add_key(&made, "test/a");
    }
    world_add_key(&made, "test/plan");
    world_add_key(&made, "test/words");
    world_add_key(&made, "test/picture");
    dialer_assign(world->dialer, fence, &made.assign);
    const Callsheet__V1__Report *report = dialer_wait_final(world->dialer, fence);
    if (report->report_case == CALLSHEET__V1__REPORT__REPORT_FAILED) {
        fail_msg("%s: %s: %s", everything[index], report->failed->code, report->failed->message);
    }
    assert_true(report->succeeded->n_outputs >= 1);
}

static bool is_tried(const char *name) {
    bool found = false;
    for (size_t i = 0; i < CS_COUNT(everything); i++) {
        found = found || strncmp(everything[i] + 2, name, strlen(name)) == 0;
    }
    return found;
}

TEST(every_operation_works_inside_the_sandbox) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct world world;
    world_start(&world, MED_RUNNER, false);
    put_clip(&world, "test/a", "a.mp4", "320x240", "30");
    put_clip(&world, "test/picture", "p.png", "64x64", "30");
    world_put(&world, "test/plan",
              "{\"cuts\":[{\"start\":0,\"end\":0.5,\"type\":\"keep\"},{\"start\":0.5,\"end\":1,"
              "\"type\":\"cut\"},{\"start\":1,\"end\":2,\"type\":\"keep\"}]}");
    world_put(&world, "test/words", "[{\"word\":\"one\",\"start\":0.1,\"end\":0.4}]");
    for (size_t i = 0; i < cs_catalog_count(); i++) {
        const struct cs_operation *operation = cs_catalog_at(i);
        if (operation->worker == CS_WORKER_MEDIA && !is_tried(operation->name)) {
            fail_msg("%s is not tried in the sandbox", operation->name);
        }
    }
    for (size_t i = 0; i < CS_COUNT(everything); i++) {
        run_operation(&world, i, arena);
    }
    world_stop(&world);
}

/* ---- several jobs in one run ---- */

/* Operations by what they are as JSON; the last is the job's own, the others are its steps. */
struct fused_job {
    Callsheet__V1__FusedStep steps[2];
    Callsheet__V1__FusedStep *step_list[2];
    struct world_assign made;
};

static void fuse(struct fused_job *job, const char *first, const char *second, const char *last,
                 struct cs_arena *arena) {
    const char *const steps[] = {first, second};
    world_assign_init(&job->made, read_operation(last, arena));
    for (size_t i = 0; i < CS_COUNT(steps); i++) {
        callsheet__v1__fused_step__init(&job->steps[i]);
        job->steps[i].job = cs_arena_sprintf(arena, "step%zu", i + 1);
        job->steps[i].attempt = 1;
        job->steps[i].operation = read_operation(steps[i], arena);
        job->step_list[i] = &job->steps[i];
    }
    job->made.assign.steps_before = job->step_list;
    job->made.assign.n_steps_before = CS_COUNT(steps);
    world_add_key(&job->made, "test/a");
}

static const char halve[] = "{\"speed\":{\"video\":{\"input\":1},\"factor\":2}}";
static const char doubled[] = "{\"merge\":{\"items\":[{\"media\":{\"step\":1}},{\"media\":{\"step\":1}}]}}";

static bool is_stored(struct world *world, const char *key) {
    struct cs_err err = {0};
    struct cs_object_info info;
    return cs_storage_stat(world->storage, key, &info, &err) == CS_OK;
}

TEST(steps_are_done_in_the_run_of_the_last_job_and_only_its_output_is_stored) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct world world;
    struct fused_job job;
    world_start(&world, MED_RUNNER, false);
    put_clip(&world, "test/a", "a.mp4", "320x240", "30");
    assert_true(dialer_hello(world.dialer)->fused_jobs >= 3);
    fuse(&job, halve, doubled, "{\"reframe\":{\"video\":{\"step\":2},\"aspectRatio\":\"1:1\"}}", arena);
    dialer_assign(world.dialer, "f1", &job.made.assign);
    const Callsheet__V1__Report *report = dialer_wait_final(world.dialer, "f1");
    if (report->report_case == CALLSHEET__V1__REPORT__REPORT_FAILED) {
        fail_msg("%s: %s", report->failed->code, report->failed->message);
    }
    const Callsheet__V1__Succeeded *succeeded = report->succeeded;
    assert_int_equal(succeeded->n_outputs, 1);
    assert_string_equal(succeeded->outputs[0]->key, "test/t1/e1/j1/1/reframed.mp4");
    assert_int_equal(succeeded->outputs[0]->facts->video->frame_count, 60);
    assert_int_equal(succeeded->outputs[0]->facts->video->width, succeeded->outputs[0]->facts->video->height);
    assert_int_equal(succeeded->n_steps_before, 2);
    assert_string_equal(succeeded->steps_before[1]->metrics[0]->name, "itemCount");
    assert_true(is_stored(&world, "test/t1/e1/j1/1/reframed.mp4"));
    assert_false(is_stored(&world, "test/t1/e1/j1/1/merged.mp4"));
    world_stop(&world);
}

TEST(what_ends_a_run_takes_what_its_steps_make) {
    static const struct {
        const char *last, *outputs[8];
    } cases[] = {
        {"{\"convert\":{\"video\":{\"step\":2},\"container\":\"mp4\",\"height\":120}}", {"output.mp4"}},
        {"{\"package\":{\"video\":{\"step\":2},\"rungs\":[{\"height\":120}],\"formats\":[\"hls\"]}}",
         {"master.m3u8", "video_120.mp4", "video_120.m3u8"}},
    };
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct world world;
    world_start(&world, MED_RUNNER, false);
    put_clip(&world, "test/a", "a.mp4", "320x240", "30");
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct fused_job job;
        const char *fence = cs_arena_sprintf(arena, "f%zu", i);
        fuse(&job, halve, doubled, cases[i].last, arena);
        dialer_assign(world.dialer, fence, &job.made.assign);
        const Callsheet__V1__Report *report = dialer_wait_final(world.dialer, fence);
        if (report->report_case == CALLSHEET__V1__REPORT__REPORT_FAILED) {
            fail_msg("%s: %s", report->failed->code, report->failed->message);
        }
        assert_int_equal(report->succeeded->n_steps_before, 2);
        assert_int_equal(report->succeeded->outputs[0]->facts->duration_us, 2000000);
        for (size_t n = 0; cases[i].outputs[n] != NULL; n++) {
            assert_string_equal(report->succeeded->outputs[n]->name, cases[i].outputs[n]);
            assert_true(is_stored(&world, report->succeeded->outputs[n]->key));
        }
    }
    world_stop(&world);
}

TEST(a_run_of_several_jobs_that_fails_tells_why_and_leaves_nothing) {
    static const struct {
        const char *second, *last, *code;
    } cases[] = {
        {"{\"trim\":{\"video\":{\"step\":1},\"keep\":[{\"start\":50,\"end\":60}]}}",
         "{\"reframe\":{\"video\":{\"step\":2},\"aspectRatio\":\"1:1\"}}", "nothing_left"},
        {doubled, "{\"reframe\":{\"video\":{\"step\":3},\"aspectRatio\":\"1:1\"}}", "no_input"},
        {doubled, "{\"planCuts\":{\"media\":{\"step\":2}}}", "not_fusible"},
    };
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct world world;
    world_start(&world, MED_RUNNER, false);
    put_clip(&world, "test/a", "a.mp4", "320x240", "30");
    for (size_t i = 0; i < CS_COUNT(cases); i++) {
        struct fused_job job;
        const char *fence = cs_arena_sprintf(arena, "f%zu", i);
        fuse(&job, halve, cases[i].second, cases[i].last, arena);
        dialer_assign(world.dialer, fence, &job.made.assign);
        const Callsheet__V1__Report *report = dialer_wait_final(world.dialer, fence);
        assert_int_equal(report->report_case, CALLSHEET__V1__REPORT__REPORT_FAILED);
        assert_string_equal(report->failed->code, cases[i].code);
        assert_int_equal(report->failed->failure_class, CLASS(INVALID_INPUT));
        assert_false(is_stored(&world, "test/t1/e1/j1/1/reframed.mp4"));
    }
    world_stop(&world);
}

/* ---- copies ---- */

TEST(hevc_is_copied_and_its_edges_are_encoded_inside_the_sandbox) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct world world;
    struct world_assign made;
    world_start(&world, MED_RUNNER, false);
    const char *path = cs_arena_sprintf(arena, "%s/hevc.mp4", world.dir);
    const char *command = cs_arena_sprintf(
        arena,
        "ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=s=160x90:r=25:d=5 -c:v libx265 -preset ultrafast "
        "-x265-params "
        "log-level=none:keyint=12:min-keyint=12:scenecut=0:open-gop=0 -pix_fmt yuv420p -tag:v hvc1 '%s'",
        path);
    assert_int_equal(system(command), 0);
    world_put_file(&world, "test/hevc", path);
    world_assign_init(&made, read_operation("{\"trim\":{\"video\":{\"input\":1},\"start\":0.2,\"end\":4.6}}", arena));
    world_add_key(&made, "test/hevc");
    dialer_assign(world.dialer, "f1", &made.assign);
    const Callsheet__V1__Report *report = dialer_wait_final(world.dialer, "f1");
    if (report->report_case == CALLSHEET__V1__REPORT__REPORT_FAILED) {
        fail_msg("%s: %s", report->failed->code, report->failed->message);
    }
    const Callsheet__V1__Artifact *artifact = report->succeeded->outputs[0];
    assert_string_equal(artifact->facts->video->codec, "hevc");
    assert_int_equal(artifact->facts->video->frame_count, 110);
    if (!(artifact->quality->copied_share > 0.5 && artifact->quality->copied_share < 1)) {
        fail_msg("copied: %g %s", artifact->quality->copied_share, artifact->quality->copy_reason);
    }
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

TEST_MAIN(CS_TEST(merge_makes_one_video_of_two), CS_TEST(what_a_package_does_not_need_is_not_stored),
          CS_TEST(every_operation_works_inside_the_sandbox),
          CS_TEST(steps_are_done_in_the_run_of_the_last_job_and_only_its_output_is_stored),
          CS_TEST(what_ends_a_run_takes_what_its_steps_make),
          CS_TEST(a_run_of_several_jobs_that_fails_tells_why_and_leaves_nothing),
          CS_TEST(hevc_is_copied_and_its_edges_are_encoded_inside_the_sandbox), CS_TEST(probe_tells_facts_of_a_clip),
          CS_TEST(what_is_not_media_is_said_so), CS_TEST(cancel_in_mid_render_ends_real_work),
          CS_TEST(hostile_and_broken_files_fail_cleanly))
