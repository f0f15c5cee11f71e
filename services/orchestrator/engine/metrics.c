#include <inttypes.h>

#include "engine/internal.h"

static void gauge(struct cs_buf *out, const char *name, const char *help, size_t value) {
    cs_buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %zu\n", name, help, name, name, value);
}

static void counter(struct cs_buf *out, const char *name, const char *help, uint64_t value) {
    cs_buf_printf(out, "# HELP %s %s\n# TYPE %s counter\n%s %" PRIu64 "\n", name, help, name, name, value);
}

void orc_engine_metrics(struct orc_engine *engine, struct cs_buf *out) {
    struct orc_counters *c = &engine->counters;
    gauge(out, "callsheet_executions_open", "executions in memory", atomic_load(&c->open));
    gauge(out, "callsheet_jobs_ready", "jobs and deliveries that wait for a worker", atomic_load(&c->ready));
    gauge(out, "callsheet_assignments", "slots of workers that are taken", atomic_load(&c->running));
    gauge(out, "callsheet_links_up", "workers with an open stream", atomic_load(&c->links));
    gauge(out, "callsheet_engine_queue", "items that wait for the engine's thread", orc_queue_count(&engine->queue));
    gauge(out, "callsheet_clients_waiting", "requests without an answer", atomic_load(&c->clients_waiting));
    counter(out, "callsheet_commits_total", "group commits", atomic_load(&c->commits));
    counter(out, "callsheet_commit_failures_total", "commits that failed and were repeated or given up",
            atomic_load(&c->commit_failures));
    counter(out, "callsheet_commit_microseconds_total", "time in commits", atomic_load(&c->commit_us));
    counter(out, "callsheet_events_total", "events that were stored", atomic_load(&c->events));
    counter(out, "callsheet_jobs_succeeded_total", "jobs and deliveries that succeeded", atomic_load(&c->jobs_ended));
    counter(out, "callsheet_jobs_lost_total", "attempts whose worker went away", atomic_load(&c->jobs_lost));
    counter(out, "callsheet_executions_created_total", "executions accepted", atomic_load(&c->executions_created));
    counter(out, "callsheet_executions_ended_total", "executions that reached a terminal state",
            atomic_load(&c->executions_ended));
    counter(out, "callsheet_reports_dropped_total", "reports with a fence that is not honoured any more",
            atomic_load(&c->reports_dropped));
    counter(out, "callsheet_recoveries_total", "times that memory was dropped and read again",
            atomic_load(&c->recoveries));
}
