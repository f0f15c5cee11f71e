/*
 * report: what a child says, believed only as far as its form goes.
 *
 * Trust    the child may be in an attacker's hands: sizes, UTF-8, lengths and numbers are checked here, so that what
 * the events get can be put in any message or log.
 */
#ifndef CS_RUNNER_REPORT_H
#define CS_RUNNER_REPORT_H

#include "cs/runner.h"

/* NULL when the bytes are not an acceptable report. Caller frees with callsheet__v1__runner_report__free_unpacked. */
Callsheet__V1__RunnerReport *cs_runner_report_parse(const uint8_t *bytes, size_t size_bytes);

#endif
