/*
 * fake_links: links.h under the test's control: the test is every worker.
 */
#ifndef ORC_ENGINE_TESTS_FAKE_LINKS_H
#define ORC_ENGINE_TESTS_FAKE_LINKS_H

#include "domain/execution.h"
#include "links/links.h"

/* A worker comes up with that many slots. operations: NULL-terminated. */
void fake_link_up(uint64_t link, const char *const *operations, uint32_t slots);
/* One that promises to be heard of about each attempt. */
void fake_link_up_beating(uint64_t link, const char *const *operations, uint32_t slots, uint32_t heartbeat_ms);
/* One that does up to so many jobs in one run. */
void fake_link_up_fusing(uint64_t link, const char *const *operations, uint32_t slots, uint32_t fused_jobs);
/* One that makes chunks of others' jobs. */
void fake_link_up_sharing(uint64_t link, const char *const *operations, uint32_t slots, uint32_t fused_jobs);
/* … and says that it is heard of that often. */
void fake_link_up_helping(uint64_t link, const char *const *operations, uint32_t slots, uint32_t heartbeat_ms);
void fake_link_credits(uint64_t link, uint32_t limit);
void fake_link_down(uint64_t link);

/* The next command that the worker was sent; waits for it, fails the test's process after 10 s. Freed by
 * fake_links_reset. */
const Callsheet__V1__WorkCommand *fake_link_next(uint64_t link);
/* The same, which must be an assignment. */
const Callsheet__V1__WorkCommand *fake_link_assigned(uint64_t link);
size_t fake_link_waiting(uint64_t link); /* commands that were sent and not yet taken */
bool fake_link_dropped(uint64_t link);
void fake_links_reset(void);

/* ---- what the worker says about a command's attempt ---- */
/* With one clip; of a run of several jobs each step has a metric "step", its number. */
void fake_report_succeeded(uint64_t link, const Callsheet__V1__WorkCommand *command);
void fake_report_failed(uint64_t link, const Callsheet__V1__WorkCommand *command,
                        Callsheet__V1__FailureClass failure_class, const char *code, int64_t retry_after_ms);
void fake_report_checkpoint(uint64_t link, const Callsheet__V1__WorkCommand *command, uint64_t sequence,
                            const void *data, size_t size);
/* Of a plan whose bytes are all `plan`. */
void fake_report_spread(uint64_t link, const Callsheet__V1__WorkCommand *command, int plan, const uint32_t *chunks,
                        size_t count);
void fake_report_heartbeat(uint64_t link, const Callsheet__V1__WorkCommand *command);
void fake_report_progress(uint64_t link, const Callsheet__V1__WorkCommand *command, const char *stage, double fraction);

#endif
