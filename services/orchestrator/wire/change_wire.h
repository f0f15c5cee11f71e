/*
 * change_wire: changes of an execution that is under way -> what its plan and its log take.
 *
 * First on any thread what can be checked alone; then, with the plan at hand, orc_change_fit.
 *
 * Owns     a change is one arena.
 * Reasons  as in plan_wire.h; "no_jobs", "too_many_jobs", "job_exists", "no_such_job", "internal_field",
 *          "type_mismatch", "other_operation".
 * Threads  pure.
 * Trust    requests come from clients.
 */
#ifndef ORC_WIRE_CHANGE_WIRE_H
#define ORC_WIRE_CHANGE_WIRE_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/execution.h"

struct orc_change {
    struct cs_arena *arena; /* holds everything, and itself */
    enum orc_event_kind kind;
    const char *job; /* EDITED, REMOVED: its id */
    bool cascade;
    Callsheet__V1__Plan *plan; /* APPENDED: the jobs; EDITED: one, without id */
    struct orc_job_draft *drafts;
    /* below: by orc_change_fit */
    bool done; /* APPENDED: all of them are there already */
    uint32_t index;
    struct orc_addition addition;
    const void *payload;
    size_t payload_size;
};
void orc_change_destroy(struct orc_change *change); /* NULL is fine */
CS_DEFINE_AUTO(orc_change, orc_change_destroy)

enum cs_status orc_change_from_append(const Callsheet__V1__AppendJobsRequest *request, struct orc_change **ret_change,
                                      struct cs_err *err) CS_MUST_USE;
/* Jobs that the orchestrator made itself (the items of a map); the plan's arena stays the caller's. */
enum cs_status orc_change_from_items(Callsheet__V1__Plan *plan, struct orc_change **ret_change,
                                     struct cs_err *err) CS_MUST_USE;
enum cs_status orc_change_from_edit(const Callsheet__V1__EditJobRequest *request, struct orc_change **ret_change,
                                    struct cs_err *err) CS_MUST_USE;
enum cs_status orc_change_from_remove(const Callsheet__V1__RemoveJobRequest *request, struct orc_change **ret_change,
                                      struct cs_err *err) CS_MUST_USE;

/* Against the plan as it is: what is there already is left out, types are compared. Then the rest is the domain's to
 * say. */
enum cs_status orc_change_fit(struct orc_change *change, const struct orc_plan *plan, struct cs_err *err) CS_MUST_USE;

/* The payload of an APPENDED or EDITED event -> its addition, in the arena. DATA_LOSS "bad_event_row". */
enum cs_status orc_addition_from_log(enum orc_event_kind kind, const void *payload, size_t size_bytes,
                                     struct cs_arena *arena, const struct orc_addition **ret_addition,
                                     struct cs_err *err) CS_MUST_USE;

#endif
