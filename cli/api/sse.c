#include "api/sse.h"

#include <string.h>

#include "cs/base/text.h"

typedef bool event_fn(const char *name, const char *data, size_t size, void *ctx);

static bool dispatch(struct cli_sse *sse, event_fn *event, void *ctx) {
    bool more = true;
    if (sse->has_data) {
        const char *name = sse->name.size != 0 ? sse->name.data : "message";
        more = event(name, sse->data.size != 0 ? sse->data.data : "", sse->data.size, ctx);
    }
    cs_buf_clear(&sse->name);
    cs_buf_clear(&sse->data);
    sse->has_data = false;
    return more;
}

static void take_field(struct cli_sse *sse, const char *line) {
    size_t length = strcspn(line, ":");
    const char *value = line[length] == ':' ? line + length + 1 : line + length;
    value += *value == ' ' ? 1 : 0;
    if (length == strlen("event") && cs_str_starts(line, "event")) {
        cs_buf_clear(&sse->name);
        cs_buf_puts(&sse->name, value);
    } else if (length == strlen("data") && cs_str_starts(line, "data")) {
        if (sse->has_data) {
            cs_buf_putc(&sse->data, '\n');
        }
        cs_buf_puts(&sse->data, value);
        sse->has_data = true;
    }
}

static bool end_line(struct cli_sse *sse, event_fn *event, void *ctx) {
    bool more = true;
    if (sse->line.size == 0) {
        more = dispatch(sse, event, ctx);
    } else if (sse->line.data[0] != ':') {
        take_field(sse, sse->line.data);
    }
    cs_buf_clear(&sse->line);
    return more;
}

bool cli_sse_feed(struct cli_sse *sse, const char *bytes, size_t size, event_fn *event, void *ctx) {
    size_t start = 0;
    for (size_t i = 0; i < size; i++) {
        bool skip = bytes[i] == '\n' && sse->after_cr;
        sse->after_cr = bytes[i] == '\r';
        if (skip) {
            start = i + 1;
        } else if (bytes[i] == '\n' || bytes[i] == '\r') {
            cs_buf_put(&sse->line, bytes + start, i - start);
            start = i + 1;
            if (!end_line(sse, event, ctx)) {
                return false;
            }
        }
    }
    cs_buf_put(&sse->line, bytes + start, size - start);
    return sse->line.size + sse->data.size <= CLI_SSE_BYTES_MAX;
}

void cli_sse_fini(struct cli_sse *sse) {
    cs_buf_fini(&sse->line);
    cs_buf_fini(&sse->name);
    cs_buf_fini(&sse->data);
}
