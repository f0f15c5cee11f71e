#include "proxy.h"

#include <arpa/inet.h>
#undef NDEBUG
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cs/base/mem.h"

enum { PAIRS_MAX = 16, CHUNK_BYTES = 64 * 1024 };
enum order { ORDER_FREEZE = 'f', ORDER_CUT = 'c', ORDER_STOP = 's' };

struct proxy {
    pthread_t thread;
    int listener;
    int orders[2]; /* pipe: a byte is an order */
    uint16_t port;
    uint16_t to_port;
    bool frozen;
    int sockets[2 * PAIRS_MAX]; /* 2n and 2n + 1 belong together; -1 free */
};

static struct sockaddr_in loopback(uint16_t port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void close_pair(struct proxy *proxy, int index) {
    for (int i = index & ~1; i <= (index | 1); i++) {
        if (proxy->sockets[i] >= 0) {
            (void)close(proxy->sockets[i]);
            proxy->sockets[i] = -1;
        }
    }
}

static void accept_pair(struct proxy *proxy) {
    int from = accept(proxy->listener, NULL, NULL);
    int to = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(proxy->to_port);
    if (from < 0 || connect(to, (struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(from);
        (void)close(to);
        return;
    }
    for (int i = 0; i < 2 * PAIRS_MAX; i += 2) {
        if (proxy->sockets[i] < 0) {
            proxy->sockets[i] = from;
            proxy->sockets[i + 1] = to;
            return;
        }
    }
    assert(!"too many connections for this proxy");
}

static void relay(struct proxy *proxy, int index) {
    static _Thread_local char chunk[CHUNK_BYTES];
    ssize_t got = recv(proxy->sockets[index], chunk, sizeof(chunk), 0);
    if (got <= 0) {
        close_pair(proxy, index);
        return;
    }
    for (ssize_t sent = 0; !proxy->frozen && sent < got;) {
        ssize_t now = send(proxy->sockets[index ^ 1], chunk + sent, (size_t)(got - sent), MSG_NOSIGNAL);
        if (now <= 0) {
            close_pair(proxy, index);
            return;
        }
        sent += now;
    }
}

static bool obey(struct proxy *proxy) {
    char order = 0;
    if (read(proxy->orders[0], &order, 1) != 1 || order == ORDER_STOP) {
        return false;
    }
    proxy->frozen = proxy->frozen || order == ORDER_FREEZE;
    for (int i = 0; order == ORDER_CUT && i < 2 * PAIRS_MAX; i += 2) {
        close_pair(proxy, i);
    }
    return true;
}

static void *proxy_main(void *arg) {
    struct proxy *proxy = arg;
    for (;;) {
        struct pollfd polled[2 + 2 * PAIRS_MAX] = {{proxy->orders[0], POLLIN, 0}, {proxy->listener, POLLIN, 0}};
        for (int i = 0; i < 2 * PAIRS_MAX; i++) {
            polled[2 + i] = (struct pollfd){proxy->sockets[i], POLLIN, 0};
        }
        (void)poll(polled, CS_COUNT(polled), -1);
        if (polled[0].revents != 0 && !obey(proxy)) {
            return NULL;
        }
        for (int i = 0; i < 2 * PAIRS_MAX; i++) {
            if (polled[2 + i].revents != 0 && proxy->sockets[i] == polled[2 + i].fd) {
                relay(proxy, i);
            }
        }
        if (polled[1].revents != 0) {
            accept_pair(proxy);
        }
    }
}

struct proxy *proxy_start(uint16_t to_port) {
    struct proxy *proxy = cs_alloc(sizeof(*proxy));
    proxy->to_port = to_port;
    for (int i = 0; i < 2 * PAIRS_MAX; i++) {
        proxy->sockets[i] = -1;
    }
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
    int failed = bind(proxy->listener, (struct sockaddr *)&address, size) | listen(proxy->listener, PAIRS_MAX) |
                 getsockname(proxy->listener, (struct sockaddr *)&address, &size) | pipe(proxy->orders) |
                 pthread_create(&proxy->thread, NULL, proxy_main, proxy);
    assert(failed == 0);
    proxy->port = ntohs(address.sin_port);
    return proxy;
}

static void give(struct proxy *proxy, enum order order) {
    char byte = (char)order;
    ssize_t written = write(proxy->orders[1], &byte, 1);
    assert(written == 1);
}

void proxy_freeze(struct proxy *proxy) {
    give(proxy, ORDER_FREEZE);
}

void proxy_cut(struct proxy *proxy) {
    give(proxy, ORDER_CUT);
}

uint16_t proxy_port(const struct proxy *proxy) {
    return proxy->port;
}

void proxy_stop(struct proxy *proxy) {
    give(proxy, ORDER_STOP);
    pthread_join(proxy->thread, NULL);
    for (int i = 0; i < 2 * PAIRS_MAX; i += 2) {
        close_pair(proxy, i);
    }
    (void)close(proxy->listener);
    (void)close(proxy->orders[0]);
    (void)close(proxy->orders[1]);
    free(proxy);
}
