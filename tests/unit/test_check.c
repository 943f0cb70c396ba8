/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel and tc accept silently and do not do, refused beforehand. */
#include <string.h>

#include "model/base/mem.h"
#include "model/txn.h"
#include "tests/unit/unit.h"

/* "PATH KEY=VALUE ..." a line: makes what is not there, sets what is said. */
static struct tree *tree_of(const char *const *lines)
{
	struct tree *tree = tree_new();

	for (; *lines; lines++) {
		AUTO(str) char *line = mem_strdup(*lines);
		char *rest = line, *path = strsep(&rest, " "), *word;
		char *name = strrchr(path, '/');
		struct node *parent, *node;

		*name++ = '\0';
		parent = tree_walk(tree, tree_root(tree), path[0] ? path : "/",
				   NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(parent);
		node = node_find(parent, name);
		if (!node)
			node = node_create(parent, name, NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(node);
		while ((word = strsep(&rest, " "))) {
			AUTO_ERR err = ERR_NONE;
			char *value = strchr(word, '=');

			*value++ = '\0';
			if (node_set_text(node, word, value, &err) < 0)
				fprintf(stderr, "%s\n", err.text);
			CU_ASSERT_PTR_NULL(err.text);
		}
	}
	return tree;
}

static const char *const adsl[] = {
	"/paths/adsl0 device=wan0 up=1024kbit",
	"/classes/uplink path=adsl0 default=other",
	"/classes/uplink/internet classid=1:1 rate=768kbit linklayer=atm",
	"/classes/uplink/internet/ssh classid=1:30 mark=30 rate=64kbit "
	"ceil=300kbit",
	"/classes/uplink/internet/other classid=1:99 mark=99 rate=128kbit "
	"ceil=768kbit",
	NULL
};

static bool has(const struct report *report, enum severity severity,
		const char *path, const char *words)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->items[i].severity == severity &&
		    !strcmp(report->items[i].path, path) &&
		    strstr(report->items[i].text, words))
			return true;
	for (size_t i = 0; i < report->count; i++)
		fprintf(stderr, "  found: %s: %s\n", report->items[i].path,
			report->items[i].text);
	return false;
}

/* The ADSL tree with one more line, checked. */
static void with(const char *line, enum severity severity, const char *path,
		 const char *words)
{
	const char *lines[ARRAY_SIZE(adsl) + 1] = { NULL };
	struct report report = REPORT_NONE;
	struct tree *tree;

	memcpy(lines, adsl, sizeof(adsl));
	lines[ARRAY_SIZE(adsl) - 1] = line;
	tree = tree_of(lines);
	tree_choose(tree, &report);
	tree_check(tree, &report);
	CU_ASSERT_TRUE(has(&report, severity, path, words));
	report_clear(&report);
	tree_free(tree);
}

#define SSH "/classes/uplink/internet/ssh"

TEST(check, a_sound_tree_has_no_findings)
{
	struct report report = REPORT_NONE;
	struct tree *tree = tree_of(adsl);

	tree_choose(tree, &report);
	tree_check(tree, &report);
	CU_ASSERT_EQUAL(report.count, 0);
	for (size_t i = 0; i < report.count; i++)
		fprintf(stderr, "%s\n", report.items[i].text);
	report_clear(&report);
	tree_free(tree);
}

TEST(check, refuses_a_ceil_under_its_rate)
{
	with(SSH " ceil=32kbit", FINDING_ERROR, SSH,
	     "ceil 32kbit is under rate 64kbit");
}

TEST(check, refuses_a_child_over_its_parent)
{
	with(SSH " rate=900kbit ceil=900kbit", FINDING_ERROR, SSH,
	     "rate 900kbit is over the 768kbit of internet");
	with(SSH " ceil=900kbit", FINDING_ERROR, SSH,
	     "ceil 900kbit is over the ceil 768kbit of internet");
}

TEST(check, refuses_promises_that_add_up_to_more_than_there_is)
{
	with("/classes/uplink/internet/web rate=600kbit", FINDING_ERROR,
	     "/classes/uplink/internet", "promised 792kbit together");
}

TEST(check, warns_of_a_link_layer_that_differs_with_the_figure)
{
	with(SSH " linklayer=ethernet", FINDING_WARNING, SSH, "off by -12 %");
	with(SSH " preset=docsis", FINDING_WARNING, SSH,
	     "set preset=docsis on internet as well");
}

TEST(check, counts_65_bytes_for_64_of_ptm)
{
	with("/classes/uplink/internet preset=pppoe-ptm linklayer=auto "
	     "rate=1020kbit ceil=1020kbit",
	     FINDING_WARNING, "/classes/uplink",
	     "may send 1035937bit or more, and adsl0 has up=1024kbit");
}

TEST(check, the_atm_leaf_under_an_ethernet_branch_is_14_percent_over)
{
	static const char *const lines[] = {
		"/classes/u device=wan0 default=leaf",
		"/classes/u/top rate=768kbit",
		"/classes/u/top/leaf rate=768kbit linklayer=atm", NULL
	};
	struct report report = REPORT_NONE;
	struct tree *tree = tree_of(lines);

	tree_check(tree, &report);
	CU_ASSERT_TRUE(has(&report, FINDING_WARNING, "/classes/u/top/leaf",
			   "off by 14 %"));
	report_clear(&report);
	tree_free(tree);
}

TEST(check, refuses_two_of_one_number)
{
	with(SSH " classid=1:99", FINDING_ERROR,
	     "/classes/uplink/internet/other", "classid=1:99 belongs to " SSH);
	with(SSH " mark=99", FINDING_ERROR, "/classes/uplink/internet/other",
	     "mark=99 belongs to " SSH);
}

TEST(check, refuses_hexadecimal_and_decimal_mixed_up)
{
	with("/classes/uplink/internet/web rate=1kbit classid=1:40 mark=64",
	     FINDING_ERROR, "/classes/uplink/internet/web",
	     "mark=64 is the number of classid 1:40");
}

TEST(check, refuses_numbers_outside_their_ranges)
{
	with(SSH " classid=2:30", FINDING_ERROR, SSH, "write 1:30");
	with(SSH " mark=0x10000", FINDING_ERROR, SSH, "within class-mask");
	with("/paths/adsl0 table=254", FINDING_ERROR, "/paths/adsl0",
	     "outside tables 20000-20999");
	with("/system path-mask=0xff00", FINDING_ERROR, "/system",
	     "share the bits 0xff00");
	with("/system class-mask=0xf0f", FINDING_ERROR, "/system",
	     "one run of bits");
}

TEST(check, refuses_a_burst_that_wraps_the_kernel_s_ticks)
{
	with(SSH " rate=8kbit burst=10m", FINDING_ERROR, SSH, "burst");
}

TEST(check, refuses_matches_marks_and_leaves_on_inner_classes)
{
	with("/classes/uplink/internet/match/x proto=tcp", FINDING_ERROR,
	     "/classes/uplink/internet/match", "only to classes without any");
	with("/classes/uplink/internet mark=7", FINDING_ERROR,
	     "/classes/uplink/internet", "mark=auto");
	with("/classes/uplink default=internet", FINDING_ERROR,
	     "/classes/uplink", "classes below it");
}

TEST(check, refuses_references_to_nobody)
{
	with("/classes/uplink path=lte0", FINDING_ERROR, "/classes/uplink",
	     "path=lte0: there is no path of that name");
	with("/classes/uplink default=nobody", FINDING_ERROR, "/classes/uplink",
	     "no such class");
}

TEST(check, a_device_has_one_tree)
{
	with("/classes/second device=wan0", FINDING_ERROR, "/classes/second",
	     "shaped by uplink already");
	with("/classes/uplink device=wan0", FINDING_ERROR, "/classes/uplink",
	     "one of the two");
}

TEST(check, ports_and_flags_want_their_protocol)
{
	with(SSH "/match/in sport=22", FINDING_ERROR, SSH "/match/in",
	     "want proto=tcp");
	with(SSH "/match/in proto=udp tcp-flags=syn", FINDING_ERROR,
	     SSH "/match/in", "tcp-flags wants");
	with(SSH "/match/in order=1", FINDING_WARNING, SSH "/match/in",
	     "no condition");
}

TEST(check, doubts_about_a_packet_s_size_have_figures)
{
	with(SSH " burst=300", FINDING_WARNING, SSH,
	     "burst 300 is less than a full packet of 1514");
	with(SSH " quantum=500", FINDING_ERROR, SSH, "quantum 500");
}

static void set_one(struct node *node, const char *name, const char *text)
{
	CU_ASSERT_EQUAL(node_set_text(node, name, text, NULL), 0);
}

TEST(check, refuses_a_ninth_level_of_classes)
{
	struct report report = REPORT_NONE;
	struct tree *tree = tree_new();
	struct node *at = node_create(tree_classes(tree), "u", NULL);
	static const char path[] = "/classes/u/c/c/c/c/c/c/c/c/c";

	set_one(at, "device", "wan0");
	for (int level = 0; level < 9; level++) {
		at = node_create(at, "c", NULL);
		set_one(at, "rate", "1mbit");
	}
	tree_check(tree, &report);
	CU_ASSERT_TRUE(has(&report, FINDING_ERROR, path, "HTB takes 8"));
	report_clear(&report);
	tree_free(tree);
}
