/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/restore.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/tunnel/object.h"
#include "model/secret.h"
#include "model/store.h"

/* --- what the store says -------------------------------------------------- */

static char *of_store(void *store, const char *hidden, struct err *err)
{
	return secret_find(store, hidden, err);
}

static json_t *entry(struct store *store, const struct tunnel_data *data)
{
	json_t *link = json_loads(data->text, 0, NULL), *out = json_object();

	json_object_set_new(out, "keys", tunnel_keys(link, of_store, store));
	json_object_set_new(out, "link", link);
	return out;
}

/* Facts of this host, which are none of the store's, would add warnings that
 * nobody reads here. */
static json_t *links_of(struct store *store, const struct tree *tree)
{
	const struct facts facts = { 0 };
	struct report report = REPORT_NONE;
	struct state want = STATE_NONE;
	json_t *out = json_array();

	tunnel_want(tree, &facts, &report, &want);
	for (size_t i = 0; i < want.count; i++) {
		const struct tunnel_data *data = tunnel_of(&want.items[i]);

		if (data->what == TUNNEL_LINK)
			json_array_append_new(out, entry(store, data));
	}
	state_clear(&want);
	report_clear(&report);
	return out;
}

json_t *restore_read(const char *path, struct err *err)
{
	AUTO(store) struct store *store = NULL;
	AUTO(tree) struct tree *tree = NULL;

	/* A store that is not there asks for nothing, not for an end of all. */
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return json_null();
	store = store_open(path, STORE_READ, err);
	if (!store || store_load(store, &tree, err) < 0)
		return NULL;
	return links_of(store, tree);
}

/* --- what the engine runs ------------------------------------------------- */

static void start(struct engine *engine, const json_t *link, const json_t *keys)
{
	const char *device = json_string_value(json_object_get(link, "device"));
	AUTO_ERR err = ERR_NONE;

	if (!device || !if_nametoindex(device))
		fprintf(stderr,
			"tressed: device %s is not there: `tresse repair` "
			"makes it\n",
			device ? device : "");
	else if (engine_set(engine, link, keys, &err) < 0)
		fprintf(stderr, "tressed: %s\n", err.text);
}

static const char *name_of(const json_t *link)
{
	const char *name = json_string_value(json_object_get(link, "name"));

	return name ? name : "";
}

static json_t *names_of(const json_t *links)
{
	json_t *names = json_object(), *item;
	size_t i;

	json_array_foreach(links, i, item) json_object_set_new(
		names, name_of(json_object_get(item, "link")), json_true());
	return names;
}

static void end_others(struct engine *engine, const json_t *links)
{
	json_t *running = engine_get(engine), *names = names_of(links), *link;
	size_t i;

	json_array_foreach(running, i, link)
	{
		if (!json_object_get(names, name_of(link)))
			engine_remove(engine, name_of(link));
	}
	json_decref(names);
	json_decref(running);
}

void restore(struct engine *engine, const json_t *links)
{
	json_t *item;
	size_t i;

	if (!json_is_array(links))
		return;
	end_others(engine, links);
	json_array_foreach(links, i, item)
		start(engine, json_object_get(item, "link"),
		      json_object_get(item, "keys"));
}
