#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cs/base/auto.h"
#include "cs/svc.h"
#include "cs/test.h"

TEST(ready_line_names_the_address_and_closes) {
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    cs_svc_ready(fds[1], "127.0.0.1:7");
    char line[64] = "";
    assert_int_equal(read(fds[0], line, sizeof(line) - 1), 18);
    assert_string_equal(line, "ready 127.0.0.1:7\n");
    assert_int_equal(read(fds[0], line, sizeof(line)), 0);
    (void)close(fds[0]);
}

TEST(a_request_ends_the_wait) {
    struct cs_err err = {0};
    assert_ok(cs_svc_start("test", "off", &err), &err);
    cs_svc_request_stop();
    assert_int_equal(cs_svc_wait_stop(), 0);
}

TEST(unknown_log_level_is_refused) {
    struct cs_err err = {0};
    assert_fails(cs_svc_start("test", "loud", &err), &err, CS_INVALID_ARGUMENT, "bad_setting");
}

TEST(only_the_bearer_of_the_token_is_let_in) {
    char token[] = "sesame";
    char none[] = "";
    struct cs_err err = {0};
    assert_ok(cs_svc_authorize("Bearer sesame", "/x/Y", token, &err), &err);
    assert_ok(cs_svc_authorize("", "/x/Y", none, &err), &err);
    static const char *const wrong[] = {"", "Bearer ", "Bearer sesame2", "Bearer sesam", "sesame", "bearer sesame"};
    for (size_t i = 0; i < CS_COUNT(wrong); i++) {
        assert_fails(cs_svc_authorize(wrong[i], "/x/Y", token, &err), &err, CS_UNAUTHENTICATED, "bad_token");
    }
}

TEST_MAIN(CS_TEST(only_the_bearer_of_the_token_is_let_in), CS_TEST(ready_line_names_the_address_and_closes),
          CS_TEST(a_request_ends_the_wait), CS_TEST(unknown_log_level_is_refused))
