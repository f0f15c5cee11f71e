/*
 * events: executions as server-sent events, on top of WatchExecution.
 *
 * A client that reads too slowly is not buffered without bound: its watch is dropped and opened again, with a new
 * snapshot, once it has read what waits. A watch that breaks (the orchestrator restarts) is opened again too; the
 * client does not notice but for the snapshot.
 *
 * Limits   EVENTS_WAITING_BYTES_MAX and one message per client.
 * Threads  any.
 */
#ifndef GW_API_EVENTS_H
#define GW_API_EVENTS_H

#include <stddef.h>
#include <stdint.h>

struct gw_events;

struct gw_events *gw_events_create(void);
void gw_events_destroy(struct gw_events *events); /* when no stream is open; NULL is fine */
size_t gw_events_count(struct gw_events *events);
/* Keeps lines open, opens broken watches again, gives up on those that do not start. */
void gw_events_tick(struct gw_events *events, int64_t now_ms);
/* Ends all streams, so that clients reconnect elsewhere or later. */
void gw_events_end_all(struct gw_events *events);

#endif
