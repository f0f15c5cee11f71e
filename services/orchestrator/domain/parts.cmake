# The domain under random plans, workers and crashes, on virtual time.
cs_test(orc_sim LABEL unit SOURCES ${CMAKE_SOURCE_DIR}/tests/sim/sim.c LIBS orc_domain)
