/* COVERS the promise of one submission across kill -9: the real program, killed at each of its steps. */
#include <string.h>

#include "cs/test.h"
#include "world.h"

/* The next attempt, with the checkpoint that the orchestrator has: finishes, and nothing was paid twice. */
static void recover(struct world *world, ProtobufCBinaryData checkpoint) {
    struct order order;
    world_spawn(world);
    order_video(&order, "local", "v", 2, 3);
    order.assign.checkpoint = checkpoint;
    dialer_assign(world->dialer, "f2", &order.assign);
    assert_string_equal(world_artifact(world, "f2")->key, "test/t1/e1/v/2/output.mp4");
    assert_int_equal(world_predictions(world), 1);
}

static uint8_t kept_bytes[4096];

static ProtobufCBinaryData keep(const Callsheet__V1__Checkpoint *checkpoint) {
    memcpy(kept_bytes, checkpoint->data.data, checkpoint->data.len);
    return (ProtobufCBinaryData){.len = checkpoint->data.len, .data = kept_bytes};
}

static void begin(struct world *world) {
    struct order order;
    world_init(world);
    world_spawn(world);
    dialer_hold_checkpoints(world->dialer, true);
    order_video(&order, "local", "v", 1, 3);
    dialer_assign(world->dialer, "f1", &order.assign);
}

TEST(killed_before_the_intent_was_saved) {
    struct world world;
    begin(&world);
    (void)dialer_wait_checkpoint(world.dialer, "f1", 1);
    world_kill(&world);
    assert_int_equal(world_predictions(&world), 0);
    recover(&world, (ProtobufCBinaryData){0});
    world_fini(&world);
}

TEST(killed_after_the_intent_was_saved) {
    struct world world;
    begin(&world);
    ProtobufCBinaryData intent = keep(dialer_wait_checkpoint(world.dialer, "f1", 1));
    world_kill(&world); /* whether or not it had been sent is not known to the orchestrator */
    recover(&world, intent);
    world_fini(&world);
}

TEST(e4_killed_between_submission_and_saved_id) {
    struct world world;
    begin(&world);
    const Callsheet__V1__Checkpoint *intent = dialer_wait_checkpoint(world.dialer, "f1", 1);
    ProtobufCBinaryData kept = keep(intent);
    dialer_save(world.dialer, "f1", intent->sequence);
    (void)dialer_wait_checkpoint(world.dialer, "f1", 2);
    assert_int_equal(world_predictions(&world), 1);
    world_kill(&world);
    recover(&world, kept);
    world_fini(&world);
}

TEST(killed_while_rendering_and_again_while_rendering) {
    struct world world;
    struct order order;
    begin(&world);
    const Callsheet__V1__Checkpoint *intent = dialer_wait_checkpoint(world.dialer, "f1", 1);
    dialer_save(world.dialer, "f1", intent->sequence);
    const Callsheet__V1__Checkpoint *submitted = dialer_wait_checkpoint(world.dialer, "f1", 2);
    ProtobufCBinaryData kept = keep(submitted);
    dialer_save(world.dialer, "f1", submitted->sequence);
    dialer_wait_stage(world.dialer, "f1", "rendering");
    world_kill(&world);
    world_spawn(&world);
    order_video(&order, "local", "v", 1, 3);
    order.assign.checkpoint = kept;
    dialer_assign(world.dialer, "f1b", &order.assign);
    dialer_wait_stage(world.dialer, "f1b", "rendering");
    world_kill(&world);
    recover(&world, kept);
    assert_int_equal(world_renderings(&world), 3);
    world_fini(&world);
}

TEST(killed_after_everything_was_done) {
    struct world world;
    begin(&world);
    dialer_hold_checkpoints(world.dialer, false);
    const Callsheet__V1__Checkpoint *intent = dialer_wait_checkpoint(world.dialer, "f1", 1);
    dialer_save(world.dialer, "f1", intent->sequence);
    ProtobufCBinaryData kept = keep(dialer_wait_checkpoint(world.dialer, "f1", 2));
    (void)world_artifact(&world, "f1");
    world_kill(&world); /* the orchestrator, too, died before it had written the success */
    recover(&world, kept);
    assert_int_equal(world_renderings(&world), 1);
    world_fini(&world);
}

TEST_MAIN(CS_TEST(killed_before_the_intent_was_saved), CS_TEST(killed_after_the_intent_was_saved),
          CS_TEST(e4_killed_between_submission_and_saved_id), CS_TEST(killed_while_rendering_and_again_while_rendering),
          CS_TEST(killed_after_everything_was_done))
