#include "cs/storage.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

#include "cs/base/text.h"
#include "cs/test.h"

static const char hello_sha256[] = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
static const char key[] = "test/tenant/execution/job/1/hello.txt";

struct place {
    char dir[64];
    struct cs_storage *storage;
};

static int make_place(void **state) {
    struct place *place = cs_alloc(sizeof(*place));
    (void)snprintf(place->dir, sizeof(place->dir), "/tmp/cs_storage_XXXXXX");
    struct cs_err err = {0};
    if (mkdtemp(place->dir) == NULL || cs_storage_open(place->dir, &place->storage, &err) != CS_OK) {
        return -1;
    }
    *state = place;
    return 0;
}

static int remove_place(void **state) {
    struct place *place = *state;
    cs_storage_close(place->storage);
    CS_AUTO_FREE char *command = cs_sprintf("rm -rf -- '%s'", place->dir);
    free(place);
    return system(command);
}

#define STORAGE_TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)
#define PLACE() (*(const struct place *)*cs_test_state)

static int leftovers(const struct place *place) {
    CS_AUTO_FREE char *path = cs_sprintf("%s/~tmp", place->dir);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    int count = 0;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(dir);
    return count;
}

static void put_hello(struct cs_storage *storage, const char *at) {
    struct cs_err err = {0};
    struct cs_object_info info;
    assert_ok(cs_storage_put(storage, at, "hello", 5, &info, &err), &err);
    assert_string_equal(info.sha256, hello_sha256);
    assert_int_equal(info.size_bytes, 5);
}

TEST(object_comes_back_as_it_was_put) {
    struct cs_storage *storage = PLACE().storage;
    struct cs_err err = {0};
    struct cs_object_info info = {0};
    put_hello(storage, key);
    assert_ok(cs_storage_stat(storage, key, &info, &err), &err);
    assert_int_equal(info.size_bytes, 5);
    assert_string_equal(info.sha256, hello_sha256);
    assert_true(info.modified_unix_ms > 0);
    int fd = -1;
    assert_ok(cs_storage_open_fd(storage, key, &fd, NULL, &err), &err);
    char bytes[6] = {0};
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 5);
    assert_string_equal(bytes, "hello");
    assert_int_equal(write(fd, "x", 1), -1);
    (void)close(fd);
    assert_int_equal(leftovers(&PLACE()), 0);
}

TEST(range_is_read_and_must_lie_inside) {
    struct cs_storage *storage = PLACE().storage;
    struct cs_err err = {0};
    char bytes[8] = {0};
    put_hello(storage, key);
    assert_ok(cs_storage_get_range(storage, key, 1, 3, bytes, &err), &err);
    assert_string_equal(bytes, "ell");
    assert_ok(cs_storage_get_range(storage, key, 5, 0, bytes, &err), &err);
    assert_fails(cs_storage_get_range(storage, key, 3, 3, bytes, &err), &err, CS_OUT_OF_RANGE, "bad_range");
    assert_fails(cs_storage_get_range(storage, key, UINT64_MAX, 3, bytes, &err), &err, CS_OUT_OF_RANGE, "bad_range");
}

TEST(nothing_is_visible_before_commit_or_after_abort) {
    struct cs_storage *storage = PLACE().storage;
    struct cs_err err = {0};
    struct cs_object_info info;
    struct cs_storage_writer *writer = NULL;
    assert_ok(cs_storage_put_start(storage, key, 100, &writer, &err), &err);
    assert_ok(cs_storage_write(writer, "hello", 5, &err), &err);
    assert_fails(cs_storage_stat(storage, key, &info, &err), &err, CS_NOT_FOUND, "no_such_object");
    cs_storage_put_abort(writer);
    assert_fails(cs_storage_stat(storage, key, &info, &err), &err, CS_NOT_FOUND, "no_such_object");
    assert_int_equal(leftovers(&PLACE()), 0);
}

TEST(process_killed_in_mid_put_leaves_nothing_visible) {
    const struct place *place = &PLACE();
    struct cs_err err = {0};
    struct cs_object_info info;
    pid_t child = fork();
    if (child == 0) {
        struct cs_storage_writer *writer = NULL;
        if (cs_storage_put_start(place->storage, key, 100, &writer, &err) == CS_OK &&
            cs_storage_write(writer, "hello", 5, &err) == CS_OK) {
            (void)raise(SIGKILL);
        }
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_fails(cs_storage_stat(place->storage, key, &info, &err), &err, CS_NOT_FOUND, "no_such_object");
    assert_int_equal(leftovers(place), 1);
}

TEST(open_removes_old_leftovers_and_keeps_young_ones) {
    const struct place *place = &PLACE();
    CS_AUTO_FREE char *old = cs_sprintf("%s/~tmp/old", place->dir);
    CS_AUTO_FREE char *young = cs_sprintf("%s/~tmp/young", place->dir);
    (void)close(open(old, O_CREAT | O_WRONLY, 0600));
    (void)close(open(young, O_CREAT | O_WRONLY, 0600));
    const struct timespec times[2] = {{time(NULL) - 2L * 24 * 3600, 0}, {time(NULL) - 2L * 24 * 3600, 0}};
    assert_int_equal(utimensat(AT_FDCWD, old, times, 0), 0);
    struct cs_err err = {0};
    CS_AUTO(cs_storage) *again = NULL;
    CS_AUTO_FREE char *url = cs_sprintf("file:%s", place->dir);
    assert_ok(cs_storage_open(url, &again, &err), &err);
    assert_int_equal(access(old, F_OK), -1);
    assert_int_equal(access(young, F_OK), 0);
}

TEST(descriptor_of_a_writer_is_the_object_and_is_digested_at_commit) {
    struct cs_storage *storage = PLACE().storage;
    struct cs_err err = {0};
    struct cs_object_info info;
    struct cs_storage_writer *writer = NULL;
    int fd = -1;
    assert_ok(cs_storage_put_start(storage, key, 100, &writer, &err), &err);
    assert_ok(cs_storage_writer_fd(writer, &fd, &err), &err);
    assert_int_equal(pwrite(fd, "llo", 3, 2), 3);
    assert_int_equal(pwrite(fd, "he", 2, 0), 2);
    assert_ok(cs_storage_put_commit(writer, &info, &err), &err);
    assert_string_equal(info.sha256, hello_sha256);
    assert_int_equal(info.size_bytes, 5);
}

TEST(object_beyond_its_limit_is_refused) {
    struct cs_storage *storage = PLACE().storage;
    struct cs_err err = {0};
    struct cs_object_info info;
    struct cs_storage_writer *writer = NULL;
    assert_ok(cs_storage_put_start(storage, key, 4, &writer, &err), &err);
    assert_fails(cs_storage_write(writer, "hello", 5, &err), &err, CS_OUT_OF_RANGE, "too_big");
    cs_storage_put_abort(writer);
    int fd = -1;
    assert_ok(cs_storage_put_start(storage, key, 4, &writer, &err), &err);
    assert_ok(cs_storage_writer_fd(writer, &fd, &err), &err);
    assert_int_equal(write(fd, "hello", 5), 5);
    assert_fails(cs_storage_put_commit(writer, &info, &err), &err, CS_OUT_OF_RANGE, "too_big");
    assert_fails(cs_storage_stat(storage, key, &info, &err), &err, CS_NOT_FOUND, "no_such_object");
    assert_int_equal(leftovers(&PLACE()), 0);
}

TEST(object_that_was_not_written_whole_is_not_committed) {
    struct cs_storage *storage = PLACE().storage;
    struct cs_err err = {0};
    struct cs_object_info info;
    struct cs_storage_writer *writer = NULL;
    assert_ok(cs_storage_put_start(storage, key, 5, &writer, &err), &err);
    assert_ok(cs_storage_write(writer, "hel", 3, &err), &err);
    assert_fails(cs_storage_write(writer, "lo!", 3, &err), &err, CS_OUT_OF_RANGE, "too_big");
    assert_fails(cs_storage_put_commit(writer, &info, &err), &err, CS_FAILED_PRECONDITION, "write_failed");
    assert_fails(cs_storage_stat(storage, key, &info, &err), &err, CS_NOT_FOUND, "no_such_object");
    assert_int_equal(leftovers(&PLACE()), 0);
}

TEST(file_is_copied_in_whatever_its_offset) {
    struct cs_err err = {0};
    struct cs_object_info info;
    FILE *file = tmpfile();
    assert_true(fputs("hello", file) >= 0 && fflush(file) == 0);
    assert_ok(cs_storage_put_fd(PLACE().storage, key, fileno(file), &info, &err), &err);
    assert_string_equal(info.sha256, hello_sha256);
    (void)fclose(file);
}

TEST(digest_is_found_again_when_the_attribute_is_missing_or_lies) {
    const struct place *place = &PLACE();
    struct cs_err err = {0};
    struct cs_object_info info;
    put_hello(place->storage, key);
    CS_AUTO_FREE char *path = cs_sprintf("%s/%s", place->dir, key);
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "hello!", 6), 6);
    (void)close(fd);
    assert_ok(cs_storage_stat(place->storage, key, &info, &err), &err);
    assert_string_equal(info.sha256, "ce06092fb948d9ffac7d1a376e404b26b7575bcc11ee05a4615fef4fec3a308b");
    (void)removexattr(path, "user.callsheet.sha256"); /* recalled from memory or computed */
    assert_ok(cs_storage_stat(place->storage, key, &info, &err), &err);
    assert_string_equal(info.sha256, "ce06092fb948d9ffac7d1a376e404b26b7575bcc11ee05a4615fef4fec3a308b");
}

TEST(ta_009_t14_bad_keys_are_refused_by_every_verb) {
    struct cs_storage *storage = PLACE().storage;
    char long_segment[300];
    char long_key[2 * CS_STORAGE_KEY_MAX];
    memset(long_segment, 'a', 256);
    long_segment[256] = '\0';
    for (size_t i = 0; i < sizeof(long_key) - 1; i++) {
        long_key[i] = i % 2 == 0 ? 'a' : '/';
    }
    long_key[CS_STORAGE_KEY_MAX + 1] = '\0';
    const char *const bad[] = {"",    "/",      "a/",   "/a",   "a//b", ".",        "..",         "a/../b", "../a",
                               "a/.", "~tmp/a", "a\\b", "a\nb", "a?b",  "\xC3\xA9", long_segment, long_key};
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        struct cs_err err = {0};
        struct cs_object_info info;
        struct cs_storage_writer *writer = NULL;
        int fd;
        char byte;
        assert_false(cs_storage_key_valid(bad[i]));
        assert_fails(cs_storage_put_start(storage, bad[i], 1, &writer, &err), &err, CS_INVALID_ARGUMENT, "bad_key");
        assert_fails(cs_storage_stat(storage, bad[i], &info, &err), &err, CS_INVALID_ARGUMENT, "bad_key");
        assert_fails(cs_storage_open_fd(storage, bad[i], &fd, NULL, &err), &err, CS_INVALID_ARGUMENT, "bad_key");
        assert_fails(cs_storage_get_range(storage, bad[i], 0, 1, &byte, &err), &err, CS_INVALID_ARGUMENT, "bad_key");
        assert_fails(cs_storage_delete(storage, bad[i], &err), &err, CS_INVALID_ARGUMENT, "bad_key");
    }
    long_segment[255] = '\0';
    assert_true(cs_storage_key_valid(long_segment));
    put_hello(storage, long_segment);
    put_hello(storage, "a/..b/.c/d@e f:1-2_3.mp4");
}

TEST(symbolic_links_are_not_followed) {
    const struct place *place = &PLACE();
    struct cs_err err = {0};
    struct cs_object_info info;
    CS_AUTO_FREE char *dir_link = cs_sprintf("%s/link", place->dir);
    CS_AUTO_FREE char *file_link = cs_sprintf("%s/passwd", place->dir);
    assert_int_equal(symlink("/etc", dir_link), 0);
    assert_int_equal(symlink("/etc/passwd", file_link), 0);
    assert_fails(cs_storage_stat(place->storage, "link/passwd", &info, &err), &err, CS_NOT_FOUND, "no_such_object");
    assert_fails(cs_storage_stat(place->storage, "passwd", &info, &err), &err, CS_NOT_FOUND, "no_such_object");
    assert_fails(cs_storage_put(place->storage, "link/new", "x", 1, &info, &err), &err, CS_FAILED_PRECONDITION,
                 "key_conflict");
    assert_int_equal(access("/etc/new", F_OK), -1);
    put_hello(place->storage, "passwd"); /* replaces the link, not what it points to */
    struct stat facts;
    assert_int_equal(lstat(file_link, &facts), 0);
    assert_true(S_ISREG(facts.st_mode));
}

TEST(object_and_directory_of_one_name_conflict) {
    struct cs_storage *storage = PLACE().storage;
    struct cs_err err = {0};
    struct cs_object_info info;
    put_hello(storage, "a/b");
    assert_fails(cs_storage_put(storage, "a/b/c", "x", 1, &info, &err), &err, CS_FAILED_PRECONDITION, "key_conflict");
    assert_fails(cs_storage_put(storage, "a", "x", 1, &info, &err), &err, CS_FAILED_PRECONDITION, "key_conflict");
    assert_fails(cs_storage_stat(storage, "a", &info, &err), &err, CS_NOT_FOUND, "no_such_object");
    assert_fails(cs_storage_stat(storage, "a/b/c", &info, &err), &err, CS_NOT_FOUND, "no_such_object");
    assert_int_equal(leftovers(&PLACE()), 0);
}

TEST(deleted_object_is_gone) {
    struct cs_storage *storage = PLACE().storage;
    struct cs_err err = {0};
    put_hello(storage, key);
    assert_ok(cs_storage_delete(storage, key, &err), &err);
    assert_fails(cs_storage_delete(storage, key, &err), &err, CS_NOT_FOUND, "no_such_object");
}

enum { PUTTERS = 8, PUTS = 25 };

static void *put_many(void *ctx) {
    struct cs_storage *storage = ctx;
    for (int i = 0; i < PUTS; i++) {
        struct cs_err err = {0};
        char text[16];
        (void)snprintf(text, sizeof(text), "hello%d", i % 3);
        CS_AUTO_FREE char *own = cs_sprintf("many/%lx/%d/object", (unsigned long)pthread_self(), i);
        if (cs_storage_put(storage, "many/shared", text, strlen(text), NULL, &err) != CS_OK ||
            cs_storage_put(storage, own, "hello", 5, NULL, &err) != CS_OK) {
            return cs_strdup(err.message);
        }
    }
    return NULL;
}

TEST(concurrent_puts_each_land_whole) {
    struct cs_storage *storage = PLACE().storage;
    pthread_t threads[PUTTERS];
    for (size_t i = 0; i < PUTTERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, put_many, storage), 0);
    }
    for (size_t i = 0; i < PUTTERS; i++) {
        void *failure = NULL;
        assert_int_equal(pthread_join(threads[i], &failure), 0);
        assert_null(failure);
    }
    struct cs_err err = {0};
    struct cs_object_info info;
    char bytes[7] = {0};
    assert_ok(cs_storage_get_range(storage, "many/shared", 0, 6, bytes, &err), &err);
    assert_true(cs_str_starts(bytes, "hello"));
    unsigned char digest[CS_SHA256_BYTES];
    char hex[CS_SHA256_HEX_SIZE];
    cs_sha256_of(bytes, 6, digest);
    cs_hex_format(digest, sizeof(digest), hex);
    assert_ok(cs_storage_stat(storage, "many/shared", &info, &err), &err);
    assert_string_equal(info.sha256, hex);
    assert_int_equal(leftovers(&PLACE()), 0);
}

/* In a child, as its mounts and limits must not touch the other tests. Exit 0: as expected, 77: not possible here. */
static int fill_a_tiny_disk(void) {
    char dir[] = "/tmp/cs_storage_XXXXXX";
    if (mkdtemp(dir) == NULL || unshare(CLONE_NEWNS) != 0 || mount("", "/", "", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", dir, "tmpfs", 0, "size=64k") != 0) {
        (void)rmdir(dir);
        return 77;
    }
    struct cs_storage *storage = NULL;
    struct cs_err err = {0};
    struct cs_object_info info;
    CS_AUTO_FREE char *big = cs_alloc(256 * 1024);
    bool full = cs_storage_open(dir, &storage, &err) == CS_OK &&
                cs_storage_need_room(storage, 16UL * 1024, &err) == CS_OK &&
                cs_storage_need_room(storage, 65UL * 1024, &err) == CS_RESOURCE_EXHAUSTED &&
                cs_storage_put(storage, key, big, 256UL * 1024, NULL, &err) == CS_RESOURCE_EXHAUSTED &&
                cs_str_eq(err.reason, "disk_full") && cs_storage_stat(storage, key, &info, &err) == CS_NOT_FOUND;
    /* What was written has been given back. */
    bool usable = cs_storage_put(storage, key, "hello", 5, NULL, &err) == CS_OK;
    cs_storage_close(storage);
    (void)umount(dir);
    (void)rmdir(dir);
    return full && usable ? 0 : 1;
}

TEST(ex_040_room_is_asked_for_before_work_begins) {
    struct cs_storage *storage = PLACE().storage;
    struct cs_err err = {0};
    assert_ok(cs_storage_need_room(storage, 0, &err), &err);
    assert_ok(cs_storage_need_room(storage, 1, &err), &err);
    assert_fails(cs_storage_need_room(storage, UINT64_MAX, &err), &err, CS_RESOURCE_EXHAUSTED, "disk_full");
}

TEST(full_disk_is_resource_exhausted_and_gives_its_space_back) {
    pid_t child = fork();
    if (child == 0) {
        _exit(fill_a_tiny_disk());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("skipped: mounting a tmpfs needs root\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

TEST(unknown_storage_is_refused) {
    struct cs_err err = {0};
    struct cs_storage *storage = NULL;
    assert_fails(cs_storage_open("s3://bucket", &storage, &err), &err, CS_INVALID_ARGUMENT, "bad_storage_url");
    assert_fails(cs_storage_open("", &storage, &err), &err, CS_INVALID_ARGUMENT, "bad_storage_url");
    assert_fails(cs_storage_open("file://host/dir", &storage, &err), &err, CS_INVALID_ARGUMENT, "bad_storage_url");
    assert_int_equal(cs_storage_open("//proc/no/such", &storage, &err), CS_NOT_FOUND); /* not below our directory */
    assert_int_equal(cs_storage_open("/proc/no/such", &storage, &err), CS_NOT_FOUND);
}

TEST_MAIN(STORAGE_TEST(object_comes_back_as_it_was_put), STORAGE_TEST(range_is_read_and_must_lie_inside),
          STORAGE_TEST(nothing_is_visible_before_commit_or_after_abort),
          STORAGE_TEST(process_killed_in_mid_put_leaves_nothing_visible),
          STORAGE_TEST(open_removes_old_leftovers_and_keeps_young_ones),
          STORAGE_TEST(descriptor_of_a_writer_is_the_object_and_is_digested_at_commit),
          STORAGE_TEST(object_beyond_its_limit_is_refused),
          STORAGE_TEST(object_that_was_not_written_whole_is_not_committed),
          STORAGE_TEST(file_is_copied_in_whatever_its_offset),
          STORAGE_TEST(digest_is_found_again_when_the_attribute_is_missing_or_lies),
          STORAGE_TEST(ta_009_t14_bad_keys_are_refused_by_every_verb), STORAGE_TEST(symbolic_links_are_not_followed),
          STORAGE_TEST(object_and_directory_of_one_name_conflict), STORAGE_TEST(deleted_object_is_gone),
          STORAGE_TEST(concurrent_puts_each_land_whole), STORAGE_TEST(ex_040_room_is_asked_for_before_work_begins),
          CS_TEST(full_disk_is_resource_exhausted_and_gives_its_space_back), CS_TEST(unknown_storage_is_refused))
