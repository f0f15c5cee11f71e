/*
 * proxy: a TCP relay that a test can freeze (bytes are taken and kept, as from a host that vanished) or cut.
 *
 * Threads  one of its own.
 */
#ifndef RPC_TEST_PROXY_H
#define RPC_TEST_PROXY_H

#include <stdint.h>

struct proxy;

struct proxy *proxy_start(uint16_t to_port); /* on 127.0.0.1 */
void proxy_stop(struct proxy *proxy);
uint16_t proxy_port(const struct proxy *proxy);
void proxy_freeze(struct proxy *proxy);
void proxy_cut(struct proxy *proxy);

#endif
