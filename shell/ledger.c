/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/ledger.h"

#include <string.h>

#include "model/node.h"

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
					node_path_dup(node), text, line };
	ledger->totals[deed] += objects_of(node, deed);
	free(TAKE(ledger->sorted)); /* items may have moved */
}

static int by_path(const void *a, const void *b)
{
	const struct ledger_entry *left =
		*(const struct ledger_entry *const *)a;
	const struct ledger_entry *right =
		*(const struct ledger_entry *const *)b;
	int order = strcmp(left->path, right->path);

	return order ? order : left < right ? -1 : left > right;
}

/* Asked for where something went wrong, which is seldom. */
static void sort(struct ledger *ledger)
{
	ledger->sorted = mem_array(ledger->count, sizeof(*ledger->sorted));
	for (size_t i = 0; i < ledger->count; i++)
		ledger->sorted[i] = &ledger->items[i];
	qsort(ledger->sorted, ledger->count, sizeof(*ledger->sorted), by_path);
}

/* Line of the last entry of that path; 0: none. */
static unsigned line_of(const struct ledger *ledger, const char *path)
{
	size_t low = 0, high = ledger->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(ledger->sorted[middle]->path, path) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low-- > 0 && !strcmp(ledger->sorted[low]->path, path))
		if (ledger->sorted[low]->line)
			return ledger->sorted[low]->line;
	return 0;
}

unsigned ledger_line(struct ledger *ledger, const char *path)
{
	AUTO(str) char *at = mem_strdup(path);

	if (!ledger->sorted)
		sort(ledger);
	while (*at) {
		unsigned line = line_of(ledger, at);
		char *slash = strrchr(at, '/');

		if (line || !slash)
			return line;
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
	free(ledger->sorted);
	*ledger = (struct ledger)LEDGER_NONE;
}
