/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/node.h"
#include "shell/exit.h"
#include "shell/ledger.h"
#include "tests/unit/unit.h"

TEST(ledger, names_the_line_that_last_touched_a_place_or_what_is_above)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct ledger ledger = LEDGER_NONE;
	struct node *node = node_create(tree_classes(tree), "up", NULL);

	ledger_add(&ledger, DEED_CREATED, node, 3, NULL);
	ledger_add(&ledger, DEED_CHANGED, node, 7, NULL);
	CU_ASSERT_EQUAL(ledger_line(&ledger, "/classes/up"), 7);
	CU_ASSERT_EQUAL(ledger_line(&ledger, "/classes/up/x/match"), 7);
	CU_ASSERT_EQUAL(ledger_line(&ledger, "/classes"), 0);
	CU_ASSERT_EQUAL(ledger_line(&ledger, ""), 0);
	CU_ASSERT_EQUAL(ledger.totals[DEED_CREATED], 1);
	ledger_clear(&ledger);
}

TEST(ledger, counts_all_objects_of_a_branch_that_goes)
{
	AUTO(tree) struct tree *tree = tree_new();
	struct ledger ledger = LEDGER_NONE;
	struct node *node = node_create(tree_classes(tree), "up", NULL);

	node_create(node, "a", NULL);
	node_create(node, "b", NULL);
	ledger_add(&ledger, DEED_DELETED, node, 0, NULL);
	CU_ASSERT_EQUAL(ledger.totals[DEED_DELETED], 3);
	ledger_clear(&ledger);
}

TEST(exits, tell_a_script_what_happened)
{
	CU_ASSERT_EQUAL(exit_of(0), 0);
	CU_ASSERT_EQUAL(exit_of(-EEXIST), 1);
	CU_ASSERT_EQUAL(exit_of(-ERANGE), 1);
	CU_ASSERT_EQUAL(exit_of(-EINVAL), 2);
	CU_ASSERT_EQUAL(exit_of(-ENOENT), 3);
	CU_ASSERT_EQUAL(exit_of(-EPERM), 4);
	CU_ASSERT_EQUAL(exit_of(-EACCES), 4);
	CU_ASSERT_EQUAL(exit_of(-EBUSY), 5);
	CU_ASSERT_EQUAL(exit_of(-ESTALE), 6);
	CU_ASSERT_EQUAL(exit_of(-ENOTRECOVERABLE), 7);
}
