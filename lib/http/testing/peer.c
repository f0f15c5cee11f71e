#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cs/base/mem.h"

enum { HEAD_MAX = 64 * 1024, WAIT_S = 10 };

struct peer_conn {
    struct peer *peer;
    struct peer_conn *next;
    pthread_t thread;
    int fd;
};

struct peer {
    int fd;
    uint16_t port;
    peer_fn *handler;
    void *ctx;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t read_one;
    /* below: guarded by lock */
    struct peer_conn *conns;
    int connections;
    int requests;
    bool stopping;
};

/* ---- reading ---- */

static bool read_more(struct peer_conn *conn, struct cs_buf *buf) {
    char bytes[16 * 1024];
    ssize_t got = recv(conn->fd, bytes, sizeof(bytes), 0);
    if (got <= 0) {
        return false;
    }
    cs_buf_put(buf, bytes, (size_t)got);
    return true;
}

const char *peer_header(const struct peer_request *request, const char *name, char *ret_value, size_t capacity) {
    size_t length = strlen(name);
    ret_value[0] = '\0';
    for (const char *line = request->head; line != NULL; line = strstr(line, "\r\n")) {
        line += line[0] == '\r' ? 2 : 0;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *value = line + length + 1 + strspn(line + length + 1, " ");
            (void)snprintf(ret_value, capacity, "%.*s", (int)strcspn(value, "\r"), value);
            break;
        }
        if (line[0] == '\0') {
            break;
        }
    }
    return ret_value;
}

static bool read_request(struct peer_conn *conn, struct cs_buf *buf, struct peer_request *request) {
    const char *end = NULL;
    while (buf->data == NULL || (end = strstr(buf->data, "\r\n\r\n")) == NULL) {
        bool tls = buf->data != NULL && buf->size > 0 && buf->data[0] == 0x16; /* it speaks none */
        if (tls || buf->size > HEAD_MAX || !read_more(conn, buf)) {
            return false;
        }
    }
    size_t head = (size_t)(end - buf->data) + 4;
    request->head = cs_strndup(buf->data, head);
    char length[32];
    size_t body = (size_t)strtoull(peer_header(request, "content-length", length, sizeof(length)), NULL, 10);
    while (buf->size < head + body) {
        if (!read_more(conn, buf)) {
            return false;
        }
    }
    request->body = cs_alloc(body + 1);
    memcpy(request->body, buf->data + head, body);
    request->body_size = body;
    memmove(buf->data, buf->data + head + body, buf->size - head - body);
    buf->size -= head + body;
    buf->data[buf->size] = '\0';
    return sscanf(request->head, "%15s %2047s", request->method, request->path) == 2;
}

static void count_request(struct peer *peer) {
    (void)pthread_mutex_lock(&peer->lock);
    peer->requests++;
    (void)pthread_cond_broadcast(&peer->read_one);
    (void)pthread_mutex_unlock(&peer->lock);
}

static void *serve(void *arg) {
    struct peer_conn *conn = arg;
    CS_AUTO_BUF buf = {0};
    for (bool more = true; more;) {
        struct peer_request request = {0};
        more = read_request(conn, &buf, &request);
        if (more) {
            count_request(conn->peer);
            more = conn->peer->handler(conn, &request, conn->peer->ctx);
        }
        free(request.head);
        free(request.body);
    }
    (void)shutdown(conn->fd, SHUT_RDWR);
    return NULL;
}

/* ---- accepting ---- */

static void *accept_all(void *arg) {
    struct peer *peer = arg;
    for (;;) {
        int fd = accept4(peer->fd, NULL, NULL, SOCK_CLOEXEC);
        (void)pthread_mutex_lock(&peer->lock);
        if (fd < 0 || peer->stopping) {
            (void)pthread_mutex_unlock(&peer->lock);
            if (fd >= 0) {
                (void)close(fd);
            }
            return NULL;
        }
        struct peer_conn *conn = cs_alloc(sizeof(*conn));
        *conn = (struct peer_conn){.peer = peer, .fd = fd, .next = peer->conns};
        peer->conns = conn;
        peer->connections++;
        (void)pthread_create(&conn->thread, NULL, serve, conn);
        (void)pthread_mutex_unlock(&peer->lock);
    }
}

struct peer *peer_start(peer_fn *handler, void *ctx) {
    struct peer *peer = cs_alloc(sizeof(*peer));
    *peer = (struct peer){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .handler = handler, .ctx = ctx};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    if (bind(peer->fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(peer->fd, 64) != 0 ||
        getsockname(peer->fd, (struct sockaddr *)&address, &size) != 0) {
        abort();
    }
    peer->port = ntohs(address.sin_port);
    (void)pthread_mutex_init(&peer->lock, NULL);
    (void)pthread_cond_init(&peer->read_one, NULL);
    (void)pthread_create(&peer->thread, NULL, accept_all, peer);
    return peer;
}

void peer_stop(struct peer *peer) {
    (void)pthread_mutex_lock(&peer->lock);
    peer->stopping = true;
    for (struct peer_conn *conn = peer->conns; conn != NULL; conn = conn->next) {
        (void)shutdown(conn->fd, SHUT_RDWR);
    }
    (void)pthread_mutex_unlock(&peer->lock);
    (void)shutdown(peer->fd, SHUT_RDWR);
    (void)pthread_join(peer->thread, NULL);
    (void)close(peer->fd);
    while (peer->conns != NULL) {
        struct peer_conn *conn = peer->conns;
        peer->conns = conn->next;
        (void)pthread_join(conn->thread, NULL);
        (void)close(conn->fd);
        free(conn);
    }
    (void)pthread_mutex_destroy(&peer->lock);
    (void)pthread_cond_destroy(&peer->read_one);
    free(peer);
}

uint16_t peer_port(const struct peer *peer) {
    return peer->port;
}

const char *peer_url(const struct peer *peer, const char *path, char ret_url[256]) {
    (void)snprintf(ret_url, 256, "http://127.0.0.1:%u%s", peer->port, path);
    return ret_url;
}

int peer_connections(struct peer *peer) {
    (void)pthread_mutex_lock(&peer->lock);
    int count = peer->connections;
    (void)pthread_mutex_unlock(&peer->lock);
    return count;
}

int peer_requests(struct peer *peer) {
    (void)pthread_mutex_lock(&peer->lock);
    int count = peer->requests;
    (void)pthread_mutex_unlock(&peer->lock);
    return count;
}

bool peer_wait_requests(struct peer *peer, int count) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    (void)pthread_mutex_lock(&peer->lock);
    int code = 0;
    while (peer->requests < count && code == 0) {
        code = pthread_cond_timedwait(&peer->read_one, &peer->lock, &until);
    }
    bool reached = peer->requests >= count;
    (void)pthread_mutex_unlock(&peer->lock);
    return reached;
}

/* ---- answering ---- */

void peer_send(struct peer_conn *conn, const void *bytes, size_t size) {
    const char *at = bytes;
    while (size > 0) {
        ssize_t sent = send(conn->fd, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return; /* the client has seen enough */
        }
        at += sent;
        size -= (size_t)sent;
    }
}

void peer_reply(struct peer_conn *conn, int status, const char *headers, const char *body) {
    char *text =
        cs_sprintf("HTTP/1.1 %d Status\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen(body), headers, body);
    peer_send(conn, text, strlen(text));
    free(text);
}

void peer_reset(struct peer_conn *conn) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    /* disconnecting a socket resets it and keeps the descriptor ours */
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    (void)connect(conn->fd, &none, sizeof(none));
}

void peer_hang(struct peer_conn *conn) {
    char bytes[1024];
    while (recv(conn->fd, bytes, sizeof(bytes), 0) > 0) {
    }
}
