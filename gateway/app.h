/*
 * app: the composition root of callsheet-gateway, also for tests that run it in their own process.
 */
#ifndef GW_APP_H
#define GW_APP_H

#include "config.h"

struct gw_app;

/* Serves when it returns. config must outlive the app. */
enum cs_status gw_app_create(const struct gw_config *config, struct gw_app **ret_app, struct cs_err *err) CS_MUST_USE;
const char *gw_app_address(const struct gw_app *app);
/* No new connections, event streams end, open requests may end within config->drain_timeout_ms. */
void gw_app_drain(struct gw_app *app);
void gw_app_destroy(struct gw_app *app); /* what is open is cut; NULL is fine */
CS_DEFINE_AUTO(gw_app, gw_app_destroy)

#endif
