/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nfattr.h - netlink attributes in one canonical form.
 *
 * What we write and what the kernel dumps is compared as bytes. So both are
 * brought to one form: the attributes that matter, in the order of a table,
 * without those that only say what would be so anyway. What a newer kernel adds
 * is in no table and makes no difference.
 */
#ifndef BACKENDS_MARK_NFATTR_H
#define BACKENDS_MARK_NFATTR_H

#include <netlink/attr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/text.h"

struct span {
	const void *at;
	size_t length;
};

void nfattr_put(struct text *out, unsigned type, const void *data,
		size_t length);
/* Big-endian, as nf_tables has its numbers. */
void nfattr_put_u32(struct text *out, unsigned type, uint32_t u);
/* With the zero at its end. */
void nfattr_put_text(struct text *out, unsigned type, const char *text);
/* What is put until close() is inside. */
size_t nfattr_open(struct text *out, unsigned type);
void nfattr_close(struct text *out, size_t at);

struct span nfattr_span(const struct nlattr *attr);
struct span nfattr_text(const struct text *text);
const struct nlattr *nfattr_find(struct span in, unsigned type);
/* 0 where it is missing or no number. */
uint32_t nfattr_u32(struct span in, unsigned type);
uint64_t nfattr_u64(struct span in, unsigned type);
/* A terminated text, or NULL. */
const char *nfattr_string(struct span in, unsigned type);

#define nfattr_each(attr, rest, in)                                            \
	for (attr = (in).at, rest = (int)(in).length; nla_ok(attr, rest);      \
	     attr = nla_next(attr, &rest))

struct nfattr_kept {
	uint16_t type;
	bool unless_zero; /* all zero bytes: what would be so anyway */
	const struct nfattr_kept *inside; /* a nest */
};
/* Appends what kept (ends with type 0) names. */
void nfattr_pick(struct text *out, struct span in,
		 const struct nfattr_kept *kept);

#endif
