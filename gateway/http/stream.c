#include "http/stream.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "cs/base/mem.h"

enum { BLOCK_BYTES = 16 * 1024 };

struct gw_stream {
    const struct gw_stream_events *events;
    void *ctx;
    struct MHD_Connection *connection;
    atomic_int references;
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct cs_buf waiting;
    size_t taken; /* of waiting */
    bool ended;
    bool closed;
    bool asleep; /* the connection is suspended */
};

struct gw_stream *gw_stream_create(const struct gw_stream_events *events, void *ctx) {
    struct gw_stream *stream = cs_alloc(sizeof(*stream));
    stream->events = events;
    stream->ctx = ctx;
    atomic_init(&stream->references, 1);
    (void)pthread_mutex_init(&stream->lock, NULL);
    return stream;
}

void gw_stream_ref(struct gw_stream *stream) {
    atomic_fetch_add(&stream->references, 1);
}

void gw_stream_unref(struct gw_stream *stream) {
    if (stream == NULL || atomic_fetch_sub(&stream->references, 1) != 1) {
        return;
    }
    cs_buf_fini(&stream->waiting);
    (void)pthread_mutex_destroy(&stream->lock);
    free(stream);
}

/* Lock held. */
static void wake(struct gw_stream *stream) {
    if (stream->asleep) {
        stream->asleep = false;
        MHD_resume_connection(stream->connection);
    }
}

size_t gw_stream_put(struct gw_stream *stream, const void *bytes, size_t size_bytes) {
    (void)pthread_mutex_lock(&stream->lock);
    if (!stream->closed && !stream->ended) {
        cs_buf_put(&stream->waiting, bytes, size_bytes);
        wake(stream);
    }
    size_t waiting = stream->waiting.size - stream->taken;
    (void)pthread_mutex_unlock(&stream->lock);
    return waiting;
}

size_t gw_stream_waiting(struct gw_stream *stream) {
    (void)pthread_mutex_lock(&stream->lock);
    size_t waiting = stream->waiting.size - stream->taken;
    (void)pthread_mutex_unlock(&stream->lock);
    return waiting;
}

void gw_stream_end(struct gw_stream *stream) {
    (void)pthread_mutex_lock(&stream->lock);
    stream->ended = true;
    wake(stream);
    (void)pthread_mutex_unlock(&stream->lock);
}

/* Lock held. Suspends the connection when there is nothing: the producer's next word resumes it. */
static ssize_t take(struct gw_stream *stream, char *ret_bytes, size_t size_max, bool *ret_drained) {
    size_t left = stream->waiting.size - stream->taken;
    if (left == 0 && stream->ended) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (left == 0) {
        stream->asleep = true;
        MHD_suspend_connection(stream->connection);
        return 0;
    }
    size_t size = left < size_max ? left : size_max;
    memcpy(ret_bytes, stream->waiting.data + stream->taken, size);
    stream->taken += size;
    if (stream->taken == stream->waiting.size) {
        cs_buf_clear(&stream->waiting);
        stream->taken = 0;
        *ret_drained = true;
    }
    return (ssize_t)size;
}

static ssize_t read_stream(void *cls, __attribute__((unused)) uint64_t position, char *bytes, size_t size_max) {
    struct gw_stream *stream = cls;
    bool drained = false;
    (void)pthread_mutex_lock(&stream->lock);
    ssize_t size = take(stream, bytes, size_max, &drained);
    (void)pthread_mutex_unlock(&stream->lock);
    if (drained && stream->events->drained != NULL) {
        stream->events->drained(stream->ctx);
    }
    return size;
}

void gw_stream_close(struct gw_stream *stream) {
    (void)pthread_mutex_lock(&stream->lock);
    stream->closed = true;
    stream->asleep = false;
    (void)pthread_mutex_unlock(&stream->lock);
    if (stream->events->closed != NULL) {
        stream->events->closed(stream->ctx);
    }
}

static void free_stream(void *cls) {
    struct gw_stream *stream = cls;
    gw_stream_close(stream);
    gw_stream_unref(stream);
}

struct MHD_Response *gw_stream_response(struct gw_stream *stream, struct MHD_Connection *connection) {
    stream->connection = connection;
    gw_stream_ref(stream);
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, stream, free_stream);
    if (response == NULL) {
        free_stream(stream);
    }
    return response;
}
