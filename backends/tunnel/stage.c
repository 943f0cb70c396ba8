/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/tunnel/stage.h"

#include <string.h>

#include "backends/engine/description.h"

/* A rehearsal is a process of its own (host_throw_away()), so one is enough. */
static json_t *links;

static size_t place_of(const char *name)
{
	json_t *link;
	size_t i;

	json_array_foreach(links, i, link)
	{
		const char *other =
			json_string_value(json_object_get(link, "name"));

		if (other && !strcmp(other, name))
			return i;
	}
	return json_array_size(links);
}

int stage_set(const json_t *description, struct err *err)
{
	const char *name =
		json_string_value(json_object_get(description, "name"));
	struct description parsed;
	int rc = description_parse(description, &parsed, err);
	size_t place;

	if (rc < 0)
		return rc;
	description_clear(&parsed);
	if (!links)
		links = json_array();
	place = place_of(name);
	if (place == json_array_size(links))
		json_array_append_new(links, json_deep_copy(description));
	else
		json_array_set_new(links, place, json_deep_copy(description));
	return 0;
}

void stage_remove(const char *name)
{
	json_array_remove(links, place_of(name));
}

json_t *stage_get(void)
{
	return links ? json_deep_copy(links) : json_array();
}
