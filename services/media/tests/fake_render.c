/*
 * A stand-in for the render library: a Noop's payload, or the text of subtitles, says what the child does, most of it
 * what an attacker would try.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cs/base/auto.h"
#include "cs/runner_wire.h"
#include "runner/render.h"

enum { HUGE_BYTES = 1 << 30 };

struct context {
    const Callsheet__V1__RunnerJob *job;
    const int *inputs;
    const int *outputs;
    const struct med_render_events *events;
    struct cs_err *err;
};

enum cs_status med_render_warm_up(struct cs_err *err) {
    (void)err;
    return CS_OK;
}

void med_render_failed(const struct cs_err *err, Callsheet__V1__Failed *ret_failed) {
    ret_failed->failure_class = CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_INVALID_INPUT;
    ret_failed->code = (char *)err->reason;
    ret_failed->message = (char *)err->message;
}

/* The job fails with the errno's name as code when the call is refused, so that a test sees which refusal it was. */
static enum cs_status expect_refused(struct context *context, long result) {
    if (result >= 0) {
        return CS_OK;
    }
    const char *name = errno == EPERM    ? "eperm"
                       : errno == EACCES ? "eacces"
                       : errno == ENOSYS ? "enosys"
                       : errno == EBADF  ? "ebadf"
                                         : "other";
    return cs_fail(context->err, CS_INVALID_ARGUMENT, name, "refused");
}

static enum cs_status copy(struct context *context) {
    for (size_t i = 0; i < context->job->n_outputs; i++) {
        char bytes[4096];
        ssize_t got = pread(context->inputs[i % context->job->inputs], bytes, sizeof(bytes), 0);
        if (got < 0 || pwrite(context->outputs[i], bytes, (size_t)got, 0) != got) {
            return cs_fail_errno(context->err, errno, "copying");
        }
    }
    return CS_OK;
}

static enum cs_status spin(struct context *context) {
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    progress.stage = (char *)"rendering";
    progress.fraction = 0.5;
    context->events->progress(&progress, context->events->user);
    volatile bool forever = true;
    while (forever) {
    }
    return CS_OK;
}

static void *thread_main(void *ctx) {
    return ctx;
}

static enum cs_status run_thread(struct context *context) {
    pthread_t thread;
    void *result = NULL;
    if (pthread_create(&thread, NULL, thread_main, context) != 0 || pthread_join(thread, &result) != 0 ||
        result != context) {
        return cs_fail(context->err, CS_INTERNAL, "no_thread", "no thread");
    }
    return CS_OK;
}

static enum cs_status try_socket(struct context *context) {
    return expect_refused(context, socket(AF_INET, SOCK_STREAM, 0));
}

static enum cs_status try_open(struct context *context) {
    return expect_refused(context, open("/etc/passwd", O_RDONLY));
}

static enum cs_status try_create(struct context *context) {
    return expect_refused(context, open("new", O_WRONLY | O_CREAT, 0600));
}

static enum cs_status try_openat2(struct context *context) {
    return expect_refused(context, syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", NULL, 0));
}

static enum cs_status try_stat(struct context *context) {
    struct stat facts;
    return expect_refused(context, stat("/etc/passwd", &facts));
}

static enum cs_status try_code_page(struct context *context) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return expect_refused(context, page == MAP_FAILED ? -1 : 0);
}

static enum cs_status try_clone3(struct context *context) {
    return expect_refused(context, syscall(SYS_clone3, NULL, 0));
}

static enum cs_status try_raise_limit(struct context *context) {
    return expect_refused(context, prctl(PR_SET_DUMPABLE, 1));
}

static enum cs_status try_exec(struct context *context) {
    char *const argv[] = {(char *)"/bin/true", NULL};
    return expect_refused(context, execv(argv[0], argv));
}

static enum cs_status try_fork(struct context *context) {
    return expect_refused(context, syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static enum cs_status try_ptrace(struct context *context) {
    return expect_refused(context, syscall(SYS_ptrace, 0, 0, 0, 0));
}

static enum cs_status try_kill_parent(struct context *context) {
    return expect_refused(context, kill(1, 0));
}

static enum cs_status try_write_input(struct context *context) {
    return expect_refused(context, pwrite(context->inputs[0], "x", 1, 0));
}

static enum cs_status try_io_uring(struct context *context) {
    return expect_refused(context, syscall(SYS_io_uring_setup, 1, NULL));
}

static enum cs_status crash(struct context *context) {
    (void)context;
    (void)signal(SIGSEGV, SIG_DFL);
    (void)raise(SIGSEGV);
    return CS_OK;
}

static enum cs_status write_too_much(struct context *context) {
    if (ftruncate(context->outputs[0], 1 << 20) != 0) {
        return cs_fail_errno(context->err, errno, "growing");
    }
    return CS_OK;
}

static enum cs_status eat_memory(struct context *context) {
    for (size_t i = 0; i < 64; i++) {
        void *memory = mmap(NULL, HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            return cs_fail(context->err, CS_UNAVAILABLE, "out_of_memory", "out of memory");
        }
    }
    return CS_OK;
}

static enum cs_status leave_silently(struct context *context) {
    (void)context;
    _exit(0);
}

/* The report pipe is the lowest descriptor above the job's files. */
static int report_pipe(const struct context *context) {
    int highest = STDERR_FILENO;
    for (size_t i = 0; i < context->job->inputs; i++) {
        highest = context->inputs[i] > highest ? context->inputs[i] : highest;
    }
    for (size_t i = 0; i < context->job->n_outputs; i++) {
        highest = context->outputs[i] > highest ? context->outputs[i] : highest;
    }
    return highest + 1;
}

static enum cs_status send_garbage(struct context *context) {
    static const char garbage[] = "\x05\x00\x00\x00\xFF\xFF\xFF\xFF\xFF";
    ssize_t ignored = write(report_pipe(context), garbage, sizeof(garbage) - 1);
    (void)ignored;
    return spin(context);
}

static enum cs_status send_huge_frame(struct context *context) {
    static const uint32_t size_bytes = UINT32_MAX;
    ssize_t ignored = write(report_pipe(context), &size_bytes, sizeof(size_bytes));
    (void)ignored;
    return spin(context);
}

static enum cs_status send_bad_text(struct context *context) {
    Callsheet__V1__Progress progress = CALLSHEET__V1__PROGRESS__INIT;
    progress.stage = (char *)"\xFF\xFE";
    context->events->progress(&progress, context->events->user);
    return CS_OK;
}

static const struct {
    const char *name;
    enum cs_status (*run)(struct context *context);
} tricks[] = {
    {"copy", copy},
    {"spin", spin},
    {"thread", run_thread},
    {"socket", try_socket},
    {"open", try_open},
    {"create", try_create},
    {"openat2", try_openat2},
    {"stat", try_stat},
    {"code_page", try_code_page},
    {"clone3", try_clone3},
    {"prctl", try_raise_limit},
    {"exec", try_exec},
    {"fork", try_fork},
    {"ptrace", try_ptrace},
    {"kill_parent", try_kill_parent},
    {"io_uring", try_io_uring},
    {"write_input", try_write_input},
    {"crash", crash},
    {"write_too_much", write_too_much},
    {"eat_memory", eat_memory},
    {"leave_silently", leave_silently},
    {"garbage", send_garbage},
    {"huge_frame", send_huge_frame},
    {"bad_text", send_bad_text},
};

static enum cs_status run_trick(struct context *context, const void *name, size_t size_bytes) {
    for (size_t i = 0; i < CS_COUNT(tricks); i++) {
        if (strlen(tricks[i].name) == size_bytes && memcmp(tricks[i].name, name, size_bytes) == 0) {
            return tricks[i].run(context);
        }
    }
    return cs_fail(context->err, CS_INVALID_ARGUMENT, "unknown_trick", "unknown trick");
}

static enum cs_status run_task(struct context *context) {
    const Callsheet__V1__Operation *operation = context->job->render;
    if (context->job->task_case == CALLSHEET__V1__RUNNER_JOB__TASK_PROBE) {
        return CS_OK;
    }
    if (operation->params_case == CALLSHEET__V1__OPERATION__PARAMS_ADD_SUBTITLES) {
        return run_trick(context, operation->add_subtitles->text, strlen(operation->add_subtitles->text));
    }
    return run_trick(context, operation->noop->payload.data, operation->noop->payload.len);
}

enum cs_status med_render_prepare(__attribute__((unused)) const Callsheet__V1__RunnerJob *job,
                                  __attribute__((unused)) struct cs_err *err) {
    return CS_OK;
}

enum cs_status med_render_run(const Callsheet__V1__RunnerJob *job, const int *input_fds, const int *output_fds,
                              const struct med_render_events *events, Callsheet__V1__RunnerDone **ret_done,
                              struct cs_arena *arena, struct cs_err *err) {
    struct context context = {job, input_fds, output_fds, events, err};
    CS_TRY(run_task(&context));
    Callsheet__V1__RunnerDone *done = cs_arena_alloc(arena, sizeof(*done));
    callsheet__v1__runner_done__init(done);
    done->n_outputs = job->task_case == CALLSHEET__V1__RUNNER_JOB__TASK_PROBE ? 1 : job->n_outputs;
    done->outputs = cs_arena_array(arena, done->n_outputs, sizeof(*done->outputs));
    for (size_t i = 0; i < done->n_outputs; i++) {
        done->outputs[i] = cs_arena_alloc(arena, sizeof(**done->outputs));
        callsheet__v1__media_facts__init(done->outputs[i]);
        done->outputs[i]->type = CALLSHEET__V1__MEDIA_TYPE__MEDIA_TYPE_VIDEO;
        done->outputs[i]->container = (char *)"fake";
    }
    *ret_done = done;
    return CS_OK;
}
