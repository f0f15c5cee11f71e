#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pki.h"
#include "support.h"

static struct pki pki;

/* One call with these credentials. */
static enum cs_status call_with(struct fixture *f, struct cs_rpc_tls tls, struct cs_err *err) {
    struct cs_rpc_channel_config config = {
        .target = cs_rpc_server_address(f->server), .tls = tls, .own_connection = true};
    CS_AUTO(cs_rpc_channel) *channel = NULL;
    CS_TRY(cs_rpc_channel_create(f->rpc, &config, &channel, err));
    return call_sign(channel, "k", NULL, NULL, err);
}

TEST(tls_server_serves_those_who_trust_its_ca) {
    struct fixture f = {.sign = echo_sign, .server_tls = {NULL, pki.server_cert, pki.server_key}};
    setup(&f);
    struct cs_err err = {0};
    assert_ok(call_with(&f, (struct cs_rpc_tls){.ca_file = pki.ca}, &err), &err);
    assert_int_equal(call_with(&f, (struct cs_rpc_tls){.ca_file = pki.other_ca}, &err), CS_UNAVAILABLE);
    assert_int_equal(call_with(&f, (struct cs_rpc_tls){0}, &err), CS_UNAVAILABLE); /* plaintext */
    teardown(&f);
}

TEST(mutual_tls_serves_only_clients_of_its_ca) {
    struct fixture f = {.sign = echo_sign, .server_tls = {pki.ca, pki.server_cert, pki.server_key}};
    setup(&f);
    struct cs_err err = {0};
    assert_ok(call_with(&f, (struct cs_rpc_tls){pki.ca, pki.client_cert, pki.client_key}, &err), &err);
    assert_int_equal(call_with(&f, (struct cs_rpc_tls){.ca_file = pki.ca}, &err), CS_UNAVAILABLE);
    assert_int_equal(call_with(&f, (struct cs_rpc_tls){pki.ca, pki.stranger_cert, pki.stranger_key}, &err),
                     CS_UNAVAILABLE);
    teardown(&f);
}

TEST(client_refuses_a_server_of_another_name) {
    /* The client's certificate names neither localhost nor the address. */
    struct fixture f = {.sign = echo_sign, .server_tls = {NULL, pki.client_cert, pki.client_key}};
    setup(&f);
    struct cs_err err = {0};
    assert_int_equal(call_with(&f, (struct cs_rpc_tls){.ca_file = pki.ca}, &err), CS_UNAVAILABLE);
    teardown(&f);
}

TEST(files_that_cannot_be_used_are_errors_that_name_them) {
    struct fixture f = {.sign = echo_sign};
    setup(&f);
    struct cs_err err = {0};
    char empty[128];
    (void)snprintf(empty, sizeof(empty), "%s/empty.pem", pki.directory);
    FILE *file = fopen(empty, "w");
    assert_non_null(file);
    (void)fclose(file);
    assert_int_equal(call_with(&f, (struct cs_rpc_tls){.ca_file = "/no/such/ca.pem"}, &err), CS_NOT_FOUND);
    assert_non_null(strstr(err.message, "/no/such/ca.pem"));
    assert_fails(call_with(&f, (struct cs_rpc_tls){.ca_file = empty}, &err), &err, CS_INVALID_ARGUMENT, "bad_tls");
    assert_fails(call_with(&f, (struct cs_rpc_tls){.cert_file = pki.client_cert}, &err), &err, CS_INVALID_ARGUMENT,
                 "bad_tls");

    struct cs_rpc_server *server = NULL;
    struct cs_rpc_server_config config = {.listen = "127.0.0.1:0", .tls = {.ca_file = pki.ca}};
    assert_fails(cs_rpc_server_start(f.rpc, &config, &server, &err), &err, CS_INVALID_ARGUMENT, "bad_tls");
    config.tls = (struct cs_rpc_tls){NULL, pki.server_cert, pki.client_key};
    assert_int_not_equal(cs_rpc_server_start(f.rpc, &config, &server, &err), CS_OK);
    assert_null(server);
    (void)unlink(empty);
    teardown(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CS_TEST(tls_server_serves_those_who_trust_its_ca),
        CS_TEST(mutual_tls_serves_only_clients_of_its_ca),
        CS_TEST(client_refuses_a_server_of_another_name),
        CS_TEST(files_that_cannot_be_used_are_errors_that_name_them),
    };
    pki_create(&pki);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pki_remove(&pki);
    return failed;
}
