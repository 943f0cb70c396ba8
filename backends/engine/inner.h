/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * inner.h - whose an inner address is: longest prefix first.
 *
 * One hash table over (length, masked address), and a list of the lengths there
 * are: a lookup costs one probe a length, and most links have one or two.
 * IPv4 addresses are IPv4-mapped ones; their prefix lengths are 96 and more.
 */
#ifndef BACKENDS_ENGINE_INNER_H
#define BACKENDS_ENGINE_INNER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/base/mem.h"

struct inner_prefix {
	struct in6_addr address; /* masked */
	uint8_t length;		 /* 0..128 */
};
/* "10.0.0.0/8", "10.77.0.2", "2001:db8::/64"; bits beyond the length are
 * cleared. -EINVAL, -ERANGE. */
int inner_prefix_parse(const char *text, struct inner_prefix *prefix,
		       struct err *err);
enum { INNER_TEXT = 64 };
void inner_prefix_print(const struct inner_prefix *prefix,
			char text[INNER_TEXT]);

struct inner_map;
struct inner_map *inner_map_new(void);
void inner_map_free(struct inner_map *prefixes);
AUTO_DEFINE(inner_map, struct inner_map *, inner_map_free)

/* owner is borrowed and not NULL. -EEXIST: somebody has just this one. */
int inner_map_add(struct inner_map *prefixes, const struct inner_prefix *prefix,
		  void *owner);
void inner_map_remove(struct inner_map *prefixes,
		      const struct inner_prefix *prefix);
/* NULL: nobody. */
void *inner_map_find(const struct inner_map *prefixes,
		     const struct in6_addr *address);
/* The same for the address at bytes in a packet: 4 or 16 of them. */
void *inner_map_find_packet(const struct inner_map *prefixes, uint8_t version,
			    const uint8_t *bytes);

#endif
