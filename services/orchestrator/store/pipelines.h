/*
 * store/pipelines: the rows of pipelines, one for each version.
 *
 * Threads, Fails  as in store/store.h.
 */
#ifndef ORC_STORE_PIPELINES_H
#define ORC_STORE_PIPELINES_H

#include "store/store.h"

enum {
    ORC_PIPELINES_MAX = 1000, /* of a tenant */
    ORC_PIPELINE_VERSIONS_MAX = 10000,
};

struct orc_pipeline {
    const char *name;
    int version;
    const void *template; /* NULL in lists */
    size_t template_size;
    int64_t created_at_ms;
};

/* The next version, or the newest when its template is the same (*ret_existing). Only version and created_at_ms of
 * *ret_pipeline are set. RESOURCE_EXHAUSTED "too_many_pipelines", "too_many_versions". */
enum cs_status orc_store_pipeline_put(struct orc_store *store, const char *tenant, const char *name,
                                      const void *template, size_t template_size, struct orc_pipeline *ret_pipeline,
                                      bool *ret_existing, struct cs_err *err) CS_MUST_USE;
/* version 0: the newest. NOT_FOUND "no_such_pipeline". */
enum cs_status orc_store_pipeline_get(struct orc_store *store, const char *tenant, const char *name, int version,
                                      struct cs_arena *arena, struct orc_pipeline *ret_pipeline,
                                      struct cs_err *err) CS_MUST_USE;
/* The newest of each name, in order of name. */
enum cs_status orc_store_pipeline_list(struct orc_store *store, const char *tenant, struct cs_arena *arena,
                                       struct orc_pipeline **ret_pipelines, size_t *ret_count,
                                       struct cs_err *err) CS_MUST_USE;

#endif
