/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * heed.h - what the kernel tells of something, and whether all of it was heard.
 *
 * Who turns attributes into words of tc must not pass one over: what is left
 * out is made differently. So each that is asked for is ticked off, and at the
 * end heed_all() names the first that nobody asked for.
 *
 *     struct heed heed;
 *     if (heed_read(attr, &heed, err) < 0) ...
 *     limit = heed_u32(&heed, TCA_CODEL_LIMIT, 0);
 *     ...
 *     return heed_all(&heed, "codel", err);
 */
#ifndef BACKENDS_TC_HEED_H
#define BACKENDS_TC_HEED_H

#include <netlink/attr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/err.h"

/* flower has some 110. */
#define HEED_MOST 128

/* Borrowed: as long as the message. */
struct heed {
	const struct nlattr *attrs[HEED_MOST];
	bool heard[HEED_MOST];
};

/* The attributes nested in one, which may be NULL: none. EOPNOTSUPP: not as the
 * kernel writes them, or with numbers from HEED_MOST on. */
int heed_read(const struct nlattr *nest, struct heed *out, struct err *err);
/* The same of bytes, as they follow a struct. */
int heed_read_bytes(const void *bytes, size_t size, struct heed *out,
		    struct err *err);

/* NULL: not told. Ticked off. */
const struct nlattr *heed_attr(struct heed *heed, int type);
bool heed_has(const struct heed *heed, int type);
/* Numbers of 1 to 8 bytes, by the attribute's own length; otherwise where it is
 * not told. */
uint64_t heed_number(struct heed *heed, int type, uint64_t otherwise);
static inline uint32_t heed_u32(struct heed *heed, int type, uint32_t otherwise)
{
	return (uint32_t)heed_number(heed, type, otherwise);
}
/* false: not heed, or shorter. */
bool heed_struct(struct heed *heed, int type, void *out, size_t size);
/* Counters and the like, which nobody can ask for. */
void heed_skip(struct heed *heed, int type);

/* EOPNOTSUPP and which one, if there is any that was not asked for. */
int heed_all(const struct heed *heed, const char *of, struct err *err);

#endif
