#include "domain/failure.h"

#include <stdarg.h>
#include <string.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"

/* Line breaks and control characters of a foreign sentence become blanks. */
static void clean(char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f) {
            *text = ' ';
        }
    }
}

struct prv_failure prv_failure_make(Callsheet__V1__FailureClass failure_class, const char *code, const char *fmt, ...) {
    struct prv_failure failure = {.failure_class = failure_class};
    CS_AUTO_BUF text = {0};
    va_list args;
    va_start(args, fmt);
    cs_buf_vprintf(&text, fmt, args);
    va_end(args);
    cs_buf_putc(&text, '\0');
    clean(text.data);
    cs_str_copy(failure.code, sizeof(failure.code), code);
    cs_str_copy(failure.sentence, sizeof(failure.sentence), text.data);
    if (!cs_utf8_valid(failure.sentence, strlen(failure.sentence))) {
        cs_str_copy(failure.sentence, sizeof(failure.sentence), "the provider's message is not valid UTF-8");
    }
    return failure;
}

struct prv_failure prv_failure_from_err(const struct cs_err *err) {
    Callsheet__V1__FailureClass failure_class = PRV_CLASS(TRANSIENT);
    switch (err->status) {
    case CS_INVALID_ARGUMENT:
    case CS_NOT_FOUND:
    case CS_PERMISSION_DENIED:
    case CS_OUT_OF_RANGE:
        failure_class = PRV_CLASS(INVALID_INPUT);
        break;
    case CS_CANCELLED:
        failure_class = PRV_CLASS(CANCELLED);
        break;
    case CS_DEADLINE_EXCEEDED:
        failure_class = PRV_CLASS(TIMEOUT);
        break;
    case CS_INTERNAL:
        failure_class = PRV_CLASS(INTERNAL);
        break;
    default:
        break;
    }
    struct prv_failure failure = prv_failure_make(failure_class, err->reason, "%s", err->message);
    failure.retry_after_ms = err->retry_after_ms;
    return failure;
}
