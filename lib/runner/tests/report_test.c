/* COVERS src/report.c: what a child may say. */
#include "report.h"

#include <math.h>
#include <string.h>

#include "cs/test.h"

static char long_word[66] = "";

/* A finished job with facts and a quality report of its output. */
struct sample {
    Callsheet__V1__VideoFacts video;
    Callsheet__V1__StreamFacts stream;
    Callsheet__V1__StreamFacts *streams[65];
    Callsheet__V1__MediaFacts facts, *outputs[1];
    Callsheet__V1__MediaSpan span, *spans[1];
    Callsheet__V1__Quality quality;
    Callsheet__V1__OutputQuality of_output, *qualities[1];
    Callsheet__V1__Metric metric, *metrics[1];
    Callsheet__V1__RunnerDone done;
};

static void init(struct sample *s) {
    callsheet__v1__video_facts__init(&s->video);
    callsheet__v1__stream_facts__init(&s->stream);
    callsheet__v1__media_facts__init(&s->facts);
    callsheet__v1__media_span__init(&s->span);
    callsheet__v1__quality__init(&s->quality);
    callsheet__v1__output_quality__init(&s->of_output);
    callsheet__v1__metric__init(&s->metric);
    callsheet__v1__runner_done__init(&s->done);
    for (size_t i = 0; i < CS_COUNT(s->streams); i++) {
        s->streams[i] = &s->stream;
    }
    s->facts.video = &s->video;
    s->facts.streams = s->streams;
    s->facts.n_streams = 64;
    s->outputs[0] = &s->facts;
    s->spans[0] = &s->span;
    s->quality.black = s->spans;
    s->quality.n_black = 1;
    s->of_output.quality = &s->quality;
    s->qualities[0] = &s->of_output;
    s->metric.name = "mode";
    s->metric.word = "linear";
    s->metrics[0] = &s->metric;
    s->done.outputs = s->outputs;
    s->done.n_outputs = 1;
    s->done.qualities = s->qualities;
    s->done.n_qualities = 1;
    s->done.metrics = s->metrics;
    s->done.n_metrics = 1;
}

static bool is_taken(struct sample *s) {
    uint8_t bytes[8192];
    Callsheet__V1__RunnerReport report = CALLSHEET__V1__RUNNER_REPORT__INIT;
    report.report_case = CALLSHEET__V1__RUNNER_REPORT__REPORT_DONE;
    report.done = &s->done;
    size_t size = callsheet__v1__runner_report__get_packed_size(&report);
    assert_true(size <= sizeof(bytes));
    callsheet__v1__runner_report__pack(&report, bytes);
    Callsheet__V1__RunnerReport *parsed = cs_runner_report_parse(bytes, size);
    bool taken = parsed != NULL;
    if (taken) {
        callsheet__v1__runner_report__free_unpacked(parsed, NULL);
    }
    return taken;
}

TEST(every_text_number_and_list_of_a_report_is_looked_at) {
    struct sample s;
    memset(long_word, 'x', sizeof(long_word) - 1);
    init(&s);
    assert_true(is_taken(&s));
    s.video.color_space = long_word;
    assert_false(is_taken(&s));
    init(&s);
    s.stream.language = "\xff";
    assert_false(is_taken(&s));
    init(&s);
    s.facts.n_streams = 65;
    assert_false(is_taken(&s));
    init(&s);
    s.metric.word = long_word;
    assert_false(is_taken(&s));
    init(&s);
    s.span.end = (double)INFINITY;
    assert_false(is_taken(&s));
    init(&s);
    s.quality.av_drift_ms = (double)NAN;
    assert_false(is_taken(&s));
    init(&s);
    s.of_output.output = 1; /* there is but one */
    assert_false(is_taken(&s));
    init(&s);
    s.of_output.quality = NULL;
    assert_false(is_taken(&s));
}

TEST_MAIN(CS_TEST(every_text_number_and_list_of_a_report_is_looked_at))
