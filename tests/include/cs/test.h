/*
 * test: a thin layer over cmocka.
 *
 *     TEST(lease_expires_when_worker_is_silent) { … assert_int_equal(…) … }
 *     TEST_MAIN(CS_TEST(lease_expires_when_worker_is_silent))
 *
 * cmocka's assertions belong on the test's own thread.
 */
#ifndef CS_TEST_H
#define CS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cs/base/err.h"

#define TEST(name) static void name(__attribute__((unused)) void **cs_test_state)
#define CS_TEST(name) cmocka_unit_test(name)
#define TEST_MAIN(...)                                                                                                 \
    int main(void) {                                                                                                   \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                                                               \
        return cmocka_run_group_tests(tests, NULL, NULL);                                                              \
    }

/* The call succeeds; shows its error otherwise. */
#define assert_ok(call, err)                                                                                           \
    do {                                                                                                               \
        if ((call) != CS_OK) {                                                                                         \
            fail_msg("%s: %s (%s) at \"%s\"", #call, (err)->message, (err)->reason, (err)->path);                      \
        }                                                                                                              \
    } while (0)

/* The call fails with this status and reason. */
#define assert_fails(call, err, want_status, want_reason)                                                              \
    do {                                                                                                               \
        assert_int_equal((call), (want_status));                                                                       \
        assert_string_equal((err)->reason, (want_reason));                                                             \
    } while (0)

#endif
