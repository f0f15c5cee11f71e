#include "api/run_moves.h"

#include "cs/base/text.h"

static enum cs_status busy(struct cs_err *err) {
    return cs_fail(err, CS_ABORTED, "run_busy", "others change this run all the time; try again");
}

/* Ends the run when its lease or time is over. *ret_settled false: somebody else was faster, look again. */
static enum cs_status settle(struct orc_store *store, struct orc_run_read *read, struct cs_arena *arena,
                             bool *ret_settled, struct cs_err *err) {
    *ret_settled = true;
    return orc_run_expire(&read->run, read->now_ms, arena) ? orc_store_run_update(store, &read->run, ret_settled, err)
                                                           : CS_OK;
}

enum cs_status orc_run_do_get(struct orc_store *store, const char *tenant, const struct orc_run_id *id,
                              struct cs_arena *arena, struct orc_run_read *ret_read, struct cs_err *err) {
    for (int i = 0; i < ORC_RUN_TRIES_MAX; i++) {
        bool settled = false;
        CS_TRY(orc_store_run_get(store, tenant, id, arena, ret_read, err));
        CS_TRY(settle(store, ret_read, arena, &settled, err));
        if (settled) {
            return CS_OK;
        }
    }
    return busy(err);
}

/* The run of this tenant, job type and client that runs; NOT_FOUND when none does. */
static enum cs_status get_running(struct orc_store *store, const char *tenant, const char *job_type, const char *client,
                                  struct cs_arena *arena, struct orc_run_read *ret_read, struct cs_err *err) {
    for (int i = 0; i < ORC_RUN_TRIES_MAX; i++) {
        bool settled = false;
        CS_TRY(orc_store_run_running(store, tenant, job_type, client, arena, ret_read, err));
        CS_TRY(settle(store, ret_read, arena, &settled, err));
        if (settled && ret_read->run.status == ORC_RUN_RUNNING) {
            return CS_OK;
        }
    }
    return busy(err);
}

/* ---- start ---- */

/* CS_OK and *ret_is: whether an answer was found; a run that is not there is no failure here. */
static enum cs_status found(enum cs_status status, struct cs_err *err, bool *ret_is) {
    *ret_is = status == CS_OK;
    if (status != CS_OK && orc_run_strategy(orc_run_trouble_of(err)) == ORC_RUN_CREATE_NEW) {
        *err = (struct cs_err){0};
        return CS_OK;
    }
    return status;
}

/* The base that a new client run joins: of the same job type, running, with room. */
static enum cs_status check_base(struct orc_store *store, const struct orc_run_start *start, const char *base,
                                 struct cs_arena *arena, int64_t *ret_now_ms, struct cs_err *err) {
    struct orc_run_id id;
    struct orc_run_read read = {0};
    int64_t clients = 0;
    CS_TRY(orc_run_id_parse(base, &id, err));
    CS_TRY(orc_run_do_get(store, start->tenant, &id, arena, &read, err));
    CS_TRY(orc_run_type_check(&read.run, start->job_type, err));
    if (read.run.status != ORC_RUN_RUNNING) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "run_ended", "run %s has ended: %s", base,
                       orc_run_status_word(read.run.status));
    }
    CS_TRY(orc_store_run_client_count(store, start->tenant, base, &clients, err));
    if (clients >= ORC_RUN_CLIENTS_MAX) {
        return cs_fail(err, CS_RESOURCE_EXHAUSTED, "too_many_clients", "a run has at most %d client runs",
                       ORC_RUN_CLIENTS_MAX);
    }
    *ret_now_ms = read.now_ms;
    return CS_OK;
}

/* A run that is there already, or none. */
static enum cs_status find_existing(struct orc_store *store, const struct orc_run_start *start,
                                    const struct orc_run_id *named, struct cs_arena *arena,
                                    struct orc_run_started *started, struct cs_err *err) {
    struct orc_run_read read = {0};
    if (named->text[0] != '\0') {
        enum cs_status status = orc_run_do_get(store, start->tenant, named, arena, &read, err);
        if (named->client[0] == '\0') {
            CS_TRY(status); /* ids are made here: one that is not there cannot be asked for */
        }
        CS_TRY(found(status, err, &started->already_exists));
    }
    if (!started->already_exists) {
        CS_TRY(found(get_running(store, start->tenant, start->job_type, start->id.client, arena, &read, err), err,
                     &started->already_running));
    }
    started->run = read.run;
    started->now_ms = read.now_ms;
    return started->already_exists ? orc_run_type_check(&read.run, start->job_type, err) : CS_OK;
}

/* Makes the run unless another one comes in between. */
static enum cs_status create(struct orc_store *store, const struct orc_run_start *wanted,
                             const struct orc_run_id *named, struct cs_arena *arena, struct orc_run_started *started,
                             bool *ret_done, struct cs_err *err) {
    struct orc_run_start start = *wanted;
    const char *base = named->text[0] != '\0' ? named->base : "";
    if (base[0] != '\0') {
        start.id = *named;
        CS_TRY(check_base(store, wanted, base, arena, &started->now_ms, err));
    } else {
        struct orc_run_number number = {0};
        CS_TRY(orc_store_run_number(store, wanted->tenant, &number, err));
        if (number.number > ORC_RUN_NUMBER_MAX) {
            return cs_fail(err, CS_RESOURCE_EXHAUSTED, "too_many_runs", "at most %d runs start in one second",
                           ORC_RUN_NUMBER_MAX);
        }
        orc_run_id_make(number.unix_s, number.number, wanted->id.client, &start.id);
        started->now_ms = number.now_ms;
    }
    started->warnings = (struct orc_run_warnings){0};
    orc_run_begin(&start, started->now_ms, arena, &started->run, &started->warnings);
    return orc_store_run_insert(store, &started->run, base, ret_done, err);
}

enum cs_status orc_run_do_start(struct orc_store *store, const struct orc_run_start *start,
                                const struct orc_run_id *named, struct cs_arena *arena,
                                struct orc_run_started *ret_started, struct cs_err *err) {
    for (int i = 0; i < ORC_RUN_TRIES_MAX; i++) {
        struct orc_run_started started = {0};
        bool done = false;
        CS_TRY(find_existing(store, start, named, arena, &started, err));
        if (!started.already_exists && !started.already_running) {
            CS_TRY(create(store, start, named, arena, &started, &done, err));
        }
        if (done || started.already_exists || started.already_running) {
            *ret_started = started;
            return CS_OK;
        }
    }
    return busy(err);
}

/* ---- heartbeat, completion ---- */

/* A run that is not there, while another one of its job type and client runs, is the wrong one: a conflict. */
static enum cs_status explain_missing(struct orc_store *store, const char *tenant, const struct orc_run_id *id,
                                      const char *job_type, struct cs_arena *arena, struct cs_err *err) {
    struct cs_err missing = *err;
    struct orc_run_read read = {0};
    bool other = false;
    if (missing.status != CS_NOT_FOUND || job_type[0] == '\0') {
        return missing.status;
    }
    CS_TRY(found(get_running(store, tenant, job_type, id->client, arena, &read, err), err, &other));
    if (other) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "wrong_run_id", "the run of %s that runs is %s, not %s", job_type,
                       read.run.id.text, id->text);
    }
    *err = missing;
    return missing.status;
}

static enum cs_status apply(struct orc_run *run, const struct orc_run_change *change, int64_t now_ms,
                            struct cs_arena *arena, struct orc_run_changed *changed, struct cs_err *err) {
    changed->warnings = (struct orc_run_warnings){0};
    changed->unchanged = false;
    return change->completes ? orc_run_complete(run, change->status, change->error, &change->news, now_ms, arena,
                                                &changed->warnings, &changed->unchanged, err)
                             : orc_run_heartbeat(run, &change->news, now_ms, arena, &changed->warnings, err);
}

enum cs_status orc_run_do_change(struct orc_store *store, const char *tenant, const struct orc_run_id *id,
                                 const struct orc_run_change *change, struct cs_arena *arena,
                                 struct orc_run_changed *ret_changed, struct cs_err *err) {
    for (int i = 0; i < ORC_RUN_TRIES_MAX; i++) {
        struct orc_run_read read = {0};
        bool done = false;
        if (orc_run_do_get(store, tenant, id, arena, &read, err) != CS_OK) {
            return explain_missing(store, tenant, id, change->news.job_type, arena, err);
        }
        CS_TRY(apply(&read.run, change, read.now_ms, arena, ret_changed, err));
        ret_changed->run = read.run;
        if (ret_changed->unchanged) {
            return CS_OK;
        }
        CS_TRY(orc_store_run_update(store, &read.run, &done, err));
        if (done) {
            return CS_OK;
        }
    }
    return busy(err);
}
