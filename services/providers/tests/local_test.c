/* COVERS app.c config.c adapters/local.c vendor/vendor.c engine/: the service in-process with the real runner. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "callsheet/v1/providers.pb-c.h"
#include "cs/base/text.h"
#include "cs/test.h"
#include "domain/failure.h"
#include "peer.h"
#include "world.h"

#define TYPE(word) CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_##word

TEST(sy_072_a_video_is_rendered_stored_and_paid_once) {
    struct world world;
    struct order order;
    world_init(&world);
    world_serve(&world);
    order_video(&order, "local", "v", 1, 1);
    dialer_assign(world.dialer, "f1", &order.assign);
    const Callsheet__V1__Artifact *artifact = world_artifact(&world, "f1");
    assert_string_equal(artifact->key, "test/t1/e1/v/1/output.mp4");
    assert_string_equal(artifact->name, "output.mp4");
    assert_string_equal(artifact->content_type, "video/mp4");
    assert_int_equal(artifact->type, TYPE(VIDEO));
    assert_int_equal(artifact->facts->video->height, 480);
    assert_true(artifact->facts->duration_us >= 950000 && artifact->facts->duration_us <= 1050000);
    struct cs_object_info info;
    struct cs_err err = {0};
    assert_ok(cs_storage_stat(world.storage, artifact->key, &info, &err), &err);
    assert_string_equal(info.sha256, artifact->sha256);
    assert_int_equal(info.size_bytes, artifact->size_bytes);
    assert_int_equal(world_predictions(&world), 1);
    assert_int_equal(world_renderings(&world), 1);
    assert_int_equal(world_count_log(&world, "\"provider submit\""), 1);
    assert_int_equal(world_count_log(&world, "0af7651916cd43dd8448eb211c80319c"), 2); /* submit, done */
    world_fini(&world);
}

TEST(sy_122_the_intent_is_durable_before_the_submission_and_the_id_before_the_poll) {
    struct world world;
    struct order order;
    world_init(&world);
    world_serve(&world);
    dialer_hold_checkpoints(world.dialer, true);
    order_video(&order, "local", "v", 1, 0.5);
    dialer_assign(world.dialer, "f1", &order.assign);
    const Callsheet__V1__Checkpoint *intent = dialer_wait_checkpoint(world.dialer, "f1", 1);
    assert_true(intent->ack_required);
    assert_true(checkpoint_says(intent, "intent"));
    assert_int_equal(world_predictions(&world), 0);
    dialer_save(world.dialer, "f1", intent->sequence);
    const Callsheet__V1__Checkpoint *submitted = dialer_wait_checkpoint(world.dialer, "f1", 2);
    assert_true(submitted->ack_required);
    assert_true(checkpoint_says(submitted, "submitted"));
    assert_int_equal(world_predictions(&world), 1);
    assert_int_equal(dialer_count(world.dialer, "f1", CALLSHEET__V1__REPORT__REPORT_SUCCEEDED), 0);
    dialer_save(world.dialer, "f1", submitted->sequence);
    (void)world_artifact(&world, "f1");
    world_fini(&world);
}

TEST(pictures_and_speech_are_what_they_claim) {
    struct world world;
    struct order order;
    world_init(&world);
    world_serve(&world);
    order_image(&order, "local", "i");
    dialer_assign(world.dialer, "f1", &order.assign);
    const Callsheet__V1__Artifact *picture = world_artifact(&world, "f1");
    assert_int_equal(picture->type, TYPE(IMAGE));
    assert_string_equal(picture->content_type, "image/png");
    order_image(&order, "local", "j");
    order.image.output_format = (char *)"jpg";
    dialer_assign(world.dialer, "f2", &order.assign);
    const Callsheet__V1__Artifact *jpeg = world_artifact(&world, "f2");
    assert_string_equal(jpeg->name, "output.jpg");
    assert_string_equal(jpeg->content_type, "image/jpeg");
    order_audio(&order, "local", "a");
    dialer_assign(world.dialer, "f3", &order.assign);
    const Callsheet__V1__Artifact *speech = world_artifact(&world, "f3");
    assert_int_equal(speech->type, TYPE(AUDIO));
    assert_string_equal(speech->content_type, "audio/mpeg");
    assert_true(speech->facts->duration_us > 100000);
    world_fini(&world);
}

TEST(an_earlier_output_is_the_start_of_the_next) {
    struct world world;
    struct order order;
    world_init(&world);
    world_serve(&world);
    order_image(&order, "local", "i");
    dialer_assign(world.dialer, "f1", &order.assign);
    char key[256];
    cs_str_copy(key, sizeof(key), world_artifact(&world, "f1")->key);
    order_video(&order, "local", "v", 1, 0.5);
    order_image_input(&order, key, NULL);
    dialer_assign(world.dialer, "f2", &order.assign);
    (void)world_artifact(&world, "f2");
    order_video(&order, "local", "w", 1, 0.5);
    order_image_input(&order, "test/t1/e1/gone/1/x.png", NULL);
    dialer_assign(world.dialer, "f3", &order.assign);
    assert_string_equal(world_failure(&world, "f3")->code, "input_not_found");
    assert_int_equal(world_failure(&world, "f3")->failure_class, PRV_CLASS(INVALID_INPUT));
    world_fini(&world);
}

static bool serve_input(struct peer_conn *conn, const struct peer_request *request, void *ctx) {
    (void)ctx;
    if (strcmp(request->path, "/hang") == 0) {
        peer_hang(conn);
        return false;
    }
    peer_reply(conn, strcmp(request->path, "/busy") == 0 ? 503 : 404, "Retry-After: 9\r\n", "");
    return true;
}

TEST(inputs_by_url_go_through_the_guard_and_their_failures_are_told) {
    struct world world;
    struct order order;
    char url[256];
    struct peer *peer = peer_start(serve_input, NULL);
    world_init(&world);
    world_serve(&world);
    order_video(&order, "local", "v", 1, 0.5);
    order_image_input(&order, NULL, peer_url(peer, "/x", url));
    dialer_assign(world.dialer, "f1", &order.assign);
    assert_string_equal(world_failure(&world, "f1")->code, "target_not_allowed");
    assert_int_equal(world_failure(&world, "f1")->failure_class, PRV_CLASS(INVALID_INPUT));
    assert_int_equal(peer_connections(peer), 0);
    world_fini(&world);

    world_init(&world);
    world.config.allow_private_targets = true;
    world_serve(&world);
    order_video(&order, "local", "v", 1, 0.5);
    order_image_input(&order, NULL, peer_url(peer, "/x", url));
    dialer_assign(world.dialer, "f1", &order.assign);
    assert_string_equal(world_failure(&world, "f1")->code, "http_404");
    order_image_input(&order, NULL, peer_url(peer, "/busy", url));
    dialer_assign(world.dialer, "f2", &order.assign);
    assert_int_equal(world_failure(&world, "f2")->failure_class, PRV_CLASS(TRANSIENT));
    assert_int_equal(world_failure(&world, "f2")->retry_after_ms, 9000);
    order_image_input(&order, NULL, peer_url(peer, "/hang", url));
    dialer_assign(world.dialer, "f3", &order.assign);
    assert_true(peer_wait_requests(peer, 3));
    dialer_cancel(world.dialer, "f3");
    assert_int_equal(world_failure(&world, "f3")->failure_class, PRV_CLASS(CANCELLED));
    assert_int_equal(world_predictions(&world), 0);
    world_fini(&world);
    peer_stop(peer);
}

TEST(sy_071_unknown_and_unconfigured_providers_are_told_apart) {
    struct world world;
    struct order order;
    world_init(&world);
    world_serve(&world);
    order_video(&order, "nobody", "a", 1, 1);
    dialer_assign(world.dialer, "f1", &order.assign);
    assert_string_equal(world_failure(&world, "f1")->code, "unknown_provider");
    assert_int_equal(world_failure(&world, "f1")->failure_class, PRV_CLASS(INVALID_INPUT));
    order_video(&order, "local", "b", 1, 1);
    order.video.model = (char *)"huge";
    dialer_assign(world.dialer, "f2", &order.assign);
    assert_string_equal(world_failure(&world, "f2")->code, "unknown_model");
    order_video(&order, "replicate", "c", 1, 1);
    dialer_assign(world.dialer, "f3", &order.assign);
    assert_string_equal(world_failure(&world, "f3")->code, "provider_not_configured");
    assert_int_equal(world_failure(&world, "f3")->failure_class, PRV_CLASS(AUTH));
    order_video(&order, "local", "d", 1, 1);
    order.assign.checkpoint = (ProtobufCBinaryData){.len = 3, .data = (uint8_t *)"???"};
    dialer_assign(world.dialer, "f4", &order.assign);
    assert_int_equal(world_failure(&world, "f4")->failure_class, PRV_CLASS(OUTCOME_UNKNOWN));
    assert_int_equal(world_predictions(&world), 0);
    world_fini(&world);
}

TEST(a_failed_prediction_is_closed_and_the_next_attempt_pays_anew) {
    struct world world;
    struct order order;
    world_init(&world);
    world_serve(&world);
    order_image(&order, "local", "i");
    order.image.output_format = (char *)"bmp"; /* the renderer refuses it */
    dialer_assign(world.dialer, "f1", &order.assign);
    assert_int_equal(world_failure(&world, "f1")->failure_class, PRV_CLASS(INVALID_INPUT));
    const Callsheet__V1__Checkpoint *closed = dialer_wait_checkpoint(world.dialer, "f1", 3);
    assert_true(checkpoint_says(closed, "closed"));
    order.image.output_format = (char *)"png";
    order_checkpoint(&order, closed);
    dialer_assign(world.dialer, "f2", &order.assign);
    (void)world_artifact(&world, "f2");
    assert_int_equal(world_predictions(&world), 2);
    world_fini(&world);
}

TEST(a_cancelled_job_cancels_its_prediction) {
    struct world world;
    struct order order;
    world_init(&world);
    world_serve(&world);
    order_video(&order, "local", "v", 1, 60);
    dialer_assign(world.dialer, "f1", &order.assign);
    dialer_wait_stage(world.dialer, "f1", "rendering");
    dialer_cancel(world.dialer, "f1");
    assert_int_equal(world_failure(&world, "f1")->failure_class, PRV_CLASS(CANCELLED));
    assert_true(checkpoint_says(dialer_wait_checkpoint(world.dialer, "f1", 3), "closed"));
    world_fini(&world);
}

TEST(a_lost_stream_leaves_the_prediction_and_the_next_attempt_finds_it) {
    struct world world;
    struct order order;
    uint8_t kept[4096];
    world_init(&world);
    world_serve(&world);
    order_video(&order, "local", "v", 1, 5);
    dialer_assign(world.dialer, "f1", &order.assign);
    dialer_wait_stage(world.dialer, "f1", "rendering");
    const Callsheet__V1__Checkpoint *submitted = dialer_wait_checkpoint(world.dialer, "f1", 2);
    memcpy(kept, submitted->data.data, submitted->data.len);
    ProtobufCBinaryData checkpoint = {.len = submitted->data.len, .data = kept};
    dialer_close(world.dialer);
    world.dialer = dialer_open(prv_app_address(world.app), "");
    order_video(&order, "local", "v", 2, 5);
    order.assign.checkpoint = checkpoint;
    dialer_assign(world.dialer, "f2", &order.assign);
    assert_string_equal(world_artifact(&world, "f2")->key, "test/t1/e1/v/2/output.mp4");
    assert_int_equal(world_predictions(&world), 1);
    assert_int_equal(world_renderings(&world), 1); /* it had gone on */
    assert_int_equal(world_count_log(&world, "\"provider submit\""), 1);
    world_fini(&world);
}

TEST(draining_leaves_the_prediction) {
    struct world world;
    struct order order;
    world_init(&world);
    world_serve(&world);
    order_video(&order, "local", "v", 1, 60);
    dialer_assign(world.dialer, "f1", &order.assign);
    dialer_wait_stage(world.dialer, "f1", "rendering");
    prv_app_drain(world.app);
    assert_string_equal(world_failure(&world, "f1")->code, "draining");
    assert_int_equal(dialer_count(world.dialer, "f1", CALLSHEET__V1__REPORT__REPORT_CHECKPOINT), 2); /* not closed */
    world_fini(&world);
}

TEST(more_predictions_than_slots_wait_their_turn) {
    struct world world;
    struct order order;
    char fence[16];
    char job[16];
    world_init(&world);
    world.config.local_slots = 1;
    world_serve(&world);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(fence, sizeof(fence), "f%d", i);
        (void)snprintf(job, sizeof(job), "j%d", i);
        order_image(&order, "local", job);
        dialer_assign(world.dialer, fence, &order.assign);
    }
    for (int i = 0; i < 4; i++) {
        (void)snprintf(fence, sizeof(fence), "f%d", i);
        (void)world_artifact(&world, fence);
    }
    assert_int_equal(world_predictions(&world), 4);
    assert_int_equal(world_renderings(&world), 4);
    world_fini(&world);
}

TEST(models_are_listed_with_what_they_need) {
    struct world world;
    CS_AUTO(cs_rpc) *rpc = NULL;
    CS_AUTO(cs_rpc_channel) *channel = NULL;
    struct cs_err err = {0};
    ProtobufCMessage *message = NULL;
    world_init(&world);
    world_serve(&world);
    assert_ok(cs_rpc_create(&(struct cs_rpc_config){0}, &rpc, &err), &err);
    struct cs_rpc_channel_config config = {.target = prv_app_address(world.app)};
    assert_ok(cs_rpc_channel_create(rpc, &config, &channel, &err), &err);
    Callsheet__V1__ListModelsRequest request = CALLSHEET__V1__LIST_MODELS_REQUEST__INIT;
    assert_ok(cs_rpc_invoke(channel, &callsheet__v1__providers__descriptor, "ListModels", &request.base, NULL, &message,
                            &err),
              &err);
    const Callsheet__V1__ListModelsReply *reply = (const Callsheet__V1__ListModelsReply *)message;
    assert_true(reply->n_models > 1);
    assert_string_equal(reply->models[0]->provider, "local");
    assert_true(reply->models[0]->preview);
    assert_true(reply->models[0]->configured);
    assert_int_equal(reply->models[0]->n_operations, 3);
    assert_string_equal(reply->models[1]->provider, "replicate");
    assert_false(reply->models[1]->configured);
    assert_false(reply->models[1]->preview);
    cs_rpc_message_free(message);
    world_fini(&world);
}

TEST_MAIN(CS_TEST(sy_072_a_video_is_rendered_stored_and_paid_once),
          CS_TEST(sy_122_the_intent_is_durable_before_the_submission_and_the_id_before_the_poll),
          CS_TEST(pictures_and_speech_are_what_they_claim), CS_TEST(an_earlier_output_is_the_start_of_the_next),
          CS_TEST(inputs_by_url_go_through_the_guard_and_their_failures_are_told),
          CS_TEST(sy_071_unknown_and_unconfigured_providers_are_told_apart),
          CS_TEST(a_failed_prediction_is_closed_and_the_next_attempt_pays_anew),
          CS_TEST(a_cancelled_job_cancels_its_prediction),
          CS_TEST(a_lost_stream_leaves_the_prediction_and_the_next_attempt_finds_it),
          CS_TEST(draining_leaves_the_prediction), CS_TEST(more_predictions_than_slots_wait_their_turn),
          CS_TEST(models_are_listed_with_what_they_need))
