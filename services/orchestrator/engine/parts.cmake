# Tests of the whole engine on a fake store and fake links: their functions take the place of the real ones because objects
# come before archives.
foreach(topic commit workers dispatch failures recovery returning telling cache fusion sharing)
  cs_test(orc_engine_${topic}_test LABEL unit
    SOURCES engine/tests/${topic}.c engine/tests/harness.c engine/tests/fake_store.c engine/tests/fake_cache.c engine/tests/fake_links.c
    LIBS orc_engine TIMEOUT 120)
endforeach()

# A thousand executions through the real parts.
cs_test(orc_engine_drain_test LABEL service POSTGRES TIMEOUT 300 SOURCES engine/tests/drain.c
  LIBS orc_engine orc_scripted_worker cs_pg)
cs_sql(orc_engine_drain_test engine/tests/sql/drain.sql)
