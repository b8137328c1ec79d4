
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 */


#include "ai_addr.h"


typedef struct {
    uint32_t    net;
    unsigned    bits;
    ai_addr_e   kind;
} ai_addr_net4_t;


typedef struct {
    u_char      net[2];
    unsigned    bits;
    ai_addr_e   kind;
} ai_addr_net6_t;


static ai_addr_e ai_addr_kind4(const u_char *addr);
static ai_uint_t ai_addr_embedded(const u_char *addr, const u_char **v4);


static const ai_addr_net4_t  ai_addr_nets4[] = {
    { 0x00000000, 8, AI_ADDR_PRIVATE },       /* this network */
    { 0x0a000000, 8, AI_ADDR_PRIVATE },       /* RFC 1918 */
    { 0x64400000, 10, AI_ADDR_PRIVATE },      /* RFC 6598, shared */
    { 0x7f000000, 8, AI_ADDR_PRIVATE },       /* loopback */
    { 0xa9fe0000, 16, AI_ADDR_LINK_LOCAL },   /* RFC 3927 */
    { 0xac100000, 12, AI_ADDR_PRIVATE },      /* RFC 1918 */
    { 0xc0000000, 24, AI_ADDR_PRIVATE },      /* RFC 6890 */
    { 0xc0a80000, 16, AI_ADDR_PRIVATE },      /* RFC 1918 */
    { 0xc6120000, 15, AI_ADDR_PRIVATE },      /* RFC 2544, benchmarks */
    { 0xe0000000, 3, AI_ADDR_PRIVATE }        /* multicast, reserved */
};


static const ai_addr_net6_t  ai_addr_nets6[] = {
    { { 0xfe, 0x80 }, 10, AI_ADDR_LINK_LOCAL },
    { { 0xfe, 0xc0 }, 10, AI_ADDR_PRIVATE },  /* RFC 3879, site-local */
    { { 0xfc, 0x00 }, 7, AI_ADDR_PRIVATE },   /* RFC 4193, unique local */
    { { 0xff, 0x00 }, 8, AI_ADDR_PRIVATE },   /* multicast */
    { { 0x00, 0x00 }, 16, AI_ADDR_PRIVATE }   /* loopback, unspecified */
};


ai_addr_e
ai_addr_kind(const u_char *addr, size_t len)
{
    size_t                 i;
    uint32_t               head, net;
    const u_char          *v4;
    const ai_addr_net6_t  *row;

    if (len == 4) {
        return ai_addr_kind4(addr);
    }

    if (ai_addr_embedded(addr, &v4)) {
        return ai_addr_kind4(v4);
    }

    head = (uint32_t) addr[0] << 8 | addr[1];

    for (i = 0; i < sizeof(ai_addr_nets6) / sizeof(ai_addr_nets6[0]); i++) {
        row = &ai_addr_nets6[i];
        net = (uint32_t) row->net[0] << 8 | row->net[1];

        if ((head ^ net) >> (16 - row->bits) == 0) {
            return row->kind;
        }
    }

    return AI_ADDR_PUBLIC;
}


static ai_addr_e
ai_addr_kind4(const u_char *addr)
{
    size_t                 i;
    uint32_t               ip;
    const ai_addr_net4_t  *row;

    ip = (uint32_t) addr[0] << 24 | (uint32_t) addr[1] << 16
         | (uint32_t) addr[2] << 8 | addr[3];

    for (i = 0; i < sizeof(ai_addr_nets4) / sizeof(ai_addr_nets4[0]); i++) {
        row = &ai_addr_nets4[i];

        if ((ip ^ row->net) >> (32 - row->bits) == 0) {
            return row->kind;
        }
    }

    return AI_ADDR_PUBLIC;
}


/* ::ffff:0:0/96, 64:ff9b::/96, 2002::/16 */

static ai_uint_t
ai_addr_embedded(const u_char *addr, const u_char **v4)
{
    static const u_char  mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                        0xff, 0xff };
    static const u_char  nat64[12] = { 0, 0x64, 0xff, 0x9b };

    if (memcmp(addr, mapped, 12) == 0 || memcmp(addr, nat64, 12) == 0) {
        *v4 = addr + 12;
        return 1;
    }

    if (addr[0] == 0x20 && addr[1] == 0x02) {
        *v4 = addr + 2;
        return 1;
    }

    return 0;
}
