/* Plans that change under way: jobs are appended, edited, removed. */
#include "cs/base/log.h"
#include "engine/internal.h"
#include "wire/change_wire.h"

void orc_engine_change(struct orc_engine *engine, const char *tenant, const char *id, struct orc_change *change,
                       orc_read_fn *done, void *ctx) {
    struct cs_err err = {0};
    size_t size = change->plan != NULL ? protobuf_c_message_get_packed_size(&change->plan->base) : 0;
    if (orc_engine_enter_with(engine, size, &err) != CS_OK) {
        orc_change_destroy(change);
        done(NULL, &err, ctx);
        return;
    }
    struct orc_item *item = orc_engine_named_item(ORC_ITEM_CHANGE, tenant, id);
    item->size_bytes = size;
    item->read.change = change;
    item->read.done = done;
    item->read.ctx = ctx;
    orc_engine_put(engine, item);
}

static enum cs_status apply(struct orc_engine *engine, struct orc_entry *entry, struct orc_change *change,
                            struct cs_err *err) {
    if (orc_execution_terminal(entry->execution)) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "already_ended", "the execution has already ended");
    }
    CS_TRY(orc_change_fit(change, entry->execution->plan, err));
    if (change->done) {
        return CS_OK;
    }
    struct orc_event event = {
        .kind = change->kind,
        .job = change->index,
        .addition = change->kind == ORC_EVENT_REMOVED ? NULL : &change->addition,
        .cascade = change->cascade,
        .payload = change->payload,
        .payload_size = change->payload_size,
    };
    CS_TRY(orc_engine_step(engine, entry, &event, err));
    cs_log_info("plan changed", CS_KV("execution", entry->execution->id), CS_KVI("kind", change->kind),
                CS_KVI("jobs", entry->execution->plan->job_count), CS_KV("trace", entry->trace_id));
    return CS_OK;
}

void orc_engine_take_change(struct orc_engine *engine, struct orc_item *item) {
    CS_AUTO(orc_change) *change = item->read.change;
    struct orc_entry *entry = orc_engine_find_for(engine, item);
    struct cs_err err = {0};
    if (entry == NULL) {
        return;
    }
    bool ok = apply(engine, entry, change, &err) == CS_OK;
    orc_engine_answer_from(engine, entry, item, ok ? NULL : &err);
}
