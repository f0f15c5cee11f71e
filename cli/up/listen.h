/*
 * listen: the sockets and ports of `callsheet up`.
 */
#ifndef CLI_UP_LISTEN_H
#define CLI_UP_LISTEN_H

#include <stdint.h>

#include "cs/base/err.h"

/* A listening TCP socket on "HOST:PORT" (port 0: any), kept by us so that it survives the gateway. ret_port: what it
 * got. */
enum cs_status cli_listen(const char *address, int *ret_fd, uint16_t *ret_port, struct cs_err *err) CS_MUST_USE;

/* A loopback port that is free now and outside the range from which the kernel takes ports for outgoing connections. A
 * service keeps its port over restarts; in that range, while it is down, the redials of its clients could take it. */
enum cs_status cli_pick_port(uint16_t *ret_port, struct cs_err *err) CS_MUST_USE;

#endif
