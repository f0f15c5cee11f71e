/* Submissions: at the door, on the engine's thread, and when their key is taken. */
#include <string.h>

#include "cs/base/id.h"
#include "domain/execution_id.h"
#include "engine/internal.h"

/* ---- at the door, on the caller's thread ---- */

void orc_engine_submit(struct orc_engine *engine, struct orc_submission *submission, orc_created_fn *done, void *ctx) {
    struct cs_err err = {0};
    if (orc_engine_enter_with(engine, submission->request_size, &err) != CS_OK) {
        orc_submission_destroy(submission);
        done(NULL, &err, ctx);
        return;
    }
    struct orc_item *item = orc_item_create(ORC_ITEM_SUBMIT);
    item->submit.submission = submission;
    item->submit.done = done;
    item->submit.ctx = ctx;
    if (!orc_queue_put(&engine->queue, item)) { /* what was looked up before came back too late */
        free(item);
        orc_engine_bytes_taken(engine, submission->request_size);
        orc_submission_destroy(submission);
        orc_engine_answered(engine);
        (void)cs_fail(&err, CS_UNAVAILABLE, "stopping", "the orchestrator is about to stop");
        done(NULL, &err, ctx);
    }
}

/* ---- on the engine's thread ---- */

static struct orc_entry *entry_of(struct orc_engine *engine, struct orc_submission *submission) {
    char id[CS_ID_SIZE];
    cs_id_make(id);
    orc_execution_id_date(id, engine->now_ms);
    struct orc_execution *execution =
        orc_execution_create(id, submission->tenant, submission->plan, engine->now_ms,
                             engine->now_ms + submission->timeout_ms, submission->has_webhook);
    struct orc_entry *entry = orc_entry_create(execution, submission->arena, submission->envelope, &submission->trace);
    entry->request = submission->request;
    return entry;
}

static bool is_small(const struct orc_entry *entry) {
    return entry->execution->plan->job_count <= ORC_EXPRESS_JOBS_MAX && entry->holder->slots <= ORC_EXPRESS_OPEN_MAX;
}

/* By which its row gets into the database. */
static struct orc_track *choose_track(struct orc_engine *engine, const struct orc_entry *entry) {
    bool busy = engine->tracks[ORC_TRACK_MAIN].committing != NULL;
    return &engine->tracks[busy && is_small(entry) ? ORC_TRACK_EXPRESS : ORC_TRACK_MAIN];
}

static void add_row(const struct orc_entry *entry, const struct orc_submission *submission) {
    struct orc_row_created *row = orc_batch_add_created(entry->track->filling);
    *row = (struct orc_row_created){
        .id = entry->execution->id,
        .tenant = entry->execution->tenant,
        .idempotency_key = submission->idempotency_key,
        .request = submission->request,
        .request_size = submission->request_size,
        .created_at_ms = entry->execution->created_at_ms,
        .wake_at_ms = entry->execution->deadline_ms,
        .traceparent = entry->traceparent,
        .origin = submission->origin,
    };
    memcpy(row->request_sha256, submission->request_sha256, sizeof(row->request_sha256));
}

void orc_engine_take_submit(struct orc_engine *engine, struct orc_item *item) {
    struct orc_submission *submission = item->submit.submission;
    if (engine->recovering) {
        struct cs_err err = {0};
        orc_engine_refuse_recovering(&err);
        orc_engine_bytes_taken(engine, submission->request_size);
        orc_submission_destroy(submission);
        orc_engine_answered(engine);
        item->submit.done(NULL, &err, item->submit.ctx);
        return;
    }
    struct orc_entry *entry =
        entry_of(engine, submission); /* the arena, and the submission with it, is the entry's now */
    orc_engine_add(engine, entry);
    entry->track = choose_track(engine, entry);
    add_row(entry, submission);
    orc_engine_touch(engine,
                     entry); /* its timer is set when it begins: nothing happens to it before its row is there */
    struct orc_effect effect = {
        .kind = ORC_EFFECT_CREATED,
        .entry = entry,
        .created = {.row = entry->track->filling->created_count - 1,
                    .done = item->submit.done,
                    .ctx = item->submit.ctx},
    };
    orc_batch_add_effect(entry->track->filling, &effect);
    for (size_t i = 0; i < submission->reuses.count; i++) {
        orc_engine_reuse(engine, entry, &submission->reuses, i);
    }
    orc_timer_set(&engine->timers, &entry->timer, INT64_MAX); /* reusing set it */
    if (entry->track == &engine->tracks[ORC_TRACK_EXPRESS]) {
        orc_track_commit_if_free(entry->track); /* now: the turn may have much to do still */
    }
}

/* ---- a submission whose key is taken ---- */

struct repeated {
    struct orc_engine *engine;
    unsigned char request_sha256[32];
    struct cs_err otherwise; /* what to say when the key is not taken; CS_OK: as the reader does */
    orc_created_fn *done;
    void *ctx;
};

static enum cs_status check_same(const struct repeated *repeated, const struct orc_stored *item, struct cs_err *err) {
    if (memcmp(item->request_sha256, repeated->request_sha256, sizeof(repeated->request_sha256)) != 0) {
        (void)cs_fail(err, CS_ALREADY_EXISTS, "idempotency_key_reused",
                      "the idempotency key belongs to an execution with another plan");
        return cs_err_at(err, "idempotencyKey");
    }
    return CS_OK;
}

void orc_engine_reply_existing(const struct orc_stored *item, orc_created_fn *done, void *ctx) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    ProtobufCMessage *request = NULL;
    struct cs_err err = {0};
    Callsheet__V1__CreateExecutionReply reply = CALLSHEET__V1__CREATE_EXECUTION_REPLY__INIT;
    if (cs_rpc_message_unpack_arena(&callsheet__v1__create_execution_request__descriptor, item->request,
                                    item->request_size, arena, &request, &err) != CS_OK) {
        done(NULL, &err, ctx);
        return;
    }
    reply.execution_id = (char *)item->id;
    reply.state = (Callsheet__V1__ExecutionState)item->state;
    reply.created_at_ms = item->created_at_ms;
    reply.existing = true;
    reply.retry_of = ((const Callsheet__V1__CreateExecutionRequest *)request)->retry_of;
    done(&reply, NULL, ctx);
}

static void answer_repeated(const struct orc_stored *item, const struct cs_err *err, void *ctx) {
    struct repeated *repeated = ctx;
    struct cs_err why = err != NULL ? *err : (struct cs_err){0};
    if (item == NULL && why.status == CS_NOT_FOUND && repeated->otherwise.status != CS_OK) {
        why = repeated->otherwise;
    }
    orc_engine_answered(repeated->engine);
    if (item == NULL || check_same(repeated, item, &why) != CS_OK) {
        repeated->done(NULL, &why, repeated->ctx);
    } else {
        orc_engine_reply_existing(item, repeated->done, repeated->ctx);
    }
    free(repeated);
}

void orc_engine_answer_key(struct orc_engine *engine, const char *tenant, const char *key,
                           const unsigned char *request_sha256, const struct cs_err *otherwise, orc_created_fn *done,
                           void *ctx) {
    struct repeated *repeated = cs_alloc(sizeof(*repeated));
    repeated->engine = engine;
    repeated->done = done;
    repeated->ctx = ctx;
    if (otherwise != NULL) {
        repeated->otherwise = *otherwise;
    }
    memcpy(repeated->request_sha256, request_sha256, sizeof(repeated->request_sha256));
    orc_readers_get(engine->readers, tenant, NULL, key, answer_repeated, repeated);
}

void orc_engine_answer_duplicate(struct orc_engine *engine, const struct orc_row_created *row,
                                 const struct orc_effect *effect) {
    effect->entry->unwanted = true;
    orc_engine_answer_key(engine, row->tenant, row->idempotency_key, row->request_sha256, NULL, effect->created.done,
                          effect->created.ctx);
}
