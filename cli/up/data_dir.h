/*
 * data_dir: what `callsheet up` keeps on the disk.
 *
 *     lock  link-secret  service-token  processes.json  postgres/  storage/  scratch/
 *
 * Owns     the lock, as long as it is open.
 * Fails    FAILED_PRECONDITION "already_running" with the other's process id; what the file system says.
 * Trust    secrets are 0600 and never logged.
 */
#ifndef CLI_UP_DATA_DIR_H
#define CLI_UP_DATA_DIR_H

#include "cs/base/err.h"
#include "cs/base/mem.h"
#include "up/supervisor.h"

enum { CLI_SECRET_SIZE = 65 /* hex of 256 bits, with NUL */ };

struct cli_data_dir {
    char *path; /* absolute */
    int lock_fd;
    char link_secret[CLI_SECRET_SIZE * 4]; /* as long as an operator wants it */
    char service_token[CLI_SECRET_SIZE * 4];
};

/* Makes what is missing (with parents), takes the lock, reads or makes the secrets. */
enum cs_status cli_data_dir_open(const char *path, struct cli_data_dir *ret_dir, struct cs_err *err) CS_MUST_USE;
void cli_data_dir_close(struct cli_data_dir *dir);

/* DIR/NAME, in the arena. */
char *cli_data_dir_path(const struct cli_data_dir *dir, struct cs_arena *arena, const char *name);
/* The same, made when missing (0700). */
enum cs_status cli_data_dir_make(const struct cli_data_dir *dir, struct cs_arena *arena, const char *name,
                                 char **ret_path, struct cs_err *err) CS_MUST_USE;

/* Replaces processes.json: [{"name", "pid", "address", "state", "restarts"}]; pid null when it does not run. */
enum cs_status cli_data_dir_write_processes(const struct cli_data_dir *dir, const struct cli_sup *sup,
                                            struct cs_err *err) CS_MUST_USE;

#endif
