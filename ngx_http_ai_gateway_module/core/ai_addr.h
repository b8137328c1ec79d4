
/*
 * Copyright (C) the ngx_http_ai_gateway_module authors
 *
 * Kinds of IP addresses: whether a name may lead there.
 */


#ifndef _AI_ADDR_H_INCLUDED_
#define _AI_ADDR_H_INCLUDED_


#include "ai.h"


typedef enum {
    AI_ADDR_PUBLIC = 0,
    AI_ADDR_PRIVATE,              /* loopback, RFC 1918, shared, unique
                                     local, multicast, reserved */
    AI_ADDR_LINK_LOCAL            /* where clouds have their metadata */
} ai_addr_e;


/*
 * The kind of an address in network order, of 4 or 16 bytes (IANA's special
 * purpose registries).  Those of IPv6 that stand for one of IPv4 (mapped,
 * NAT64, 6to4) are of its kind.
 */
ai_addr_e ai_addr_kind(const u_char *addr, size_t len);


#endif /* _AI_ADDR_H_INCLUDED_ */
