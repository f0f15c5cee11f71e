#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cs/base/text.h"
#include "engine/transport.h"

enum { COPY_BYTES = 1 << 20 };

struct local_transport {
    struct prv_transport base;
    struct cs_http *http; /* whose loop it answers on */
    struct prv_pool *pool;
    struct prv_vendor *vendor;
    struct prv_ledger *ledger;
};

/* ---- calls: copied, made on the pool, answered on the loop ---- */

struct local_call {
    struct local_transport *transport;
    struct cs_arena *arena;
    struct prv_call call;
    const int *files; /* the caller keeps them open until done */
    size_t file_count;
    prv_called_fn *done;
    void *user;
    int status;
    struct cs_buf body;
};

static void answer_call(void *ctx) {
    struct local_call *call = ctx;
    struct prv_answer answer = {
        .status = call->status, .body = call->body.data != NULL ? call->body.data : "", .body_size = call->body.size};
    call->done(&answer, NULL, true, call->user);
    cs_buf_fini(&call->body);
    cs_arena_destroy(call->arena);
    free(call);
}

static void make_call(void *ctx) {
    struct local_call *call = ctx;
    prv_vendor_call(call->transport->vendor, &call->call, call->files, call->file_count, &call->status, &call->body);
    cs_http_after(call->transport->http, 0, answer_call, call);
}

static uint64_t call_local(struct prv_transport *base, const struct prv_call *from,
                           const struct prv_call_options *options, prv_called_fn *done, void *user) {
    struct local_transport *transport = (struct local_transport *)base;
    struct local_call *call = cs_alloc(sizeof(*call));
    struct cs_arena *arena = cs_arena_create();
    *call = (struct local_call){.transport = transport,
                                .arena = arena,
                                .call = *from,
                                .files = options->files,
                                .file_count = options->file_count,
                                .done = done,
                                .user = user};
    call->call.method = cs_arena_strdup(arena, from->method);
    call->call.path = cs_arena_strdup(arena, from->path);
    call->call.body = cs_arena_copy(arena, from->body != NULL ? from->body : "", from->body_size);
    for (size_t i = 0; i < from->header_count; i++) {
        call->call.headers[i].name = cs_arena_strdup(arena, from->headers[i].name);
        call->call.headers[i].value = cs_arena_strdup(arena, from->headers[i].value);
    }
    prv_pool_run(transport->pool, make_call, call);
    return 0;
}

/* ---- outputs ---- */

struct local_fetch {
    struct local_transport *transport;
    char id[PRV_ID_SIZE];
    int fd;
    prv_fetched_fn *done;
    void *user;
    enum cs_status status;
    struct cs_err err;
};

static enum cs_status copy(int from, int to, struct cs_err *err) {
    CS_AUTO_FREE char *bytes = cs_alloc(COPY_BYTES);
    for (;;) {
        ssize_t got = read(from, bytes, COPY_BYTES);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? CS_OK : cs_fail_errno(err, errno, "reading the output");
        }
        for (ssize_t done = 0; done < got;) {
            ssize_t written = write(to, bytes + done, (size_t)(got - done));
            if (written < 0 && errno != EINTR) {
                return cs_fail_errno(err, errno, "storing the output");
            }
            done += written > 0 ? written : 0;
        }
    }
}

static void answer_fetch(void *ctx) {
    struct local_fetch *fetch = ctx;
    fetch->done(fetch->status == CS_OK ? NULL : &fetch->err, fetch->user);
    free(fetch);
}

static void make_fetch(void *ctx) {
    struct local_fetch *fetch = ctx;
    CS_AUTO_FD int from = -1;
    fetch->status = prv_ledger_output(fetch->transport->ledger, fetch->id, &from, &fetch->err);
    if (fetch->status == CS_OK) {
        fetch->status = copy(from, fetch->fd, &fetch->err);
    }
    cs_http_after(fetch->transport->http, 0, answer_fetch, fetch);
}

static uint64_t fetch_local(struct prv_transport *base, const struct prv_adapter *adapter, const char *id,
                            const char *output_url, int fd, prv_fetched_fn *done, void *user) {
    struct local_transport *transport = (struct local_transport *)base;
    struct local_fetch *fetch = cs_alloc(sizeof(*fetch));
    (void)adapter;
    (void)output_url;
    *fetch = (struct local_fetch){.transport = transport, .fd = fd, .done = done, .user = user};
    cs_str_copy(fetch->id, sizeof(fetch->id), id);
    prv_pool_run(transport->pool, make_fetch, fetch);
    return 0;
}

static void abort_local(struct prv_transport *base, uint64_t handle) {
    (void)base;
    (void)handle;
}

static void destroy_local(struct prv_transport *base) {
    free(base);
}

static const struct prv_transport_ops ops = {
    .call = call_local, .fetch = fetch_local, .abort = abort_local, .destroy = destroy_local};

struct prv_transport *prv_local_transport_create(struct cs_http *http, struct prv_pool *pool, struct prv_vendor *vendor,
                                                 struct prv_ledger *ledger) {
    struct local_transport *transport = cs_alloc(sizeof(*transport));
    *transport =
        (struct local_transport){.base = {.ops = &ops}, .http = http, .pool = pool, .vendor = vendor, .ledger = ledger};
    return &transport->base;
}
