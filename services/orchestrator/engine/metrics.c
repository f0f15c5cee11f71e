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
    gauge(out, "callsheet_executions_returning", "executions that are read back after a start", atomic_load(&c->left));
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
    counter(out, "callsheet_cache_hits_total", "jobs that took a result that was kept, or just made by another job",
            atomic_load(&c->cache_hits));
    counter(out, "callsheet_cache_misses_total", "jobs that had to run because no result was kept",
            atomic_load(&c->cache_misses));
    counter(out, "callsheet_cache_waits_total", "jobs that waited for another to do the same work",
            atomic_load(&c->cache_waits));
    counter(out, "callsheet_fused_runs_total", "runs that did several jobs", atomic_load(&c->runs_fused));
    counter(out, "callsheet_fused_jobs_total", "jobs that were done in such runs", atomic_load(&c->jobs_fused));
    counter(out, "callsheet_split_runs_total", "runs of several jobs that failed and were done one by one",
            atomic_load(&c->runs_split));
    counter(out, "callsheet_chunks_given_total", "chunks of long jobs that were given to workers with idle slots",
            atomic_load(&c->chunks_given));
    counter(out, "callsheet_chunks_made_total", "of them, those that were made", atomic_load(&c->chunks_made));
    gauge(out, "callsheet_external_jobs", "jobs that are being done outside", atomic_load(&c->outside));
    counter(out, "callsheet_approvals_total", "approvals that were given, by people or by default",
            atomic_load(&c->approved));
    counter(out, "callsheet_rejections_total", "approvals that were refused, by people or by default",
            atomic_load(&c->rejected));
    counter(out, "callsheet_recoveries_total", "times that memory was dropped and read again",
            atomic_load(&c->recoveries));
}

/* ---- queues: on the engine's thread ---- */

struct queue_age {
    size_t parked;
    int64_t oldest_ms; /* Unix time; INT64_MAX: nobody waits */
};

static void look_at(const struct orc_hall *hall, struct queue_age *age) {
    for (const struct orc_lane *lane = hall->lanes; lane != NULL; lane = lane->hh.next) {
        for (int rank = 0; rank < ORC_PRIORITIES; rank++) {
            const struct orc_seat *first = lane->ranks[rank];
            if (first != NULL && first->ready_ms < age->oldest_ms) {
                age->oldest_ms = first->ready_ms;
            }
        }
    }
}

static struct queue_age *ages_of(struct orc_engine *engine) {
    struct orc_dispatch *dispatch = &engine->dispatch;
    struct queue_age *ages = cs_arena_array(engine->scratch, dispatch->station_count, sizeof(*ages));
    for (size_t i = 0; i < dispatch->station_count; i++) {
        ages[i].oldest_ms = INT64_MAX;
        look_at(&dispatch->stations[i].hall, &ages[i]);
    }
    for (const struct orc_gate *gate = dispatch->gates.gates; gate != NULL; gate = gate->hh.next) {
        for (const struct orc_line *line = gate->lines; line != NULL; line = line->next) {
            struct queue_age *age = &ages[orc_station_index(dispatch, line->hall.station)];
            age->parked += line->hall.count;
            look_at(&line->hall, age);
        }
    }
    return ages;
}

static bool is_of_interest(const struct orc_dispatch *dispatch, size_t station) {
    for (const struct orc_peer *peer = dispatch->peers; peer != NULL; peer = peer->hh.next) {
        if (peer->offers[station]) {
            return true;
        }
    }
    return dispatch->stations[station].ready != 0;
}

enum column { COLUMN_READY, COLUMN_PARKED, COLUMN_AGE };

static void put_column(struct orc_engine *engine, const struct queue_age *ages, enum column column, const char *name,
                       const char *help, struct cs_buf *out) {
    const struct orc_dispatch *dispatch = &engine->dispatch;
    cs_buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
    for (size_t i = 0; i < dispatch->station_count; i++) {
        const struct orc_station *station = &dispatch->stations[i];
        if (!is_of_interest(dispatch, i)) {
            continue;
        }
        double age_s = station->ready != 0 ? (double)(engine->now_ms - ages[i].oldest_ms) / 1000 : 0;
        double value = column == COLUMN_READY    ? (double)station->ready
                       : column == COLUMN_PARKED ? (double)ages[i].parked
                                                 : age_s;
        cs_buf_printf(out, "%s{operation=\"%s\"} %.15g\n", name, station->operation->name, value);
    }
}

/* ---- attempts: on the engine's thread ---- */

static void put_attempts(const struct orc_dispatch *dispatch, struct cs_buf *out) {
    static const char total[] = "callsheet_attempts_total";
    static const char seconds[] = "callsheet_attempt_seconds_total";
    cs_buf_printf(out, "# HELP %s attempts that ended\n# TYPE %s counter\n", total, total);
    for (size_t i = 0; i < dispatch->station_count; i++) {
        const struct orc_station *station = &dispatch->stations[i];
        if (station->succeeded + station->failed != 0) {
            const char *name = station->operation->name;
            cs_buf_printf(out, "%s{operation=\"%s\",outcome=\"succeeded\"} %" PRIu64 "\n", total, name,
                          station->succeeded);
            cs_buf_printf(out, "%s{operation=\"%s\",outcome=\"failed\"} %" PRIu64 "\n", total, name, station->failed);
        }
    }
    cs_buf_printf(out, "# HELP %s time from their assignment to their end\n# TYPE %s counter\n", seconds, seconds);
    for (size_t i = 0; i < dispatch->station_count; i++) {
        const struct orc_station *station = &dispatch->stations[i];
        if (station->succeeded + station->failed != 0) {
            cs_buf_printf(out, "%s{operation=\"%s\"} %.15g\n", seconds, station->operation->name,
                          (double)station->run_ms / 1000);
        }
    }
}

void orc_engine_take_metrics(struct orc_engine *engine, struct orc_item *item) {
    CS_AUTO_BUF out = {0};
    orc_engine_answered(engine);
    cs_buf_printf(&out,
                  "# HELP callsheet_replica_info who says this\n# TYPE callsheet_replica_info gauge\n"
                  "callsheet_replica_info{replica=\"%s\"} 1\n",
                  engine->replica);
    orc_engine_metrics(engine, &out);
    const struct queue_age *ages = ages_of(engine);
    put_column(engine, ages, COLUMN_READY, "callsheet_queue_ready", "jobs and deliveries that wait for a worker", &out);
    put_column(engine, ages, COLUMN_PARKED, "callsheet_queue_limited", "of them, those that a limit or rate holds back",
               &out);
    put_column(engine, ages, COLUMN_AGE, "callsheet_queue_oldest_seconds",
               "how long the one that is ready longest is so", &out);
    put_attempts(&engine->dispatch, &out);
    item->metrics.done(out.data, NULL, item->metrics.ctx);
}
