/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/lifeline.h"

#include <netinet/in.h>
#include <string.h>

#include "backends/mark/uplink.h"
#include "backends/route/object.h"
#include "model/diff.h"
#include "model/leaf.h"
#include "model/shaping.h"

/* ---- a class that is too narrow ---- */

static bool leaf_is_narrow(const struct node *class)
{
	const char *text = node_text(class, CLASS_LEAF);
	AUTO(leaf) struct leaf *leaf = NULL;

	if (!text || leaf_parse(text, &leaf, NULL) < 0)
		return false;
	for (size_t i = 0; i < leaf->count; i++) {
		const struct leaf_item *item = &leaf->item[i];

		for (size_t o = 0; o < item->kind->option_count; o++)
			if (item->kind->options[o].form == LEAF_RATE &&
			    (item->given & 1u << o) && item->value[o] &&
			    item->value[o] < LIFELINE_LEAST_BPS)
				return true;
	}
	return false;
}

/* By its own ceil or by that of a class above it. */
static bool is_narrow(const struct node *class)
{
	if (leaf_is_narrow(class))
		return true;
	for (; class && node_kind(class) == &kind_class;
	     class = node_parent(class))
		if (class_ceil_bytes(class) < LIFELINE_LEAST_BPS / 8)
			return true;
	return false;
}

/* ---- the classes that its packets may be in ---- */

enum answer { NO, MAYBE, YES };

static bool ranges_have(const struct ranges *ranges, uint32_t number)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (number >= ranges->item[i].from &&
		    number <= ranges->item[i].to)
			return true;
	return false;
}

static bool port_fits(const struct node *match, size_t attr, uint16_t port)
{
	const struct value *value = node_value(match, attr);

	return !value || ranges_have(value->ranges, port);
}

static bool address_fits(const struct node *match, size_t attr,
			 const struct prefix *address)
{
	const struct value *value = node_value(match, attr);

	if (!value)
		return true;
	for (size_t i = 0; i < value->prefixes->count; i++)
		if (prefix_holds(&value->prefixes->item[i], address))
			return true;
	return false;
}

/* Of the packets on their way in, or out. What is not the same in all packets
 * of a connection, or not known here (whose socket, which name), may hold. */
static enum answer asks_for(const struct node *match,
			    const struct lifeline *life, bool in)
{
	static const size_t unsure[] = { MATCH_DSCP,   MATCH_TCP_FLAGS,
					 MATCH_LENGTH, MATCH_UID,
					 MATCH_GID,    MATCH_CGROUP,
					 MATCH_HOST,   MATCH_MARK };

	if (!node_u(match, MATCH_ENABLED) ||
	    (node_has(match, MATCH_PROTO) &&
	     node_u(match, MATCH_PROTO) != IPPROTO_TCP) ||
	    !port_fits(match, MATCH_SPORT,
		       in ? life->peer_port : life->own_port) ||
	    !port_fits(match, MATCH_DPORT,
		       in ? life->own_port : life->peer_port) ||
	    !address_fits(match, MATCH_SRC, in ? &life->peer : &life->own) ||
	    !address_fits(match, MATCH_DST, in ? &life->own : &life->peer))
		return NO;
	for (size_t i = 0; i < ARRAY_SIZE(unsure); i++)
		if (node_has(match, unsure[i]))
			return MAYBE;
	return YES;
}

/* The walk over one uplink: whatever is first asked for certain ends it. */
struct walk {
	const struct lifeline *life;
	bool in;
	uint64_t order; /* of what is certain; UINT64_MAX: nothing yet */
	/* What a class in question is to be looked up in, for it is narrow
	 * there or not. */
	const struct tree *tree;
	const struct node *narrow; /* the first one found */
};

static void consider(struct walk *walk, const struct node *class)
{
	AUTO(str) char *path = node_path_dup(class);
	const struct node *there =
		tree_walk(walk->tree, tree_root(walk->tree), path, NULL);

	if (!walk->narrow && there && node_kind(there) == &kind_class &&
	    class_is_leaf(there) && is_narrow(there))
		walk->narrow = there;
}

static uint64_t order_of(const struct node *match)
{
	return node_u(match, MATCH_ORDER);
}

/* Matches of one order are asked in the order of their paths; to be unsure of
 * which comes first is to be careful. */
static void ask_all(struct walk *walk, const struct node *uplink, bool certain)
{
	for (const struct node *at = uplink; at; at = node_walk(uplink, at)) {
		enum answer answer = NO;

		if (node_kind(at) == &kind_match)
			answer = asks_for(at, walk->life, walk->in);
		if (certain && answer == YES &&
		    node_u(at, MATCH_SCOPE) != SCOPE_PACKET &&
		    order_of(at) < walk->order)
			walk->order = order_of(at);
		if (!certain && answer != NO &&
		    (order_of(at) <= walk->order ||
		     node_u(at, MATCH_SCOPE) == SCOPE_PACKET))
			consider(walk, node_owner(at));
	}
}

static const struct node *class_of_mark(const struct node *uplink,
					uint32_t mark, uint32_t mask)
{
	for (const struct node *at = uplink; at; at = node_walk(uplink, at))
		if (node_kind(at) == &kind_class && class_is_leaf(at) &&
		    class_mark(at) && class_mark(at) == (mark & mask))
			return at;
	return NULL;
}

static void look_into(struct walk *walk, const struct node *uplink)
{
	uint32_t mask = (uint32_t)node_u(tree_system(node_tree(uplink)),
					 SYSTEM_CLASS_MASK);
	const struct node *marked =
		class_of_mark(uplink, walk->life->mark, mask);
	const struct node *rest = node_target(uplink, UPLINK_DEFAULT, NULL);

	walk->in = uplink_is_down(uplink);
	walk->order = UINT64_MAX;
	if (marked && !walk->in) {
		consider(walk, marked); /* a connection stays where it is */
		return;
	}
	ask_all(walk, uplink, true);
	ask_all(walk, uplink, false);
	if (walk->order == UINT64_MAX && rest)
		consider(walk, rest);
}

static bool is_on(const struct node *uplink, const char *device)
{
	const char *its = uplink_device(uplink);

	return its && !strcmp(its, device) && node_u(uplink, UPLINK_ENABLED);
}

/* A class of `tree` that is narrow and may have its packets, as `matches` leads
 * them; NULL: there is none. */
static const struct node *find_narrow(const struct lifeline *life,
				      const struct tree *matches,
				      const struct tree *tree)
{
	struct walk walk = { .life = life, .tree = tree };

	node_each (uplink, tree_classes(matches)) {
		if (is_on(uplink, life->device))
			look_into(&walk, uplink);
	}
	return walk.narrow;
}

static int check_classes(const struct lifeline *life, const struct tree *before,
			 const struct tree *after, struct err *err)
{
	/* A part of a tree has the settings of some classes, and no matches
	 * that differ from before. */
	const struct node *narrow =
		find_narrow(life, tree_is_part(after) ? before : after, after);
	AUTO(str) char *path = NULL;

	if (!narrow || find_narrow(life, before, before))
		return 0;
	path = node_path_dup(narrow);
	return err_set(err, EHOSTUNREACH,
		       "its packets would be in %s, of less than %d kbit/s",
		       path, LIFELINE_LEAST_BPS / 1000);
}

/* ---- a tunnel of ours that carries it ---- */

static const struct node *link_on(const struct tree *tree, const char *device)
{
	node_each (link, tree_links(tree)) {
		const char *its = node_text(link, LINK_DEVICE);

		if (its && !strcmp(its, device) && node_u(link, LINK_ENABLED))
			return link;
	}
	return NULL;
}

static const struct node *link_of(const struct node *node)
{
	while (node && node_kind(node) != &kind_link)
		node = node_parent(node);
	return node;
}

/* Without these it is another tunnel, or none. */
static bool is_vital(const struct node *node, const struct attr *attr)
{
	static const size_t of_link[] = {
		LINK_TYPE,     LINK_ROLE,   LINK_DEVICE, LINK_MODE,
		LINK_LOCAL,    LINK_LOCAL6, LINK_LISTEN, LINK_PEER,
		LINK_PEER_KEY, LINK_PSK,    LINK_KEY,	 LINK_ENABLED
	};
	static const size_t of_peer[] = { PEER_KEY, PEER_PSK, PEER_ADDRESS,
					  PEER_ENABLED };
	bool is_link = node_kind(node) == &kind_link;
	const size_t *vital = is_link ? of_link : of_peer;
	size_t count = is_link ? ARRAY_SIZE(of_link) : ARRAY_SIZE(of_peer);

	for (size_t i = 0; i < count; i++)
		if (attr == &node_kind(node)->attrs[vital[i]])
			return true;
	return false;
}

/* Is it this peer by which the other end is reached? The networks behind a peer
 * are the routes' matter: one whose peer nobody has may be behind each. */
static bool peer_has(const struct node *peer, const struct prefix *address)
{
	const struct value *value = node_value(peer, PEER_ADDRESS);

	if (!value || value->word)
		return false;
	for (size_t i = 0; i < value->prefixes->count; i++)
		if (prefix_holds(&value->prefixes->item[i], address))
			return true;
	return false;
}

static bool may_be_behind(const struct node *peer, const struct prefix *address)
{
	node_each (other, node_parent(peer)) {
		if (other != peer && peer_has(other, address))
			return false;
	}
	return true;
}

struct tunnel {
	const struct lifeline *life;
	const struct node *link; /* as it was */
	struct err *err;
};

static int tunnel_changes(const struct change *change, void *arg)
{
	const struct tunnel *tunnel = arg;
	const struct node *node = change->node, *link = link_of(node);
	AUTO(str) char *path = NULL;
	bool peer = node_kind(node) == &kind_peer;

	if (!link || strcmp(node_name(link), node_name(tunnel->link)) != 0 ||
	    change->op == CHANGE_CREATE || (!peer && node != link) ||
	    (peer && !may_be_behind(node, &tunnel->life->peer)) ||
	    (change->attr && !is_vital(node, change->attr)))
		return 0;
	path = node_path_dup(node);
	return err_set(tunnel->err, EHOSTUNREACH,
		       "it comes through the tunnel %s, and %s would %s",
		       node_name(tunnel->link), path,
		       change->op == CHANGE_DELETE ? "go" : "change");
}

/* Is a line left that stays as it was? Without one nobody knows. */
static bool keeps_a_member(const struct node *link, const struct tree *after)
{
	const struct node *members = node_fixed(link, &kind_members);
	size_t had = 0;

	if (!members)
		return true;
	node_each (member, members) {
		AUTO(str) char *path = node_path_dup(member);
		const struct node *now =
			tree_walk(after, tree_root(after), path, NULL);

		if (!node_u(member, MEMBER_ENABLED))
			continue;
		had++;
		if (now && node_kind(now) == &kind_member &&
		    node_u(now, MEMBER_ENABLED))
			return true;
	}
	return !had;
}

static int check_tunnel(const struct lifeline *life, const struct tree *before,
			const struct tree *after, struct err *err)
{
	struct tunnel tunnel = { life, link_on(before, life->device), err };
	int rc = 0;

	if (!tunnel.link || tree_is_part(after))
		return 0;
	rc = tree_diff(before, after, tunnel_changes, &tunnel);
	if (rc == 0 && !keeps_a_member(tunnel.link, after))
		rc = err_set(err, EHOSTUNREACH,
			     "it comes through the tunnel %s, which would have "
			     "no member left",
			     node_name(tunnel.link));
	return rc;
}

/* ---- both ---- */

static bool has_narrow(const struct tree *tree, const char *device)
{
	node_each (uplink, tree_classes(tree)) {
		if (!is_on(uplink, device))
			continue;
		for (const struct node *at = uplink; at;
		     at = node_walk(uplink, at))
			if (node_kind(at) == &kind_class && class_is_leaf(at) &&
			    is_narrow(at))
				return true;
	}
	return false;
}

bool lifeline_may_be_cut(const struct lifeline *life, const struct tree *after)
{
	return has_narrow(after, life->device) ||
	       (!tree_is_part(after) && node_count(tree_links(after)) > 0);
}

int lifeline_check(const struct lifeline *life, const struct tree *before,
		   const struct tree *after, struct err *err)
{
	int rc = check_tunnel(life, before, after, err);

	return rc < 0 ? rc : check_classes(life, before, after, err);
}
