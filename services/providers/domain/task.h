/*
 * task: the life of one generation at a provider, as a pure state machine. The engine does what the entered state says
 * and brings the result back as an event.
 *
 *     new → staging → saving_intent → submitting → saving_id → polling ⇄ waiting → ingesting → ended
 *                                        ⇅ resending, looking ⇄ settling: after an unclear answer
 *
 * Promise  a submission leaves only in `submitting`, which is entered after its intent was saved, and entered again
 * only when the provider tells repeats by their key, or has been asked and knows of none.
 * Threads  pure.
 */
#ifndef PRV_TASK_H
#define PRV_TASK_H

#include <stdbool.h>

#include "cs/base/fsm.h"
#include "domain/checkpoint.h"
#include "domain/failure.h"

enum prv_state {
    PRV_NEW,
    PRV_STAGING,       /* inputs are being brought here */
    PRV_SAVING_INTENT, /* waits for the checkpoint to be durable */
    PRV_SUBMITTING,
    PRV_RESENDING, /* pause before the same submission is sent again */
    PRV_LOOKING,   /* asks the provider whether it knows the submission */
    PRV_SETTLING,  /* pause before asking again */
    PRV_SAVING_ID, /* waits for the checkpoint to be durable */
    PRV_POLLING,
    PRV_WAITING,    /* pause before the next poll */
    PRV_INGESTING,  /* the output is being copied into storage */
    PRV_CANCELLING, /* tells the provider to stop */
    PRV_ENDED,
    PRV_STATE_COUNT,
};

enum prv_event {
    PRV_BEGIN_NEW,    /* nothing is on record, or the last submission came to nothing */
    PRV_BEGIN_INTENT, /* an intent is on record without an id */
    PRV_BEGIN_ID,     /* an id is on record */
    PRV_STAGED,
    PRV_SAVED,
    PRV_LOST,     /* the checkpoint could not be saved: our stream is gone */
    PRV_ACCEPTED, /* the provider has it under an id */
    PRV_REFUSED,  /* it came to nothing, for sure (task->failure) */
    PRV_BARRED,   /* the provider does not let us read what it has (task->failure) */
    PRV_UNCLEAR,  /* nobody knows */
    PRV_ABSENT,   /* asked, and not there */
    PRV_DUE,      /* a pause is over */
    PRV_RUNNING,  /* not done yet */
    PRV_DONE,     /* there is an output */
    PRV_STORED,
    PRV_STOPPED, /* the provider was told */
    PRV_EVENT_COUNT,
};

/* What a provider offers for unclear submissions. */
enum prv_reconcile {
    PRV_RECONCILE_NONE, /* the outcome stays unknown, and a person decides */
    PRV_RECONCILE_KEY,  /* a repeat with the same key is the same prediction */
    PRV_RECONCILE_LIST, /* recent predictions can be searched */
};

/* Why it has to end early. */
enum prv_stop {
    PRV_STOP_NONE,
    PRV_STOP_LEAVE,  /* nobody asked for the job to end: the prediction goes on, a later attempt picks it up */
    PRV_STOP_CANCEL, /* the job is cancelled: so is the prediction */
};

enum {
    PRV_RESENDS_MAX = 4,
    PRV_LOOKS_MIN = 3,                 /* before "not there" is believed … */
    PRV_SETTLE_MIN_MS = 2 * 60 * 1000, /* … and so long after the intent */
    PRV_LOOKS_MAX = 40,
    PRV_POLL_TROUBLE_MAX = 100, /* polls in a row without an answer */
};

struct prv_pace {
    int64_t first_ms;
    int64_t middle_ms; /* grows to this */
    int64_t last_ms;   /* after the first two minutes */
    int64_t settle_ms; /* between looks, at most */
};

struct prv_task {
    int state; /* enum prv_state */
    enum prv_reconcile reconcile;
    bool can_cancel;
    struct prv_pace pace;
    struct prv_checkpoint checkpoint; /* as saved, or about to be */
    struct prv_failure failure;
    bool unclear; /* a submission with the current key may have arrived */
    bool close;   /* the failure is final for this submission: record that */
    enum prv_stop stop;
    int resends;
    int looks;
    int troubles;
    int polls;
    int64_t waited_ms;
};

extern const struct cs_fsm prv_task_fsm;

/* Applies the event. FAILED_PRECONDITION "illegal_transition" (nothing changed) when it is not legal here. */
enum cs_status prv_task_step(struct prv_task *task, enum prv_event event, struct cs_err *err) CS_MUST_USE;
/* Asks it to end. Returns whether the state was left at once; else whatever is in flight must be ended or awaited. */
bool prv_task_stop(struct prv_task *task, enum prv_stop stop);
/* Whether PRV_LOOKING may conclude PRV_ABSENT. */
bool prv_task_absence_counts(const struct prv_task *task, int64_t now_unix_ms);
/* Of the pausing state it is in; random01 is in [0, 1). A provider's wish (0 none) is honoured up to ten minutes. */
int64_t prv_task_pause_ms(struct prv_task *task, int64_t wish_ms, double random01);

#endif
