/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When lines were full: saturation. */
#include <stdlib.h>
#include <string.h>

#include "backends/list.h"
#include "model/node.h"
#include "shell/session.h"
#include "shell/spell.h"

struct spells {
	const struct node *top;
	struct spell *items; /* owned */
	size_t count, room;
};

static bool is_below(const struct node *node, const struct node *top)
{
	for (; node; node = node_parent(node))
		if (node == top)
			return true;
	return false;
}

static void take(const struct spell *spell, void *arg)
{
	struct spells *spells = arg;

	if (!is_below(spell->node, spells->top))
		return;
	spells->items = mem_grow(spells->items, spells->count, &spells->room,
				 sizeof(*spells->items));
	spells->items[spells->count++] = *spell;
}

static int by_time(const void *a, const void *b)
{
	const struct spell *x = a, *y = b;

	return x->began_us < y->began_us   ? -1
	       : x->began_us > y->began_us ? 1
					   : 0;
}

/* "out since 2026-11-22 08:13:22 for 12s at 19.6Mbit, 6.2ms of queue" */
static void show_text(struct output *output, const struct spell *spell)
{
	AUTO_TEXT when = TEXT_NONE, lasted = TEXT_NONE, what = TEXT_NONE;

	text_put_time(&when, spell->began_us);
	spell_put_length(spell, &lasted);
	text_printf(&what, "at %.3gmbit, %.1fms of queue",
		    (double)spell->rate_bps / 1e6,
		    (double)spell->queue_us / 1e3);
	output_field(output, "way", spell_way(spell));
	output_field(output, "began", text_get(&when));
	output_field(output, "lasted", text_get(&lasted));
	output_field(output, "what", text_get(&what));
}

static void show_json(struct output *output, const struct spell *spell)
{
	AUTO_TEXT when = TEXT_NONE;

	text_put_time(&when, spell->began_us);
	output_field(output, "way", spell_way(spell));
	output_field(output, "state", spell_state_name(spell->state));
	output_field(output, "began", text_get(&when));
	output_number(output, "began_us", (uint64_t)spell->began_us);
	output_number(output, "lasted_us", spell->lasted_us);
	output_number(output, "rate", spell->rate_bps);
	output_number(output, "queue_us", spell->queue_us);
}

static void show(struct output *output, const struct spells *spells)
{
	output_open(output, SHAPE_TABLE, "spells", NULL);
	for (size_t i = 0; i < spells->count; i++) {
		const struct spell *spell = &spells->items[i];
		AUTO(str) char *path = node_path_dup(spell->node);

		output_open(output, SHAPE_ROW, NULL, NULL);
		output_field(output, "path", path);
		if (output_is_json(output))
			show_json(output, spell);
		else
			show_text(output, spell);
		output_close(output);
	}
	output_close(output);
	if (!spells->count)
		output_say(output, SAY_DONE, "No line was full here.");
}

static int saturation_run(struct session *session, const struct match *match,
			  struct err *err)
{
	struct spells spells = { .top = match_node(match, "path", err) };
	int rc = spells.top ? 0 : err->code;

	for (const struct backend *const *at = backends; *at && !rc; at++)
		if ((*at)->spells)
			rc = (*at)->spells(session->place.tree, take, &spells,
					   err);
	if (!rc && spells.count)
		qsort(spells.items, spells.count, sizeof(*spells.items),
		      by_time);
	if (!rc)
		show(session->output, &spells);
	free(spells.items);
	return rc;
}

static const struct arg saturation_args[] = {
	{ .name = "path",
	  .type = &type_node,
	  .help = "the branch to look at; this one, if left out" },
	{ 0 },
};

const struct command command_saturation = {
	.name = "saturation",
	.summary = "show when lines of tunnels were full",
	.man = "For each member of a client's tunnel and each peer of a "
	       "server's, each way: since when data had to wait for the line, "
	       "how long that lasted, what the line carried when it began, and "
	       "how long packets then stood in its queue. It is seen by the "
	       "data that goes through, from the delay; a line at rest is "
	       "never called full, nor one that its sender does not fill. "
	       "The last 32 of each are kept, over restarts of the engine "
	       "too.\n\n"
	       "`and still`: it is full now. `cut`: the tunnel or the engine "
	       "ended meanwhile. follow tells of each as it happens.",
	.example = "saturation\nsaturation /links",
	.see = "status, stats, follow, ls",
	.json = "spells:[spell]",
	.args = saturation_args,
	.needs = NEEDS_TREE | REPEATABLE,
	.run = saturation_run,
};
