/*
 * event_wire: an event of the log <-> the bytes that its row keeps (callsheet.v1.EventPayload).
 *
 * Kind, job, attempt and time are columns of the row. Chance is not kept: what was decided with it is.
 *
 * Owns     bytes and strings live in the arena; an event that was read points into it.
 * Fails    DATA_LOSS "bad_event_row" when stored bytes do not unpack.
 * Threads  pure.
 */
#ifndef ORC_ENGINE_EVENT_WIRE_H
#define ORC_ENGINE_EVENT_WIRE_H

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "domain/execution.h"
#include "store/store.h"

/* After the step that took the event; execution names the row's. */
void orc_event_to_row(const struct orc_event *event, const char *execution, uint64_t seq, struct cs_arena *arena,
                      struct orc_row_event *ret_row);
enum cs_status orc_event_from_row(const struct orc_row_event *row, struct cs_arena *arena, struct orc_event *ret_event,
                                  struct cs_err *err) CS_MUST_USE;

#endif
