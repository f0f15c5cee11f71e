#include "http/framing.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "cs/base/text.h"

/* RFC 9110 §5.6.2 */
static bool is_token(const char *name) {
    for (const char *c = name; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && strchr("!#$%&'*+-.^_`|~", *c) == NULL) {
            return false;
        }
    }
    return name[0] != '\0';
}

static bool parse_length(const char *value, uint64_t *ret_bytes) {
    int64_t bytes = 0;
    if (value[strspn(value, "0123456789")] != '\0' || !cs_parse_i64(value, 0, INT64_MAX, &bytes)) {
        return false;
    }
    *ret_bytes = (uint64_t)bytes;
    return true;
}

void gw_framing_header(struct gw_framing *framing, const char *name, const char *value) {
    const char *text = value != NULL ? value : "";
    if (!is_token(name)) {
        framing->bad_name = true;
    } else if (strcasecmp(name, "Content-Length") == 0) {
        framing->lengths++;
        framing->bad_length = framing->bad_length || !parse_length(text, &framing->body_bytes);
        framing->has_body = framing->has_body || framing->body_bytes > 0;
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        framing->encodings++;
        framing->bad_encoding = framing->bad_encoding || strcasecmp(text, "chunked") != 0;
        framing->has_body = true;
    } else if (strcasecmp(name, "Host") == 0) {
        framing->hosts++;
    }
}

enum cs_status gw_framing_check(const struct gw_framing *framing, struct cs_err *err) {
    const char *what = NULL;
    if (framing->bad_name) {
        what = "a header's name is malformed";
    } else if (framing->lengths > 1) {
        what = "more than one Content-Length";
    } else if (framing->encodings > 1) {
        what = "more than one Transfer-Encoding";
    } else if (framing->lengths != 0 && framing->encodings != 0) {
        what = "both Content-Length and Transfer-Encoding";
    } else if (framing->bad_length) {
        what = "Content-Length is not a number";
    } else if (framing->bad_encoding) {
        what = "Transfer-Encoding must be chunked";
    } else if (framing->hosts > 1) {
        what = "more than one Host";
    }
    return what == NULL ? CS_OK : cs_fail(err, CS_INVALID_ARGUMENT, "bad_framing", "%s", what);
}
