#include "cs/base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool cs_str_eq(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool cs_str_starts(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool cs_str_ends(const char *text, const char *suffix) {
    size_t length = strlen(text);
    size_t tail = strlen(suffix);
    return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

bool cs_str_empty(const char *text) {
    return text == NULL || text[0] == '\0';
}

static bool is_continuation(char c) {
    return ((unsigned char)c & 0xC0U) == 0x80U;
}

void cs_str_copy(char *ret_text, size_t capacity, const char *text) {
    size_t length = text != NULL ? strlen(text) : 0;
    if (length >= capacity) {
        length = capacity - 1;
        while (length > 0 && is_continuation(text[length])) {
            length--;
        }
    }
    if (length != 0) {
        memcpy(ret_text, text, length);
    }
    ret_text[length] = '\0';
}

/* Length of the well-formed sequence at the start of s, or 0 (Unicode 15, table 3-7). */
static size_t sequence_length(const unsigned char *s, size_t left) {
    if (s[0] < 0x80) {
        return s[0] != 0 ? 1 : 0;
    }
    size_t length = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || left < length) {
        return 0;
    }
    unsigned char low = s[0] == 0xE0 ? 0xA0 : s[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char high = s[0] == 0xED ? 0x9F : s[0] == 0xF4 ? 0x8F : 0xBF;
    if (s[1] < low || s[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if (!is_continuation((char)s[i])) {
            return 0;
        }
    }
    return length;
}

bool cs_utf8_valid(const char *bytes, size_t size_bytes) {
    const unsigned char *s = (const unsigned char *)bytes;
    while (size_bytes > 0) {
        size_t length = sequence_length(s, size_bytes);
        if (length == 0) {
            return false;
        }
        s += length;
        size_bytes -= length;
    }
    return true;
}

void cs_utf8_repair(char *text) {
    if (cs_utf8_valid(text, strlen(text))) {
        return;
    }
    for (char *c = text; *c != '\0'; c++) {
        *c = (unsigned char)*c < 0x80 ? *c : '?';
    }
}

bool cs_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret_value) {
    if (text == NULL || strchr("-0123456789", text[0]) == NULL || text[0] == '\0') {
        return false;
    }
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text || value < min || value > max) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool cs_parse_f64(const char *text, double min, double max, double *ret_value) {
    if (text == NULL || strchr("-.0123456789", text[0]) == NULL || text[0] == '\0') {
        return false;
    }
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    if (errno != 0 || *end != '\0' || end == text || !isfinite(value) || value < min || value > max) {
        return false;
    }
    *ret_value = value;
    return true;
}

void cs_format_iso8601(int64_t unix_ms, char ret_text[CS_ISO8601_SIZE]) {
    int64_t ms = unix_ms % 1000;
    time_t seconds = unix_ms / 1000;
    if (ms < 0) {
        ms += 1000;
        seconds -= 1;
    }
    struct tm utc;
    char head[24];
    if (gmtime_r(&seconds, &utc) == NULL || strftime(head, sizeof(head), "%Y-%m-%dT%H:%M:%S", &utc) == 0) {
        cs_str_copy(head, sizeof(head), "9999-12-31T23:59:59"); /* a year that has no such text */
    }
    (void)snprintf(ret_text, CS_ISO8601_SIZE, "%s.%03dZ", head, (int)ms);
}

/* Number of size digits; -1 when they are none. */
static int digits(const char *text, int size) {
    int value = 0;
    for (int i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        value = value * 10 + text[i] - '0';
    }
    return value;
}

/* "Z", "+01:00", "-01:00" as minutes; false otherwise. */
static bool parse_zone(const char *text, int64_t *ret_minutes) {
    *ret_minutes = 0;
    if (strcmp(text, "Z") == 0) {
        return true;
    }
    if ((text[0] != '+' && text[0] != '-') || strlen(text) != strlen("+01:00") || text[3] != ':') {
        return false;
    }
    int hours = digits(text + 1, 2);
    int minutes = digits(text + 4, 2);
    *ret_minutes = (int64_t)(hours * 60 + minutes) * (text[0] == '-' ? -1 : 1);
    return hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60;
}

/* ".5", ".123456" as milliseconds; returns what follows. */
static const char *skip_fraction(const char *text, int64_t *ret_ms) {
    *ret_ms = 0;
    size_t size = text[0] == '.' ? strspn(text + 1, "0123456789") : 0;
    int64_t unit = 100;
    for (size_t i = 1; i <= size; i++, unit /= 10) {
        *ret_ms += (text[i] - '0') * unit;
    }
    return size > 0 ? text + 1 + size : text;
}

bool cs_parse_iso8601(const char *text, int64_t *ret_unix_ms) {
    static const char form[] = "0000-00-00T00:00:00";
    size_t length = strlen(form);
    int64_t ms = 0;
    int64_t zone_minutes = 0;
    for (size_t i = 0; i < length; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9'; /* false at the end, too */
        if (form[i] == '0' ? !is_digit : text[i] != form[i]) {
            return false;
        }
    }
    struct tm given = {
        .tm_year = digits(text, 4) - 1900,
        .tm_mon = digits(text + 5, 2) - 1,
        .tm_mday = digits(text + 8, 2),
        .tm_hour = digits(text + 11, 2),
        .tm_min = digits(text + 14, 2),
        .tm_sec = digits(text + 17, 2),
    };
    struct tm made = given;
    int64_t seconds = timegm(&made); /* makes a March out of a 30th of February */
    bool exists = made.tm_mon == given.tm_mon && made.tm_mday == given.tm_mday && made.tm_hour == given.tm_hour &&
                  made.tm_min == given.tm_min && made.tm_sec == given.tm_sec;
    if (!exists || !parse_zone(skip_fraction(text + length, &ms), &zone_minutes)) {
        return false;
    }
    int64_t unix_ms = (seconds - zone_minutes * 60) * 1000 + ms;
    if (unix_ms < 0) {
        return false;
    }
    *ret_unix_ms = unix_ms;
    return true;
}
