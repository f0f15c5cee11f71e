#include <string.h>

#include "cs/test.h"
#include "cs/trace.h"

TEST(traceparent_round_trips) {
    struct cs_trace root = cs_trace_root();
    char text[CS_TRACEPARENT_SIZE];
    cs_trace_format(&root, text);
    struct cs_trace back;
    assert_true(cs_trace_parse(text, &back));
    assert_memory_equal(&root, &back, sizeof(root));
}

TEST(child_keeps_the_trace_and_changes_the_span) {
    struct cs_trace root = cs_trace_root();
    struct cs_trace child = cs_trace_child(&root);
    assert_memory_equal(root.trace_id, child.trace_id, 16);
    assert_memory_not_equal(root.span_id, child.span_id, 8);
}

TEST(malformed_headers_start_a_new_trace) {
    static const char *const bad[] = {
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
    };
    struct cs_trace trace;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(cs_trace_parse(bad[i], &trace));
    }
    assert_true(cs_trace_parse("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later", &trace));
    struct cs_trace continued = cs_trace_continue(NULL);
    assert_int_equal(continued.flags, 1);
}

TEST_MAIN(CS_TEST(traceparent_round_trips), CS_TEST(child_keeps_the_trace_and_changes_the_span),
          CS_TEST(malformed_headers_start_a_new_trace))
