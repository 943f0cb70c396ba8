/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/restore.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/host.h"
#include "backends/tunnel/object.h"
#include "model/secret.h"
#include "model/store.h"

static char *of_store(void *store, const char *hidden, struct err *err)
{
	return secret_find(store, hidden, err);
}

static void start(struct engine *engine, struct store *store,
		  const struct tunnel_data *data)
{
	json_t *link = json_loads(data->text, 0, NULL);
	const char *device = json_string_value(json_object_get(link, "device"));
	json_t *keys = tunnel_keys(link, of_store, store);
	AUTO_ERR err = ERR_NONE;

	if (!device || !if_nametoindex(device))
		fprintf(stderr,
			"tressed: device %s is not there: `tresse repair` "
			"makes it\n",
			device ? device : "");
	else if (engine_set(engine, link, keys, &err) < 0)
		fprintf(stderr, "tressed: %s\n", err.text);
	json_decref(keys);
	json_decref(link);
}

static bool is_wanted(const struct state *want, const char *name)
{
	AUTO(str) char *key = mem_printf("link %s", name);

	for (size_t i = 0; i < want->count; i++)
		if (!strcmp(want->items[i].key, key))
			return true;
	return false;
}

static void end_others(struct engine *engine, const struct state *want)
{
	json_t *links = engine_get(engine), *link;
	size_t i;

	json_array_foreach(links, i, link)
	{
		const char *name =
			json_string_value(json_object_get(link, "name"));

		if (name && !is_wanted(want, name))
			engine_remove(engine, name);
	}
	json_decref(links);
}

static int run(struct engine *engine, struct store *store,
	       const struct tree *tree, struct err *err)
{
	AUTO(host) struct host *host = host_new();
	struct report report = REPORT_NONE;
	struct state want = STATE_NONE;
	struct facts facts = { 0 };
	int rc = host_read_facts(host, &facts, err);

	if (!rc) {
		tunnel_want(tree, &facts, &report, &want);
		end_others(engine, &want);
	}
	for (size_t i = 0; i < want.count; i++)
		if (tunnel_of(&want.items[i])->what == TUNNEL_LINK)
			start(engine, store, tunnel_of(&want.items[i]));
	state_clear(&want);
	report_clear(&report);
	facts_clear(&facts);
	return rc;
}

int restore(struct engine *engine, const char *path, struct err *err)
{
	AUTO(store) struct store *store = NULL;
	AUTO(tree) struct tree *tree = NULL;
	int rc;

	/* A store that is not there asks for nothing, not for an end of all. */
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	store = store_open(path, STORE_READ, err);
	if (!store)
		return err->code;
	rc = store_load(store, &tree, err);
	return rc < 0 ? rc : run(engine, store, tree, err);
}
