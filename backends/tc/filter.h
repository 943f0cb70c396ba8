/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * filter.h - somebody else's filter as conditions of a match.
 *
 * Of fw, u32 and flower what can be said exactly: a mark; protocol, ports,
 * networks and code point of IPv4 or IPv6. u32 looks where a header without
 * options has its fields, and so means a little less than the match does.
 */
#ifndef BACKENDS_TC_FILTER_H
#define BACKENDS_TC_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/text.h"

struct nlattr;
struct tc_object;
struct text;

struct filter {
	uint32_t classid;
	bool is_mark; /* ...and nothing else than a mark */
	uint32_t mark, mask;
	int family; /* AF_UNSPEC: both */
	bool has_proto, has_dscp;
	uint8_t proto, dscp;
	struct ports {
		bool is;
		uint16_t from, to;
	} sport, dport;
	struct network {
		bool is;
		uint8_t bytes[16];
		unsigned length;
	} src, dst;
};

/* object: TC_OTHER, its raw the options. false: it cannot be said, or not
 * exactly; why gets the reason. */
bool filter_read(const struct tc_object *object, struct filter *out,
		 const char **why);
/* "proto=udp dport=53 src=0.0.0.0/0"; empty if it takes all. */
void filter_print(const struct filter *filter, struct text *out);

/* May it be made again from what the kernel tells of it? */
bool filter_keeps(const struct tc_object *object);
/* Its options, less what the kernel says but does not take. */
void filter_options(const char *kind, const struct nlattr *options,
		    struct text *out);

#endif
