/*
 * Where the server is: in the file that the fixture wrote (postgres_fixture), when that server answers; else one of our
 * own, started once per test program.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cs/base/id.h"
#include "cs/base/text.h"
#include "cs/pg.h"
#include "cs/pg_server.h"
#include "support.h"

enum { NAME_RANDOM_BITS = 64 };

static struct cs_test_postgres own;

static void stop_own(void) {
    cs_test_postgres_fini(&own);
}

static bool answers(const char *url) {
    CS_AUTO(cs_pg) *pg = NULL;
    struct cs_err ignored = {0};
    return cs_pg_open(url, NULL, &pg, &ignored) == CS_OK;
}

static bool shared_url(char ret_url[CS_TEST_URL_MAX]) {
    FILE *file = fopen(CS_TEST_POSTGRES_FILE, "re");
    if (file == NULL) {
        return false;
    }
    bool got = fgets(ret_url, CS_TEST_URL_MAX, file) != NULL;
    (void)fclose(file);
    ret_url[got ? strcspn(ret_url, "\n") : 0] = '\0';
    return got && answers(ret_url);
}

/* The address of a database that always exists. */
static const char *base_url(void) {
    static char url[CS_TEST_URL_MAX];
    if (url[0] == '\0' && !shared_url(url)) {
        cs_test_postgres_start(&own, false);
        (void)atexit(stop_own);
        cs_pg_server_url(own.server, "postgres", url);
    }
    return url;
}

/* The same address with another database. */
static void url_of(const char *name, char ret_url[CS_TEST_URL_MAX]) {
    const char *base = base_url();
    const char *slash = strstr(base, "@/");
    const char *query = strchr(base, '?');
    if (slash == NULL || query == NULL) {
        support_fail("the database address has an unknown form", NULL);
        return;
    }
    (void)snprintf(ret_url, CS_TEST_URL_MAX, "%.*s%s%s", (int)(slash + 2 - base), base, name, query);
}

static void make_name(char *ret_name, size_t capacity) {
    (void)snprintf(ret_name, capacity, "t%016llx", (unsigned long long)cs_random_u64());
}

/* A server is ready to be cloned from only under its final name; who renames second has lost and uses the other's. */
static enum cs_status make_template(const struct cs_test_template *template, struct cs_err *err) {
    char name[64];
    char url[CS_TEST_URL_MAX];
    make_name(name, sizeof(name));
    url_of(name, url);
    CS_TRY(cs_pg_database_create(base_url(), name, NULL, NULL, err));
    CS_TRY(template->prepare(url, template->ctx, err));
    struct cs_err problem = {0};
    enum cs_status status = cs_pg_database_rename(base_url(), name, template->name, &problem);
    if (status == CS_ALREADY_EXISTS) {
        return cs_pg_database_drop(base_url(), name, err);
    }
    if (status != CS_OK) {
        *err = problem;
    }
    return status;
}

static bool exists(const char *name) {
    char url[CS_TEST_URL_MAX];
    url_of(name, url);
    return answers(url);
}

void cs_test_db_create(struct cs_test_db *ret_db, const struct cs_test_template *template) {
    struct cs_err err = {0};
    if (template != NULL && !exists(template->name) && make_template(template, &err) != CS_OK) {
        support_fail("preparing a template database", &err);
    }
    make_name(ret_db->name, sizeof(ret_db->name));
    const char *source = template != NULL ? template->name : NULL;
    /* Another test's look at the template is over in no time. */
    enum cs_status status = CS_OK;
    for (int i = 0; i < CLONE_TRIES; i++) {
        status = cs_pg_database_create(base_url(), ret_db->name, source, NULL, &err);
        if (status != CS_ABORTED) {
            break;
        }
    }
    if (status != CS_OK) {
        support_fail("creating a database", &err);
    }
    url_of(ret_db->name, ret_db->url);
}

void cs_test_db_drop(struct cs_test_db *db) {
    struct cs_err err = {0};
    if (db->name[0] != '\0' && cs_pg_database_drop(base_url(), db->name, &err) != CS_OK) {
        support_fail("dropping a database", &err);
    }
    db->name[0] = '\0';
}
