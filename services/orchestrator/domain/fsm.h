/*
 * fsm: the state machines of jobs, executions and deliveries, as tables of edges with their reasons.
 *
 * docs/fsm and the checks in SQL come from these tables; a test compares them.
 */
#ifndef ORC_DOMAIN_FSM_H
#define ORC_DOMAIN_FSM_H

#include "cs/base/fsm.h"

/* What moves a job. */
enum orc_job_move {
    ORC_JOB_RELEASE,
    ORC_JOB_ASSIGN,
    ORC_JOB_RECORD_START,
    ORC_JOB_SAVE,
    ORC_JOB_SUCCEED,
    ORC_JOB_RETRY_LATER,
    ORC_JOB_RETRY_NOW,
    ORC_JOB_FAIL,
    ORC_JOB_WAIT_IN_VAIN,
    ORC_JOB_LOSE,
    ORC_JOB_LOSE_TOO_OFTEN,
    ORC_JOB_GIVE_BACK,
    ORC_JOB_RECOVER,
    ORC_JOB_SKIP,
    ORC_JOB_CANCEL,
    ORC_JOB_REUSE,
    ORC_JOB_ASK,
    ORC_JOB_APPROVE,
    ORC_JOB_REJECT,
    ORC_JOB_JOIN,
    ORC_JOB_LEAVE,
    ORC_JOB_FUSE,
    ORC_JOB_SPLIT,
    ORC_JOB_MOVES,
};

/* What moves an execution. */
enum orc_execution_move {
    ORC_EXECUTION_START,
    ORC_EXECUTION_COMPLETE,
    ORC_EXECUTION_FAIL,
    ORC_EXECUTION_CANCEL,
    ORC_EXECUTION_EXPIRE,
    ORC_EXECUTION_REJECT,
    ORC_EXECUTION_MOVES,
};

/* What moves a delivery. */
enum orc_delivery_move {
    ORC_DELIVERY_REQUEST,
    ORC_DELIVERY_ASSIGN,
    ORC_DELIVERY_LOSE,
    ORC_DELIVERY_SUCCEED,
    ORC_DELIVERY_RETRY_LATER,
    ORC_DELIVERY_GIVE_UP,
    ORC_DELIVERY_MOVES,
};

/* States are enum orc_job_state, orc_execution_state and orc_delivery_state. */
extern const struct cs_fsm orc_job_fsm;
extern const struct cs_fsm orc_execution_fsm;
extern const struct cs_fsm orc_delivery_fsm;

#endif
