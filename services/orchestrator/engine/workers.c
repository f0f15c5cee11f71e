/* What links and workers report. */
#include <string.h>

#include "cs/base/id.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "engine/internal.h"

/* ---- on a polling thread ---- */

static void put(struct orc_engine *engine, struct orc_item *item) {
    if (!orc_queue_put(&engine->queue, item)) {
        free(item->link.hello); /* stopping: what runs is found again in the log */
        free(item->link.reports);
        free(item);
    }
}

static void on_up(uint64_t link, const Callsheet__V1__Hello *hello, void *ctx) {
    struct orc_item *item = orc_item_create(ORC_ITEM_LINK_UP);
    item->link.link = link;
    item->link.hello = orc_hello_copy(hello);
    put(ctx, item);
}

static void on_reports(uint64_t link, const Callsheet__V1__WorkReport *reports, void *ctx) {
    struct orc_item *item = orc_item_create(ORC_ITEM_REPORTS);
    item->link.link = link;
    item->link.reports = orc_reports_copy(reports);
    put(ctx, item);
}

static void on_down(uint64_t link, void *ctx) {
    struct orc_item *item = orc_item_create(ORC_ITEM_LINK_DOWN);
    item->link.link = link;
    put(ctx, item);
}

const struct orc_link_events orc_engine_link_events = {.up = on_up, .reports = on_reports, .down = on_down};

/* ---- links ---- */

void orc_engine_take_link_up(struct orc_engine *engine, struct orc_item *item) {
    cs_log_info("worker up", CS_KV("worker", item->link.hello->worker),
                CS_KVI("operations", item->link.hello->operation_count));
    orc_peer_add(engine, item->link.link, item->link.hello);
    free(item->link.hello);
}

/* What an event says of it: a delivery is of no job, and its seat's number is too large for the log. */
static uint32_t event_job(uint32_t job) {
    return job == ORC_SEAT_OF_DELIVERY ? 0 : job;
}

/* What an attempt's disappearance means for its job or delivery. */
static void lose(struct orc_engine *engine, struct orc_entry *entry, uint32_t job, uint32_t attempt) {
    bool delivery = job == ORC_SEAT_OF_DELIVERY;
    struct orc_event event = {.kind = delivery ? ORC_EVENT_DELIVERY_LOST : orc_fusion_loss(engine, entry, job),
                              .job = event_job(job),
                              .attempt = attempt};
    if (event.kind == ORC_EVENT_SPLIT) {
        event.failure_class = ORC_FAILURE_INTERNAL;
        event.code = "worker_lost";
        event.message = "the worker went away again and again";
    }
    atomic_fetch_add(&engine->counters.jobs_lost, 1);
    cs_log_warn("worker lost, running it elsewhere", CS_KV("execution", entry->execution->id),
                CS_KV("job", delivery ? "@webhook" : entry->execution->plan->jobs[job].id), CS_KVI("attempt", attempt),
                CS_KV("trace", entry->trace_id));
    orc_engine_must_step(engine, entry, &event);
}

void orc_engine_take_link_down(struct orc_engine *engine, struct orc_item *item) {
    struct orc_peer *peer = orc_peer_find(engine, item->link.link);
    if (peer == NULL) {
        return;
    }
    cs_log_info("worker down", CS_KV("worker", peer->worker), CS_KVI("assignments", peer->open));
    while (peer->assignments != NULL) {
        struct orc_assignment *assignment = peer->assignments;
        struct orc_entry *entry = assignment->entry;
        uint32_t job = assignment->job;
        uint32_t attempt = assignment->attempt;
        orc_assignment_remove(engine, assignment);
        if (entry != NULL) {
            lose(engine, entry, job, attempt);
        }
    }
    orc_peer_remove(engine, peer);
}

/* ---- reports ---- */

/* A report about an attempt; the assignment has been removed when the report is its last. */
struct about {
    struct orc_entry *entry;
    uint32_t job;
    uint32_t attempt;
    int64_t ran_ms;
    unsigned char fence[ORC_FENCE_BYTES];
};

static bool is_delivery(const struct about *about) {
    return about->job == ORC_SEAT_OF_DELIVERY;
}

static const char *job_name(const struct about *about) {
    return is_delivery(about) ? "@webhook" : about->entry->execution->plan->jobs[about->job].id;
}

static bool got_further(const struct orc_progress *before, const struct orc_progress *now) {
    return now->fraction > before->fraction || now->media_time_us > before->media_time_us ||
           !cs_str_eq(now->stage, before->stage);
}

static void take_progress(struct orc_engine *engine, struct orc_assignment *assignment,
                          const struct orc_progress *progress) {
    double so_far = assignment->progress.fraction;
    if (got_further(&assignment->progress, progress)) {
        assignment->moved_ms = engine->now_ms;
    }
    assignment->progress = *progress;
    assignment->progress.fraction = progress->fraction > so_far ? progress->fraction : so_far; /* never falls */
    assignment->has_progress = true;
    orc_watch_note(engine, assignment->entry, true);
}

static void say_failed(const struct about *about, const struct orc_report *report) {
    cs_log_warn("attempt failed", CS_KV("execution", about->entry->execution->id), CS_KV("job", job_name(about)),
                CS_KVI("attempt", about->attempt), CS_KV("code", report->failed.code),
                CS_KV("message", report->failed.message), CS_KV("trace", about->entry->trace_id));
}

static void take_checkpoint(struct orc_engine *engine, struct orc_assignment *assignment,
                            const struct orc_report *report) {
    struct orc_entry *entry = assignment->entry;
    if (orc_fusion_runs(entry, assignment->job)) { /* it would be that of another job when the run is split */
        if (report->checkpoint.ack_required) {
            orc_assignment_post_saved(engine, assignment, report->checkpoint.sequence);
        }
        return;
    }
    struct orc_event event = {
        .kind = ORC_EVENT_CHECKPOINT,
        .job = assignment->job,
        .attempt = assignment->attempt,
        .payload = report->payload,
        .payload_size = report->payload_size,
    };
    struct orc_effect effect = {
        .kind = ORC_EFFECT_SAVED, .entry = entry, .attempt = {.sequence = report->checkpoint.sequence}};
    memcpy(effect.attempt.fence, assignment->fence, ORC_FENCE_BYTES);
    struct cs_err err = {0};
    if (orc_engine_step(engine, entry, &event, &err) == CS_OK) {
        if (report->checkpoint.ack_required) {
            orc_engine_after_commit(engine, &effect);
        }
        return;
    }
    /* The worker waits for an acknowledgement that cannot come. */
    cs_log_warn("checkpoint refused, failing the attempt", CS_KV("execution", entry->execution->id), CS_KVE(&err));
    orc_assignment_give_up(engine, assignment);
    orc_assignment_post_cancel(engine, assignment, err.message);
    struct orc_event failed = {.kind = ORC_EVENT_FAILED,
                               .job = event.job,
                               .attempt = event.attempt,
                               .failure_class = ORC_FAILURE_INTERNAL,
                               .code = err.reason,
                               .message = err.message,
                               .chance = (uint32_t)cs_random_u64()};
    orc_engine_must_step(engine, entry, &failed);
}

static void count_attempt(struct orc_engine *engine, const struct about *about, bool succeeded) {
    orc_station_count(engine, orc_entry_seat(about->entry, about->job), about->ran_ms, succeeded);
}

static void take_succeeded(struct orc_engine *engine, const struct about *about, const struct orc_report *report) {
    struct orc_event event = {.kind = is_delivery(about) ? ORC_EVENT_DELIVERED : ORC_EVENT_SUCCEEDED,
                              .job = event_job(about->job),
                              .attempt = about->attempt,
                              .payload = report->payload,
                              .payload_size = is_delivery(about) ? 0 : report->payload_size};
    atomic_fetch_add(&engine->counters.jobs_ended, 1);
    count_attempt(engine, about, true);
    if (orc_fusion_runs(about->entry, about->job)) {
        orc_fusion_succeeded(engine, about->entry, &event);
    } else {
        orc_engine_must_step(engine, about->entry, &event);
    }
}

/* The worker had no slot, or stops and gives its work back: not the job's fault. */
static bool take_returned(struct orc_engine *engine, const struct about *about, const struct orc_report *report) {
    if (report->failed.failure_class == ORC_FAILURE_CANCELLED) { /* not by us: then nobody would want to know */
        lose(engine, about->entry, about->job, about->attempt);
        return true;
    }
    if (report->failed.failure_class == ORC_FAILURE_TRANSIENT &&
        (cs_str_eq(report->failed.code, "no_slot") || cs_str_eq(report->failed.code, "draining"))) {
        struct orc_event event = {.kind = is_delivery(about) ? ORC_EVENT_DELIVERY_LOST : ORC_EVENT_RETURNED,
                                  .job = event_job(about->job),
                                  .attempt = about->attempt};
        orc_engine_must_step(engine, about->entry, &event);
        return true;
    }
    return false;
}

/* Whoever notices first that an attempt is over its deadline, the worker or we: clients read one word. */
static const char *code_of(const struct orc_report *report) {
    bool late = report->failed.failure_class == ORC_FAILURE_TIMEOUT && cs_str_eq(report->failed.code, "deadline");
    return late ? "attempt_timeout" : report->failed.code;
}

static void take_failed(struct orc_engine *engine, const struct about *about, const struct orc_report *report) {
    if (take_returned(engine, about, report)) {
        return;
    }
    say_failed(about, report);
    count_attempt(engine, about, false);
    struct orc_event event = {.kind = is_delivery(about) ? ORC_EVENT_DELIVERY_FAILED
                                                         : orc_fusion_failure(engine, about->entry, about->job),
                              .job = event_job(about->job),
                              .attempt = about->attempt,
                              .failure_class = report->failed.failure_class,
                              .code = code_of(report),
                              .message = report->failed.message,
                              .retry_after_ms = report->failed.retry_after_ms,
                              .chance = (uint32_t)cs_random_u64()};
    event.final = report->failed.failure_class == ORC_FAILURE_INVALID_INPUT || cs_str_eq(report->failed.code, "gone");
    orc_engine_must_step(engine, about->entry, &event);
}

/* The last report frees the slot, whether or not anybody still wants the result. */
static void take_final(struct orc_engine *engine, struct orc_assignment *assignment, const struct orc_report *report) {
    struct about about = {.entry = assignment->entry,
                          .job = assignment->job,
                          .attempt = assignment->attempt,
                          .ran_ms = engine->now_ms - assignment->sent_ms};
    memcpy(about.fence, assignment->fence, ORC_FENCE_BYTES);
    orc_assignment_remove(engine, assignment);
    if (about.entry == NULL) {
        atomic_fetch_add(&engine->counters.reports_dropped, 1);
    } else if (report->kind == ORC_REPORT_SUCCEEDED) {
        take_succeeded(engine, &about, report);
    } else {
        take_failed(engine, &about, report);
    }
}

/* Of an attempt that was given up. */
static void take_unwanted(struct orc_engine *engine, struct orc_assignment *assignment,
                          const struct orc_report *report) {
    atomic_fetch_add(&engine->counters.reports_dropped, 1);
    if (report->kind == ORC_REPORT_CHECKPOINT && report->checkpoint.ack_required) {
        orc_assignment_post_saved(engine, assignment, report->checkpoint.sequence);
    }
}

static void say_line(const struct orc_assignment *assignment, const struct orc_report *report) {
    const struct about about = {.entry = assignment->entry, .job = assignment->job};
    cs_log_info("worker says", CS_KV("execution", about.entry->execution->id), CS_KV("job", job_name(&about)),
                CS_KVI("attempt", assignment->attempt), CS_KV("level", report->failed.code),
                CS_KV("message", report->failed.message), CS_KV("trace", about.entry->trace_id));
}

static void take_report(struct orc_engine *engine, struct orc_peer *peer, const struct orc_report *report) {
    if (report->kind == ORC_REPORT_CREDITS) {
        peer->limit = report->limit;
        return;
    }
    struct orc_assignment *assignment = orc_assignment_find(engine, report->fence);
    if (assignment == NULL || assignment->peer != peer || !assignment->sent) {
        atomic_fetch_add(&engine->counters.reports_dropped, 1);
        return;
    }
    assignment->heard_ms = engine->now_ms;
    if (assignment->share != NULL) {
        orc_share_report(engine, assignment, report);
    } else if (report->kind == ORC_REPORT_SUCCEEDED || report->kind == ORC_REPORT_FAILED) {
        take_final(engine, assignment, report);
    } else if (assignment->entry == NULL) {
        take_unwanted(engine, assignment, report);
    } else if (report->kind == ORC_REPORT_PROGRESS) {
        take_progress(engine, assignment, &report->progress);
    } else if (report->kind == ORC_REPORT_CHECKPOINT &&
               !orc_seat_is_delivery(orc_entry_seat(assignment->entry, assignment->job))) {
        take_checkpoint(engine, assignment, report);
    } else if (report->kind == ORC_REPORT_SPREAD) {
        orc_spread_take(engine, assignment, report);
    } else if (report->kind == ORC_REPORT_LOG) {
        say_line(assignment, report);
    }
}

void orc_engine_take_reports(struct orc_engine *engine, struct orc_item *item) {
    struct orc_peer *peer = orc_peer_find(engine, item->link.link);
    for (size_t i = 0; peer != NULL && i < item->link.reports->count; i++) {
        take_report(engine, peer, &item->link.reports->items[i]);
    }
    free(item->link.reports);
}
