#include "history.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "cs/base/mem.h"
#include "cs/base/text.h"

static int history_fd = -1;

enum cs_status history_open(const char *path, struct cs_err *err) {
    history_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return history_fd >= 0 ? CS_OK : cs_fail_errno(err, errno, "writing %s", path);
}

void history_write(const char *word, const Callsheet__V1__Assign *assign) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    CS_AUTO_BUF line = {0};
    cs_buf_printf(&line, "%" PRId64 " %s %s %s %u %s ", (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, word,
                  assign->execution, assign->job, assign->attempt, assign->output_prefix);
    for (size_t i = 0; i < assign->n_inputs; i++) {
        const Callsheet__V1__ResolvedInput *input = assign->inputs[i];
        bool stored = input->source_case == CALLSHEET__V1__RESOLVED_INPUT__SOURCE_ARTIFACT;
        cs_buf_printf(&line, "%s%s", i != 0 ? "," : "", stored ? input->artifact->key : "url");
    }
    cs_buf_putc(&line, '\n');
    if (write(history_fd, line.data, line.size) != (ssize_t)line.size) {
        _exit(1); /* work that is not written down must not be done */
    }
}
