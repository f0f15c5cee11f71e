/*
 * pipelines: the Pipelines service: templates of plans by name and version, as rows.
 *
 * Threads  handlers run in rpc's pool and block on the database, ORC_STORES of them at a time.
 */
#ifndef ORC_API_PIPELINES_H
#define ORC_API_PIPELINES_H

#include "cs/rpc.h"

enum { ORC_PIPELINE_TEMPLATE_BYTES_MAX = 256 * 1024 };

struct orc_pipelines;

/* The database has been migrated. */
enum cs_status orc_pipelines_create(const char *database_url, struct orc_pipelines **ret_pipelines,
                                    struct cs_err *err) CS_MUST_USE;
/* After the server. NULL is fine. */
void orc_pipelines_destroy(struct orc_pipelines *pipelines);
CS_DEFINE_AUTO(orc_pipelines, orc_pipelines_destroy)

/* A row for cs_rpc_server_config.services. */
struct cs_rpc_service orc_pipelines_service(struct orc_pipelines *pipelines);

/* Calls that run, and all that come later, fail with UNAVAILABLE "stopping" soon. */
void orc_pipelines_interrupt(struct orc_pipelines *pipelines);

#endif
