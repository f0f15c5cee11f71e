/*
 * app: the composition root of callsheet-media, also for tests that run it in their own process.
 */
#ifndef MED_APP_H
#define MED_APP_H

#include "config.h"

struct med_app;

/* Serves when it returns. config must outlive the app. */
enum cs_status med_app_create(const struct med_config *config, struct med_app **ret_app,
                              struct cs_err *err) CS_MUST_USE;
const char *med_app_address(const struct med_app *app);
/* Takes nothing new, lets open jobs end within config->drain_timeout_ms, cancels the rest. */
void med_app_drain(struct med_app *app);
void med_app_destroy(struct med_app *app);
CS_DEFINE_AUTO(med_app, med_app_destroy)

#endif
