#include "wire/run_wire.h"

#include <string.h>

#include "cs/base/id.h"
#include "cs/base/text.h"
#include "wire/plan_wire.h"

/* ---- requests -> domain ---- */

static enum cs_status check_job_type(const char *job_type, bool needed, struct cs_err *err) {
    if ((needed || job_type[0] != '\0') && !cs_id_valid(job_type, ORC_JOB_TYPE_BYTES_MAX)) {
        return cs_fail_at(err, "jobType", "bad_job_type", "a job type is 1 to %d bytes of [A-Za-z0-9_.:-]",
                          ORC_JOB_TYPE_BYTES_MAX);
    }
    return CS_OK;
}

static enum cs_status check_note(const char *note, const char *path, struct cs_err *err) {
    bool good = strlen(note) <= ORC_RUN_NOTE_BYTES_MAX;
    for (const unsigned char *c = (const unsigned char *)note; good && *c != '\0'; c++) {
        good = (*c >= 0x20 && *c != 0x7F) || *c == '\n' || *c == '\t';
    }
    return good ? CS_OK
                : cs_fail_at(err, path, "bad_note", "at most %d bytes of text without control characters",
                             ORC_RUN_NOTE_BYTES_MAX);
}

static enum cs_status check_span(int64_t ms, int64_t min, int64_t max, const char *path, const char *reason,
                                 struct cs_err *err) {
    if (ms != 0 && (ms < min || ms > max)) {
        return cs_fail_at(err, path, reason, "from %lld to %lld ms, or 0 for the default", (long long)min,
                          (long long)max);
    }
    return CS_OK;
}

enum cs_status orc_run_target_from(const char *tenant, const char *run_id, const char *client,
                                   struct orc_run_id *ret_id, struct cs_err *err) {
    struct orc_run_id id;
    CS_TRY(orc_tenant_check(tenant, err));
    CS_TRY(orc_run_id_parse(run_id, &id, err));
    return orc_run_id_with_client(&id, client, ret_id, err);
}

static struct orc_run_report *reports_from(Callsheet__V1__RunMetric **metrics, size_t count, struct cs_arena *arena) {
    struct orc_run_report *reports = cs_arena_array(arena, count + 1, sizeof(*reports));
    for (size_t i = 0; i < count; i++) {
        const Callsheet__V1__RunMetric *metric = metrics[i];
        bool is_text = metric->value_case == CALLSHEET__V1__RUN_METRIC__VALUE_TEXT;
        bool is_number = metric->value_case == CALLSHEET__V1__RUN_METRIC__VALUE_NUMBER;
        reports[i] = (struct orc_run_report){
            .name = metric->name,
            .rule = (int)metric->rule,
            .has_number = is_number,
            .number = is_number ? metric->number : 0,
            .text = is_text ? metric->text : NULL,
        };
    }
    return reports;
}

/* No more than the domain looks at, and one for it to see that there were more. */
static size_t report_count(size_t count) {
    return count < ORC_RUN_REPORTS_MAX + 1 ? count : ORC_RUN_REPORTS_MAX + 1;
}

enum cs_status orc_run_start_from(const Callsheet__V1__StartRunRequest *request, struct cs_arena *arena,
                                  struct orc_run_start *ret_start, struct orc_run_id *ret_named, struct cs_err *err) {
    struct orc_run_id named = {0};
    CS_TRY(orc_tenant_check(request->tenant, err));
    CS_TRY(check_job_type(request->job_type, true, err));
    CS_TRY(orc_run_client_check(request->client, err));
    if (request->run_id[0] != '\0') {
        CS_TRY(orc_run_target_from(request->tenant, request->run_id, request->client, &named, err));
    }
    CS_TRY(check_span(request->lease_ms, ORC_RUN_LEASE_MS_MIN, ORC_RUN_LEASE_MS_MAX, "leaseMs", "bad_lease", err));
    CS_TRY(check_span(request->timeout_ms, ORC_RUN_TIMEOUT_MS_MIN, ORC_RUN_TIMEOUT_MS_MAX, "timeoutMs", "bad_timeout",
                      err));
    CS_TRY(check_note(request->note, "note", err));
    size_t count = report_count(request->n_initial);
    *ret_start = (struct orc_run_start){
        .tenant = request->tenant,
        .job_type = request->job_type,
        .lease_ms = request->lease_ms,
        .timeout_ms = request->timeout_ms,
        .initial = reports_from(request->initial, count, arena),
        .initial_count = count,
        .note = request->note,
    };
    cs_str_copy(ret_start->id.client, sizeof(ret_start->id.client),
                named.text[0] != '\0' ? named.client : request->client);
    *ret_named = named;
    return CS_OK;
}

static enum cs_status news_from(const char *job_type, Callsheet__V1__RunMetric **metrics, size_t count,
                                const char *note, struct cs_arena *arena, struct orc_run_news *ret_news,
                                struct cs_err *err) {
    CS_TRY(check_note(note, "note", err));
    *ret_news = (struct orc_run_news){
        .job_type = job_type,
        .metrics = reports_from(metrics, report_count(count), arena),
        .metric_count = report_count(count),
        .note = note,
    };
    return CS_OK;
}

enum cs_status orc_run_heartbeat_from(const Callsheet__V1__HeartbeatRunRequest *request, struct cs_arena *arena,
                                      struct orc_run_id *ret_id, struct orc_run_news *ret_news, struct cs_err *err) {
    CS_TRY(orc_run_target_from(request->tenant, request->run_id, request->client, ret_id, err));
    CS_TRY(check_job_type(request->job_type, false, err));
    return news_from(request->job_type, request->metrics, request->n_metrics, request->note, arena, ret_news, err);
}

enum cs_status orc_run_complete_from(const Callsheet__V1__CompleteRunRequest *request, struct cs_arena *arena,
                                     struct orc_run_id *ret_id, struct orc_run_news *ret_news, struct cs_err *err) {
    CS_TRY(orc_run_target_from(request->tenant, request->run_id, request->client, ret_id, err));
    CS_TRY(check_job_type(request->job_type, true, err));
    CS_TRY(check_note(request->error, "error", err));
    return news_from(request->job_type, request->metrics, request->n_metrics, request->note, arena, ret_news, err);
}

enum cs_status orc_run_list_check(const Callsheet__V1__ListRunsRequest *request, struct orc_page_start *ret_start,
                                  struct cs_err *err) {
    CS_TRY(orc_tenant_check(request->tenant, err));
    CS_TRY(check_job_type(request->job_type, false, err));
    CS_TRY(orc_run_client_check(request->client, err));
    if (request->page_size > ORC_PAGE_SIZE_MAX) {
        return cs_fail_at(err, "pageSize", "bad_page_size", "a page has 1 to %d runs", ORC_PAGE_SIZE_MAX);
    }
    return orc_page_token_parse(request->page_token, ret_start, err);
}

/* ---- domain -> replies ---- */

static Callsheet__V1__RunMetric **metrics_to(const struct orc_run_metrics *metrics, struct cs_arena *arena) {
    Callsheet__V1__RunMetric **list = cs_arena_array(arena, metrics->count + 1, sizeof(Callsheet__V1__RunMetric *));
    for (size_t i = 0; i < metrics->count; i++) {
        const struct orc_run_metric *metric = &metrics->items[i];
        Callsheet__V1__RunMetric *out = cs_arena_alloc(arena, sizeof(*out));
        callsheet__v1__run_metric__init(out);
        out->name = (char *)metric->name;
        out->rule = (Callsheet__V1__RunMetricRule)metric->rule;
        if (metric->text != NULL) {
            out->value_case = CALLSHEET__V1__RUN_METRIC__VALUE_TEXT;
            out->text = (char *)metric->text;
        } else {
            out->value_case = CALLSHEET__V1__RUN_METRIC__VALUE_NUMBER;
            out->number = metric->number;
        }
        list[i] = out;
    }
    return list;
}

Callsheet__V1__Run *orc_run_to(const struct orc_run *run, const struct orc_run_metrics *totals,
                               struct cs_arena *arena) {
    Callsheet__V1__Run *out = cs_arena_alloc(arena, sizeof(*out));
    callsheet__v1__run__init(out);
    out->run_id = cs_arena_strdup(arena, run->id.text);
    out->base_run_id = cs_arena_strdup(arena, run->id.base);
    out->client = cs_arena_strdup(arena, run->id.client);
    out->job_type = (char *)run->job_type;
    out->status = (Callsheet__V1__RunStatus)run->status;
    out->started_at_ms = run->started_at_ms;
    out->ended_at_ms = run->ended_at_ms;
    out->heartbeat_at_ms = run->heartbeat_at_ms;
    out->lease_until_ms = run->lease_until_ms;
    out->deadline_ms = run->deadline_ms;
    out->revision = run->revision;
    out->notes = (char *)run->notes;
    out->metrics = metrics_to(&run->metrics, arena);
    out->n_metrics = run->metrics.count;
    if (totals != NULL) {
        out->totals = metrics_to(totals, arena);
        out->n_totals = totals->count;
    }
    return out;
}
