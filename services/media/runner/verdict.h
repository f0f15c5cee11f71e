/*
 * verdict: what the end of a child means, as a failure that the retry policy understands.
 */
#ifndef MED_VERDICT_H
#define MED_VERDICT_H

#include <stdbool.h>

#include "callsheet/v1/worker.pb-c.h"

/* Exit codes of a child. */
enum {
    MED_CHILD_REPORTED = 0,     /* its own last report counts */
    MED_CHILD_NOT_REPORTED = 1, /* the pipe was gone */
};

/* wait_status as of waitpid; killed: we sent SIGKILL. True when the child's own report counts, else *ret_failed (its
 * strings are literals). */
bool med_verdict(int wait_status, bool killed, Callsheet__V1__Failed *ret_failed);

#endif
