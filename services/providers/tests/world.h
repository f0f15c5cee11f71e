/*
 * world: what the service tests of providers share: directories, the service in-process or as a program, an
 * orchestrator by hand, and assignments.
 */
#ifndef PRV_TEST_WORLD_H
#define PRV_TEST_WORLD_H

#include "../app.h"
#include "cs/http.h"
#include "cs/storage.h"
#include "cs/test_support.h"
#include "dialer.h"

struct world {
    struct cs_test_dir dir;
    char storage_dir[300];
    char scratch_dir[300];
    char ledger_dir[300];
    struct prv_config config;
    struct prv_app *app;            /* in-process */
    struct cs_test_program program; /* or not */
    struct dialer *dialer;
    struct cs_storage *storage;
    struct cs_buf log; /* of the service in-process */
};

/* Directories and settings; then one of the two. */
void world_init(struct world *world);
void world_serve(struct world *world);
void world_spawn(struct world *world);
void world_kill(struct world *world); /* kill -9 of the program, and the stream with it */
void world_fini(struct world *world);

size_t world_count_log(struct world *world, const char *text);
size_t world_predictions(struct world *world); /* in the ledger */
size_t world_renderings(struct world *world);  /* begun, of all predictions */

/* An assignment of the test's, with the texts it points to. */
struct order {
    Callsheet__V1__Assign assign;
    Callsheet__V1__Operation operation;
    Callsheet__V1__GenerateVideo video;
    Callsheet__V1__GenerateImage image;
    Callsheet__V1__GenerateAudio audio;
    Google__Protobuf__DoubleValue duration;
    Callsheet__V1__MediaRef ref;
    Callsheet__V1__ResolvedInput input;
    Callsheet__V1__ResolvedInput *inputs[1];
    Callsheet__V1__Artifact artifact;
    char prefix[128];
};

void order_video(struct order *order, const char *provider, const char *job, uint32_t attempt, double seconds);
void order_image(struct order *order, const char *provider, const char *job);
void order_audio(struct order *order, const char *provider, const char *job);
void order_checkpoint(struct order *order, const Callsheet__V1__Checkpoint *checkpoint);
void order_image_input(struct order *order, const char *key, const char *url); /* of a video: its start image */

const Callsheet__V1__Failed *world_failure(struct world *world, const char *fence);
const Callsheet__V1__Artifact *world_artifact(struct world *world, const char *fence);
/* The phase in a checkpoint's JSON, e.g. "intent". */
bool checkpoint_says(const Callsheet__V1__Checkpoint *checkpoint, const char *phase);

#endif
