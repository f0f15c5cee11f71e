/*
 * paths: from where a field is in a CreateExecutionRequest to where the client wrote it.
 *
 *     gw_paths_add(paths, "jobs[1].params.video", "executionPlan.jobs[1].params.input");
 *     "jobs[1].params.video.url" -> "executionPlan.jobs[1].params.input.url"
 *
 * The longest entry that is a prefix at a border wins.
 *
 * Owns     lives in the arena; strings are kept, not copied.
 */
#ifndef GW_DIALECT_PATHS_H
#define GW_DIALECT_PATHS_H

#include "cs/base/err.h"
#include "cs/base/mem.h"

struct gw_paths;

struct gw_paths *gw_paths_create(struct cs_arena *arena);
void gw_paths_add(struct gw_paths *paths, const char *native, const char *client);
/* Without an entry the path stays as it is. */
void gw_paths_translate(const struct gw_paths *paths, const char *native, char ret_client[CS_ERR_PATH_MAX]);
/* Translates err->path in place; returns err's status. */
enum cs_status gw_paths_translate_err(const struct gw_paths *paths, struct cs_err *err);

#endif
