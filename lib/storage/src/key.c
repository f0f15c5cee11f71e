#include <string.h>

#include "cs/storage.h"

enum { SEGMENT_MAX = 255 };

static bool is_key_char(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_.:@ -", c) != NULL);
}

static bool segment_valid(const char *segment, size_t length) {
    bool dots = (length == 1 && segment[0] == '.') || (length == 2 && segment[0] == '.' && segment[1] == '.');
    return length >= 1 && length <= SEGMENT_MAX && !dots;
}

bool cs_storage_key_valid(const char *key) {
    if (key == NULL || strnlen(key, CS_STORAGE_KEY_MAX + 1) > CS_STORAGE_KEY_MAX) {
        return false;
    }
    const char *start = key;
    for (const char *at = key;; at++) {
        if (*at != '/' && *at != '\0') {
            if (!is_key_char(*at)) {
                return false;
            }
            continue;
        }
        if (!segment_valid(start, (size_t)(at - start))) {
            return false;
        }
        if (*at == '\0') {
            return true;
        }
        start = at + 1;
    }
}
