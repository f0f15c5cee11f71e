/*
 * app: the composition root of callsheet-webhooks, also for tests that run it in their own process.
 */
#ifndef WHK_APP_H
#define WHK_APP_H

#include "config.h"

struct whk_app;

/* Serves when it returns. config must outlive the app. */
enum cs_status whk_app_create(const struct whk_config *config, struct whk_app **ret_app,
                              struct cs_err *err) CS_MUST_USE;
const char *whk_app_address(const struct whk_app *app);
/* Takes nothing new, lets open deliveries end within config->drain_timeout_ms, cancels the rest. */
void whk_app_drain(struct whk_app *app);
void whk_app_destroy(struct whk_app *app);
CS_DEFINE_AUTO(whk_app, whk_app_destroy)

#endif
