/* Values in the binary form of the protocol: big-endian numbers, arrays as header and length-prefixed elements. */
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "internal.h"

static void put_be32(struct cs_buf *buf, uint32_t value) {
    uint32_t wire = htobe32(value);
    cs_buf_put(buf, &wire, sizeof(wire));
}

static void put_be64(struct cs_buf *buf, uint64_t value) {
    uint64_t wire = htobe64(value);
    cs_buf_put(buf, &wire, sizeof(wire));
}

static uint64_t f64_bits(double value) {
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* ---- arrays ---- */

void cs_pg_array_fini(struct cs_pg_array *array) {
    cs_buf_fini(&array->bytes);
    *array = (struct cs_pg_array){.type = array->type};
}

void cs_pg_array_clear(struct cs_pg_array *array) {
    cs_buf_clear(&array->bytes);
    array->count = 0;
    array->has_null = false;
}

void cs_pg_add_i64(struct cs_pg_array *array, int64_t value) {
    assert(array->type == CS_PG_INT8 || (array->type == CS_PG_INT4 && value >= INT32_MIN && value <= INT32_MAX));
    array->count++;
    if (array->type == CS_PG_INT4) {
        put_be32(&array->bytes, 4);
        put_be32(&array->bytes, (uint32_t)value);
    } else {
        put_be32(&array->bytes, 8);
        put_be64(&array->bytes, (uint64_t)value);
    }
}

void cs_pg_add_bool(struct cs_pg_array *array, bool value) {
    assert(array->type == CS_PG_BOOL);
    array->count++;
    put_be32(&array->bytes, 1);
    cs_buf_putc(&array->bytes, value ? 1 : 0);
}

void cs_pg_add_f64(struct cs_pg_array *array, double value) {
    assert(array->type == CS_PG_FLOAT8);
    array->count++;
    put_be32(&array->bytes, 8);
    put_be64(&array->bytes, f64_bits(value));
}

static void add_sized(struct cs_pg_array *array, const void *bytes, size_t size_bytes) {
    array->count++;
    /* A size beyond the limit keeps the array too big as a whole, which the run refuses. */
    put_be32(&array->bytes, (uint32_t)size_bytes);
    cs_buf_put(&array->bytes, bytes, size_bytes);
}

void cs_pg_add_text(struct cs_pg_array *array, const char *text) {
    assert(array->type == CS_PG_TEXT);
    if (text == NULL) {
        cs_pg_add_null(array);
        return;
    }
    add_sized(array, text, strlen(text));
}

void cs_pg_add_bytes(struct cs_pg_array *array, const void *bytes, size_t size_bytes) {
    assert(array->type == CS_PG_BYTEA);
    add_sized(array, bytes, size_bytes);
}

void cs_pg_add_null(struct cs_pg_array *array) {
    array->count++;
    array->has_null = true;
    put_be32(&array->bytes, UINT32_MAX);
}

/* ---- parameters ---- */

void cs_pg_params_fini(struct cs_pg_params *params) {
    cs_buf_fini(&params->bytes);
    params->count = 0;
}

void cs_pg_params_clear(struct cs_pg_params *params) {
    cs_buf_clear(&params->bytes);
    params->count = 0;
}

static struct cs_pg_param *start(struct cs_pg_params *params, enum cs_pg_type type) {
    assert(params->count < CS_PG_PARAMS_MAX);
    struct cs_pg_param *item = &params->items[params->count++];
    *item = (struct cs_pg_param){.type = (uint8_t)type, .offset = params->bytes.size};
    return item;
}

static void end(struct cs_pg_params *params, struct cs_pg_param *item) {
    item->size = params->bytes.size - item->offset;
}

void cs_pg_put_i64(struct cs_pg_params *params, int64_t value) {
    struct cs_pg_param *item = start(params, CS_PG_INT8);
    put_be64(&params->bytes, (uint64_t)value);
    end(params, item);
}

void cs_pg_put_i32(struct cs_pg_params *params, int32_t value) {
    struct cs_pg_param *item = start(params, CS_PG_INT4);
    put_be32(&params->bytes, (uint32_t)value);
    end(params, item);
}

void cs_pg_put_bool(struct cs_pg_params *params, bool value) {
    struct cs_pg_param *item = start(params, CS_PG_BOOL);
    cs_buf_putc(&params->bytes, value ? 1 : 0);
    end(params, item);
}

void cs_pg_put_f64(struct cs_pg_params *params, double value) {
    struct cs_pg_param *item = start(params, CS_PG_FLOAT8);
    put_be64(&params->bytes, f64_bits(value));
    end(params, item);
}

void cs_pg_put_text(struct cs_pg_params *params, const char *text) {
    struct cs_pg_param *item = start(params, CS_PG_TEXT);
    item->null = text == NULL;
    cs_buf_puts(&params->bytes, text != NULL ? text : "");
    end(params, item);
}

void cs_pg_put_bytes(struct cs_pg_params *params, const void *bytes, size_t size_bytes) {
    struct cs_pg_param *item = start(params, CS_PG_BYTEA);
    item->null = bytes == NULL;
    cs_buf_put(&params->bytes, bytes, bytes != NULL ? size_bytes : 0);
    end(params, item);
}

void cs_pg_put_null(struct cs_pg_params *params) {
    struct cs_pg_param *item = start(params, 0);
    item->null = true;
}

void cs_pg_put_array(struct cs_pg_params *params, const struct cs_pg_array *array) {
    struct cs_pg_param *item = start(params, array->type);
    item->array = true;
    put_be32(&params->bytes, array->count != 0 ? 1 : 0); /* dimensions */
    put_be32(&params->bytes, array->has_null ? 1 : 0);
    put_be32(&params->bytes, pg_type_oid((struct pg_type){.base = array->type}));
    if (array->count != 0) {
        put_be32(&params->bytes, (uint32_t)array->count);
        put_be32(&params->bytes, 1); /* the first index */
        cs_buf_put(&params->bytes, array->bytes.data, array->bytes.size);
    }
    end(params, item);
}

void cs_pg_put_i64s(struct cs_pg_params *params, const int64_t *values, size_t count) {
    CS_AUTO_PG_ARRAY array = {.type = CS_PG_INT8};
    for (size_t i = 0; i < count; i++) {
        cs_pg_add_i64(&array, values[i]);
    }
    cs_pg_put_array(params, &array);
}

void cs_pg_put_texts(struct cs_pg_params *params, const char *const *values, size_t count) {
    CS_AUTO_PG_ARRAY array = {.type = CS_PG_TEXT};
    for (size_t i = 0; i < count; i++) {
        cs_pg_add_text(&array, values[i]);
    }
    cs_pg_put_array(params, &array);
}
