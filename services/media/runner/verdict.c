#include "verdict.h"

#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

#include "cs/base/auto.h"

struct row {
    int signal; /* 0: any other */
    Callsheet__V1__FailureClass failure_class;
    const char *code;
    const char *message;
};

#define CLASS(name) CALLSHEET__V1__FAILURE_CLASS__FAILURE_CLASS_##name

static const char crashed[] = "decoding the input crashed; it is damaged or made to do so";

static const struct row rows[] = {
    {SIGSYS, CLASS(INTERNAL), "sandbox_violation", "the media process tried something that its sandbox forbids"},
    {SIGKILL, CLASS(TRANSIENT), "resource_limit", "the media process was killed by the system, likely out of memory"},
    {SIGXCPU, CLASS(INVALID_INPUT), "resource_limit", "the job needs more processor time than a job may use"},
    {SIGXFSZ, CLASS(INVALID_INPUT), "resource_limit", "the output is larger than an output may be"},
    {SIGSEGV, CLASS(INVALID_INPUT), "decoder_crashed", crashed},
    {SIGBUS, CLASS(INVALID_INPUT), "decoder_crashed", crashed},
    {SIGFPE, CLASS(INVALID_INPUT), "decoder_crashed", crashed},
    {SIGILL, CLASS(INVALID_INPUT), "decoder_crashed", crashed},
    {SIGABRT, CLASS(INVALID_INPUT), "decoder_crashed", crashed},
    {0, CLASS(INTERNAL), "child_lost", "the media process ended without a report"},
};

static void fill(const struct row *row, Callsheet__V1__Failed *ret_failed) {
    callsheet__v1__failed__init(ret_failed);
    ret_failed->failure_class = row->failure_class;
    ret_failed->code = (char *)row->code;
    ret_failed->message = (char *)row->message;
}

bool med_verdict(int wait_status, bool killed, Callsheet__V1__Failed *ret_failed) {
    static const struct row cancelled = {SIGKILL, CLASS(CANCELLED), "killed", "the job was stopped"};
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == MED_CHILD_REPORTED) {
        return true;
    }
    int number = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    const struct row *row = rows;
    while (row->signal != number && row->signal != 0) {
        row++;
    }
    fill(killed && number == SIGKILL ? &cancelled : row, ret_failed);
    return false;
}
