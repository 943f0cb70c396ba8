/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inner addresses that are left to Tresse. */
#include <string.h>

#include "model/base/mem.h"
#include "model/node.h"
#include "model/report.h"
#include "model/txn.h"
#include "tests/unit/unit.h"

static struct bench {
	struct tree *tree;
	struct node *link;
} bench;

static void start(const char *local, const char *local6)
{
	bench.tree = tree_new();
	bench.link = node_create(tree_links(bench.tree), "vpn", NULL);
	node_set_text(bench.link, "role", "server", NULL);
	node_set_text(bench.link, "local", local, NULL);
	node_set_text(bench.link, "local6", local6, NULL);
}

static struct node *peer(const char *name, const char *address)
{
	struct node *peers = node_fixed(bench.link, &kind_peers);
	struct node *fresh = node_create(peers, name, NULL);

	CU_ASSERT_EQUAL(node_set_text(fresh, "address", address, NULL), 0);
	return fresh;
}

/* How many are left without. */
static size_t choose(void)
{
	struct report report = REPORT_NONE;
	size_t errors;

	link_choose_addresses(bench.link, &report);
	errors = report.errors;
	report_clear(&report);
	return errors;
}

static void check_has(const struct node *node, const char *expected)
{
	AUTO_TEXT text = TEXT_NONE;

	node_print(node, PEER_ADDRESS, &text);
	ASSERT_TEXT(text_get(&text), expected);
}

TEST(choose_address, the_lowest_free_ones_of_both_families)
{
	struct node *a, *b, *c;

	start("10.77.0.1/24", "fd77::1/64");
	a = peer("a", "");
	peer("given", "10.77.0.3,fd77::2");
	b = peer("b", "auto");
	c = peer("c", "none");
	CU_ASSERT_EQUAL(choose(), 0);
	check_has(a, "10.77.0.2,fd77::3");
	check_has(b, "10.77.0.4,fd77::4");
	check_has(c, "none");
	tree_free(bench.tree);
}

TEST(choose_address, neither_the_servers_nor_that_of_all_is_given_away)
{
	struct node *a;

	start("10.77.0.2/30", "");
	a = peer("a", "");
	CU_ASSERT_EQUAL(choose(), 0);
	check_has(a, "10.77.0.1");
	peer("b", "");
	CU_ASSERT_EQUAL(choose(), 1);
	tree_free(bench.tree);

	start("10.77.0.0/31", "");
	a = peer("a", "");
	CU_ASSERT_EQUAL(choose(), 0);
	check_has(a, "10.77.0.1");
	tree_free(bench.tree);

	start("10.77.0.9/32", "");
	peer("a", "");
	CU_ASSERT_EQUAL(choose(), 1);
	tree_free(bench.tree);
}

TEST(choose_address, a_network_behind_a_client_takes_its_part)
{
	struct node *a, *b;

	start("10.77.0.1/24", "");
	peer("given", "10.77.0.0/29");
	peer("far", "192.168.5.0/24");
	peer("all", "0.0.0.0/0");
	a = peer("a", "");
	CU_ASSERT_EQUAL(choose(), 0);
	check_has(a, "10.77.0.8");
	b = peer("b", "");
	CU_ASSERT_EQUAL(choose(), 0);
	check_has(b, "10.77.0.9");
	tree_free(bench.tree);
}

TEST(choose_address, what_was_chosen_stays_while_it_fits)
{
	struct node *a, *b, *c;

	start("10.77.0.1/24", "");
	a = peer("a", "");
	b = peer("b", "");
	choose();
	node_delete(a);
	node_set_text(bench.link, "local6", "fd77::1/64", NULL);
	choose();
	check_has(b, "10.77.0.3,fd77::2");
	/* Somebody is given it. */
	c = peer("c", "10.77.0.3");
	choose();
	check_has(b, "10.77.0.2,fd77::2");
	check_has(c, "10.77.0.3");
	/* The network is another. */
	node_set_text(bench.link, "local", "10.78.0.1/24", NULL);
	choose();
	check_has(b, "10.78.0.2,fd77::2");
	node_set_text(bench.link, "local6", "none", NULL);
	choose();
	check_has(b, "10.78.0.2");
	node_set_text(bench.link, "local", "", NULL);
	choose();
	CU_ASSERT_FALSE(node_has(b, PEER_ADDRESS));
	tree_free(bench.tree);
}

TEST(choose_address, nothing_changes_where_nothing_is_to_be_chosen)
{
	struct node *a;

	start("10.77.0.1/16", "fd77::1/64");
	for (int i = 0; i < 300; i++) {
		AUTO(str) char *name = mem_printf("p%d", i);

		a = peer(name, "");
	}
	CU_ASSERT_EQUAL(choose(), 0);
	check_has(a, "10.77.1.45,fd77::12d");
	tree_clean(bench.tree);
	CU_ASSERT_EQUAL(choose(), 0);
	CU_ASSERT_FALSE(tree_is_dirty(bench.tree));
	tree_free(bench.tree);
}
