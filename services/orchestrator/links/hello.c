#include "links/hello.h"

#include <string.h>

static bool length_within(const char *text, size_t max) {
    size_t length = strlen(text);
    return length > 0 && length <= max;
}

enum cs_status orc_hello_from(const Callsheet__V1__WorkReport *first, const Callsheet__V1__Hello **ret_hello,
                              struct cs_err *err) {
    if (first->n_reports == 0 || first->reports[0]->report_case != CALLSHEET__V1__REPORT__REPORT_HELLO) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "no_hello", "a worker says Hello first");
    }
    const Callsheet__V1__Hello *hello = first->reports[0]->hello;
    if (!length_within(hello->worker, ORC_WORKER_ID_BYTES_MAX)) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_hello", "a worker's id has 1 to %d bytes",
                       ORC_WORKER_ID_BYTES_MAX);
    }
    if (hello->n_operations > ORC_WORKER_OPERATIONS_MAX || hello->slots > ORC_WORKER_SLOTS_MAX) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "bad_hello", "a worker has at most %d operations and %d slots",
                       ORC_WORKER_OPERATIONS_MAX, ORC_WORKER_SLOTS_MAX);
    }
    for (size_t i = 0; i < hello->n_operations; i++) {
        if (!length_within(hello->operations[i], ORC_WORKER_OPERATION_BYTES_MAX)) {
            return cs_fail(err, CS_INVALID_ARGUMENT, "bad_hello", "an operation's name has 1 to %d bytes",
                           ORC_WORKER_OPERATION_BYTES_MAX);
        }
    }
    *ret_hello = hello;
    return CS_OK;
}

bool orc_hello_again(const Callsheet__V1__WorkReport *reports, size_t start) {
    for (size_t i = start; i < reports->n_reports; i++) {
        if (reports->reports[i]->report_case == CALLSHEET__V1__REPORT__REPORT_HELLO) {
            return true;
        }
    }
    return false;
}
