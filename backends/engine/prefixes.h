/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prefixes.h - whose an inner address is: longest prefix first.
 *
 * One hash table over (length, masked address), and a list of the lengths there
 * are: a lookup costs one probe a length, and most links have one or two.
 * IPv4 addresses are IPv4-mapped ones; their prefix lengths are 96 and more.
 */
#ifndef BACKENDS_ENGINE_PREFIXES_H
#define BACKENDS_ENGINE_PREFIXES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/base/mem.h"

struct prefix {
	struct in6_addr address; /* masked */
	uint8_t length;		 /* 0..128 */
};
/* "10.0.0.0/8", "10.77.0.2", "2001:db8::/64"; bits beyond the length are
 * cleared. -EINVAL. */
int prefix_parse(const char *text, struct prefix *prefix, struct err *err);
enum { PREFIX_TEXT = 64 };
void prefix_print(const struct prefix *prefix, char text[PREFIX_TEXT]);

struct prefixes;
struct prefixes *prefixes_new(void);
void prefixes_free(struct prefixes *prefixes);
AUTO_DEFINE(prefixes, struct prefixes *, prefixes_free)

/* owner is borrowed and not NULL. -EEXIST: somebody has just this one. */
int prefixes_add(struct prefixes *prefixes, const struct prefix *prefix,
		 void *owner);
void prefixes_remove(struct prefixes *prefixes, const struct prefix *prefix);
/* NULL: nobody. */
void *prefixes_find(const struct prefixes *prefixes,
		    const struct in6_addr *address);
/* The same for the address at bytes in a packet: 4 or 16 of them. */
void *prefixes_find_packet(const struct prefixes *prefixes, uint8_t version,
			   const uint8_t *bytes);

#endif
