#include "cs/pg_server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "cs/base/clock.h"
#include "cs/base/mem.h"
#include "cs/base/text.h"
#include "cs/pg.h"

enum {
    DATA_FD = 9, /* what the server calls its data directory; see data_path */
    INITDB_TIMEOUT_MS = 120000,
    ORPHAN_GRACE_MS = 10000,
    RETRY_MS = 20,
};

/* The server gets its directory as an open descriptor: a path would need search permission on every parent, which the
 * user postgres lacks below /root. Its processes inherit the descriptor, and the kernel resolves the path in each. */
static const char data_path[] = "/proc/self/fd/9";

static const char *const common_settings[] = {
    "listen_addresses=",
    "unix_socket_directories=.",
    "unix_socket_permissions=0700",
    "max_wal_senders=0",
    "wal_level=minimal",
    "jit=off",
    "log_min_messages=warning",
    "log_line_prefix=",
    "log_timezone=UTC",
    "timezone=UTC",
    "checkpoint_timeout=15min",
    "max_wal_size=1GB",
    "log_checkpoints=off",
};
static const char *const durable_settings[] = {"fsync=on", "synchronous_commit=on", "full_page_writes=on",
                                               "shared_buffers=128MB", "max_connections=64"};
static const char *const fast_settings[] = {"fsync=off", "synchronous_commit=off", "full_page_writes=off",
                                            "shared_buffers=32MB", "max_connections=200"};

enum { SETTINGS_MAX = 24 };

struct cs_pg_server {
    enum cs_pg_server_kind kind;
    char data[PATH_MAX];
    char program[PATH_MAX]; /* …/bin/postgres */
    char user_name[64];
    struct cs_process_user user;
    int data_fd;
    struct cs_process_fd fd;
    const char *argv[3 + 2 * SETTINGS_MAX + 1];
    char link_dir[32]; /* "/tmp/callsheet-pg-XXXXXX" when the socket's path is too long; else "" */
    char socket_dir[PATH_MAX];
};

/* ---- files ---- */

static int remove_one(const char *path, __attribute__((unused)) const struct stat *info,
                      __attribute__((unused)) int kind, __attribute__((unused)) struct FTW *walk) {
    return remove(path);
}

static void remove_tree(const char *path) {
    enum { FDS = 16 };
    (void)nftw(path, remove_one, FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static enum cs_status make_dir(const char *path, mode_t mode, struct cs_err *err) {
    if (mkdir(path, mode) != 0 && errno != EEXIST) {
        return cs_fail_errno(err, errno, "making %s", path);
    }
    return CS_OK;
}

/* The first line of a small file, without its newline; "" when there is none. */
static void read_line(const char *directory, const char *name, char *ret_line, size_t capacity) {
    ret_line[0] = '\0';
    CS_AUTO_FREE char *path = cs_sprintf("%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return;
    }
    if (fgets(ret_line, (int)capacity, file) == NULL) {
        ret_line[0] = '\0';
    }
    ret_line[strcspn(ret_line, "\n")] = '\0';
    (void)fclose(file);
}

/* ---- which program, which user ---- */

static enum cs_status find_program(struct cs_pg_server *server, struct cs_err *err) {
    char version[16];
    read_line(server->data, "PG_VERSION", version, sizeof(version));
    char pattern[64];
    (void)snprintf(pattern, sizeof(pattern), "/usr/lib/postgresql/%s/bin/postgres", version[0] != '\0' ? version : "*");
    glob_t found = {0};
    int outcome = glob(pattern, 0, NULL, &found);
    if (outcome == 0) { /* sorted: the last is the newest of two-digit versions */
        cs_str_copy(server->program, sizeof(server->program), found.gl_pathv[found.gl_pathc - 1]);
    }
    globfree(&found);
    if (outcome != 0) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "postgres_missing",
                       "there is no PostgreSQL %s: install the package postgresql (looked for %s)", version, pattern);
    }
    return CS_OK;
}

static void run_as(struct cs_pg_server *server, const struct passwd *entry) {
    cs_str_copy(server->user_name, sizeof(server->user_name), entry->pw_name);
    server->user = (struct cs_process_user){server->user_name, entry->pw_uid, entry->pw_gid};
}

/* Root runs it as the owner of the data, or as "postgres" for new data; anyone else as himself. */
static enum cs_status find_user(struct cs_pg_server *server, struct cs_err *err) {
    struct stat info;
    bool exists = stat(server->data, &info) == 0;
    if (geteuid() != 0) {
        if (exists && info.st_uid != geteuid()) {
            return cs_fail(err, CS_FAILED_PRECONDITION, "wrong_owner", "%s belongs to another user (uid %u)",
                           server->data, info.st_uid);
        }
        return CS_OK;
    }
    const struct passwd *entry = exists && info.st_uid != 0 ? getpwuid(info.st_uid) : getpwnam("postgres");
    if (entry == NULL || entry->pw_uid == 0) {
        return cs_fail(err, CS_FAILED_PRECONDITION, "postgres_user_missing",
                       "PostgreSQL does not run as root and there is no user \"postgres\" to run it as");
    }
    run_as(server, entry);
    return CS_OK;
}

/* ---- initdb ---- */

static void last_line(int fd, char *ret_line, size_t capacity) {
    char text[4096];
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > (off_t)sizeof(text) - 1 ? size - ((off_t)sizeof(text) - 1) : 0;
    ssize_t got = pread(fd, text, sizeof(text) - 1, from);
    text[got > 0 ? got : 0] = '\0';
    for (size_t end = strlen(text); end > 0 && text[end - 1] == '\n'; end--) {
        text[end - 1] = '\0';
    }
    const char *newline = strrchr(text, '\n');
    cs_str_copy(ret_line, capacity, newline != NULL ? newline + 1 : text);
}

static enum cs_status run_initdb(const struct cs_pg_server *server, int data_fd, struct cs_err *err) {
    CS_AUTO_FREE char *program =
        cs_sprintf("%.*s/initdb", (int)(strrchr(server->program, '/') - server->program), server->program);
    const char *argv[] = {program,
                          "-D",
                          data_path,
                          "--username=callsheet",
                          "--auth=trust",
                          "--encoding=UTF8",
                          "--no-locale",
                          server->kind == CS_PG_SERVER_FAST ? "--no-sync" : NULL,
                          NULL};
    CS_AUTO_FD int output = memfd_create("initdb", MFD_CLOEXEC);
    struct cs_process_fd fd = {.ours = data_fd, .theirs = DATA_FD};
    struct cs_process_spec spec = {
        .argv = argv,
        .fds = &fd,
        .fd_count = 1,
        .stdout_fd = output,
        .stderr_fd = output,
        .death_signal = SIGKILL,
        .directory = "/",
        .user = server->user,
        .own_group = true,
        .bare_environment = true,
    };
    if (cs_process_run(&spec, INITDB_TIMEOUT_MS, err) != CS_OK) {
        char line[256];
        last_line(output, line, sizeof(line));
        return cs_fail(err, CS_FAILED_PRECONDITION, "initdb_failed", "creating the database files in %s: %s",
                       server->data, line);
    }
    return CS_OK;
}

/* Under another name first, so that an interrupted initdb never looks like data. */
static enum cs_status create_data(const struct cs_pg_server *server, struct cs_err *err) {
    CS_AUTO_FREE char *fresh = cs_sprintf("%s.new", server->data);
    remove_tree(fresh);
    CS_TRY(make_dir(fresh, 0700, err));
    CS_AUTO_FD int fd = open(fresh, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool owned = server->user.name == NULL || chown(fresh, server->user.uid, server->user.gid) == 0;
    if (fd < 0 || !owned) {
        return cs_fail_errno(err, errno, "making %s", fresh);
    }
    CS_TRY(run_initdb(server, fd, err));
    if (rename(fresh, server->data) != 0) {
        return cs_fail_errno(err, errno, "renaming %s", fresh);
    }
    return CS_OK;
}

/* ---- what an earlier life left ---- */

/* Whether the process is a PostgreSQL that works in our data directory. */
static bool is_ours(const struct cs_pg_server *server, pid_t pid) {
    char link[64];
    char path[PATH_MAX];
    (void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    if (length <= 0) {
        return false;
    }
    path[length] = '\0';
    struct stat theirs;
    struct stat ours;
    (void)snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
    const char *name = strrchr(path, '/');
    bool is_server = cs_str_eq(name, "/postgres") || cs_str_eq(name, "/postgres (deleted)"); /* not psql beside it */
    return is_server && stat(link, &theirs) == 0 && stat(server->data, &ours) == 0 && theirs.st_dev == ours.st_dev &&
           theirs.st_ino == ours.st_ino;
}

static void end_orphan(pid_t pid, int pidfd) {
    struct pollfd fd = {.fd = pidfd, .events = POLLIN};
    (void)kill(pid, SIGQUIT);
    if (poll(&fd, 1, ORPHAN_GRACE_MS) == 0) {
        (void)kill(pid, SIGKILL);
        (void)poll(&fd, 1, ORPHAN_GRACE_MS);
    }
}

/* Sessions of a server that was killed: a busy one does not notice, and must not share its files with a new server. */
static void end_sessions(const struct cs_pg_server *server) {
    DIR *processes = opendir("/proc");
    for (const struct dirent *entry = NULL; processes != NULL && (entry = readdir(processes)) != NULL;) {
        int64_t pid = 0;
        if (!cs_parse_i64(entry->d_name, 1, INT32_MAX, &pid) || !is_ours(server, (pid_t)pid)) {
            continue;
        }
        CS_AUTO_FD int pidfd = pidfd_open((pid_t)pid, 0);
        if (pidfd >= 0 && is_ours(server, (pid_t)pid)) {
            end_orphan((pid_t)pid, pidfd);
        }
    }
    if (processes != NULL) {
        (void)closedir(processes);
    }
}

/* postmaster.pid may name a server that outlived its supervisor, or after a power cut any process that has the number
 * now, which would stop PostgreSQL from starting. */
static void clear_leftovers(const struct cs_pg_server *server) {
    char line[32];
    int64_t pid = 0;
    read_line(server->data, "postmaster.pid", line, sizeof(line));
    if (!cs_parse_i64(line, 1, INT32_MAX, &pid)) {
        return;
    }
    CS_AUTO_FD int pidfd = pidfd_open((pid_t)pid, 0);
    if (pidfd >= 0 && is_ours(server, (pid_t)pid)) {
        end_orphan((pid_t)pid, pidfd);
    } else {
        end_sessions(server);
        CS_AUTO_FREE char *path = cs_sprintf("%s/postmaster.pid", server->data);
        (void)unlink(path); /* and with it the mark by which PostgreSQL would notice such sessions itself */
    }
}

/* ---- putting it together ---- */

static enum cs_status find_socket_dir(struct cs_pg_server *server, struct cs_err *err) {
    struct sockaddr_un address;
    cs_str_copy(server->socket_dir, sizeof(server->socket_dir), server->data);
    if (strlen(server->data) + strlen("/.s.PGSQL.5432") < sizeof(address.sun_path)) {
        return CS_OK;
    }
    cs_str_copy(server->link_dir, sizeof(server->link_dir), "/tmp/callsheet-pg-XXXXXX");
    if (mkdtemp(server->link_dir) == NULL) {
        server->link_dir[0] = '\0';
        return cs_fail_errno(err, errno, "making a short path for the database's socket");
    }
    (void)snprintf(server->socket_dir, sizeof(server->socket_dir), "%s/s", server->link_dir);
    if (symlink(server->data, server->socket_dir) != 0) {
        return cs_fail_errno(err, errno, "making a short path for the database's socket");
    }
    return CS_OK;
}

static size_t put_settings(const char **argv, size_t used, const char *const *settings, size_t count) {
    for (size_t i = 0; i < count; i++) {
        argv[used++] = "-c";
        argv[used++] = settings[i];
    }
    return used;
}

static void build_argv(struct cs_pg_server *server) {
    size_t used = 0;
    server->argv[used++] = server->program;
    server->argv[used++] = "-D";
    server->argv[used++] = data_path;
    used = put_settings(server->argv, used, common_settings, CS_COUNT(common_settings));
    used = server->kind == CS_PG_SERVER_DURABLE
               ? put_settings(server->argv, used, durable_settings, CS_COUNT(durable_settings))
               : put_settings(server->argv, used, fast_settings, CS_COUNT(fast_settings));
    server->argv[used] = NULL;
}

enum cs_status cs_pg_server_prepare(const char *directory, enum cs_pg_server_kind kind,
                                    struct cs_pg_server **ret_server, struct cs_err *err) {
    CS_TRY(make_dir(directory, 0755, err));
    CS_AUTO_FREE char *real = realpath(directory, NULL);
    if (real == NULL || strlen(real) + sizeof("/data.new") > PATH_MAX) {
        return cs_fail_errno(err, real == NULL ? errno : ENAMETOOLONG, "%s", directory);
    }
    CS_AUTO(cs_pg_server) *server = cs_alloc(sizeof(*server));
    server->kind = kind;
    server->data_fd = -1;
    (void)snprintf(server->data, sizeof(server->data), "%s/data", real);
    CS_TRY(find_program(server, err));
    CS_TRY(find_user(server, err));
    if (access(server->data, F_OK) == 0) {
        clear_leftovers(server);
    } else {
        CS_TRY(create_data(server, err));
    }
    server->data_fd = open(server->data, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (server->data_fd < 0) {
        return cs_fail_errno(err, errno, "opening %s", server->data);
    }
    CS_TRY(find_socket_dir(server, err));
    build_argv(server);
    server->fd = (struct cs_process_fd){.ours = server->data_fd, .theirs = DATA_FD};
    *ret_server = cs_steal(&server);
    return CS_OK;
}

void cs_pg_server_destroy(struct cs_pg_server *server) {
    if (server == NULL) {
        return;
    }
    if (server->link_dir[0] != '\0') {
        (void)unlink(server->socket_dir);
        (void)rmdir(server->link_dir);
    }
    if (server->data_fd >= 0) {
        (void)close(server->data_fd);
    }
    free(server);
}

struct cs_process_spec cs_pg_server_spec(const struct cs_pg_server *server) {
    return (struct cs_process_spec){
        .argv = server->argv,
        .fds = &server->fd,
        .fd_count = 1,
        .death_signal = SIGQUIT,
        .directory = "/",
        .user = server->user,
        .own_group = true,
        .bare_environment = true, /* it is another user, and our secrets are none of its business */
    };
}

/* ---- talking to it ---- */

void cs_pg_server_url(const struct cs_pg_server *server, const char *database, char ret_url[CS_PG_URL_MAX]) {
    CS_AUTO_BUF url = {0};
    cs_buf_printf(&url, "postgresql://callsheet@/%s?host=", database);
    for (const char *c = server->socket_dir; *c != '\0'; c++) {
        cs_buf_printf(&url,
                      strchr("/-_.", *c) != NULL || (*c >= '0' && *c <= '9') || ((*c | 32) >= 'a' && (*c | 32) <= 'z')
                          ? "%c"
                          : "%%%02X",
                      (unsigned char)*c);
    }
    cs_buf_puts(&url, "&port=5432"); /* the client's environment may say another */
    cs_str_copy(ret_url, CS_PG_URL_MAX, url.data);
}

enum cs_status cs_pg_server_await(const struct cs_pg_server *server, const struct cs_process *process,
                                  int64_t timeout_ms, struct cs_err *err) {
    char url[CS_PG_URL_MAX];
    cs_pg_server_url(server, "postgres", url);
    int64_t deadline_ms = cs_clock_mono_ms() + timeout_ms;
    for (;;) {
        CS_AUTO(cs_pg) *pg = NULL;
        struct cs_err problem = {0};
        if (cs_pg_open(url, NULL, &pg, &problem) == CS_OK) {
            return CS_OK;
        }
        struct pollfd fd = {.fd = process->pidfd, .events = POLLIN};
        if (!cs_process_running(process) || poll(&fd, 1, RETRY_MS) > 0) {
            return cs_fail(err, CS_FAILED_PRECONDITION, "postgres_ended",
                           "PostgreSQL ended while it started; its log says why");
        }
        if (cs_clock_mono_ms() > deadline_ms) {
            return cs_fail(err, CS_DEADLINE_EXCEEDED, "timeout", "PostgreSQL was not ready in %lld ms: %s",
                           (long long)timeout_ms, problem.message);
        }
    }
}

enum cs_status cs_pg_server_database(const struct cs_pg_server *server, const char *name, char ret_url[CS_PG_URL_MAX],
                                     struct cs_err *err) {
    char url[CS_PG_URL_MAX];
    cs_pg_server_url(server, "postgres", url);
    CS_TRY(cs_pg_database_create(url, name, NULL, NULL, err));
    cs_pg_server_url(server, name, ret_url);
    return CS_OK;
}
