/*
 * http_client: the other end on a raw socket, so that it can misbehave. Every wait ends after CLIENT_PATIENCE_S.
 */
#ifndef GW_TESTS_HTTP_CLIENT_H
#define GW_TESTS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "cs/base/mem.h"

enum { CLIENT_PATIENCE_S = 20 };

struct client {
    int fd;
    struct cs_buf unread;
};

struct answer {
    int status; /* 0: the connection ended before an answer */
    char *head; /* status line and headers */
    struct cs_buf body;
    bool closes; /* says so */
};

void client_open(struct client *client, const char *address);
void client_close(struct client *client);
void client_send(struct client *client, const char *bytes, size_t size);
void client_puts(struct client *client, const char *text);
/* Reads one answer (with its body unless head_only). */
void client_read(struct client *client, struct answer *ret_answer, bool head_only);
void answer_fini(struct answer *answer);
/* Value of a header in a buffer of the answer's; NULL missing. */
const char *answer_header(struct answer *answer, const char *name, char *scratch, size_t size);
/* Reads on until text has been seen; false at the end of the connection. What was read stays in client->unread. */
bool client_await(struct client *client, const char *text);
/* Reads until the other end closes; false when it does not. */
bool client_await_end(struct client *client);
/* Sends one byte about every 50 ms until the other end closes; false when it does not. */
bool client_trickle(struct client *client, char byte);

/* One request on a connection of its own. headers: "A: b\r\n…"; body may be NULL. */
void http(const char *address, const char *method, const char *target, const char *headers, const char *body,
          struct answer *ret_answer);

#endif
