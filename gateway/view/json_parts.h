/*
 * json_parts: the pieces that both views are made of.
 */
#ifndef GW_VIEW_JSON_PARTS_H
#define GW_VIEW_JSON_PARTS_H

#include <jansson.h>

#include "callsheet/v1/orchestrator.pb-c.h"
#include "view/execution_view.h"

json_t *view_text_or_null(const char *text); /* null for "" */
json_t *view_time_or_null(int64_t unix_ms);  /* ISO 8601; null for 0 */
json_t *view_word(const ProtobufCEnumDescriptor *descriptor, int value);
json_t *view_metric(const Callsheet__V1__Metric *metric); /* its word, or its number */
json_t *view_url(const Callsheet__V1__Artifact *artifact, const struct gw_links *links);
const Callsheet__V1__JobStatus *view_result_job(const Callsheet__V1__Execution *execution); /* NULL none */
size_t view_completed_count(const Callsheet__V1__Execution *execution);
/* completed of total as a percentage; 100 for a completed execution without jobs. */
double view_percentage(const Callsheet__V1__Execution *execution);

#endif
