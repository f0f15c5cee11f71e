/*
 * address: where an IP address leads.
 */
#ifndef CS_HTTP_ADDRESS_H
#define CS_HTTP_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

enum cs_reach {
    CS_REACH_PUBLIC,  /* the internet */
    CS_REACH_PRIVATE, /* this machine or its networks: only with the development switch */
    CS_REACH_NEVER,   /* link-local, multicast, reserved, documentation … */
};

/* Canonical text only; anything else is CS_REACH_NEVER. */
enum cs_reach cs_address_reach(const char *text);
enum cs_reach cs_sockaddr_reach(const struct sockaddr *address);
bool cs_reach_allowed(enum cs_reach reach, bool allow_private);

#endif
