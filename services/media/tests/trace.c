#include "trace.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cs/base/auto.h"
#include "cs/base/text.h"
#include "cs/test.h"

/* Nothing new can be reached through these; whatever is not among them is looked at, known or not. */
static const char unseen[] = "brk,madvise,mmap,mprotect,mremap,munmap,"                         /* memory */
                             "futex,sched_yield,clock_nanosleep,clock_gettime,nanosleep,"       /* locks, time */
                             "rt_sigaction,rt_sigprocmask,"                                     /* signals of its own */
                             "close,fstat,lseek,pread64,pwrite64,read,readv,write,writev,poll"; /* open descriptors */

const char *trace_command(struct cs_arena *arena, const char *dir, const char *command) {
    return cs_arena_sprintf(arena, "strace -ff -o '%s/trace' -s 4096 -e trace='!%s' %s", dir, unseen, command);
}

const char *trace_program(struct cs_arena *arena, const char *dir, const char *program) {
    const char *path = cs_arena_sprintf(arena, "%s.sh", dir);
    FILE *script = fopen(path, "we");
    assert_non_null(script);
    assert_true(fprintf(script, "#!/bin/sh\nexec %s\n", trace_command(arena, dir, program)) > 0);
    assert_int_equal(fclose(script), 0);
    assert_int_equal(chmod(path, 0700), 0);
    return path;
}

/* ---- files, one for each thread ---- */

enum { TASKS_MAX = 8192 };

struct task {
    long pid;
    bool visited;
    char *text;
};

struct reader {
    struct cs_arena *arena;
    struct task tasks[TASKS_MAX];
    size_t task_count;
    size_t capacity;
    struct trace trace;
};

static char *read_text(struct cs_arena *arena, const char *path) {
    FILE *file = fopen(path, "re");
    struct stat facts;
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &facts), 0);
    size_t size = (size_t)facts.st_size;
    char *text = cs_arena_alloc(arena, size + 1);
    assert_int_equal(fread(text, 1, size, file), size);
    text[size] = '\0';
    (void)fclose(file);
    return text;
}

static void read_tasks(struct reader *reader, const char *path) {
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (!cs_str_starts(entry->d_name, "trace.")) {
            continue;
        }
        assert_true(reader->task_count < TASKS_MAX);
        reader->tasks[reader->task_count++] = (struct task){
            .pid = strtol(entry->d_name + strlen("trace."), NULL, 10),
            .text = read_text(reader->arena, cs_arena_sprintf(reader->arena, "%s/%s", path, entry->d_name)),
        };
    }
    (void)closedir(dir);
}

static struct task *find_task(struct reader *reader, long pid) {
    for (size_t i = 0; i < reader->task_count; i++) {
        if (reader->tasks[i].pid == pid) {
            return &reader->tasks[i];
        }
    }
    fail_msg("strace wrote nothing of process %ld", pid);
    return NULL;
}

/* ---- lines ---- */

/* openat(AT_FDCWD, "/dev/null", O_RDWR) = 3 */
static bool parse_call(char *line, struct trace_call *ret_call) {
    char *open = strchr(line, '(');
    char *result = NULL;
    for (char *at = line; (at = strstr(at, " = ")) != NULL; at++) {
        result = at;
    }
    if (open == NULL || line[0] == '+' || line[0] == '-') {
        return false;
    }
    *open = '\0';
    if (result != NULL) {
        *result = '\0';
    }
    *ret_call = (struct trace_call){.name = line, .arguments = open + 1, .result = result != NULL ? result + 3 : "?"};
    return true;
}

/* +++ exited with 0 +++ */
static bool parse_end(char *line, struct trace_call *ret_call) {
    char *tail = strstr(line, " +++");
    if (!cs_str_starts(line, "+++ ") || tail == NULL) {
        return false;
    }
    *tail = '\0';
    *ret_call = (struct trace_call){.name = "", .arguments = line + strlen("+++ "), .result = "?"};
    return true;
}

static void append(struct reader *reader, const struct trace_call *call) {
    struct trace *trace = &reader->trace;
    if (trace->count == reader->capacity) {
        size_t more = reader->capacity == 0 ? 1024 : reader->capacity * 2;
        struct trace_call *calls = cs_arena_array(reader->arena, more, sizeof(*calls));
        if (trace->count > 0) {
            memcpy(calls, trace->calls, trace->count * sizeof(*calls));
        }
        trace->calls = calls;
        reader->capacity = more;
    }
    trace->calls[trace->count++] = *call;
}

static bool installs_filter(const struct trace_call *call) {
    return cs_str_eq(call->name, "seccomp") && cs_str_starts(call->arguments, "SECCOMP_SET_MODE_FILTER,") &&
           cs_str_eq(call->result, "0");
}

/* The thread or process that it made; 0: none. */
static long made_by(const struct trace_call *call) {
    static const char *const makers[] = {"clone", "clone3", "fork", "vfork"};
    for (size_t i = 0; i < CS_COUNT(makers); i++) {
        if (cs_str_eq(call->name, makers[i])) {
            long pid = strtol(call->result, NULL, 10);
            return pid > 0 ? pid : 0;
        }
    }
    return 0;
}

/* ---- who came of whom ---- */

static struct task *find_root(struct reader *reader) {
    for (size_t i = 0; i < reader->task_count; i++) {
        if (cs_str_starts(reader->tasks[i].text, "execve(")) {
            return &reader->tasks[i];
        }
    }
    fail_msg("strace saw no program start: is it allowed to trace here?");
    return NULL;
}

/* What strace followed is a tree; threads that make threads are few levels deep. */
// NOLINTNEXTLINE(misc-no-recursion)
static void visit(struct reader *reader, struct task *task, size_t process, bool inside) {
    bool ended = false;
    char *next = NULL;
    if (task->visited) {
        fail_msg("process %ld was seen twice", task->pid);
    }
    task->visited = true;
    for (char *line = strtok_r(task->text, "\n", &next); line != NULL; line = strtok_r(NULL, "\n", &next)) {
        struct trace_call call;
        if (parse_end(line, &call)) {
            ended = true;
        } else if (!parse_call(line, &call)) {
            continue;
        }
        if (cs_str_starts(next, "+++ killed by SIGSYS")) {
            call.result = "?"; /* there is none, whatever number strace found */
        }
        call.inside = inside;
        call.process = process;
        append(reader, &call);
        if (!inside && installs_filter(&call)) {
            inside = true;
            reader->trace.filtered++;
        }
        if (made_by(&call) != 0) {
            bool own = process == 0 && strstr(call.arguments, "CLONE_THREAD") == NULL;
            size_t of = own ? ++reader->trace.processes : process;
            visit(reader, find_task(reader, made_by(&call)), of, inside);
        }
    }
    if (!ended) {
        fail_msg("strace did not see the end of process %ld", task->pid);
    }
}

struct trace trace_read(struct cs_arena *arena, const char *dir) {
    struct reader *reader = cs_arena_alloc(arena, sizeof(*reader));
    memset(reader, 0, sizeof(*reader));
    reader->arena = arena;
    read_tasks(reader, dir);
    visit(reader, find_root(reader), 0, false);
    for (size_t i = 0; i < reader->task_count; i++) {
        if (!reader->tasks[i].visited) {
            fail_msg("nobody started process %ld", reader->tasks[i].pid);
        }
    }
    return reader->trace;
}

const struct trace_call *trace_find(const struct trace *trace, const char *name, const char *argument) {
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_call *call = &trace->calls[i];
        if (cs_str_eq(call->name, name) && strstr(call->arguments, argument) != NULL && call->result[0] != '-') {
            return call;
        }
    }
    return NULL;
}
