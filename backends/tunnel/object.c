/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/tunnel/object.h"

#include <arpa/inet.h>
#include <string.h>

#include "backends/list.h"
#include "model/base/mem.h"

static void put_address(const struct prefix *address, struct text *out)
{
	char host[INET6_ADDRSTRLEN] = "";

	inet_ntop(address->family, address->bytes, host, sizeof(host));
	text_printf(out, "%s/%u", host, address->length);
}

static void put_key(const struct tunnel_data *data, const char *name,
		    struct text *out)
{
	if (data->what == TUNNEL_DEVICE) {
		text_printf(out, "device %s", data->device);
	} else if (data->what == TUNNEL_ADDRESS) {
		text_put(out, "address ");
		put_address(&data->address, out);
		text_printf(out, " %s", data->device);
	} else {
		text_printf(out, "link %s", name);
	}
}

static void add(struct state *state, const struct tunnel_data *data,
		size_t size, const char *name, const char *path)
{
	AUTO_TEXT key = TEXT_NONE;

	put_key(data, name, &key);
	if (!state_find(state, &backend_tunnel, text_get(&key)))
		state_add(state, &backend_tunnel, text_get(&key), path, data,
			  size);
}

void tunnel_add(struct state *state, const struct tunnel_data *data,
		const char *path)
{
	add(state, data, sizeof(*data), NULL, path);
}

void tunnel_add_link(struct state *state, json_t *description, const char *path)
{
	const char *name =
		json_string_value(json_object_get(description, "name"));
	struct tunnel_data *data;
	size_t size;
	char *text;

	json_object_del(description, "public");
	text = json_dumps(description, JSON_COMPACT | JSON_SORT_KEYS);
	if (text && name) {
		size = strlen(text) + 1;
		data = mem_alloc(sizeof(*data) + size);
		data->what = TUNNEL_LINK;
		memcpy(data->text, text, size);
		add(state, data, sizeof(*data) + size, name, path);
		free(data);
	}
	free(text);
}

/* --- words ---------------------------------------------------------------- */

static size_t count_of(const json_t *json, const char *list)
{
	return json_array_size(json_object_get(json, list));
}

static const char *text_of(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text ? text : "";
}

static void print_link(const struct tunnel_data *data, struct text *out)
{
	json_t *json = json_loads(data->text, 0, NULL);
	bool server = !strcmp(text_of(json, "role"), "server");
	size_t count = count_of(json, server ? "peers" : "members");

	text_printf(out, "link %s %s on %s, %zu %s%s", text_of(json, "name"),
		    text_of(json, "role"), text_of(json, "device"), count,
		    server ? "peer" : "member", count == 1 ? "" : "s");
	json_decref(json);
}

void tunnel_print(const struct object *object, struct text *out)
{
	const struct tunnel_data *data = tunnel_of(object);

	if (data->what == TUNNEL_LINK) {
		print_link(data, out);
		return;
	}
	text_put(out, object->key);
	if (data->what == TUNNEL_DEVICE)
		text_printf(out, " %s%s", data->tap ? "tap" : "tun",
			    data->up ? " up" : "");
}

static void put_value(const json_t *value, struct text *out)
{
	char *text;

	if (json_is_string(value)) {
		text_put(out, json_string_value(value));
		return;
	}
	text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	text_put(out, text ? text : "none");
	free(text);
}

json_t *tunnel_by_name(const json_t *list)
{
	json_t *names = json_object(), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *name =
			json_string_value(json_object_get(item, "name"));

		if (name && !json_object_get(names, name))
			json_object_set(names, name, item);
	}
	return names;
}

static void print_fields(json_t *from, json_t *to, const char *where,
			 struct text *out);

static void print_list(json_t *from, json_t *to, const char *what,
		       struct text *out)
{
	json_t *before = tunnel_by_name(from), *after = tunnel_by_name(to);
	json_t *item;
	size_t i;

	json_array_foreach(to, i, item)
	{
		const char *name = text_of(item, "name");
		json_t *old = json_object_get(before, name);
		AUTO(str) char *where = mem_printf("%s %s ", what, name);

		if (!old)
			text_printf(out, ", %s %s new", what, name);
		else
			print_fields(old, item, where, out);
	}
	json_array_foreach(from, i, item)
	{
		const char *name = text_of(item, "name");

		if (!json_object_get(after, name))
			text_printf(out, ", %s %s gone", what, name);
	}
	json_decref(before);
	json_decref(after);
}

static void print_fields(json_t *from, json_t *to, const char *where,
			 struct text *out)
{
	const char *name;
	json_t *value;

	json_object_foreach(to, name, value)
	{
		json_t *old = json_object_get(from, name);

		if (json_equal(old, value) || !strcmp(name, "peers") ||
		    !strcmp(name, "members"))
			continue;
		text_printf(out, ", %s%s ", where, name);
		put_value(old, out);
		text_put(out, " -> ");
		put_value(value, out);
	}
	json_object_foreach(from, name, value) if (!json_object_get(to, name))
		text_printf(out, ", %s%s none", where, name);
}

void tunnel_print_change(const struct object *before,
			 const struct object *after, struct text *out)
{
	const struct tunnel_data *from = tunnel_of(before);
	const struct tunnel_data *to = tunnel_of(after);
	json_t *old, *new;

	text_put(out, after->key);
	if (from->what != TUNNEL_LINK) {
		text_printf(out, " %s -> %s", from->up ? "up" : "down",
			    to->up ? "up" : "down");
		return;
	}
	old = json_loads(from->text, 0, NULL);
	new = json_loads(to->text, 0, NULL);
	print_fields(old, new, "", out);
	print_list(json_object_get(old, "members"),
		   json_object_get(new, "members"), "member", out);
	print_list(json_object_get(old, "peers"), json_object_get(new, "peers"),
		   "peer", out);
	json_decref(old);
	json_decref(new);
}

bool tunnel_is_hitless(const struct object *before, const struct object *after)
{
	static const char *const fixed[] = { "device",	"tap",
					     "role",	"listen",
					     "small",	"hold-us",
					     "threads", "secret-digest" };
	json_t *old = json_loads(tunnel_of(before)->text, 0, NULL);
	json_t *new = json_loads(tunnel_of(after)->text, 0, NULL);
	bool hitless = true;

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		if (!json_equal(json_object_get(old, fixed[i]),
				json_object_get(new, fixed[i])) &&
		    (json_object_get(old, fixed[i]) ||
		     json_object_get(new, fixed[i])))
			hitless = false;
	json_decref(old);
	json_decref(new);
	return hitless;
}
