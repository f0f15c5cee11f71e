/* What processes have used, from /proc. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "stack.h"

struct times {
    long parent;
    double own_s;
    double reaped_s; /* of children that have ended */
};

static bool read_times(long pid, struct times *ret_times) {
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    unsigned long user = 0;
    unsigned long system = 0;
    long reaped_user = 0;
    long reaped_system = 0;
    int got = fscanf(file, "%*d (%*[^)]) %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
                     &ret_times->parent, &user, &system, &reaped_user, &reaped_system);
    (void)fclose(file);
    double ticks = (double)sysconf(_SC_CLK_TCK);
    ret_times->own_s = (double)(user + system) / ticks;
    ret_times->reaped_s = (double)(reaped_user + reaped_system) / ticks;
    return got == 5;
}

static double own_s(const struct cs_process *process) {
    struct times times = {0};
    return process->pid != 0 && read_times(process->pid, &times) ? times.own_s : 0;
}

static double with_children_s(const struct cs_process *process) {
    struct times times = {0};
    if (process->pid == 0 || !read_times(process->pid, &times)) {
        return 0;
    }
    double sum_s = times.own_s + times.reaped_s;
    DIR *directory = opendir("/proc");
    const struct dirent *found = NULL;
    while (directory != NULL && (found = readdir(directory)) != NULL) {
        if (isdigit((unsigned char)found->d_name[0]) && read_times(strtol(found->d_name, NULL, 10), &times) &&
            times.parent == process->pid) {
            sum_s += times.own_s + times.reaped_s;
        }
    }
    (void)closedir(directory);
    return sum_s;
}

static double client_s(void) {
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct stack_cpu stack_cpu(const struct stack *stack) {
    struct stack_cpu cpu = {
        .engine = own_s(&stack->orchestrator.process),
        .postgres = with_children_s(&stack->postgres),
        .client = client_s(),
    };
    for (int i = 0; i < STACK_WORKERS; i++) {
        cpu.workers += own_s(&stack->workers[i].process);
    }
    return cpu;
}

int64_t stack_rss_bytes(const struct stack *stack) {
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)stack->orchestrator.process.pid);
    FILE *file = fopen(path, "re");
    long pages = 0;
    if (file != NULL) {
        if (fscanf(file, "%*d %ld", &pages) != 1) {
            pages = 0;
        }
        (void)fclose(file);
    }
    return pages * sysconf(_SC_PAGESIZE);
}
