/*
 * dialect_cases: bodies as clients send them, and how they must be read.
 */
#ifndef GW_TESTS_DIALECT_CASES_H
#define GW_TESTS_DIALECT_CASES_H

#include "cs/test.h"

/* A body must be refused with this path and reason. */
struct bad_body {
    const char *body;
    const char *path;
    const char *reason;
};
void assert_body_refused(const struct bad_body *cases, size_t count);

/* The tests of bad bodies, which fill a file of their own. */
extern const struct CMUnitTest bad_body_tests[];
extern const size_t bad_body_test_count;

#endif
