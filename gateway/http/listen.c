#include "http/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cs/base/auto.h"
#include "cs/conf.h"

enum { BACKLOG = 1024 };

static enum cs_status try_listen(const struct addrinfo *info, const char *address, int *ret_fd, struct cs_err *err) {
    CS_AUTO_FD int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    if (fd < 0) {
        return cs_fail_errno(err, errno, "opening a socket for %s", address);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        return cs_fail_errno(err, errno, "listening on %s", address);
    }
    *ret_fd = cs_steal_fd(&fd);
    return CS_OK;
}

enum cs_status gw_listen(const char *address, int *ret_fd, struct cs_err *err) {
    char host[CS_HOST_MAX];
    char service[8];
    uint16_t port = 0;
    struct addrinfo *info = NULL;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    CS_TRY(cs_conf_host_port(address, host, &port, err));
    (void)snprintf(service, sizeof(service), "%u", port);
    int failed = getaddrinfo(host, service, &hints, &info);
    if (failed != 0) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_address", "%s: %s", address, gai_strerror(failed));
    }
    enum cs_status status = try_listen(info, address, ret_fd, err);
    freeaddrinfo(info);
    return status;
}

enum cs_status gw_listen_take(int fd, int *ret_fd, struct cs_err *err) {
    int listening = 0;
    socklen_t size = sizeof(listening);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_listen_fd", "descriptor %d is not a listening socket", fd);
    }
    CS_AUTO_FD int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    int flags = own >= 0 ? fcntl(own, F_GETFL) : -1;
    if (flags < 0 || fcntl(own, F_SETFL, flags | O_NONBLOCK) != 0) {
        return cs_fail_errno(err, errno, "taking descriptor %d", fd);
    }
    *ret_fd = cs_steal_fd(&own);
    return CS_OK;
}

void gw_listen_address(int fd, char ret_address[GW_ADDRESS_SIZE]) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    char host[64] = "?";
    char port[8] = "0";
    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0) {
        (void)getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
                          NI_NUMERICHOST | NI_NUMERICSERV);
    }
    (void)snprintf(ret_address, GW_ADDRESS_SIZE, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
