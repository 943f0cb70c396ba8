/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/tc/heed.h"

#include <string.h>

int heed_read_bytes(const void *bytes, size_t size, struct heed *out,
		    struct err *err)
{
	const struct nlattr *at = bytes;
	int left = (int)size;

	memset(out, 0, sizeof(*out));
	while (nla_ok(at, left)) {
		int type = nla_type(at);

		if (type >= HEED_MOST || out->attrs[type])
			return err_set(err, EOPNOTSUPP,
				       "the kernel tells of it in a way that "
				       "this Tresse does not know (attribute "
				       "%d)",
				       type);
		out->attrs[type] = at;
		at = nla_next(at, &left);
	}
	/* Less than a header is padding. */
	if (left >= (int)sizeof(*at))
		return err_set(err, EOPNOTSUPP,
			       "what the kernel tells of it cannot be read");
	return 0;
}

int heed_read(const struct nlattr *nest, struct heed *out, struct err *err)
{
	return heed_read_bytes(nest ? nla_data(nest) : "",
			       nest ? (size_t)nla_len(nest) : 0, out, err);
}

const struct nlattr *heed_attr(struct heed *heed, int type)
{
	heed->heard[type] = true;
	return heed->attrs[type];
}

bool heed_has(const struct heed *heed, int type)
{
	return heed->attrs[type] != NULL;
}

uint64_t heed_number(struct heed *heed, int type, uint64_t otherwise)
{
	const struct nlattr *attr = heed_attr(heed, type);
	uint64_t u64 = 0;
	uint32_t u32 = 0;
	uint16_t u16 = 0;

	if (!attr)
		return otherwise;
	switch (nla_len(attr)) {
	case 1: return *(const uint8_t *)nla_data(attr);
	case 2: memcpy(&u16, nla_data(attr), 2); return u16;
	case 4: memcpy(&u32, nla_data(attr), 4); return u32;
	case 8: memcpy(&u64, nla_data(attr), 8); return u64;
	default: heed->heard[type] = false; return otherwise;
	}
}

bool heed_struct(struct heed *heed, int type, void *out, size_t size)
{
	const struct nlattr *attr = heed_attr(heed, type);

	memset(out, 0, size);
	if (!attr || nla_len(attr) < (int)size)
		return false;
	memcpy(out, nla_data(attr), size);
	return true;
}

void heed_skip(struct heed *heed, int type)
{
	heed->heard[type] = true;
}

int heed_all(const struct heed *heed, const char *of, struct err *err)
{
	for (int type = 0; type < HEED_MOST; type++)
		if (heed->attrs[type] && !heed->heard[type])
			return err_set(err, EOPNOTSUPP,
				       "of %s the kernel tells something for "
				       "which Tresse knows no word of tc "
				       "(attribute %d)",
				       of, type);
	return 0;
}
