/* COVERS graph/queue.c: what is handed over in batches all arrives, and nobody waits for what does not come. */
#include <pthread.h>

#include "cs/base/mem.h"
#include "cs/test.h"
#include "graph/queue.h"

enum { BATCH = 4, CAPACITY = 8, ITEMS = 1000 };

static int numbers[ITEMS];
static int freed;

static void count_freed(void *item) {
    (void)item;
    freed++;
}

static void *put_all(void *arg) {
    for (int i = 0; i < ITEMS && med_queue_put(arg, &numbers[i]); i++) {
    }
    med_queue_end(arg, NULL);
    return NULL;
}

static int take_all(struct med_queue *queue) {
    void *item = NULL;
    int taken = 0;
    while (med_queue_take(queue, &item, NULL) == CS_OK && item != NULL) {
        assert_ptr_equal(item, &numbers[taken]);
        taken++;
    }
    return taken;
}

TEST(all_items_arrive_in_order) {
    static const size_t batches[] = {1, 3, BATCH};
    for (size_t i = 0; i < CS_COUNT(batches); i++) {
        pthread_t thread;
        struct med_queue *queue = med_queue_create(CAPACITY, batches[i], count_freed);
        assert_int_equal(0, pthread_create(&thread, NULL, put_all, queue));
        assert_int_equal(ITEMS, take_all(queue));
        assert_int_equal(0, pthread_join(thread, NULL));
        med_queue_destroy(queue);
    }
}

TEST(less_than_a_batch_arrives_at_the_end) {
    struct med_queue *queue = med_queue_create(CAPACITY, BATCH, count_freed);
    struct cs_err err = {0};
    void *item = NULL;
    assert_true(med_queue_put(queue, &numbers[0]));
    (void)cs_fail(&err, CS_DATA_LOSS, "torn", "the rest is missing");
    med_queue_end(queue, &err);
    assert_int_equal(CS_OK, med_queue_take(queue, &item, NULL));
    assert_ptr_equal(item, &numbers[0]);
    assert_int_equal(CS_DATA_LOSS, med_queue_take(queue, &item, NULL));
    med_queue_destroy(queue);
}

TEST(who_waits_for_room_is_told_that_none_comes) {
    struct med_queue *queue = med_queue_create(CAPACITY, BATCH, count_freed);
    pthread_t thread;
    void *item = NULL;
    freed = 0;
    assert_int_equal(0, pthread_create(&thread, NULL, put_all, queue));
    assert_int_equal(CS_OK, med_queue_take(queue, &item, NULL));
    med_queue_stop(queue);
    assert_int_equal(0, pthread_join(thread, NULL));
    assert_int_equal(1, freed); /* the one that nobody takes; the others lie in the queue */
    med_queue_destroy(queue);
    assert_true(freed > 1);
}

TEST_MAIN(CS_TEST(all_items_arrive_in_order), CS_TEST(less_than_a_batch_arrives_at_the_end),
          CS_TEST(who_waits_for_room_is_told_that_none_comes))
