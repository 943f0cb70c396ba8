/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/kind.h"

#include <string.h>

#include "model/base/mem.h"

const struct kind *const kinds[] = { &kind_root,    &kind_paths,   &kind_path,
				     &kind_classes, &kind_uplink,  &kind_class,
				     &kind_matches, &kind_match,   &kind_links,
				     &kind_link,    &kind_members, &kind_member,
				     &kind_peers,   &kind_peer,	   &kind_system,
				     NULL };

const char *effect_name(enum effect effect)
{
	static const char *const names[] = {
		[EFFECT_NONE] = "none",
		[EFFECT_HITLESS] = "hitless",
		[EFFECT_FLAP] = "flap",
		[EFFECT_REBUILD] = "rebuild",
	};
	return names[effect];
}

/* Asked for each setting of each line: most names differ in their first letter
 * already. */
const struct attr *kind_attr(const struct kind *kind, const char *name)
{
	for (size_t i = 0; i < kind->attr_count; i++)
		if (kind->attrs[i].name[0] == name[0] &&
		    !strcmp(kind->attrs[i].name, name))
			return &kind->attrs[i];
	return NULL;
}

const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; kinds[i]; i++)
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

size_t kind_index(const struct kind *kind, const struct attr *attr)
{
	return (size_t)(attr - kind->attrs);
}
