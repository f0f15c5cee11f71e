/*
 * Submissions that build on another execution: one with a base, a retry, a rerun. Its row is read first; everything
 * here runs on the caller's thread or a reader's, and ends with a submission like any other.
 */
#include <string.h>

#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/crypto.h"
#include "cs/rpc.h"
#include "engine/event_wire.h"
#include "engine/internal.h"
#include "wire/again.h"
#include "wire/base.h"
#include "wire/request_check.h"

enum { RETRIES_FOLLOWED_MAX = 100 }; /* from a retry to its retry */

struct building {
    struct orc_engine *engine;
    struct cs_arena *arena; /* holds this */
    struct cs_trace trace;
    orc_created_fn *done;
    void *ctx;
    const char *tenant;
    const char *key;                                   /* the client's, "" none */
    unsigned char request_sha256[32];                  /* on a base */
    Callsheet__V1__CreateExecutionRequest *on_base;    /* or NULL */
    const Callsheet__V1__RerunExecutionRequest *rerun; /* or NULL */
    char earlier[CS_ID_SIZE];                          /* retry: which */
    int followed;
};

static struct building *start(struct orc_engine *engine, const struct cs_trace *trace, orc_created_fn *done,
                              void *ctx) {
    struct cs_arena *arena = cs_arena_create();
    struct building *building = cs_arena_alloc(arena, sizeof(*building));
    *building = (struct building){
        .engine = engine, .arena = arena, .trace = *trace, .done = done, .ctx = ctx, .tenant = "", .key = ""};
    return building;
}

static void end(struct building *building, const struct cs_err *err) {
    orc_engine_answered(building->engine);
    if (err != NULL) {
        building->done(NULL, err, building->ctx);
    }
    cs_arena_destroy(building->arena);
}

static void submit(struct building *building, struct orc_submission *submission) {
    struct orc_engine *engine = building->engine;
    orc_created_fn *done = building->done;
    void *ctx = building->ctx;
    end(building, NULL); /* the submission counts for itself */
    orc_engine_submit(engine, submission, done, ctx);
}

static enum cs_status check_key(const char *key, struct cs_err *err) {
    Callsheet__V1__CreateExecutionRequest request = CALLSHEET__V1__CREATE_EXECUTION_REQUEST__INIT;
    request.tenant = (char *)"checked"; /* already, like all the rest of it */
    request.idempotency_key = (char *)key;
    return orc_request_check(&request, err);
}

/* ---- on a base ---- */

static enum cs_status make_on_base(struct building *building, const struct orc_stored *item,
                                   struct orc_submission **ret_submission, struct cs_err *err) {
    struct orc_base base = {0};
    CS_TRY(orc_base_read(item->id, (enum orc_execution_state)item->state, item->request, item->request_size,
                         item->summary, item->summary_size, building->arena, &base, err));
    CS_TRY(orc_base_resolve(building->on_base, &base, building->arena, err));
    struct orc_submission *submission = NULL;
    CS_TRY(orc_submission_resolved(building->on_base, building->request_sha256, &building->trace, &submission, err));
    if (base.summary != NULL) {
        submission->reuses = orc_reuses_of_base(submission->plan, base.summary, submission->arena);
    }
    *ret_submission = submission;
    return CS_OK;
}

/* A request that is repeated has its execution, whatever has become of the base. */
static void refuse_on_base(struct building *building, const struct cs_err *err) {
    if (cs_str_empty(building->key)) {
        end(building, err);
        return;
    }
    orc_engine_answer_key(building->engine, building->tenant, building->key, building->request_sha256, err,
                          building->done, building->ctx);
    cs_arena_destroy(building->arena);
}

static void on_base(const struct orc_stored *item, const struct cs_err *err, void *ctx) {
    struct building *building = ctx;
    struct orc_submission *submission = NULL;
    struct cs_err why = {0};
    if (item == NULL) {
        why = *err;
        if (err->status == CS_NOT_FOUND) {
            (void)orc_base_not_found(building->on_base->base_execution_id, &why);
        }
        refuse_on_base(building, &why);
    } else if (make_on_base(building, item, &submission, &why) != CS_OK) {
        refuse_on_base(building, &why);
    } else {
        submit(building, submission);
    }
}

static enum cs_status check_on_base(struct building *building, Callsheet__V1__CreateExecutionRequest *request,
                                    struct cs_err *err) {
    CS_TRY(orc_request_check(request, err));
    CS_TRY(orc_request_check_internal(request, err));
    size_t size = protobuf_c_message_get_packed_size(&request->base);
    uint8_t *bytes = cs_arena_alloc(building->arena, size);
    (void)protobuf_c_message_pack(&request->base, bytes);
    cs_sha256_of(bytes, size, building->request_sha256);
    return cs_id_valid(request->base_execution_id, CS_ID_LENGTH) ? CS_OK
                                                                 : orc_base_not_found(request->base_execution_id, err);
}

void orc_engine_submit_on_base(struct orc_engine *engine, Callsheet__V1__CreateExecutionRequest *request,
                               const struct cs_trace *trace, orc_created_fn *done, void *ctx) {
    struct building *building = start(engine, trace, done, ctx);
    struct cs_err err = {0};
    if (orc_engine_enter(engine, &err) != CS_OK) {
        cs_arena_destroy(building->arena);
        done(NULL, &err, ctx);
        return;
    }
    building->on_base = request;
    building->tenant = request->tenant;
    building->key = request->idempotency_key;
    if (check_on_base(building, request, &err) != CS_OK) {
        end(building, &err);
        return;
    }
    orc_readers_get(engine->readers, request->tenant, request->base_execution_id, NULL, on_base, building);
}

/* ---- again ---- */

struct looking {
    const struct building *building;
    const char *id;
    struct orc_stored *row;
};

static enum cs_status look(struct orc_store *store, void *ctx, struct cs_err *err) {
    struct looking *looking = ctx;
    return orc_store_get_log(store, looking->building->tenant, looking->id, looking->building->arena, &looking->row,
                             err);
}

/* What has become of its plan is in its log. */
static enum cs_status read_changes(const struct building *building, struct orc_earlier *earlier, struct cs_err *err) {
    struct looking looking = {.building = building, .id = earlier->id};
    CS_TRY(orc_readers_lend(building->engine->readers, look, &looking, err));
    struct orc_event *events = cs_arena_array(building->arena, looking.row->event_count, sizeof(*events));
    for (size_t i = 0; i < looking.row->event_count; i++) {
        const struct orc_row_event *row = &looking.row->events[i];
        if (row->kind == ORC_EVENT_APPENDED || row->kind == ORC_EVENT_EDITED || row->kind == ORC_EVENT_REMOVED) {
            CS_TRY(orc_event_from_row(row, building->arena, &events[earlier->event_count++], err));
        }
    }
    earlier->events = events;
    return CS_OK;
}

static void on_earlier(const struct orc_stored *item, const struct cs_err *err, void *ctx) {
    struct building *building = ctx;
    struct orc_submission *submission = NULL;
    struct cs_err why = {0};
    if (item == NULL) {
        end(building, err);
        return;
    }
    struct orc_earlier earlier = {item->id,      (enum orc_execution_state)item->state,
                                  item->request, item->request_size,
                                  item->summary, item->summary_size};
    if (read_changes(building, &earlier, &why) != CS_OK) {
        end(building, &why);
        return;
    }
    enum cs_status status = building->rerun != NULL
                                ? orc_rerun_from(&earlier, building->rerun, &building->trace, &submission, &why)
                                : orc_retry_from(&earlier, cs_str_empty(building->key) ? NULL : building->key,
                                                 &building->trace, &submission, &why);
    if (status != CS_OK) {
        end(building, &why);
    } else {
        submit(building, submission);
    }
}

static void read_earlier(struct building *building) {
    orc_readers_get(building->engine->readers, building->tenant, building->earlier, NULL, on_earlier, building);
}

static void find_retry(struct building *building);

static bool can_be_retried(const struct orc_stored *item) {
    return item->state == ORC_EXECUTION_FAILED || item->state == ORC_EXECUTION_CANCELLED;
}

/* An execution is retried once; what comes after the end of the retry is a retry of that. */
static void on_retry(const struct orc_stored *item, const struct cs_err *err, void *ctx) {
    struct building *building = ctx;
    if (item == NULL && err->status == CS_NOT_FOUND) {
        read_earlier(building);
    } else if (item == NULL) {
        end(building, err);
    } else if (can_be_retried(item) && building->followed++ < RETRIES_FOLLOWED_MAX) {
        cs_str_copy(building->earlier, sizeof(building->earlier), item->id);
        find_retry(building);
    } else {
        orc_engine_reply_existing(item, building->done, building->ctx);
        end(building, NULL);
    }
}

static void find_retry(struct building *building) {
    char key[ORC_AGAIN_KEY_SIZE];
    orc_retry_key(building->earlier, key);
    orc_readers_get(building->engine->readers, building->tenant, NULL, key, on_retry, building);
}

static bool enter_again(struct building *building, const char *tenant, const char *id, const char *key) {
    struct cs_err err = {0};
    if (orc_engine_enter(building->engine, &err) != CS_OK) {
        building->done(NULL, &err, building->ctx);
        cs_arena_destroy(building->arena);
        return false;
    }
    if (check_key(key, &err) != CS_OK) {
        end(building, &err);
        return false;
    }
    building->tenant = cs_arena_strdup(building->arena, tenant);
    building->key = cs_arena_strdup(building->arena, key);
    cs_str_copy(building->earlier, sizeof(building->earlier), id);
    return true;
}

void orc_engine_retry(struct orc_engine *engine, const Callsheet__V1__RetryExecutionRequest *request,
                      const struct cs_trace *trace, orc_created_fn *done, void *ctx) {
    struct building *building = start(engine, trace, done, ctx);
    if (!enter_again(building, request->tenant, request->execution_id, request->idempotency_key)) {
        return;
    }
    if (cs_str_empty(request->idempotency_key)) {
        find_retry(building);
    } else {
        read_earlier(building);
    }
}

void orc_engine_rerun(struct orc_engine *engine, const Callsheet__V1__RerunExecutionRequest *request,
                      const struct cs_trace *trace, orc_created_fn *done, void *ctx) {
    struct building *building = start(engine, trace, done, ctx);
    if (!enter_again(building, request->tenant, request->execution_id, request->idempotency_key)) {
        return;
    }
    size_t size = protobuf_c_message_get_packed_size(&request->base);
    uint8_t *bytes = cs_arena_alloc(building->arena, size);
    (void)protobuf_c_message_pack(&request->base, bytes);
    ProtobufCMessage *copy = NULL;
    struct cs_err err = {0};
    if (cs_rpc_message_unpack_arena(&callsheet__v1__rerun_execution_request__descriptor, bytes, size, building->arena,
                                    &copy, &err) != CS_OK) {
        end(building, &err);
        return;
    }
    building->rerun = (const Callsheet__V1__RerunExecutionRequest *)copy;
    read_earlier(building);
}
