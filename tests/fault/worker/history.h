/*
 * history: what a worker did, a line for each beginning and end, in one file for all lives of all workers.
 *
 *     MICROSECONDS WORD EXECUTION JOB ATTEMPT OUTPUT-PREFIX INPUT,INPUT…    (Unix time; the prefix has the fence in it)
 *
 * A line is one write to a file opened for appending: it is there, whole, also when the process is killed right after.
 * A beginning is written before anything is done, an end before it is reported: what was reported is in the history.
 *
 * Threads  any, after history_open.
 */
#ifndef FAULT_HISTORY_H
#define FAULT_HISTORY_H

#include "callsheet/v1/worker.pb-c.h"
#include "cs/base/err.h"

enum cs_status history_open(const char *path, struct cs_err *err) CS_MUST_USE;
void history_write(const char *word, const Callsheet__V1__Assign *assign);

#endif
