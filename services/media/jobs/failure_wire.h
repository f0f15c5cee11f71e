/*
 * failure_wire: failures of others as errors of ours. lib/worker turns errors into failure classes again when they are
 * reported.
 *
 * An error's reason is the failure's code, its message the sentence.
 */
#ifndef MED_FAILURE_WIRE_H
#define MED_FAILURE_WIRE_H

#include "callsheet/v1/worker.pb-c.h"
#include "cs/base/err.h"

/* What the runner reports. Fills ret_err and returns its status. */
enum cs_status med_failure_from_wire(const Callsheet__V1__Failed *failed, struct cs_err *ret_err);

/* Storage that cannot be read or written is nobody's input: another try, perhaps elsewhere, may work. Full disks and
 * objects beyond their limit stay what they are. Changes err and returns its status. */
enum cs_status med_failure_of_storage(struct cs_err *err);

#endif
