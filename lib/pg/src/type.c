#include <stdio.h>
#include <string.h>

#include "internal.h"

struct type_row {
    enum cs_pg_type base;
    const char *name;
    const char *array_name;
    Oid oid; /* fixed by PostgreSQL (pg_type.dat) */
    Oid array_oid;
};

static const struct type_row type_rows[] = {
    {CS_PG_INT4, "int4", "int4[]", 23, 1007},      {CS_PG_INT8, "int8", "int8[]", 20, 1016},
    {CS_PG_BOOL, "bool", "bool[]", 16, 1000},      {CS_PG_FLOAT8, "float8", "float8[]", 701, 1022},
    {CS_PG_TEXT, "text", "text[]", 25, 1009},      {CS_PG_BYTEA, "bytea", "bytea[]", 17, 1001},
    {CS_PG_JSONB, "jsonb", "jsonb[]", 3802, 3807},
};

/* Types whose binary form is plain text: name, json, bpchar, varchar. */
static const Oid text_oids[] = {19, 114, 1042, 1043};

static const struct type_row *row_of(enum cs_pg_type base) {
    for (size_t i = 0; i < CS_COUNT(type_rows); i++) {
        if (type_rows[i].base == base) {
            return &type_rows[i];
        }
    }
    return NULL;
}

Oid pg_type_oid(struct pg_type type) {
    const struct type_row *row = row_of(type.base);
    return row == NULL ? 0 : type.array ? row->array_oid : row->oid;
}

const char *pg_type_name(struct pg_type type) {
    const struct type_row *row = row_of(type.base);
    return row == NULL ? "?" : type.array ? row->array_name : row->name;
}

bool pg_type_reads(struct pg_type type, Oid oid) {
    if (oid == pg_type_oid(type)) {
        return true;
    }
    for (size_t i = 0; i < CS_COUNT(text_oids); i++) {
        if (type.base == CS_PG_TEXT && !type.array && text_oids[i] == oid) {
            return true;
        }
    }
    return false;
}

static bool parse_type(const char *word, size_t length, struct pg_type *ret_type) {
    for (size_t i = 0; i < CS_COUNT(type_rows); i++) {
        const struct type_row *row = &type_rows[i];
        if (strlen(row->name) == length && memcmp(row->name, word, length) == 0) {
            *ret_type = (struct pg_type){.base = row->base};
            return true;
        }
        if (strlen(row->array_name) == length && memcmp(row->array_name, word, length) == 0) {
            *ret_type = (struct pg_type){.base = row->base, .array = true};
            return true;
        }
    }
    return false;
}

static enum cs_status bad(struct cs_err *err, const struct pg_entry *entry, const char *what) {
    return cs_fail(err, CS_INTERNAL, "bad_statement", "%s: %s", entry->statement->name, what);
}

/* The next word of *text, which moves behind it; 0 at the end. */
static size_t next_word(const char **text, const char **ret_word) {
    *ret_word = *text + strspn(*text, " ");
    size_t length = strcspn(*ret_word, " ");
    *text = *ret_word + length;
    return length;
}

static enum cs_status parse_params(struct pg_entry *entry, struct cs_err *err) {
    const char *rest = entry->statement->params;
    const char *word = NULL;
    for (size_t length = 0; (length = next_word(&rest, &word)) != 0; entry->param_count++) {
        if (entry->param_count == CS_PG_PARAMS_MAX) {
            return bad(err, entry, "too many parameters");
        }
        if (!parse_type(word, length, &entry->params[entry->param_count])) {
            return bad(err, entry, "unknown type of a parameter");
        }
    }
    return CS_OK;
}

static enum cs_status parse_columns(struct pg_entry *entry, struct cs_err *err) {
    const char *rest = entry->statement->columns;
    const char *word = NULL;
    for (size_t length = 0; (length = next_word(&rest, &word)) != 0; entry->column_count++) {
        if (entry->column_count == CS_PG_COLUMNS_MAX) {
            return bad(err, entry, "too many columns");
        }
        struct pg_column *column = &entry->columns[entry->column_count];
        const char *colon = memchr(word, ':', length);
        if (colon == NULL || colon == word) {
            return bad(err, entry, "a column is declared as name:type");
        }
        *column = (struct pg_column){.name = word, .name_length = (size_t)(colon - word)};
        if (!parse_type(colon + 1, (size_t)(word + length - colon - 1), &column->type)) {
            return bad(err, entry, "unknown type of a column");
        }
    }
    return CS_OK;
}

enum cs_status pg_entry_parse(struct pg_entry *entry, struct cs_err *err) {
    entry->param_count = 0;
    entry->column_count = 0;
    CS_TRY(parse_params(entry, err));
    return parse_columns(entry, err);
}

enum cs_status pg_entry_check(const struct pg_entry *entry, const PGresult *described, struct cs_err *err) {
    if (PQnparams(described) != entry->param_count) {
        return cs_fail(err, CS_INTERNAL, "bad_statement", "%s: has %d parameters, %d are declared",
                       entry->statement->name, PQnparams(described), entry->param_count);
    }
    if (PQnfields(described) != entry->column_count) {
        return cs_fail(err, CS_INTERNAL, "bad_statement", "%s: returns %d columns, %d are declared",
                       entry->statement->name, PQnfields(described), entry->column_count);
    }
    for (int i = 0; i < entry->column_count; i++) {
        const struct pg_column *column = &entry->columns[i];
        const char *name = PQfname(described, i);
        bool same = strlen(name) == column->name_length && memcmp(name, column->name, column->name_length) == 0;
        if (!same || !pg_type_reads(column->type, PQftype(described, i))) {
            return cs_fail(err, CS_INTERNAL, "bad_statement", "%s: column %d is \"%s\" of type %u, not %.*s:%s",
                           entry->statement->name, i + 1, name, PQftype(described, i), (int)column->name_length,
                           column->name, pg_type_name(column->type));
        }
    }
    return CS_OK;
}
