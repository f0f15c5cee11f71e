#include "cs/runner_wire.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "cs/test.h"

static void put_progress(struct cs_buf *out, uint64_t id) {
    Callsheet__V1__RunnerReport report = CALLSHEET__V1__RUNNER_REPORT__INIT;
    report.id = id;
    cs_runner_frame_put(out, (const ProtobufCMessage *)&report);
}

TEST(frames_are_found_however_the_bytes_arrive) {
    CS_AUTO_BUF sent = {0};
    put_progress(&sent, 7);
    put_progress(&sent, 300);
    CS_AUTO_BUF in = {0};
    uint64_t ids[2] = {0};
    size_t count = 0;
    for (size_t i = 0; i < sent.size; i++) {
        cs_buf_put(&in, sent.data + i, 1);
        const uint8_t *body;
        size_t size_bytes;
        size_t offset = 0;
        bool bad = false;
        while (cs_runner_frame_next(&in, &offset, 100, &body, &size_bytes, &bad)) {
            Callsheet__V1__RunnerReport *report = callsheet__v1__runner_report__unpack(NULL, size_bytes, body);
            assert_non_null(report);
            ids[count++] = report->id;
            callsheet__v1__runner_report__free_unpacked(report, NULL);
        }
        assert_false(bad);
        cs_runner_buf_consume(&in, offset);
    }
    assert_int_equal(count, 2);
    assert_int_equal(ids[0], 7);
    assert_int_equal(ids[1], 300);
    assert_int_equal(in.size, 0);
}

TEST(frame_beyond_the_limit_is_bad_before_it_arrives) {
    CS_AUTO_BUF in = {0};
    uint32_t size = 101;
    cs_buf_put(&in, &size, sizeof(size));
    const uint8_t *body;
    size_t size_bytes;
    size_t offset = 0;
    bool bad = false;
    assert_false(cs_runner_frame_next(&in, &offset, 100, &body, &size_bytes, &bad));
    assert_true(bad);
}

TEST(command_travels_with_its_descriptors_in_order) {
    enum { FDS = 300 };
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    int fds[FDS];
    for (size_t i = 0; i < FDS; i++) {
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(fds[i] >= 0);
    }
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], fds[FDS - 1]), fds[FDS - 1]); /* the last one is told apart */
    Callsheet__V1__RunnerCommand command = CALLSHEET__V1__RUNNER_COMMAND__INIT;
    command.command_case = CALLSHEET__V1__RUNNER_COMMAND__COMMAND_KILL;
    command.kill = 9;
    struct cs_err err = {0};
    assert_ok(cs_runner_command_send(pair[0], (const ProtobufCMessage *)&command, fds, FDS, &err), &err);
    struct cs_runner_command got;
    bool end = true;
    assert_ok(cs_runner_command_receive(pair[1], &got, &end, &err), &err);
    assert_false(end);
    assert_int_equal(got.fd_count, FDS);
    assert_false(got.incomplete);
    assert_int_equal(write(got.fds[FDS - 1], "x", 1), 1);
    char byte = 0;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    cs_runner_command_fini(&got);
    for (size_t i = 0; i < FDS; i++) {
        (void)close(fds[i]);
    }
    (void)close(pair[0]);
    assert_ok(cs_runner_command_receive(pair[1], &got, &end, &err), &err);
    assert_true(end);
    (void)close(pair[1]);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

TEST_MAIN(CS_TEST(frames_are_found_however_the_bytes_arrive), CS_TEST(frame_beyond_the_limit_is_bad_before_it_arrives),
          CS_TEST(command_travels_with_its_descriptors_in_order))
