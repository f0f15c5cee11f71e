/* From what the API says to what people see. */
#include <string.h>

#include "api/sse.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/json.h"
#include "cs/test.h"
#include "watch/model.h"
#include "watch/view.h"
#include "watch/width.h"

#define JOB(id, status, rest) "{\"id\":\"" id "\",\"operation\":\"merge\",\"status\":\"" status "\"" rest "}"
#define EXECUTION(status, jobs) "{\"id\":\"e1\",\"status\":\"" status "\",\"resultJobId\":\"b\",\"jobs\":[" jobs "]}"
#define ENCODING                                                                                                       \
    ",\"attempt\":1,\"progress\":{\"stage\":\"encode\",\"fraction\":0.5,\"mediaTime\":61.25,\"mediaDuration\":3725,"   \
    "\"speed\":1.84}"

static void apply(struct cli_execution *execution, const char *text, bool snapshot) {
    CS_AUTO_JSON *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    cli_execution_apply(execution, value, snapshot);
}

static char *frame_of(const char *text, struct cli_view_style style) {
    struct cli_execution execution = {0};
    CS_AUTO_BUF out = {0};
    apply(&execution, text, true);
    cli_view_frame(&execution, &style, &out);
    cli_execution_fini(&execution);
    return cs_buf_steal(&out);
}

static size_t count_lines(const char *text) {
    size_t lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

static void assert_narrower(const char *frame, size_t columns) {
    CS_AUTO_FREE char *copy = cs_strdup(frame);
    for (char *line = copy, *newline = NULL; (newline = strchr(line, '\n')) != NULL; line = newline + 1) {
        *newline = '\0';
        assert_true(cli_text_width(line) < columns);
    }
}

TEST(frame_shows_stage_media_time_and_speed) {
    CS_AUTO_FREE char *frame =
        frame_of(EXECUTION("processing", JOB("a", "completed", "") "," JOB("b", "running", ENCODING)),
                 (struct cli_view_style){.columns = 100, .rows = 24});
    assert_string_equal(frame, "e1  processing  1 of 2 jobs\n"
                               "+ a merge ######################## 100% completed\n"
                               "> b merge ############------------  50% encode 1:01.2/1:02:05 1.8x\n");
}

TEST(frame_uses_blocks_where_the_locale_has_them) {
    CS_AUTO_FREE char *frame = frame_of(EXECUTION("processing", JOB("b", "running", ENCODING)),
                                        (struct cli_view_style){.columns = 64, .rows = 24, .unicode = true});
    assert_non_null(strstr(frame, "▶ b merge ███████░░░░░░░░  50% encode"));
}

TEST(frame_fits_any_width) {
    for (size_t columns = 2; columns < 130; columns++) {
        CS_AUTO_FREE char *frame = frame_of(
            EXECUTION("processing",
                      JOB("a-very-long-identifier-of-a-job", "failed",
                          ",\"error\":{\"message\":\"日本語の長いメッセージ é 🎬\"}") "," JOB("b", "running", ENCODING)),
            (struct cli_view_style){.columns = columns, .rows = 24, .unicode = true});
        assert_int_equal(count_lines(frame), 3);
        assert_narrower(frame, columns);
    }
}

TEST(frame_fits_any_height_and_sums_up_the_rest) {
    CS_AUTO_BUF text = {0};
    cs_buf_puts(&text, "{\"id\":\"e1\",\"status\":\"processing\",\"jobs\":[");
    for (int i = 0; i < 50; i++) {
        const char *status = i == 49 ? "running" : i == 48 ? "failed" : i < 30 ? "completed" : "waiting";
        cs_buf_printf(&text, "%s{\"id\":\"j%d\",\"operation\":\"merge\",\"status\":\"%s\"}", i != 0 ? "," : "", i,
                      status);
    }
    cs_buf_puts(&text, "]}");
    for (size_t rows = 1; rows < 60; rows++) {
        CS_AUTO_FREE char *frame = frame_of(text.data, (struct cli_view_style){.columns = 80, .rows = rows});
        assert_true(count_lines(frame) < rows || rows < 4);
        assert_non_null(strstr(frame, "j49"));
    }
    CS_AUTO_FREE char *frame = frame_of(text.data, (struct cli_view_style){.columns = 80, .rows = 6});
    assert_non_null(strstr(frame, "j48"));
    assert_non_null(strstr(frame, "  and 47 more: 17 waiting, 30 completed\n"));
}

TEST(updates_change_only_the_jobs_they_name) {
    struct cli_execution execution = {0};
    apply(&execution, EXECUTION("processing", JOB("a", "running", "") "," JOB("b", "waiting", "")), true);
    apply(&execution,
          EXECUTION("completed",
                    JOB("b", "completed", ",\"outputs\":[{\"url\":\"http://x/y\"}]") "," JOB("stranger", "failed", "")),
          false);
    assert_int_equal(execution.job_count, 2);
    assert_int_equal(execution.jobs[0].state, CLI_JOB_RUNNING);
    assert_int_equal(execution.jobs[1].state, CLI_JOB_COMPLETED);
    assert_true(cli_execution_completed(&execution));
    assert_string_equal(cli_execution_result(&execution), "http://x/y");
    cli_execution_fini(&execution);
}

TEST(strange_answers_do_no_harm) {
    static const char *const strange[] = {
        "{}",
        "[]",
        "{\"jobs\":{}}",
        "{\"jobs\":[1,null,\"x\",[]]}",
        "{\"jobs\":[{\"id\":7,\"status\":\"dancing\",\"progress\":{\"fraction\":-3e300,\"speed\":\"x\"}}]}",
        "{\"id\":\"\\u009b2J\",\"jobs\":[]}",
        "{\"id\":\"\\u001b[2J\",\"jobs\":[{\"id\":\"a\\nb\",\"progress\":{\"fraction\":1e9}}]}",
    };
    for (size_t i = 0; i < CS_COUNT(strange); i++) {
        CS_AUTO_FREE char *frame =
            frame_of(strange[i], (struct cli_view_style){.columns = 80, .rows = 24, .unicode = true});
        assert_null(strchr(frame, '\x1b'));
        assert_null(strstr(frame, "\xc2\x9b")); /* the same in one character */
        assert_true(count_lines(frame) >= 1);
    }
}

TEST(changes_are_told_once) {
    struct cli_execution execution = {0};
    struct cli_view_memory memory = {0};
    CS_AUTO_BUF out = {0};
    apply(&execution, EXECUTION("processing", JOB("a", "waiting", "") "," JOB("b", "running", ENCODING)), true);
    cli_view_changes(&execution, &memory, &out);
    assert_string_equal(out.data, "b merge running 50% encode 1:01.2/1:02:05 1.8x\n");
    cs_buf_clear(&out);
    cli_view_changes(&execution, &memory, &out);
    assert_int_equal(out.size, 0);
    apply(&execution,
          EXECUTION("processing", JOB("b", "running",
                                      ",\"attempt\":1,\"progress\":{\"stage\":\"encode\","
                                      "\"fraction\":0.59}")),
          false);
    cli_view_changes(&execution, &memory, &out);
    assert_int_equal(out.size, 0); /* not a tenth further */
    apply(&execution,
          EXECUTION("processing", JOB("b", "retrying", ",\"attempt\":2,\"error\":{\"message\":\"no luck\"}")), false);
    cli_view_changes(&execution, &memory, &out);
    assert_string_equal(out.data, "b merge retrying, attempt 2: no luck\n");
    cli_view_memory_fini(&memory);
    cli_execution_fini(&execution);
}

TEST(end_names_the_result_or_the_reason) {
    struct cli_execution execution = {0};
    CS_AUTO_BUF out = {0};
    apply(&execution, EXECUTION("completed", JOB("b", "completed", ",\"outputs\":[{\"url\":\"http://x/y\"}]")), true);
    cli_view_end(&execution, &out);
    assert_string_equal(out.data, "completed e1\nresult http://x/y\n");
    cs_buf_clear(&out);
    apply(&execution, "{\"id\":\"e1\",\"status\":\"failed\",\"error\":\"job b failed\",\"jobs\":[]}", true);
    cli_view_end(&execution, &out);
    assert_string_equal(out.data, "failed e1: job b failed\n");
    cli_execution_fini(&execution);
}

/* ---- server-sent events ---- */

struct heard {
    struct cs_buf text;
    int limit;
};

static bool hear(const char *name, const char *data, size_t size, void *ctx) {
    struct heard *heard = ctx;
    cs_buf_printf(&heard->text, "[%s|%.*s]", name, (int)size, data);
    return --heard->limit > 0;
}

static const char stream[] = ": comment\r\nid: 1\nevent: snapshot\ndata: {\"a\":1}\n\n"
                             "event:update\rdata:x\rdata: y\r\rdata\n\nevent: empty\n\nretry: 5\ndata: z\r\n\r\nrest";
static const char told[] = "[snapshot|{\"a\":1}][update|x\ny][message|][message|z]";

TEST(events_are_read_however_they_are_cut) {
    for (size_t piece = 1; piece <= sizeof(stream); piece++) {
        struct cli_sse sse = {0};
        struct heard heard = {.limit = 100};
        for (size_t at = 0; at < sizeof(stream) - 1; at += piece) {
            size_t left = sizeof(stream) - 1 - at;
            assert_true(cli_sse_feed(&sse, stream + at, left < piece ? left : piece, hear, &heard));
        }
        assert_string_equal(heard.text.data, told);
        cs_buf_fini(&heard.text);
        cli_sse_fini(&sse);
    }
}

TEST(listener_ends_the_stream) {
    struct cli_sse sse = {0};
    struct heard heard = {.limit = 2};
    assert_false(cli_sse_feed(&sse, stream, sizeof(stream) - 1, hear, &heard));
    assert_string_equal(heard.text.data, "[snapshot|{\"a\":1}][update|x\ny]");
    cs_buf_fini(&heard.text);
    cli_sse_fini(&sse);
}

TEST_MAIN(CS_TEST(frame_shows_stage_media_time_and_speed), CS_TEST(frame_uses_blocks_where_the_locale_has_them),
          CS_TEST(frame_fits_any_width), CS_TEST(frame_fits_any_height_and_sums_up_the_rest),
          CS_TEST(updates_change_only_the_jobs_they_name), CS_TEST(strange_answers_do_no_harm),
          CS_TEST(changes_are_told_once), CS_TEST(end_names_the_result_or_the_reason),
          CS_TEST(events_are_read_however_they_are_cut), CS_TEST(listener_ends_the_stream))
