/*
 * deliver: one try of one delivery per assignment, on the shared HTTP loop.
 *
 * Threads  whk_deliver_ops are called by cs_worker; everything else happens on the HTTP loop.
 * Limits   WHK_BODY_BYTES_MAX of body, WHK_ANSWER_BYTES_MAX of the receiver's answer are read, none of it is kept.
 * Trust    the URL is a user's: it goes through the guard. Secret and body are never logged.
 */
#ifndef WHK_DELIVER_H
#define WHK_DELIVER_H

#include <stdbool.h>

#include "cs/http.h"
#include "cs/worker.h"

enum {
    WHK_BODY_BYTES_MAX = 256 * 1024,
    WHK_ANSWER_BYTES_MAX = 64 * 1024,
    WHK_TIMEOUT_MS = 15000,
    WHK_CONNECT_TIMEOUT_MS = 5000,
};

struct whk_deliverer;

struct whk_deliverer *whk_deliverer_create(struct cs_http *http, bool allow_private_targets);
void whk_deliverer_destroy(struct whk_deliverer *deliverer); /* nothing may be open */
CS_DEFINE_AUTO(whk_deliverer, whk_deliverer_destroy)

/* With a struct whk_deliverer as ctx. */
extern const struct cs_worker_ops whk_deliver_ops;

#endif
