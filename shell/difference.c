/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/difference.h"

#include "model/base/mem.h"
#include "model/diff.h"
#include "shell/output.h"

struct showing {
	struct output *output;
	size_t count, most;
};

static const char *op_name(enum change_op op)
{
	static const char *const names[] = { [CHANGE_CREATE] = "create",
					     [CHANGE_SET] = "set",
					     [CHANGE_DELETE] = "delete" };

	return names[op];
}

static void show_fields(struct output *output, const struct change *change)
{
	AUTO(str) char *path = node_path_dup(change->node);

	output_field(output, "op", op_name(change->op));
	output_field(output, "path", path);
	if (!change->attr)
		return;
	output_field(output, "setting", change->attr->name);
	output_field(output, "before", change->before ? change->before : "");
	output_field(output, "after", change->after ? change->after : "");
}

static int show_change(const struct change *change, void *arg)
{
	struct showing *showing = arg;
	struct output *output = showing->output;
	AUTO_TEXT line = TEXT_NONE;

	if (showing->count++ >= showing->most && showing->most)
		return 0;
	change_print(change, &line);
	output_open(output, SHAPE_ROW, NULL, NULL);
	if (output_is_json(output))
		show_fields(output, change);
	else
		output_field(output, "change", text_get(&line));
	output_close(output);
	return 0;
}

size_t difference_show(struct output *output, const struct tree *from,
		       const struct tree *to, size_t most)
{
	struct showing showing = { output, 0, most };

	output_open(output, SHAPE_TABLE, "changes", NULL);
	tree_diff(from, to, show_change, &showing);
	output_close(output);
	return showing.count;
}
