/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys of tunnels, as WireGuard writes them: 32 bytes in base64 (RFC 4648, 4),
 * in the one spelling that has no stray bits. A secret one is kept elsewhere
 * (model/secret.h); in its place stands what tells it from others.
 */
#include "model/base/crypto.h"
#include "model/kind.h"
#include "model/types/held.h"
#include "model/types/plain.h"
#include "model/secret.h"
#include "model/value.h"

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	if (!crypto_is_key(text) &&
	    !(attr->flags & ATTR_SECRET && secret_is_hidden(text)))
		return err_set(err, EINVAL,
			       "%s is no key: it has 44 characters of base64, "
			       "the last of them =",
			       attr->flags & ATTR_SECRET ? "that"
							 : PLAIN(text));
	held_text_set(out, text);
	return 0;
}

const struct type type_key = {
	.name = "key",
	.hint = "44 characters of base64",
	.parse = parse,
	.print = held_text_print,
	.equal = held_text_equal,
	.clear = held_text_clear,
	.copy = held_text_copy,
};
