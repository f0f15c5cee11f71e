#include "world.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "cs/test.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void keep_line(const char *line, void *ctx) {
    (void)pthread_mutex_lock(&log_lock);
    cs_buf_puts(ctx, line);
    cs_buf_putc(ctx, '\n');
    (void)pthread_mutex_unlock(&log_lock);
}

/* ---- life ---- */

void world_init(struct world *world) {
    struct cs_err err = {0};
    *world = (struct world){0};
    cs_test_dir_create(&world->dir);
    (void)snprintf(world->storage_dir, sizeof(world->storage_dir), "%s/storage", world->dir.path);
    (void)snprintf(world->scratch_dir, sizeof(world->scratch_dir), "%s/scratch", world->dir.path);
    (void)snprintf(world->ledger_dir, sizeof(world->ledger_dir), "%s/ledger", world->dir.path);
    world->config = (struct prv_config){
        .gpl_encoders = true,
        .listen = "127.0.0.1:0",
        .ready_fd = -1,
        .log_level = "info",
        .drain_timeout_ms = 200,
        .service_token = "",
        .storage = world->storage_dir,
        .scratch_dir = world->scratch_dir,
        .local_ledger = world->ledger_dir,
        .runner = PRV_RUNNER,
        .slots = 16,
        .replicate_url = "http://127.0.0.1:9",
        .replicate_token = "",
    };
    assert_ok(cs_storage_open(world->storage_dir, &world->storage, &err), &err);
}

void world_serve(struct world *world) {
    struct cs_err err = {0};
    cs_log_capture(keep_line, &world->log);
    assert_ok(prv_app_create(&world->config, &world->app, &err), &err);
    world->dialer = dialer_open(prv_app_address(world->app), "");
}

void world_spawn(struct world *world) {
    const char *arguments[] = {"--storage",        world->storage_dir, "--scratch-dir",
                               world->scratch_dir, "--local-ledger",   world->ledger_dir,
                               "--runner",         PRV_RUNNER,         NULL};
    cs_test_program_start(&world->program, "callsheet-providers", arguments, NULL, CS_TEST_READY_FD);
    world->dialer = dialer_open(world->program.address, "");
}

void world_kill(struct world *world) {
    cs_test_program_kill(&world->program);
    dialer_close(world->dialer);
    world->dialer = NULL;
    cs_test_program_fini(&world->program);
    world->program = (struct cs_test_program){0};
}

void world_fini(struct world *world) {
    dialer_close(world->dialer);
    prv_app_destroy(world->app);
    cs_log_capture(NULL, NULL);
    cs_test_program_fini(&world->program);
    cs_storage_close(world->storage);
    cs_buf_fini(&world->log);
    cs_test_dir_remove(&world->dir);
}

/* ---- looking ---- */

size_t world_count_log(struct world *world, const char *text) {
    size_t count = 0;
    (void)pthread_mutex_lock(&log_lock);
    for (const char *at = world->log.data; at != NULL && (at = strstr(at, text)) != NULL; at++) {
        count++;
    }
    (void)pthread_mutex_unlock(&log_lock);
    return count;
}

static void for_predictions(struct world *world, size_t *ret_count, size_t *ret_begun) {
    char path[700];
    (void)snprintf(path, sizeof(path), "%s/predictions", world->ledger_dir);
    DIR *dir = opendir(path);
    const struct dirent *entry = NULL;
    *ret_count = 0;
    *ret_begun = 0;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct stat facts;
        if (entry->d_name[0] == '.') {
            continue;
        }
        ++*ret_count;
        (void)snprintf(path, sizeof(path), "%s/predictions/%s/begun", world->ledger_dir, entry->d_name);
        *ret_begun += stat(path, &facts) == 0 ? (size_t)facts.st_size : 0;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
}

size_t world_predictions(struct world *world) {
    size_t count = 0;
    size_t begun = 0;
    for_predictions(world, &count, &begun);
    return count;
}

size_t world_renderings(struct world *world) {
    size_t count = 0;
    size_t begun = 0;
    for_predictions(world, &count, &begun);
    return begun;
}

const Callsheet__V1__Failed *world_failure(struct world *world, const char *fence) {
    const Callsheet__V1__Report *report = dialer_wait_final(world->dialer, fence);
    assert_int_equal(report->report_case, CALLSHEET__V1__REPORT__REPORT_FAILED);
    return report->failed;
}

const Callsheet__V1__Artifact *world_artifact(struct world *world, const char *fence) {
    const Callsheet__V1__Report *report = dialer_wait_final(world->dialer, fence);
    if (report->report_case == CALLSHEET__V1__REPORT__REPORT_FAILED) {
        fail_msg("%s: %s", report->failed->code, report->failed->message);
    }
    assert_int_equal(report->succeeded->n_outputs, 1);
    return report->succeeded->outputs[0];
}

bool checkpoint_says(const Callsheet__V1__Checkpoint *checkpoint, const char *phase) {
    char wanted[64];
    (void)snprintf(wanted, sizeof(wanted), "\"phase\":\"%s\"", phase);
    return memmem(checkpoint->data.data, checkpoint->data.len, wanted, strlen(wanted)) != NULL;
}

/* ---- orders ---- */

static void order_init(struct order *order, const char *job, uint32_t attempt) {
    callsheet__v1__assign__init(&order->assign);
    callsheet__v1__operation__init(&order->operation);
    (void)snprintf(order->prefix, sizeof(order->prefix), "test/t1/e1/%s/%u/", job, attempt);
    order->assign.tenant = (char *)"t1";
    order->assign.execution = (char *)"e1";
    order->assign.job = (char *)job;
    order->assign.attempt = attempt;
    order->assign.deadline_ms = cs_clock_unix_ms() + 120000;
    order->assign.operation = &order->operation;
    order->assign.output_prefix = order->prefix;
    order->assign.traceparent = (char *)"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
}

void order_video(struct order *order, const char *provider, const char *job, uint32_t attempt, double seconds) {
    order_init(order, job, attempt);
    callsheet__v1__generate_video__init(&order->video);
    google__protobuf__double_value__init(&order->duration);
    order->duration.value = seconds;
    order->video.prompt = (char *)"a fox runs";
    order->video.provider = (char *)provider;
    order->video.resolution = (char *)"480p";
    order->video.duration = &order->duration;
    order->operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_GENERATE_VIDEO;
    order->operation.generate_video = &order->video;
}

void order_image(struct order *order, const char *provider, const char *job) {
    order_init(order, job, 1);
    callsheet__v1__generate_image__init(&order->image);
    order->image.prompt = (char *)"a still fox";
    order->image.provider = (char *)provider;
    order->operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_GENERATE_IMAGE;
    order->operation.generate_image = &order->image;
}

void order_audio(struct order *order, const char *provider, const char *job) {
    order_init(order, job, 1);
    callsheet__v1__generate_audio__init(&order->audio);
    order->audio.text = (char *)"hello there";
    order->audio.provider = (char *)provider;
    order->operation.params_case = CALLSHEET__V1__OPERATION__PARAMS_GENERATE_AUDIO;
    order->operation.generate_audio = &order->audio;
}

void order_checkpoint(struct order *order, const Callsheet__V1__Checkpoint *checkpoint) {
    order->assign.checkpoint = checkpoint->data;
}

void order_image_input(struct order *order, const char *key, const char *url) {
    callsheet__v1__media_ref__init(&order->ref);
    callsheet__v1__resolved_input__init(&order->input);
    callsheet__v1__artifact__init(&order->artifact);
    order->ref.source_case = CALLSHEET__V1__MEDIA_REF__SOURCE_JOB;
    order->ref.job = (char *)"earlier";
    order->ref.input = 1;
    order->video.start_image = &order->ref;
    if (key != NULL) {
        order->artifact.key = (char *)key;
        order->artifact.content_type = (char *)"image/png";
        order->input.source_case = CALLSHEET__V1__RESOLVED_INPUT__SOURCE_ARTIFACT;
        order->input.artifact = &order->artifact;
    } else {
        order->input.source_case = CALLSHEET__V1__RESOLVED_INPUT__SOURCE_URL;
        order->input.url = (char *)url;
    }
    order->inputs[0] = &order->input;
    order->assign.inputs = order->inputs;
    order->assign.n_inputs = 1;
}
