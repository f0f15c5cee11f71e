/*
 * world: a gateway in this process, a scripted orchestrator, and a storage directory with objects.
 */
#ifndef GW_TESTS_WORLD_H
#define GW_TESTS_WORLD_H

#include "app.h"
#include "cs/json.h"
#include "cs/test.h"
#include "tests/fake_orchestrator.h"
#include "tests/http_client.h"

#define WORLD_SECRET "0123456789abcdef-link-secret"
#define WORLD_OBJECT "0123456789"

struct world {
    struct fake fake;
    struct gw_config config;
    struct gw_app *app;
    char *directory;
    const char *address;
};

/* Defaults of the settings table; change world->config between the two. */
void world_init(struct world *world);
void world_start(struct world *world);
void world_stop(struct world *world);

/* init and start at once. */
void world_up(struct world *world);

/* A request to the gateway whose answer must have this status; the body is parsed as JSON (NULL when it is none). */
json_t *ask(struct world *world, const char *method, const char *target, const char *headers, const char *body,
            int want_status);
/* The member's text; "" when it is missing. */
const char *text_at(const json_t *value, const char *name);

extern const struct CMUnitTest robust_tests[];
extern const size_t robust_test_count;
extern const struct CMUnitTest events_tests[];
extern const size_t events_test_count;

#endif
