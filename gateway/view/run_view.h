/*
 * run_view: tracked runs as JSON.
 *
 * Threads  pure. The caller owns the result.
 */
#ifndef GW_VIEW_RUN_VIEW_H
#define GW_VIEW_RUN_VIEW_H

#include <jansson.h>

#include "callsheet/v1/runs.pb-c.h"

enum gw_run_view_detail {
    GW_RUN_VIEW_HEAD, /* without notes and totals, as lists have it */
    GW_RUN_VIEW_WHOLE,
};

json_t *gw_view_run(const Callsheet__V1__Run *run, enum gw_run_view_detail detail);
/* {jobId, runId, jobType, clientId, startTime, alreadyRunning, alreadyExists, message, warnings} */
json_t *gw_view_run_started(const Callsheet__V1__StartRunReply *reply);
/* The run, with `unchanged` and `warnings`. */
json_t *gw_view_run_changed(const Callsheet__V1__ChangeRunReply *reply);
/* {runs, nextPageToken} */
json_t *gw_view_runs(const Callsheet__V1__ListRunsReply *reply);

#endif
