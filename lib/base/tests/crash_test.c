/* Each case in a child, which is what dies. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cs/base/auto.h"
#include "cs/base/crash.h"
#include "cs/test.h"

/* Arms a child and lets it come to the point so often; its wait status. */
static int come_to(const char *at, enum cs_crash_point point, int times) {
    pid_t pid = fork();
    if (pid == 0) {
        bool armed = cs_crash_arm(at, NULL) == CS_OK;
        for (int i = 0; i < times; i++) {
            cs_crash_at(point);
        }
        _exit(armed ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    if (WIFSTOPPED(status)) {
        (void)kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    return status;
}

TEST(a_process_dies_at_the_point_that_it_is_armed_for) {
    int status = come_to("orchestrator.after_commit", CS_CRASH_ORCHESTRATOR_AFTER_COMMIT, 1);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

TEST(it_lives_through_other_points_and_earlier_times) {
    assert_int_equal(come_to("orchestrator.after_commit", CS_CRASH_ORCHESTRATOR_BEFORE_COMMIT, 9), 0);
    assert_int_equal(come_to("media.before_upload:3", CS_CRASH_MEDIA_BEFORE_UPLOAD, 2), 0);
    assert_true(WIFSIGNALED(come_to("media.before_upload:3", CS_CRASH_MEDIA_BEFORE_UPLOAD, 3)));
    assert_int_equal(come_to("", CS_CRASH_MEDIA_BEFORE_UPLOAD, 3), 0);
}

TEST(it_can_be_stopped_instead) {
    int status = come_to("webhooks.before_send:1:stop", CS_CRASH_WEBHOOKS_BEFORE_SEND, 1);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(WSTOPSIG(status), SIGSTOP);
}

TEST(what_is_no_point_is_refused) {
    static const char *const wrong[] = {"nowhere",
                                        "media.before_upload:",
                                        "media.before_upload:0",
                                        "media.before_upload:1:run",
                                        "media.before_upload:1000001",
                                        ":1",
                                        "media.before_upload:1:stop:"};
    for (size_t i = 0; i < CS_COUNT(wrong); i++) {
        struct cs_err err = {0};
        assert_fails(cs_crash_arm(wrong[i], &err), &err, CS_INVALID_ARGUMENT, "bad_setting");
    }
    assert_int_equal(cs_crash_armed, CS_CRASH_NONE);
}

TEST_MAIN(CS_TEST(a_process_dies_at_the_point_that_it_is_armed_for),
          CS_TEST(it_lives_through_other_points_and_earlier_times), CS_TEST(it_can_be_stopped_instead),
          CS_TEST(what_is_no_point_is_refused))
