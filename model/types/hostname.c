/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of hosts, as RFC 1123 (section 2.1) has them and DNS compares them: in
 * lower case. */
#include <ctype.h>
#include <string.h>

#include "model/base/mem.h"
#include "model/types/held.h"
#include "model/types/plain.h"
#include "model/value.h"

/* What xt_string looks for has at most 128 bytes (XT_STRING_MAX_PATTERN_SIZE),
 * and a header's name goes in front. */
enum { NAME_MOST = 118, LABEL_MOST = 63 };

static int refuse_byte(const char *name, const char *at, struct err *err)
{
	if (*at == '*')
		return err_set(err, EINVAL,
			       "%s: only a whole name can be looked for: one "
			       "match for each",
			       PLAIN(name));
	if ((unsigned char)*at >= 0x80)
		return err_set(err, EINVAL,
			       "%s: write it as it travels, in ASCII "
			       "(xn--...)",
			       PLAIN(name));
	return err_set(err, EINVAL,
		       "%s: a host's name has letters, digits, - and . only, "
		       "and no address or port",
		       PLAIN(name));
}

static int check_label(const char *name, const char *label, size_t length,
		       struct err *err)
{
	if (!length)
		return err_set(err, EINVAL,
			       "%s: a label is missing before or after a dot",
			       PLAIN(name));
	if (length > LABEL_MOST || label[0] == '-' || label[length - 1] == '-')
		return err_set(err, EINVAL,
			       "%s: between the dots stand at most %d "
			       "characters, and none begins or ends with -",
			       PLAIN(name), LABEL_MOST);
	return 0;
}

static int hostname_check(const char *name, struct err *err)
{
	const char *label = name;
	int rc = plain_check(name, NAME_MOST, err);

	for (const char *at = name; rc == 0; at++) {
		if (*at && *at != '.' && *at != '-' && *at != '_' &&
		    !isalnum((unsigned char)*at))
			return refuse_byte(name, at, err);
		if (*at && *at != '.')
			continue;
		rc = check_label(name, label, (size_t)(at - label), err);
		label = at + 1;
		if (!*at)
			break;
	}
	return rc;
}

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	AUTO(str) char *name = mem_strdup(text);
	int rc = hostname_check(text, err);

	(void)attr;
	if (rc < 0)
		return rc;
	for (char *at = name; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	held_text_set(out, name);
	return 0;
}

const struct type type_hostname = {
	.name = "hostname",
	.hint = "www.example.net",
	.parse = parse,
	.print = held_text_print,
	.equal = held_text_equal,
	.clear = held_text_clear,
	.copy = held_text_copy,
};
