/*
 * runner_wire: how a client and its callsheet-media-runner talk.
 *
 *     client → runner   on the socket: frames of one RunnerCommand, each with its descriptors. A job's descriptors are
 * its inputs, its outputs, and last the write end of the pipe on which the job's child reports. child → client    on
 * that pipe: frames of RunnerReport, the last one done or failed. It ends when the child ends. runner → client   on the
 * socket: frames of RunnerReport. First one with id 0: ready, or failed when the runner refuses to work. Then one per
 * ended child, failed when the child's own report does not count.
 *
 * A frame is a 32-bit size in native order and that many bytes of a message.
 *
 * Trust    a child may be in an attacker's hands: its frames meet CS_RUNNER_REPORT_BYTES_MAX before anything is
 * allocated.
 */
#ifndef CS_RUNNER_WIRE_H
#define CS_RUNNER_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "cs/runner.h"

enum {
    CS_RUNNER_SOCKET_FD = 3, /* of the runner process */
    CS_RUNNER_COMMAND_BYTES_MAX = 16 << 20,
    CS_RUNNER_REPORT_BYTES_MAX = 512 << 10,
    CS_RUNNER_COMMAND_FDS_MAX = CS_RUNNER_FILES_MAX + 1,
};

/* ---- frames ---- */

void cs_runner_frame_put(struct cs_buf *out, const ProtobufCMessage *message);
/* Looks for a whole frame at *offset of in. True: *ret_body points into in and *offset is behind it. False: more
 * bytes are needed, or *ret_bad when the frame is larger than size_max. */
bool cs_runner_frame_next(const struct cs_buf *in, size_t *offset, size_t size_max, const uint8_t **ret_body,
                          size_t *ret_size_bytes, bool *ret_bad);
/* Drops what was consumed. */
void cs_runner_buf_consume(struct cs_buf *in, size_t size_bytes);
/* Writes a whole frame to a blocking descriptor; false when the other end is gone. */
bool cs_runner_frame_write(int fd, const ProtobufCMessage *message);

/* ---- commands ---- */

/* Blocks until all of it is in the socket. UNAVAILABLE "runner_died" when the other end is gone. */
enum cs_status cs_runner_command_send(int socket, const ProtobufCMessage *command, const int *fds, size_t fd_count,
                                      struct cs_err *err) CS_MUST_USE;

/* A received command's bytes, in memory of their own that goes back to the system: a later child must not find an
 * earlier tenant's words in what it inherits. */
struct cs_runner_command {
    uint8_t *bytes;
    size_t size_bytes;
    int fds[CS_RUNNER_COMMAND_FDS_MAX];
    size_t fd_count;
    bool incomplete; /* descriptors were lost: this process may not open more */
};

/* Blocks until a whole command is there. *ret_end when the other end has closed the socket; UNAVAILABLE when it broke.
 */
enum cs_status cs_runner_command_receive(int socket, struct cs_runner_command *command, bool *ret_end,
                                         struct cs_err *err) CS_MUST_USE;
/* Closes the descriptors and gives the memory back. */
void cs_runner_command_fini(struct cs_runner_command *command);

#endif
