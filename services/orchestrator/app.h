/*
 * app: the composition root of callsheet-orchestrator, also for tests that run it in their own process.
 */
#ifndef ORC_APP_H
#define ORC_APP_H

#include "config.h"

struct orc_app;

/* Serves when it returns; what was open goes on. config must outlive the app. */
enum cs_status orc_app_create(const struct orc_config *config, struct orc_app **ret_app,
                              struct cs_err *err) CS_MUST_USE;
const char *orc_app_address(const struct orc_app *app);
/* Why it asked to be stopped (cs_svc_request_stop), or CS_OK: it cannot go on because a live process has its name. */
enum cs_status orc_app_failure(struct orc_app *app, struct cs_err *err);
/* Health is NOT_SERVING, watches end, the engine commits what it has and stops, open calls end. Executions that are
 * open are taken over by another replica at once, or by the next that starts. */
void orc_app_drain(struct orc_app *app);
void orc_app_destroy(struct orc_app *app); /* drains when that was not done */
CS_DEFINE_AUTO(orc_app, orc_app_destroy)

#endif
