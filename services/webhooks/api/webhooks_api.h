/*
 * webhooks_api: the RPCs of callsheet.v1.Webhooks.
 */
#ifndef WHK_WEBHOOKS_API_H
#define WHK_WEBHOOKS_API_H

#include "cs/rpc.h"

struct cs_rpc_service whk_webhooks_service(void);

#endif
