#include "api/client.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "api/sse.h"
#include "cs/base/id.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/http.h"
#include "cs/json.h"
#include "watch/width.h"

enum {
    ANSWER_BYTES_MAX = 64 << 20,
    ID_LENGTH_MAX = 128,
    IDLE_TIMEOUT_MS = 60000, /* the gateway says something every 15 s */
    ERROR_BYTES_MAX = 65536,
};

struct cli_client {
    struct cs_http *http;
    char *server;        /* without a slash at the end */
    char *authorization; /* NULL: none */
};

enum cs_status cli_client_create(const struct cli_client_config *config, struct cli_client **ret_client,
                                 struct cs_err *err) {
    if (!cs_str_starts(config->server, "http://") && !cs_str_starts(config->server, "https://")) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_setting", "--server wants a URL like http://127.0.0.1:8080");
    }
    CS_AUTO(cli_client) *client = cs_alloc(sizeof(*client));
    CS_TRY(cs_http_create(&client->http, err));
    client->server = cs_strdup(config->server);
    for (size_t size = strlen(client->server); client->server[size - 1] == '/'; size--) {
        client->server[size - 1] = '\0';
    }
    client->authorization = config->api_key[0] != '\0' ? cs_sprintf("Bearer %s", config->api_key) : NULL;
    *ret_client = cs_steal(&client);
    return CS_OK;
}

void cli_client_destroy(struct cli_client *client) {
    if (client == NULL) {
        return;
    }
    cs_http_destroy(client->http);
    free(client->server);
    free(client->authorization);
    free(client);
}

enum cs_status cli_check_id(const char *id, struct cs_err *err) {
    return cs_id_valid(id, ID_LENGTH_MAX)
               ? CS_OK
               : cs_fail(err, CS_INVALID_ARGUMENT, "bad_id", "\"%s\" is not the id of an execution", id);
}

/* ---- errors ---- */

static const struct {
    int http;
    enum cs_status status;
} status_rows[] = {
    {400, CS_INVALID_ARGUMENT},    {401, CS_UNAUTHENTICATED},  {403, CS_PERMISSION_DENIED}, {404, CS_NOT_FOUND},
    {409, CS_FAILED_PRECONDITION}, {413, CS_INVALID_ARGUMENT}, {415, CS_INVALID_ARGUMENT},  {422, CS_INVALID_ARGUMENT},
    {429, CS_RESOURCE_EXHAUSTED},  {502, CS_UNAVAILABLE},      {503, CS_UNAVAILABLE},       {504, CS_DEADLINE_EXCEEDED},
};

static enum cs_status status_of(int http) {
    for (size_t i = 0; i < CS_COUNT(status_rows); i++) {
        if (status_rows[i].http == http) {
            return status_rows[i].status;
        }
    }
    return CS_INTERNAL;
}

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

enum cs_status cli_api_error(int status, const json_t *body, struct cs_err *err) {
    const char *message = text_of(body, "message");
    message = message[0] != '\0' ? message : text_of(body, "error");
    const char *code = text_of(body, "code");
    if (message[0] == '\0') {
        return cs_fail(err, status_of(status), "http_status", "the server answered with status %d", status);
    }
    enum cs_status filled = cs_fail(err, status_of(status), code[0] != '\0' ? code : "http_status", "%s", message);
    cs_str_copy(err->path, sizeof(err->path), text_of(body, "path"));
    return filled;
}

/* Control characters of a server do not reach the terminal. */
static void print_clean(FILE *out, const char *text) {
    CS_AUTO_FREE char *clean = cs_strdup(text);
    cli_text_clean(clean);
    (void)fputs(clean, out);
}

void cli_print_error(const char *word, const struct cs_err *err) {
    (void)fprintf(stderr, "callsheet %s: ", word);
    print_clean(stderr, err->message);
    (void)fputs(" (", stderr);
    print_clean(stderr, err->reason);
    if (err->path[0] != '\0') {
        (void)fputs(" at ", stderr);
        print_clean(stderr, err->path);
    }
    (void)fputs(")\n", stderr);
}

/* ---- calls ---- */

enum { HEADERS_MAX = 3 };

static size_t put_headers(const struct cli_client *client, bool has_body, struct cs_http_header *headers) {
    size_t count = 0;
    headers[count++] = (struct cs_http_header){"Accept", "application/json, text/event-stream"};
    if (has_body) {
        headers[count++] = (struct cs_http_header){"Content-Type", "application/json"};
    }
    if (client->authorization != NULL) {
        headers[count++] = (struct cs_http_header){"Authorization", client->authorization};
    }
    return count;
}

static bool is_good(int status) {
    return status >= 200 && status < 300;
}

enum cs_status cli_client_call(struct cli_client *client, const char *method, const char *path, const void *body,
                               size_t body_size, json_t **ret_answer, struct cs_err *err) {
    CS_AUTO_FREE char *url = cs_sprintf("%s%s", client->server, path);
    CS_AUTO_BUF answer = {0};
    struct cs_http_header headers[HEADERS_MAX];
    struct cs_http_request request = {
        .method = method,
        .url = url,
        .headers = headers,
        .header_count = put_headers(client, body != NULL, headers),
        .body = body,
        .body_size = body_size,
        .answer_bytes_max = ANSWER_BYTES_MAX,
    };
    int status = 0;
    if (cs_http_fetch(client->http, &request, &status, &answer, err) != CS_OK) {
        return cs_wrap(err, "asking %s", client->server);
    }
    json_t *value = json_loadb(answer.data != NULL ? answer.data : "", answer.size, 0, NULL);
    if (!is_good(status)) {
        enum cs_status failed = cli_api_error(status, value, err);
        json_decref(value);
        return failed;
    }
    if (value == NULL) {
        return cs_fail(err, CS_INTERNAL, "bad_answer", "%s did not answer with JSON: is it a callsheet gateway?",
                       client->server);
    }
    *ret_answer = value;
    return CS_OK;
}

/* ---- events: the loop thread hands bytes over, the caller's thread reads them ---- */

struct stream {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    /* below: guarded by lock */
    struct cs_buf bytes;
    bool ended;
    bool stopped; /* by the reader */
    int status;
    struct cs_err err;
    enum cs_status outcome;
};

static bool stream_data(const void *bytes, size_t size, void *user) {
    struct stream *stream = user;
    (void)pthread_mutex_lock(&stream->lock);
    cs_buf_put(&stream->bytes, bytes, size);
    bool more = !stream->stopped && stream->bytes.size <= CLI_SSE_BYTES_MAX;
    (void)pthread_cond_signal(&stream->moved);
    (void)pthread_mutex_unlock(&stream->lock);
    return more;
}

static void stream_done(const struct cs_http_answer *answer, const struct cs_err *err, void *user) {
    struct stream *stream = user;
    (void)pthread_mutex_lock(&stream->lock);
    stream->ended = true;
    stream->status = answer->status;
    stream->outcome = err != NULL ? err->status : CS_OK;
    if (err != NULL) {
        stream->err = *err;
    }
    (void)pthread_cond_signal(&stream->moved);
    (void)pthread_mutex_unlock(&stream->lock);
}

struct reader {
    struct cli_sse sse;
    struct cs_buf all; /* kept while it may be the body of an error */
    bool (*event)(const char *name, const json_t *data, void *ctx);
    void *ctx;
    bool stopped;
};

static bool take_event(const char *name, const char *data, size_t size, void *ctx) {
    struct reader *reader = ctx;
    CS_AUTO_JSON *value = json_loadb(data, size, 0, NULL);
    if (value != NULL && !reader->event(name, value, reader->ctx)) {
        reader->stopped = true;
        return false;
    }
    return true;
}

static void read_bytes(struct reader *reader, const struct cs_buf *bytes) {
    if (reader->all.size + bytes->size <= ERROR_BYTES_MAX) {
        cs_buf_put(&reader->all, bytes->data, bytes->size);
    }
    if (!reader->stopped && bytes->size != 0 &&
        !cli_sse_feed(&reader->sse, bytes->data, bytes->size, take_event, reader)) {
        reader->stopped = true;
    }
}

/* Waits for bytes or the end; false at the end. */
static bool next_bytes(struct stream *stream, struct cs_buf *ret_bytes) {
    (void)pthread_mutex_lock(&stream->lock);
    while (stream->bytes.size == 0 && !stream->ended) {
        (void)pthread_cond_wait(&stream->moved, &stream->lock);
    }
    *ret_bytes = stream->bytes;
    stream->bytes = (struct cs_buf){0};
    bool more = ret_bytes->size != 0 || !stream->ended;
    (void)pthread_mutex_unlock(&stream->lock);
    return more;
}

static void read_stream(struct cli_client *client, struct stream *stream, struct reader *reader, uint64_t handle) {
    for (bool more = true; more;) {
        CS_AUTO_BUF bytes = {0};
        more = next_bytes(stream, &bytes);
        read_bytes(reader, &bytes);
        reader->stopped = reader->stopped || !reader->event(NULL, NULL, reader->ctx);
        (void)pthread_mutex_lock(&stream->lock);
        bool cancel = reader->stopped && !stream->stopped;
        stream->stopped = reader->stopped;
        (void)pthread_mutex_unlock(&stream->lock);
        if (cancel) {
            cs_http_cancel(client->http, handle);
        }
    }
}

enum cs_status cli_client_events(struct cli_client *client, const char *id,
                                 bool (*event)(const char *name, const json_t *data, void *ctx), void *ctx,
                                 struct cs_err *err) {
    CS_AUTO_FREE char *url = cs_sprintf("%s/v1/executions/%s/events", client->server, id);
    struct cs_http_header headers[HEADERS_MAX];
    struct stream stream = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    struct reader reader = {.event = event, .ctx = ctx};
    struct cs_http_request request = {
        .method = "GET",
        .url = url,
        .headers = headers,
        .header_count = put_headers(client, false, headers),
        .timeout_ms = -1,
        .idle_timeout_ms = IDLE_TIMEOUT_MS,
        .data = stream_data,
    };
    uint64_t handle = cs_http_start(client->http, &request, stream_done, &stream);
    read_stream(client, &stream, &reader, handle);
    enum cs_status status = CS_OK;
    if (stream.status != 0 && !is_good(stream.status)) {
        CS_AUTO_JSON *body = json_loadb(reader.all.data != NULL ? reader.all.data : "", reader.all.size, 0, NULL);
        status = cli_api_error(stream.status, body, err);
    } else if (stream.outcome != CS_OK && !reader.stopped) {
        *err = stream.err;
        status = cs_wrap(err, "following %s", client->server);
    }
    cli_sse_fini(&reader.sse);
    cs_buf_fini(&reader.all);
    cs_buf_fini(&stream.bytes);
    return status;
}
