/*
 * stream: an answer that grows while it is sent. A producer puts bytes from any thread; the HTTP server takes them when
 * the client reads, and sleeps in between.
 *
 * Owns     counted: the producer and the server hold one reference each.
 * Threads  any. Events run on a thread of the server, without locks held.
 */
#ifndef GW_HTTP_STREAM_H
#define GW_HTTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;
struct MHD_Response;
struct gw_stream;

struct gw_stream_events {
    void (*drained)(void *ctx); /* everything that was put has been taken */
    void (*closed)(void *ctx);  /* last: the answer has ended, or the client has gone */
};

struct gw_stream *gw_stream_create(const struct gw_stream_events *events, void *ctx);
void gw_stream_ref(struct gw_stream *stream);
void gw_stream_unref(struct gw_stream *stream); /* NULL is fine */

/* Returns how many bytes wait now; they are dropped once the stream has closed. */
size_t gw_stream_put(struct gw_stream *stream, const void *bytes, size_t size_bytes);
size_t gw_stream_waiting(struct gw_stream *stream);
/* Ends the answer after what waits. */
void gw_stream_end(struct gw_stream *stream);

/* For the server: the body of an answer on this connection. Takes a reference. */
struct MHD_Response *gw_stream_response(struct gw_stream *stream, struct MHD_Connection *connection);
/* For the server: there will be no response. */
void gw_stream_close(struct gw_stream *stream);

#endif
