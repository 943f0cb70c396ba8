/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/nfattr.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

static void put_header(struct text *out, unsigned type, size_t length)
{
	struct nlattr header = { .nla_len = (uint16_t)(NLA_HDRLEN + length),
				 .nla_type = (uint16_t)type };

	assert(NLA_HDRLEN + length <= UINT16_MAX);
	text_put_bytes(out, &header, sizeof(header));
}

void nfattr_put(struct text *out, unsigned type, const void *data,
		size_t length)
{
	put_header(out, type, length);
	text_put_bytes(out, data, length);
	text_fill(out, '\0', NLA_ALIGN(length) - length);
}

void nfattr_put_u32(struct text *out, unsigned type, uint32_t u)
{
	uint32_t big = htobe32(u);

	nfattr_put(out, type, &big, sizeof(big));
}

void nfattr_put_text(struct text *out, unsigned type, const char *text)
{
	nfattr_put(out, type, text, strlen(text) + 1);
}

size_t nfattr_open(struct text *out, unsigned type)
{
	size_t at = out->length;

	put_header(out, type, 0);
	return at;
}

void nfattr_close(struct text *out, size_t at)
{
	size_t length = out->length - at;
	uint16_t written = (uint16_t)length;

	assert(length <= UINT16_MAX);
	memcpy(out->bytes + at, &written, sizeof(written));
}

struct span nfattr_span(const struct nlattr *attr)
{
	return attr ? (struct span){ nla_data(attr), (size_t)nla_len(attr) }
		    : (struct span){ NULL, 0 };
}

struct span nfattr_text(const struct text *text)
{
	return (struct span){ text_get(text), text->length };
}

const struct nlattr *nfattr_find(struct span in, unsigned type)
{
	return in.length ? nla_find(in.at, (int)in.length, (int)type) : NULL;
}

uint32_t nfattr_u32(struct span in, unsigned type)
{
	struct span found = nfattr_span(nfattr_find(in, type));
	uint32_t u = 0;

	if (found.length == sizeof(u))
		memcpy(&u, found.at, sizeof(u));
	return be32toh(u);
}

uint64_t nfattr_u64(struct span in, unsigned type)
{
	struct span found = nfattr_span(nfattr_find(in, type));
	uint64_t u = 0;

	if (found.length == sizeof(u))
		memcpy(&u, found.at, sizeof(u));
	return be64toh(u);
}

const char *nfattr_string(struct span in, unsigned type)
{
	struct span found = nfattr_span(nfattr_find(in, type));

	return found.length && memchr(found.at, '\0', found.length) ? found.at
								    : NULL;
}

static bool is_zero(struct span in)
{
	const uint8_t *byte = in.at;

	for (size_t i = 0; i < in.length; i++)
		if (byte[i])
			return false;
	return true;
}

void nfattr_pick(struct text *out, struct span in,
		 const struct nfattr_kept *kept)
{
	for (; kept->type; kept++) {
		const struct nlattr *attr = nfattr_find(in, kept->type);
		struct span found = nfattr_span(attr);
		size_t at;

		if (!attr || (kept->unless_zero && is_zero(found)))
			continue;
		if (!kept->inside) {
			nfattr_put(out, kept->type, found.at, found.length);
			continue;
		}
		at = nfattr_open(out, kept->type);
		nfattr_pick(out, found, kept->inside);
		nfattr_close(out, at);
	}
}
