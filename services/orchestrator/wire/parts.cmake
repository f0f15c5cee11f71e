# What plans say about failure, and what it does to assignments.
cs_test(orc_failure_wire_test LABEL unit SOURCES wire/tests/failure_wire.c LIBS orc_test_requests)
