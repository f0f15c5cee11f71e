/*
 * runs: the Runs service: requests -> decisions of domain/run -> one statement that holds or does nothing.
 *
 * Any number of replicas may serve at once. A start is decided by an index of the database, every change by the
 * revision of the run that was looked at; who comes second looks again. Apart from that the service has nothing to do
 * with the engine of executions.
 *
 * Threads  handlers run in rpc's pool and block on the database, ORC_STORES of them at a time.
 */
#ifndef ORC_API_RUNS_H
#define ORC_API_RUNS_H

#include "cs/rpc.h"

struct orc_runs;

/* The database has been migrated. */
enum cs_status orc_runs_create(const char *database_url, struct orc_runs **ret_runs, struct cs_err *err) CS_MUST_USE;
/* After the server. NULL is fine. */
void orc_runs_destroy(struct orc_runs *runs);
CS_DEFINE_AUTO(orc_runs, orc_runs_destroy)

/* A row for cs_rpc_server_config.services. */
struct cs_rpc_service orc_runs_service(struct orc_runs *runs);

/* Calls that run, and all that come later, fail with UNAVAILABLE "stopping" soon: nothing waits for the database any
 * more. */
void orc_runs_interrupt(struct orc_runs *runs);

#endif
