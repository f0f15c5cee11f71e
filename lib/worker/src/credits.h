/*
 * credits: how the slots are shared among the streams.
 *
 * Equal shares. A stream that has more open than its share (another one has just joined) keeps what runs, and the
 * others get their share as those end, so that never more is promised than there is. With more streams than slots the
 * turn goes round.
 */
#ifndef WORKER_CREDITS_H
#define WORKER_CREDITS_H

#include <stddef.h>
#include <stdint.h>

/* limits of count streams that have so many open; orphans run for streams that have ended. rotation shifts who gets
 * what does not divide evenly. */
void credits_compute(uint32_t slots, uint32_t rotation, uint32_t orphans, const uint32_t *open, size_t count,
                     uint32_t *ret_limits);

#endif
