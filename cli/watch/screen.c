#include "watch/screen.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cs/base/text.h"

enum { PIPE_COLUMNS = 100, PIPE_ROWS = 100000, COLUMNS_DEFAULT = 80, ROWS_DEFAULT = 24 };

static void write_all(int fd, const struct cs_buf *buf) {
    for (size_t done = 0; done < buf->size;) {
        ssize_t size = write(fd, buf->data + done, buf->size - done);
        if (size < 0 && errno != EINTR) {
            return;
        }
        done += size > 0 ? (size_t)size : 0;
    }
}

void cli_screen_init(struct cli_screen *screen, int fd) {
    (void)setlocale(LC_CTYPE, "");
    *screen =
        (struct cli_screen){.fd = fd, .terminal = isatty(fd) == 1, .unicode = cs_str_eq(nl_langinfo(CODESET), "UTF-8")};
}

void cli_screen_fini(struct cli_screen *screen) {
    cli_view_memory_fini(&screen->memory);
}

struct cli_view_style cli_screen_style(int fd) {
    struct winsize size = {0};
    (void)setlocale(LC_CTYPE, "");
    bool unicode = cs_str_eq(nl_langinfo(CODESET), "UTF-8");
    if (isatty(fd) != 1) {
        return (struct cli_view_style){PIPE_COLUMNS, PIPE_ROWS, unicode};
    }
    (void)ioctl(fd, TIOCGWINSZ, &size);
    return (struct cli_view_style){
        .columns = size.ws_col != 0 ? size.ws_col : COLUMNS_DEFAULT,
        .rows = size.ws_row != 0 ? size.ws_row : ROWS_DEFAULT,
        .unicode = unicode,
    };
}

static size_t count_lines(const struct cs_buf *frame) {
    size_t lines = 0;
    for (size_t i = 0; i < frame->size; i++) {
        lines += frame->data[i] == '\n';
    }
    return lines;
}

/* Over the old frame, line by line, in one write: nothing is cleared first, so nothing flickers. */
static void draw(struct cli_screen *screen, const struct cli_execution *execution) {
    struct cli_view_style style = cli_screen_style(screen->fd);
    CS_AUTO_BUF frame = {0};
    CS_AUTO_BUF out = {0};
    cli_view_frame(execution, &style, &frame);
    if (screen->lines != 0) {
        cs_buf_printf(&out, "\x1b[%zuA\r", screen->lines);
    }
    for (size_t i = 0; i < frame.size; i++) {
        if (frame.data[i] == '\n') {
            cs_buf_puts(&out, "\x1b[K");
        }
        cs_buf_putc(&out, frame.data[i]);
    }
    cs_buf_puts(&out, "\x1b[J");
    screen->lines = count_lines(&frame);
    write_all(screen->fd, &out);
}

void cli_screen_show(struct cli_screen *screen, const struct cli_execution *execution) {
    if (screen->terminal) {
        draw(screen, execution);
        return;
    }
    CS_AUTO_BUF out = {0};
    cli_view_changes(execution, &screen->memory, &out);
    write_all(screen->fd, &out);
}

void cli_screen_end(struct cli_screen *screen, const struct cli_execution *execution) {
    CS_AUTO_BUF out = {0};
    cli_screen_show(screen, execution);
    cli_view_end(execution, &out);
    write_all(screen->fd, &out);
}
