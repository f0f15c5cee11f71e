/*
 * transport: how the engine reaches a provider. Two kinds: HTTP, and the vendor in our own process.
 *
 * Threads  call and fetch from the loop; done on the loop, exactly once.
 */
#ifndef PRV_TRANSPORT_H
#define PRV_TRANSPORT_H

#include "adapters/adapter.h"
#include "engine/pool.h"
#include "vendor/vendor.h"

enum {
    PRV_CALL_TIMEOUT_MS = 30000,
    PRV_FETCH_IDLE_MS = 30000,
    PRV_OUTPUT_GIB_MAX = 8,
};
#define PRV_OUTPUT_BYTES_MAX ((uint64_t)PRV_OUTPUT_GIB_MAX << 30)

/* err NULL: answer is what came. sent: the request may have left us. */
typedef void prv_called_fn(const struct prv_answer *answer, const struct cs_err *err, bool sent, void *user);
typedef void prv_fetched_fn(const struct cs_err *err, void *user);

struct prv_call_options {
    const int *files; /* inputs of a submission, for adapters that take files */
    size_t file_count;
    const struct cs_trace *trace;
};

struct prv_transport {
    const struct prv_transport_ops *ops;
};

struct prv_transport_ops {
    /* Returns a handle for abort; 0: cannot be aborted, but ends soon. */
    uint64_t (*call)(struct prv_transport *transport, const struct prv_call *call,
                     const struct prv_call_options *options, prv_called_fn *done, void *user);
    /* Brings the output of a prediction to fd. */
    uint64_t (*fetch)(struct prv_transport *transport, const struct prv_adapter *adapter, const char *id,
                      const char *output_url, int fd, prv_fetched_fn *done, void *user);
    void (*abort)(struct prv_transport *transport, uint64_t handle);
    void (*destroy)(struct prv_transport *transport);
};

/* base_url without a final slash; authorization: the header's value. Both are copied. */
struct prv_transport *prv_http_transport_create(struct cs_http *http, const char *base_url, const char *authorization,
                                                bool allow_private_targets);
struct prv_transport *prv_local_transport_create(struct cs_http *http, struct prv_pool *pool, struct prv_vendor *vendor,
                                                 struct prv_ledger *ledger);
void prv_transport_destroy(struct prv_transport *transport);

#endif
