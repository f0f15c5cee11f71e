#include "subtitles/times.h"

#include <string.h>

enum { PARTS_MAX = 4, DIGITS_MAX = 9 };

struct part {
    int64_t value;
    size_t digits;
    char mark; /* behind it */
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool read_part(const char **text, const char *end, struct part *ret_part) {
    struct part part = {0};
    while (*text < end && is_digit(**text)) {
        part.value = part.digits < DIGITS_MAX ? part.value * 10 + (**text - '0') : part.value;
        part.digits++;
        (*text)++;
    }
    part.mark = *text < end ? **text : '\0';
    *ret_part = part;
    return part.digits > 0;
}

static int64_t hundredths(const struct part *fraction) {
    int64_t value = fraction->value * 10;
    size_t digits = (fraction->digits < DIGITS_MAX ? fraction->digits : DIGITS_MAX) + 1;
    for (; digits > 3; digits--) {
        value /= 10;
    }
    for (; digits < 3; digits++) {
        value *= 10;
    }
    return (value + 5) / 10; /* of thousandths */
}

/* hours, minutes, seconds and the fraction, counted from the end */
static bool in_shape(const struct part *parts, size_t whole, const struct part *fraction,
                     const struct med_time_shape *shape) {
    bool good = fraction->digits == shape->fraction_digits && parts[whole - 1].digits == 2 &&
                parts[whole - 2].digits == 2 && strchr(shape->fraction_marks, parts[whole - 1].mark) != NULL;
    if (whole == 2) {
        return good && shape->hour_digits_min == 0;
    }
    return good && parts[0].digits >= shape->hour_digits_min;
}

bool med_time_read(const char **text, const char *end, const struct med_time_shape *shape, int64_t *ret_cs,
                   size_t *bad) {
    struct part parts[PARTS_MAX] = {{0}};
    size_t count = 0;
    const char *at = *text;
    while (at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    while (count < PARTS_MAX && read_part(&at, end, &parts[count])) {
        char mark = parts[count++].mark;
        bool fraction_next = mark == ',' || mark == '.';
        bool more = at + 1 < end && is_digit(at[1]) && (mark == ':' || fraction_next) && count < PARTS_MAX;
        if (!more || (count > 1 && (parts[count - 2].mark == ',' || parts[count - 2].mark == '.'))) {
            break;
        }
        at++;
    }
    size_t whole = count == PARTS_MAX ? 3 : count; /* "0:00:04:56" */
    if (count > 1 && (parts[count - 2].mark == ',' || parts[count - 2].mark == '.')) {
        whole = count - 1;
    }
    if (whole < 2) {
        return false;
    }
    const struct part none = {0};
    const struct part *fraction = whole < count ? &parts[whole] : &none;
    int64_t seconds = 0;
    for (size_t i = 0; i < whole; i++) {
        seconds = seconds * 60 + parts[i].value;
    }
    *bad += !in_shape(parts, whole, fraction, shape);
    *ret_cs = seconds * 100 + hundredths(fraction);
    *text = at;
    return true;
}
