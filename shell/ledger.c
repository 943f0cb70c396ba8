/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/ledger.h"

#include <search.h>
#include <string.h>

#include "model/node.h"

struct touched {
	char *path;
	unsigned line;
};

const char *deed_name(enum deed deed)
{
	static const char *const names[DEEDS] = {
		[DEED_CREATED] = "created",
		[DEED_CHANGED] = "changed",
		[DEED_DELETED] = "deleted",
		[DEED_KEPT] = "kept",
	};

	return names[deed];
}

static int by_path(const void *a, const void *b)
{
	const struct touched *left = a, *right = b;

	return strcmp(left->path, right->path);
}

static void free_touched(void *item)
{
	struct touched *touched = item;

	free(touched->path);
	free(touched);
}

static void touch(struct ledger *ledger, const char *path, unsigned line)
{
	struct touched *fresh = mem_alloc(sizeof(*fresh));
	struct touched **found;

	*fresh = (struct touched){ mem_strdup(path), line };
	found = tsearch(fresh, &ledger->lines, by_path);
	if (!found)
		abort(); /* out of memory */
	if (*found == fresh)
		return;
	(*found)->line = line;
	free_touched(fresh);
}

/* A branch counts by its objects; what is made along with them does not. */
static size_t objects_of(const struct node *branch, enum deed deed)
{
	size_t count = 0;

	if (deed != DEED_DELETED)
		return 1;
	for (const struct node *at = branch; at; at = node_walk(branch, at))
		count += !node_is_fixed(at);
	return count;
}

void ledger_add(struct ledger *ledger, enum deed deed, const struct node *node,
		unsigned line, char *text)
{
	struct ledger_entry *entry;

	ledger->items = mem_grow(ledger->items, ledger->count, &ledger->room,
				 sizeof(*ledger->items));
	entry = &ledger->items[ledger->count++];
	*entry = (struct ledger_entry){ deed, node_kind(node)->name,
					node_path_dup(node), text };
	ledger->totals[deed] += objects_of(node, deed);
	if (line)
		touch(ledger, entry->path, line);
}

unsigned ledger_line(const struct ledger *ledger, const char *path)
{
	AUTO(str) char *at = mem_strdup(path);
	char *slash;

	while (*at) {
		const struct touched wanted = { at, 0 };
		struct touched **found =
			tfind(&wanted, (void *const *)&ledger->lines, by_path);

		if (found)
			return (*found)->line;
		slash = strrchr(at, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	return 0;
}

void ledger_clear(struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->count; i++) {
		free(ledger->items[i].path);
		free(ledger->items[i].text);
	}
	free(ledger->items);
	tdestroy(ledger->lines, free_touched);
	*ledger = (struct ledger)LEDGER_NONE;
}
