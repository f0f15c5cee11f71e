/* COVERS address.c url.c: the guard, with the cases of docs/security.md. */
#include <stdio.h>
#include <string.h>

#include "cs/base/auto.h"
#include "cs/http.h"
#include "cs/test.h"

static const struct cs_http_policy tenant = {.allow_http = true};

TEST(x5_forbidden_ranges_are_forbidden_to_their_edges) {
    static const char *const forbidden[] = {
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.0",
        "192.0.0.255",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.255",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:a00:1",
        "::7f00:1",
        "::8.8.8.8",
        "64:ff9b::a00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:ffff::1",
        "2001:db8::1",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "2002::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "3fff::1",
        "3fff:fff:ffff::",
        "5f00::1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "feff::1",
        "ff02::1",
        "4000::1", /* not handed out */
    };
    for (size_t i = 0; i < CS_COUNT(forbidden); i++) {
        if (!cs_address_forbidden(forbidden[i])) {
            fail_msg("%s is allowed", forbidden[i]);
        }
    }
}

TEST(neighbours_of_forbidden_ranges_are_allowed) {
    static const char *const allowed[] = {
        "1.0.0.0",          "9.255.255.255",   "11.0.0.0",
        "100.63.255.255",   "100.128.0.0",     "126.255.255.255",
        "128.0.0.0",        "169.253.255.255", "169.255.0.0",
        "172.15.255.255",   "172.32.0.0",      "191.255.255.255",
        "192.0.1.0",        "192.0.3.0",       "192.88.98.255",
        "192.88.100.0",     "192.167.255.255", "192.169.0.0",
        "198.17.255.255",   "198.20.0.0",      "198.51.99.255",
        "198.51.101.0",     "203.0.112.255",   "203.0.114.0",
        "223.255.255.255",  "8.8.8.8",         "2001:4860:4860::8888",
        "2001:db7:ffff::1", "2001:db9::1",     "2003::1",
        "2606:4700::1111",  "3ffe::1",         "3fff:1000::1",
    };
    for (size_t i = 0; i < CS_COUNT(allowed); i++) {
        if (cs_address_forbidden(allowed[i])) {
            fail_msg("%s is forbidden", allowed[i]);
        }
    }
}

TEST(what_is_not_an_address_is_forbidden) {
    static const char *const odd[] = {"",         "localhost", "127.1",     "0x7f000001", "2130706433", "010.0.0.1",
                                      "8.8.8.8 ", "1.2.3",     "1.2.3.4.5", "[::1]",      "fe80::1%lo", "::g"};
    for (size_t i = 0; i < CS_COUNT(odd); i++) {
        assert_true(cs_address_forbidden(odd[i]));
    }
}

TEST(good_urls_are_taken_apart) {
    static const struct {
        const char *text, *scheme, *host;
        uint16_t port;
        const char *path;
        bool ip;
    } rows[] = {
        {"https://example.com", "https", "example.com", 443, "/", false},
        {"HTTPS://Example.COM/A?b=C", "https", "example.com", 443, "/A?b=C", false},
        {"http://example.com:8443/x", "http", "example.com", 8443, "/x", false},
        {"https://example.com?q", "https", "example.com", 443, "/?q", false},
        {"https://8.8.8.8/", "https", "8.8.8.8", 443, "/", true},
        {"https://[2606:4700:0::1111]:443/", "https", "2606:4700::1111", 443, "/", true},
        {"https://b\xc3\xbc"
         "cher.example/\xc3\xbc",
         "https", "xn--bcher-kva.example", 443, "/%C3%BC", false},
        {"https://under_score.example.com/%20a/../b", "https", "under_score.example.com", 443, "/%20a/../b", false},
    };
    for (size_t i = 0; i < CS_COUNT(rows); i++) {
        struct cs_url url;
        struct cs_err err = {0};
        assert_ok(cs_url_check(rows[i].text, &tenant, &url, &err), &err);
        assert_string_equal(url.scheme, rows[i].scheme);
        assert_string_equal(url.host, rows[i].host);
        assert_int_equal(url.port, rows[i].port);
        assert_string_equal(url.path, rows[i].path);
        assert_int_equal(url.host_is_ip, rows[i].ip);
    }
}

static void refused(const char *text, const struct cs_http_policy *policy, const char *reason) {
    struct cs_url url;
    struct cs_err err = {0};
    if (cs_url_check(text, policy, &url, &err) == CS_OK) {
        fail_msg("%s is allowed", text);
    }
    if (strcmp(err.reason, reason) != 0) {
        fail_msg("%s: %s instead of %s", text, err.reason, reason);
    }
}

TEST(malformed_urls_are_bad) {
    static const char *const bad[] = {
        "",
        "example.com",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https:/example.com",
        "https://",
        "https:///x",
        "https://user@example.com/",
        "https://user:pw@example.com/",
        "https://example.com@10.0.0.1/",
        "https://example.com/#frag",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/\r\nHost: x",
        "https://example.com\\@10.0.0.1/",
        "https://example.com:/",
        "https://example.com:0/",
        "https://example.com:080/",
        "https://example.com:65536/",
        "https://example.com:8a/",
        "https://example.com:443:443/",
        "https://[::1/",
        "https://[::1]x/",
        "https://[fe80::1%25lo]/",
        "https://[]/",
        "https://[127.0.0.1]/",
        "https://::1/",
        "https://a..example.com/",
        "https://.example.com/",
        "https://example.com./",
        "https://ex%61mple.com/",
        "https://exam$ple.com/",
        "https://\xff\xfe.example/",
        "https://example.com/\xc3\x28",
        "https://xn--\xc3\xbc.example/",
        "\thttps://example.com/",
    };
    for (size_t i = 0; i < CS_COUNT(bad); i++) {
        refused(bad[i], &tenant, "bad_url");
    }
    char longest[2100];
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "https://example.com/", 20);
    longest[2049] = '\0';
    refused(longest, &tenant, "bad_url");
    longest[2048] = '\0';
    struct cs_url url;
    struct cs_err err = {0};
    assert_ok(cs_url_check(longest, &tenant, &url, &err), &err);
    refused(NULL, &tenant, "bad_url");
}

TEST(x5_disguised_and_private_targets_are_refused_with_one_word) {
    static const char *const targets[] = {
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://017700000001/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "http://LOCALHOST/",
        "http://db/",
        "http://metadata.google.internal/",
        "http://printer.local/",
        "http://a.localhost/",
        "http://10.0.0.1/",
        "http://1.2.3.4.5/",
        "http://1.2.3.256/",
        "http://example.com:22/",
        "http://example.com:6379/",
        "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", /* full-width digits */
        "http://127\xe3\x80\x82"
        "0\xe3\x80\x82"
        "0\xe3\x80\x82"
        "1/", /* ideographic full stops */
    };
    for (size_t i = 0; i < CS_COUNT(targets); i++) {
        refused(targets[i], &tenant, "target_not_allowed");
    }
}

TEST(policy_decides_scheme_ports_and_private_targets) {
    struct cs_url url;
    struct cs_err err = {0};
    struct cs_http_policy strict = {0};
    refused("http://example.com/", &strict, "target_not_allowed");
    assert_ok(cs_url_check("https://example.com/", &strict, &url, &err), &err);

    uint16_t ports[] = {9000};
    struct cs_http_policy ported = {.ports = ports, .port_count = 1};
    assert_ok(cs_url_check("https://example.com:9000/", &ported, &url, &err), &err);
    refused("https://example.com:9001/", &ported, "target_not_allowed");

    struct cs_http_policy development = {.allow_http = true, .allow_private = true};
    static const char *const local[] = {"http://127.0.0.1:8081/x", "http://localhost:3000/",
                                        "http://receiver:80/",     "http://[::1]:8081/",
                                        "http://192.168.1.4/",     "http://[::ffff:127.0.0.1]/"};
    for (size_t i = 0; i < CS_COUNT(local); i++) {
        assert_ok(cs_url_check(local[i], &development, &url, &err), &err);
    }
    refused("http://169.254.169.254/", &development, "target_not_allowed");
    refused("http://[::ffff:169.254.169.254]/", &development, "target_not_allowed");
    refused("http://0.0.0.0/", &development, "target_not_allowed");
    refused("http://2130706433/", &development, "target_not_allowed");
}

TEST(refusals_do_not_tell_why) {
    struct cs_url url;
    struct cs_err port = {0};
    struct cs_err address = {0};
    assert_int_equal(cs_url_check("http://example.com:22/", &tenant, &url, &port), CS_PERMISSION_DENIED);
    assert_int_equal(cs_url_check("http://10.0.0.1/", &tenant, &url, &address), CS_PERMISSION_DENIED);
    assert_string_equal(port.reason, address.reason);
    assert_string_equal(port.message, address.message);
    assert_string_equal(port.path, address.path);
}

TEST(logged_urls_have_no_secrets) {
    char text[128];
    cs_url_for_log("https://hooks.example.com:9000/a/b?token=secret#frag", text, sizeof(text));
    assert_string_equal(text, "https://hooks.example.com:9000/a/b");
    cs_url_for_log("https://user:secret@example.com/", text, sizeof(text));
    assert_string_equal(text, "(bad url)");
    cs_url_for_log(NULL, text, sizeof(text));
    assert_string_equal(text, "(bad url)");
    cs_url_for_log("http://[::1]:81/x", text, sizeof(text));
    assert_string_equal(text, "http://[::1]:81/x");
}

TEST_MAIN(CS_TEST(x5_forbidden_ranges_are_forbidden_to_their_edges),
          CS_TEST(neighbours_of_forbidden_ranges_are_allowed), CS_TEST(what_is_not_an_address_is_forbidden),
          CS_TEST(good_urls_are_taken_apart), CS_TEST(malformed_urls_are_bad),
          CS_TEST(x5_disguised_and_private_targets_are_refused_with_one_word),
          CS_TEST(policy_decides_scheme_ports_and_private_targets), CS_TEST(refusals_do_not_tell_why),
          CS_TEST(logged_urls_have_no_secrets))
