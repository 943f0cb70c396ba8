/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/node.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/queue.h>

#include "model/sums.h"

struct setting {
	uint16_t attr;
	uint16_t origin;
	struct value value;
};

/* What the store has to write of a node, and what it had before. */
struct stain {
	TAILQ_ENTRY(stain) next;
	struct node *node;
	enum dirt dirt;
	size_t was_count;
	struct setting *was; /* owned: when it was clean; of no new node */
};

struct node {
	struct tree *tree;
	struct node *parent; /* NULL for the root */
	const struct kind *kind;
	uint64_t id;	     /* 0 until stored */
	struct stain *stain; /* owned; NULL while clean */
	struct sums *rest;   /* owned; NULL but in a part */
	bool fixed;
	uint16_t setting_count, setting_room;
	struct setting *settings; /* owned, sorted by attr */
	size_t child_count;
	TAILQ_HEAD(children, node) children; /* owned, in the order added */
	TAILQ_ENTRY(node) sibling;
	struct node *name_next; /* in a slot of tree->names */
	struct node *id_next;	/* in a slot of tree->ids */
	uint32_t hash;		/* of parent and name */
	char name[];
};

/* Nodes are found by (parent, name) and by id in two hashes that the tree
 * keeps, so a place with 100,000 children costs what one with three does. */
struct tree {
	struct node *root;
	struct node **names, **ids; /* slot_count chains each */
	size_t slot_count, node_count;
	uint64_t *deleted; /* ids that the store still has */
	size_t deleted_count, deleted_room;
	/* In the order they came: what is new behind what it is below. */
	TAILQ_HEAD(, stain) stains;
	bool dirty;
	bool stored; /* what is made and set is so in the store already */
	bool part;   /* there is more than is here */
};

/* ---- hashes ---- */

static uint32_t hash_of(const struct node *parent, const char *name,
			size_t length)
{
	uint64_t place = (uintptr_t)parent * 0x9e3779b97f4a7c15u;

	return name_hash((uint32_t)(place >> 32), name, length);
}

static struct node **name_slot(const struct tree *tree, uint32_t hash)
{
	return &tree->names[hash & (tree->slot_count - 1)];
}

static size_t id_slot(const struct tree *tree, uint64_t id)
{
	return (id * 0x9e3779b97f4a7c15u >> 20) & (tree->slot_count - 1);
}

static void hash_name(struct tree *tree, struct node *node)
{
	struct node **slot = name_slot(tree, node->hash);

	node->name_next = *slot;
	*slot = node;
}

static void hash_id(struct tree *tree, struct node *node)
{
	size_t slot = id_slot(tree, node->id);

	node->id_next = tree->ids[slot];
	tree->ids[slot] = node;
}

static void unhash_name(struct tree *tree, struct node *node)
{
	struct node **at = name_slot(tree, node->hash);

	while (*at != node)
		at = &(*at)->name_next;
	*at = node->name_next;
}

static void unhash_id(struct tree *tree, struct node *node)
{
	struct node **at = &tree->ids[id_slot(tree, node->id)];

	if (!node->id)
		return;
	while (*at != node)
		at = &(*at)->id_next;
	*at = node->id_next;
}

static void grow_hashes(struct tree *tree)
{
	free(tree->names);
	free(tree->ids);
	tree->slot_count *= 2;
	tree->names = mem_array(tree->slot_count, sizeof(*tree->names));
	tree->ids = mem_array(tree->slot_count, sizeof(*tree->ids));
	for (struct node *at = tree->root; at; at = node_walk(tree->root, at)) {
		hash_name(tree, at);
		if (at->id)
			hash_id(tree, at);
	}
}

/* ---- what the store has to write ---- */

static void copy_setting(const struct node *node, const struct setting *from,
			 struct setting *to)
{
	*to = (struct setting){ .attr = from->attr, .origin = from->origin };
	value_copy(&node->kind->attrs[from->attr], &from->value, &to->value);
}

/* Before the first change. */
static void soil(struct node *node, enum dirt dirt)
{
	struct stain *stain;

	if (node->tree->stored)
		return;
	node->tree->dirty = true;
	if (node->stain)
		return;
	stain = mem_alloc(sizeof(*stain));
	stain->node = node;
	stain->dirt = dirt;
	node->stain = stain;
	TAILQ_INSERT_TAIL(&node->tree->stains, stain, next);
	if (dirt == DIRT_NEW)
		return;
	stain->was = mem_array(node->setting_count, sizeof(*stain->was));
	for (; stain->was_count < node->setting_count; stain->was_count++)
		copy_setting(node, &node->settings[stain->was_count],
			     &stain->was[stain->was_count]);
}

static void wash(struct node *node)
{
	struct stain *stain = node->stain;

	if (!stain)
		return;
	for (size_t i = 0; i < stain->was_count; i++)
		value_clear(&node->kind->attrs[stain->was[i].attr],
			    &stain->was[i].value);
	TAILQ_REMOVE(&node->tree->stains, stain, next);
	free(stain->was);
	free(stain);
	node->stain = NULL;
}

/* ---- making and freeing ---- */

static struct node *node_new(struct tree *tree, struct node *parent,
			     const struct kind *kind, const char *name)
{
	size_t length = strlen(name);
	struct node *node = mem_alloc(sizeof(*node) + length + 1);

	node->tree = tree;
	node->parent = parent;
	node->kind = kind;
	memcpy(node->name, name, length + 1);
	node->hash = hash_of(parent, name, length);
	TAILQ_INIT(&node->children);
	if (parent) {
		TAILQ_INSERT_TAIL(&parent->children, node, sibling);
		parent->child_count++;
	}
	if (++tree->node_count > tree->slot_count && tree->root)
		grow_hashes(tree);
	else
		hash_name(tree, node);
	return node;
}

static void add_fixed(struct node *node)
{
	const struct kind *const *kind = node->kind->fixed;

	for (; kind && *kind; kind++) {
		struct node *child =
			node_new(node->tree, node, *kind, (*kind)->fixed_name);

		child->fixed = true;
		add_fixed(child);
	}
}

static void clear_settings(struct node *node)
{
	for (size_t i = 0; i < node->setting_count; i++)
		value_clear(&node->kind->attrs[node->settings[i].attr],
			    &node->settings[i].value);
	free(node->settings);
	node->settings = NULL;
	node->setting_count = node->setting_room = 0;
}

static void node_free(struct node *node)
{
	struct node *child;

	while ((child = TAILQ_FIRST(&node->children))) {
		TAILQ_REMOVE(&node->children, child, sibling);
		node_free(child);
	}
	wash(node);
	clear_settings(node);
	sums_free(node->rest);
	free(node);
}

struct tree *tree_new(void)
{
	struct tree *tree = mem_alloc(sizeof(*tree));

	TAILQ_INIT(&tree->stains);
	tree->slot_count = 64;
	tree->names = mem_array(tree->slot_count, sizeof(*tree->names));
	tree->ids = mem_array(tree->slot_count, sizeof(*tree->ids));
	tree->root = node_new(tree, NULL, &kind_root, "");
	tree->root->fixed = true;
	add_fixed(tree->root);
	return tree;
}

void tree_set_stored(struct tree *tree, bool stored)
{
	tree->stored = stored;
}

bool tree_is_part(const struct tree *tree)
{
	return tree->part;
}

void tree_set_part(struct tree *tree)
{
	tree->part = true;
}

const struct sums *node_rest(const struct node *node)
{
	return node->rest;
}

void node_set_rest(struct node *node, struct sums *rest)
{
	sums_free(node->rest);
	node->rest = rest;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	node_free(tree->root);
	free(tree->names);
	free(tree->ids);
	free(tree->deleted);
	free(tree);
}

struct node *tree_root(const struct tree *tree)
{
	return tree->root;
}

struct node *tree_paths(const struct tree *tree)
{
	return node_fixed(tree->root, &kind_paths);
}

struct node *tree_classes(const struct tree *tree)
{
	return node_fixed(tree->root, &kind_classes);
}

struct node *tree_links(const struct tree *tree)
{
	return node_fixed(tree->root, &kind_links);
}

struct node *tree_system(const struct tree *tree)
{
	return node_fixed(tree->root, &kind_system);
}

struct node *tree_by_id(const struct tree *tree, uint64_t id)
{
	struct node *at = tree->ids[id_slot(tree, id)];

	while (at && at->id != id)
		at = at->id_next;
	return id ? at : NULL;
}

static int check_new(const struct node *parent, const char *name,
		     struct err *err)
{
	int rc = name_check(name, err);

	if (!parent->kind->child)
		return err_set(err, EINVAL, "nothing can be created here");
	if (rc == 0 && node_find(parent, name))
		return err_set(err, EEXIST, "%s is already there", name);
	return rc;
}

struct node *node_create(struct node *parent, const char *name, struct err *err)
{
	struct node *node;

	if (check_new(parent, name, err) < 0) {
		AUTO(str) char *path = node_path_dup(parent);

		err_prefix(err, "%s: ", path);
		return NULL;
	}
	node = node_new(parent->tree, parent, parent->kind->child, name);
	soil(node, DIRT_NEW);
	add_fixed(node);
	return node;
}

/* The branch leaves the hashes; what the store has is remembered. */
static void forget(struct node *branch)
{
	struct tree *tree = branch->tree;

	for (struct node *at = branch; at; at = node_walk(branch, at)) {
		unhash_name(tree, at);
		unhash_id(tree, at);
		tree->node_count--;
		if (!at->id)
			continue;
		tree->deleted =
			mem_grow(tree->deleted, tree->deleted_count,
				 &tree->deleted_room, sizeof(*tree->deleted));
		tree->deleted[tree->deleted_count++] = at->id;
	}
}

void node_delete(struct node *node)
{
	assert(!node->fixed);
	forget(node);
	TAILQ_REMOVE(&node->parent->children, node, sibling);
	node->parent->child_count--;
	node->tree->dirty = true;
	node_free(node);
}

/* ---- looking ---- */

const char *node_name(const struct node *node)
{
	return node->name;
}

const struct kind *node_kind(const struct node *node)
{
	return node->kind;
}

struct tree *node_tree(const struct node *node)
{
	return node->tree;
}

struct node *node_parent(const struct node *node)
{
	return node->parent;
}

bool node_is_fixed(const struct node *node)
{
	return node->fixed;
}

uint64_t node_id(const struct node *node)
{
	return node->id;
}

void node_set_id(struct node *node, uint64_t id)
{
	unhash_id(node->tree, node);
	node->id = id;
	if (id)
		hash_id(node->tree, node);
}

void node_path(const struct node *node, struct text *out)
{
	if (!node->parent) {
		text_put_char(out, '/');
		return;
	}
	if (node->parent->parent)
		node_path(node->parent, out);
	text_put_char(out, '/');
	text_put(out, node->name);
}

/* Measured first and written from its end: it is asked for a lot. */
char *node_path_dup(const struct node *node)
{
	size_t length = 0;
	char *path;

	if (!node->parent)
		return mem_strdup("/");
	for (const struct node *at = node; at->parent; at = at->parent)
		length += 1 + strlen(at->name);
	path = mem_alloc(length + 1);
	for (const struct node *at = node; at->parent; at = at->parent) {
		size_t part = strlen(at->name);

		length -= part;
		memcpy(path + length, at->name, part);
		path[--length] = '/';
	}
	return path;
}

struct node *node_owner(const struct node *node)
{
	struct node *at = node->parent;

	while (at && at->fixed)
		at = at->parent;
	return at;
}

struct node *node_first(const struct node *node)
{
	return TAILQ_FIRST(&node->children);
}

struct node *node_next(const struct node *node)
{
	return TAILQ_NEXT(node, sibling);
}

size_t node_count(const struct node *node)
{
	return node->child_count;
}

static struct node *find_part(const struct node *parent, const char *name,
			      size_t length)
{
	uint32_t hash = hash_of(parent, name, length);
	struct node *at = *name_slot(parent->tree, hash);

	while (at && (at->hash != hash || at->parent != parent ||
		      strncmp(at->name, name, length) != 0 || at->name[length]))
		at = at->name_next;
	return at;
}

struct node *node_find(const struct node *parent, const char *name)
{
	return find_part(parent, name, strlen(name));
}

static int by_name(const void *a, const void *b)
{
	const struct node *const *left = a, *const *right = b;

	return name_compare((*left)->name, (*right)->name);
}

/* Often they were made in order. */
static bool is_in_order(struct node **list, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (name_compare(list[i - 1]->name, list[i]->name) > 0)
			return false;
	return true;
}

struct node **node_sorted(const struct node *node)
{
	struct node **list = mem_array(node->child_count + 1, sizeof(*list));
	size_t count = 0, fixed = 0;

	node_each (child, node) {
		fixed += child->fixed;
		list[count++] = child;
	}
	if (!is_in_order(list + fixed, count - fixed))
		qsort(list + fixed, count - fixed, sizeof(*list), by_name);
	return list;
}

struct node *node_walk(const struct node *branch, const struct node *at)
{
	if (!TAILQ_EMPTY(&at->children))
		return TAILQ_FIRST(&at->children);
	while (at != branch) {
		if (TAILQ_NEXT(at, sibling))
			return TAILQ_NEXT(at, sibling);
		at = at->parent;
	}
	return NULL;
}

struct node *node_fixed(const struct node *node, const struct kind *kind)
{
	node_each (child, node)
		if (child->fixed && child->kind == kind)
			return child;
	return NULL;
}

/* The child whose name is nearest to a mistyped one, or NULL. */
static const struct node *nearest(const struct node *parent, const char *name)
{
	unsigned best = strlen(name) > 4 ? 3 : 2;
	const struct node *found = NULL;

	node_each (child, parent) {
		unsigned distance = name_distance(name, child->name, best);

		if (distance < best) {
			best = distance;
			found = child;
		}
	}
	return found;
}

static struct node *no_child(const struct node *parent, const char *name,
			     struct err *err)
{
	AUTO(str) char *path = node_path_dup(parent);
	const struct node *like = nearest(parent, name);
	const char *slash = parent->parent ? "/" : "";

	err_set(err, ENOENT, "%s%s%.64s: there is no such thing", path, slash,
		name);
	if (like)
		err_append(err, "; did you mean %s%s%s?", path, slash,
			   like->name);
	return NULL;
}

struct node *tree_walk(const struct tree *tree, const struct node *from,
		       const char *path, struct err *err)
{
	const struct node *at = path[0] == '/' ? tree->root : from;

	while (*path) {
		size_t length = strcspn(path, "/");
		const struct node *next = at;

		if (length == 2 && path[0] == '.' && path[1] == '.')
			next = at->parent ? at->parent : at;
		else if (length && !(length == 1 && path[0] == '.'))
			next = find_part(at, path, length);
		if (!next) {
			AUTO(str) char *part = mem_strndup(path, length);

			return no_child(at, part, err);
		}
		path += length + (path[length] == '/');
		at = next;
	}
	return (struct node *)at;
}

/* ---- settings ---- */

static struct value *read_standards(const struct kind *kind)
{
	struct value *values = mem_array(kind->attr_count, sizeof(*values));

	for (size_t i = 0; i < kind->attr_count; i++)
		if (kind->attrs[i].standard &&
		    value_parse(&kind->attrs[i], kind->attrs[i].standard,
				&values[i], NULL) < 0)
			assert(!"a standard that its type refuses");
	return values;
}

static void free_standards(const struct kind *kind, struct value *values)
{
	for (size_t i = 0; i < kind->attr_count; i++)
		value_clear(&kind->attrs[i], &values[i]);
	free(values);
}

/* The standards of all kinds, read once from their rows. */
static const struct value *standard_of(const struct kind *kind, size_t attr)
{
	static struct value *_Atomic values[32];
	struct value *found = NULL, *fresh;
	const struct attr *row = &kind->attrs[attr];
	size_t index = 0;

	if (!row->standard)
		return NULL;
	while (kinds[index] != kind)
		index++;
	assert(index < ARRAY_SIZE(values));
	found = atomic_load_explicit(&values[index], memory_order_acquire);
	if (found)
		return &found[attr];
	/* Of two threads that come at once one keeps what it has read. */
	fresh = read_standards(kind);
	if (atomic_compare_exchange_strong(&values[index], &found, fresh))
		return &fresh[attr];
	free_standards(kind, fresh);
	return &found[attr];
}

static struct setting *setting_at(const struct node *node, size_t attr,
				  size_t *place)
{
	size_t i = 0;

	while (i < node->setting_count && node->settings[i].attr < attr)
		i++;
	if (place)
		*place = i;
	if (i < node->setting_count && node->settings[i].attr == attr)
		return &node->settings[i];
	return NULL;
}

const struct value *node_value(const struct node *node, size_t attr)
{
	const struct setting *setting = setting_at(node, attr, NULL);

	return setting ? &setting->value : standard_of(node->kind, attr);
}

enum origin node_origin(const struct node *node, size_t attr)
{
	const struct setting *setting = setting_at(node, attr, NULL);

	if (setting)
		return (enum origin)setting->origin;
	return node->kind->attrs[attr].standard ? ORIGIN_STANDARD : ORIGIN_NONE;
}

static struct setting *insert(struct node *node, size_t attr, size_t place)
{
	struct setting *at;
	size_t room = node->setting_room;

	if (node->setting_count == room) {
		room += room ? room / 2 : 4; /* few have more than four */
		node->settings = mem_resize(node->settings,
					    room * sizeof(*node->settings));
		node->setting_room = (uint16_t)room;
	}
	at = &node->settings[place];
	memmove(at + 1, at, (node->setting_count - place) * sizeof(*at));
	node->setting_count++;
	*at = (struct setting){ .attr = (uint16_t)attr };
	return at;
}

void node_set(struct node *node, size_t attr, struct value *value,
	      enum origin origin)
{
	const struct attr *row = &node->kind->attrs[attr];
	size_t place;
	struct setting *setting = setting_at(node, attr, &place);

	if (setting && setting->origin == origin &&
	    value_equal(row, &setting->value, value)) {
		value_clear(row, value);
		return;
	}
	soil(node, DIRT_CHANGED);
	if (setting)
		value_clear(row, &setting->value);
	else
		setting = insert(node, attr, place);
	setting->origin = (uint16_t)origin;
	setting->value = *value;
	*value = (struct value){ 0 };
}

void node_unset(struct node *node, size_t attr)
{
	size_t place;
	struct setting *setting = setting_at(node, attr, &place);

	if (!setting)
		return;
	soil(node, DIRT_CHANGED);
	value_clear(&node->kind->attrs[attr], &setting->value);
	node->setting_count--;
	memmove(setting, setting + 1,
		(node->setting_count - place) * sizeof(*setting));
}

/* The setting whose name is nearest to a mistyped one, or NULL. */
static const struct attr *nearest_attr(const struct kind *kind,
				       const char *name)
{
	unsigned best = 3;
	const struct attr *found = NULL;

	for (size_t i = 0; i < kind->attr_count; i++) {
		unsigned distance =
			name_distance(name, kind->attrs[i].name, best);

		if (distance < best) {
			best = distance;
			found = &kind->attrs[i];
		}
	}
	return found;
}

static int no_attr(const struct node *node, const char *name, const char *path,
		   struct err *err)
{
	const struct attr *like = nearest_attr(node->kind, name);

	err_set(err, EINVAL, "%s: a %s has no setting %.64s", path,
		node->kind->name, name);
	if (like)
		err_append(err, "; did you mean %s?", like->name);
	return err ? err->code : -EINVAL;
}

static int unset_text(struct node *node, const struct attr *row,
		      const char *path, struct err *err)
{
	if (row->flags & ATTR_REQUIRED)
		return err_set(err, EINVAL,
			       "%s: %s is needed: it cannot be "
			       "unset",
			       path, row->name);
	node_unset(node, kind_index(node->kind, row));
	return 0;
}

int node_set_text(struct node *node, const char *name, const char *text,
		  struct err *err)
{
	AUTO(str) char *path = node_path_dup(node);
	const struct attr *row = kind_attr(node->kind, name);
	struct value value = { 0 };

	if (!row)
		return no_attr(node, name, path, err);
	if (row->flags & ATTR_READONLY)
		return err_set(err, EROFS,
			       "%s: %s is told by the running system and "
			       "cannot be set",
			       path, name);
	if (!text[0] || ((row->flags & ATTR_AUTO) && !strcmp(text, "auto")))
		return unset_text(node, row, path, err);
	if (value_parse(row, text, &value, err) < 0)
		return err_prefix(err, "%s: %s: ", path, name);
	node_set(node, kind_index(node->kind, row), &value, ORIGIN_GIVEN);
	return 0;
}

void node_print(const struct node *node, size_t attr, struct text *out)
{
	const struct value *value = node_value(node, attr);

	if (value)
		value_print(&node->kind->attrs[attr], value, out);
}

uint64_t node_u(const struct node *node, size_t attr)
{
	const struct value *value = node_value(node, attr);

	return value ? value->u : 0;
}

const char *node_text(const struct node *node, size_t attr)
{
	const struct value *value = node_value(node, attr);

	return value ? value->text : NULL;
}

bool node_has(const struct node *node, size_t attr)
{
	return node_origin(node, attr) != ORIGIN_NONE;
}

static void copy_settings(const struct setting *settings, size_t count,
			  struct node *to)
{
	for (size_t i = 0; i < count; i++) {
		struct setting copy;

		copy_setting(to, &settings[i], &copy);
		node_set(to, copy.attr, &copy.value, (enum origin)copy.origin);
	}
}

void node_copy_settings(const struct node *from, struct node *to)
{
	assert(from->kind == to->kind);
	copy_settings(from->settings, from->setting_count, to);
}

void node_copy_clean(const struct node *from, struct node *to)
{
	assert(from->kind == to->kind);
	if (from->stain)
		copy_settings(from->stain->was, from->stain->was_count, to);
	else
		copy_settings(from->settings, from->setting_count, to);
}

/* ---- references ---- */

/* A class named somewhere below branch; *count says how many there are. */
static struct node *find_below(const struct node *branch,
			       const struct kind *kind, const char *name,
			       unsigned *count)
{
	struct node *found = NULL;

	*count = 0;
	for (struct node *at = node_walk(branch, branch); at;
	     at = node_walk(branch, at))
		if (at->kind == kind && !strcmp(at->name, name)) {
			found = at;
			++*count;
		}
	return found;
}

static struct node *target_below(const struct node *node,
				 const struct attr *row, const char *name,
				 const char *path, struct err *err)
{
	unsigned count;
	struct node *found;

	if (strchr(name, '/')) {
		found = tree_walk(node->tree, node, name, NULL);
		if (found && found->kind == row->refers)
			return found;
		count = 0;
	} else {
		found = find_below(node, row->refers, name, &count);
		if (count == 1)
			return found;
	}
	if (count)
		err_set(err, EINVAL,
			"%s: %s=%s: there are %u of that name below; write "
			"the way to it, as in internet/%s",
			path, row->name, name, count, name);
	else
		err_set(err, ENOENT, "%s: %s=%s: there is no such %s below %s",
			path, row->name, name, row->refers->name, path);
	return NULL;
}

struct node *node_target(const struct node *node, size_t attr, struct err *err)
{
	const struct attr *row = &node->kind->attrs[attr];
	const char *name = node_text(node, attr);
	AUTO(str) char *path = NULL;
	struct node *found = NULL;

	if (!name)
		return NULL;
	path = node_path_dup(node);
	if (row->below)
		return target_below(node, row, name, path, err);
	node_each (container, node->tree->root)
		if (container->kind->child == row->refers)
			found = node_find(container, name);
	if (!found)
		err_set(err, ENOENT, "%s: %s=%s: there is no %s of that name",
			path, row->name, name, row->refers->name);
	return found;
}

/* ---- looking at what changed ---- */

enum dirt node_dirt(const struct node *node)
{
	return node->stain ? node->stain->dirt : DIRT_NONE;
}

static struct node *node_of(const struct stain *stain)
{
	return stain ? stain->node : NULL;
}

struct node *tree_first_dirty(const struct tree *tree)
{
	return node_of(TAILQ_FIRST(&tree->stains));
}

struct node *node_next_dirty(const struct node *node)
{
	return node_of(TAILQ_NEXT(node->stain, next));
}

static const struct setting *setting_was(const struct stain *stain, size_t attr)
{
	for (size_t i = 0; i < stain->was_count; i++)
		if (stain->was[i].attr == attr)
			return &stain->was[i];
	return NULL;
}

bool node_changed(const struct node *node, size_t attr)
{
	const struct attr *row = &node->kind->attrs[attr];
	const struct setting *now = setting_at(node, attr, NULL), *was;

	if (!node->stain)
		return false;
	was = setting_was(node->stain, attr);
	if (!now || !was)
		return now || was;
	return now->origin != was->origin ||
	       !value_equal(row, &now->value, &was->value);
}

const struct value *node_was(const struct node *node, size_t attr)
{
	const struct setting *was;

	if (!node->stain)
		return node_value(node, attr);
	was = setting_was(node->stain, attr);
	return was ? &was->value : standard_of(node->kind, attr);
}

const uint64_t *tree_deleted(const struct tree *tree, size_t *count)
{
	*count = tree->deleted_count;
	return tree->deleted;
}

bool tree_is_dirty(const struct tree *tree)
{
	return tree->dirty;
}

void tree_clean(struct tree *tree)
{
	struct stain *stain;

	while ((stain = TAILQ_FIRST(&tree->stains)))
		wash(stain->node);
	tree->deleted_count = 0;
	tree->dirty = false;
}

/* ---- one tree made like another ---- */

static void sync_settings(struct node *to, const struct node *wanted,
			  bool merge)
{
	for (size_t attr = 0; attr < to->kind->attr_count; attr++) {
		const struct setting *setting = setting_at(wanted, attr, NULL);
		enum origin here = node_origin(to, attr);
		struct value value = { 0 };

		if (setting && setting->origin == ORIGIN_GIVEN) {
			value_copy(&to->kind->attrs[attr], &setting->value,
				   &value);
			node_set(to, attr, &value, ORIGIN_GIVEN);
		} else if (here == ORIGIN_GIVEN && !merge) {
			node_unset(to, attr);
		}
	}
}

void node_sync(struct node *to, const struct node *wanted, bool merge)
{
	struct node *child, *next;

	sync_settings(to, wanted, merge);
	for (child = merge ? NULL : node_first(to); child; child = next) {
		next = node_next(child);
		if (!child->fixed && !node_find(wanted, child->name))
			node_delete(child);
	}
	node_each (want, wanted) {
		child = node_find(to, want->name);
		if (!child)
			child = node_create(to, want->name, NULL);
		assert(child && child->kind == want->kind);
		node_sync(child, want, merge);
	}
}

void tree_sync(struct tree *to, const struct tree *wanted, bool merge)
{
	node_sync(to->root, wanted->root, merge);
}
