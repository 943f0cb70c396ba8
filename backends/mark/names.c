/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/names.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "backends/mark/item.h"

enum {
	COMMENT_LIMIT = 127, /* and a zero */
	TAIL = COMMENT_LIMIT - 17,
	UDATA_COMMENT = 0, /* NFTNL_UDATA_RULE_COMMENT */
};

char *names_for(const char *prefix, const char *uplink)
{
	struct text out = TEXT_NONE;

	text_put(&out, prefix);
	for (const char *c = uplink; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("._-", *c))
			text_put_char(&out, *c);
		else
			text_printf(&out, "/%02x", (unsigned char)*c);
	}
	return text_take(&out);
}

void names_comment(const char *path, struct text *out)
{
	size_t length = strlen(path);

	if (length <= COMMENT_LIMIT) {
		text_put(out, path);
		return;
	}
	text_printf(out, "~%016" PRIx64 "%s",
		    item_hash_bytes(ITEM_HASH_SEED, path, length),
		    path + length - TAIL);
}

void names_userdata(const char *comment, struct text *out)
{
	size_t length = strlen(comment) + 1;

	text_put_char(out, UDATA_COMMENT);
	text_put_char(out, (char)length);
	text_put_bytes(out, comment, length);
}
