#include "domain/task.h"

#include "cs/base/auto.h"

enum {
    EARLY_MS = 2 * 60 * 1000, /* polls are denser for so long */
    WISH_MAX_MS = 10 * 60 * 1000,
    RESEND_BASE_MS = 500,
    SETTLE_BASE_MS = 1000, /* what was taken mostly shows at once */
    SETTLE_DOUBLINGS_MAX = 10,
};

static const char *const state_names[] = {
    "new",       "staging", "saving_intent", "submitting", "resending",  "looking", "settling",
    "saving_id", "polling", "waiting",       "ingesting",  "cancelling", "ended",
};
static const char *const event_names[] = {
    "begin_new", "begin_intent", "begin_id", "staged", "saved",   "lost", "accepted", "refused",
    "barred",    "unclear",      "absent",   "due",    "running", "done", "stored",   "stopped",
};

/* PRV_UNCLEAR has one edge per state here; where it leads depends on the provider and is decided below. */
static const struct cs_fsm_edge edges[] = {
    {PRV_NEW, PRV_BEGIN_NEW, PRV_STAGING, "nothing has been submitted"},
    {PRV_NEW, PRV_BEGIN_INTENT, PRV_STAGING, "an earlier attempt may have submitted it"},
    {PRV_NEW, PRV_BEGIN_ID, PRV_POLLING, "an earlier attempt submitted it"},
    {PRV_NEW, PRV_REFUSED, PRV_ENDED, "the request cannot be served"},
    {PRV_STAGING, PRV_STAGED, PRV_SAVING_INTENT, "the inputs are here"},
    {PRV_STAGING, PRV_UNCLEAR, PRV_LOOKING, "the inputs are here, and what became of the intent is to be found out"},
    {PRV_STAGING, PRV_REFUSED, PRV_ENDED, "an input cannot be had"},
    {PRV_SAVING_INTENT, PRV_SAVED, PRV_SUBMITTING, "the intent is durable"},
    {PRV_SAVING_INTENT, PRV_LOST, PRV_ENDED, "the intent could not be saved, so nothing was submitted"},
    {PRV_SUBMITTING, PRV_ACCEPTED, PRV_SAVING_ID, "the provider has it"},
    {PRV_SUBMITTING, PRV_REFUSED, PRV_ENDED, "the provider does not have it"},
    {PRV_SUBMITTING, PRV_UNCLEAR, PRV_SETTLING, "the answer does not tell whether the provider has it"},
    {PRV_RESENDING, PRV_DUE, PRV_SUBMITTING, "a repeat with the same key cannot be a second one"},
    {PRV_LOOKING, PRV_ACCEPTED, PRV_SAVING_ID, "the provider has it after all"},
    {PRV_LOOKING, PRV_ABSENT, PRV_SUBMITTING, "asked often and long enough: the provider never had it"},
    {PRV_LOOKING, PRV_UNCLEAR, PRV_SETTLING, "it may still turn up"},
    {PRV_LOOKING, PRV_BARRED, PRV_ENDED, "the provider does not let us ask"},
    {PRV_SETTLING, PRV_DUE, PRV_LOOKING, "time to ask again"},
    {PRV_SAVING_ID, PRV_SAVED, PRV_POLLING, "the id is durable"},
    {PRV_SAVING_ID, PRV_LOST, PRV_ENDED, "the stream is gone; the intent on record leads to the id"},
    {PRV_POLLING, PRV_RUNNING, PRV_WAITING, "not done yet"},
    {PRV_POLLING, PRV_UNCLEAR, PRV_WAITING, "the poll went wrong; reading again costs nothing"},
    {PRV_POLLING, PRV_DONE, PRV_INGESTING, "the output is ready"},
    {PRV_POLLING, PRV_REFUSED, PRV_ENDED, "the provider gave up"},
    {PRV_POLLING, PRV_BARRED, PRV_ENDED, "the provider does not let us look; it may have it nevertheless"},
    {PRV_WAITING, PRV_DUE, PRV_POLLING, "time to look"},
    {PRV_INGESTING, PRV_STORED, PRV_ENDED, "the output is ours"},
    {PRV_INGESTING, PRV_REFUSED, PRV_ENDED,
     "the output could not be copied; the next attempt polls the same prediction"},
    {PRV_CANCELLING, PRV_STOPPED, PRV_ENDED, "the provider was told to stop"},
};

const struct cs_fsm prv_task_fsm = {
    .name = "provider task",
    .state_names = state_names,
    .state_count = PRV_STATE_COUNT,
    .event_names = event_names,
    .event_count = PRV_EVENT_COUNT,
    .edges = edges,
    .edge_count = CS_COUNT(edges),
};

/* ---- unclear submissions ---- */

static int give_up(struct prv_task *task) {
    task->close = false;
    task->failure = prv_failure_make(PRV_CLASS(OUTCOME_UNKNOWN), "outcome_unknown",
                                     "it is not known whether the provider took the request; it is not sent again");
    return PRV_ENDED;
}

/* Where an unclear submission leads: never straight to another one. */
static int reconcile(struct prv_task *task, int from) {
    switch (task->reconcile) {
    case PRV_RECONCILE_KEY:
        if (from == PRV_STAGING) {
            return PRV_SUBMITTING;
        }
        if (task->resends++ < PRV_RESENDS_MAX) {
            return PRV_RESENDING;
        }
        task->failure =
            prv_failure_make(PRV_CLASS(TRANSIENT), "no_answer", "the provider did not answer the submission");
        return PRV_ENDED;
    case PRV_RECONCILE_LIST:
        if (from == PRV_STAGING) {
            return PRV_LOOKING;
        }
        return task->looks < PRV_LOOKS_MAX ? PRV_SETTLING : give_up(task);
    case PRV_RECONCILE_NONE:
        break;
    }
    return give_up(task);
}

static int poll_again(struct prv_task *task) {
    if (++task->troubles < PRV_POLL_TROUBLE_MAX) {
        return PRV_WAITING;
    }
    task->failure = prv_failure_make(PRV_CLASS(TRANSIENT), "no_answer", "the provider does not answer any more");
    return PRV_ENDED;
}

/* ---- stopping ---- */

static bool has_id(const struct prv_task *task) {
    return task->checkpoint.id[0] != '\0';
}

/* Where to go instead, when it has to end and `to` is not the end already. */
static int divert(struct prv_task *task, int to) {
    if (task->stop == PRV_STOP_NONE || to == PRV_ENDED || to == PRV_CANCELLING) {
        return to;
    }
    bool output_is_there = to == PRV_INGESTING;
    if (task->stop == PRV_STOP_CANCEL && has_id(task) && task->can_cancel && !output_is_there) {
        return PRV_CANCELLING;
    }
    task->failure = prv_failure_make(PRV_CLASS(CANCELLED), "cancelled", "the job was cancelled");
    return PRV_ENDED;
}

static void after_stop(struct prv_task *task) {
    task->failure = prv_failure_make(PRV_CLASS(CANCELLED), "cancelled", "the job was cancelled at the provider");
    task->close = true;
}

/* ---- the step ---- */

static void count(struct prv_task *task, int to, enum prv_event event) {
    task->looks += to == PRV_LOOKING ? 1 : 0;
    task->polls += to == PRV_POLLING ? 1 : 0;
    task->unclear |= to == PRV_SUBMITTING || event == PRV_BEGIN_INTENT;
    if (event == PRV_RUNNING) {
        task->troubles = 0;
    }
}

enum cs_status prv_task_step(struct prv_task *task, enum prv_event event, struct cs_err *err) {
    int from = task->state;
    int to = from;
    CS_TRY(cs_fsm_step(&prv_task_fsm, &to, (int)event, err));
    if (event == PRV_REFUSED) {
        task->close = from == PRV_SUBMITTING || from == PRV_POLLING;
    } else if (event == PRV_UNCLEAR) {
        to = from == PRV_POLLING ? poll_again(task) : reconcile(task, from);
    } else if (event == PRV_STOPPED) {
        after_stop(task);
    } else if (event == PRV_LOST) {
        task->failure = prv_failure_make(PRV_CLASS(CANCELLED), "cancelled", "the orchestrator is gone");
    }
    to = divert(task, to);
    count(task, to, event);
    task->state = to;
    return CS_OK;
}

bool prv_task_stop(struct prv_task *task, enum prv_stop stop) {
    if (task->stop == PRV_STOP_NONE) {
        task->stop = stop;
    }
    bool pausing = task->state == PRV_WAITING || task->state == PRV_SETTLING || task->state == PRV_RESENDING;
    if (pausing || task->state == PRV_NEW) {
        task->state = divert(task, task->state);
    }
    return pausing;
}

bool prv_task_absence_counts(const struct prv_task *task, int64_t now_unix_ms) {
    return task->looks >= PRV_LOOKS_MIN && now_unix_ms - task->checkpoint.intent_unix_ms >= PRV_SETTLE_MIN_MS;
}

static int64_t grown_ms(int64_t first_ms, int times, int64_t last_ms) {
    double ms = (double)first_ms;
    for (int i = 0; i < times && ms < (double)last_ms; i++) {
        ms *= 1.3;
    }
    return ms < (double)last_ms ? (int64_t)ms : last_ms;
}

int64_t prv_task_pause_ms(struct prv_task *task, int64_t wish_ms, double random01) {
    const struct prv_pace *pace = &task->pace;
    int64_t ms = SETTLE_BASE_MS << (task->looks < SETTLE_DOUBLINGS_MAX ? task->looks : SETTLE_DOUBLINGS_MAX);
    ms = ms < pace->settle_ms ? ms : pace->settle_ms;
    if (task->state == PRV_RESENDING) {
        ms = RESEND_BASE_MS << (task->resends - 1);
    } else if (task->state == PRV_WAITING) {
        ms = task->waited_ms < EARLY_MS ? grown_ms(pace->first_ms, task->polls - 1, pace->middle_ms) : pace->last_ms;
    }
    ms = (int64_t)((double)ms * (0.8 + 0.4 * random01));
    if (wish_ms > ms) {
        ms = wish_ms < WISH_MAX_MS ? wish_ms : WISH_MAX_MS;
    }
    task->waited_ms += ms;
    return ms;
}
