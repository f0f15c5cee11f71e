/*
 * credentials: TLS from PEM files, and the channel arguments that both sides share.
 *
 * Fails    INVALID_ARGUMENT "bad_tls" when the files do not fit together; the error of a file that cannot be read.
 * Limits   PEM files of 1 MiB.
 */
#ifndef RPC_CREDENTIALS_H
#define RPC_CREDENTIALS_H

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "cs/rpc.h"

enum cs_status rpc_server_credentials(const struct cs_rpc_tls *tls, grpc_server_credentials **ret_credentials,
                                      struct cs_err *err) CS_MUST_USE;
enum cs_status rpc_channel_credentials(const struct cs_rpc_tls *tls, grpc_channel_credentials **ret_credentials,
                                       struct cs_err *err) CS_MUST_USE;

const grpc_channel_args *rpc_server_args(void);
const grpc_channel_args *rpc_channel_args(bool own_connection);

#endif
