/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a server listens: a name or an address, and a UDP port. */
#include <arpa/inet.h>
#include <string.h>

#include "model/base/mem.h"
#include "model/types/held.h"
#include "model/types/plain.h"
#include "model/value.h"

enum { HOST_MAX = 253 }; /* RFC 1035, 2.3.4 */

static bool is_port(const char *text)
{
	unsigned long port = 0;
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 5 || text[digits])
		return false;
	port = strtoul(text, NULL, 10);
	return port > 0 && port < 65536;
}

static bool is_host(const char *text, bool bracket)
{
	struct in6_addr address;
	size_t size = strlen(text);

	if (bracket)
		return inet_pton(AF_INET6, text, &address) == 1;
	if (strspn(text, "0123456789.") == size)
		return inet_pton(AF_INET, text, &address) == 1;
	return size && size <= HOST_MAX && *text != '-' && *text != '.' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == size;
}

static int parse(const struct attr *attr, const char *text, struct value *out,
		 struct err *err)
{
	bool bracket = *text == '[';
	const char *end = bracket ? strstr(text, "]:") : strrchr(text, ':');
	AUTO(str) char *host = NULL;

	(void)attr;
	if (end)
		host = mem_strndup(text + bracket,
				   (size_t)(end - text) - bracket);
	if (!end || !is_host(host, bracket) || !is_port(end + 1 + bracket))
		return err_set(err, EINVAL,
			       "%s: is no HOST:PORT (an IPv6 address stands "
			       "in brackets: [2001:db8::1]:5000)",
			       PLAIN(text));
	held_text_set(out, text);
	return 0;
}

const struct type type_endpoint = {
	.name = "endpoint",
	.hint = "gw.example.net:5000, 192.0.2.1:5000, [2001:db8::1]:5000",
	.parse = parse,
	.print = held_text_print,
	.equal = held_text_equal,
	.clear = held_text_clear,
	.copy = held_text_copy,
};
