#include "tests/world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cs/storage.h"

void world_init(struct world *world) {
    char directory[] = "/tmp/gateway-test-XXXXXX";
    *world = (struct world){0};
    assert_non_null(mkdtemp(directory));
    world->directory = cs_strdup(directory);
    fake_start(&world->fake);
    world->config = (struct gw_config){
        .listen = "127.0.0.1:0",
        .listen_fd = -1,
        .ready_fd = -1,
        .drain_timeout_ms = 5000,
        .service_token = "",
        .orchestrator = fake_address(&world->fake),
        .storage = world->directory,
        .public_url = "",
        .link_secret = WORLD_SECRET,
        .link_lifetime_ms = 7LL * 24 * 3600 * 1000,
        .api_keys = "",
        .operator_keys = "",
        .cors_origin = "",
        .rate_limit = "off",
        .trusted_proxies = "",
        .threads = 2,
        .connections_max = 100,
        .header_timeout_ms = 10000,
        .body_timeout_ms = 20000,
        .idle_timeout_ms = 20000,
        .call_timeout_ms = 10000,
        .keep_alive_ms = 15000,
    };
}

static void put_object(struct world *world, const char *key) {
    CS_AUTO(cs_storage) *storage = NULL;
    struct cs_object_info info;
    struct cs_err err = {0};
    assert_ok(cs_storage_open(world->directory, &storage, &err), &err);
    assert_ok(cs_storage_put(storage, key, WORLD_OBJECT, strlen(WORLD_OBJECT), &info, &err), &err);
}

void world_start(struct world *world) {
    struct cs_err err = {0};
    put_object(world, "dev/default/e1/m/1/merged.mp4");
    put_object(world, "dev/acme/e1/m/1/secret.json");
    assert_ok(gw_app_create(&world->config, &world->app, &err), &err);
    world->address = gw_app_address(world->app);
}

void world_up(struct world *world) {
    world_init(world);
    world_start(world);
}

static int remove_entry(const char *path, __attribute__((unused)) const struct stat *info,
                        __attribute__((unused)) int kind, __attribute__((unused)) struct FTW *at) {
    return remove(path);
}

void world_stop(struct world *world) {
    gw_app_destroy(world->app);
    fake_stop(&world->fake);
    (void)nftw(world->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(world->directory);
}

json_t *ask(struct world *world, const char *method, const char *target, const char *headers, const char *body,
            int want_status) {
    struct answer answer;
    http(world->address, method, target, headers, body, &answer);
    json_t *value = json_loadb(answer.body.data != NULL ? answer.body.data : "", answer.body.size, 0, NULL);
    if (answer.status != want_status) {
        fail_msg("%s %s: %d, wanted %d\n%s\n%s", method, target, answer.status, want_status, answer.head,
                 answer.body.data);
    }
    answer_fini(&answer);
    return value;
}

const char *text_at(const json_t *value, const char *name) {
    const char *text = json_string_value(json_object_get(value, name));
    return text != NULL ? text : "";
}
