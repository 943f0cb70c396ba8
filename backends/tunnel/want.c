/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the links of the tree ask for. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "backends/engine/lease.h"
#include "backends/tunnel/object.h"
#include "model/base/mem.h"
#include "model/secret.h"
#include "model/types/prefix.h"

enum { NONE_DOUBLED = 1 }; /* bytes: no packet is smaller */

static void put_text(json_t *to, const char *name, const char *text)
{
	if (text)
		json_object_set_new(to, name, json_string(text));
}

static void put_number(json_t *to, const char *name, uint64_t number)
{
	json_object_set_new(to, name, json_integer((json_int_t)number));
}

/* "digest:0123..." of the tree is "0123..." to the engine. */
static void put_digest(json_t *to, const char *name, const char *hidden)
{
	if (hidden && secret_is_hidden(hidden))
		put_text(to, name, strchr(hidden, ':') + 1);
}

static void put_words(json_t *to, const struct node *node, const char *name,
		      size_t attr)
{
	AUTO_TEXT text = TEXT_NONE;

	node_print(node, attr, &text);
	put_text(to, name, text_get(&text));
}

bool tunnel_takes(const struct node *link, uint8_t family)
{
	return node_u(link, LINK_ROLE) == ROLE_CLIENT &&
	       !node_has(link, family == AF_INET ? LINK_LOCAL : LINK_LOCAL6);
}

/* --- peers ---------------------------------------------------------------- */

static json_t *prefixes_json(const struct node *peer)
{
	AUTO_TEXT text = TEXT_NONE;
	json_t *list = json_array();
	char *rest, *at;

	if (!node_has(peer, PEER_ADDRESS) ||
	    node_value(peer, PEER_ADDRESS)->word)
		return list;
	node_print(peer, PEER_ADDRESS, &text);
	for (at = strtok_r((char *)text_get(&text), ",", &rest); at;
	     at = strtok_r(NULL, ",", &rest))
		json_array_append_new(list, json_string(at));
	return list;
}

/* An address with the length of the network that the server's own is in: so the
 * client reaches who else is there. */
static void put_lease(json_t *list, const struct node *link,
		      const struct prefix *address)
{
	size_t attr = address->family == AF_INET ? LINK_LOCAL : LINK_LOCAL6;
	const struct value *own = node_value(link, attr);
	struct prefix leased = *address;
	AUTO_TEXT text = TEXT_NONE;

	if (address->length != prefix_bits(address->family))
		return; /* a network behind the client */
	if (own && !own->word && prefix_has(&own->prefix, address))
		leased.length = own->prefix.length;
	prefix_print(&leased, &text);
	json_array_append_new(list, json_string(text_get(&text)));
}

/* What the client is told that it has. */
static json_t *lease_json(const struct node *link, const struct node *peer)
{
	const struct value *value = node_value(peer, PEER_ADDRESS);
	json_t *list = json_array();

	for (size_t i = 0; value && !value->word && i < value->prefixes->count;
	     i++)
		if (json_array_size(list) < LEASE_MOST)
			put_lease(list, link, &value->prefixes->item[i]);
	return list;
}

static json_t *peer_json(const struct node *link, const struct node *peer)
{
	json_t *out = json_object();

	put_text(out, "name", node_name(peer));
	put_text(out, "key", node_text(peer, PEER_KEY));
	put_digest(out, "psk-digest", node_text(peer, PEER_PSK));
	put_number(out, "up", node_u(peer, PEER_UP));
	put_number(out, "down", node_u(peer, PEER_DOWN));
	json_object_set_new(out, "prefixes", prefixes_json(peer));
	json_object_set_new(out, "lease", lease_json(link, peer));
	return out;
}

static json_t *server_json(const struct node *link)
{
	json_t *out = json_object(), *endpoints = json_array();

	put_text(out, "name", "server");
	put_text(out, "key", node_text(link, LINK_PEER_KEY));
	put_digest(out, "psk-digest", node_text(link, LINK_PSK));
	json_array_append_new(endpoints,
			      json_string(node_text(link, LINK_PEER)));
	json_object_set_new(out, "endpoints", endpoints);
	return out;
}

static json_t *peers_json(const struct node *link)
{
	json_t *list = json_array();

	if (node_u(link, LINK_ROLE) == ROLE_CLIENT) {
		json_array_append_new(list, server_json(link));
		return list;
	}
	node_each (peer, node_fixed(link, &kind_peers))
		if (node_u(peer, PEER_ENABLED))
			json_array_append_new(list, peer_json(link, peer));
	return list;
}

/* --- members -------------------------------------------------------------- */

/* Of the family of the server, as far as that is known before it is looked up.
 */
static void put_source(json_t *out, const struct node *link,
		       const struct node *path)
{
	const char *peer = node_text(link, LINK_PEER);
	const struct value *value = node_value(
		path, peer && *peer == '[' ? PATH_SOURCE6 : PATH_SOURCE);
	char host[INET6_ADDRSTRLEN];

	if (value && !value->word &&
	    inet_ntop(value->prefix.family, value->prefix.bytes, host,
		      sizeof(host)))
		put_text(out, "source", host);
}

static json_t *member_json(const struct node *link, const struct node *member,
			   const struct node *path)
{
	const struct value *mark = node_value(path, PATH_MARK);
	json_t *out = json_object();

	put_text(out, "name", node_name(member));
	put_text(out, "device", node_text(path, PATH_DEVICE));
	put_source(out, link, path);
	put_number(out, "mark", mark ? mark->bits.value : 0);
	put_number(out, "sockets", node_u(member, MEMBER_SOCKETS));
	put_number(out, "tier", node_u(member, MEMBER_PRIORITY));
	put_number(out, "weight", node_u(member, MEMBER_WEIGHT));
	json_object_set_new(out, "standby",
			    json_boolean(node_u(member, MEMBER_STANDBY)));
	json_object_set_new(out, "metered",
			    json_boolean(node_u(member, MEMBER_METERED)));
	put_number(out, "up", node_u(member, MEMBER_UP));
	put_number(out, "down", node_u(member, MEMBER_DOWN));
	return out;
}

static json_t *members_json(const struct node *link, const struct facts *facts,
			    struct report *report)
{
	json_t *list = json_array();

	node_each (member, node_fixed(link, &kind_members)) {
		const struct node *path =
			node_target(member, MEMBER_PATH, NULL);
		const char *device = path ? node_text(path, PATH_DEVICE) : NULL;

		if (!device || !node_u(member, MEMBER_ENABLED))
			continue;
		if (!node_u(path, PATH_ENABLED)) {
			report_warning(report, member,
				       "its path is disabled: nothing is sent "
				       "by it");
			continue;
		}
		if (!facts_link(facts, device))
			report_warning(report, member,
				       "device %s is not there yet: it joins "
				       "when it comes",
				       device);
		json_array_append_new(list, member_json(link, member, path));
	}
	return list;
}

/* --- links ---------------------------------------------------------------- */

static json_t *link_json(const struct node *link, const struct facts *facts,
			 struct report *report)
{
	json_t *out = json_object();
	uint64_t doubled = node_u(link, LINK_DOUBLE);
	const struct value *mark = node_value(link, LINK_DUPLICATE_MARK);

	put_text(out, "name", node_name(link));
	put_text(out, "device", node_text(link, LINK_DEVICE));
	json_object_set_new(out, "tap",
			    json_boolean(node_u(link, LINK_MODE) == MODE_TAP));
	put_words(out, link, "role", LINK_ROLE);
	if (node_has(link, LINK_POLICY))
		put_words(out, link, "mode", LINK_POLICY);
	put_number(out, "listen", node_u(link, LINK_LISTEN));
	put_number(out, "threads", node_u(link, LINK_THREADS));
	put_number(out, "mtu", node_u(link, LINK_MTU));
	if (node_u(link, LINK_ISOLATE))
		json_object_set_new(out, "isolate", json_true());
	if (node_u(link, LINK_ROLE) == ROLE_SERVER &&
	    node_u(link, LINK_MODE) == MODE_TAP)
		put_number(out, "storm-control",
			   node_u(link, LINK_STORM_CONTROL));
	put_number(out, "small", doubled ? doubled : NONE_DOUBLED);
	if (node_has(link, LINK_DUPLICATE))
		put_number(out, "duplicate-dscp", node_u(link, LINK_DUPLICATE));
	if (mark) {
		put_number(out, "duplicate-mark", mark->bits.value);
		put_number(out, "duplicate-mask", mark->bits.mask);
	}
	if (node_has(link, LINK_DUPLICATE_CLASS))
		put_number(out, "duplicate-class",
			   node_u(link, LINK_DUPLICATE_CLASS));
	put_number(out, "hold-us", node_u(link, LINK_HOLD));
	put_number(out, "slice-us", node_u(link, LINK_SLICE));
	put_number(out, "slices", node_u(link, LINK_SLICES));
	if (tunnel_takes(link, AF_INET))
		json_object_set_new(out, "take-ip4", json_true());
	if (tunnel_takes(link, AF_INET6))
		json_object_set_new(out, "take-ip6", json_true());
	put_digest(out, "secret-digest", node_text(link, LINK_KEY));
	json_object_set_new(out, "peers", peers_json(link));
	json_object_set_new(out, "members", members_json(link, facts, report));
	return out;
}

/* What is the client's own and not in our network the kernel sends elsewhere.
 */
static void note_peers(const struct node *link, struct report *report)
{
	node_each (peer, node_fixed(link, &kind_peers)) {
		const struct value *value = node_value(peer, PEER_ADDRESS);

		for (size_t i = 0;
		     value && !value->word && i < value->prefixes->count; i++) {
			const struct prefix *one = &value->prefixes->item[i];
			const struct value *own =
				node_value(link, one->family == AF_INET
							 ? LINK_LOCAL
							 : LINK_LOCAL6);
			AUTO_TEXT text = TEXT_NONE;

			if (!one->length || (own && !own->word &&
					     prefix_has(&own->prefix, one)))
				continue; /* or the way to all */
			prefix_print(one, &text);
			report_note(report, peer,
				    "%s is in no network of the link: it needs "
				    "a route of yours (ip route add %s dev %s)",
				    text_get(&text), text_get(&text),
				    node_text(link, LINK_DEVICE));
		}
	}
}

static void want_address(const struct node *link, size_t attr, const char *path,
			 struct state *want)
{
	const struct value *value = node_value(link, attr);
	struct tunnel_data data = { .what = TUNNEL_ADDRESS, .ours = true };

	if (!value || value->word)
		return;
	data.address = value->prefix;
	memcpy(data.device, node_text(link, LINK_DEVICE),
	       strlen(node_text(link, LINK_DEVICE)));
	tunnel_add(want, &data, path);
}

/* There is one to spare, so that marked packets can have theirs one day without
 * another device: with 256 of them, as the kernel makes them, it takes some
 * megabytes. */
static void want_queues(const struct node *link, struct tunnel_data *device)
{
	uint64_t threads = node_u(link, LINK_THREADS);

	device->queues = true;
	device->must_queues =
		(node_u(link, LINK_ROLE) == ROLE_SERVER && threads > 1) ||
		node_has(link, LINK_DUPLICATE_MARK) ||
		node_has(link, LINK_DUPLICATE_CLASS);
}

static void want_link(const struct node *link, const struct facts *facts,
		      struct report *report, struct state *want)
{
	struct tunnel_data device = {
		.what = TUNNEL_DEVICE,
		.tap = node_u(link, LINK_MODE) == MODE_TAP,
		.up = true,
	};
	AUTO(str) char *path = node_path_dup(link);
	json_t *description;

	memcpy(device.device, node_text(link, LINK_DEVICE),
	       strlen(node_text(link, LINK_DEVICE)));
	want_queues(link, &device);
	tunnel_add(want, &device, path);
	want_address(link, LINK_LOCAL, path, want);
	want_address(link, LINK_LOCAL6, path, want);
	if (node_u(link, LINK_MODE) == MODE_TUN)
		note_peers(link, report);
	description = link_json(link, facts, report);
	tunnel_add_link(want, description, path);
	json_decref(description);
}

void tunnel_want(const struct tree *tree, const struct facts *facts,
		 struct report *report, struct state *want)
{
	node_each (link, tree_links(tree))
		if (node_u(link, LINK_ENABLED) && node_text(link, LINK_DEVICE))
			want_link(link, facts, report, want);
}
