/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The mark driver against the kernel, in a namespace that is thrown away. The
 * nft program judges what is there.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backends/host.h"
#include "backends/list.h"
#include "backends/mark/item.h"
#include "backends/mark/names.h"
#include "model/base/mem.h"
#include "model/node.h"
#include "tests/unit/space.h"
#include "tests/unit/unit.h"

/* ---- trees ----------------------------------------------------------- */

/* Sets words of line, "key=value key=value", on node. */
static void set_words(struct node *node, const char *line)
{
	AUTO(str) char *words = mem_strdup(line);
	char *rest = words, *word;
	AUTO_ERR err = ERR_NONE;

	while ((word = strsep(&rest, " "))) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = '\0';
		if (node_set_text(node, word, value, &err) < 0)
			printf("test: %s\n", err.text);
	}
}

static struct node *make(struct node *parent, const char *name,
			 const char *words)
{
	AUTO_ERR err = ERR_NONE;
	struct node *node = node_create(parent, name, &err);

	if (node)
		set_words(node, words);
	else
		printf("test: %s\n", err.text);
	return node;
}

static struct node *add_uplink(struct tree *tree, const char *name,
			       const char *words)
{
	return make(tree_classes(tree), name, words);
}

static struct node *add_match(struct node *class, const char *name,
			      const char *words)
{
	return make(node_fixed(class, &kind_matches), name, words);
}

static struct node *at_path(const struct tree *tree, const char *path)
{
	AUTO_ERR err = ERR_NONE;

	return tree_walk(tree, tree_root(tree), path, &err);
}

/* One class of each sort, and a match with every condition there is. */
static struct tree *full_tree(void)
{
	static const struct {
		const char *class, *name, *words;
	} matches[] = {
		{ "a", "dns", "proto=udp sport=53,123,161-162 order=1" },
		{ "a", "discrete", "proto=tcp dport=80,443 order=2" },
		{ "a", "one", "proto=tcp dport=22 order=3" },
		{ "a", "range", "proto=sctp sport=1000-65535 order=4" },
		{ "a", "top", "proto=dccp dport=53,65000-65535 order=5" },
		{ "a", "low", "proto=udp dport=0-1,5 order=6" },
		{ "b", "v4", "dst=10.0.0.0/8 order=10" },
		{ "b", "v4odd", "src=10.1.2.0/23 order=11" },
		{ "b", "host", "dst=192.0.2.1 order=12" },
		{ "b", "v4set",
		  "dst=10.0.0.0/8,192.168.0.0/23,224.0.0.0/3 order=13" },
		{ "b", "hosts", "dst=192.0.2.1,192.0.2.9 order=14" },
		{ "b", "v6", "src=2001:db8::/32 order=15" },
		{ "b", "v6odd", "src=2001:db8::/33 order=16" },
		{ "b", "v6set",
		  "dst=::1,2001:db8::/32,ff00::/8,fe80::/10 order=17" },
		{ "b", "both",
		  "src=192.0.2.0/24,2001:db8::/32 proto=tcp dport=22 "
		  "order=18" },
		{ "b", "joined", "dst=10.0.0.0/24,10.0.1.0/24 order=19" },
		{ "b", "odd", "dst=10.0.0.0/24,10.0.1.0/25 order=19" },
		{ "b", "all4", "dst=0.0.0.0/0 order=19" },
		{ "c", "ef", "dscp=ef order=20" },
		{ "c", "cs1", "dscp=cs1 dst=192.0.2.0/24 order=21" },
		{ "c", "syn", "proto=tcp tcp-flags=syn/syn,ack order=22" },
		{ "c", "len", "length=100 order=23" },
		{ "c", "uid", "proto=tcp uid=1014 order=24" },
		{ "c", "uids", "uid=0,1014 order=25" },
		{ "c", "uidset", "uid=0,1014-1016 order=26" },
		{ "c", "gid", "gid=33-44 order=27" },
		{ "c", "mark", "mark=0x40/0xf0 order=28" },
		{ "c", "mark2", "mark=0x40 order=29" },
		{ "c", "icmp", "proto=icmp order=30" },
		{ "c", "off", "proto=gre order=31 enabled=no" },
		{ "c", "acks",
		  "proto=tcp tcp-flags=ack/urg,ack,psh,rst,syn,fin "
		  "length=40-84 scope=packet" },
	};
	struct tree *tree = tree_new();
	struct node *uplink = add_uplink(tree, "wan", "device=wan0"), *inner;

	make(uplink, "a", "rate=1mbit classid=1:10 mark=10");
	inner = make(uplink, "in", "rate=1mbit classid=1:2");
	make(inner, "b", "rate=1mbit classid=1:20 mark=20");
	make(inner, "c", "rate=1mbit classid=1:1000 mark=1000");
	for (size_t i = 0; i < ARRAY_SIZE(matches); i++) {
		const char *name = matches[i].class;

		add_match(node_find(*name == 'a' ? uplink : inner, name),
			  matches[i].name, matches[i].words);
	}
	return tree;
}

/* ---- the driver's turns ---------------------------------------------- */

struct turn {
	struct facts facts;
	struct report report;
	struct state now, want;
	struct plan plan;
	struct owned claims;
};

static void turn_clear(struct turn *turn)
{
	report_clear(&turn->report);
	plan_clear(&turn->plan);
	state_clear(&turn->now);
	state_clear(&turn->want);
	owned_clear(&turn->claims);
	facts_clear(&turn->facts);
	*turn = (struct turn){ 0 };
}
#define AUTO_TURN __attribute__((cleanup(turn_clear))) struct turn

static int plan_to(struct host *host, const struct tree *tree,
		   const struct state *target, struct turn *turn,
		   struct err *err)
{
	const struct backend *const mine[] = { &backend_mark, NULL };
	struct owned ours = OWNED_NONE;
	int rc;

	turn_clear(turn);
	owned_add(&ours, "mark", "table", NULL, 0);
	rc = backend_mark.probe(host, tree, &turn->facts, err);
	if (rc == 0 && !target)
		backend_mark.want(tree, &turn->facts, &turn->report,
				  &turn->want);
	if (rc == 0)
		rc = report_err(&turn->report, err);
	if (rc == 0)
		rc = backend_mark.read(host, tree, &turn->facts, &turn->claims,
				       &turn->now, err);
	if (rc == 0)
		backend_mark.plan(&turn->now, target ? target : &turn->want,
				  &turn->facts, &ours, &turn->report,
				  &turn->plan, &turn->claims);
	plan_sort(&turn->plan, mine);
	owned_clear(&ours);
	return rc;
}

static int apply_plan(struct host *host, const struct plan *plan,
		      size_t *failed, struct err *err)
{
	struct step **steps = mem_array(plan->count, sizeof(*steps));
	int rc = 0;

	for (size_t i = 0; i < plan->count; i++)
		steps[i] = &plan->items[i];
	if (plan->count)
		rc = backend_mark.apply(host, steps, plan->count, failed, err);
	free(steps);
	return rc;
}

/* Applies the tree, or goes to target; -EREMOTEIO if a second plan has steps.
 * What was done is in *turn, which may be NULL. */
static int go_to(struct host *host, const struct tree *tree,
		 const struct state *target, struct turn *turn, struct err *err)
{
	AUTO_TURN own = { 0 };
	AUTO_TURN second = { 0 };
	AUTO_TEXT left = TEXT_NONE;
	size_t failed;
	int rc;

	if (!turn)
		turn = &own;
	rc = plan_to(host, tree, target, turn, err);
	if (rc == 0)
		rc = apply_plan(host, &turn->plan, &failed, err);
	if (rc == 0)
		rc = plan_to(host, tree, target, &second, err);
	if (rc < 0 || !second.plan.count)
		return rc;
	for (size_t i = 0; i < second.plan.count && i < 5; i++) {
		step_print(&second.plan.items[i], &left);
		text_put(&left, "; ");
	}
	return err_set(err, EREMOTEIO, "still: %s", text_get(&left));
}

static void print_plan(const struct plan *plan, struct text *out)
{
	for (size_t i = 0; i < plan->count; i++) {
		step_print(&plan->items[i], out);
		text_put_char(out, '\n');
	}
}

/* ---- nft ------------------------------------------------------------- */

static void run_nft(const char *const *argv, int in, int out)
{
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0)
		_exit(126);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Runs nft with up to six words, or with input as its file; its output. NULL
 * if there is no nft, or it failed. */
static char *nft(const char *input, const char *line)
{
	AUTO(str) char *words = mem_strdup(line);
	char *rest = words;
	const char *argv[16] = { "nft" };
	struct text out = TEXT_NONE;
	int ends[2], status = 0;
	FILE *in = tmpfile();
	char part[4096];
	ssize_t got;
	pid_t child;

	for (size_t i = 1; i + 1 < ARRAY_SIZE(argv) && rest; i++)
		argv[i] = strsep(&rest, " ");
	if (!in || pipe(ends) < 0)
		return NULL;
	if (input)
		fputs(input, in);
	rewind(in);
	child = fork();
	if (!child)
		run_nft(argv, fileno(in), ends[1]);
	close(ends[1]);
	while ((got = read(ends[0], part, sizeof(part))) > 0)
		text_put_bytes(&out, part, (size_t)got);
	close(ends[0]);
	fclose(in);
	waitpid(child, &status, 0);
	if (!status)
		return out.bytes ? text_take(&out) : mem_strdup("");
	text_clear(&out);
	return NULL;
}

/* NULL if there is none. */
static char *list_table(void)
{
	AUTO(str) char *tables = nft(NULL, "list tables inet");

	if (!tables || !strstr(tables, "table inet tresse\n"))
		return NULL;
	return nft(NULL, "-s list table inet tresse");
}

static bool has_nft(void)
{
	AUTO(str) char *version = nft(NULL, "--version");

	return version != NULL;
}

#define NEED_NFT()                                                             \
	do {                                                                   \
		if (!has_nft())                                                \
			return space_cannot(answer, size, "no nft here");      \
	} while (0)

/* ---- what nft prints ------------------------------------------------- */

/* The chain of connections, in order: conditions, class, match. */
static const struct {
	const char *conditions;
	char class;
	const char *match;
} golden[] = {
	{ "udp sport { 53, 123, 161-162 }", 'a', "dns" },
	{ "tcp dport { 80, 443 }", 'a', "discrete" },
	{ "tcp dport 22", 'a', "one" },
	{ "sctp sport 1000-65535", 'a', "range" },
	{ "dccp dport { 53, 65000-65535 }", 'a', "top" },
	{ "udp dport { 0-1, 5 }", 'a', "low" },
	{ "ip daddr 10.0.0.0/8", 'b', "v4" },
	{ "ip saddr 10.1.2.0/23", 'b', "v4odd" },
	{ "ip daddr 192.0.2.1", 'b', "host" },
	{ "ip daddr { 10.0.0.0/8, 192.168.0.0/23, 224.0.0.0/3 }", 'b',
	  "v4set" },
	{ "ip daddr { 192.0.2.1, 192.0.2.9 }", 'b', "hosts" },
	{ "ip6 saddr 2001:db8::/32", 'b', "v6" },
	{ "ip6 saddr 2001:db8::/33", 'b', "v6odd" },
	{ "ip6 daddr { ::1, 2001:db8::/32, fe80::/10, ff00::/8 }", 'b',
	  "v6set" },
	{ "ip saddr 192.0.2.0/24 tcp dport 22", 'b', "both" },
	{ "ip6 saddr 2001:db8::/32 tcp dport 22", 'b', "both" },
	{ "meta nfproto ipv4", 'b', "all4" },
	{ "ip daddr 10.0.0.0/23", 'b', "joined" },
	{ "ip daddr 10.0.0.0-10.0.1.127", 'b', "odd" },
	{ "ip dscp ef", 'c', "ef" },
	{ "ip6 dscp ef", 'c', "ef" },
	{ "ip daddr 192.0.2.0/24 ip dscp cs1", 'c', "cs1" },
	{ "tcp flags syn / syn,ack", 'c', "syn" },
	{ "meta length 100", 'c', "len" },
	{ "meta l4proto tcp meta skuid 1014", 'c', "uid" },
	{ "meta skuid { 0, 1014 }", 'c', "uids" },
	{ "meta skuid { 0, 1014-1016 }", 'c', "uidset" },
	{ "meta skgid 33-44", 'c', "gid" },
	{ "meta mark & 0x000000f0 == 0x00000040", 'c', "mark" },
	{ "meta mark 0x00000040", 'c', "mark2" },
	{ "meta l4proto icmp", 'c', "icmp" },
};

static void put_golden_rules(struct text *out)
{
	static const struct {
		const char *path, *mark;
	} classes[] = { { "a", "000a" },
			{ "in/b", "0014" },
			{ "in/c", "03e8" } };

	for (size_t i = 0; i < ARRAY_SIZE(golden); i++) {
		const char *mark = classes[golden[i].class - 'a'].mark;

		text_printf(out,
			    "\t\t%s counter ct mark set ct mark & 0xffff%s | "
			    "0x0000%s return comment "
			    "\"/classes/wan/%s/match/%s\"\n",
			    golden[i].conditions, mark, mark,
			    classes[golden[i].class - 'a'].path,
			    golden[i].match);
	}
}

static void put_golden(struct text *out)
{
	text_put(out, "table inet tresse {\n"
		      "\tmap class_wan {\n"
		      "\t\ttype mark : classid\n"
		      "\t\telements = { 0x0000000a : 1:10, "
		      "0x00000014 : 1:20, 0x000003e8 : 1:1000 }\n"
		      "\t}\n\n"
		      "\tchain egress {\n"
		      "\t\ttype filter hook postrouting priority "
		      "mangle + 10; policy accept;\n"
		      "\t\toifname \"wan0\" jump up_wan\n"
		      "\t}\n\n"
		      "\tchain up_wan {\n"
		      "\t\tmeta priority set ct mark & 0x0000ffff "
		      "map @class_wan goto packet_wan\n"
		      "\t\tjump conn_wan\n"
		      "\t\tmeta priority set ct mark & 0x0000ffff "
		      "map @class_wan\n"
		      "\t\tgoto packet_wan\n"
		      "\t}\n\n"
		      "\tchain conn_wan {\n");
	put_golden_rules(out);
	text_put(out, "\t}\n\n"
		      "\tchain packet_wan {\n"
		      "\t\tmeta priority set meta mark & 0x0000ffff "
		      "map @class_wan\n"
		      "\t\ttcp flags ack / fin,syn,rst,psh,ack,urg "
		      "meta length 40-84 counter meta priority set 1:1000 "
		      "return comment \"/classes/wan/in/c/match/acks\"\n"
		      "\t}\n"
		      "}\n");
}

static int prints_naturally(void *arg, void *answer, size_t size)
{
	AUTO(tree) struct tree *tree = full_tree();
	AUTO(host) struct host *host = host_new();
	AUTO_ERR err = ERR_NONE;
	AUTO(str) char *list = NULL;

	(void)arg;
	NEED_NFT();
	EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	list = list_table();
	EXPECT(list);
	snprintf(answer, size, "%s", list);
	return 0;
}

TEST(mark, writes_what_nft_prints_naturally)
{
	AUTO(str) char *version = nft(NULL, "--version");
	AUTO_TEXT golden_text = TEXT_NONE;

	put_golden(&golden_text);
	/* Others write the same otherwise. */
	if (!version || strncmp(version, "nftables v1.0.6", 15) != 0) {
		unit_skip("not nft 1.0.6 here");
		return;
	}
	in_namespace_with(prints_naturally, NULL, text_get(&golden_text));
}

static int reads_nfts_own(void *arg, void *answer, size_t size)
{
	AUTO(tree) struct tree *tree = full_tree();
	AUTO(host) struct host *host = host_new();
	AUTO_TURN turn = { 0 };
	AUTO_TEXT steps = TEXT_NONE;
	AUTO_ERR err = ERR_NONE;
	AUTO(str) char *list = NULL;
	AUTO(str) char *out = NULL;

	(void)arg;
	NEED_NFT();
	EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	list = list_table();
	EXPECT(list);
	out = nft(NULL, "delete table inet tresse");
	EXPECT(out);
	free(out);
	out = nft(list, "-f -");
	EXPECT(out);
	EXPECT(plan_to(host, tree, NULL, &turn, &err) == 0);
	EXPECT(turn.now.count == turn.want.count);
	print_plan(&turn.plan, &steps);
	snprintf(answer, size, "%s", text_get(&steps));
	return 0;
}

/* So our forms are nft's. */
TEST(mark, finds_nothing_to_do_when_nft_loaded_its_own_list)
{
	in_namespace(reads_nfts_own);
}

/* ---- differences ----------------------------------------------------- */

/* Applies, and appends the steps that were done; 0 if a second plan is empty.
 */
static int steps_to(struct host *host, const struct tree *tree,
		    struct text *steps, struct err *err)
{
	AUTO_TURN turn = { 0 };
	int rc = go_to(host, tree, NULL, &turn, err);

	print_plan(&turn.plan, steps);
	return rc;
}

static int matches_change(void *arg, void *answer, size_t size)
{
	AUTO(tree) struct tree *tree = full_tree();
	AUTO(host) struct host *host = host_new();
	AUTO_TEXT steps = TEXT_NONE;
	AUTO_ERR err = ERR_NONE;

	(void)arg;
	EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	set_words(at_path(tree, "/classes/wan/a/match/dns"), "sport=53,123");
	EXPECT(steps_to(host, tree, &steps, &err) == 0);
	set_words(at_path(tree, "/classes/wan/in/b/match/both"), "order=1");
	EXPECT(steps_to(host, tree, &steps, &err) == 0);
	set_words(at_path(tree, "/classes/wan/in/c/match/off"), "enabled=yes");
	EXPECT(steps_to(host, tree, &steps, &err) == 0);
	set_words(at_path(tree, "/classes/wan/a"), "classid=1:11");
	node_delete(at_path(tree, "/classes/wan/in/b/match/host"));
	EXPECT(steps_to(host, tree, &steps, &err) == 0);
	snprintf(answer, size, "%s", text_get(&steps));
	return 0;
}

TEST(mark, changes_only_what_differs)
{
	in_namespace_with(
		matches_change, NULL,
		"~ nft conn_wan: udp sport { 53, 123, 161-162 } ct mark set 10 "
		"-> udp sport { 53, 123 } ct mark set 10 "
		"# /classes/wan/a/match/dns\n"
		"~ nft conn_wan: ip saddr 192.0.2.0/24 tcp dport 22 ct mark "
		"set 20 # /classes/wan/in/b/match/both (moved from place 15 to "
		"2)\n"
		"~ nft conn_wan: ip6 saddr 2001:db8::/32 tcp dport 22 ct mark "
		"set 20 # /classes/wan/in/b/match/both (moved from place 16 to "
		"3)\n"
		"+ nft conn_wan: meta l4proto gre ct mark set 1000 "
		"# /classes/wan/in/c/match/off\n"
		"- nft conn_wan: ip daddr 192.0.2.1 ct mark set 20 "
		"# /classes/wan/in/b/match/host\n"
		"~ nft class_wan: 10 : 1:10 -> 1:11\n");
}

/* ---- going back ------------------------------------------------------ */

static int goes_and_comes_back(void *arg, void *answer, size_t size)
{
	AUTO(tree) struct tree *tree = full_tree();
	AUTO(tree) struct tree *empty = tree_new();
	AUTO(host) struct host *host = host_new();
	AUTO_TURN first = { 0 };
	AUTO_TURN second = { 0 };
	AUTO_ERR err = ERR_NONE;
	AUTO(str) char *before = NULL;
	AUTO(str) char *one = NULL;
	AUTO(str) char *now = NULL;

	(void)arg;
	NEED_NFT();
	free(nft("table inet other {\n chain tresse {\n }\n}\n"
		 "table ip tresse {\n chain egress {\n }\n}\n",
		 "-f -"));
	before = nft(NULL, "list ruleset");
	EXPECT(before && strstr(before, "table ip tresse"));
	EXPECT(go_to(host, tree, NULL, &first, &err) == 0);
	EXPECT(first.now.count == 0);
	one = list_table();
	node_delete(at_path(tree, "/classes/wan/a"));
	set_words(at_path(tree, "/classes/wan/in/c"), "mark=11");
	set_words(at_path(tree, "/classes/wan"), "device=eth7");
	add_uplink(tree, "second", "device=lte0");
	make(at_path(tree, "/classes/second"), "x",
	     "rate=1mbit classid=1:1 mark=1");
	EXPECT(go_to(host, tree, NULL, &second, &err) == 0);

	/* The state that was read is as good as one that is wanted. */
	EXPECT(go_to(host, tree, &second.now, NULL, &err) == 0);
	now = list_table();
	EXPECT(one && now && strlen(one) == strlen(now));
	EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	EXPECT(go_to(host, tree, &first.now, NULL, &err) == 0);
	EXPECT(go_to(host, tree, &second.now, NULL, &err) == 0);
	EXPECT(go_to(host, empty, NULL, NULL, &err) == 0);
	free(now);
	now = nft(NULL, "list ruleset");
	EXPECT(now && !strcmp(before, now));
	return 0;
}

TEST(mark, goes_back_to_what_it_read_and_leaves_no_trace)
{
	in_namespace(goes_and_comes_back);
}

/* ---- what others do -------------------------------------------------- */

static const char *const meddling[] = {
	/* rules */
	"insert rule inet tresse conn_wan tcp dport 9 accept",
	"add rule inet tresse conn_wan tcp dport { 9, 10-11 } drop",
	"add rule inet tresse egress limit rate 5/second accept",
	"flush chain inet tresse conn_wan",
	"flush chain inet tresse egress",
	/* elements */
	"delete element inet tresse class_wan { 10 }",
	"add element inet tresse class_wan { 11 : 1:5 }",
	"delete element inet tresse class_wan { 10 }\n"
	"add element inet tresse class_wan { 10 : 1:6 }",
	"flush map inet tresse class_wan",
	/* what they hang on */
	"add chain inet tresse mine\nadd rule inet tresse mine jump up_wan\n"
	"add rule inet tresse egress jump mine",
	"add set inet tresse ports { type inet_service; flags interval; "
	"elements = { 5, 7-8, 65000-65535 }; }\n"
	"insert rule inet tresse conn_wan tcp dport @ports drop",
	"add map inet tresse verdicts { type mark : verdict; "
	"elements = { 1 : drop, 2 : jump up_wan }; }",
	"add chain inet tresse egress { policy drop; }",
	"add table inet tresse { flags dormant; }",
	"flush chain inet tresse egress\ndelete chain inet tresse egress\n"
	"add chain inet tresse egress { type filter hook output priority 0; }",
	"flush table inet tresse\ndelete map inet tresse class_wan\n"
	"add map inet tresse class_wan { type mark : mark; }",
	"delete table inet tresse",
};

static int repairs(struct host *host, const struct tree *tree,
		   const char *change, const char *right, char *answer,
		   size_t size)
{
	AUTO_TURN turn = { 0 };
	AUTO_ERR err = ERR_NONE;
	AUTO(str) char *out = nft(change, "-f -");
	AUTO(str) char *wrong = list_table();
	AUTO(str) char *mended = NULL;
	AUTO(str) char *back = NULL;

	EXPECT(out);
	EXPECT(go_to(host, tree, NULL, &turn, &err) == 0);
	EXPECT(turn.plan.count);
	mended = list_table();
	EXPECT(mended && strlen(mended) == strlen(right));
	/* Even that can be undone. */
	EXPECT(go_to(host, tree, &turn.now, NULL, &err) == 0);
	back = list_table();
	EXPECT(!wrong == !back);
	EXPECT(!back || strlen(back) == strlen(wrong));
	EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	return 0;
}

enum { AT_ONCE = 3 }; /* a throw-away namespace lives ten seconds */

static int is_meddled_with(void *arg, void *answer, size_t size)
{
	AUTO(tree) struct tree *tree = full_tree();
	AUTO(host) struct host *host = host_new();
	AUTO_ERR err = ERR_NONE;
	AUTO(str) char *right = NULL;
	size_t from = *(size_t *)arg;

	NEED_NFT();
	EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	right = list_table();
	EXPECT(right);
	for (size_t i = from; i < ARRAY_SIZE(meddling) && i < from + AT_ONCE;
	     i++) {
		char why[1024] = "";

		if (!repairs(host, tree, meddling[i], right, why, sizeof(why)))
			continue;
		snprintf(answer, size, "%s: %s", meddling[i], why);
		return 1;
	}
	return 0;
}

TEST(mark, sees_and_repairs_what_others_change_in_its_table)
{
	for (size_t i = 0; i < ARRAY_SIZE(meddling); i += AT_ONCE)
		in_namespace_with(is_meddled_with, &i, "");
}

/* ---- order ----------------------------------------------------------- */

static uint32_t next_random(uint32_t *seed)
{
	return *seed = *seed * 1664525 + 1013904223, *seed >> 16;
}

static void shuffle(const struct tree *tree, uint32_t *seed, unsigned part)
{
	const struct node *top = tree_classes(tree);

	for (struct node *at = node_walk(top, top); at;
	     at = node_walk(top, at)) {
		struct value order = { .u = next_random(seed) % 40 };
		struct value enabled = { .u = next_random(seed) % 5 > 0 };

		if (node_kind(at) != &kind_match ||
		    next_random(seed) % 4 > part)
			continue;
		node_set(at, MATCH_ORDER, &order, ORIGIN_GIVEN);
		node_set(at, MATCH_ENABLED, &enabled, ORIGIN_GIVEN);
	}
}

static int shuffles(void *arg, void *answer, size_t size)
{
	AUTO(tree) struct tree *tree = full_tree();
	AUTO(host) struct host *host = host_new();
	AUTO_ERR err = ERR_NONE;
	uint32_t seed = 2;

	(void)arg;
	for (unsigned round = 0; round < 60; round++) {
		shuffle(tree, &seed, round % 4);
		EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	}
	return 0;
}

TEST(mark, keeps_any_order_of_matches)
{
	in_namespace(shuffles);
}

/* ---- refusals -------------------------------------------------------- */

static int refused(void *arg, void *answer, size_t size)
{
	AUTO(tree) struct tree *tree = full_tree();
	AUTO(tree) struct tree *empty = tree_new();
	AUTO(host) struct host *host = host_new();
	AUTO_TURN turn = { 0 };
	AUTO_ERR err = ERR_NONE;
	struct state broken = STATE_NONE;
	size_t failed = 0;

	(void)arg;
	EXPECT(plan_to(host, tree, NULL, &turn, &err) == 0);
	for (size_t i = 0; i < turn.want.count; i++) {
		const struct object *object = &turn.want.items[i];

		if (strcmp(object->key, "chain packet_wan") != 0)
			state_add(&broken, &backend_mark, object->key,
				  object->path, object->data, object->size);
	}
	EXPECT(plan_to(host, empty, &broken, &turn, &err) == 0);
	EXPECT(apply_plan(host, &turn.plan, &failed, &err) == -ENOENT);
	snprintf(answer, size, "%s; %s", err.text,
		 turn.plan.items[failed].after->path);
	EXPECT(plan_to(host, empty, NULL, &turn, &err) == 0);
	EXPECT(turn.now.count == 0);
	state_clear(&broken);
	return 0;
}

TEST(mark, names_the_step_that_the_kernel_refused_and_does_none)
{
	in_namespace_with(refused, NULL,
			  "nft packet_wan: meta priority set meta mark & "
			  "0xffff map @class_wan: No such file or "
			  "directory; /classes/wan");
}

static int without_rights(void *arg, void *answer, size_t size)
{
	AUTO(tree) struct tree *tree = full_tree();
	AUTO(host) struct host *host = host_new();
	AUTO_TURN turn = { 0 };
	AUTO_ERR err = ERR_NONE;

	(void)arg;
	if (setresuid(65534, 65534, 65534) < 0)
		return space_cannot(answer, size, "cannot be nobody here");
	EXPECT(plan_to(host, tree, NULL, &turn, &err) == -EPERM);
	EXPECT(strstr(err.text, "CAP_NET_ADMIN"));
	return 0;
}

TEST(mark, says_which_capability_is_missing)
{
	in_namespace(without_rights);
}

/* ---- planning alone -------------------------------------------------- */

/* What want() says of a tree: findings, then objects. */
static void want_text(const struct tree *tree, struct text *out)
{
	AUTO_TURN turn = { 0 };

	backend_mark.want(tree, &turn.facts, &turn.report, &turn.want);
	for (size_t i = 0; i < turn.report.count; i++)
		text_printf(out, "%s: %s\n", turn.report.items[i].path,
			    turn.report.items[i].text);
	for (size_t i = 0; i < turn.want.count; i++) {
		backend_mark.print(&turn.want.items[i], out);
		text_put_char(out, '\n');
	}
}

TEST(mark, wants_nothing_without_uplinks)
{
	AUTO(tree) struct tree *tree = tree_new();
	AUTO_TEXT out = TEXT_NONE;
	struct node *uplink = add_uplink(tree, "wan", "device=wan0");

	want_text(tree, &out);
	make(uplink, "a", "rate=1mbit classid=1:1 mark=1");
	set_words(uplink, "enabled=no");
	want_text(tree, &out);
	ASSERT_TEXT(text_get(&out), "");
}

TEST(mark, takes_the_device_of_the_path)
{
	AUTO(tree) struct tree *tree = tree_new();
	AUTO_TEXT out = TEXT_NONE;

	make(tree_paths(tree), "adsl0", "device=ppp0");
	make(add_uplink(tree, "a:b+c.d", "path=adsl0"), "a",
	     "rate=1mbit classid=1:1 mark=1");
	want_text(tree, &out);
	ASSERT_TEXT(text_get(&out),
		    "nft table inet tresse\n"
		    "nft chain egress hook 4 priority -140\n"
		    "nft map class_a/3ab/2bc.d mark : classid\n"
		    "nft class_a/3ab/2bc.d: 1 : 1:1\n"
		    "nft chain up_a/3ab/2bc.d\n"
		    "nft up_a/3ab/2bc.d: meta priority set ct mark & 0xffff "
		    "map @class_a/3ab/2bc.d\n"
		    "nft up_a/3ab/2bc.d: meta priority set meta mark & 0xffff "
		    "map @class_a/3ab/2bc.d\n"
		    "nft egress: oifname \"ppp0\" jump up_a/3ab/2bc.d\n");
}

TEST(mark, asks_for_names_of_hosts_before_all_else)
{
	AUTO(tree) struct tree *tree = tree_new();
	AUTO_TEXT out = TEXT_NONE;
	struct node *class = make(add_uplink(tree, "w", "device=wan0"), "a",
				  "rate=1mbit classid=1:1 mark=1");

	add_match(class, "m", "host=A.Example proto=tcp dport=80");
	want_text(tree, &out);
	ASSERT_TEXT(
		text_get(&out),
		"nft table inet tresse\n"
		"nft chain egress hook 4 priority -140\n"
		"nft map class_w mark : classid\n"
		"nft class_w: 1 : 1:1\n"
		"nft chain up_w\n"
		"nft chain arrive hook 0 priority -140\n"
		"nft chain host_w\n"
		"nft host_w: meta l4proto != tcp return\n"
		"nft host_w: ct direction != original return\n"
		"nft host_w: ct label 127 return\n"
		"nft host_w: tcp dport 80 string \"Host: a.example\\r\" ct "
		"mark set 1 ct label set 127 # /classes/w/a/match/m\n"
		"nft host_w: tcp dport 80 string \"Host: a.example:\" ct mark "
		"set 1 ct label set 127 # /classes/w/a/match/m\n"
		"nft host_w: tcp dport 80 tls-name \"a.example\" ct mark set 1 "
		"ct label set 127 # /classes/w/a/match/m\n"
		"nft host_w: tcp flags none/psh return\n"
		"nft host_w: ct label 126 ct label set 127\n"
		"nft host_w: ct label 125 ct label set 126\n"
		"nft host_w: ct label set 125\n"
		"nft up_w: jump host_w\n"
		"nft arrive: iifname \"wan0\" jump host_w\n"
		"nft up_w: meta priority set ct mark & 0xffff map "
		"@class_w\n"
		"nft up_w: meta priority set meta mark & 0xffff map "
		"@class_w\n"
		"nft egress: oifname \"wan0\" jump up_w\n");
}

static int hosts_come_and_go(void *arg, void *answer, size_t size)
{
	AUTO(tree) struct tree *tree = full_tree();
	AUTO(host) struct host *host = host_new();
	AUTO_ERR err = ERR_NONE;
	struct node *class = at_path(tree, "/classes/wan/a");
	struct facts facts = { 0 };

	(void)arg;
	EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	add_match(class, "site", "host=a.example src=10.0.0.0/8,2001:db8::/32");
	EXPECT(backend_mark.probe(host, tree, &facts, &err) == 0);
	EXPECT(facts.asked_string);
	if (!facts.has_string)
		return 0; /* refused, see below */
	EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	set_words(at_path(tree, "/classes/wan/a/match/site"), "host=b.example");
	EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	node_delete(at_path(tree, "/classes/wan/a/match/site"));
	EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	facts_clear(&facts);
	return 0;
}

TEST(mark, names_of_hosts_come_and_go)
{
	in_namespace(hosts_come_and_go);
}

TEST(mark, refuses_a_host_where_the_kernel_cannot_look_for_it)
{
	AUTO(tree) struct tree *tree = tree_new();
	AUTO_TURN turn = { .facts = { .asked_string = true } };
	struct node *class = make(add_uplink(tree, "w", "device=wan0"), "a",
				  "rate=1mbit classid=1:1 mark=1");

	add_match(class, "m", "host=a.example");
	backend_mark.want(tree, &turn.facts, &turn.report, &turn.want);
	CU_ASSERT_EQUAL(turn.report.errors, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(turn.report.items[0].text,
				      "lacks nft_compat or xt_string"));
}

TEST(mark, refuses_what_can_never_match)
{
	AUTO(tree) struct tree *tree = tree_new();
	AUTO_TEXT out = TEXT_NONE;
	struct node *class = make(add_uplink(tree, "wan", "device=wan0"), "a",
				  "rate=1mbit classid=1:1 mark=1");

	add_match(class, "m", "src=192.0.2.1 dst=2001:db8::1");
	add_match(class, "n", "cgroup=a/b scope=packet");
	add_match(class, "o", "cgroup=a/b");
	want_text(tree, &out);
	text_cut(&out, (size_t)(strstr(text_get(&out), "nft ") - out.bytes));
	ASSERT_TEXT(text_get(&out),
		    "/classes/wan/a/match/m: can never match: src and dst have "
		    "no address family in common\n"
		    "/classes/wan/a/match/n: a cgroup decides for whole "
		    "connections: scope=connection\n"
		    "/classes/wan/a/match/o: cgroup a/b: it was not looked "
		    "up\n");
}

TEST(mark, shortens_a_comment_that_nft_could_not_read_back)
{
	AUTO_TEXT path = TEXT_NONE;
	AUTO_TEXT one = TEXT_NONE;
	AUTO_TEXT other = TEXT_NONE;

	text_fill(&path, 'x', 127);
	names_comment(text_get(&path), &one);
	ASSERT_TEXT(text_get(&one), text_get(&path));
	text_fill(&path, 'x', 100);
	text_cut(&one, 0);
	names_comment(text_get(&path), &one);
	path.bytes[0] = 'y';
	names_comment(text_get(&path), &other);
	CU_ASSERT_EQUAL(one.length, 127);
	CU_ASSERT_EQUAL(other.length, 127);
	CU_ASSERT(strcmp(text_get(&one), text_get(&other)) != 0);
}

/* ---- classifier fw, full mask ---------------------------------------- */

static int odd_ones(void *arg, void *answer, size_t size)
{
	AUTO(tree) struct tree *tree = full_tree();
	AUTO(host) struct host *host = host_new();
	AUTO_ERR err = ERR_NONE;
	AUTO(str) char *list = NULL;

	(void)arg;
	NEED_NFT();
	set_words(at_path(tree, "/classes/wan"), "classifier=fw");
	EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	list = list_table();
	EXPECT(list);
	EXPECT(strstr(list, "meta mark set ct mark & 0x0000ffff\n"));
	EXPECT(strstr(list, "meta mark set meta mark & 0xffff03e8 | "
			    "0x000003e8 return"));
	EXPECT(strstr(list,
		      "ct mark & 0x0000ffff == @class_wan goto packet_wan"));
	EXPECT(!strstr(list, "meta priority"));
	set_words(at_path(tree, "/classes/wan"), "classifier=nft");
	EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	set_words(tree_system(tree), "class-mask=0xffffffff");
	EXPECT(go_to(host, tree, NULL, NULL, &err) == 0);
	free(list);
	list = list_table();
	EXPECT(list);
	EXPECT(strstr(list, "meta priority set ct mark map @class_wan"));
	EXPECT(strstr(list, "ct mark set 0x000003e8 return"));
	return 0;
}

TEST(mark, serves_fw_and_a_full_mask)
{
	in_namespace(odd_ones);
}

/* ---- many ------------------------------------------------------------ */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Few of them with anonymous sets: nf_tables_newset() and nf_tables_dump_set()
 * walk over all sets of the table, so thousands cost the kernel seconds. */
static struct tree *large_tree(unsigned count)
{
	struct tree *tree = tree_new();
	struct node *uplink = add_uplink(tree, "wan", "device=wan0");

	for (unsigned i = 1; i <= count; i++) {
		AUTO(str) char *name = mem_printf("c%u", i);
		AUTO(str)
		char *words =
			mem_printf("rate=8kbit classid=1:%x mark=%u", i, i);
		AUTO(str)
		char *match = mem_printf("dst=10.1.%u.%u", i / 256, i % 256);

		add_match(make(uplink, name, words), "m", match);
		if (i % 100 == 0)
			add_match(node_find(uplink, name), "n",
				  "proto=udp dport=53,123,161-162");
	}
	return tree;
}

static int ten_thousand(void *arg, void *answer, size_t size)
{
	AUTO(tree) struct tree *tree = large_tree(10000);
	AUTO(host) struct host *host = host_new();
	AUTO_ERR err = ERR_NONE;
	AUTO_TURN turn = { 0 };
	double from = seconds();

	(void)arg;
	EXPECT(go_to(host, tree, NULL, &turn, &err) == 0);
	EXPECT(turn.plan.count == 2 * 10000 + 100 + 12);
	printf(" (10,000: applied and read back in %.2f s", seconds() - from);
	from = seconds();
	EXPECT(plan_to(host, tree, NULL, &turn, &err) == 0);
	EXPECT(turn.plan.count == 0);
	printf(", again in %.2f s) ", seconds() - from);
	fflush(stdout);
	set_words(at_path(tree, "/classes/wan/c5000/match/m"), "dst=10.9.9.9");
	EXPECT(plan_to(host, tree, NULL, &turn, &err) == 0);
	EXPECT(turn.plan.count == 1);
	return 0;
}

TEST(mark, takes_ten_thousand_classes)
{
	in_namespace(ten_thousand);
}

/* ---- a table of our name that is not ours ------------------------------ */

static struct state one_table(void)
{
	struct state state = STATE_NONE;
	struct item table = { .what = ITEM_TABLE, .name = "" };

	CU_ASSERT_TRUE(item_add(&state, &table, "/classes"));
	return state;
}

TEST(mark, a_table_that_this_store_did_not_make_is_not_touched)
{
	struct state there = one_table(), nothing = STATE_NONE;
	struct owned owned = OWNED_NONE, claims = OWNED_NONE;
	struct report report = REPORT_NONE;
	struct facts facts = { 0 };
	struct plan plan = PLAN_NONE;

	backend_mark.plan(&there, &nothing, &facts, &owned, &report, &plan,
			  &claims);
	CU_ASSERT_EQUAL(plan.count, 0);
	CU_ASSERT_EQUAL(report.errors, 0);
	backend_mark.plan(&there, &there, &facts, &owned, &report, &plan,
			  &claims);
	CU_ASSERT_EQUAL(plan.count, 0);
	CU_ASSERT_EQUAL(report.errors, 1);
	owned_add(&owned, "mark", "table", NULL, 0);
	backend_mark.plan(&there, &nothing, &facts, &owned, &report, &plan,
			  &claims);
	CU_ASSERT_EQUAL(plan.count, 1);
	plan_clear(&plan);
	report_clear(&report);
	owned_clear(&owned);
	owned_clear(&claims);
	state_clear(&there);
}
