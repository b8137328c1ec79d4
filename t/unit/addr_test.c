
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "unit.h"
#include "ai_addr.h"

#include <arpa/inet.h>


static const struct {
    const char  *text;
    ai_addr_e    kind;
} cases[] = {
    { "8.8.8.8", AI_ADDR_PUBLIC },
    { "1.0.0.0", AI_ADDR_PUBLIC },
    { "0.255.255.255", AI_ADDR_PRIVATE },
    { "9.255.255.255", AI_ADDR_PUBLIC },
    { "10.0.0.0", AI_ADDR_PRIVATE },
    { "10.255.255.255", AI_ADDR_PRIVATE },
    { "11.0.0.0", AI_ADDR_PUBLIC },
    { "100.63.255.255", AI_ADDR_PUBLIC },
    { "100.64.0.0", AI_ADDR_PRIVATE },
    { "100.127.255.255", AI_ADDR_PRIVATE },
    { "100.128.0.0", AI_ADDR_PUBLIC },
    { "127.0.0.1", AI_ADDR_PRIVATE },
    { "128.0.0.0", AI_ADDR_PUBLIC },
    { "169.253.255.255", AI_ADDR_PUBLIC },
    { "169.254.169.254", AI_ADDR_LINK_LOCAL },
    { "169.255.0.0", AI_ADDR_PUBLIC },
    { "172.15.255.255", AI_ADDR_PUBLIC },
    { "172.16.0.0", AI_ADDR_PRIVATE },
    { "172.31.255.255", AI_ADDR_PRIVATE },
    { "172.32.0.0", AI_ADDR_PUBLIC },
    { "192.0.0.255", AI_ADDR_PRIVATE },
    { "192.0.1.0", AI_ADDR_PUBLIC },
    { "192.167.255.255", AI_ADDR_PUBLIC },
    { "192.168.255.255", AI_ADDR_PRIVATE },
    { "198.17.255.255", AI_ADDR_PUBLIC },
    { "198.19.255.255", AI_ADDR_PRIVATE },
    { "223.255.255.255", AI_ADDR_PUBLIC },
    { "224.0.0.1", AI_ADDR_PRIVATE },
    { "255.255.255.255", AI_ADDR_PRIVATE },
    { "::", AI_ADDR_PRIVATE },
    { "::1", AI_ADDR_PRIVATE },
    { "::127.0.0.1", AI_ADDR_PRIVATE },
    { "2606:4700::1", AI_ADDR_PUBLIC },
    { "::ffff:8.8.8.8", AI_ADDR_PUBLIC },
    { "::ffff:10.0.0.1", AI_ADDR_PRIVATE },
    { "::ffff:169.254.169.254", AI_ADDR_LINK_LOCAL },
    { "64:ff9b::8.8.8.8", AI_ADDR_PUBLIC },
    { "64:ff9b::192.168.0.1", AI_ADDR_PRIVATE },
    { "2002:a9fe:a9fe::1", AI_ADDR_LINK_LOCAL },
    { "2002:0808:0808::1", AI_ADDR_PUBLIC },
    { "fbff::1", AI_ADDR_PUBLIC },
    { "fc00::1", AI_ADDR_PRIVATE },
    { "fdff::1", AI_ADDR_PRIVATE },
    { "fe00::1", AI_ADDR_PUBLIC },
    { "fe80::1", AI_ADDR_LINK_LOCAL },
    { "febf::1", AI_ADDR_LINK_LOCAL },
    { "fec0::1", AI_ADDR_PRIVATE },
    { "ff02::1", AI_ADDR_PRIVATE }
};


static void
test_kinds(void)
{
    size_t  i;
    u_char  addr[16];

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        if (strchr(cases[i].text, ':')) {
            CHECK_INT(inet_pton(AF_INET6, cases[i].text, addr), 1);
            CHECK_INT(ai_addr_kind(addr, 16), cases[i].kind);

        } else {
            CHECK_INT(inet_pton(AF_INET, cases[i].text, addr), 1);
            CHECK_INT(ai_addr_kind(addr, 4), cases[i].kind);
        }
    }
}


int
main(void)
{
    UNIT_RUN(test_kinds);

    return unit_done();
}
