/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/mark/mark.h"

#include "backends/list.h"
#include "backends/mark/cgroup.h"
#include "backends/mark/string.h"

static int mark_probe(struct host *host, const struct tree *tree,
		      struct facts *facts, struct err *err)
{
	cgroups_look_up(tree);
	return string_probe(host, tree, facts, err);
}

const struct backend backend_mark = {
	.name = "mark",
	.summary = "gives packets their class, by an nftables table",
	.probe = mark_probe,
	.want = mark_want,
	.read = mark_read,
	.pulse = mark_pulse,
	.plan = mark_plan,
	.apply = mark_apply,
	.print = mark_print,
	.print_change = mark_print_change,
	.exports = "nft",
	.export = mark_export,
	.live = mark_live,
};
