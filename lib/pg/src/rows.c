#include <assert.h>
#include <endian.h>
#include <string.h>

#include "cs/base/text.h"
#include "internal.h"

struct cs_pg_rows {
    PGresult *result;
    int row; /* -1: before the first */
    int row_count;
    int hint; /* the column that was read last; they are mostly read in order */
    int column_count;
    struct pg_column columns[];
};

struct cs_pg_rows *pg_rows_create(const struct pg_entry *entry, PGresult *result) {
    size_t size = (size_t)entry->column_count * sizeof(struct pg_column);
    struct cs_pg_rows *rows = cs_alloc(sizeof(*rows) + size);
    rows->result = result;
    rows->row = -1;
    rows->row_count = PQntuples(result);
    rows->hint = -1;
    rows->column_count = entry->column_count;
    memcpy(rows->columns, entry->columns, size);
    return rows;
}

int64_t pg_affected(const PGresult *result) {
    int64_t count = 0;
    (void)cs_parse_i64(PQcmdTuples((PGresult *)result), 0, INT64_MAX, &count); /* "" for statements without a count */
    return count;
}

void cs_pg_rows_destroy(struct cs_pg_rows *rows) {
    if (rows == NULL) {
        return;
    }
    PQclear(rows->result);
    free(rows);
}

bool cs_pg_next(struct cs_pg_rows *rows) {
    if (rows->row + 1 >= rows->row_count) {
        return false;
    }
    rows->row++;
    rows->hint = -1;
    return true;
}

size_t cs_pg_count(const struct cs_pg_rows *rows) {
    return (size_t)rows->row_count;
}

/* ---- values ---- */

static bool named(const struct pg_column *column, const char *name) {
    return strncmp(column->name, name, column->name_length) == 0 && name[column->name_length] == '\0';
}

static int find(struct cs_pg_rows *rows, const char *name) {
    for (int i = 1; i <= rows->column_count; i++) {
        int index = (rows->hint + i) % rows->column_count;
        if (named(&rows->columns[index], name)) {
            rows->hint = index;
            return index;
        }
    }
    assert(!"a column that the statement does not declare");
    return 0;
}

struct value {
    const char *bytes;
    size_t size;
    enum cs_pg_type base;
    bool null;
};

static struct value value_of(struct cs_pg_rows *rows, const char *name, bool array) {
    assert(rows->row >= 0);
    int index = find(rows, name);
    assert(rows->columns[index].type.array == array);
    return (struct value){
        .bytes = PQgetvalue(rows->result, rows->row, index),
        .size = (size_t)PQgetlength(rows->result, rows->row, index),
        .base = rows->columns[index].type.base,
        .null = PQgetisnull(rows->result, rows->row, index) != 0,
    };
}

static uint32_t be32(const char *bytes) {
    uint32_t wire = 0;
    memcpy(&wire, bytes, sizeof(wire));
    return be32toh(wire);
}

static uint64_t be64(const char *bytes) {
    uint64_t wire = 0;
    memcpy(&wire, bytes, sizeof(wire));
    return be64toh(wire);
}

static int64_t integer_of(const char *bytes, size_t size) {
    return size == 8 ? (int64_t)be64(bytes) : size == 4 ? (int32_t)be32(bytes) : 0;
}

bool cs_pg_is_null(struct cs_pg_rows *rows, const char *column) {
    assert(rows->row >= 0);
    return PQgetisnull(rows->result, rows->row, find(rows, column)) != 0;
}

int64_t cs_pg_i64(struct cs_pg_rows *rows, const char *column) {
    struct value value = value_of(rows, column, false);
    assert(value.base == CS_PG_INT8 || value.base == CS_PG_INT4);
    return value.null ? 0 : integer_of(value.bytes, value.size);
}

bool cs_pg_bool(struct cs_pg_rows *rows, const char *column) {
    struct value value = value_of(rows, column, false);
    assert(value.base == CS_PG_BOOL);
    return !value.null && value.size == 1 && value.bytes[0] != 0;
}

double cs_pg_f64(struct cs_pg_rows *rows, const char *column) {
    struct value value = value_of(rows, column, false);
    assert(value.base == CS_PG_FLOAT8);
    double number = 0;
    if (!value.null && value.size == sizeof(number)) {
        uint64_t bits = be64(value.bytes);
        memcpy(&number, &bits, sizeof(number));
    }
    return number;
}

const char *cs_pg_text(struct cs_pg_rows *rows, const char *column) {
    struct value value = value_of(rows, column, false);
    assert(value.base == CS_PG_TEXT || value.base == CS_PG_JSONB);
    bool versioned = value.base == CS_PG_JSONB && value.size > 0; /* jsonb's text comes after one byte of version */
    return value.null ? "" : value.bytes + (versioned ? 1 : 0);
}

const void *cs_pg_bytes(struct cs_pg_rows *rows, const char *column, size_t *ret_size_bytes) {
    struct value value = value_of(rows, column, false);
    assert(value.base == CS_PG_BYTEA);
    *ret_size_bytes = value.null ? 0 : value.size;
    return value.null ? "" : value.bytes;
}

/* ---- arrays ---- */

enum { ARRAY_HEADER = 12, ARRAY_DIMENSION = 8, ELEMENT_HEADER = 4 };

struct elements {
    const char *at;
    const char *end;
    size_t count;
};

/* No elements for NULL, an empty array, more than one dimension or bytes that are not an array. */
static struct elements elements_of(struct value value) {
    if (value.null || value.size < ARRAY_HEADER + ARRAY_DIMENSION || be32(value.bytes) != 1) {
        return (struct elements){0};
    }
    struct elements elements = {
        .at = value.bytes + ARRAY_HEADER + ARRAY_DIMENSION,
        .end = value.bytes + value.size,
        .count = be32(value.bytes + ARRAY_HEADER),
    };
    return elements.count <= value.size / ELEMENT_HEADER ? elements : (struct elements){0};
}

static struct cs_pg_blob next_element(struct elements *elements) {
    if (elements->end - elements->at < ELEMENT_HEADER) {
        return (struct cs_pg_blob){0};
    }
    uint32_t size = be32(elements->at);
    elements->at += ELEMENT_HEADER;
    if (size == UINT32_MAX || size > (size_t)(elements->end - elements->at)) {
        return (struct cs_pg_blob){0};
    }
    struct cs_pg_blob blob = {.bytes = elements->at, .size_bytes = size};
    elements->at += size;
    return blob;
}

const int64_t *cs_pg_i64s(struct cs_pg_rows *rows, const char *column, struct cs_arena *arena, size_t *ret_count) {
    struct value value = value_of(rows, column, true);
    assert(value.base == CS_PG_INT8 || value.base == CS_PG_INT4);
    struct elements elements = elements_of(value);
    int64_t *values = cs_arena_array(arena, elements.count, sizeof(*values));
    for (size_t i = 0; i < elements.count; i++) {
        struct cs_pg_blob element = next_element(&elements);
        values[i] = element.bytes != NULL ? integer_of(element.bytes, element.size_bytes) : 0;
    }
    *ret_count = elements.count;
    return values;
}

const char *const *cs_pg_texts(struct cs_pg_rows *rows, const char *column, struct cs_arena *arena, size_t *ret_count) {
    struct value value = value_of(rows, column, true);
    assert(value.base == CS_PG_TEXT);
    struct elements elements = elements_of(value);
    const char **values = cs_arena_array(arena, elements.count, sizeof(*values));
    for (size_t i = 0; i < elements.count; i++) {
        struct cs_pg_blob element = next_element(&elements);
        values[i] = element.bytes != NULL ? cs_arena_strndup(arena, element.bytes, element.size_bytes) : NULL;
    }
    *ret_count = elements.count;
    return values;
}

const struct cs_pg_blob *cs_pg_blobs(struct cs_pg_rows *rows, const char *column, struct cs_arena *arena,
                                     size_t *ret_count) {
    struct value value = value_of(rows, column, true);
    assert(value.base == CS_PG_BYTEA);
    struct elements elements = elements_of(value);
    struct cs_pg_blob *blobs = cs_arena_array(arena, elements.count, sizeof(*blobs));
    for (size_t i = 0; i < elements.count; i++) {
        struct cs_pg_blob element = next_element(&elements);
        if (element.bytes != NULL) {
            blobs[i] = (struct cs_pg_blob){cs_arena_copy(arena, element.bytes, element.size_bytes), element.size_bytes};
        }
    }
    *ret_count = elements.count;
    return blobs;
}
