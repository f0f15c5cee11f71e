/* Decisions about what awaits an approval: of people, and of deadlines. */
#include <string.h>

#include "cs/base/log.h"
#include "cs/base/text.h"
#include "domain/fsm.h"
#include "engine/internal.h"
#include "wire/approval_wire.h"

/* What a client asks for; waits in the queue. */
struct orc_decide {
    char job[ORC_JOB_ID_BYTES_MAX + 1]; /* "": the whole */
    bool approve;
    char by[ORC_APPROVER_BYTES_MAX + 1];
    char comment[ORC_APPROVAL_COMMENT_BYTES_MAX + 1];
};

void orc_engine_decide(struct orc_engine *engine, const Callsheet__V1__DecideApprovalRequest *request,
                       orc_read_fn *done, void *ctx) {
    struct cs_err err = {0};
    if (orc_engine_enter(engine, &err) != CS_OK) {
        done(NULL, &err, ctx);
        return;
    }
    struct orc_item *item = orc_engine_named_item(ORC_ITEM_DECIDE, request->tenant, request->execution_id);
    struct orc_decide *decide = cs_alloc(sizeof(*decide));
    cs_str_copy(decide->job, sizeof(decide->job), request->job_id);
    cs_str_copy(decide->by, sizeof(decide->by), request->by);
    cs_str_copy(decide->comment, sizeof(decide->comment), request->comment);
    decide->approve = request->approve;
    item->read.decide = decide;
    item->read.done = done;
    item->read.ctx = ctx;
    orc_engine_put(engine, item);
}

static void count(struct orc_engine *engine, const struct orc_entry *entry, const struct orc_event *event) {
    bool approved = event->kind == ORC_EVENT_APPROVED;
    atomic_fetch_add(approved ? &engine->counters.approved : &engine->counters.rejected, 1);
    cs_log_info(approved ? "approved" : "rejected", CS_KV("execution", entry->execution->id),
                CS_KV("job", event->whole ? "" : entry->execution->plan->jobs[event->job].id), CS_KV("by", event->by),
                CS_KV("trace", entry->trace_id));
}

/* ---- people ---- */

static enum cs_status apply(struct orc_engine *engine, struct orc_entry *entry, const struct orc_decide *decide,
                            struct cs_err *err) {
    const struct orc_plan *plan = entry->execution->plan;
    bool whole = decide->job[0] == '\0';
    int32_t job = whole ? 0 : orc_plan_find(plan, decide->job);
    if (job < 0 || (!whole && plan->jobs[job].hidden)) {
        return cs_fail(err, CS_NOT_FOUND, "no_such_job", "the execution has no job of this id");
    }
    struct orc_event event = {
        .kind = decide->approve ? ORC_EVENT_APPROVED : ORC_EVENT_REJECTED,
        .job = (uint32_t)job,
        .whole = whole,
        .by = decide->by,
        .message = decide->comment,
    };
    CS_TRY(orc_engine_step(engine, entry, &event, err));
    count(engine, entry, &event);
    return CS_OK;
}

void orc_engine_take_decide(struct orc_engine *engine, struct orc_item *item) {
    CS_AUTO_FREE struct orc_decide *decide = item->read.decide;
    struct orc_entry *entry = orc_engine_find_for(engine, item);
    struct cs_err err = {0};
    if (entry == NULL) {
        return;
    }
    bool ok = apply(engine, entry, decide, &err) == CS_OK;
    orc_engine_answer_from(engine, entry, item, ok ? NULL : &err);
}

enum cs_status orc_engine_decided_late(int state, struct cs_err *err) {
    bool known = state > ORC_EXECUTION_NONE && state < ORC_EXECUTION_STATES;
    return cs_fail(err, CS_FAILED_PRECONDITION, "not_awaiting_approval",
                   "the execution does not await an approval: it is %s",
                   orc_execution_fsm.state_names[known ? state : ORC_EXECUTION_NONE]);
}

/* ---- deadlines ---- */

static void expire(struct orc_engine *engine, struct orc_entry *entry, const struct orc_approval_rule *rule,
                   struct orc_event event) {
    event.kind = rule->approves ? ORC_EVENT_APPROVED : ORC_EVENT_REJECTED;
    event.by = ORC_BY_DEADLINE;
    orc_engine_must_step(engine, entry, &event);
    count(engine, entry, &event);
}

void orc_engine_expire_approval(struct orc_engine *engine, struct orc_entry *entry, uint32_t job) {
    expire(engine, entry, entry->execution->plan->jobs[job].approval, (struct orc_event){.job = job});
}

void orc_engine_expire_approval_of_whole(struct orc_engine *engine, struct orc_entry *entry) {
    expire(engine, entry, entry->execution->plan->approval, (struct orc_event){.whole = true});
}
