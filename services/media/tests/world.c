#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/clock.h"
#include "cs/base/text.h"
#include "cs/test.h"

static bool answer(struct peer_conn *conn, const struct peer_request *request, void *ctx) {
    (void)ctx;
    int64_t status = 0;
    if (cs_str_eq(request->path, "/hang")) {
        peer_hang(conn);
        return false;
    }
    if (cs_str_eq(request->path, "/redirect")) {
        peer_reply(conn, 302, "Location: /hello\r\n", "");
    } else if (cs_parse_i64(request->path + 1, 200, 599, &status)) {
        peer_reply(conn, (int)status, status == 429 ? "Retry-After: 7\r\n" : "", "no");
    } else {
        peer_reply(conn, 200, "", "hello");
    }
    return true;
}

void world_init(struct world *world, const char *runner, bool allow_private) {
    *world = (struct world){0};
    (void)snprintf(world->dir, sizeof(world->dir), "/tmp/med_service_XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    world->storage_dir = cs_sprintf("%s/storage", world->dir);
    world->scratch_dir = cs_sprintf("%s/scratch", world->dir);
    world->config = (struct med_config){
        .listen = "127.0.0.1:0",
        .ready_fd = -1,
        .log_level = "info",
        .drain_timeout_ms = 200,
        .service_token = "sesame",
        .storage = world->storage_dir,
        .scratch_dir = world->scratch_dir,
        .runner = runner,
        .slots = 3,
        .job_threads = 2,
        .job_memory_bytes = INT64_C(8) << 30,
        .gpl_encoders = true,
        .allow_private_targets = allow_private,
    };
}

void world_serve(struct world *world) {
    struct cs_err err = {0};
    assert_ok(cs_storage_open(world->storage_dir, &world->storage, &err), &err);
    world->peer = peer_start(answer, NULL);
    assert_ok(med_app_create(&world->config, &world->app, &err), &err);
    world->dialer = dialer_open(med_app_address(world->app), "sesame");
}

void world_start(struct world *world, const char *runner, bool allow_private) {
    world_init(world, runner, allow_private);
    world_serve(world);
}

void world_end_service(struct world *world) {
    dialer_close(cs_steal(&world->dialer));
    med_app_destroy(cs_steal(&world->app));
}

void world_stop(struct world *world) {
    world_end_service(world);
    peer_stop(world->peer);
    cs_storage_close(world->storage);
    CS_AUTO_FREE char *command = cs_sprintf("rm -rf -- '%s'", world->dir);
    assert_int_equal(system(command), 0);
    free(world->storage_dir);
    free(world->scratch_dir);
}

void world_put(struct world *world, const char *key, const char *content) {
    struct cs_err err = {0};
    assert_ok(cs_storage_put(world->storage, key, content, strlen(content), NULL, &err), &err);
}

void world_put_file(struct world *world, const char *key, const char *path) {
    struct cs_err err = {0};
    CS_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_ok(cs_storage_put_fd(world->storage, key, fd, NULL, &err), &err);
}

void world_assign_init(struct world_assign *made, Callsheet__V1__Operation *operation) {
    callsheet__v1__assign__init(&made->assign);
    made->assign.tenant = (char *)"t1";
    made->assign.execution = (char *)"e1";
    made->assign.job = (char *)"j1";
    made->assign.attempt = 1;
    made->assign.deadline_ms = cs_clock_unix_ms() + 120000;
    made->assign.operation = operation;
    made->assign.inputs = made->input_list;
    made->assign.traceparent = (char *)"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    made->assign.output_prefix = (char *)"test/t1/e1/j1/1/";
}

static Callsheet__V1__ResolvedInput *add_input(struct world_assign *made) {
    size_t at = made->assign.n_inputs++;
    assert_true(at < WORLD_INPUTS_MAX);
    callsheet__v1__resolved_input__init(&made->inputs[at]);
    made->input_list[at] = &made->inputs[at];
    return &made->inputs[at];
}

void world_add_key(struct world_assign *made, const char *key) {
    Callsheet__V1__Artifact *artifact = &made->artifacts[made->assign.n_inputs];
    Callsheet__V1__ResolvedInput *input = add_input(made);
    callsheet__v1__artifact__init(artifact);
    artifact->key = (char *)key;
    input->source_case = CALLSHEET__V1__RESOLVED_INPUT__SOURCE_ARTIFACT;
    input->artifact = artifact;
}

void world_add_url(struct world_assign *made, const char *url) {
    Callsheet__V1__ResolvedInput *input = add_input(made);
    input->source_case = CALLSHEET__V1__RESOLVED_INPUT__SOURCE_URL;
    input->url = (char *)url;
}

enum cs_status world_probe(struct world *world, const char *key, const char *url, Callsheet__V1__ProbeReply **ret_reply,
                           struct cs_err *err) {
    Callsheet__V1__ProbeRequest request = CALLSHEET__V1__PROBE_REQUEST__INIT;
    if (key != NULL) {
        request.source_case = CALLSHEET__V1__PROBE_REQUEST__SOURCE_KEY;
        request.key = (char *)key;
    } else if (url != NULL) {
        request.source_case = CALLSHEET__V1__PROBE_REQUEST__SOURCE_URL;
        request.url = (char *)url;
    }
    CS_AUTO(cs_rpc) *rpc = NULL;
    CS_TRY(cs_rpc_create(&(struct cs_rpc_config){0}, &rpc, err));
    CS_AUTO(cs_rpc_channel) *channel = NULL;
    const struct cs_rpc_channel_config config = {.target = med_app_address(world->app),
                                                 .authorization = "Bearer sesame"};
    CS_TRY(cs_rpc_channel_create(rpc, &config, &channel, err));
    const struct cs_rpc_options options = {.wait_for_ready = true};
    return cs_rpc_invoke(channel, &callsheet__v1__media__descriptor, "Probe", (const ProtobufCMessage *)&request,
                         &options, (ProtobufCMessage **)ret_reply, err);
}

/* ---- processes ---- */

/* Calls count and remembers the last child of a process with all its threads. */
static int children_of(int pid, int *ret_last) {
    CS_AUTO_FREE char *tasks_path = cs_sprintf("/proc/%d/task", pid);
    DIR *tasks = opendir(tasks_path);
    int count = 0;
    for (const struct dirent *entry; tasks != NULL && (entry = readdir(tasks)) != NULL;) {
        CS_AUTO_FREE char *path = cs_sprintf("%s/%s/children", tasks_path, entry->d_name);
        FILE *file = fopen(path, "re");
        while (file != NULL && fscanf(file, "%d", ret_last) == 1) {
            count++;
        }
        if (file != NULL) {
            (void)fclose(file);
        }
    }
    if (tasks != NULL) {
        (void)closedir(tasks);
    }
    return count;
}

int world_child_count(int pid) {
    int last = 0;
    return children_of(pid, &last);
}

int world_runner_pid(void) {
    int last = 0;
    (void)children_of(getpid(), &last);
    return last;
}
