#include "pki.h"

#undef NDEBUG
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIFE_S = 3600, CLOCK_SKEW_S = 60 };

static void add_extension(X509 *cert, int nid, const char *value) {
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert(extension != NULL);
    int added = X509_add_ext(cert, extension, -1);
    assert(added == 1);
    X509_EXTENSION_free(extension);
}

/* A certificate of this name for the key, signed by the issuer (itself when NULL). */
static X509 *certify(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, const char *alt_names) {
    static long serial;
    X509 *cert = X509_new();
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), -CLOCK_SKEW_S);
    X509_gmtime_adj(X509_getm_notAfter(cert), LIFE_S);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer != NULL ? issuer : cert));
    add_extension(cert, NID_basic_constraints, issuer == NULL ? "critical,CA:TRUE" : "CA:FALSE");
    if (alt_names != NULL) {
        add_extension(cert, NID_subject_alt_name, alt_names);
    }
    int size = X509_sign(cert, issuer_key, EVP_sha256());
    assert(size > 0);
    return cert;
}

static void save(const char *cert_path, X509 *cert, const char *key_path, EVP_PKEY *key) {
    FILE *file = fopen(cert_path, "w");
    assert(file != NULL);
    PEM_write_X509(file, cert);
    (void)fclose(file);
    if (key_path != NULL) {
        file = fopen(key_path, "w");
        assert(file != NULL);
        PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
        (void)fclose(file);
    }
}

static void issue(const char *name, const char *alt_names, X509 *ca, EVP_PKEY *ca_key, const char *cert_path,
                  const char *key_path) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = certify(name, key, ca, ca_key, alt_names);
    save(cert_path, cert, key_path, key);
    X509_free(cert);
    EVP_PKEY_free(key);
}

void pki_create(struct pki *pki) {
    (void)snprintf(pki->directory, sizeof(pki->directory), "/tmp/callsheet-pki-XXXXXX");
    char *made = mkdtemp(pki->directory);
    assert(made != NULL);
    struct {
        char *path;
        const char *name;
    } files[] = {
        {pki->ca, "ca.pem"},
        {pki->other_ca, "other-ca.pem"},
        {pki->server_cert, "server.pem"},
        {pki->server_key, "server.key"},
        {pki->client_cert, "client.pem"},
        {pki->client_key, "client.key"},
        {pki->stranger_cert, "stranger.pem"},
        {pki->stranger_key, "stranger.key"},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        (void)snprintf(files[i].path, sizeof(pki->ca), "%s/%s", pki->directory, files[i].name);
    }
    EVP_PKEY *keys[2];
    X509 *cas[2];
    for (int i = 0; i < 2; i++) {
        keys[i] = EVP_EC_gen("P-256");
        cas[i] = certify(i == 0 ? "test ca" : "other ca", keys[i], NULL, keys[i], NULL);
        save(i == 0 ? pki->ca : pki->other_ca, cas[i], NULL, NULL);
    }
    issue("server", "DNS:localhost,IP:127.0.0.1", cas[0], keys[0], pki->server_cert, pki->server_key);
    issue("client", NULL, cas[0], keys[0], pki->client_cert, pki->client_key);
    issue("stranger", NULL, cas[1], keys[1], pki->stranger_cert, pki->stranger_key);
    for (int i = 0; i < 2; i++) {
        X509_free(cas[i]);
        EVP_PKEY_free(keys[i]);
    }
}

void pki_remove(const struct pki *pki) {
    const char *const paths[] = {pki->ca,          pki->other_ca,   pki->server_cert,   pki->server_key,
                                 pki->client_cert, pki->client_key, pki->stranger_cert, pki->stranger_key};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        (void)unlink(paths[i]);
    }
    (void)rmdir(pki->directory);
}
