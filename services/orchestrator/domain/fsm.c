#include "domain/fsm.h"

#include "cs/base/auto.h"
#include "domain/execution.h"

/* ---- job ---- */

static const char *const job_states[ORC_JOB_STATES] = {
    [ORC_JOB_NONE] = "none",         [ORC_JOB_WAITING] = "waiting",
    [ORC_JOB_READY] = "ready",       [ORC_JOB_RUNNING] = "running",
    [ORC_JOB_RETRYING] = "retrying", [ORC_JOB_COMPLETED] = "completed",
    [ORC_JOB_FAILED] = "failed",     [ORC_JOB_CANCELLED] = "cancelled",
    [ORC_JOB_SKIPPED] = "skipped",   [ORC_JOB_AWAITING_APPROVAL] = "awaiting_approval",
};

static const char *const job_moves[ORC_JOB_MOVES] = {
    [ORC_JOB_RELEASE] = "release",
    [ORC_JOB_ASSIGN] = "assign",
    [ORC_JOB_RECORD_START] = "record_start",
    [ORC_JOB_SAVE] = "save",
    [ORC_JOB_SUCCEED] = "succeed",
    [ORC_JOB_RETRY_LATER] = "retry_later",
    [ORC_JOB_RETRY_NOW] = "retry_now",
    [ORC_JOB_FAIL] = "fail",
    [ORC_JOB_WAIT_IN_VAIN] = "wait_in_vain",
    [ORC_JOB_LOSE] = "lose",
    [ORC_JOB_LOSE_TOO_OFTEN] = "lose_too_often",
    [ORC_JOB_GIVE_BACK] = "give_back",
    [ORC_JOB_RECOVER] = "recover",
    [ORC_JOB_SKIP] = "skip",
    [ORC_JOB_CANCEL] = "cancel",
    [ORC_JOB_REUSE] = "reuse",
    [ORC_JOB_ASK] = "ask",
    [ORC_JOB_APPROVE] = "approve",
    [ORC_JOB_REJECT] = "reject",
    [ORC_JOB_JOIN] = "join",
    [ORC_JOB_LEAVE] = "leave",
    [ORC_JOB_FUSE] = "fuse",
    [ORC_JOB_SPLIT] = "split",
};

static const struct cs_fsm_edge job_edges[] = {
    {ORC_JOB_WAITING, ORC_JOB_RELEASE, ORC_JOB_READY, "what it asks of those it depends on has come true"},
    {ORC_JOB_WAITING, ORC_JOB_SKIP, ORC_JOB_SKIPPED,
     "too many of those it depends on ended without a result, the plan fails fast, or a client took it away"},
    {ORC_JOB_WAITING, ORC_JOB_CANCEL, ORC_JOB_CANCELLED, "the execution was cancelled or ran out of time"},
    {ORC_JOB_WAITING, ORC_JOB_REUSE, ORC_JOB_COMPLETED,
     "it has the result of a job that ran before, so what it depends on does not matter"},
    {ORC_JOB_WAITING, ORC_JOB_JOIN, ORC_JOB_RUNNING,
     "it is done in the run of the job before it, whose result nobody else wants"},
    {ORC_JOB_WAITING, ORC_JOB_ASK, ORC_JOB_AWAITING_APPROVAL,
     "what it asks of those it depends on has come true; a person has to agree before it runs"},
    {ORC_JOB_AWAITING_APPROVAL, ORC_JOB_APPROVE, ORC_JOB_READY,
     "somebody approved it, or nobody did in time and that counts as a yes"},
    {ORC_JOB_AWAITING_APPROVAL, ORC_JOB_REJECT, ORC_JOB_FAILED,
     "somebody rejected it, or nobody decided in time and that counts as a no"},
    {ORC_JOB_AWAITING_APPROVAL, ORC_JOB_SKIP, ORC_JOB_SKIPPED, "a client took it away before it started"},
    {ORC_JOB_AWAITING_APPROVAL, ORC_JOB_CANCEL, ORC_JOB_CANCELLED,
     "the execution was cancelled, failed fast or ran out of time"},
    {ORC_JOB_AWAITING_APPROVAL, ORC_JOB_REUSE, ORC_JOB_COMPLETED, "it has the result of a job that ran before"},
    {ORC_JOB_READY, ORC_JOB_REUSE, ORC_JOB_COMPLETED, "it has the result of a job that ran before"},
    {ORC_JOB_READY, ORC_JOB_ASSIGN, ORC_JOB_RUNNING,
     "a worker with a free slot was found; the attempt gets a new fence"},
    {ORC_JOB_READY, ORC_JOB_WAIT_IN_VAIN, ORC_JOB_FAILED,
     "no worker took it within its limit, or what it waited for cannot come any more"},
    {ORC_JOB_READY, ORC_JOB_SKIP, ORC_JOB_SKIPPED, "a client took it away before it started"},
    {ORC_JOB_READY, ORC_JOB_CANCEL, ORC_JOB_CANCELLED, "the execution was cancelled, failed fast or ran out of time"},
    {ORC_JOB_RUNNING, ORC_JOB_RECORD_START, ORC_JOB_RUNNING,
     "the start of paid work is in the log before a worker hears of it"},
    {ORC_JOB_RUNNING, ORC_JOB_SAVE, ORC_JOB_RUNNING, "the worker saved a checkpoint for a later attempt"},
    {ORC_JOB_RUNNING, ORC_JOB_SUCCEED, ORC_JOB_COMPLETED, "the worker delivered its outputs"},
    {ORC_JOB_RUNNING, ORC_JOB_RETRY_LATER, ORC_JOB_RETRYING,
     "the attempt failed and its class of failure may be tried again"},
    {ORC_JOB_RUNNING, ORC_JOB_FAIL, ORC_JOB_FAILED, "the attempt failed for good, or was the last one allowed"},
    {ORC_JOB_RUNNING, ORC_JOB_LOSE, ORC_JOB_READY,
     "the worker went away; nobody is to blame, so it runs elsewhere at once"},
    {ORC_JOB_RUNNING, ORC_JOB_LOSE_TOO_OFTEN, ORC_JOB_FAILED,
     "so many workers went away under it that it may be the cause"},
    {ORC_JOB_RUNNING, ORC_JOB_GIVE_BACK, ORC_JOB_RETRYING,
     "the worker had no slot after all; offered again in a moment"},
    {ORC_JOB_RUNNING, ORC_JOB_LEAVE, ORC_JOB_WAITING,
     "the run that it joined ended without a result: it depends on the job before it again"},
    {ORC_JOB_RUNNING, ORC_JOB_FUSE, ORC_JOB_COMPLETED,
     "the run that did it with the jobs after it succeeded; the last of them has what came out"},
    {ORC_JOB_RUNNING, ORC_JOB_SPLIT, ORC_JOB_READY,
     "the run that did it with the jobs after it failed: not a try; they are done one by one from now on"},
    {ORC_JOB_RUNNING, ORC_JOB_RECOVER, ORC_JOB_READY,
     "the orchestrator started again and the attempt's stream is gone; external work goes on"},
    {ORC_JOB_RUNNING, ORC_JOB_CANCEL, ORC_JOB_CANCELLED,
     "the execution was cancelled, failed fast or ran out of time; the worker is told to stop"},
    {ORC_JOB_RETRYING, ORC_JOB_RETRY_NOW, ORC_JOB_READY, "its time to try again has come"},
    {ORC_JOB_RETRYING, ORC_JOB_CANCEL, ORC_JOB_CANCELLED,
     "the execution was cancelled, failed fast or ran out of time"},
};

const struct cs_fsm orc_job_fsm = {
    .name = "job",
    .state_names = job_states,
    .state_count = ORC_JOB_STATES,
    .event_names = job_moves,
    .event_count = ORC_JOB_MOVES,
    .edges = job_edges,
    .edge_count = CS_COUNT(job_edges),
};

/* ---- execution ---- */

static const char *const execution_states[ORC_EXECUTION_STATES] = {
    [ORC_EXECUTION_NONE] = "none",
    [ORC_EXECUTION_PENDING] = "pending",
    [ORC_EXECUTION_PROCESSING] = "processing",
    [ORC_EXECUTION_COMPLETED] = "completed",
    [ORC_EXECUTION_FAILED] = "failed",
    [ORC_EXECUTION_CANCELLED] = "cancelled",
};

static const char *const execution_moves[ORC_EXECUTION_MOVES] = {
    [ORC_EXECUTION_START] = "start",   [ORC_EXECUTION_COMPLETE] = "complete", [ORC_EXECUTION_FAIL] = "fail",
    [ORC_EXECUTION_CANCEL] = "cancel", [ORC_EXECUTION_EXPIRE] = "expire",     [ORC_EXECUTION_REJECT] = "reject",
};

static const struct cs_fsm_edge execution_edges[] = {
    {ORC_EXECUTION_PENDING, ORC_EXECUTION_START, ORC_EXECUTION_PROCESSING, "its first job was given to a worker"},
    {ORC_EXECUTION_PENDING, ORC_EXECUTION_COMPLETE, ORC_EXECUTION_COMPLETED, "nothing had to run"},
    {ORC_EXECUTION_PENDING, ORC_EXECUTION_FAIL, ORC_EXECUTION_FAILED, "its jobs waited in vain"},
    {ORC_EXECUTION_PENDING, ORC_EXECUTION_CANCEL, ORC_EXECUTION_CANCELLED, "a client cancelled it before anything ran"},
    {ORC_EXECUTION_PENDING, ORC_EXECUTION_REJECT, ORC_EXECUTION_FAILED,
     "somebody whose approval it needed rejected it, or nobody decided in time and that counts as a no"},
    {ORC_EXECUTION_PENDING, ORC_EXECUTION_EXPIRE, ORC_EXECUTION_FAILED, "its time ran out before anything ran"},
    {ORC_EXECUTION_PROCESSING, ORC_EXECUTION_COMPLETE, ORC_EXECUTION_COMPLETED,
     "every job ended, and each that did not complete has a dependent that got along without it"},
    {ORC_EXECUTION_PROCESSING, ORC_EXECUTION_FAIL, ORC_EXECUTION_FAILED,
     "every job ended, and one that nothing makes good did not complete"},
    {ORC_EXECUTION_PROCESSING, ORC_EXECUTION_CANCEL, ORC_EXECUTION_CANCELLED, "a client cancelled it"},
    {ORC_EXECUTION_PROCESSING, ORC_EXECUTION_EXPIRE, ORC_EXECUTION_FAILED, "its time ran out"},
};

const struct cs_fsm orc_execution_fsm = {
    .name = "execution",
    .state_names = execution_states,
    .state_count = ORC_EXECUTION_STATES,
    .event_names = execution_moves,
    .event_count = ORC_EXECUTION_MOVES,
    .edges = execution_edges,
    .edge_count = CS_COUNT(execution_edges),
};

/* ---- delivery ---- */

static const char *const delivery_states[ORC_DELIVERY_STATES] = {
    [ORC_DELIVERY_NONE] = "none",
    [ORC_DELIVERY_PENDING] = "pending",
    [ORC_DELIVERY_DELIVERED] = "delivered",
    [ORC_DELIVERY_ABANDONED] = "abandoned",
};

static const char *const delivery_moves[ORC_DELIVERY_MOVES] = {
    [ORC_DELIVERY_REQUEST] = "request", [ORC_DELIVERY_ASSIGN] = "assign",           [ORC_DELIVERY_LOSE] = "lose",
    [ORC_DELIVERY_SUCCEED] = "succeed", [ORC_DELIVERY_RETRY_LATER] = "retry_later", [ORC_DELIVERY_GIVE_UP] = "give_up",
};

static const struct cs_fsm_edge delivery_edges[] = {
    {ORC_DELIVERY_NONE, ORC_DELIVERY_REQUEST, ORC_DELIVERY_PENDING, "the execution ended and asked for a webhook"},
    {ORC_DELIVERY_PENDING, ORC_DELIVERY_ASSIGN, ORC_DELIVERY_PENDING, "a worker was given this try"},
    {ORC_DELIVERY_PENDING, ORC_DELIVERY_LOSE, ORC_DELIVERY_PENDING,
     "the worker went away; the same event is sent again"},
    {ORC_DELIVERY_PENDING, ORC_DELIVERY_SUCCEED, ORC_DELIVERY_DELIVERED, "the receiver answered 2xx"},
    {ORC_DELIVERY_PENDING, ORC_DELIVERY_RETRY_LATER, ORC_DELIVERY_PENDING,
     "the receiver did not take it; the schedule has more tries"},
    {ORC_DELIVERY_PENDING, ORC_DELIVERY_GIVE_UP, ORC_DELIVERY_ABANDONED,
     "the schedule is used up, or the receiver is gone for good"},
};

const struct cs_fsm orc_delivery_fsm = {
    .name = "delivery",
    .state_names = delivery_states,
    .state_count = ORC_DELIVERY_STATES,
    .event_names = delivery_moves,
    .event_count = ORC_DELIVERY_MOVES,
    .edges = delivery_edges,
    .edge_count = CS_COUNT(delivery_edges),
};
