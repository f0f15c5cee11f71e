/*
 * limits: how much a client may ask for at once.
 */
#ifndef GW_API_LIMITS_H
#define GW_API_LIMITS_H

enum {
    GW_BODY_BYTES_MAX = 4 << 20,
    GW_EXECUTION_ID_MAX = 64,
    GW_PAGE_SIZE_DEFAULT = 10,
    GW_PAGE_SIZE_MAX = 100,
    GW_CANCEL_REASON_BYTES_MAX = 256,
};

#endif
