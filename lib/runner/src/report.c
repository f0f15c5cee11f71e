#include "report.h"

#include <math.h>
#include <string.h>

#include "cs/base/text.h"

enum { WORD_MAX = 64, MESSAGE_MAX = 512, METRICS_MAX = 64, LIST_MAX = 64 };

static bool text_fits(const char *text, size_t length_max) {
    size_t length = strnlen(text, length_max + 1);
    return length <= length_max && cs_utf8_valid(text, length);
}

static bool is_code(const char *code) {
    return code[0] != '\0' && strnlen(code, WORD_MAX + 1) <= WORD_MAX &&
           code[strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static bool progress_fits(const Callsheet__V1__Progress *progress) {
    return text_fits(progress->stage, WORD_MAX) && isfinite(progress->fraction) && progress->fraction >= 0 &&
           progress->fraction <= 1 && isfinite(progress->speed);
}

static bool failed_fits(const Callsheet__V1__Failed *failed) {
    return is_code(failed->code) && text_fits(failed->message, MESSAGE_MAX) && failed->retry_after_ms >= 0;
}

static bool message_fits(const ProtobufCMessage *message, size_t text_max);

/* One value, or one of a list. Numbers are those that JSON can say. */
static bool value_fits(const ProtobufCFieldDescriptor *field, const void *value, size_t text_max) {
    const ProtobufCMessage *inner = NULL;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return text_fits(*(const char *const *)value, text_max);
    case PROTOBUF_C_TYPE_DOUBLE:
        return isfinite(*(const double *)value);
    case PROTOBUF_C_TYPE_MESSAGE:
        inner = *(const ProtobufCMessage *const *)value;
        return inner == NULL || message_fits(inner, text_max);
    default:
        return true;
    }
}

static bool list_fits(const ProtobufCFieldDescriptor *field, const void *list, size_t count, size_t text_max) {
    bool fits = count <= LIST_MAX && field->type == PROTOBUF_C_TYPE_MESSAGE; /* there are no others */
    for (size_t i = 0; fits && i < count; i++) {
        fits = value_fits(field, (const char *)list + i * sizeof(void *), text_max);
    }
    return fits;
}

/* Every text, number and list inside. */
static bool message_fits(const ProtobufCMessage *message, size_t text_max) {
    bool fits = true;
    for (unsigned i = 0; fits && i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const char *base = (const char *)message;
        const void *value = base + field->offset;
        fits = field->label == PROTOBUF_C_LABEL_REPEATED
                   ? list_fits(field, *(const void *const *)value,
                               *(const size_t *)(const void *)(base + field->quantifier_offset), text_max)
                   : value_fits(field, value, text_max);
    }
    return fits;
}

static bool done_fits(const Callsheet__V1__RunnerDone *done) {
    bool fits = done->n_outputs <= CS_RUNNER_FILES_MAX && done->n_metrics <= METRICS_MAX;
    for (size_t i = 0; fits && i < done->n_outputs; i++) {
        fits = message_fits(&done->outputs[i]->base, WORD_MAX);
    }
    fits = fits && done->n_qualities <= done->n_outputs;
    for (size_t i = 0; fits && i < done->n_qualities; i++) {
        const Callsheet__V1__OutputQuality *of_output = done->qualities[i];
        fits = of_output->output < done->n_outputs && of_output->quality != NULL &&
               message_fits(&of_output->quality->base, MESSAGE_MAX);
    }
    for (size_t i = 0; fits && i < done->n_metrics; i++) {
        fits = message_fits(&done->metrics[i]->base, WORD_MAX);
    }
    return fits;
}

static bool report_fits(const Callsheet__V1__RunnerReport *report) {
    switch (report->report_case) {
    case CALLSHEET__V1__RUNNER_REPORT__REPORT_PROGRESS:
        return progress_fits(report->progress);
    case CALLSHEET__V1__RUNNER_REPORT__REPORT_DONE:
        return done_fits(report->done);
    case CALLSHEET__V1__RUNNER_REPORT__REPORT_FAILED:
        return failed_fits(report->failed);
    default:
        return false;
    }
}

Callsheet__V1__RunnerReport *cs_runner_report_parse(const uint8_t *bytes, size_t size_bytes) {
    Callsheet__V1__RunnerReport *report = callsheet__v1__runner_report__unpack(NULL, size_bytes, bytes);
    if (report != NULL && !report_fits(report)) {
        callsheet__v1__runner_report__free_unpacked(report, NULL);
        return NULL;
    }
    return report;
}
