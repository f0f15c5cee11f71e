#include "local_digest.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { READ_BYTES = 256 * 1024, MEMORY_ROWS = 1024, ATTRIBUTE_MAX = 96 };

static const char attribute[] = "user.callsheet.sha256"; /* "<hex> <size>" */

struct row {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
    char sha256[CS_SHA256_HEX_SIZE];
};

struct cs_local_digests {
    pthread_mutex_t lock;
    /* below: guarded by lock */
    struct row rows[MEMORY_ROWS]; /* an inode has one place */
};

struct cs_local_digests *cs_local_digests_create(void) {
    struct cs_local_digests *digests = cs_alloc(sizeof(*digests));
    (void)pthread_mutex_init(&digests->lock, NULL);
    return digests;
}

void cs_local_digests_destroy(struct cs_local_digests *digests) {
    if (digests != NULL) {
        (void)pthread_mutex_destroy(&digests->lock);
        free(digests);
    }
}

void cs_local_digest_keep(int fd, uint64_t size_bytes, const char sha256[CS_SHA256_HEX_SIZE]) {
    char value[ATTRIBUTE_MAX];
    int length = snprintf(value, sizeof(value), "%s %llu", sha256, (unsigned long long)size_bytes);
    (void)fsetxattr(fd, attribute, value, (size_t)length, 0);
}

static bool read_kept(int fd, off_t size_bytes, char ret_sha256[CS_SHA256_HEX_SIZE]) {
    char value[ATTRIBUTE_MAX] = {0};
    if (fgetxattr(fd, attribute, value, sizeof(value) - 1) < CS_SHA256_HEX_SIZE) {
        return false;
    }
    char expected[ATTRIBUTE_MAX];
    (void)snprintf(expected, sizeof(expected), "%.*s %llu", CS_SHA256_HEX_SIZE - 1, value,
                   (unsigned long long)size_bytes);
    unsigned char digest[CS_SHA256_BYTES];
    value[CS_SHA256_HEX_SIZE - 1] = '\0';
    bool same_size = strcmp(expected + CS_SHA256_HEX_SIZE, value + CS_SHA256_HEX_SIZE) == 0;
    if (!same_size || !cs_hex_parse(value, digest, sizeof(digest))) {
        return false;
    }
    cs_hex_format(digest, sizeof(digest), ret_sha256);
    return true;
}

static struct row *row_of(struct cs_local_digests *digests, const struct stat *facts) {
    return &digests->rows[(size_t)facts->st_ino % MEMORY_ROWS];
}

static bool recall(struct cs_local_digests *digests, const struct stat *facts, char ret_sha256[CS_SHA256_HEX_SIZE]) {
    pthread_mutex_lock(&digests->lock);
    const struct row *row = row_of(digests, facts);
    bool known = row->sha256[0] != '\0' && row->device == facts->st_dev && row->inode == facts->st_ino &&
                 row->size == facts->st_size && row->modified.tv_sec == facts->st_mtim.tv_sec &&
                 row->modified.tv_nsec == facts->st_mtim.tv_nsec;
    if (known) {
        memcpy(ret_sha256, row->sha256, CS_SHA256_HEX_SIZE);
    }
    pthread_mutex_unlock(&digests->lock);
    return known;
}

static void remember(struct cs_local_digests *digests, const struct stat *facts,
                     const char sha256[CS_SHA256_HEX_SIZE]) {
    struct row row = {facts->st_dev, facts->st_ino, facts->st_size, facts->st_mtim, {0}};
    memcpy(row.sha256, sha256, CS_SHA256_HEX_SIZE);
    pthread_mutex_lock(&digests->lock);
    *row_of(digests, facts) = row;
    pthread_mutex_unlock(&digests->lock);
}

enum cs_status cs_local_digest_compute(int fd, char ret_sha256[CS_SHA256_HEX_SIZE], uint64_t *ret_size_bytes,
                                       struct cs_err *err) {
    CS_AUTO_FREE char *block = cs_alloc(READ_BYTES);
    CS_AUTO(cs_sha256) *hash = cs_sha256_create();
    off_t offset = 0;
    for (ssize_t got; (got = pread(fd, block, READ_BYTES, offset)) != 0;) {
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return cs_fail_errno(err, errno, "reading an object of storage");
        }
        cs_sha256_update(hash, block, (size_t)got);
        offset += got;
    }
    unsigned char digest[CS_SHA256_BYTES];
    cs_sha256_final(hash, digest);
    cs_hex_format(digest, sizeof(digest), ret_sha256);
    *ret_size_bytes = (uint64_t)offset;
    return CS_OK;
}

enum cs_status cs_local_digest_info(struct cs_local_digests *digests, int fd, struct cs_object_info *ret_info,
                                    struct cs_err *err) {
    struct stat facts;
    if (fstat(fd, &facts) != 0) {
        return cs_fail_errno(err, errno, "reading facts of an object");
    }
    struct cs_object_info info = {
        .size_bytes = (uint64_t)facts.st_size,
        .modified_unix_ms = (int64_t)facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1000000,
    };
    if (!read_kept(fd, facts.st_size, info.sha256) && !recall(digests, &facts, info.sha256)) {
        CS_TRY(cs_local_digest_compute(fd, info.sha256, &info.size_bytes, err));
        cs_local_digest_keep(fd, info.size_bytes, info.sha256);
        remember(digests, &facts, info.sha256);
    }
    *ret_info = info;
    return CS_OK;
}
