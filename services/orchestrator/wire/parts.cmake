# What plans say about failure, and what it does to assignments.
cs_test(orc_failure_wire_test LABEL unit SOURCES wire/tests/failure_wire.c LIBS orc_test_requests)
# What of a base is done again.
cs_test(orc_base_test LABEL unit SOURCES wire/tests/base.c LIBS orc_test_requests cs_json)
