/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/diff.h"

#include "model/secret.h"

struct walk {
	int (*each)(const struct change *change, void *arg);
	void *arg;
};

/* What was given, and a key that we made: it tells its object from others. */
static char *told_text(const struct node *node, size_t attr)
{
	bool secret = node && node_kind(node)->attrs[attr].flags & ATTR_SECRET;
	struct text text = TEXT_NONE;
	enum origin origin;

	if (!node)
		return NULL;
	origin = node_origin(node, attr);
	if (origin != ORIGIN_GIVEN && !(secret && origin == ORIGIN_CHOSEN))
		return NULL;
	if (secret)
		secret_print(node, attr, &text);
	else
		node_print(node, attr, &text);
	return text_take(&text);
}

static int tell_setting(const struct walk *walk, const struct node *node,
			const struct node *from, const struct node *to,
			size_t attr)
{
	AUTO(str) char *before = told_text(from, attr);
	AUTO(str) char *after = told_text(to, attr);
	struct change change = { CHANGE_SET, node,
				 &node_kind(node)->attrs[attr], before, after };

	if (!before && !after)
		return 0;
	if (before && after && !strcmp(before, after))
		return 0;
	/* Who says nothing of a key that we made lets it stay. */
	if (!after && node_origin(from, attr) == ORIGIN_CHOSEN)
		return 0;
	return walk->each(&change, walk->arg);
}

static int tell_settings(const struct walk *walk, const struct node *from,
			 const struct node *to)
{
	const struct kind *kind = node_kind(to);
	int rc = 0;

	for (size_t attr = 0; attr < kind->attr_count && rc == 0; attr++)
		rc = tell_setting(walk, to, from, to, attr);
	return rc;
}

static int tell_gone(const struct walk *walk, const struct node *from,
		     const struct node *to)
{
	struct node **list = node_sorted(from);
	int rc = 0;

	for (size_t i = 0; list[i] && rc == 0; i++) {
		struct node *other = node_find(to, node_name(list[i]));
		struct change change = { .op = CHANGE_DELETE, .node = list[i] };

		if (other)
			rc = tell_gone(walk, list[i], other);
		else
			rc = walk->each(&change, walk->arg);
	}
	free(list);
	return rc;
}

/* from is NULL for what is new. */
static int tell_there(const struct walk *walk, const struct node *from,
		      const struct node *to)
{
	struct change change = { .op = CHANGE_CREATE, .node = to };
	struct node **list;
	int rc = 0;

	if (!from && !node_is_fixed(to))
		rc = walk->each(&change, walk->arg);
	if (rc == 0)
		rc = tell_settings(walk, from, to);
	list = node_sorted(to);
	for (size_t i = 0; list[i] && rc == 0; i++)
		rc = tell_there(
			walk, from ? node_find(from, node_name(list[i])) : NULL,
			list[i]);
	free(list);
	return rc;
}

int tree_diff(const struct tree *from, const struct tree *to,
	      int (*each)(const struct change *change, void *arg), void *arg)
{
	const struct walk walk = { each, arg };
	int rc = tell_gone(&walk, tree_root(from), tree_root(to));

	return rc ? rc : tell_there(&walk, tree_root(from), tree_root(to));
}

void change_print(const struct change *change, struct text *out)
{
	static const char signs[] = {
		[CHANGE_CREATE] = '+', [CHANGE_SET] = '~', [CHANGE_DELETE] = '-'
	};

	text_put_char(out, signs[change->op]);
	text_put_char(out, ' ');
	node_path(change->node, out);
	if (!change->attr)
		return;
	text_printf(out, " %s: %s -> %s", change->attr->name,
		    change->before ? change->before : "(unset)",
		    change->after ? change->after : "(unset)");
}
