/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/health.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "model/base/mem.h"
#include "model/diff.h"

/* So many are named in a sentence. */
#define NAMED_MOST 6

int64_t health_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void verdict_clear(struct verdict *verdict)
{
	free(verdict->path);
	free(verdict->what);
	free(verdict->value);
	free(verdict->limit);
}

void reading_clear(struct reading *reading)
{
	for (size_t i = 0; i < reading->count; i++)
		verdict_clear(&reading->items[i]);
	free(reading->items);
	*reading = (struct reading)READING_NONE;
}

static struct verdict *add(struct reading *reading, char *path, char *what)
{
	struct verdict *verdict;

	reading->items = mem_grow(reading->items, reading->count,
				  &reading->room, sizeof(*reading->items));
	verdict = &reading->items[reading->count++];
	*verdict = (struct verdict){ .path = path,
				     .what = what,
				     .value = mem_strdup(""),
				     .limit = mem_strdup("") };
	return verdict;
}

struct verdict *reading_add(struct reading *reading, const struct node *node,
			    char *what)
{
	return add(reading, node_path_dup(node), what);
}

void verdict_say(struct verdict *verdict, bool ok, char *value, char *limit)
{
	free(verdict->value);
	free(verdict->limit);
	verdict->ok = ok;
	verdict->value = value;
	verdict->limit = limit;
}

static bool is_named(const struct verdict *verdict, const char *path,
		     const char *what)
{
	return !strcmp(verdict->path, path) && !strcmp(verdict->what, what);
}

const struct verdict *reading_find(const struct reading *reading, size_t hint,
				   const char *path, const char *what)
{
	if (reading && hint < reading->count &&
	    is_named(&reading->items[hint], path, what))
		return &reading->items[hint];
	for (size_t i = 0; reading && i < reading->count; i++)
		if (is_named(&reading->items[i], path, what))
			return &reading->items[i];
	return NULL;
}

void verdict_print(const struct verdict *verdict, struct text *out)
{
	text_printf(out, "%s %s: %s", verdict->path, verdict->what,
		    verdict->value);
}

/* ---- what a change touches ---- */

void touched_clear(struct touched *touched)
{
	free(touched->items);
	*touched = (struct touched)TOUCHED_NONE;
}

static void mark(struct touched *touched, const struct node *node)
{
	if (!node || node_is_fixed(node))
		return;
	touched->items = mem_grow(touched->items, touched->count,
				  &touched->room, sizeof(*touched->items));
	touched->items[touched->count++] = node;
}

static void mark_link(struct touched *touched, const struct node *link)
{
	mark(touched, link);
	node_each (member, node_fixed(link, &kind_members)) {
		mark(touched, member);
		mark(touched, node_target(member, MEMBER_PATH, NULL));
	}
	node_each (peer, node_fixed(link, &kind_peers))
		mark(touched, peer);
}

/* It, what is above it, and what that stands on. */
static void mark_up(struct touched *touched, const struct node *node)
{
	for (; node; node = node_owner(node)) {
		mark(touched, node);
		if (node_kind(node) == &kind_link)
			mark_link(touched, node);
		if (node_kind(node) == &kind_uplink)
			mark(touched, node_target(node, UPLINK_PATH, NULL));
	}
}

static void mark_users(struct touched *touched, const struct node *path)
{
	node_each (link, tree_links(node_tree(path)))
		node_each (member, node_fixed(link, &kind_members))
			if (node_target(member, MEMBER_PATH, NULL) == path)
				mark_link(touched, link);
}

static void mark_changed(struct touched *touched, const struct node *node)
{
	const struct kind *kind = node_kind(node);

	mark_up(touched, node);
	if (kind == &kind_path)
		mark_users(touched, node);
	if (kind != &kind_uplink && kind != &kind_class)
		return;
	for (const struct node *at = node_first(node); at;
	     at = node_walk(node, at))
		if (node_kind(at) == &kind_class)
			mark(touched, at);
}

struct finding_touched {
	const struct tree *tree;
	struct touched *touched;
};

/* In the other tree it may be gone, or be yet to come: then what is above it.
 */
static int take_change(const struct change *change, void *arg)
{
	const struct finding_touched *finding = arg;
	const struct tree *tree = finding->tree;
	bool whole = true;

	for (const struct node *at = change->node; at; at = node_owner(at)) {
		AUTO(str) char *path = node_path_dup(at);
		const struct node *node =
			tree_walk(tree, tree_root(tree), path, NULL);

		if (node && whole)
			mark_changed(finding->touched, node);
		else if (node)
			mark_up(finding->touched, node);
		if (node)
			return 0;
		whole = false;
	}
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct node *const *left = a, *const *right = b;

	return *left < *right ? -1 : *left > *right;
}

void touched_find(const struct tree *from, const struct tree *to,
		  const struct tree *tree, struct touched *touched)
{
	struct finding_touched finding = { tree, touched };
	size_t kept = 0;

	tree_diff(from, to, take_change, &finding);
	if (touched->count)
		qsort(touched->items, touched->count, sizeof(*touched->items),
		      by_address);
	for (size_t i = 0; i < touched->count; i++)
		if (!kept || touched->items[kept - 1] != touched->items[i])
			touched->items[kept++] = touched->items[i];
	touched->count = kept;
}

bool touched_has(const struct touched *touched, const struct node *node)
{
	return touched->count && bsearch(&node, touched->items, touched->count,
					 sizeof(*touched->items), by_address);
}

/* ---- what is kept with a trial ---- */

void basis_clear(struct basis *basis)
{
	reading_clear(&basis->before);
	*basis = (struct basis){ 0 };
}

/* A field of a line: what would end it is a blank. */
static void put_field(const char *field, struct text *out)
{
	text_put_char(out, '\t');
	for (; *field; field++)
		text_put_char(out, (unsigned char)*field < ' ' ? ' ' : *field);
}

void basis_print(const struct basis *basis, struct text *out)
{
	text_printf(out, "%" PRId64 " %" PRIu64 "\n", basis->hold_us,
		    basis->loss);
	for (size_t i = 0; i < basis->before.count; i++) {
		const struct verdict *verdict = &basis->before.items[i];

		if (verdict->silent)
			continue;
		text_printf(out, "%s%s", verdict->ok ? "ok" : "ill",
			    verdict->expected ? " expected" : "");
		put_field(verdict->path, out);
		put_field(verdict->what, out);
		put_field(verdict->value, out);
		text_put_char(out, '\n');
	}
}

static bool parse_verdict(char *line, struct reading *before)
{
	const char *words = strsep(&line, "\t");
	const char *path = strsep(&line, "\t");
	const char *what = strsep(&line, "\t");
	struct verdict *verdict;

	if (!path || !what || !line || strchr(line, '\t'))
		return false;
	verdict = add(before, mem_strdup(path), mem_strdup(what));
	verdict_say(verdict, !strncmp(words, "ok", 2), mem_strdup(line),
		    mem_strdup(""));
	verdict->expected = strchr(words, ' ') != NULL;
	return true;
}

int basis_parse(const char *text, struct basis *basis, struct err *err)
{
	AUTO(str) char *copy = mem_strdup(text);
	char *rest = copy, *line = strsep(&rest, "\n");
	bool good;

	*basis = (struct basis){ 0 };
	good = line && sscanf(line, "%" SCNd64 " %" SCNu64, &basis->hold_us,
			      &basis->loss) == 2;
	while (good && (line = strsep(&rest, "\n")))
		good = !*line || parse_verdict(line, &basis->before);
	if (good)
		return 0;
	basis_clear(basis);
	return err_set(err, EBADMSG,
		       "what was measured before the commit cannot be read in "
		       "the store");
}

/* ---- judging ---- */

void judgement_clear(struct judgement *judgement)
{
	text_clear(&judgement->ill);
	text_clear(&judgement->names);
	text_clear(&judgement->well);
	*judgement = (struct judgement){ 0 };
}

static void put_more(size_t count, struct text *out)
{
	if (count > NAMED_MOST)
		text_printf(out, "; and %zu more", count - NAMED_MOST);
}

static void tell_ill(struct judgement *judgement, const struct verdict *verdict,
		     const struct verdict *before)
{
	text_printf(&judgement->names, "%s %s\n", verdict->path, verdict->what);
	if (judgement->ill_count++ >= NAMED_MOST)
		return;
	text_put(&judgement->ill, judgement->ill.length ? "; " : "");
	verdict_print(verdict, &judgement->ill);
	if (*verdict->limit || before)
		text_printf(&judgement->ill, " (%s%s%s%s)",
			    *verdict->limit ? "limit: " : "", verdict->limit,
			    !before	      ? ""
			    : *verdict->limit ? "; before: "
					      : "before: ",
			    before ? before->value : "");
}

static void tell_well(struct judgement *judgement,
		      const struct verdict *verdict)
{
	if (judgement->well_count++ >= NAMED_MOST)
		return;
	text_put(&judgement->well, judgement->well.length ? "; " : "");
	verdict_print(verdict, &judgement->well);
}

static void judge(struct judgement *judgement, const struct verdict *verdict,
		  const struct verdict *before)
{
	if (verdict->silent)
		return;
	if (before ? !before->ok : verdict->guest && !verdict->ok)
		judgement->left += !verdict->ok;
	else if (verdict->ok)
		tell_well(judgement, verdict);
	else
		tell_ill(judgement, verdict, before);
}

/* What could be measured before, and was to be there after the change. */
static void judge_missing(struct judgement *judgement,
			  const struct verdict *before,
			  const struct reading *now)
{
	struct verdict missing = *before;

	if (!before->ok || !before->expected ||
	    reading_find(now, 0, before->path, before->what))
		return;
	missing.value = (char *)"can no longer be measured";
	missing.limit = (char *)"";
	tell_ill(judgement, &missing, before);
}

bool health_judge(const struct basis *basis, const struct reading *now,
		  struct judgement *judgement)
{
	*judgement = (struct judgement){ 0 };
	for (size_t i = 0; i < now->count; i++)
		judge(judgement, &now->items[i],
		      reading_find(&basis->before, i, now->items[i].path,
				   now->items[i].what));
	for (size_t i = 0; i < basis->before.count; i++)
		judge_missing(judgement, &basis->before.items[i], now);
	put_more(judgement->ill_count, &judgement->ill);
	put_more(judgement->well_count, &judgement->well);
	return judgement->ill_count == 0 && judgement->well_count > 0;
}
