/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/check_link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "model/base/mem.h"
#include "model/kind.h"
#include "model/node.h"
#include "model/types/prefix.h"

enum { LINKS_DEEP = 8 }; /* one in the other, at most */

static const size_t locals[] = { LINK_LOCAL, LINK_LOCAL6 };

/* NULL: it has none, or a word in its place. */
static const struct prefix *local_of(const struct node *link, size_t attr)
{
	const struct value *value = node_value(link, attr);

	return value && !value->word ? &value->prefix : NULL;
}

/* ---- keys ---- */

static void check_keys(const struct node *link, struct report *report)
{
	const char *own = node_text(link, LINK_PUBLIC_KEY);
	const char *peer = node_text(link, LINK_PEER_KEY);

	if (own && peer && !strcmp(own, peer))
		report_error(report, link, EINVAL,
			     "peer-key is this link's own public key: give "
			     "that of the other end (get public-key there); "
			     "if both ends have one secret key, key=auto makes "
			     "another");
}

/* ---- addresses ---- */

/* The bits behind the prefix are all 0, or all 1. */
static bool host_is(const struct prefix *prefix, bool ones)
{
	for (unsigned bit = prefix->length; bit < prefix_bits(prefix->family);
	     bit++)
		if ((prefix->bytes[bit / 8] >> (7 - bit % 8) & 1) != ones)
			return false;
	return true;
}

static void check_host(const struct node *link, size_t attr,
		       struct report *report)
{
	const struct prefix *local = local_of(link, attr);
	AUTO_TEXT text = TEXT_NONE;
	bool network, broadcast;

	/* RFC 3021, RFC 6164: two addresses need neither. */
	if (!local || prefix_bits(local->family) - local->length < 2)
		return;
	network = host_is(local, false);
	broadcast = local->family == AF_INET && host_is(local, true);
	if (!network && !broadcast)
		return;
	prefix_print(local, &text);
	report_error(report, link, EINVAL,
		     "%s=%s is the %s: give this end an address within it",
		     kind_link.attrs[attr].name, text_get(&text),
		     network ? "network itself"
			     : "network's broadcast address");
}

/* The kernel makes a route of the network, and of nothing else. */
static void check_network(const struct node *link, size_t attr,
			  struct report *report)
{
	const struct prefix *local = local_of(link, attr);
	AUTO_TEXT text = TEXT_NONE;

	if (!local || local->length != prefix_bits(local->family) ||
	    node_u(link, LINK_MODE) != MODE_TUN)
		return;
	prefix_print(local, &text);
	report_warning(report, link,
		       "%s=%s has no network, so nothing is sent to the other "
		       "end but by a route of yours: give it with the length "
		       "of its network (%s)",
		       kind_link.attrs[attr].name, text_get(&text),
		       kind_link.attrs[attr].example);
}

static void check_beside(const struct node *link, const struct node *other,
			 size_t attr, struct report *report)
{
	const struct prefix *ours = local_of(link, attr);
	const struct prefix *theirs = local_of(other, attr);
	AUTO_TEXT text = TEXT_NONE;

	if (!ours || !theirs || !prefix_overlap(ours, theirs))
		return;
	prefix_print(ours, &text);
	report_warning(report, other,
		       "its network is also that of %s (%s=%s): the kernel "
		       "sends what is for it by one of the two; give each "
		       "link a network of its own",
		       node_name(link), kind_link.attrs[attr].name,
		       text_get(&text));
}

/* A server's own address, given to a client. */
static void check_granted(const struct node *link, const struct node *peer,
			  struct report *report)
{
	const struct value *value = node_value(peer, PEER_ADDRESS);

	if (!node_has(peer, PEER_ADDRESS) || value->word)
		return;
	for (size_t i = 0; i < value->prefixes->count; i++)
		for (size_t k = 0; k < ARRAY_SIZE(locals); k++) {
			const struct prefix *one = &value->prefixes->item[i];
			const struct prefix *own = local_of(link, locals[k]);

			if (!own || own->family != one->family ||
			    one->length != prefix_bits(one->family) ||
			    memcmp(own->bytes, one->bytes, one->length / 8))
				continue;
			report_error(report, peer, EEXIST,
				     "its address is this server's own (%s=): "
				     "give it another, or address=auto",
				     kind_link.attrs[locals[k]].name);
		}
}

/* ---- members ---- */

static const char *device_of(const struct node *member)
{
	const struct node *path = node_target(member, MEMBER_PATH, NULL);

	return path ? node_text(path, PATH_DEVICE) : NULL;
}

/* Does what is sent by that device come to the link, by its own device or by
 * those of other links? So many of them at most. */
static bool leads_to(const struct node *link, const char *device, unsigned most)
{
	const char *own = node_text(link, LINK_DEVICE);

	if (!device || !most)
		return false;
	if (own && !strcmp(own, device))
		return true;
	node_each (other, node_parent(link)) {
		const char *theirs = node_text(other, LINK_DEVICE);

		if (!theirs || strcmp(theirs, device) != 0)
			continue;
		node_each (member, node_fixed(other, &kind_members))
			if (leads_to(link, device_of(member), most - 1))
				return true;
	}
	return false;
}

static void check_circle(const struct node *link, const struct node *member,
			 struct report *report)
{
	const char *device = device_of(member);

	if (leads_to(link, device, LINKS_DEEP))
		report_error(report, member, ELOOP,
			     "its path is by device %s, and what this link "
			     "sends there comes back to it: give it a path by "
			     "a line",
			     device);
}

static void check_member(const struct node *member, struct report *report)
{
	const struct node *path = node_target(member, MEMBER_PATH, NULL);

	for (const struct node *other = node_next(member); path && other;
	     other = node_next(other))
		if (node_target(other, MEMBER_PATH, NULL) == path)
			report_warning(
				report, other,
				"path %s is that of member %s, too: they "
				"share one line; for several ports on "
				"it, sockets=2 of one member does",
				node_name(path), node_name(member));
}

void check_link_sense(const struct node *link, struct report *report)
{
	check_keys(link, report);
	for (size_t i = 0; i < ARRAY_SIZE(locals); i++) {
		check_host(link, locals[i], report);
		check_network(link, locals[i], report);
		for (const struct node *other = node_next(link); other;
		     other = node_next(other))
			check_beside(link, other, locals[i], report);
	}
	node_each (peer, node_fixed(link, &kind_peers))
		check_granted(link, peer, report);
	node_each (member, node_fixed(link, &kind_members)) {
		check_member(member, report);
		check_circle(link, member, report);
	}
}
