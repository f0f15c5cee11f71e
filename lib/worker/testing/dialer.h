/*
 * dialer: an orchestrator by hand, for tests of workers: dials one over real gRPC, assigns, cancels, acknowledges, and
 * keeps every report.
 *
 *     struct dialer *dialer = dialer_open(address, "");
 *     dialer_assign(dialer, "f1", &assign);
 *     const Callsheet__V1__Report *report = dialer_wait_final(dialer, "f1");
 *     dialer_close(dialer);
 *
 * Owns     reports live until dialer_close.
 * Threads  the test's own.
 * Fails    by failing the test after DIALER_PATIENCE_S.
 */
#ifndef CS_WORKER_DIALER_H
#define CS_WORKER_DIALER_H

#include <stdbool.h>
#include <stddef.h>

#include "callsheet/v1/worker.pb-c.h"

enum { DIALER_PATIENCE_S = 30 };

struct dialer;

/* Opens the stream and waits for Hello and credits. token "": none. */
struct dialer *dialer_open(const char *address, const char *token);
void dialer_close(struct dialer *dialer); /* cuts the stream */
const Callsheet__V1__Hello *dialer_hello(struct dialer *dialer);
uint32_t dialer_credits(struct dialer *dialer);

void dialer_assign(struct dialer *dialer, const char *fence, Callsheet__V1__Assign *assign);
void dialer_cancel(struct dialer *dialer, const char *fence);
void dialer_cancel_for_good(struct dialer *dialer, const char *fence);

void dialer_chunk_news(struct dialer *dialer, const char *fence, uint32_t chunk, Callsheet__V1__ChunkState state);

/* Whether checkpoints are acknowledged as they come (default), else by dialer_save. */
void dialer_hold_checkpoints(struct dialer *dialer, bool hold);
void dialer_save(struct dialer *dialer, const char *fence, uint64_t sequence);

/* The first report of this kind for the fence. */
const Callsheet__V1__Report *dialer_wait(struct dialer *dialer, const char *fence,
                                         Callsheet__V1__Report__ReportCase kind);
/* The same, the count-th of that kind. */
const Callsheet__V1__Report *dialer_wait_nth(struct dialer *dialer, const char *fence,
                                             Callsheet__V1__Report__ReportCase kind, size_t count);
/* Succeeded or Failed. */
const Callsheet__V1__Report *dialer_wait_final(struct dialer *dialer, const char *fence);
/* Waits until so many checkpoints came for the fence; the last of them. */
const Callsheet__V1__Checkpoint *dialer_wait_checkpoint(struct dialer *dialer, const char *fence, size_t count);
size_t dialer_count(struct dialer *dialer, const char *fence, Callsheet__V1__Report__ReportCase kind);
/* Whether a progress with this stage came; waits for it. */
void dialer_wait_stage(struct dialer *dialer, const char *fence, const char *stage);

#endif
