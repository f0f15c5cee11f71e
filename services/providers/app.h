/*
 * app: the composition root of callsheet-providers, also for tests that run it in their own process.
 */
#ifndef PRV_APP_H
#define PRV_APP_H

#include "config.h"

struct prv_app;

/* Serves when it returns. config must outlive the app. */
enum cs_status prv_app_create(const struct prv_config *config, struct prv_app **ret_app,
                              struct cs_err *err) CS_MUST_USE;
const char *prv_app_address(const struct prv_app *app);
/* Takes nothing new, lets open jobs end within config->drain_timeout_ms, then leaves the rest to a later attempt. */
void prv_app_drain(struct prv_app *app);
void prv_app_destroy(struct prv_app *app);
CS_DEFINE_AUTO(prv_app, prv_app_destroy)

#endif
