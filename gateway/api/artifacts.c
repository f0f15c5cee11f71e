#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/api.h"
#include "api/errors.h"
#include "cs/base/clock.h"
#include "cs/base/log.h"
#include "cs/base/text.h"
#include "cs/catalog.h"
#include "cs/link.h"
#include "http/range.h"

enum { ETAG_SIZE = CS_SHA256_HEX_SIZE + 2 };

static enum cs_status fail_not_found(struct cs_err *err) {
    return cs_fail(err, CS_NOT_FOUND, "no_such_artifact", "Artifact not found");
}

/* {env}/{tenant}/… */
static bool key_is_of(const char *key, const char *tenant) {
    const char *slash = strchr(key, '/');
    size_t length = strlen(tenant);
    return slash != NULL && strncmp(slash + 1, tenant, length) == 0 && slash[1 + length] == '/';
}

/* path: a key, or the link of a folder with a key in it. */
static const char *key_in(const char *path) {
    const char *key = cs_link_folder_key(path);
    return key != NULL ? key : path;
}

/* By the link's signature, or because the caller's tenant owns the object. Somebody else's does not exist. */
static enum cs_status may_read(struct gw_api *api, struct gw_request *request, const char *path, struct cs_err *err) {
    const char *signature = gw_request_query(request, "signature");
    const char *key = key_in(path);
    const char *tenant = NULL;
    if (!cs_storage_key_valid(key)) {
        return fail_not_found(err);
    }
    if (key != path) {
        return cs_link_folder_check(api->link_secret, path, cs_clock_unix_ms() / 1000, err);
    }
    if (signature != NULL) {
        return cs_link_check(api->link_secret, key, gw_request_query(request, "expires"), signature,
                             cs_clock_unix_ms() / 1000, err);
    }
    CS_TRY(gw_auth_tenant(api->auth, gw_request_header(request, "Authorization"),
                          gw_request_header(request, "X-Api-Key"), &tenant, err));
    gw_request_set_tenant(request, tenant);
    return key_is_of(key, tenant) ? CS_OK : fail_not_found(err);
}

static void put_headers(struct gw_request *request, const char *key, const struct cs_object_info *info,
                        const char *etag) {
    const time_t modified_s = (time_t)(info->modified_unix_ms / 1000);
    struct tm utc;
    char modified[64] = "";
    if (gmtime_r(&modified_s, &utc) != NULL &&
        strftime(modified, sizeof(modified), "%a, %d %b %Y %H:%M:%S GMT", &utc) != 0) {
        gw_answer_header(request, "Last-Modified", modified);
    }
    gw_answer_header(request, "Content-Type", cs_catalog_content_type(key));
    gw_answer_header(request, "ETag", etag);
    gw_answer_header(request, "Accept-Ranges", "bytes");
    gw_answer_header(request, "Cache-Control", "private, max-age=31536000, immutable");
    gw_answer_header(request, "Content-Security-Policy", "default-src 'none'; sandbox");
}

static void answer_part(struct gw_request *request, int fd, const struct gw_range *range, uint64_t size) {
    char text[80];
    (void)snprintf(text, sizeof(text), "bytes %llu-%llu/%llu", (unsigned long long)range->offset,
                   (unsigned long long)(range->offset + range->size - 1), (unsigned long long)size);
    gw_answer_header(request, "Content-Range", text);
    gw_answer_file(request, 206, fd, range->offset, range->size);
}

static void answer_unsatisfiable(struct gw_request *request, uint64_t size) {
    struct cs_err err = {0};
    char text[48];
    (void)snprintf(text, sizeof(text), "bytes */%llu", (unsigned long long)size);
    gw_answer_header(request, "Content-Range", text);
    (void)cs_fail(&err, CS_OUT_OF_RANGE, "bad_range", "the object has %llu bytes", (unsigned long long)size);
    gw_answer_error(request, &err);
}

static void answer_object(struct gw_request *request, const char *key, int fd, const struct cs_object_info *info) {
    char etag[ETAG_SIZE];
    (void)snprintf(etag, sizeof(etag), "\"%s\"", info->sha256);
    const char *if_range = gw_request_header(request, "If-Range");
    bool range_wanted = strcmp(gw_request_method(request), "GET") == 0 &&
                        (if_range == NULL || strcmp(if_range, etag) == 0); /* a date is not strong enough */
    struct gw_range range = gw_range_parse(range_wanted ? gw_request_header(request, "Range") : NULL, info->size_bytes);
    if (gw_etag_listed(gw_request_header(request, "If-None-Match"), etag)) {
        put_headers(request, key, info, etag);
        gw_answer_file(request, 304, fd, 0, info->size_bytes); /* its length is told, not sent */
    } else if (range.kind == GW_RANGE_UNSATISFIABLE) {
        (void)close(fd);
        answer_unsatisfiable(request, info->size_bytes);
    } else if (range.kind == GW_RANGE_PART) {
        put_headers(request, key, info, etag);
        answer_part(request, fd, &range, info->size_bytes);
    } else {
        put_headers(request, key, info, etag);
        gw_answer_file(request, 200, fd, 0, info->size_bytes);
    }
}

/* Why a storage fails is for the log: it tells where the storage is. */
static enum cs_status open_object(const struct gw_api *api, const char *key, int *ret_fd,
                                  struct cs_object_info *ret_info, struct cs_err *err) {
    struct cs_err problem = {0};
    enum cs_status status = cs_storage_open_fd(api->storage, key, ret_fd, ret_info, &problem);
    if (status == CS_OK) {
        return CS_OK;
    }
    if (status == CS_NOT_FOUND) {
        return fail_not_found(err);
    }
    cs_log_warn("an artifact was not opened", CS_KV("key", key), CS_KVE(&problem));
    return cs_fail(err, CS_UNAVAILABLE, "storage_failed", "the artifact cannot be read now; try again");
}

void gw_handle_artifact(struct gw_api *api, struct gw_request *request, const char *arg) {
    const char *key = key_in(arg);
    struct cs_object_info info = {0};
    struct cs_err err = {0};
    int fd = -1;
    enum cs_status status = may_read(api, request, arg, &err);
    if (status == CS_OK) {
        status = open_object(api, key, &fd, &info, &err);
    }
    if (status != CS_OK) {
        gw_answer_error(request, &err);
        return;
    }
    answer_object(request, key, fd, &info);
}
