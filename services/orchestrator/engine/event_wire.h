/*
 * event_wire: an event of the log <-> the bytes that its row keeps (callsheet.v1.EventPayload).
 *
 * Kind, job, attempt and time are columns of the row. Chance is not kept: what was decided with it is.
 *
 * Each row has the version of the program that wrote it, ORC_LOG_VERSION. A new fact is a new field, which old events
 * lack: that needs no new version. What a new program writes and an old one would misread does; then ORC_LOG_VERSION
 * rises, and an up-caster makes of an event of the version before what it would be now. The domain sees events of today
 * only.
 *
 *     1  the first releases
 *     2  an event that is about no job has job 0; deliveries had the number of jobs then, which may be a job by now
 *     3  jobs may be done in one run (kinds 17 and 18)
 *
 * Owns     bytes and strings live in the arena; an event that was read points into it.
 * Fails    DATA_LOSS "bad_event_row" when stored bytes do not unpack; FAILED_PRECONDITION "log_newer" for a version
 *          that is not known.
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
