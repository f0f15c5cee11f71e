#include "status.h"

#include <ctype.h>
#include <grpc/slice.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/text.h"

enum { ENCODED_PATH_SIZE = 3 * CS_ERR_PATH_MAX, NUMBER_SIZE = 32 };

#define KEY_REASON "cs-reason"
#define KEY_PATH "cs-path"
#define KEY_RETRYABLE "cs-retryable"
#define KEY_RETRY_AFTER "cs-retry-after-ms"

/* ---- to the wire ---- */

static bool plain(unsigned char byte) {
    return byte > 0x20 && byte < 0x7F && byte != '%';
}

static void percent_encode(const char *text, char ret_text[ENCODED_PATH_SIZE]) {
    static const char hex[] = "0123456789ABCDEF";
    char *to = ret_text;
    for (const unsigned char *from = (const unsigned char *)text; *from != '\0'; from++) {
        if (plain(*from)) {
            *to++ = (char)*from;
        } else {
            *to++ = '%';
            *to++ = hex[*from >> 4];
            *to++ = hex[*from & 15];
        }
    }
    *to = '\0';
}

static void put(struct rpc_trailers *trailers, const char *key, const char *value) {
    grpc_metadata *item = &trailers->items[trailers->count++];
    item->key = grpc_slice_from_static_string(key);
    item->value = grpc_slice_from_copied_string(value);
}

void rpc_trailers_init(struct rpc_trailers *trailers, const struct cs_err *err) {
    trailers->count = 0;
    trailers->status = err != NULL ? err->status : CS_OK;
    trailers->message = grpc_empty_slice();
    if (trailers->status == CS_OK) {
        return;
    }
    char encoded[ENCODED_PATH_SIZE];
    trailers->message = grpc_slice_from_copied_string(err->message);
    if (err->reason[0] != '\0') {
        percent_encode(err->reason, encoded);
        put(trailers, KEY_REASON, encoded);
    }
    if (err->path[0] != '\0') {
        percent_encode(err->path, encoded);
        put(trailers, KEY_PATH, encoded);
    }
    if (err->retryable) {
        put(trailers, KEY_RETRYABLE, "1");
    }
    if (err->retry_after_ms > 0) {
        char number[NUMBER_SIZE];
        (void)snprintf(number, sizeof(number), "%lld", (long long)err->retry_after_ms);
        put(trailers, KEY_RETRY_AFTER, number);
    }
}

void rpc_trailers_fini(struct rpc_trailers *trailers) {
    for (size_t i = 0; i < trailers->count; i++) {
        grpc_slice_unref(trailers->items[i].value);
    }
    grpc_slice_unref(trailers->message);
}

grpc_op rpc_trailers_op(struct rpc_trailers *trailers) {
    return (grpc_op){
        .op = GRPC_OP_SEND_STATUS_FROM_SERVER,
        .data.send_status_from_server =
            {
                .trailing_metadata_count = trailers->count,
                .trailing_metadata = trailers->items,
                .status = (grpc_status_code)trailers->status,
                .status_details = &trailers->message,
            },
    };
}

/* ---- from the wire ---- */

void rpc_slice_copy(grpc_slice slice, char *ret_text, size_t capacity) {
    char text[CS_ERR_MESSAGE_MAX * 2];
    size_t size = GRPC_SLICE_LENGTH(slice) < sizeof(text) ? GRPC_SLICE_LENGTH(slice) : sizeof(text) - 1;
    for (size_t i = 0; i < size; i++) {
        char c = (char)GRPC_SLICE_START_PTR(slice)[i];
        text[i] = c != '\0' ? c : '?';
    }
    text[size] = '\0';
    cs_str_copy(ret_text, capacity, text);
    cs_utf8_repair(ret_text);
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static void percent_decode(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        int high = *from == '%' ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;
        if (low >= 0 && (high | low) != 0) {
            *to++ = (char)(high * 16 + low);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    if (!cs_utf8_valid(text, strlen(text))) {
        text[0] = '\0';
    }
}

/* Copies a trailer's decoded value; false when it is not there. */
static bool get(const grpc_metadata_array *trailers, const char *key, char *ret_text, size_t capacity) {
    for (size_t i = 0; i < trailers->count; i++) {
        if (grpc_slice_str_cmp(trailers->metadata[i].key, key) == 0) {
            char encoded[ENCODED_PATH_SIZE];
            rpc_slice_copy(trailers->metadata[i].value, encoded, sizeof(encoded));
            percent_decode(encoded);
            cs_str_copy(ret_text, capacity, encoded);
            return true;
        }
    }
    return false;
}

static void reason_from_status(struct cs_err *err) {
    cs_str_copy(err->reason, sizeof(err->reason), cs_status_name(err->status));
    for (char *c = err->reason; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
}

void rpc_err_from_wire(grpc_status_code code, grpc_slice message, const grpc_metadata_array *trailers,
                       struct cs_err *ret_err) {
    *ret_err = (struct cs_err){.status = CS_OK};
    if (code == GRPC_STATUS_OK) {
        return;
    }
    enum cs_status status = code > 0 && (int)code <= CS_UNAUTHENTICATED ? (enum cs_status)code : CS_UNKNOWN;
    (void)cs_fail(ret_err, status, "", "%s", "");
    rpc_slice_copy(message, ret_err->message, sizeof(ret_err->message));
    if (!get(trailers, KEY_REASON, ret_err->reason, sizeof(ret_err->reason))) {
        reason_from_status(ret_err); /* not one of our servers: the status alone says whether retrying may help */
        return;
    }
    char text[NUMBER_SIZE];
    (void)get(trailers, KEY_PATH, ret_err->path, sizeof(ret_err->path));
    ret_err->retryable = get(trailers, KEY_RETRYABLE, text, sizeof(text)) && cs_str_eq(text, "1");
    if (get(trailers, KEY_RETRY_AFTER, text, sizeof(text))) {
        (void)cs_parse_i64(text, 0, INT64_MAX, &ret_err->retry_after_ms);
    }
}
