/*
 * checkpoint: what must survive us so that nothing is paid twice.
 *
 *     intent      the submission with this key may leave; saved before it does
 *     submitted   the provider knows it under this id; saved before anything else happens
 *     closed      it came to nothing for sure; a later attempt may submit anew, under the next number
 *
 * The key is "{execution}/{job}/{number}". Written as JSON.
 *
 * Fails    INVALID_ARGUMENT "bad_checkpoint" when the bytes are not ours.
 */
#ifndef PRV_CHECKPOINT_H
#define PRV_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"

enum {
    PRV_KEY_SIZE = 320,
    PRV_ID_SIZE = 256,
    PRV_PROVIDER_SIZE = 64,
    PRV_CHECKPOINT_BYTES_MAX = 4096,
};

enum prv_phase { PRV_PHASE_NONE, PRV_PHASE_INTENT, PRV_PHASE_SUBMITTED, PRV_PHASE_CLOSED };

struct prv_checkpoint {
    enum prv_phase phase; /* NONE: no checkpoint yet */
    char provider[PRV_PROVIDER_SIZE];
    char model[PRV_ID_SIZE];
    int64_t number; /* of the submission, from 1 */
    char key[PRV_KEY_SIZE];
    char id[PRV_ID_SIZE]; /* of the prediction; "" until submitted */
    int64_t intent_unix_ms;
};

/* Empty bytes give PRV_PHASE_NONE. */
enum cs_status prv_checkpoint_parse(const void *bytes, size_t size_bytes, struct prv_checkpoint *ret_checkpoint,
                                    struct cs_err *err) CS_MUST_USE;
void prv_checkpoint_format(const struct prv_checkpoint *checkpoint, struct cs_buf *out);

#endif
