/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * set.h - "is the register one of these": a comparison where one will do, an
 * anonymous set where there are several.
 *
 *     53                cmp eq            hash set where all are single values,
 *     161-162           cmp gte, cmp lte  else an interval set (rbtree): each
 *     { 53, 123 }       lookup            interval is a start and, one past its
 *     { 53, 161-162 }   lookup            last, an end (nft's segtree.c)
 */
#ifndef BACKENDS_MARK_SET_H
#define BACKENDS_MARK_SET_H

#include "backends/mark/expr.h"
#include "model/value.h"

/* Numbers of nft's datatypes (its include/datatype.h; never changed, since the
 * kernel keeps them for nft to print by). */
enum nft_datatype {
	DATATYPE_INTEGER = 4,
	DATATYPE_IPV4 = 7,
	DATATYPE_IPV6 = 8,
	DATATYPE_PROTO = 12,
	DATATYPE_PORT = 13,
	DATATYPE_MARK = 19,
	DATATYPE_CLASSID = 23,
	DATATYPE_UID = 24,
	DATATYPE_GID = 25,
};

struct key_type {
	enum nft_datatype datatype;
	uint8_t length;	 /* bytes */
	bool host_order; /* in the register, so "less than" needs a swap */
};
extern const struct key_type key_port, key_length, key_uid, key_gid, key_ipv4,
	key_ipv6, key_proto;

/* Both ends included, network order. */
struct interval {
	uint8_t from[16], to[16];
};
/* Sorts, and joins what overlaps or touches. Returns how many are left. */
size_t intervals_join(struct interval *items, size_t count, size_t length);

/* items as intervals_join() leaves them; count at least 1. */
void set_test(struct draft *draft, const struct key_type *key,
	      const struct interval *items, size_t count);
void set_test_ranges(struct draft *draft, const struct key_type *key,
		     const struct ranges *ranges);

/* What nft wants to know of an anonymous set and what no comparison looks at:
 * its number of elements and the order of bytes. For sending. */
void set_hints(struct text *out, struct span attrs, struct span elements);

#endif
