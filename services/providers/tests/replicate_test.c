/* COVERS engine/http_transport.c and the engine's ways through a provider that fails: Replicate, played by a peer that
 * counts what it would have billed. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cs/base/text.h"
#include "cs/json.h"
#include "cs/test.h"
#include "domain/failure.h"
#include "peer.h"
#include "world.h"

enum { BILLED_MAX = 16 };

struct emulator {
    struct peer *peer;
    char *output; /* the picture that it "generates" */
    size_t output_size;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* below: guarded by lock */
    int billed;
    int posts;
    int lists;
    int cancels;
    json_t *predictions[BILLED_MAX];
};

/* ---- the emulator ---- */

static void reply_json(struct peer_conn *conn, int status, const char *headers, const json_t *value) {
    CS_AUTO_FREE char *text = json_dumps(value, JSON_COMPACT);
    peer_reply(conn, status, headers, text);
}

static const char *prompt_of(const json_t *prediction) {
    const char *prompt = json_string_value(json_object_get(json_object_get(prediction, "input"), "prompt"));
    return prompt != NULL ? prompt : "";
}

static json_t *create(struct emulator *emulator, json_t *request) {
    char created[32];
    char id[16];
    time_t now = time(NULL);
    struct tm when;
    (void)strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%S.000Z", gmtime_r(&now, &when));
    (void)pthread_mutex_lock(&emulator->lock);
    int number = emulator->billed++;
    (void)snprintf(id, sizeof(id), "p%d", number);
    json_t *prediction = json_pack("{s:s, s:O, s:O, s:s, s:s, s:b, s:n}", "id", id, "model",
                                   json_object_get(request, "version"), "input", json_object_get(request, "input"),
                                   "status", "starting", "created_at", created, "data_removed", 0, "output");
    emulator->predictions[number % BILLED_MAX] = prediction;
    (void)pthread_mutex_unlock(&emulator->lock);
    return prediction;
}

static bool answer_create(struct emulator *emulator, struct peer_conn *conn, const struct peer_request *request) {
    json_t *body = json_loadb(request->body, request->body_size, 0, NULL);
    const char *prompt = prompt_of(body);
    bool more = true;
    if (strcmp(prompt, "throttle") == 0) {
        peer_reply(conn, 429, "Retry-After: 30\r\n", "{\"detail\":\"Request was throttled.\"}");
    } else if (strcmp(prompt, "unpaid") == 0) {
        peer_reply(conn, 402, "", "{\"detail\":\"Insufficient credit\"}");
    } else if (strcmp(prompt, "cut before") == 0) {
        peer_reset(conn);
        more = false;
    } else if (strcmp(prompt, "cut after") == 0) {
        (void)create(emulator, body);
        peer_reset(conn);
        more = false;
    } else if (strcmp(prompt, "broken") == 0) {
        (void)create(emulator, body);
        peer_reply(conn, 500, "", "oops");
    } else {
        reply_json(conn, 201, "", create(emulator, body));
    }
    json_decref(body);
    return more;
}

static void answer_list(struct emulator *emulator, struct peer_conn *conn) {
    (void)pthread_mutex_lock(&emulator->lock);
    json_t *results = json_array();
    for (int i = emulator->billed - 1; i >= 0; i--) {
        (void)json_array_append(results, emulator->predictions[i]);
    }
    emulator->lists++;
    (void)pthread_cond_broadcast(&emulator->changed);
    (void)pthread_mutex_unlock(&emulator->lock);
    json_t *page = json_pack("{s:n, s:n, s:o}", "next", "previous", "results", results);
    reply_json(conn, 200, "", page);
    json_decref(page);
}

static void answer_get(struct emulator *emulator, struct peer_conn *conn, int number) {
    char url[256];
    (void)pthread_mutex_lock(&emulator->lock);
    json_t *prediction =
        number >= 0 && number < emulator->billed ? json_deep_copy(emulator->predictions[number]) : NULL;
    (void)pthread_mutex_unlock(&emulator->lock);
    const char *prompt = prompt_of(prediction);
    if (prediction == NULL) {
        peer_reply(conn, 404, "", "{\"detail\":\"not found\"}");
        return;
    }
    if (strcmp(prompt, "slow") == 0) {
        (void)json_object_set_new(prediction, "status", json_string("processing"));
    } else if (strcmp(prompt, "fails") == 0 || strcmp(prompt, "nsfw") == 0) {
        (void)json_object_set_new(prediction, "status", json_string("failed"));
        (void)json_object_set_new(prediction, "error",
                                  json_string(prompt[0] == 'n' ? "NSFW content detected" : "CUDA out of memory"));
    } else {
        const char *path = strcmp(prompt, "gone") == 0   ? "/gone.png"
                           : strcmp(prompt, "junk") == 0 ? "/junk.png"
                                                         : "/out.png";
        const char *output =
            strcmp(prompt, "elsewhere") == 0 ? "https://evil.example/out.png" : peer_url(emulator->peer, path, url);
        (void)json_object_set_new(prediction, "status", json_string("succeeded"));
        (void)json_object_set_new(prediction, "output", json_pack("[s]", output));
    }
    reply_json(conn, 200, "", prediction);
    json_decref(prediction);
}

static void count(struct emulator *emulator, int *number) {
    (void)pthread_mutex_lock(&emulator->lock);
    ++*number;
    (void)pthread_cond_broadcast(&emulator->changed);
    (void)pthread_mutex_unlock(&emulator->lock);
}

static bool emulate(struct peer_conn *conn, const struct peer_request *request, void *ctx) {
    struct emulator *emulator = ctx;
    char value[64];
    bool api = strncmp(request->path, "/v1/", 4) == 0;
    bool post = strcmp(request->method, "POST") == 0;
    bool authorized = strcmp(peer_header(request, "authorization", value, sizeof(value)), "Bearer r8_test") == 0;
    if (api != authorized) { /* the token goes to the API, and never to where outputs are */
        peer_reply(conn, 401, "", "{\"detail\":\"authorization\"}");
    } else if (strcmp(request->path, "/out.png") == 0) {
        char *head = cs_sprintf("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %zu\r\n\r\n",
                                emulator->output_size);
        peer_send(conn, head, strlen(head));
        peer_send(conn, emulator->output, emulator->output_size);
        free(head);
    } else if (strcmp(request->path, "/junk.png") == 0) {
        peer_reply(conn, 200, "Content-Type: image/png\r\n", "this is no picture");
    } else if (api && strcmp(request->path, "/v1/predictions") == 0) {
        if (post) {
            count(emulator, &emulator->posts);
            return answer_create(emulator, conn, request);
        }
        answer_list(emulator, conn);
    } else if (api && post && cs_str_ends(request->path, "/cancel")) {
        count(emulator, &emulator->cancels);
        peer_reply(conn, 200, "", "{}");
    } else if (api) {
        int number = -1;
        (void)sscanf(request->path, "/v1/predictions/p%d", &number);
        answer_get(emulator, conn, number);
    } else {
        peer_reply(conn, 404, "", "");
    }
    return true;
}

static int read_count(struct emulator *emulator, const int *number) {
    (void)pthread_mutex_lock(&emulator->lock);
    int value = *number;
    (void)pthread_mutex_unlock(&emulator->lock);
    return value;
}

static void wait_count(struct emulator *emulator, const int *number, int wanted) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DIALER_PATIENCE_S;
    (void)pthread_mutex_lock(&emulator->lock);
    int code = 0;
    while (*number < wanted && code == 0) {
        code = pthread_cond_timedwait(&emulator->changed, &emulator->lock, &until);
    }
    (void)pthread_mutex_unlock(&emulator->lock);
    assert_int_equal(code, 0);
}

/* ---- the world with it ---- */

struct scene {
    struct world world;
    struct emulator emulator;
    struct order order;
    char base_url[256];
};

/* A real picture, by the local provider. */
static void make_output(struct scene *scene) {
    order_image(&scene->order, "local", "output");
    dialer_assign(scene->world.dialer, "output", &scene->order.assign);
    const Callsheet__V1__Artifact *artifact = world_artifact(&scene->world, "output");
    struct cs_err err = {0};
    scene->emulator.output_size = (size_t)artifact->size_bytes;
    scene->emulator.output = cs_alloc(scene->emulator.output_size);
    assert_ok(cs_storage_get_range(scene->world.storage, artifact->key, 0, scene->emulator.output_size,
                                   scene->emulator.output, &err),
              &err);
}

static void scene_start(struct scene *scene) {
    *scene = (struct scene){.emulator = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}};
    scene->emulator.peer = peer_start(emulate, &scene->emulator);
    world_init(&scene->world);
    scene->world.config.replicate_url = peer_url(scene->emulator.peer, "/v1", scene->base_url);
    scene->world.config.replicate_token = "r8_test";
    scene->world.config.allow_private_targets = true;
    world_serve(&scene->world);
    make_output(scene);
}

static void scene_stop(struct scene *scene) {
    world_fini(&scene->world);
    peer_stop(scene->emulator.peer);
    for (int i = 0; i < scene->emulator.billed; i++) {
        json_decref(scene->emulator.predictions[i]);
    }
    free(scene->emulator.output);
}

static void ask(struct scene *scene, const char *fence, const char *prompt) {
    order_image(&scene->order, "replicate", fence);
    scene->order.image.prompt = (char *)prompt;
    dialer_assign(scene->world.dialer, fence, &scene->order.assign);
}

/* ---- tests ---- */

TEST(sy_072_a_picture_of_replicate_is_fetched_probed_and_stored) {
    struct scene scene;
    scene_start(&scene);
    ask(&scene, "f1", "ok");
    const Callsheet__V1__Artifact *artifact = world_artifact(&scene.world, "f1");
    assert_int_equal(artifact->size_bytes, scene.emulator.output_size);
    assert_string_equal(artifact->content_type, "image/png");
    assert_int_equal(scene.emulator.billed, 1);
    assert_int_equal(world_count_log(&scene.world, "\"provider submit\""), 2); /* and the local one */
    assert_int_equal(world_count_log(&scene.world, "r8_test"), 0);
    scene_stop(&scene);
}

TEST(e4_a_cut_answer_is_reconciled_and_billed_once) {
    struct scene scene;
    scene_start(&scene);
    ask(&scene, "f1", "cut after");
    (void)world_artifact(&scene.world, "f1");
    ask(&scene, "f2", "broken");
    (void)world_artifact(&scene.world, "f2");
    assert_int_equal(scene.emulator.billed, 2);
    assert_int_equal(scene.emulator.posts, 2);
    assert_int_equal(world_count_log(&scene.world, "provider knew the submission"), 2);
    scene_stop(&scene);
}

TEST(a_submission_that_does_not_turn_up_is_looked_for_and_not_repeated_at_once) {
    struct scene scene;
    scene_start(&scene);
    ask(&scene, "f1", "cut before");
    wait_count(&scene.emulator, &scene.emulator.lists, 2);
    assert_int_equal(read_count(&scene.emulator, &scene.emulator.posts), 1);
    dialer_cancel(scene.world.dialer, "f1");
    assert_int_equal(world_failure(&scene.world, "f1")->failure_class, PRV_CLASS(CANCELLED));
    scene_stop(&scene);
}

TEST(an_open_intent_of_an_earlier_attempt_is_looked_for_first) {
    struct scene scene;
    scene_start(&scene);
    dialer_hold_checkpoints(scene.world.dialer, true);
    ask(&scene, "f1", "ok");
    const Callsheet__V1__Checkpoint *intent = dialer_wait_checkpoint(scene.world.dialer, "f1", 1);
    CS_AUTO_BUF kept = {0};
    cs_buf_put(&kept, intent->data.data, intent->data.len);
    dialer_save(scene.world.dialer, "f1", intent->sequence);
    (void)dialer_wait_checkpoint(scene.world.dialer, "f1", 2); /* submitted, and that is never saved */
    dialer_close(scene.world.dialer);
    scene.world.dialer = dialer_open(prv_app_address(scene.world.app), "");
    order_image(&scene.order, "replicate", "f1");
    scene.order.image.prompt = (char *)"ok";
    scene.order.assign.checkpoint = (ProtobufCBinaryData){.len = kept.size, .data = (uint8_t *)kept.data};
    dialer_assign(scene.world.dialer, "f2", &scene.order.assign);
    (void)world_artifact(&scene.world, "f2");
    assert_int_equal(scene.emulator.billed, 1);
    scene_stop(&scene);
}

TEST(refusals_and_failures_have_their_class) {
    static const struct {
        const char *prompt;
        Callsheet__V1__FailureClass failure_class;
        const char *code;
        int64_t retry_after_ms;
    } rows[] = {
        {"throttle", PRV_CLASS(RATE_LIMITED), "rate_limited", 30000},
        {"unpaid", PRV_CLASS(BILLING), "provider_billing", 0},
        {"fails", PRV_CLASS(INTERNAL), "prediction_failed", 0},
        {"nsfw", PRV_CLASS(CONTENT_REJECTED), "content_rejected", 0},
        {"gone", PRV_CLASS(TRANSIENT), "output_lost", 0},
        {"junk", PRV_CLASS(TRANSIENT), "output_invalid", 0},
        {"elsewhere", PRV_CLASS(INTERNAL), "output_host", 0},
    };
    struct scene scene;
    scene_start(&scene);
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        ask(&scene, rows[i].prompt, rows[i].prompt);
    }
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        const Callsheet__V1__Failed *failed = world_failure(&scene.world, rows[i].prompt);
        assert_string_equal(failed->code, rows[i].code);
        assert_int_equal(failed->failure_class, rows[i].failure_class);
        assert_int_equal(failed->retry_after_ms, rows[i].retry_after_ms);
    }
    assert_int_equal(scene.emulator.billed, 5);
    scene_stop(&scene);
}

TEST(a_lost_output_is_asked_for_again_and_not_paid_again) {
    struct scene scene;
    scene_start(&scene);
    ask(&scene, "f1", "gone");
    assert_string_equal(world_failure(&scene.world, "f1")->code, "output_lost");
    const Callsheet__V1__Checkpoint *last = dialer_wait_checkpoint(scene.world.dialer, "f1", 2);
    assert_true(checkpoint_says(last, "submitted"));
    order_image(&scene.order, "replicate", "f1");
    order_checkpoint(&scene.order, last);
    dialer_assign(scene.world.dialer, "f2", &scene.order.assign);
    assert_string_equal(world_failure(&scene.world, "f2")->code, "output_lost");
    assert_int_equal(scene.emulator.billed, 1);
    scene_stop(&scene);
}

TEST(an_unreachable_provider_has_taken_nothing) {
    struct world world;
    struct order order;
    world_init(&world);
    world.config.replicate_token = "r8_test"; /* nobody listens at its URL */
    world_serve(&world);
    order_image(&order, "replicate", "i");
    dialer_assign(world.dialer, "f1", &order.assign);
    assert_string_equal(world_failure(&world, "f1")->code, "connect_failed");
    assert_int_equal(world_failure(&world, "f1")->failure_class, PRV_CLASS(TRANSIENT));
    assert_true(checkpoint_says(dialer_wait_checkpoint(world.dialer, "f1", 2), "closed"));
    world_fini(&world);
}

TEST(a_cancelled_job_is_cancelled_at_replicate) {
    struct scene scene;
    scene_start(&scene);
    ask(&scene, "f1", "slow");
    (void)dialer_wait_checkpoint(scene.world.dialer, "f1", 2);
    dialer_wait_stage(scene.world.dialer, "f1", "rendering");
    dialer_cancel(scene.world.dialer, "f1");
    assert_int_equal(world_failure(&scene.world, "f1")->failure_class, PRV_CLASS(CANCELLED));
    assert_int_equal(scene.emulator.cancels, 1);
    scene_stop(&scene);
}

TEST_MAIN(CS_TEST(sy_072_a_picture_of_replicate_is_fetched_probed_and_stored),
          CS_TEST(e4_a_cut_answer_is_reconciled_and_billed_once),
          CS_TEST(a_submission_that_does_not_turn_up_is_looked_for_and_not_repeated_at_once),
          CS_TEST(an_open_intent_of_an_earlier_attempt_is_looked_for_first),
          CS_TEST(refusals_and_failures_have_their_class), CS_TEST(a_lost_output_is_asked_for_again_and_not_paid_again),
          CS_TEST(an_unreachable_provider_has_taken_nothing), CS_TEST(a_cancelled_job_is_cancelled_at_replicate))
