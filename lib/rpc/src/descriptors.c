#include "descriptors.h"

#include <pthread.h>
#include <string.h>

#include "google/protobuf/descriptor.pb-c.h"

/* The set, as protoc wrote it. */
__asm__(".pushsection .rodata\n"
        ".balign 16\n"
        ".globl rpc_fds_begin\n.hidden rpc_fds_begin\n"
        "rpc_fds_begin:\n"
        ".incbin \"" CS_FDS_PATH "\"\n"
        ".globl rpc_fds_end\n.hidden rpc_fds_end\n"
        "rpc_fds_end:\n"
        ".byte 0\n"
        ".popsection\n");
extern const unsigned char rpc_fds_begin[];
extern const unsigned char rpc_fds_end[];

void cs_rpc_descriptor_set(const void **ret_bytes, size_t *ret_size) {
    *ret_bytes = rpc_fds_begin;
    *ret_size = (size_t)(rpc_fds_end - rpc_fds_begin);
}

typedef Google__Protobuf__FileDescriptorSet FileSet;
typedef Google__Protobuf__FileDescriptorProto FileProto;
typedef Google__Protobuf__DescriptorProto MessageProto;
typedef Google__Protobuf__ServiceDescriptorProto ServiceProto;

struct symbol {
    const char *name;
    size_t file;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
/* below: written once */
static struct cs_arena *names;
static struct rpc_file *files;
static size_t file_count;
static struct rpc_method *methods;
static size_t method_count;
static struct symbol *symbols;
static size_t symbol_count;
static size_t symbol_capacity;
static struct cs_err load_err;

/* ---- symbols ---- */

static const char *symbol_put(const char *scope, const char *name, size_t file) {
    if (symbol_count == symbol_capacity) {
        symbol_capacity = symbol_capacity != 0 ? symbol_capacity * 2 : 256;
        symbols = cs_realloc(symbols, symbol_capacity * sizeof(*symbols));
    }
    const char *full = scope[0] != '\0' ? cs_arena_sprintf(names, "%s.%s", scope, name) : cs_arena_strdup(names, name);
    symbols[symbol_count++] = (struct symbol){full, file};
    return full;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as our own protos nest
static void put_message(const char *scope, const MessageProto *message, size_t file) {
    const char *full = symbol_put(scope, message->name, file);
    for (size_t i = 0; i < message->n_nested_type; i++) {
        put_message(full, message->nested_type[i], file);
    }
    for (size_t i = 0; i < message->n_enum_type; i++) {
        (void)symbol_put(full, message->enum_type[i]->name, file);
    }
}

static void put_service(const char *scope, const ServiceProto *service, size_t file) {
    const char *full = symbol_put(scope, service->name, file);
    for (size_t i = 0; i < service->n_method; i++) {
        const Google__Protobuf__MethodDescriptorProto *from = service->method[i];
        (void)symbol_put(full, from->name, file);
        methods = cs_realloc(methods, (method_count + 1) * sizeof(*methods));
        methods[method_count++] = (struct rpc_method){
            .path = cs_arena_sprintf(names, "/%s/%s", full, from->name),
            .service = full,
            .name = cs_arena_strdup(names, from->name),
            .client_streams = from->client_streaming,
            .server_streams = from->server_streaming,
        };
    }
}

static void put_symbols(const FileProto *file, size_t index) {
    const char *package = file->package != NULL ? file->package : "";
    for (size_t i = 0; i < file->n_message_type; i++) {
        put_message(package, file->message_type[i], index);
    }
    for (size_t i = 0; i < file->n_enum_type; i++) {
        (void)symbol_put(package, file->enum_type[i]->name, index);
    }
    for (size_t i = 0; i < file->n_service; i++) {
        put_service(package, file->service[i], index);
    }
}

/* ---- order ---- */

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

static int by_method(const void *a, const void *b) {
    const struct rpc_method *left = a;
    const struct rpc_method *right = b;
    int order = strcmp(left->service, right->service);
    return order != 0 ? order : strcmp(left->name, right->name);
}

static void sort_all(void) {
    qsort(symbols, symbol_count, sizeof(*symbols), by_name);
    qsort(methods, method_count, sizeof(*methods), by_method);
    for (size_t i = 0; i < method_count; i++) {
        methods[i].index = i;
    }
}

/* ---- files ---- */

static void put_dependencies(const FileProto *proto, struct rpc_file *file) {
    size_t *indices = cs_arena_array(names, proto->n_dependency, sizeof(*indices));
    for (size_t i = 0; i < proto->n_dependency; i++) {
        if (rpc_file_find(proto->dependency[i], &indices[file->dependency_count])) {
            file->dependency_count++;
        }
    }
    file->dependencies = indices;
}

/* The raw bytes of each file: the set is a sequence of (tag 1, length, bytes). */
static bool find_bytes(void) {
    const unsigned char *at = rpc_fds_begin;
    for (size_t i = 0; i < file_count; i++) {
        if (at >= rpc_fds_end || *at++ != ((1 << 3) | 2)) {
            return false;
        }
        size_t size = 0;
        for (unsigned shift = 0; shift < 35 && at < rpc_fds_end; shift += 7) {
            size |= (size_t)(*at & 0x7F) << shift;
            if (*at++ < 0x80) {
                break;
            }
        }
        if (size > (size_t)(rpc_fds_end - at)) {
            return false;
        }
        files[i].bytes = at;
        files[i].size_bytes = size;
        at += size;
    }
    return at == rpc_fds_end;
}

static void load(void) {
    ProtobufCMessage *message = NULL;
    if (cs_rpc_message_unpack(&google__protobuf__file_descriptor_set__descriptor, rpc_fds_begin,
                              (size_t)(rpc_fds_end - rpc_fds_begin), &message, &load_err) != CS_OK) {
        return;
    }
    const FileSet *set = (const FileSet *)message;
    names = cs_arena_create();
    file_count = set->n_file;
    files = cs_arena_array(names, file_count, sizeof(*files));
    for (size_t i = 0; i < file_count; i++) {
        files[i].name = cs_arena_strdup(names, set->file[i]->name);
    }
    for (size_t i = 0; i < file_count; i++) {
        put_dependencies(set->file[i], &files[i]);
        put_symbols(set->file[i], i);
    }
    sort_all();
    if (!find_bytes()) {
        (void)cs_fail(&load_err, CS_INTERNAL, "bad_descriptors",
                      "the embedded descriptor set is not what protoc writes");
    }
    cs_rpc_message_free(message);
}

enum cs_status rpc_descriptors_load(struct cs_err *err) {
    pthread_once(&once, load);
    if (load_err.status != CS_OK) {
        *err = load_err;
        return cs_wrap(err, "reading the embedded descriptors");
    }
    return CS_OK;
}

/* ---- questions ---- */

size_t rpc_method_count(void) {
    return method_count;
}

const struct rpc_method *rpc_method_at(size_t index) {
    return &methods[index];
}

const struct rpc_method *rpc_method_find(const char *service, const char *name) {
    struct rpc_method wanted = {.service = service, .name = name};
    return method_count != 0 ? bsearch(&wanted, methods, method_count, sizeof(*methods), by_method) : NULL;
}

size_t rpc_file_count(void) {
    return file_count;
}

const struct rpc_file *rpc_file_at(size_t index) {
    return &files[index];
}

bool rpc_file_find(const char *name, size_t *ret_index) {
    for (size_t i = 0; i < file_count; i++) {
        if (strcmp(files[i].name, name) == 0) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

bool rpc_symbol_find(const char *symbol, size_t *ret_file_index) {
    struct symbol wanted = {.name = symbol};
    const struct symbol *found =
        symbol_count != 0 ? bsearch(&wanted, symbols, symbol_count, sizeof(*symbols), by_name) : NULL;
    if (found == NULL) {
        return false;
    }
    *ret_file_index = found->file;
    return true;
}
