/* SPDX-License-Identifier: GPL-3.0-or-later */
/* address, prefix and the list of networks: all are a struct prefix. */
#include <arpa/inet.h>
#include <string.h>

#include "model/base/mem.h"
#include "model/kind.h"
#include "model/types/plain.h"
#include "model/types/prefix.h"
#include "model/types/scan.h"
#include "model/value.h"

unsigned prefix_bits(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

static const char *family_name(uint8_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

/* For messages. */
static const char *family_example(const struct attr *attr)
{
	uint8_t family = attr ? attr->family : 0;

	return family == AF_INET    ? "192.0.2.1"
	       : family == AF_INET6 ? "2001:db8::1"
				    : "192.0.2.1 or 2001:db8::1";
}

static int family_check(const struct attr *attr, uint8_t family,
			const char *text, struct err *err)
{
	if (!attr || !attr->family || attr->family == family)
		return 0;
	return err_set(err, EINVAL, "%s: is %s; it must be %s, as %s",
		       PLAIN(text), family_name(family),
		       family_name(attr->family), family_example(attr));
}

static int address_parse(const struct attr *attr, const char *text,
			 struct prefix *out, struct err *err)
{
	struct prefix address = { .family = AF_INET };

	if (strchr(text, '%'))
		return err_set(err, EINVAL,
			       "%s: the device is named elsewhere, write the "
			       "address without %%",
			       PLAIN(text));
	if (inet_pton(AF_INET, text, address.bytes) != 1) {
		address.family = AF_INET6;
		if (inet_pton(AF_INET6, text, address.bytes) != 1)
			return err_set(err, EINVAL,
				       "%s: not an IP address, as %s",
				       PLAIN(text), family_example(attr));
	}
	address.length = (uint8_t)prefix_bits(address.family);
	*out = address;
	return family_check(attr, address.family, text, err);
}

static void address_print(const struct prefix *address, struct text *out)
{
	char bytes[INET6_ADDRSTRLEN];

	/* Fails for other families only: a value that was never set. */
	if (inet_ntop(address->family, address->bytes, bytes, sizeof(bytes)))
		text_put(out, bytes);
}

void prefix_print(const struct prefix *prefix, struct text *out)
{
	address_print(prefix, out);
	text_printf(out, "/%u", (unsigned)prefix->length);
}

static int length_parse(const char *text, const char *at, struct prefix *prefix,
			struct err *err)
{
	unsigned most = prefix_bits(prefix->family);
	uint64_t length = 0;
	int rc = scan_digits(&at, 10, most, &length);

	if (rc == -EINVAL || *at)
		return err_set(err, EINVAL,
			       "%s: the length is not a number, 0 to %u",
			       PLAIN(text), most);
	if (rc == -ERANGE)
		return err_set(err, ERANGE, "%s: the length is at most %u",
			       PLAIN(text), most);
	prefix->length = (uint8_t)length;
	return 0;
}

static int prefix_parse(const struct attr *attr, const char *text,
			struct prefix *out, struct err *err)
{
	const char *slash = strchrnul(text, '/');
	AUTO(str) char *address = mem_strndup(text, (size_t)(slash - text));
	int rc = address_parse(attr, address, out, err);

	if (rc == 0 && *slash)
		rc = length_parse(text, slash + 1, out, err);
	return rc;
}

int prefix_read(const char *text, struct prefix *out, struct err *err)
{
	return prefix_parse(NULL, text, out, err);
}

bool prefix_has(const struct prefix *net, const struct prefix *within)
{
	unsigned whole = net->length / 8, bits = net->length % 8;
	uint8_t mask = (uint8_t)(0xff00 >> bits);

	if (within->family != net->family || within->length < net->length ||
	    memcmp(within->bytes, net->bytes, whole) != 0)
		return false;
	return !bits || !((within->bytes[whole] ^ net->bytes[whole]) & mask);
}

bool prefix_overlap(const struct prefix *a, const struct prefix *b)
{
	return prefix_has(a, b) || prefix_has(b, a);
}

bool prefix_trim(struct prefix *prefix)
{
	unsigned bits = prefix_bits(prefix->family);
	bool any = false;

	for (unsigned bit = prefix->length; bit < bits; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		any = any || (prefix->bytes[bit / 8] & mask);
		prefix->bytes[bit / 8] &= (uint8_t)~mask;
	}
	return any;
}

static int network_parse(const struct attr *attr, const char *text,
			 struct prefix *out, struct err *err)
{
	AUTO_TEXT network = TEXT_NONE;
	int rc = prefix_parse(attr, text, out, err);

	if (rc < 0 || !prefix_trim(out))
		return rc;
	prefix_print(out, &network);
	return err_set(err, EINVAL, "%s has host bits; the network is %s",
		       PLAIN(text), text_get(&network));
}

static int by_place(const void *a, const void *b)
{
	const struct prefix *left = a, *right = b;
	int order = left->family - right->family;

	if (!order)
		order = memcmp(left->bytes, right->bytes, sizeof(left->bytes));
	return order ? order : left->length - right->length;
}

static void prefixes_sort(struct prefixes *prefixes)
{
	struct prefix *last = prefixes->item;

	qsort(last, prefixes->count, sizeof(*last), by_place);
	for (size_t i = 1; i < prefixes->count; i++)
		if (by_place(last, &prefixes->item[i]))
			*++last = prefixes->item[i];
	prefixes->count = (size_t)(last - prefixes->item) + 1;
}

static size_t prefixes_size(size_t count)
{
	return sizeof(struct prefixes) + count * sizeof(struct prefix);
}

static size_t items_in(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == ',';
	return count;
}

static int type_address_parse(const struct attr *attr, const char *text,
			      struct value *out, struct err *err)
{
	struct prefix address;
	int rc;

	if (strchr(text, '/'))
		return err_set(err, EINVAL,
			       "%s: an address has no length, as %s",
			       PLAIN(text), family_example(attr));
	rc = address_parse(attr, text, &address, err);
	if (rc < 0)
		return rc;
	*out = (struct value){ .prefix = address };
	return 0;
}

static void type_address_print(const struct attr *attr,
			       const struct value *value, struct text *out)
{
	(void)attr;
	address_print(&value->prefix, out);
}

static int type_prefix_parse(const struct attr *attr, const char *text,
			     struct value *out, struct err *err)
{
	struct prefix prefix;
	int rc = prefix_parse(attr, text, &prefix, err);

	if (rc < 0)
		return rc;
	*out = (struct value){ .prefix = prefix };
	return 0;
}

static void type_prefix_print(const struct attr *attr,
			      const struct value *value, struct text *out)
{
	(void)attr;
	prefix_print(&value->prefix, out);
}

static int type_prefixes_parse(const struct attr *attr, const char *text,
			       struct value *out, struct err *err)
{
	size_t count = items_in(text);
	AUTO(mem) void *room = mem_alloc(prefixes_size(count));
	struct prefixes *prefixes = room;
	int rc;

	for (; prefixes->count < count; prefixes->count++) {
		size_t length = strcspn(text, ",");
		AUTO(str) char *item = mem_strndup(text, length);

		rc = network_parse(attr, item, &prefixes->item[prefixes->count],
				   err);
		if (rc < 0)
			return rc;
		text += length + 1;
	}
	prefixes_sort(prefixes);
	*out = (struct value){ .prefixes = prefixes };
	TAKE(room);
	return 0;
}

static void type_prefixes_print(const struct attr *attr,
				const struct value *value, struct text *out)
{
	const struct prefixes *prefixes = value->prefixes;

	(void)attr;
	for (size_t i = 0; prefixes && i < prefixes->count; i++) {
		const struct prefix *prefix = &prefixes->item[i];

		if (i)
			text_put(out, ",");
		if (prefix->length == prefix_bits(prefix->family))
			address_print(prefix, out);
		else
			prefix_print(prefix, out);
	}
}

static void prefixes_clear(struct value *value)
{
	free(value->prefixes);
	value->prefixes = NULL;
}

static void prefixes_copy(const struct value *from, struct value *to)
{
	const struct prefixes *prefixes = from->prefixes;

	*to = (struct value){ 0 };
	if (prefixes)
		to->prefixes =
			mem_dup(prefixes, prefixes_size(prefixes->count));
}

const struct type type_address = {
	.name = "address",
	.hint = "192.0.2.1 or 2001:db8::1",
	.parse = type_address_parse,
	.print = type_address_print,
};

const struct type type_prefix = {
	.name = "prefix",
	.hint = "192.0.2.2/24 or 2001:db8::2/64",
	.parse = type_prefix_parse,
	.print = type_prefix_print,
};

static bool prefixes_equal(const struct value *a, const struct value *b)
{
	const struct prefixes *left = a->prefixes, *right = b->prefixes;

	if (!left || !right)
		return left == right;
	if (left->count != right->count)
		return false;
	for (size_t i = 0; i < left->count; i++)
		if (by_place(&left->item[i], &right->item[i]))
			return false;
	return true;
}

const struct type type_prefixes = {
	.name = "networks",
	.hint = "192.0.2.0/24,198.51.100.7,2001:db8::/32",
	.parse = type_prefixes_parse,
	.print = type_prefixes_print,
	.equal = prefixes_equal,
	.clear = prefixes_clear,
	.copy = prefixes_copy,
};
