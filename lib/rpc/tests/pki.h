/*
 * pki: a certificate authority for tests, in a directory of its own.
 *
 *     ca.pem other-ca.pem server.pem server.key client.pem client.key (of ca), stranger.pem stranger.key (of other-ca)
 *
 * The server's certificate is for localhost and 127.0.0.1.
 */
#ifndef RPC_TEST_PKI_H
#define RPC_TEST_PKI_H

struct pki {
    char directory[64];
    char ca[96];
    char other_ca[96];
    char server_cert[96];
    char server_key[96];
    char client_cert[96];
    char client_key[96];
    char stranger_cert[96];
    char stranger_key[96];
};

void pki_create(struct pki *pki);
void pki_remove(const struct pki *pki);

#endif
