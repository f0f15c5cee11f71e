#include "up/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cs/base/auto.h"
#include "cs/base/id.h"
#include "cs/conf.h"

enum { BACKLOG = 1024, PICK_TRIES = 200, PORT_FIRST = 10000, PORT_END_DEFAULT = 32768 };

static enum cs_status bind_first(const struct addrinfo *list, const char *address, int *ret_fd, struct cs_err *err) {
    int errnum = EADDRNOTAVAIL;
    for (const struct addrinfo *info = list; info != NULL; info = info->ai_next) {
        CS_AUTO_FD int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int one = 1;
        if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
            bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
            *ret_fd = cs_steal_fd(&fd);
            return CS_OK;
        }
        errnum = errno;
    }
    return cs_fail_errno(err, errnum, "listening on %s", address);
}

static uint16_t port_of(int fd) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    socklen_t size = sizeof(address);
    if (getsockname(fd, &address.any, &size) != 0) {
        return 0;
    }
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

enum cs_status cli_listen(const char *address, int *ret_fd, uint16_t *ret_port, struct cs_err *err) {
    char host[CS_HOST_MAX];
    uint16_t port = 0;
    CS_TRY(cs_conf_host_port(address, host, &port, err));
    char service[8];
    (void)snprintf(service, sizeof(service), "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    int outcome = getaddrinfo(host, service, &hints, &list);
    if (outcome != 0) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_address", "--listen %s: %s", address, gai_strerror(outcome));
    }
    int fd = -1;
    enum cs_status status = bind_first(list, address, &fd, err);
    freeaddrinfo(list);
    CS_TRY(status);
    *ret_fd = fd;
    *ret_port = port_of(fd);
    return CS_OK;
}

/* The first port of outgoing connections, as far as it leaves us room below. */
static uint16_t range_end(void) {
    int first = 0;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (file != NULL) {
        if (fscanf(file, "%d", &first) != 1) {
            first = 0;
        }
        (void)fclose(file);
    }
    return (uint16_t)(first > PORT_FIRST + PICK_TRIES && first < UINT16_MAX ? first : PORT_END_DEFAULT);
}

static bool is_free(uint16_t port) {
    CS_AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

enum cs_status cli_pick_port(uint16_t *ret_port, struct cs_err *err) {
    uint16_t span = (uint16_t)(range_end() - PORT_FIRST);
    for (int i = 0; i < PICK_TRIES; i++) {
        uint16_t port = (uint16_t)(PORT_FIRST + cs_random_u64() % span);
        if (is_free(port)) {
            *ret_port = port;
            return CS_OK;
        }
    }
    return cs_fail(err, CS_RESOURCE_EXHAUSTED, "no_port", "no free loopback port was found");
}
