/*
 * screen: where a watched execution is shown: redrawn in place on a terminal, as lines of changes elsewhere.
 */
#ifndef CLI_WATCH_SCREEN_H
#define CLI_WATCH_SCREEN_H

#include <stdbool.h>

#include "watch/view.h"

struct cli_screen {
    int fd;
    bool terminal;
    bool unicode;
    size_t lines; /* of the frame that stands there */
    struct cli_view_memory memory;
};

void cli_screen_init(struct cli_screen *screen, int fd);
void cli_screen_fini(struct cli_screen *screen);
void cli_screen_show(struct cli_screen *screen, const struct cli_execution *execution);
/* The last frame and how it ended. */
void cli_screen_end(struct cli_screen *screen, const struct cli_execution *execution);

/* How wide and high to draw for a descriptor; 100 by 100,000 when it is no terminal. */
struct cli_view_style cli_screen_style(int fd);

#endif
