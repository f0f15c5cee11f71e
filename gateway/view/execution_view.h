/*
 * execution_view: an Execution as JSON — our own form, and the status of the Synthome dialects.
 *
 * Artifacts get signed links. Lists of words and examples are in gateway/README.md.
 *
 * Threads  pure.
 */
#ifndef GW_VIEW_EXECUTION_VIEW_H
#define GW_VIEW_EXECUTION_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/mem.h"

struct gw_links {
    const char *public_url;
    const char *secret;
    int64_t expires_unix_s;
};
/* Links that live at least lifetime_s; the end is on a full hour, so that a link stays the same while it is polled. */
struct gw_links gw_links_from(const char *public_url, const char *secret, int64_t lifetime_s, int64_t now_unix_s);

enum gw_view_part {
    GW_VIEW_WHOLE,  /* all jobs, with totals and result */
    GW_VIEW_CHANGE, /* the head and the jobs that changed */
    GW_VIEW_HEAD,   /* no jobs, as in lists */
};

json_t *gw_view_execution(const Callsheet__V1__Execution *execution, enum gw_view_part part,
                          const struct gw_links *links);

/* The union of what v0, v1 and v2 clients read. running_word: "processing", or "in_progress" for v1. */
json_t *gw_view_status(const Callsheet__V1__Execution *execution, const char *running_word,
                       const struct gw_links *links);

/* What a create answers: id, executionId, status, createdAt. */
json_t *gw_view_created(const Callsheet__V1__CreateExecutionReply *reply);

/* "pending" … "cancelled". */
const char *gw_view_state_word(Callsheet__V1__ExecutionState state);

#endif
