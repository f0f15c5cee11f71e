/* staging: the inputs of a generation, as descriptors or as URLs, as the adapter wants them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cs/base/text.h"
#include "cs/crypto.h"
#include "engine/gen.h"

enum {
    FETCH_IDLE_MS = 30000,
    FETCH_REDIRECTS_MAX = 3,
};

static const double staging_share = 0.02;

/* ---- objects of storage, on the pool ---- */

static enum cs_status read_whole(int fd, uint64_t size, struct cs_buf *out, struct cs_err *err) {
    CS_AUTO_FREE char *bytes = cs_alloc((size_t)size + 1);
    size_t have = 0;
    while (have < size) {
        ssize_t got = pread(fd, bytes + have, (size_t)size - have, (off_t)have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return cs_fail_errno(err, got == 0 ? EIO : errno, "reading an input");
        }
        have += (size_t)got;
    }
    cs_base64_format(bytes, (size_t)size, out);
    return CS_OK;
}

static enum cs_status data_url(const Callsheet__V1__Artifact *artifact, int fd, const struct cs_object_info *info,
                               char **ret_url, struct cs_err *err) {
    if (info->size_bytes > PRV_DATA_URL_BYTES_MAX) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "input_too_big",
                       "this provider takes an input of an earlier job only up to %d bytes; give it as a URL",
                       PRV_DATA_URL_BYTES_MAX);
    }
    CS_AUTO_BUF text = {0};
    const char *type = artifact->content_type[0] != '\0' ? artifact->content_type : "application/octet-stream";
    cs_buf_printf(&text, "data:%s;base64,", type);
    CS_TRY(read_whole(fd, info->size_bytes, &text, err));
    *ret_url = cs_buf_steal(&text);
    return CS_OK;
}

static enum cs_status open_artifact(struct gen *gen, size_t at, const Callsheet__V1__Artifact *artifact,
                                    struct cs_err *err) {
    struct cs_object_info info;
    CS_AUTO_FD int fd = -1;
    enum cs_status status = cs_storage_open_fd(prv_engine_config(gen->engine)->storage, artifact->key, &fd, &info, err);
    if (status == CS_NOT_FOUND) {
        return cs_fail(err, CS_INVALID_ARGUMENT, "input_not_found", "an input is not in the storage any more");
    }
    CS_TRY(status);
    if (gen->provider->adapter->takes_files) {
        gen->files[at] = cs_steal_fd(&fd);
        return CS_OK;
    }
    return data_url(artifact, fd, &info, &gen->urls[at], err);
}

static enum cs_status open_all(struct gen *gen, struct cs_err *err) {
    for (size_t i = 0; i < gen->input_count; i++) {
        const Callsheet__V1__ResolvedInput *input = gen->assign->inputs[i];
        if (input->source_case == CALLSHEET__V1__RESOLVED_INPUT__SOURCE_ARTIFACT) {
            CS_TRY(open_artifact(gen, i, input->artifact, err));
        } else if (input->source_case != CALLSHEET__V1__RESOLVED_INPUT__SOURCE_URL) {
            return cs_fail(err, CS_INVALID_ARGUMENT, "input_not_found", "input %zu has no source", i + 1);
        } else if (!gen->provider->adapter->takes_files) {
            gen->urls[i] = cs_strdup(input->url);
        }
    }
    return CS_OK;
}

static void open_artifacts(struct gen *gen) {
    gen->io_status = open_all(gen, &gen->io_err);
}

/* ---- URLs, on the loop, one after the other ---- */

static void fetch_next(struct gen *gen);

static enum cs_status fetch_result(const struct cs_http_answer *answer, const struct cs_err *err,
                                   struct cs_err *ret_err) {
    if (err != NULL) {
        *ret_err = *err;
        return err->status;
    }
    if (answer->status == 200) {
        return CS_OK;
    }
    char code[32];
    (void)snprintf(code, sizeof(code), "http_%d", answer->status);
    bool again = answer->status == 429 || answer->status == 408 || answer->status >= 500;
    (void)cs_fail(ret_err, again ? CS_UNAVAILABLE : CS_INVALID_ARGUMENT, code, "the server of an input answered %d",
                  answer->status);
    ret_err->retry_after_ms = answer->retry_after_ms;
    return ret_err->status;
}

static void on_fetched(const struct cs_http_answer *answer, const struct cs_err *err, void *user) {
    struct gen *gen = user;
    struct cs_err own = {0};
    gen->in_flight--;
    gen->request = 0;
    if (fetch_result(answer, err, &own) != CS_OK) {
        prv_gen_refuse(gen, PRV_REFUSED, prv_failure_from_err(&own));
        return;
    }
    gen->staged++;
    fetch_next(gen);
}

/* A file without a name: it goes with its descriptor. */
static enum cs_status scratch_file(const char *dir, int *ret_fd, struct cs_err *err) {
    CS_AUTO_FREE char *path = cs_sprintf("%s/input-XXXXXX", dir);
    *ret_fd = mkostemp(path, O_CLOEXEC);
    if (*ret_fd < 0) {
        return cs_fail_errno(err, errno, "making a scratch file");
    }
    (void)unlink(path);
    return CS_OK;
}

static void fetch(struct gen *gen, size_t at) {
    const struct prv_engine_config *config = prv_engine_config(gen->engine);
    struct cs_http_policy policy = {
        .allow_http = true, .allow_private = config->allow_private_targets, .redirects_max = FETCH_REDIRECTS_MAX};
    struct cs_err err = {0};
    if (scratch_file(config->scratch_dir, &gen->files[at], &err) != CS_OK) {
        prv_gen_refuse(gen, PRV_REFUSED, prv_failure_from_err(&err));
        return;
    }
    struct cs_http_request request = {
        .url = gen->assign->inputs[at]->url,
        .timeout_ms = -1,
        .idle_timeout_ms = FETCH_IDLE_MS,
        .answer_bytes_max = PRV_INPUT_BYTES_MAX,
        .answer_fd = gen->files[at],
        .guard = &policy,
    };
    gen->in_flight++;
    gen->request = cs_http_start(config->http, &request, on_fetched, gen);
}

static void fetch_next(struct gen *gen) {
    bool files = gen->provider->adapter->takes_files;
    while (gen->staged < gen->input_count && (!files || gen->files[gen->staged] >= 0)) {
        gen->staged++;
    }
    if (gen->task.stop == PRV_STOP_NONE && gen->staged < gen->input_count) {
        prv_gen_progress(gen, "fetching", staging_share * (double)gen->staged / (double)gen->input_count);
        fetch(gen, gen->staged);
        return;
    }
    prv_gen_feed(gen, gen->task.unclear ? PRV_UNCLEAR : PRV_STAGED);
}

static void artifacts_open(struct gen *gen) {
    if (gen->io_status != CS_OK) {
        prv_gen_refuse(gen, PRV_REFUSED, prv_failure_from_err(&gen->io_err));
        return;
    }
    fetch_next(gen);
}

void prv_stage_start(struct gen *gen) {
    gen->input_count = gen->assign->n_inputs;
    gen->files = cs_alloc_array(gen->input_count + 1, sizeof(*gen->files));
    gen->urls = cs_alloc_array(gen->input_count + 1, sizeof(*gen->urls));
    for (size_t i = 0; i < gen->input_count; i++) {
        gen->files[i] = -1;
    }
    prv_gen_block(gen, open_artifacts, artifacts_open);
}

void prv_stage_fini(struct gen *gen) {
    for (size_t i = 0; gen->files != NULL && i < gen->input_count; i++) {
        if (gen->files[i] >= 0) {
            (void)close(gen->files[i]);
        }
        free(gen->urls[i]);
    }
    free(gen->files);
    free(gen->urls);
}
