#include "http/range.h"

#include <ctype.h>
#include <string.h>

#include "cs/base/text.h"

/* Digits at *text, which moves behind them. */
static bool take_number(const char **text, uint64_t *ret_number) {
    uint64_t number = 0;
    const char *c = *text;
    for (; isdigit((unsigned char)*c); c++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*c - '0'), &number)) {
            return false;
        }
    }
    bool found = c != *text;
    *text = c;
    *ret_number = number;
    return found;
}

static struct gw_range part(uint64_t first, uint64_t last, uint64_t object_size) {
    if (first >= object_size) {
        return (struct gw_range){.kind = GW_RANGE_UNSATISFIABLE};
    }
    uint64_t end = last < object_size ? last : object_size - 1;
    return (struct gw_range){GW_RANGE_PART, first, end - first + 1};
}

struct gw_range gw_range_parse(const char *header, uint64_t object_size) {
    const struct gw_range whole = {GW_RANGE_WHOLE, 0, object_size};
    uint64_t first = 0;
    uint64_t last = UINT64_MAX;
    if (header == NULL || !cs_str_starts(header, "bytes=")) {
        return whole;
    }
    const char *at = header + strlen("bytes=");
    if (*at == '-') {
        at++;
        if (!take_number(&at, &last) || *at != '\0') {
            return whole;
        }
        uint64_t size = last < object_size ? last : object_size;
        return size == 0 ? (struct gw_range){.kind = GW_RANGE_UNSATISFIABLE}
                         : (struct gw_range){GW_RANGE_PART, object_size - size, size};
    }
    if (!take_number(&at, &first) || *at++ != '-') {
        return whole;
    }
    if (*at != '\0' && (!take_number(&at, &last) || *at != '\0' || last < first)) {
        return whole;
    }
    return part(first, last, object_size);
}

bool gw_etag_listed(const char *list, const char *etag) {
    if (list == NULL) {
        return false;
    }
    if (strcmp(list, "*") == 0) {
        return true;
    }
    size_t length = strlen(etag);
    for (const char *at = strstr(list, etag); at != NULL; at = strstr(at + 1, etag)) {
        bool begins = at == list || strchr(", /", at[-1]) != NULL; /* "/" of a weak W/"…" */
        if (begins && strchr(", ", at[length]) != NULL) {          /* or the end */
            return true;
        }
    }
    return false;
}
