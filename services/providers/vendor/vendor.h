/*
 * vendor: the company behind the `local` provider, living in our process. It takes submissions into its ledger and
 * renders them in the sandbox, whether or not anybody still asks; what a crash interrupted is rendered again when
 * somebody does, under the same id.
 *
 * Threads  prv_vendor_call blocks on files: not on the loop.
 * Limits   slots renderings at once, further predictions wait as "starting"; PRV_VENDOR_RENDERINGS_MAX tries each.
 */
#ifndef PRV_VENDOR_H
#define PRV_VENDOR_H

#include "adapters/adapter.h"
#include "cs/runner.h"
#include "engine/pool.h"
#include "vendor/ledger.h"

enum {
    PRV_VENDOR_RENDERINGS_MAX = 5, /* that were interrupted, before it counts as failed */
    PRV_VENDOR_OUTPUT_GIB_MAX = 2,
};

struct prv_vendor;

/* ledger, runner and pool outlive it. */
struct prv_vendor *prv_vendor_create(struct prv_ledger *ledger, struct cs_runner *runner, struct prv_pool *pool,
                                     uint32_t slots, bool no_gpl_encoders);
/* After the runner and the pool are gone: nothing renders then. */
void prv_vendor_destroy(struct prv_vendor *vendor);

/* Answers as adapters/local.c says. The body goes to ret_body. files: the inputs of a submission. */
void prv_vendor_call(struct prv_vendor *vendor, const struct prv_call *call, const int *files, size_t file_count,
                     int *ret_status, struct cs_buf *ret_body);

#endif
