/*
 * queue: a bounded queue between two threads of the render graph, and how a failure travels down it.
 *
 * Owns     items in the queue; put hands an item over, take hands it out.
 * Threads  one producer, one consumer.
 */
#ifndef MED_QUEUE_H
#define MED_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "cs/base/auto.h"
#include "cs/base/err.h"

struct med_queue;

/* batch: who has to wait, for an item or for room, is woken when there is as much of it; many small items are handed over
 * with few switches between threads then. 1: at once. Two batches fit at least. */
struct med_queue *med_queue_create(size_t capacity, size_t batch, void (*item_free)(void *item));
void med_queue_destroy(struct med_queue *queue); /* both threads are gone */

/* Producer. put waits for room; false: nobody will take it, the item was freed, stop working. */
bool med_queue_put(struct med_queue *queue, void *item);
/* No more items, which ends all waiting; err (or NULL) is what take returns after the last one. */
void med_queue_end(struct med_queue *queue, const struct cs_err *err);

/* Consumer. *ret_item is NULL at the end. */
enum cs_status med_queue_take(struct med_queue *queue, void **ret_item, struct cs_err *err) CS_MUST_USE;
/* Takes no more: wakes the producer. */
void med_queue_stop(struct med_queue *queue);

#endif
