/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tunnel driver: for every link a tun device that stays, its addresses, and
 * what the engine is told about it.
 *
 *     device  ->  addresses  ->  link          and back the other way round
 *
 * The device is made here and not by the engine: so it outlives the engine, and
 * with it addresses, routes and classes on it.
 */
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/host.h"
#include "backends/list.h"
#include "backends/tunnel/client.h"
#include "backends/tunnel/device.h"
#include "backends/tunnel/object.h"
#include "backends/tunnel/stage.h"
#include "model/base/mem.h"
#include "model/types/prefix.h"

/* Of two IPv4 addresses in one network the second goes with the first, so that
 * one goes before another comes. */
enum { LEVEL_DEVICE, LEVEL_SURPLUS, LEVEL_ADDRESS, LEVEL_LINK };
/* On the way out; what comes in place of the engine's comes then, too. */
enum {
	LEVEL_OLD_LINK,
	LEVEL_OLD_ADDRESS,
	LEVEL_LATE_ADDRESS,
	LEVEL_OLD_DEVICE
};

/* --- reading -------------------------------------------------------------- */

struct reading {
	const struct tree *tree;
	const struct owned *owned;
	struct state *now;
};

/* The link that has this device, or NULL. */
static const struct node *link_of(const struct tree *tree, const char *device)
{
	node_each (link, tree_links(tree)) {
		const char *other = node_text(link, LINK_DEVICE);

		if (other && !strcmp(other, device))
			return link;
	}
	return NULL;
}

/* Its path is the caller's to free. */
static char *path_of_device(const struct tree *tree, const char *device)
{
	const struct node *link = link_of(tree, device);

	return link ? node_path_dup(link) : mem_strdup("");
}

static void take_address(const struct tunnel_data *data, void *arg)
{
	struct reading *reading = arg;
	AUTO(str) char *path = path_of_device(reading->tree, data->device);
	const struct node *link = link_of(reading->tree, data->device);

	/* What the engine took from the server is the engine's. */
	if (!data->ours || !link || !tunnel_takes(link, data->address.family))
		tunnel_add(reading->now, data, path);
}

static int read_device(struct reading *reading, struct netlink *netlink,
		       const char *name, struct err *err)
{
	AUTO(str) char *key = mem_printf("device %s", name);
	AUTO(str) char *path = path_of_device(reading->tree, name);
	struct tunnel_data data;
	int rc;

	if (state_find(reading->now, &backend_tunnel, key))
		return 0;
	rc = device_read(netlink, name, &data, err);
	if (rc <= 0)
		return rc;
	if (!owned_find(reading->owned, backend_tunnel.name, key))
		data.foreign = true;
	tunnel_add(reading->now, &data, path);
	if (data.foreign)
		return 0;
	return device_addresses(netlink, name, take_address, reading, err);
}

static int read_devices(struct reading *reading, struct host *host,
			struct err *err)
{
	struct netlink *netlink = host_netlink(host, NETLINK_ROUTE, err);
	const struct owned *owned = reading->owned;
	int rc = netlink ? 0 : err->code;

	node_each (link, tree_links(reading->tree))
		if (!rc && node_text(link, LINK_DEVICE))
			rc = read_device(reading, netlink,
					 node_text(link, LINK_DEVICE), err);
	for (size_t i = 0; i < owned->count && !rc; i++)
		if (!strcmp(owned->items[i].backend, backend_tunnel.name) &&
		    !strncmp(owned->items[i].key, "device ", 7))
			rc = read_device(reading, netlink,
					 owned->items[i].key + 7, err);
	return rc;
}

static bool has_links(const struct tree *tree, const struct owned *owned)
{
	if (node_first(tree_links(tree)))
		return true;
	for (size_t i = 0; i < owned->count; i++)
		if (!strcmp(owned->items[i].backend, backend_tunnel.name))
			return true;
	return false;
}

static int read_links(struct reading *reading, struct host *host,
		      struct err *err)
{
	json_t *links, *link;
	size_t i;

	links = host_is_stage(host)
			? stage_get()
			: client_ask(json_pack("{s:s}", "do", "get"), err);
	if (!links && err->code == -ECONNREFUSED) {
		err_clear(err); /* no engine: no link runs */
		return 0;
	}
	if (!links)
		return err->code;
	json_array_foreach(links, i, link)
	{
		const char *name =
			json_string_value(json_object_get(link, "name"));
		const struct node *node =
			name ? node_find(tree_links(reading->tree), name)
			     : NULL;
		AUTO(str)
		char *path = node ? node_path_dup(node) : mem_strdup("");

		tunnel_add_link(reading->now, link, path);
	}
	json_decref(links);
	return 0;
}

static int read_all(struct host *host, const struct tree *tree,
		    const struct facts *facts, const struct owned *owned,
		    struct state *now, struct err *err)
{
	struct reading reading = { tree, owned, now };
	AUTO_ERR own = ERR_NONE; /* what is no error for them is cleared */
	int rc;

	(void)facts;
	if (!has_links(tree, owned))
		return 0;
	rc = read_devices(&reading, host, &own);
	if (!rc)
		rc = read_links(&reading, host, &own);
	return rc < 0 ? err_set(err, -rc, "%s", own.text) : 0;
}

/* --- planning ------------------------------------------------------------- */

struct planning {
	struct report *report;
	struct owned *claims;
	const struct state *now, *want;
};

/* It cannot be changed, only made anew. */
static bool is_other_kind(const struct tunnel_data *is,
			  const struct tunnel_data *to)
{
	return is->tap != to->tap || (to->must_queues && !is->queues);
}

static bool differs(const struct object *now, const struct object *want)
{
	const struct tunnel_data *is = tunnel_of(now), *to = tunnel_of(want);

	if (to->what == TUNNEL_DEVICE)
		return is->foreign || is_other_kind(is, to) || is->up != to->up;
	/* An address that somebody gave it is as good as ours. */
	return to->what == TUNNEL_LINK && strcmp(is->text, to->text) != 0;
}

/* Does the engine look after the addresses of that family on that device, as
 * long as it is not told otherwise? It would put back what we take away. */
static bool is_engines(const struct state *now, const struct tunnel_data *data)
{
	const char *name =
		data->address.family == AF_INET ? "take-ip4" : "take-ip6";
	bool takes = false;

	for (size_t i = 0; i < now->count && !takes; i++) {
		const struct tunnel_data *link = tunnel_of(&now->items[i]);
		const char *device;
		json_t *json;

		if (now->items[i].backend != &backend_tunnel ||
		    link->what != TUNNEL_LINK)
			continue;
		json = json_loads(link->text, 0, NULL);
		device = json_string_value(json_object_get(json, "device"));
		takes = device && !strcmp(device, data->device) &&
			json_is_true(json_object_get(json, name));
		json_decref(json);
	}
	return takes;
}

static void add(struct plan *plan, const struct object *want, void *arg)
{
	static const int levels[] = { LEVEL_DEVICE, LEVEL_ADDRESS, LEVEL_LINK };
	struct planning *planning = arg;
	const struct tunnel_data *data = tunnel_of(want);

	if (data->foreign || (data->what == TUNNEL_ADDRESS && !data->ours))
		return;
	if (data->what != TUNNEL_ADDRESS)
		owned_add(planning->claims, backend_tunnel.name, want->key,
			  NULL, 0);
	if (data->what == TUNNEL_ADDRESS && is_engines(planning->now, data))
		plan_add(plan, &backend_tunnel, STEP_ADD, PHASE_CLEAN,
			 LEVEL_LATE_ADDRESS, EFFECT_HITLESS, NULL, want);
	else
		plan_add(plan, &backend_tunnel, STEP_ADD, PHASE_BUILD,
			 levels[data->what], EFFECT_HITLESS, NULL, want);
}

static bool has_word(const char *key, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = key; (at = strstr(at, word)); at++)
		if ((at == key || at[-1] == ' ') &&
		    (!at[size] || at[size] == ' '))
			return true;
	return false;
}

/* The first of the classes and routes on a device, NULL if there are none. They
 * go with it, and their drivers, who have seen them, would not put them back.
 */
static const char *who_stands_on(const struct planning *planning,
				 const char *device)
{
	for (size_t i = 0; i < planning->want->count; i++) {
		const struct object *object = &planning->want->items[i];

		if ((object->backend == &backend_tc ||
		     object->backend == &backend_route) &&
		    has_word(object->key, device) &&
		    state_find(planning->now, object->backend, object->key))
			return object->path;
	}
	return NULL;
}

static void remake(struct plan *plan, const struct object *now,
		   const struct object *want, struct planning *planning)
{
	const char *device = tunnel_of(want)->device;
	const char *who = who_stands_on(planning, device);

	if (who)
		report_add(planning->report, FINDING_ERROR, EBUSY, want->path,
			   "device %s has to be made anew for that, and %s "
			   "stands on it: set enabled=no there, then this, "
			   "then enabled=yes again",
			   device, who);
	else
		plan_add(plan, &backend_tunnel, STEP_REPLACE, PHASE_BUILD,
			 LEVEL_DEVICE, EFFECT_REBUILD, now, want);
}

static void change(struct plan *plan, const struct object *now,
		   const struct object *want, void *arg)
{
	struct planning *planning = arg;
	const struct tunnel_data *data = tunnel_of(want);
	bool hitless;

	if (data->what == TUNNEL_DEVICE && tunnel_of(now)->foreign) {
		report_add(planning->report, FINDING_ERROR, EEXIST, want->path,
			   "there is a device %s already, which is not "
			   "Tresse's: choose another name with device=",
			   data->device);
		return;
	}
	if (data->what == TUNNEL_DEVICE) {
		if (is_other_kind(tunnel_of(now), data))
			remake(plan, now, want, planning);
		else
			plan_add(plan, &backend_tunnel, STEP_CHANGE,
				 PHASE_BUILD, LEVEL_DEVICE, EFFECT_HITLESS, now,
				 want);
		return;
	}
	hitless = tunnel_is_hitless(now, want);
	plan_add(plan, &backend_tunnel, STEP_CHANGE, PHASE_FLIP, LEVEL_LINK,
		 hitless ? EFFECT_HITLESS : EFFECT_FLAP, now, want);
}

/* Another one comes to the same device. */
static bool gives_way(const struct state *want, const struct tunnel_data *data)
{
	if (data->what != TUNNEL_ADDRESS)
		return false;
	for (size_t i = 0; i < want->count; i++) {
		const struct tunnel_data *other = tunnel_of(&want->items[i]);

		if (want->items[i].backend == &backend_tunnel &&
		    other->what == TUNNEL_ADDRESS &&
		    other->address.family == data->address.family &&
		    !strcmp(other->device, data->device))
			return true;
	}
	return false;
}

static void take_away(struct plan *plan, const struct object *now, void *arg)
{
	static const int levels[] = { LEVEL_OLD_DEVICE, LEVEL_OLD_ADDRESS,
				      LEVEL_OLD_LINK };
	const struct tunnel_data *data = tunnel_of(now);
	const struct planning *planning = arg;
	bool first = gives_way(planning->want, data) &&
		     !is_engines(planning->now, data);

	if (data->foreign || (data->what == TUNNEL_ADDRESS && !data->ours))
		return;
	plan_add(plan, &backend_tunnel, STEP_DELETE,
		 first ? PHASE_BUILD : PHASE_CLEAN,
		 first ? LEVEL_SURPLUS : levels[data->what], EFFECT_FLAP, now,
		 NULL);
}

static bool is_made_anew(const struct state *now, const struct state *want,
			 const char *name)
{
	AUTO(str) char *key = mem_printf("device %s", name);
	const struct object *old = state_find(now, &backend_tunnel, key);
	const struct object *device = state_find(want, &backend_tunnel, key);

	return old && device && !tunnel_of(old)->foreign &&
	       is_other_kind(tunnel_of(old), tunnel_of(device));
}

/* Does one of ours go from beside it? */
static bool loses_neighbour(const struct state *now, const struct state *want,
			    const struct tunnel_data *data)
{
	for (size_t i = 0; i < now->count; i++) {
		const struct object *object = &now->items[i];
		const struct tunnel_data *other = tunnel_of(object);

		if (object->backend == &backend_tunnel &&
		    other->what == TUNNEL_ADDRESS && other->ours &&
		    other->address.family == data->address.family &&
		    !strcmp(other->device, data->device) &&
		    !state_find(want, &backend_tunnel, object->key))
			return true;
	}
	return false;
}

/* A device that is made anew has lost its addresses, and one address may go
 * with another. To set one that is there does nothing. */
static void readdress(const struct state *now, const struct state *want,
		      struct plan *plan)
{
	for (size_t i = 0; i < want->count; i++) {
		const struct object *object = &want->items[i];
		const struct tunnel_data *data = tunnel_of(object);
		bool late;

		if (object->backend != &backend_tunnel ||
		    data->what != TUNNEL_ADDRESS || !data->ours ||
		    !state_find(now, &backend_tunnel, object->key) ||
		    !(is_made_anew(now, want, data->device) ||
		      loses_neighbour(now, want, data)))
			continue;
		late = is_engines(now, data);
		plan_add(plan, &backend_tunnel, STEP_ADD,
			 late ? PHASE_CLEAN : PHASE_BUILD,
			 late ? LEVEL_LATE_ADDRESS : LEVEL_ADDRESS,
			 EFFECT_HITLESS, NULL, object);
	}
}

/* One of ours, that is or will be. */
static bool is_ours(const struct state *now, const struct state *want,
		    const char *device)
{
	AUTO(str) char *key = mem_printf("device %s", device);
	const struct object *old = state_find(now, &backend_tunnel, key);

	return (old && !tunnel_of(old)->foreign) ||
	       state_find(want, &backend_tunnel, key);
}

/* A single address within a network is no trouble: the longest prefix wins. */
static bool collides(const struct prefix *own, const struct prefix *theirs)
{
	unsigned bits = prefix_bits(own->family);

	return prefix_overlap(theirs, own) &&
	       ((theirs->length != bits && own->length != bits) ||
		!memcmp(theirs->bytes, own->bytes, bits / 8));
}

static void doubt_address(const struct state *now, const struct state *want,
			  const struct facts *facts,
			  const struct object *object, struct report *report)
{
	const struct prefix *own = &tunnel_of(object)->address;

	for (size_t i = 0; i < facts->address_count; i++) {
		const struct address_fact *fact = &facts->addresses[i];
		const struct link_fact *on = facts_link_at(facts, fact->index);
		AUTO_TEXT text = TEXT_NONE;

		if (!on || !collides(own, &fact->address) ||
		    is_ours(now, want, on->name))
			continue;
		prefix_print(&fact->address, &text);
		report_add(report, FINDING_WARNING, 0, object->path,
			   "its network is also that of device %s (%s), and "
			   "the kernel sends what is for it by one of the two: "
			   "give the link a network of its own",
			   on->name, text_get(&text));
		return;
	}
}

static void doubt_addresses(const struct state *now, const struct state *want,
			    const struct facts *facts, struct report *report)
{
	for (size_t i = 0; i < want->count; i++) {
		const struct object *object = &want->items[i];
		const struct tunnel_data *data = tunnel_of(object);

		if (object->backend == &backend_tunnel &&
		    data->what == TUNNEL_ADDRESS && data->ours)
			doubt_address(now, want, facts, object, report);
	}
}

static void tunnel_plan(const struct state *now, const struct state *want,
			const struct facts *facts, const struct owned *owned,
			struct report *report, struct plan *plan,
			struct owned *claims)
{
	static const struct diff diff = { differs, add, change, take_away };
	struct planning planning = { report, claims, now, want };

	(void)owned;
	doubt_addresses(now, want, facts, report);
	state_diff(now, want, &backend_tunnel, &diff, plan, &planning);
	readdress(now, want, plan);
}

/* --- applying ------------------------------------------------------------- */

static void put_key(json_t *keys, const json_t *digest, tunnel_find *find,
		    void *arg)
{
	const char *text = json_string_value(digest);
	AUTO(str) char *hidden = NULL;
	char *secret;

	if (!text)
		return;
	hidden = mem_printf("digest:%s", text);
	secret = find(arg, hidden, NULL);
	if (!secret)
		return;
	json_object_set_new(keys, text, json_string(secret));
	mem_wipe(secret, strlen(secret));
}

json_t *tunnel_keys(const json_t *description, tunnel_find *find, void *arg)
{
	json_t *keys = json_object(), *peer;
	size_t i;

	put_key(keys, json_object_get(description, "secret-digest"), find, arg);
	json_array_foreach(json_object_get(description, "peers"), i, peer)
		put_key(keys, json_object_get(peer, "psk-digest"), find, arg);
	return keys;
}

static char *of_host(void *host, const char *hidden, struct err *err)
{
	return host_secret(host, hidden, err);
}

static int set_link(struct host *host, const struct tunnel_data *data,
		    struct err *err)
{
	json_t *description = json_loads(data->text, 0, NULL), *done;
	int rc;

	if (host_is_stage(host)) {
		rc = stage_set(description, err);
		json_decref(description);
		return rc;
	}
	rc = client_start(err);
	if (rc < 0) {
		json_decref(description);
		return rc;
	}
	done = client_ask(json_pack("{s:s, s:o, s:o}", "do", "set", "keys",
				    tunnel_keys(description, of_host, host),
				    "link", description),
			  err);
	json_decref(done);
	return done ? 0 : err->code;
}

static int remove_link(struct host *host, const struct object *object,
		       struct err *err)
{
	const char *name = object->key + strlen("link ");
	json_t *done;

	if (host_is_stage(host)) {
		stage_remove(name);
		return 0;
	}
	done = client_ask(json_pack("{s:s, s:s}", "do", "remove", "link", name),
			  err);
	json_decref(done);
	return done ? 0 : err->code;
}

static int apply_device(struct netlink *netlink, const struct step *step,
			struct err *err)
{
	const struct object *to = step->after ? step->after : step->before;
	const struct tunnel_data *data = tunnel_of(to);
	int rc;

	switch (step->op) {
	case STEP_ADD: return device_make(netlink, data, err);
	case STEP_CHANGE: return device_set(netlink, data, err);
	case STEP_DELETE: return device_remove(netlink, data, err);
	case STEP_WAIT: return 0;
	case STEP_REPLACE: break;
	}
	rc = device_remove(netlink, data, err);
	return rc < 0 ? rc : device_make(netlink, data, err);
}

static int apply_one(struct host *host, const struct step *step,
		     struct err *err)
{
	const struct object *to = step->after ? step->after : step->before;
	const struct tunnel_data *data = tunnel_of(to);
	struct netlink *netlink = host_netlink(host, NETLINK_ROUTE, err);

	if (!netlink)
		return -EIO;
	if (data->what == TUNNEL_LINK)
		return step->op == STEP_DELETE ? remove_link(host, to, err)
					       : set_link(host, data, err);
	if (data->what == TUNNEL_DEVICE)
		return apply_device(netlink, step, err);
	return step->op == STEP_DELETE ? address_remove(netlink, data, err)
				       : address_add(netlink, data, err);
}

static int apply(struct host *host, struct step *const *steps, size_t count,
		 size_t *failed, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		AUTO_ERR own = ERR_NONE;

		if (apply_one(host, steps[i], &own) < 0) {
			*failed = i;
			return err_move(err, &own);
		}
		steps[i]->done = true;
	}
	return 0;
}

const struct backend backend_tunnel = {
	.name = "tunnel",
	.summary = "tunnel devices, their addresses, and the engine",
	.want = tunnel_want,
	.read = read_all,
	.plan = tunnel_plan,
	.apply = apply,
	.print = tunnel_print,
	.print_change = tunnel_print_change,
	.live = tunnel_live,
	.spells = tunnel_spells,
	.ears = &tunnel_ears,
	.health = tunnel_health,
};
