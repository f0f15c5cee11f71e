#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cs/runner_wire.h"

enum { FDS_PER_MESSAGE = 250 }; /* the kernel's limit is 253 */

/* Goes before a command's bytes. The first FDS_PER_MESSAGE descriptors travel with it, each further group with one
 * filler byte after it. */
struct head {
    uint32_t size_bytes;
    uint32_t fd_count;
};

/* ---- frames ---- */

void cs_runner_frame_put(struct cs_buf *out, const ProtobufCMessage *message) {
    uint32_t size_bytes = (uint32_t)protobuf_c_message_get_packed_size(message);
    cs_buf_put(out, &size_bytes, sizeof(size_bytes));
    CS_AUTO_FREE uint8_t *packed = cs_alloc(size_bytes);
    (void)protobuf_c_message_pack(message, packed);
    cs_buf_put(out, packed, size_bytes);
}

bool cs_runner_frame_next(const struct cs_buf *in, size_t *offset, size_t size_max, const uint8_t **ret_body,
                          size_t *ret_size_bytes, bool *ret_bad) {
    uint32_t size_bytes;
    size_t have = in->size - *offset;
    if (have < sizeof(size_bytes)) {
        return false;
    }
    memcpy(&size_bytes, in->data + *offset, sizeof(size_bytes));
    if (size_bytes > size_max) {
        *ret_bad = true;
        return false;
    }
    if (have - sizeof(size_bytes) < size_bytes) {
        return false;
    }
    *ret_body = (const uint8_t *)in->data + *offset + sizeof(size_bytes);
    *ret_size_bytes = size_bytes;
    *offset += sizeof(size_bytes) + size_bytes;
    return true;
}

void cs_runner_buf_consume(struct cs_buf *in, size_t size_bytes) {
    if (size_bytes > 0) {
        memmove(in->data, in->data + size_bytes, in->size - size_bytes);
        in->size -= size_bytes;
    }
}

bool cs_runner_frame_write(int fd, const ProtobufCMessage *message) {
    CS_AUTO_BUF frame = {0};
    cs_runner_frame_put(&frame, message);
    for (size_t done = 0; done < frame.size;) {
        ssize_t put = write(fd, frame.data + done, frame.size - done);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return true;
}

/* ---- commands ---- */

static enum cs_status fail_lost(struct cs_err *err) {
    return cs_fail(err, CS_UNAVAILABLE, "runner_died", "the media runner has died");
}

/* Sends all bytes; the descriptors go with the first. */
static enum cs_status send_all(int socket, const void *bytes, size_t size_bytes, const int *fds, size_t fd_count,
                               struct cs_err *err) {
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(FDS_PER_MESSAGE * sizeof(int))];
    } control = {0};
    for (size_t done = 0; done < size_bytes;) {
        struct iovec part = {(char *)bytes + done, size_bytes - done};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
        if (fd_count > 0 && done == 0) {
            message.msg_control = control.space;
            message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
            struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
            rights->cmsg_level = SOL_SOCKET;
            rights->cmsg_type = SCM_RIGHTS;
            rights->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
            memcpy(CMSG_DATA(rights), fds, fd_count * sizeof(int));
        }
        ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0) {
            return errno == EPIPE || errno == ECONNRESET
                       ? fail_lost(err)
                       : cs_fail_errno(err, errno, "sending a job to the media runner");
        }
        done += (size_t)sent;
    }
    return CS_OK;
}

enum cs_status cs_runner_command_send(int socket, const ProtobufCMessage *command, const int *fds, size_t fd_count,
                                      struct cs_err *err) {
    size_t size_bytes = protobuf_c_message_get_packed_size(command);
    if (size_bytes > CS_RUNNER_COMMAND_BYTES_MAX || fd_count > CS_RUNNER_COMMAND_FDS_MAX) {
        return cs_fail(err, CS_OUT_OF_RANGE, "job_too_big", "a media job may have %d files and %d bytes of parameters",
                       CS_RUNNER_FILES_MAX, CS_RUNNER_COMMAND_BYTES_MAX);
    }
    CS_AUTO_FREE uint8_t *packed = cs_alloc(size_bytes);
    (void)protobuf_c_message_pack(command, packed);
    struct head head = {(uint32_t)size_bytes, (uint32_t)fd_count};
    size_t sent_fds = fd_count < FDS_PER_MESSAGE ? fd_count : FDS_PER_MESSAGE;
    CS_TRY(send_all(socket, &head, sizeof(head), fds, sent_fds, err));
    while (sent_fds < fd_count) {
        size_t group = fd_count - sent_fds < FDS_PER_MESSAGE ? fd_count - sent_fds : FDS_PER_MESSAGE;
        CS_TRY(send_all(socket, "", 1, fds + sent_fds, group, err));
        sent_fds += group;
    }
    return send_all(socket, packed, size_bytes, NULL, 0, err);
}

static void take_fds(struct msghdr *message, struct cs_runner_command *command) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
            if (command->fd_count < CS_RUNNER_COMMAND_FDS_MAX) {
                command->fds[command->fd_count++] = fd;
            } else {
                (void)close(fd);
            }
        }
    }
}

static enum cs_status receive_all(int socket, void *bytes, size_t size_bytes, struct cs_runner_command *command,
                                  bool *ret_end, struct cs_err *err) {
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(FDS_PER_MESSAGE * sizeof(int))];
    } control;
    for (size_t done = 0; done < size_bytes;) {
        struct iovec part = {(char *)bytes + done, size_bytes - done};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control.space)};
        ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno != ECONNRESET) {
            return cs_fail_errno(err, errno, "receiving a job");
        }
        if (got <= 0) {
            *ret_end = true;
            return CS_OK;
        }
        take_fds(&message, command);
        done += (size_t)got;
    }
    return CS_OK;
}

static enum cs_status receive(int socket, struct cs_runner_command *command, bool *end, struct cs_err *err) {
    struct head head;
    CS_TRY(receive_all(socket, &head, sizeof(head), command, end, err));
    if (*end) {
        return CS_OK;
    }
    if (head.size_bytes > CS_RUNNER_COMMAND_BYTES_MAX || head.fd_count > CS_RUNNER_COMMAND_FDS_MAX) {
        return cs_fail(err, CS_INTERNAL, "bad_frame", "a command's head is out of range");
    }
    for (size_t sent = FDS_PER_MESSAGE; sent < head.fd_count && !*end; sent += FDS_PER_MESSAGE) {
        char filler;
        CS_TRY(receive_all(socket, &filler, 1, command, end, err));
    }
    command->incomplete = command->fd_count != head.fd_count;
    if (head.size_bytes > 0) {
        void *bytes = mmap(NULL, head.size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (bytes == MAP_FAILED) {
            return cs_fail_errno(err, errno, "receiving a job");
        }
        command->bytes = bytes;
        command->size_bytes = head.size_bytes;
        return receive_all(socket, bytes, head.size_bytes, command, end, err);
    }
    return CS_OK;
}

enum cs_status cs_runner_command_receive(int socket, struct cs_runner_command *command, bool *ret_end,
                                         struct cs_err *err) {
    command->bytes = NULL;
    command->size_bytes = 0;
    command->fd_count = 0;
    *ret_end = false;
    enum cs_status status = receive(socket, command, ret_end, err);
    if (status != CS_OK || *ret_end) {
        cs_runner_command_fini(command);
    }
    return status;
}

void cs_runner_command_fini(struct cs_runner_command *command) {
    for (size_t i = 0; i < command->fd_count; i++) {
        (void)close(command->fds[i]);
    }
    command->fd_count = 0;
    if (command->bytes != NULL) {
        (void)munmap(command->bytes, command->size_bytes);
        command->bytes = NULL;
    }
}
