#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cs/base/text.h"

enum {
    PEM_BYTES_MAX = 1 << 20,
    /* A peer that vanished without a word is noticed after the two together, on connections with open calls. */
    KEEPALIVE_TIME_MS = 2000,
    KEEPALIVE_TIMEOUT_MS = 3000,
    PING_INTERVAL_MIN_MS = 500, /* below any client's keepalive time, or it is sent away */
    HANDSHAKE_TIMEOUT_MS = 10 * 1000,
    CONNECT_TIMEOUT_MS = 5000,
    RECONNECT_FIRST_MS = 100,
    RECONNECT_MAX_MS = 1000,
    READ_AHEAD_BYTES = 256 << 10,
    ONLY_IDENTITY = 1 << GRPC_COMPRESS_NONE, /* a compressed message could grow without a limit */
};

/* ---- files ---- */

static enum cs_status read_pem(const char *path, char **ret_text, struct cs_err *err) {
    CS_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return cs_fail_errno(err, errno, "reading %s", path);
    }
    CS_AUTO_BUF text = {0};
    char chunk[4096];
    ssize_t got = 0;
    while ((got = read(fd, chunk, sizeof(chunk))) > 0) {
        cs_buf_put(&text, chunk, (size_t)got);
        if (text.size > PEM_BYTES_MAX) {
            return cs_fail(err, CS_INVALID_ARGUMENT, "bad_tls", "%s is larger than %d bytes", path, PEM_BYTES_MAX);
        }
    }
    if (got < 0) {
        return cs_fail_errno(err, errno, "reading %s", path);
    }
    if (text.size == 0 || strstr(text.data, "-----BEGIN ") == NULL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_tls", "%s is not PEM", path);
    }
    *ret_text = cs_buf_steal(&text);
    return CS_OK;
}

struct pems {
    char *ca;
    char *cert;
    char *key;
};

static void pems_fini(struct pems *pems) {
    free(pems->ca);
    free(pems->cert);
    if (pems->key != NULL) {
        explicit_bzero(pems->key, strlen(pems->key));
    }
    free(pems->key);
}

static enum cs_status pems_read(const struct cs_rpc_tls *tls, struct pems *ret_pems, struct cs_err *err) {
    if (cs_str_empty(tls->cert_file) != cs_str_empty(tls->key_file)) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_tls", "a certificate needs its key, and a key its certificate");
    }
    if (!cs_str_empty(tls->ca_file)) {
        CS_TRY(read_pem(tls->ca_file, &ret_pems->ca, err));
    }
    if (!cs_str_empty(tls->cert_file)) {
        CS_TRY(read_pem(tls->cert_file, &ret_pems->cert, err));
        CS_TRY(read_pem(tls->key_file, &ret_pems->key, err));
    }
    return CS_OK;
}

static bool no_tls(const struct cs_rpc_tls *tls) {
    return cs_str_empty(tls->ca_file) && cs_str_empty(tls->cert_file) && cs_str_empty(tls->key_file);
}

enum cs_status rpc_server_credentials(const struct cs_rpc_tls *tls, grpc_server_credentials **ret_credentials,
                                      struct cs_err *err) {
    if (no_tls(tls)) {
        *ret_credentials = grpc_insecure_server_credentials_create();
        return CS_OK;
    }
    CS_AUTO_VALUE(pems, pems_fini) pems = {0};
    CS_TRY(pems_read(tls, &pems, err));
    if (pems.cert == NULL) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_tls", "a server with TLS needs a certificate");
    }
    grpc_ssl_pem_key_cert_pair pair = {.private_key = pems.key, .cert_chain = pems.cert};
    grpc_ssl_client_certificate_request_type clients = pems.ca != NULL
                                                           ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                                           : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
    *ret_credentials = grpc_ssl_server_credentials_create_ex(pems.ca, &pair, 1, clients, NULL);
    return CS_OK;
}

enum cs_status rpc_channel_credentials(const struct cs_rpc_tls *tls, grpc_channel_credentials **ret_credentials,
                                       struct cs_err *err) {
    if (no_tls(tls)) {
        *ret_credentials = grpc_insecure_credentials_create();
        return CS_OK;
    }
    CS_AUTO_VALUE(pems, pems_fini) pems = {0};
    CS_TRY(pems_read(tls, &pems, err));
    grpc_ssl_pem_key_cert_pair pair = {.private_key = pems.key, .cert_chain = pems.cert};
    *ret_credentials = grpc_ssl_credentials_create_ex(pems.ca, pems.cert != NULL ? &pair : NULL, NULL, NULL);
    return CS_OK;
}

/* ---- arguments ---- */

#define INTEGER(name, number)                                                                                          \
    { .type = GRPC_ARG_INTEGER, .key = (char *)(name), .value.integer = (number) }

#define BOTH_SIDES                                                                                                     \
    INTEGER(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, CS_RPC_MESSAGE_BYTES_MAX),                                            \
        INTEGER(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, CS_RPC_MESSAGE_BYTES_MAX),                                           \
        INTEGER(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_TIME_MS),                                                        \
        INTEGER(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),                                                  \
        INTEGER(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),                                                             \
        INTEGER(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, ONLY_IDENTITY),                                    \
        INTEGER(GRPC_ARG_HTTP2_BDP_PROBE, 0), INTEGER(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, READ_AHEAD_BYTES),        \
        INTEGER(GRPC_ARG_ENABLE_CHANNELZ, 0)

const grpc_channel_args *rpc_server_args(void) {
    static grpc_arg items[] = {
        BOTH_SIDES,
        INTEGER(GRPC_ARG_ALLOW_REUSEPORT, 0), /* a taken address is an error, not a share */
        INTEGER(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, PING_INTERVAL_MIN_MS),
        INTEGER(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS),
    };
    static const grpc_channel_args args = {.num_args = CS_COUNT(items), .args = items};
    return &args;
}

#define CHANNEL_ARGS                                                                                                   \
    BOTH_SIDES, INTEGER(GRPC_ARG_ENABLE_HTTP_PROXY, 0),                                                                \
        INTEGER(GRPC_ARG_ENABLE_RETRIES, 0), /* callers retry, by the error */                                         \
        INTEGER(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_TIMEOUT_MS),                                                \
        INTEGER(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_FIRST_MS),                                            \
        INTEGER(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_MAX_MS)

const grpc_channel_args *rpc_channel_args(bool own_connection) {
    static grpc_arg shared_items[] = {CHANNEL_ARGS};
    static grpc_arg own_items[] = {CHANNEL_ARGS, INTEGER(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1)};
    static const grpc_channel_args shared = {.num_args = CS_COUNT(shared_items), .args = shared_items};
    static const grpc_channel_args own = {.num_args = CS_COUNT(own_items), .args = own_items};
    return own_connection ? &own : &shared;
}
