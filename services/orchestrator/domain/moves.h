/*
 * moves: the inner verbs of an execution, shared by the files of the domain; not for others.
 *
 * A verb checks first and changes then, so a failure leaves the state as it was. A NULL `commands` swallows commands.
 */
#ifndef ORC_DOMAIN_MOVES_H
#define ORC_DOMAIN_MOVES_H

#include "domain/execution.h"
#include "domain/fsm.h"

/* One event under way. */
struct orc_step {
    struct orc_execution *execution;
    struct orc_event *event;
    struct orc_commands *commands; /* or NULL */
    bool replaying;                /* follow event->next_at_ms instead of deciding */
};

void orc_emit(const struct orc_step *step, enum orc_command_kind kind, uint32_t job, const unsigned char *fence);
/* Aborts: for consequences that our own rules guarantee. */
void orc_must(enum cs_status status, const struct cs_err *err);

/* ---- job.c ---- */
/* Moves a job along its edge and keeps the counters and lists right. */
enum cs_status orc_job_move(struct orc_execution *execution, uint32_t job, enum orc_job_move move,
                            struct cs_err *err) CS_MUST_USE;
enum cs_status orc_job_event(const struct orc_step *step, struct cs_err *err) CS_MUST_USE;
void orc_job_release(const struct orc_step *step, uint32_t job);
/* The bad end of the event's job, which has its error. */
void orc_job_fail_for_good(const struct orc_step *step);
/* A job is ready: from now on its wait for a worker is counted. */
void orc_job_wait_for_worker(struct orc_execution *execution, uint32_t job, int64_t now_ms);
/* Cancels every job that has not ended; running ones are stopped. */
void orc_jobs_cancel(const struct orc_step *step);
void orc_job_set_error(struct orc_job *job, enum orc_failure_class failure_class, const char *code,
                       const char *message);

/* Why a job cannot run. */
void orc_job_skip(const struct orc_step *step, uint32_t job, const char *code, const char *message);
void orc_job_cancel(const struct orc_step *step, uint32_t job);
/* It is ready, perhaps anew. */
void orc_job_offer(const struct orc_step *step, uint32_t job);
/* The bad end of a job and of all that cannot run because of it. */
void orc_failure_spread(const struct orc_step *step, uint32_t ended);
/* After ends that were not good: fails fast where the plan says so; ends the execution when nothing is open. */
void orc_jobs_settle(const struct orc_step *step);
enum orc_verdict { ORC_WAITS, ORC_RUNS, ORC_CANNOT_RUN };
/* What the end of a parent means for a job that waits; its `unmet` counts that end already. */
enum orc_verdict orc_verdict_on(const struct orc_plan_job *node, const struct orc_job *job, bool completed,
                                bool optional);

/* ---- chain.c ---- */
/* Of ASSIGNED: the jobs of the run beside the event's own can join it. */
enum cs_status orc_chain_check(const struct orc_step *step, struct cs_err *err) CS_MUST_USE;
/* They do: after the event's job was assigned. */
void orc_chain_join(const struct orc_step *step);
/* The run of the job, which is its first, has ended without a result, or goes on for the job alone: the others wait for
 * it again. */
void orc_chain_dissolve(const struct orc_step *step, uint32_t job);
void orc_chains_dissolve(const struct orc_step *step); /* all of them */
/* An event about an attempt names the first job of its run. */
enum cs_status orc_chain_check_report(const struct orc_step *step, struct cs_err *err) CS_MUST_USE;
enum cs_status orc_chain_split(const struct orc_step *step, struct cs_err *err) CS_MUST_USE;
/* Of an event that completes a job: what it says of another that has the result. */
enum cs_status orc_chain_check_into(const struct orc_step *step, struct cs_err *err) CS_MUST_USE;
/* The event's job has completed. If it was the first of its run the next one is that now. */
void orc_chain_complete(const struct orc_step *step);
/* Jobs that come later, or new parameters, ask for the result of a job. Of one that has none: FAILED_PRECONDITION
 * "output_discarded". */
enum cs_status orc_chain_check_kept(const struct orc_execution *execution, const struct orc_addition *addition,
                                    struct cs_err *err) CS_MUST_USE;
/* … of one that would have none in the end: its run is stopped. */
void orc_chain_keep(const struct orc_step *step, const struct orc_addition *addition);

/* ---- map.c ---- */
/* Counts the items of maps from that job on. */
void orc_items_count(struct orc_execution *execution, uint32_t first);
/* A job has ended: if it is an item, its map may have to hear of it. */
void orc_item_ended(const struct orc_step *step, uint32_t job);
/* The map has ended badly: so do its items. */
void orc_items_cancel(const struct orc_step *step, uint32_t map);

/* ---- change.c ---- */
/* What the parents that have ended mean for a job that waits. */
enum orc_verdict orc_verdict_of(const struct orc_execution *execution, uint32_t job);
enum cs_status orc_change_event(const struct orc_step *step, struct cs_err *err) CS_MUST_USE;

/* ---- approval.c ---- */
enum cs_status orc_approval_event(const struct orc_step *step, struct cs_err *err) CS_MUST_USE;
/* A job that has nothing else to wait for waits for its approval, if it needs one that has not been given. */
bool orc_approval_asked(const struct orc_step *step, uint32_t job);
void orc_decision_destroy(struct orc_decision *decision);

/* ---- reuse.c ---- */
/* Of a REUSED event; caller frees. */
struct orc_reused *orc_reused_create(const struct orc_event *event);

/* ---- execution.c ---- */
/* A job was assigned at that time; the first one starts the execution. */
void orc_execution_started(struct orc_execution *execution, int64_t at_ms);
/* A person said no to the whole: the execution fails, whatever has not ended is cancelled. */
enum cs_status orc_execution_reject(const struct orc_step *step, char *sentence, struct cs_err *err) CS_MUST_USE;
/* Called when no job is open any more. */
void orc_execution_finish(const struct orc_step *step);
enum cs_status orc_execution_apply(const struct orc_step *step, struct cs_err *err) CS_MUST_USE;

/* ---- delivery.c ---- */
void orc_delivery_request(const struct orc_step *step);
enum cs_status orc_delivery_event(const struct orc_step *step, struct cs_err *err) CS_MUST_USE;

/* ---- retry.c ---- */
/* Unix time of the next attempt, or 0 when there is none. failures: how often it failed so far, this one included. */
int64_t orc_retry_at(const struct orc_retry_policy *policy, uint32_t failures, int64_t retry_after_ms, uint32_t chance,
                     int64_t now_ms);
/* The same for a delivery: tries made so far. */
int64_t orc_delivery_retry_at(uint32_t tries, uint32_t chance, int64_t now_ms);

/* ---- failure_text.c ---- */
/* What a failed execution says (requirements SY-038 … SY-040); caller frees. */
char *orc_failure_text(const struct orc_execution *execution);
/* "op: error; op: error" of the failed jobs (SY-041), NULL when none failed; caller frees. */
char *orc_failure_list(const struct orc_execution *execution);

#endif
