/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of devices, as dev_valid_name() of the kernel's net/core/dev.c has
 * them; what a terminal cannot show is refused on top. */
#include <net/if.h>
#include <string.h>

#include "model/base/mem.h"
#include "model/types/held.h"
#include "model/types/offer.h"
#include "model/types/plain.h"
#include "model/value.h"

static int ifname_check(const char *name, struct err *err)
{
	int rc = plain_check(name, 4096, err);

	if (rc < 0)
		return rc;
	if (strlen(name) >= IFNAMSIZ)
		return err_set(err, EINVAL,
			       "%s: a device name has at most %d bytes",
			       PLAIN(name), IFNAMSIZ - 1);
	/* The kernel's isspace() counts the byte 0xa0, which UTF-8 has inside
	 * of other characters. % asks the kernel to choose a number. */
	if (!strcmp(name, ".") || !strcmp(name, "..") ||
	    strpbrk(name, "/:% \xa0"))
		return err_set(err, EINVAL,
			       "%s: the kernel takes no such device name",
			       PLAIN(name));
	return 0;
}

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	int rc = ifname_check(text, err);

	(void)attr;
	if (rc < 0)
		return rc;
	held_text_set(out, text);
	return 0;
}

/* Asked by netlink: /sys shows the namespace that mounted it, which need not be
 * ours. */
static void complete(const struct attr *attr, const char *prefix,
		     struct candidates *to)
{
	struct if_nameindex *links = if_nameindex();

	(void)attr;
	for (size_t i = 0; links && links[i].if_index; i++)
		if (strcmp(links[i].if_name, "lo") != 0)
			offer_match(to, prefix, links[i].if_name, NULL);
	if (links)
		if_freenameindex(links);
}

const struct type type_ifname = {
	.name = "device",
	.hint = "eth0",
	.parse = parse,
	.print = held_text_print,
	.equal = held_text_equal,
	.clear = held_text_clear,
	.copy = held_text_copy,
	.complete = complete,
};
