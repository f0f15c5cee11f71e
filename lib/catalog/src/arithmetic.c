#include "cs/arithmetic.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "cs/base/text.h"

struct reader {
    const char *text;
    const char *at;
    const struct cs_arithmetic_name *names;
    int depth;
    struct cs_err *err;
};

static enum cs_status fail(const struct reader *reader, const char *what) {
    return cs_fail(reader->err, CS_INVALID_ARGUMENT, "bad_expression", "%s at character %td of \"%s\"", what,
                   reader->at - reader->text + 1, reader->text);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The next character that is not a space. */
static char look(struct reader *reader) {
    reader->at += strspn(reader->at, " ");
    return *reader->at;
}

static bool take(struct reader *reader, char wanted) {
    bool found = look(reader) == wanted;
    reader->at += found;
    return found;
}

/* Not strtod: it knows "inf", "nan", exponents, hexadecimals and the locale. */
static enum cs_status read_number(struct reader *reader, double *ret_value) {
    double value = 0;
    double unit = 1;
    bool digits = false;
    bool point = false;
    for (; is_digit(*reader->at) || (*reader->at == '.' && !point); reader->at++) {
        if (*reader->at == '.') {
            point = true;
            continue;
        }
        digits = true;
        unit = point ? unit / 10 : unit;
        value = point ? value + (*reader->at - '0') * unit : value * 10 + (*reader->at - '0');
    }
    if (!digits) {
        return fail(reader, "a number is expected");
    }
    *ret_value = value;
    return CS_OK;
}

static enum cs_status read_name(struct reader *reader, double *ret_value) {
    size_t length = 0;
    while (is_letter(reader->at[length])) {
        length++;
    }
    for (const struct cs_arithmetic_name *name = reader->names; name->name != NULL; name++) {
        if (strlen(name->name) == length && strncmp(name->name, reader->at, length) == 0) {
            reader->at += length;
            *ret_value = name->value;
            return CS_OK;
        }
    }
    return fail(reader, "an unknown name stands");
}

static enum cs_status read_sum(struct reader *reader, double *ret_value);

/* A number, a name, something in brackets, or one of them with a sign. */
static enum cs_status read_factor(struct reader *reader, double *ret_value) {
    char next = look(reader);
    if (is_digit(next) || next == '.') {
        return read_number(reader, ret_value);
    }
    if (is_letter(next)) {
        return read_name(reader, ret_value);
    }
    if (next != '(' && next != '-' && next != '+') {
        return fail(reader, "a number, a name or a bracket is expected");
    }
    if (++reader->depth > CS_ARITHMETIC_DEPTH_MAX) {
        return fail(reader, "too many brackets and signs are inside each other");
    }
    reader->at++;
    if (next == '(') {
        CS_TRY(read_sum(reader, ret_value));
        if (!take(reader, ')')) {
            return fail(reader, "a closing bracket is missing");
        }
    } else {
        CS_TRY(read_factor(reader, ret_value));
        *ret_value = next == '-' ? -*ret_value : *ret_value;
    }
    reader->depth--;
    return CS_OK;
}

static enum cs_status read_product(struct reader *reader, double *ret_value) {
    CS_TRY(read_factor(reader, ret_value));
    for (char next = look(reader); next == '*' || next == '/'; next = look(reader)) {
        double factor = 0;
        reader->at++;
        CS_TRY(read_factor(reader, &factor));
        if (next == '/' && factor == 0) {
            return fail(reader, "there is a division by zero");
        }
        *ret_value = next == '/' ? *ret_value / factor : *ret_value * factor;
    }
    return CS_OK;
}

static enum cs_status read_sum(struct reader *reader, double *ret_value) {
    CS_TRY(read_product(reader, ret_value));
    for (char next = look(reader); next == '+' || next == '-'; next = look(reader)) {
        double term = 0;
        reader->at++;
        CS_TRY(read_product(reader, &term));
        *ret_value = next == '+' ? *ret_value + term : *ret_value - term;
    }
    return CS_OK;
}

enum cs_status cs_arithmetic(const char *text, const struct cs_arithmetic_name *names, double *ret_value,
                             struct cs_err *err) {
    struct reader reader = {.text = text, .at = text, .names = names, .err = err};
    double value = 0;
    if (strlen(text) > CS_ARITHMETIC_BYTES_MAX) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_expression", "an expression has at most %d characters",
                       CS_ARITHMETIC_BYTES_MAX);
    }
    CS_TRY(read_sum(&reader, &value));
    if (look(&reader) != '\0') {
        return fail(&reader, "something that does not belong there stands");
    }
    if (!isfinite(value)) {
        return fail(&reader, "the result is not a number");
    }
    *ret_value = value;
    return CS_OK;
}
