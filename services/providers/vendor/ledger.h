/*
 * ledger: what the local vendor has sold, on disk.
 *
 *     DIR/tmp/…                    submissions in the making
 *     DIR/predictions/{id}/        one submission; appears whole or not at all
 *         key                      whose it is
 *         request                  the packed Operation
 *         input-1 …                its inputs, copied
 *         begun                    one byte per rendering that was begun; locked by the process that renders
 *         output                   the finished file, once `done` exists
 *         done | failed | canceled the end: one of them, written once
 *
 * The id follows from the key, so a repeated submission meets the first one's directory and is the same prediction.
 *
 * Threads  any; each prediction's end is written by whoever renders it.
 * Durable  when add returned, the submission survives a crash.
 * Limits   finished predictions are removed PRV_LEDGER_KEPT_S after their end, at open.
 */
#ifndef PRV_LEDGER_H
#define PRV_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "callsheet/v1/worker.pb-c.h"
#include "cs/base/err.h"
#include "cs/base/mem.h"

enum {
    PRV_LEDGER_ID_SIZE = 40, /* "loc_" and 32 hex digits */
    PRV_LEDGER_KEPT_S = 24 * 60 * 60,
};

struct prv_ledger;

enum prv_ledger_state { PRV_LEDGER_OPEN, PRV_LEDGER_DONE, PRV_LEDGER_FAILED, PRV_LEDGER_CANCELED };

struct prv_ledger_entry {
    enum prv_ledger_state state;
    Callsheet__V1__Failed *failed; /* of FAILED, in the arena */
    int begun;                     /* renderings so far */
};

enum cs_status prv_ledger_open(const char *dir, struct prv_ledger **ret_ledger, struct cs_err *err) CS_MUST_USE;
void prv_ledger_close(struct prv_ledger *ledger);
CS_DEFINE_AUTO(prv_ledger, prv_ledger_close)

void prv_ledger_id(const char *key, char ret_id[PRV_LEDGER_ID_SIZE]);
/* Records a submission; *ret_fresh is false when it was there. fds are copied from their beginning. */
enum cs_status prv_ledger_add(struct prv_ledger *ledger, const char *key, const void *request, size_t request_size,
                              const int *fds, size_t fd_count, char ret_id[PRV_LEDGER_ID_SIZE], bool *ret_fresh,
                              struct cs_err *err) CS_MUST_USE;
/* NOT_FOUND "no_such_prediction". */
enum cs_status prv_ledger_get(struct prv_ledger *ledger, const char *id, struct cs_arena *arena,
                              struct prv_ledger_entry *ret_entry, struct cs_err *err) CS_MUST_USE;

/* What a rendering needs, exclusively among all processes: RESOURCE_EXHAUSTED "rendering_elsewhere" when another has
 * it, FAILED_PRECONDITION "ended". */
struct prv_rendering {
    int lock_fd;
    Callsheet__V1__Operation *operation; /* in the arena */
    int *fds;                            /* inputs, then the output to fill */
    size_t fd_count;
};
enum cs_status prv_ledger_begin(struct prv_ledger *ledger, const char *id, struct cs_arena *arena,
                                struct prv_rendering *ret_rendering, struct cs_err *err) CS_MUST_USE;
void prv_rendering_fini(struct prv_rendering *rendering);

/* The end, written once; with the rendering still held. failed NULL: done, the output counts. */
enum cs_status prv_ledger_end(struct prv_ledger *ledger, const char *id, const Callsheet__V1__Failed *failed,
                              struct cs_err *err) CS_MUST_USE;
enum cs_status prv_ledger_cancel(struct prv_ledger *ledger, const char *id, struct cs_err *err) CS_MUST_USE;
/* The finished file, read-only. Caller closes. */
enum cs_status prv_ledger_output(struct prv_ledger *ledger, const char *id, int *ret_fd,
                                 struct cs_err *err) CS_MUST_USE;

#endif
