/*
 * listen: the listening socket.
 */
#ifndef GW_HTTP_LISTEN_H
#define GW_HTTP_LISTEN_H

#include "cs/base/err.h"

enum { GW_ADDRESS_SIZE = 80 };

/* A non-blocking, close-on-exec listening socket on "HOST:PORT". UNAVAILABLE when the address is taken. */
enum cs_status gw_listen(const char *address, int *ret_fd, struct cs_err *err) CS_MUST_USE;
/* Duplicates a listening socket that a supervisor gave, and makes it non-blocking. "bad_listen_fd" otherwise. */
enum cs_status gw_listen_take(int fd, int *ret_fd, struct cs_err *err) CS_MUST_USE;
/* "127.0.0.1:8080" */
void gw_listen_address(int fd, char ret_address[GW_ADDRESS_SIZE]);

#endif
