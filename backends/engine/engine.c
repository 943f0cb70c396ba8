/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/engine.h"

#include <malloc.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "backends/engine/crew.h"
#include "backends/engine/description.h"
#include "backends/engine/keeper.h"
#include "backends/engine/past.h"
#include "backends/engine/resolver.h"
#include "backends/engine/tenant.h"
#include "model/base/crypto.h"
#include "model/secret.h"

struct link {
	TAILQ_ENTRY(link) entry;
	struct description wanted;
	json_t *shown; /* what was asked for, without secrets */
	bool named;    /* it names hosts that have to be looked up */
	struct crew *crew;
	struct tenant tenant; /* client */
};

enum {
	KEYS_KNOWN = 4096,
	MOMENTS = 64,
	SETTLE_US = 500000, /* addresses are set no more often */
	PATIENCE_US = 5000000,
};

struct engine {
	TAILQ_HEAD(, link) links;
	json_t *keys; /* by digest, that links have or had */
	struct resolver *resolver;
	struct past *past;
	int news;	     /* written to by the links' threads */
	bool unsettled;	     /* addresses have to be looked at ... */
	uint64_t settled_at; /* ... as they were then */
};

struct engine *engine_new(const struct past_shelf *measured)
{
	struct engine *engine = mem_alloc(sizeof(*engine));

	TAILQ_INIT(&engine->links);
	engine->keys = json_object();
	engine->resolver = resolver_new();
	engine->past = past_new(measured);
	engine->news = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return engine;
}

static int64_t wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* --- what happens on the lines -------------------------------------------- */

static const char *word_of(enum hub_what what)
{
	return what == HUB_LINE_FULL ? "full" : "free";
}

static json_t *moment_json(const char *link, const struct hub_moment *moment)
{
	bool member = moment->member[0];

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "what",
		word_of(moment->what), "link", link, member ? "member" : "peer",
		member ? moment->member : moment->peer, "way",
		moment->in ? "in" : "out", "at", (json_int_t)moment->at_us,
		"lasted-us",
		(json_int_t)(moment->what == HUB_LINE_FREE ? moment->lasted_us
							   : 0),
		"rate", (json_int_t)moment->rate_bps, "queue-us",
		(json_int_t)moment->queue_us);
}

static void take_moments(struct engine *engine, struct link *link, json_t *told)
{
	const char *name = link->wanted.config.name;
	struct hub_moment moments[MOMENTS];
	size_t count;

	while ((count = crew_moments(link->crew, moments, MOMENTS)))
		for (size_t i = 0; i < count; i++)
			if (past_take(engine->past, name, &moments[i]))
				json_array_append_new(
					told, moment_json(name, &moments[i]));
}

json_t *engine_news(struct engine *engine)
{
	json_t *told = json_array();
	struct link *link;
	uint64_t count;

	if (read(engine->news, &count, sizeof(count)) < 0)
		return told;
	engine->unsettled = true;
	TAILQ_FOREACH (link, &engine->links, entry) {
		if (!link->crew)
			continue;
		take_moments(engine, link, told);
		if (link->named && crew_is_alone(link->crew))
			resolver_hurry(engine->resolver);
		/* Here, where no packet waits for it. */
		if (crew_gave_back(link->crew))
			malloc_trim(0);
	}
	return told;
}

int engine_news_fd(const struct engine *engine)
{
	return engine->news;
}

json_t *engine_past(const struct engine *engine, const char *name)
{
	return past_show(engine->past, name, PAST_SPELLS, wall_us());
}

/* --- addresses that servers hand out -------------------------------------- */

void engine_addresses(struct engine *engine)
{
	engine->unsettled = true;
}

static void settle(struct link *link)
{
	const struct hub_config *config = &link->wanted.config;
	struct lease lease;
	bool said = link->crew && crew_lease(link->crew, &lease);

	tenant_settle(&link->tenant, config->device, config->take_ip4,
		      config->take_ip6, said ? &lease : NULL);
}

void engine_turn(struct engine *engine, uint64_t now_us)
{
	struct link *link;

	past_turn(engine->past, now_us);
	if (!engine->unsettled || engine->settled_at + SETTLE_US > now_us)
		return;
	engine->unsettled = false;
	engine->settled_at = now_us;
	TAILQ_FOREACH (link, &engine->links, entry)
		if (!link->wanted.config.server)
			settle(link);
}

uint64_t engine_next(const struct engine *engine, uint64_t now_us)
{
	uint64_t save = past_next(engine->past, now_us);
	uint64_t next = engine->settled_at + SETTLE_US;

	return engine->unsettled && next < save ? next : save;
}

/* --- links ---------------------------------------------------------------- */

/* What its last moments were is not lost with it. */
static void end_hub(struct engine *engine, struct link *link)
{
	const char *name = link->wanted.config.name;
	json_t *told = json_array();

	if (link->crew)
		take_moments(engine, link, told);
	json_decref(told);
	past_cut(engine->past, name, wall_us());
	crew_free(TAKE(link->crew));
}

static void link_free(struct engine *engine, struct link *link)
{
	TAILQ_REMOVE(&engine->links, link, entry);
	end_hub(engine, link);
	description_clear(&link->wanted);
	json_decref(link->shown);
	free(link);
}

void engine_free(struct engine *engine)
{
	struct link *link;

	if (!engine)
		return;
	while ((link = TAILQ_FIRST(&engine->links)))
		link_free(engine, link);
	past_free(engine->past);
	close(engine->news);
	json_decref(engine->keys);
	resolver_free(engine->resolver);
	free(engine);
}

static struct link *find(const struct engine *engine, const char *name)
{
	struct link *link;

	TAILQ_FOREACH (link, &engine->links, entry)
		if (!strcmp(link->wanted.config.name, name))
			return link;
	return NULL;
}

/* --- what is shown -------------------------------------------------------- */

/* Puts a digest in the place of a key, and remembers the key. */
static void hide(struct engine *engine, json_t *object, const char *name,
		 const char *digest_name)
{
	json_t *key = json_object_get(object, name);
	const char *text = json_string_value(key);
	char hidden[SECRET_HIDDEN];
	const char *hex;

	if (!text)
		return;
	secret_digest(text, hidden);
	hex = strchr(hidden, ':') + 1;
	if (json_object_size(engine->keys) >= KEYS_KNOWN)
		json_object_clear(engine->keys);
	json_object_set(engine->keys, hex, key);
	json_object_set_new(object, digest_name, json_string(hex));
	json_object_del(object, name);
}

/* And back again. */
static int reveal(const struct engine *engine, const json_t *keys,
		  json_t *object, const char *name, const char *digest_name,
		  struct err *err)
{
	const char *hex =
		json_string_value(json_object_get(object, digest_name));
	json_t *key;

	if (!hex)
		return 0;
	key = json_object_get(keys, hex);
	if (!key)
		key = json_object_get(engine->keys, hex);
	if (!key)
		return err_set(err, ENOKEY, "%s: nobody knows the key %s", name,
			       hex);
	json_object_set(object, name, key);
	json_object_del(object, digest_name);
	return 0;
}

static int reveal_all(const struct engine *engine, const json_t *keys,
		      json_t *description, struct err *err)
{
	int rc = reveal(engine, keys, description, "secret", "secret-digest",
			err);
	json_t *peer;
	size_t i;

	json_array_foreach(json_object_get(description, "peers"), i,
			   peer) if (!rc) rc =
		reveal(engine, keys, peer, "psk", "psk-digest", err);
	return rc;
}

static json_t *without_secrets(struct engine *engine, const json_t *description,
			       const struct description *wanted)
{
	json_t *copy = json_deep_copy(description), *peer;
	uint8_t public[NOISE_KEY];
	char text[CRYPTO_TEXT];
	size_t i;

	noise_public(wanted->config.secret, public);
	crypto_print_key(public, text);
	json_object_set_new(copy, "public", json_string(text));
	hide(engine, copy, "secret", "secret-digest");
	json_array_foreach(json_object_get(copy, "peers"), i, peer)
		hide(engine, peer, "psk", "psk-digest");
	return copy;
}

/* Of what was asked for, what is in force: somebody may have taken the filter
 * of the device away (steer.h). */
static json_t *in_force(const struct link *link)
{
	static const char *const steered[] = { "duplicate-mark",
					       "duplicate-mask",
					       "duplicate-class" };
	json_t *shown;

	if (!link->crew || crew_is_steered(link->crew))
		return json_incref(link->shown);
	shown = json_copy(link->shown);
	for (size_t i = 0; i < ARRAY_SIZE(steered); i++)
		json_object_del(shown, steered[i]);
	return shown;
}

json_t *engine_get(const struct engine *engine)
{
	json_t *out = json_array();
	struct link *link;

	TAILQ_FOREACH (link, &engine->links, entry)
		json_array_append_new(out, in_force(link));
	return out;
}

/* What is missing, where all is left to the server. */
static const char *no_lease(const struct link *link, json_t *status)
{
	const struct hub_config *config = &link->wanted.config;
	json_t *peer = json_array_get(json_object_get(status, "peers"), 0);
	struct lease lease;

	if (config->tap || !config->take_ip4 || !config->take_ip6 ||
	    link->tenant.held.count ||
	    json_integer_value(json_object_get(peer, "up-us")) < PATIENCE_US)
		return NULL;
	if (!crew_lease(link->crew, &lease))
		return "the server hands out no address (it may be of an "
		       "earlier version): set local= here, or none";
	return "the server has no address for this client: give it one there "
	       "(address= of its peer), or set local= here, or none";
}

static void put_addresses(const struct link *link, json_t *out)
{
	const struct lease *held = &link->tenant.held;
	const char *error = link->tenant.error[0] ? link->tenant.error
						  : no_lease(link, out);
	char text[LEASE_MOST * LEASE_TEXT] = "", one[LEASE_TEXT];

	for (size_t i = 0; i < held->count; i++) {
		lease_text(&held->addresses[i], one);
		strncat(text, i ? "," : "", sizeof(text) - strlen(text) - 1);
		strncat(text, one, sizeof(text) - strlen(text) - 1);
	}
	if (held->count)
		json_object_set_new(out, "address", json_string(text));
	if (error && !json_object_get(out, "error"))
		json_object_set_new(out, "error", json_string(error));
}

/* A server whose name leads nowhere is worth a word of its own. */
static void put_name_error(const struct link *link, json_t *status)
{
	const json_t *peer =
		json_array_get(json_object_get(link->shown, "peers"), 0);
	const char *name = json_string_value(
		json_array_get(json_object_get(peer, "endpoints"), 0));

	if (link->named && name && link->wanted.peer_count &&
	    !link->wanted.peers[0].endpoint_count)
		json_object_set_new(
			status, "error",
			json_sprintf("peer %s: no address is known for that "
				     "name: is it right, and does DNS answer?",
				     name));
}

/* It carries what it carries, but nothing new: all the others say more. */
static void put_keeper_error(json_t *status)
{
	if (keeper_error() && !json_object_get(status, "error"))
		json_object_set_new(status, "error",
				    json_string(keeper_error()));
}

/* With the last spell of each line, and the most it carried. */
static json_t *link_status(const struct engine *engine, const struct link *link)
{
	json_t *status = crew_status(link->crew);

	put_name_error(link, status);
	json_object_set_new(status, "past",
			    past_show(engine->past, link->wanted.config.name, 1,
				      wall_us()));
	put_addresses(link, status);
	put_keeper_error(status);
	return status;
}

json_t *engine_status(const struct engine *engine, const char *name)
{
	json_t *out = json_array();
	struct link *link;

	TAILQ_FOREACH (link, &engine->links, entry)
		if (!name || !strcmp(link->wanted.config.name, name))
			json_array_append_new(out, link_status(engine, link));
	return out;
}

/* --- changes -------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct hub_peer *const *one = a, *const *other = b;

	return strcmp((*one)->name, (*other)->name);
}

/* The peers of a description, sorted by name: there may be ten thousand. The
 * caller's to free. */
static const struct hub_peer **sorted(const struct description *in)
{
	const struct hub_peer **peers =
		mem_array(in->peer_count, sizeof(struct hub_peer *));

	for (size_t i = 0; i < in->peer_count; i++)
		peers[i] = &in->peers[i];
	qsort(peers, in->peer_count, sizeof(*peers), by_name);
	return peers;
}

/* NULL: none of these is called so. */
static const struct hub_peer *same_name(const struct hub_peer *const *peers,
					size_t count,
					const struct hub_peer *peer)
{
	const struct hub_peer *const *found = bsearch(
		&peer, peers, count, sizeof(struct hub_peer *), by_name);

	return found ? *found : NULL;
}

static const struct hub_member *member_of(const struct description *in,
					  const char *name)
{
	for (size_t i = 0; i < in->member_count; i++)
		if (!strcmp(in->members[i].name, name))
			return &in->members[i];
	return NULL;
}

/* What goes makes room for what comes (prefixes, keys), so it goes first. */
static int converge_peers(struct crew *crew, const struct description *from,
			  const struct description *to, struct err *err)
{
	const struct hub_peer **before = sorted(from), **after = sorted(to);
	int rc = 0;

	for (size_t i = 0; i < from->peer_count; i++)
		if (!same_name(after, to->peer_count, &from->peers[i]))
			crew_peer_remove(crew, from->peers[i].name);
	for (size_t i = 0; i < to->peer_count && !rc; i++) {
		const struct hub_peer *peer = &to->peers[i];
		const struct hub_peer *old =
			same_name(before, from->peer_count, peer);

		if (!old || memcmp(old, peer, sizeof(*peer)))
			rc = crew_peer_set(crew, peer, err);
	}
	free(before);
	free(after);
	return rc;
}

static int converge(struct crew *crew, const struct description *from,
		    const struct description *to, struct err *err)
{
	int rc = converge_peers(crew, from, to, err);

	for (size_t i = 0; i < to->member_count && !rc; i++) {
		const struct hub_member *member = &to->members[i];
		const struct hub_member *old = member_of(from, member->name);

		if (!old || memcmp(old, member, sizeof(*member)))
			crew_member_set(crew, member);
	}
	for (size_t i = 0; i < from->member_count && !rc; i++)
		if (!member_of(to, from->members[i].name))
			crew_member_remove(crew, from->members[i].name);
	return rc;
}

static struct link *link_new(struct engine *engine,
			     const struct description *wanted, struct err *err)
{
	static const struct description nothing = { .peers = NULL };
	AUTO(crew) struct crew *crew = crew_new(&wanted->config, err);
	struct link *link;

	if (!crew || converge(crew, &nothing, wanted, err) < 0)
		return NULL;
	link = mem_alloc(sizeof(*link));
	link->crew = TAKE(crew);
	TAILQ_INSERT_TAIL(&engine->links, link, entry);
	return link;
}

/* Changes the running link, or puts back what was changed so far. */
static int link_change(struct link *link, const struct description *wanted,
		       struct err *err)
{
	int rc = crew_set(link->crew, &wanted->config, err);

	if (rc < 0)
		return rc;
	rc = converge(link->crew, &link->wanted, wanted, err);
	if (rc < 0) {
		crew_set(link->crew, &link->wanted.config, NULL);
		converge(link->crew, wanted, &link->wanted, NULL);
	}
	return rc;
}

static void link_take(struct engine *engine, struct link *link,
		      struct link *fresh)
{
	link->crew = TAKE(fresh->crew);
	TAILQ_REMOVE(&engine->links, fresh, entry);
	free(fresh);
}

/* The device and the port have to be let go of before they can be had again. If
 * even what was there cannot be had back, the link is gone. */
static int link_restart(struct engine *engine, struct link *link,
			const struct description *wanted, struct err *err)
{
	struct link *fresh;
	int rc = 0;

	end_hub(engine, link);
	fresh = link_new(engine, wanted, err);
	if (!fresh) {
		rc = err->code;
		fresh = link_new(engine, &link->wanted, NULL);
	}
	if (fresh) {
		link_take(engine, link, fresh);
		return rc;
	}
	link_free(engine, link);
	return err_append(err, "; what it was before could not be had back "
			       "either, so it is down: repair tries again");
}

/* Names that are not known yet leave a peer without an address for now. */
static int read_filled(struct engine *engine, const json_t *description,
		       struct description *out, bool *named, struct err *err)
{
	json_t *filled = json_deep_copy(description);
	int rc;

	*named = resolver_fill(engine->resolver, filled);
	rc = description_parse(filled, out, err);
	out->config.news = engine->news;
	json_decref(filled);
	return rc;
}

static int set_revealed(struct engine *engine, const json_t *description,
			struct err *err)
{
	struct description wanted;
	struct link *link;
	bool named;
	int rc = read_filled(engine, description, &wanted, &named, err);

	if (rc < 0)
		return rc;
	link = find(engine, wanted.config.name);
	if (link) {
		rc = link_change(link, &wanted, err);
		if (rc == -EOPNOTSUPP) {
			err_clear(err);
			rc = link_restart(engine, link, &wanted, err);
		}
	} else {
		link = link_new(engine, &wanted, err);
		rc = link ? 0 : err->code;
	}
	if (rc < 0) {
		description_clear(&wanted);
		return rc;
	}
	description_clear(&link->wanted);
	json_decref(link->shown);
	link->wanted = wanted;
	link->named = named;
	link->shown = without_secrets(engine, description, &wanted);
	/* Before it is looked at: it may be taken again by then. */
	link->tenant.begun[0] &= wanted.config.take_ip4;
	link->tenant.begun[1] &= wanted.config.take_ip6;
	engine_addresses(engine);
	return 0;
}

int engine_set(struct engine *engine, const json_t *description,
	       const json_t *keys, struct err *err)
{
	json_t *whole = json_deep_copy(description);
	int rc = reveal_all(engine, keys, whole, err);

	if (!rc)
		rc = set_revealed(engine, whole, err);
	json_decref(whole);
	return rc;
}

int engine_names_fd(const struct engine *engine)
{
	return resolver_fd(engine->resolver);
}

static void look_again(struct engine *engine, struct link *link)
{
	json_t *whole = json_deep_copy(link->shown);
	struct description wanted;
	bool named;

	json_object_del(whole, "public");
	if (!reveal_all(engine, NULL, whole, NULL) &&
	    !read_filled(engine, whole, &wanted, &named, NULL)) {
		if (link_change(link, &wanted, NULL) < 0) {
			description_clear(&wanted);
		} else {
			description_clear(&link->wanted);
			link->wanted = wanted;
		}
	}
	json_decref(whole);
}

void engine_names(struct engine *engine)
{
	struct link *link;

	resolver_heard(engine->resolver);
	TAILQ_FOREACH (link, &engine->links, entry)
		if (link->named)
			look_again(engine, link);
}

void engine_remove(struct engine *engine, const char *name)
{
	struct link *link = find(engine, name);

	if (link)
		link_free(engine, link);
}

void engine_device(struct engine *engine, const char *name, uint32_t index,
		   bool up)
{
	struct link *link;

	TAILQ_FOREACH (link, &engine->links, entry)
		if (link->crew)
			crew_device(link->crew, name, index, up);
}
