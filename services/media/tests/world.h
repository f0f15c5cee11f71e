/*
 * world: the media service in-process with storage and scratch directories of its own, an orchestrator by hand, and a
 * server of inputs.
 */
#ifndef MED_TEST_WORLD_H
#define MED_TEST_WORLD_H

#include "app.h"
#include "callsheet/v1/media.pb-c.h"
#include "cs/storage.h"
#include "dialer.h"
#include "peer.h"

struct world {
    char dir[64];
    char *storage_dir;
    char *scratch_dir;
    struct med_config config;
    struct med_app *app;
    struct dialer *dialer;
    struct peer *peer;
    struct cs_storage *storage;
};

enum { WORLD_INPUTS_MAX = 64 };

/* An assignment that lives on the test's stack. */
struct world_assign {
    Callsheet__V1__Assign assign;
    Callsheet__V1__ResolvedInput inputs[WORLD_INPUTS_MAX];
    Callsheet__V1__Artifact artifacts[WORLD_INPUTS_MAX];
    Callsheet__V1__ResolvedInput *input_list[WORLD_INPUTS_MAX];
};

/* The peer answers /STATUS with it, /hello with 200 and "hello", /hang never, /slow-503 … as its path says. */
void world_start(struct world *world, const char *runner, bool allow_private);
/* The same in two parts, between which the settings may be changed. */
void world_init(struct world *world, const char *runner, bool allow_private);
void world_serve(struct world *world);
void world_stop(struct world *world);
/* Only the service, whose jobs have left nothing to do then; world_stop is fine after it. Reports are gone. */
void world_end_service(struct world *world);

void world_put(struct world *world, const char *key, const char *content);
void world_put_file(struct world *world, const char *key, const char *path);

void world_assign_init(struct world_assign *made, Callsheet__V1__Operation *operation);
void world_add_key(struct world_assign *made, const char *key);
void world_add_url(struct world_assign *made, const char *url);

/* Media.Probe of a key or a URL (the other is NULL), through real gRPC. On success the caller frees *ret_reply with
 * cs_rpc_message_free. */
enum cs_status world_probe(struct world *world, const char *key, const char *url, Callsheet__V1__ProbeReply **ret_reply,
                           struct cs_err *err);

/* pid of the runner; 0 when there is none. And how many children it has. */
int world_runner_pid(void);
int world_child_count(int pid);

#endif
