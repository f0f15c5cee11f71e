/*
 * map_wire: the jobs that a map makes, and what it makes of their results.
 *
 * The template and the items are JSON. Placeholders are filled in its values, never in text that is parsed afterwards;
 * the outcome is read as a typed Job and checked like one that a client sends.
 *
 * Reasons  "bad_template", "bad_item", "bad_placeholder", "no_such_member", "nested_map", "bad_id", and those of
 * cs/json.h.
 * Limits   ORC_MAP_ITEM_BYTES_MAX, ORC_MAP_PARALLEL_*; the number of items and the size of all as in cs/catalog.h.
 * Threads  pure.
 * Trust    template and items come from clients.
 */
#ifndef ORC_WIRE_MAP_WIRE_H
#define ORC_WIRE_MAP_WIRE_H

#include "callsheet/v1/orchestrator.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/execution.h"

enum {
    ORC_MAP_ITEM_BYTES_MAX = 64 * 1024,
    ORC_MAP_PARALLEL_DEFAULT = 4,
    ORC_MAP_ID_ROOM = 5, /* of the items' ids: ".999" and one */
};

/* What the items are, beside the list in the map itself. */
struct orc_map_source {
    const char *job; /* whose outputs they are, or NULL */
    const Callsheet__V1__Succeeded *result;
};

/* The jobs of all items, in order, in the arena: with id, parent and index, not checked any further. err->path is
 * relative to the map's parameters. */
enum cs_status orc_map_expand(const Callsheet__V1__Map *map, const char *id, const struct orc_map_source *source,
                              struct cs_arena *arena, Callsheet__V1__Plan **ret_plan, struct cs_err *err) CS_MUST_USE;

bool orc_map_leaves_out(const Callsheet__V1__Map *map, size_t index);

/* At submit: the items of the list (or, for those that a job will give, a made-up one) make good jobs. The jobs that
 * they name become dependencies of the map. */
enum cs_status orc_map_check(Callsheet__V1__Job *job, struct cs_arena *arena, struct cs_err *err) CS_MUST_USE;

/* What the outputs of a map are: those of its items. */
int orc_map_output_type(const Callsheet__V1__Map *map);

/* Of the items of a map that have ended. */
struct orc_map_outcome {
    bool due;                               /* it can end */
    const Callsheet__V1__Succeeded *result; /* or NULL: it has failed */
    enum orc_failure_class failure_class;
    const char *code; /* "item_failed", "all_items_failed" */
    const char *message;
};
enum cs_status orc_map_outcome(const struct orc_execution *execution, uint32_t map, struct cs_arena *arena,
                               struct orc_map_outcome *ret_outcome, struct cs_err *err) CS_MUST_USE;

/* Items of a merge that name a map become one item for each of its outputs; `planned` (a copy) gets the inputs that go
 * with them. Other operations, and merges that name none, stay. INVALID_ARGUMENT "too_many_inputs". */
enum cs_status orc_map_spread(const struct orc_execution *execution, struct orc_plan_job *planned,
                              Callsheet__V1__Operation *operation, struct cs_arena *arena,
                              struct cs_err *err) CS_MUST_USE;

#endif
