#include "up/member.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "cs/base/text.h"

enum { FDS_MAX = 8, CHUNK = 16384 };

void member_init(struct member *member, const struct cli_member_spec *spec, int sink_fd) {
    *member = (struct member){.spec = *spec, .log_fd = -1, .ready_fd = -1, .sink_fd = sink_fd};
}

static void close_fd(int *fd) {
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

/* ---- output ---- */

static void write_all(int fd, const char *bytes, size_t size) {
    while (size != 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno != EINTR) {
            return; /* nobody reads us: the log is lost, the work is not */
        }
        bytes += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
}

static void log_line(const char *text, size_t size, void *ctx) {
    const struct member *member = ctx;
    CS_AUTO_BUF line = {0};
    cs_buf_printf(&line, "%s | ", member->spec.name);
    cs_buf_put(&line, text, size);
    cs_buf_putc(&line, '\n');
    write_all(member->sink_fd, line.data, line.size);
}

/* Reads what is there. False at the end of the file. */
static bool drain(int fd, struct cli_lines *lines, void (*line)(const char *, size_t, void *), void *ctx) {
    char chunk[CHUNK];
    for (;;) {
        ssize_t size = read(fd, chunk, sizeof(chunk));
        if (size > 0) {
            cli_lines_feed(lines, chunk, (size_t)size, line, ctx);
        } else if (size == 0 || (errno != EINTR && errno != EAGAIN)) {
            return false;
        } else if (errno == EAGAIN) {
            return true;
        }
    }
}

void member_read_log(struct member *member) {
    if (!drain(member->log_fd, &member->log_lines, log_line, member)) {
        close_fd(&member->log_fd);
        cli_lines_finish(&member->log_lines, log_line, member);
    }
}

/* ---- ready ---- */

static void become_ready(struct member *member, int64_t now_ms) {
    member->state = MEMBER_READY;
    member->ever_ready = true;
    member->ready_at_ms = now_ms;
}

static void ready_line(const char *text, size_t size, void *ctx) {
    static const char word[] = "ready ";
    struct member *member = ctx;
    size_t length = sizeof(word) - 1;
    if (size > length && size - length < CLI_ADDRESS_MAX && memcmp(text, word, length) == 0) {
        memcpy(member->address, text + length, size - length);
        member->address[size - length] = '\0';
        member->state = MEMBER_READY;
    }
}

bool member_read_ready(struct member *member, int64_t now_ms) {
    bool was_ready = member->state == MEMBER_READY;
    if (!drain(member->ready_fd, &member->ready_lines, ready_line, member)) {
        close_fd(&member->ready_fd);
        cli_lines_finish(&member->ready_lines, ready_line, member);
    }
    if (was_ready || member->state != MEMBER_READY) {
        return false;
    }
    become_ready(member, now_ms);
    return true;
}

bool member_probe(struct member *member, int64_t now_ms) {
    char address[CLI_ADDRESS_MAX] = "";
    if (!member->spec.probe(member->spec.ctx, address)) {
        return false;
    }
    cs_str_copy(member->address, sizeof(member->address), address);
    become_ready(member, now_ms);
    return true;
}

/* ---- start and end ---- */

/* Our end does not block; the child's does. */
static enum cs_status make_pipe(int *ret_ours, int *ret_theirs, struct cs_err *err) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) {
        return cs_fail_errno(err, errno, "making a pipe");
    }
    (void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
    *ret_ours = fds[0];
    *ret_theirs = fds[1];
    return CS_OK;
}

static enum cs_status start_with(struct member *member, struct cs_process_spec *spec, struct cs_err *err) {
    CS_AUTO_FD int log_write = -1;
    CS_AUTO_FD int ready_write = -1;
    struct cs_process_fd fds[FDS_MAX];
    size_t count = spec->fd_count < FDS_MAX ? spec->fd_count : FDS_MAX - 1;
    if (count != 0) {
        memcpy(fds, spec->fds, count * sizeof(fds[0]));
    }
    CS_TRY(make_pipe(&member->log_fd, &log_write, err));
    if (member->spec.probe == NULL) {
        CS_TRY(make_pipe(&member->ready_fd, &ready_write, err));
        fds[count++] = (struct cs_process_fd){.ours = ready_write, .theirs = CLI_READY_FD};
    }
    spec->fds = fds;
    spec->fd_count = count;
    spec->stdout_fd = spec->stderr_fd = log_write;
    spec->death_signal = spec->death_signal != 0 ? spec->death_signal : SIGKILL;
    spec->own_group = true;
    enum cs_status status = cs_process_start(spec, &member->process, err);
    spec->fds = NULL; /* they were of this call */
    spec->fd_count = 0;
    return status;
}

enum cs_status member_start(struct member *member, int64_t now_ms, struct cs_err *err) {
    CS_AUTO(cs_arena) *arena = cs_arena_create();
    struct cs_process_spec spec = {0};
    enum cs_status status = member->spec.launch(member->spec.ctx, member->address, arena, &spec, err);
    if (status == CS_OK) {
        status = start_with(member, &spec, err);
    }
    if (status != CS_OK) {
        close_fd(&member->log_fd);
        close_fd(&member->ready_fd);
        return cs_wrap(err, "starting %s", member->spec.name);
    }
    member->state = MEMBER_STARTING;
    member->signalled = false;
    member->due_ms = now_ms + CLI_READY_TIMEOUT_MS;
    return CS_OK;
}

int member_reap(struct member *member) {
    struct cs_err ignored = {0};
    int code = -1;
    (void)!cs_process_wait(&member->process, CS_PROCESS_FOREVER, &code, &ignored);
    if (member->log_fd >= 0) {
        (void)drain(member->log_fd, &member->log_lines, log_line, member);
    }
    close_fd(&member->log_fd);
    close_fd(&member->ready_fd);
    cli_lines_finish(&member->log_lines, log_line, member);
    cs_buf_fini(&member->ready_lines.rest);
    return code;
}

int64_t cli_backoff_ms(int failures) {
    int64_t pause_ms = CLI_BACKOFF_FIRST_MS;
    for (int i = 1; i < failures && pause_ms < CLI_BACKOFF_MAX_MS; i++) {
        pause_ms *= 2;
    }
    return pause_ms < CLI_BACKOFF_MAX_MS ? pause_ms : CLI_BACKOFF_MAX_MS;
}

void member_back_off(struct member *member, int64_t now_ms) {
    bool was_steady = member->state == MEMBER_READY && now_ms - member->ready_at_ms >= CLI_STEADY_MS;
    member->failures = was_steady ? 1 : member->failures + 1;
    member->restarts++;
    member->state = MEMBER_WAITING;
    member->due_ms = now_ms + cli_backoff_ms(member->failures);
}

void member_fini(struct member *member) {
    if (member->process.pid != 0) {
        cs_process_signal(&member->process, SIGKILL);
        (void)member_reap(member);
    }
    member->state = MEMBER_ENDED;
}
