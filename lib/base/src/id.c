#include "cs/base/id.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void cs_random_bytes(void *ret_bytes, size_t size_bytes) {
    unsigned char *at = ret_bytes;
    while (size_bytes > 0) {
        ssize_t got = getrandom(at, size_bytes, 0);
        if (got <= 0) {
            continue; /* EINTR: getrandom on Linux fails for nothing else with these arguments */
        }
        at += got;
        size_bytes -= (size_t)got;
    }
}

uint64_t cs_random_u64(void) {
    uint64_t value;
    cs_random_bytes(&value, sizeof(value));
    return value;
}

void cs_id_make(char ret_id[CS_ID_SIZE]) {
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    enum { LETTERS = sizeof(alphabet) - 1, FAIR = 256 / LETTERS * LETTERS };
    size_t made = 0;
    while (made < CS_ID_LENGTH) {
        unsigned char bytes[32];
        cs_random_bytes(bytes, sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes) && made < CS_ID_LENGTH; i++) {
            if (bytes[i] < FAIR) {
                ret_id[made++] = alphabet[bytes[i] % LETTERS];
            }
        }
    }
    ret_id[made] = '\0';
}

bool cs_id_valid(const char *id, size_t length_max) {
    static const char allowed[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.:-";
    if (id == NULL) {
        return false;
    }
    size_t length = strnlen(id, length_max + 1);
    return length >= 1 && length <= length_max && strspn(id, allowed) == length && strcmp(id, ".") != 0 &&
           strcmp(id, "..") != 0;
}
