#include "dialect/paths.h"

#include <string.h>

#include "cs/base/text.h"

struct entry {
    const struct entry *older;
    const char *native;
    const char *client;
};

struct gw_paths {
    struct cs_arena *arena;
    const struct entry *newest;
};

struct gw_paths *gw_paths_create(struct cs_arena *arena) {
    struct gw_paths *paths = cs_arena_alloc(arena, sizeof(*paths));
    paths->arena = arena;
    return paths;
}

void gw_paths_add(struct gw_paths *paths, const char *native, const char *client) {
    struct entry *entry = cs_arena_alloc(paths->arena, sizeof(*entry));
    *entry = (struct entry){paths->newest, native, client};
    paths->newest = entry;
}

static bool is_border(char c) {
    return c == '\0' || c == '.' || c == '[';
}

void gw_paths_translate(const struct gw_paths *paths, const char *native, char ret_client[CS_ERR_PATH_MAX]) {
    const struct entry *best = NULL;
    size_t best_length = 0;
    for (const struct entry *entry = paths->newest; entry != NULL; entry = entry->older) {
        size_t length = strlen(entry->native);
        if (length >= best_length && (best == NULL || length > best_length) && cs_str_starts(native, entry->native) &&
            is_border(native[length])) {
            best = entry;
            best_length = length;
        }
    }
    CS_AUTO_BUF client = {0};
    cs_buf_puts(&client, best != NULL ? best->client : "");
    cs_buf_puts(&client, native + best_length);
    cs_str_copy(ret_client, CS_ERR_PATH_MAX, client.data);
}

enum cs_status gw_paths_translate_err(const struct gw_paths *paths, struct cs_err *err) {
    char client[CS_ERR_PATH_MAX];
    gw_paths_translate(paths, err->path, client);
    memcpy(err->path, client, sizeof(client));
    return err->status;
}
