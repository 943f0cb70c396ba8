/* SPDX-License-Identifier: GPL-3.0-or-later */
/* iptables' --tcp-flags, turned round into value/mask as nft and tc have it. */
#include <string.h>
#include <strings.h>

#include "model/base/mem.h"
#include "model/types/named.h"
#include "model/types/plain.h"
#include "model/value.h"

static const struct named flags[] = {
	{ "urg", 32, "urgent" },
	{ "ack", 16, "acknowledgement" },
	{ "psh", 8, "push" },
	{ "rst", 4, "reset" },
	{ "syn", 2, "synchronize" },
	{ "fin", 1, "no more data" },
	{ "ece", 64, "ECN echo" },
	{ "cwr", 128, "congestion window reduced" },
	{ 0 },
};

static int no_such(const char *text, struct err *err)
{
	AUTO_TEXT names = TEXT_NONE;

	named_list(flags, &names);
	return err_set(err, EINVAL, "%s: no such TCP flag (%s)", PLAIN(text),
		       text_get(&names));
}

static int flags_parse(const char *text, uint32_t *out, struct err *err)
{
	const char *at = text;
	uint32_t sum = 0;

	for (;; at++) {
		size_t length = strcspn(at, ",");
		AUTO(str) char *item = mem_strndup(at, length);
		const struct named *row = named_find(flags, item);

		if (!row)
			return no_such(item, err);
		sum |= row->number;
		at += length;
		if (!*at)
			break;
	}
	*out = sum;
	return 0;
}

static void flags_print(uint32_t set, struct text *out)
{
	const char *comma = "";

	for (const struct named *row = flags; row->name; row++)
		if (set & row->number) {
			text_printf(out, "%s%s", comma, row->name);
			comma = ",";
		}
	if (!set)
		text_put(out, "none");
}

static int bits_check(const struct bits *bits, const char *text,
		      struct err *err)
{
	AUTO_TEXT names = TEXT_NONE;

	if (!bits->mask)
		return err_set(err, EINVAL,
			       "%s: say none of what, as none/syn,ack",
			       PLAIN(text));
	if (!(bits->value & ~bits->mask))
		return 0;
	flags_print(bits->value & ~bits->mask, &names);
	return err_set(err, EINVAL, "%s: %s must be in the mask too",
		       PLAIN(text), text_get(&names));
}

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	const char *slash = strchrnul(text, '/');
	AUTO(str) char *wanted = mem_strndup(text, (size_t)(slash - text));
	struct bits bits = { 0, 0 };
	int rc = 0;

	(void)attr;
	if (strcasecmp(wanted, "none") != 0)
		rc = flags_parse(wanted, &bits.value, err);
	bits.mask = bits.value;
	if (rc == 0 && *slash)
		rc = flags_parse(slash + 1, &bits.mask, err);
	if (rc == 0)
		rc = bits_check(&bits, text, err);
	if (rc < 0)
		return rc;
	*out = (struct value){ .bits = bits };
	return 0;
}

static void print(const struct attr *attr, const struct value *value,
		  struct text *out)
{
	(void)attr;
	flags_print(value->bits.value, out);
	text_put(out, "/");
	flags_print(value->bits.mask, out);
}

static void complete(const struct attr *attr, const char *prefix,
		     struct candidates *to)
{
	(void)attr;
	named_complete(flags, prefix, ",/", to);
}

const struct type type_tcpflags = {
	.name = "tcp-flags",
	.hint = "flags set/flags looked at: ack/urg,ack,psh,rst,syn,fin",
	.parse = parse,
	.print = print,
	.complete = complete,
};
