/*
 * peer: the other end of HTTP in tests, on raw sockets so that it can misbehave.
 *
 *     static bool answer(struct peer_conn *conn, const struct peer_request *request, void *ctx) {
 *         peer_reply(conn, 200, "", "hello");
 *         return true;                                    keep the connection
 *     }
 *     struct peer *peer = peer_start(answer, NULL);
 *
 * Threads  the handler runs on a thread of each connection.
 */
#ifndef CS_HTTP_PEER_H
#define CS_HTTP_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer;
struct peer_conn;

struct peer_request {
    char method[16];
    char path[2048];
    char *head; /* the whole header section */
    char *body; /* NUL-terminated */
    size_t body_size;
};

typedef bool peer_fn(struct peer_conn *conn, const struct peer_request *request, void *ctx);

struct peer *peer_start(peer_fn *handler, void *ctx);
void peer_stop(struct peer *peer); /* cuts what is open, joins everything */
uint16_t peer_port(const struct peer *peer);
/* "http://127.0.0.1:PORT" + path */
const char *peer_url(const struct peer *peer, const char *path, char ret_url[256]);
int peer_connections(struct peer *peer); /* accepted so far */
int peer_requests(struct peer *peer);    /* read so far */
/* Waits until so many requests were read; false after 10 s. */
bool peer_wait_requests(struct peer *peer, int count);

/* The value of a header of the request, copied; "" when missing. */
const char *peer_header(const struct peer_request *request, const char *name, char *ret_value, size_t capacity);

/* headers: "" or "A: b\r\nC: d\r\n" */
void peer_reply(struct peer_conn *conn, int status, const char *headers, const char *body);
void peer_send(struct peer_conn *conn, const void *bytes, size_t size);
void peer_reset(struct peer_conn *conn); /* RST instead of FIN */
void peer_hang(struct peer_conn *conn);  /* until the client goes away or the peer stops */

#endif
