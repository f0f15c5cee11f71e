#include "report.h"

#include <math.h>
#include <string.h>

#include "cs/base/text.h"

enum { WORD_MAX = 64, MESSAGE_MAX = 512, METRICS_MAX = 64 };

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

static bool facts_fit(const Callsheet__V1__MediaFacts *facts) {
    const Callsheet__V1__VideoFacts *video = facts->video;
    const Callsheet__V1__AudioFacts *audio = facts->audio;
    return text_fits(facts->container, WORD_MAX) && (audio == NULL || text_fits(audio->codec, WORD_MAX)) &&
           (video == NULL || (text_fits(video->codec, WORD_MAX) && text_fits(video->pixel_format, WORD_MAX) &&
                              text_fits(video->color_transfer, WORD_MAX)));
}

static bool done_fits(const Callsheet__V1__RunnerDone *done) {
    bool fits = done->n_outputs <= CS_RUNNER_FILES_MAX && done->n_metrics <= METRICS_MAX;
    for (size_t i = 0; fits && i < done->n_outputs; i++) {
        fits = facts_fit(done->outputs[i]);
    }
    for (size_t i = 0; fits && i < done->n_metrics; i++) {
        fits = text_fits(done->metrics[i]->name, WORD_MAX) && isfinite(done->metrics[i]->value);
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
