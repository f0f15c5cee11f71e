#include "tests/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cs/base/text.h"

void client_open(struct client *client, const char *address) {
    struct sockaddr_in to = {.sin_family = AF_INET};
    const struct timeval patience = {.tv_sec = CLIENT_PATIENCE_S};
    const char *colon = strrchr(address, ':');
    to.sin_port = htons((uint16_t)atoi(colon + 1));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *client = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(client->fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        (void)close(client->fd);
        client->fd = -1;
    }
}

void client_close(struct client *client) {
    if (client->fd >= 0) {
        (void)close(client->fd);
    }
    cs_buf_fini(&client->unread);
    client->fd = -1;
}

void client_send(struct client *client, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = send(client->fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; /* the answer tells why */
        }
        bytes += sent;
        size -= (size_t)sent;
    }
}

void client_puts(struct client *client, const char *text) {
    client_send(client, text, strlen(text));
}

static bool read_more(struct client *client) {
    char bytes[64 * 1024];
    ssize_t got = recv(client->fd, bytes, sizeof(bytes), 0);
    if (got <= 0) {
        return false;
    }
    cs_buf_put(&client->unread, bytes, (size_t)got);
    return true;
}

static void consume(struct client *client, size_t size) {
    memmove(client->unread.data, client->unread.data + size, client->unread.size - size);
    client->unread.size -= size;
    client->unread.data[client->unread.size] = '\0';
}

static bool find(const struct client *client, const char *text, size_t *ret_at) {
    const char *at =
        client->unread.size != 0 ? memmem(client->unread.data, client->unread.size, text, strlen(text)) : NULL;
    if (at != NULL) {
        *ret_at = (size_t)(at - client->unread.data);
    }
    return at != NULL;
}

bool client_await(struct client *client, const char *text) {
    size_t at = 0;
    while (!find(client, text, &at)) {
        if (!read_more(client)) {
            return false;
        }
    }
    return true;
}

bool client_await_end(struct client *client) {
    while (read_more(client)) {
    }
    return errno != EAGAIN && errno != EWOULDBLOCK;
}

bool client_trickle(struct client *client, char byte) {
    for (int i = 0; i < CLIENT_PATIENCE_S * 20; i++) {
        struct pollfd at = {.fd = client->fd, .events = POLLIN};
        if (poll(&at, 1, 50) > 0) {
            char bytes[4096];
            return recv(client->fd, bytes, sizeof(bytes), 0) <= 0 || client_await_end(client);
        }
        if (send(client->fd, &byte, 1, MSG_NOSIGNAL) != 1) {
            return true;
        }
    }
    return false;
}

const char *answer_header(struct answer *answer, const char *name, char *scratch, size_t size) {
    size_t length = strlen(name);
    for (const char *line = strstr(answer->head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
        const char *at = line + 2;
        if (strncasecmp(at, name, length) == 0 && at[length] == ':') {
            at += length + 1 + strspn(at + length + 1, " ");
            (void)snprintf(scratch, size, "%.*s", (int)strcspn(at, "\r"), at);
            return scratch;
        }
    }
    return NULL;
}

static void take_bytes(struct client *client, size_t size, struct cs_buf *body) {
    while (client->unread.size < size && read_more(client)) {
    }
    size_t take = client->unread.size < size ? client->unread.size : size;
    if (take != 0) {
        cs_buf_put(body, client->unread.data, take);
        consume(client, take);
    }
}

static void take_chunks(struct client *client, struct cs_buf *body) {
    size_t size = 1;
    while (size != 0 && client_await(client, "\r\n")) {
        size_t line = 0;
        CS_AUTO_BUF end = {0};
        (void)find(client, "\r\n", &line);
        size = strtoul(client->unread.data, NULL, 16);
        consume(client, line + 2);
        take_bytes(client, size, body);
        take_bytes(client, 2, &end);
    }
}

void client_read(struct client *client, struct answer *ret_answer, bool head_only) {
    char text[64];
    size_t end = 0;
    *ret_answer = (struct answer){0};
    if (client->fd < 0 || !client_await(client, "\r\n\r\n") || !find(client, "\r\n\r\n", &end)) {
        ret_answer->head = cs_strdup("");
        return;
    }
    ret_answer->head = cs_strndup(client->unread.data, end + 2);
    consume(client, end + 4);
    ret_answer->status = atoi(ret_answer->head + strlen("HTTP/1.1 "));
    const char *connection = answer_header(ret_answer, "Connection", text, sizeof(text));
    ret_answer->closes = connection != NULL && strcasecmp(connection, "close") == 0;
    cs_buf_puts(&ret_answer->body, "");
    if (head_only || ret_answer->status == 304) {
        return;
    }
    if (answer_header(ret_answer, "Transfer-Encoding", text, sizeof(text)) != NULL) {
        take_chunks(client, &ret_answer->body);
    } else if (answer_header(ret_answer, "Content-Length", text, sizeof(text)) != NULL) {
        take_bytes(client, strtoul(text, NULL, 10), &ret_answer->body);
    }
}

void answer_fini(struct answer *answer) {
    free(answer->head);
    cs_buf_fini(&answer->body);
    *answer = (struct answer){0};
}

void http(const char *address, const char *method, const char *target, const char *headers, const char *body,
          struct answer *ret_answer) {
    struct client client;
    CS_AUTO_BUF request = {0};
    cs_buf_printf(&request, "%s %s HTTP/1.1\r\nHost: gateway\r\n%s", method, target, headers);
    if (body != NULL) {
        cs_buf_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", strlen(body));
        cs_buf_puts(&request, body);
    } else {
        cs_buf_puts(&request, "\r\n");
    }
    client_open(&client, address);
    client_send(&client, request.data, request.size);
    client_read(&client, ret_answer, strcmp(method, "HEAD") == 0);
    client_close(&client);
}
