/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planned from facts filled in by hand; then tried in a throw-away namespace,
 * where `ip` is the independent reader. */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/host.h"
#include "backends/list.h"
#include "model/backend.h"
#include "model/base/text.h"
#include "model/node.h"
#include "tests/unit/space.h"
#include "tests/unit/unit.h"

/* ---- a tree, facts, and what comes of them --------------------------- */

struct scene {
	struct tree *tree;
	struct host *host;
	struct facts facts;
	struct report report;
	struct state now, want;
	struct plan plan;
	struct owned owned;
};

/* "adsl0 device=wan0 gateway=192.0.2.1": makes the path, or sets more. */
static void say(struct scene *scene, const char *line)
{
	AUTO(str) char *words = mem_strdup(line);
	char *rest = words, *word = strsep(&rest, " ");
	struct node *paths = tree_paths(scene->tree);
	struct node *node = node_find(paths, word);
	AUTO_ERR err = ERR_NONE;

	if (!strcmp(word, "system"))
		node = tree_system(scene->tree);
	if (!node)
		node = node_create(paths, word, &err);
	while ((word = strsep(&rest, " "))) {
		char *value = strchr(word, '=');

		*value = '\0';
		if (node_set_text(node, word, value + 1, &err) < 0)
			fprintf(stderr, "%s\n", err.text);
	}
}

static void scene_begin(struct scene *scene)
{
	*scene = (struct scene){ .tree = tree_new() };
	scene->facts.has_ipv6 = true;
}

static void forget(struct scene *scene)
{
	report_clear(&scene->report);
	plan_clear(&scene->plan);
	state_clear(&scene->now);
	state_clear(&scene->want);
}

static void scene_end(struct scene *scene)
{
	forget(scene);
	facts_clear(&scene->facts);
	host_free(scene->host);
	tree_free(scene->tree);
}

static struct prefix address(const char *text)
{
	AUTO(str) char *words = mem_strdup(text);
	char *length = strchr(words, '/');
	bool six = strchr(text, ':') != NULL;
	struct prefix prefix = { .family = six ? AF_INET6 : AF_INET,
				 .length = six ? 128 : 32 };

	if (length) {
		*length = '\0';
		prefix.length = (uint8_t)atoi(length + 1);
	}
	inet_pton(prefix.family, words, prefix.bytes);
	return prefix;
}

static void has_link(struct scene *scene, const char *name, int index,
		     unsigned flags)
{
	struct facts *facts = &scene->facts;
	struct link_fact *link;

	facts->links = mem_grow(facts->links, facts->link_count,
				&facts->link_room, sizeof(*facts->links));
	link = &facts->links[facts->link_count++];
	*link = (struct link_fact){ .index = index, .flags = flags };
	snprintf(link->name, sizeof(link->name), "%s", name);
}

static void has_address(struct scene *scene, int index, const char *text,
			uint8_t flags)
{
	struct facts *facts = &scene->facts;
	struct address_fact fact = { .index = index,
				     .address = address(text),
				     .flags = flags };

	if (fact.address.bytes[0] == 0xfe)
		fact.scope = RT_SCOPE_LINK;
	facts->addresses =
		mem_grow(facts->addresses, facts->address_count,
			 &facts->address_room, sizeof(*facts->addresses));
	facts->addresses[facts->address_count++] = fact;
}

static void has_default(struct scene *scene, int index, const char *gateway,
			uint32_t metric)
{
	struct facts *facts = &scene->facts;
	struct default_fact fact = { .index = index,
				     .gateway = address(gateway),
				     .metric = metric };

	fact.family = fact.gateway.family;
	facts->defaults =
		mem_grow(facts->defaults, facts->default_count,
			 &facts->default_room, sizeof(*facts->defaults));
	facts->defaults[facts->default_count++] = fact;
}

/* Findings, then objects, a line each. */
static char *wanted(struct scene *scene)
{
	static const char *const severities[] = { "note", "warning", "error" };
	struct text out = TEXT_NONE;

	forget(scene);
	backend_route.want(scene->tree, &scene->facts, &scene->report,
			   &scene->want);
	for (size_t i = 0; i < scene->report.count; i++)
		text_printf(&out, "%s %s: %s\n",
			    severities[scene->report.items[i].severity],
			    scene->report.items[i].path,
			    scene->report.items[i].text);
	for (size_t i = 0; i < scene->want.count; i++) {
		backend_route.print(&scene->want.items[i], &out);
		text_put(&out, "\n");
	}
	if (!out.bytes)
		text_put(&out, "");
	return text_take(&out);
}

#define ASSERT_WANTED(scene, expected)                                         \
	do {                                                                   \
		AUTO(str) char *got = wanted(scene);                           \
		ASSERT_TEXT(got, expected);                                    \
	} while (0)

static void scene_with_wan0(struct scene *scene)
{
	scene_begin(scene);
	say(scene, "adsl0 device=wan0 table=20000 mark=0x10000");
	has_link(scene, "wan0", 7, IFF_UP);
}

/* ---- what is wanted -------------------------------------------------- */

TEST(route, wants_a_table_and_two_rules_for_a_path)
{
	struct scene scene;

	scene_with_wan0(&scene);
	say(&scene, "adsl0 gateway=192.0.2.1 gateway6=none");
	has_address(&scene, 7, "10.9.9.9/24", 0);
	has_address(&scene, 7, "192.0.2.2/24", 0);
	ASSERT_WANTED(
		&scene,
		"rule 20000 from 192.0.2.2 lookup 20000\n"
		"rule 20001 from all fwmark 0x10000/0xff0000 lookup 20000\n"
		"route 192.0.2.0/24 dev wan0 table 20000 src 192.0.2.2\n"
		"route default via 192.0.2.1 dev wan0 table 20000 src "
		"192.0.2.2\n");
	scene_end(&scene);
}

TEST(route, learns_gateways_from_the_best_default_route)
{
	struct scene scene;

	scene_with_wan0(&scene);
	has_address(&scene, 7, "192.0.2.2/24", 0);
	has_address(&scene, 7, "fe80::7/64", 0);
	has_address(&scene, 7, "2001:db8::dead/64", 0x01);
	has_address(&scene, 7, "2001:db8::2/64", 0);
	has_default(&scene, 8, "198.51.100.1", 1);
	has_default(&scene, 7, "192.0.2.9", 200);
	has_default(&scene, 7, "192.0.2.1", 50);
	has_default(&scene, 7, "fe80::1", 1024);
	ASSERT_WANTED(
		&scene,
		"rule 20000 from 192.0.2.2 lookup 20000\n"
		"rule 20001 from all fwmark 0x10000/0xff0000 lookup 20000\n"
		"route 192.0.2.0/24 dev wan0 table 20000 src 192.0.2.2\n"
		"route default via 192.0.2.1 dev wan0 table 20000 src "
		"192.0.2.2\n"
		"rule -6 20000 from 2001:db8::2 lookup 20000\n"
		"rule -6 20001 from all fwmark 0x10000/0xff0000 lookup 20000\n"
		"route -6 2001:db8::/64 dev wan0 table 20000 src 2001:db8::2\n"
		"route -6 default via fe80::1 dev wan0 table 20000 src "
		"2001:db8::2\n");
	scene.facts.has_ipv6 = false;
	say(&scene, "adsl0 enabled=no");
	ASSERT_WANTED(&scene, "");
	scene_end(&scene);
}

TEST(route, a_point_to_point_link_needs_no_gateway)
{
	struct scene scene;

	scene_with_wan0(&scene);
	scene.facts.links[0].flags |= IFF_POINTOPOINT;
	has_address(&scene, 7, "192.0.2.2/32", 0);
	ASSERT_WANTED(
		&scene,
		"rule 20000 from 192.0.2.2 lookup 20000\n"
		"rule 20001 from all fwmark 0x10000/0xff0000 lookup 20000\n"
		"route default dev wan0 table 20000 src 192.0.2.2\n");
	scene_end(&scene);
}

TEST(route, says_so_when_no_gateway_is_known)
{
	struct scene scene;

	scene_with_wan0(&scene);
	has_address(&scene, 7, "192.0.2.2/24", 0);
	ASSERT_WANTED(&scene,
		      "note /paths/adsl0: wan0 has no default route to learn "
		      "the gateway from: set gateway or gateway6 to an "
		      "address, or to onlink\n");
	scene_end(&scene);
}

TEST(route, a_gateway_outside_of_all_networks_is_onlink)
{
	struct scene scene;

	scene_with_wan0(&scene);
	say(&scene, "adsl0 gateway=198.51.100.1 source=none");
	has_address(&scene, 7, "192.0.2.2/24", 0);
	ASSERT_WANTED(
		&scene,
		"rule 20001 from all fwmark 0x10000/0xff0000 lookup 20000\n"
		"route default via 198.51.100.1 dev wan0 table 20000 "
		"onlink\n");
	scene_end(&scene);
}

TEST(route, the_word_onlink_means_the_other_end)
{
	struct scene scene;

	scene_with_wan0(&scene);
	say(&scene, "adsl0 gateway=onlink source=none mark=auto");
	ASSERT_WANTED(&scene, "route default dev wan0 table 20000\n");
	scene_end(&scene);
}

TEST(route, a_source_that_nobody_has_is_a_warning)
{
	struct scene scene;

	scene_with_wan0(&scene);
	say(&scene, "adsl0 gateway=192.0.2.1 source=192.0.2.5/24");
	has_address(&scene, 7, "192.0.2.2/24", 0);
	ASSERT_WANTED(
		&scene,
		"warning /paths/adsl0: source 192.0.2.5/24 is no address of "
		"this host, so packets without a source address do not get "
		"it: ip address add 192.0.2.5/24 dev wan0\n"
		"rule 20000 from 192.0.2.5 lookup 20000\n"
		"rule 20001 from all fwmark 0x10000/0xff0000 lookup 20000\n"
		"route 192.0.2.0/24 dev wan0 table 20000\n"
		"route default via 192.0.2.1 dev wan0 table 20000\n");
	scene_end(&scene);
}

TEST(route, an_address_of_its_own_is_no_gateway)
{
	struct scene scene;

	scene_with_wan0(&scene);
	say(&scene, "adsl0 gateway=192.0.2.2");
	has_address(&scene, 7, "192.0.2.2/24", 0);
	ASSERT_WANTED(&scene,
		      "error /paths/adsl0: gateway 192.0.2.2 is an address of "
		      "this host; the gateway is the other end's\n");
	scene_end(&scene);
}

TEST(route, a_device_that_is_not_there_is_a_warning)
{
	struct scene scene;

	scene_begin(&scene);
	say(&scene, "adsl0 device=wan9 table=20000 gateway=192.0.2.1");
	ASSERT_WANTED(&scene,
		      "warning /paths/adsl0: wan9 is not there: its routes and "
		      "rules are left out until it is\n");
	scene_end(&scene);
}

TEST(route, a_device_in_a_vrf_has_the_routes_of_that)
{
	struct scene scene;

	scene_with_wan0(&scene);
	scene.facts.links[0].in_vrf = true;
	say(&scene, "adsl0 gateway=192.0.2.1");
	has_address(&scene, 7, "192.0.2.2/24", 0);
	ASSERT_WANTED(&scene, "warning /paths/adsl0: wan0 is in a VRF, whose "
			      "own routes lead what leaves by it: none are "
			      "made here, so let that one have a default "
			      "route\n");
	scene_end(&scene);
}

TEST(route, a_link_that_is_down_keeps_its_rules)
{
	struct scene scene;

	scene_with_wan0(&scene);
	scene.facts.links[0].flags = 0;
	say(&scene, "adsl0 gateway=192.0.2.1 default-route=yes");
	has_address(&scene, 7, "192.0.2.2/24", 0);
	ASSERT_WANTED(
		&scene,
		"warning /paths/adsl0: wan0 is down: its routes are left out "
		"until it is up (ip link set wan0 up)\n"
		"rule 20000 from 192.0.2.2 lookup 20000\n"
		"rule 20001 from all fwmark 0x10000/0xff0000 lookup 20000\n");
	scene_end(&scene);
}

TEST(route, enters_the_main_table_only_when_told)
{
	struct scene scene;

	scene_with_wan0(&scene);
	say(&scene, "adsl0 gateway=192.0.2.1 source=none mark=auto "
		    "default-route=yes metric=77");
	has_address(&scene, 7, "192.0.2.2/24", 0);
	has_default(&scene, 9, "198.51.100.1", 76);
	ASSERT_WANTED(&scene,
		      "route default via 192.0.2.1 dev wan0 table 20000\n"
		      "route default via 192.0.2.1 dev wan0 metric 77\n");
	has_link(&scene, "wan9", 9, IFF_UP);
	say(&scene, "adsl0 metric=76");
	ASSERT_WANTED(
		&scene,
		"error /paths/adsl0: the main table has a default route with "
		"metric 76 already, on wan9, which is not Tresse's: give this "
		"path another metric, or that route\n"
		"route default via 192.0.2.1 dev wan0 table 20000\n");
	scene_end(&scene);
}

TEST(route, two_paths_with_one_metric_are_refused)
{
	struct scene scene;

	scene_with_wan0(&scene);
	say(&scene, "adsl0 gateway=onlink source=none mark=auto "
		    "default-route=yes");
	say(&scene, "adsl1 device=wan0 gateway=onlink source=none "
		    "default-route=yes table=20001");
	ASSERT_WANTED(
		&scene,
		"error /paths/adsl1: /paths/adsl0 wants the same route 4 table "
		"254 default metric 100: give one of them another table or "
		"metric\n"
		"route default dev wan0 table 20000\n"
		"route default dev wan0 metric 100\n"
		"route default dev wan0 table 20001\n");
	scene_end(&scene);
}

TEST(route, priorities_follow_the_table_and_stay_in_their_range)
{
	struct scene scene;

	scene_with_wan0(&scene);
	say(&scene, "adsl0 gateway=onlink source=none table=20004");
	say(&scene, "system rules=10000-10009");
	ASSERT_WANTED(
		&scene,
		"rule 10009 from all fwmark 0x10000/0xff0000 lookup 20004\n"
		"route default dev wan0 table 20004\n");
	say(&scene, "system rules=10000-10008");
	ASSERT_WANTED(&scene,
		      "error /paths/adsl0: table 20004 needs the rule "
		      "priorities 10008 and 10009, but the range in /system "
		      "ends at 10008\n");
	say(&scene, "adsl0 table=300");
	ASSERT_WANTED(&scene, "error /paths/adsl0: table 300 is not in the "
			      "range of tables in /system, 20000-20999\n");
	scene_end(&scene);
}

/* ---- the way from one state to the other ----------------------------- */

TEST(route, builds_before_the_rules_and_cleans_after_them)
{
	struct scene scene;
	struct state none = STATE_NONE;
	AUTO_TEXT out = TEXT_NONE;
	AUTO(str) char *ignored = NULL;

	scene_with_wan0(&scene);
	say(&scene, "adsl0 gateway=192.0.2.1 gateway6=none");
	has_address(&scene, 7, "192.0.2.2/24", 0);
	ignored = wanted(&scene);
	backend_route.plan(&none, &scene.want, &scene.facts, &scene.owned,
			   &scene.report, &scene.plan, &scene.owned);
	backend_route.plan(&scene.want, &none, &scene.facts, &scene.owned,
			   &scene.report, &scene.plan, &scene.owned);
	plan_sort(&scene.plan, backends);
	for (size_t i = 0; i < scene.plan.count; i++) {
		step_print(&scene.plan.items[i], &out);
		text_put(&out, "\n");
	}
	ASSERT_TEXT(text_get(&out),
		    "+ route 192.0.2.0/24 dev wan0 table 20000 src 192.0.2.2\n"
		    "+ route default via 192.0.2.1 dev wan0 table 20000 src "
		    "192.0.2.2\n"
		    "+ rule 20000 from 192.0.2.2 lookup 20000\n"
		    "+ rule 20001 from all fwmark 0x10000/0xff0000 lookup "
		    "20000\n"
		    "- rule 20000 from 192.0.2.2 lookup 20000\n"
		    "- rule 20001 from all fwmark 0x10000/0xff0000 lookup "
		    "20000\n"
		    "- route default via 192.0.2.1 dev wan0 table 20000 src "
		    "192.0.2.2\n"
		    "- route 192.0.2.0/24 dev wan0 table 20000 src "
		    "192.0.2.2\n");
	scene_end(&scene);
}

TEST(route, shows_of_a_change_what_differs)
{
	struct scene scene;
	struct state before;
	AUTO_TEXT out = TEXT_NONE;
	char *ignored;

	scene_with_wan0(&scene);
	say(&scene, "adsl0 gateway=192.0.2.1 gateway6=none mark=auto");
	has_address(&scene, 7, "192.0.2.2/24", 0);
	ignored = wanted(&scene);
	free(ignored);
	before = scene.want;
	scene.want = (struct state)STATE_NONE;
	say(&scene, "adsl0 gateway=198.51.100.1 source=none");
	ignored = wanted(&scene);
	free(ignored);
	backend_route.plan(&before, &scene.want, &scene.facts, &scene.owned,
			   &scene.report, &scene.plan, &scene.owned);
	plan_sort(&scene.plan, backends);
	for (size_t i = 0; i < scene.plan.count; i++) {
		step_print(&scene.plan.items[i], &out);
		text_put(&out, "\n");
	}
	ASSERT_TEXT(text_get(&out),
		    "~ route default table 20000 via 192.0.2.1 -> "
		    "198.51.100.1 src 192.0.2.2 -> none onlink\n"
		    "- rule 20000 from 192.0.2.2 lookup 20000\n"
		    "- route 192.0.2.0/24 dev wan0 table 20000 src "
		    "192.0.2.2\n");
	scene_end(&scene);
	state_clear(&before);
}

TEST(route, tells_the_state_of_the_device)
{
	struct scene scene;
	AUTO(live) struct live *live = live_new();
	struct node *node;
	AUTO_ERR err = ERR_NONE;

	scene_with_wan0(&scene);
	scene.facts.links[0].carrier = true;
	say(&scene, "adsl1 device=wan1");
	CU_ASSERT_EQUAL(backend_route.live(NULL, scene.tree, &scene.facts, live,
					   &err),
			0);
	node = node_find(tree_paths(scene.tree), "adsl0");
	ASSERT_TEXT(live_value(live, node, PATH_STATE)->text, "up");
	node = node_find(tree_paths(scene.tree), "adsl1");
	ASSERT_TEXT(live_value(live, node, PATH_STATE)->text, "no-device");
	scene_end(&scene);
}

/* ---- the kernel ------------------------------------------------------ */

#define NO_DEVICES "no ip, or no veth"

#define EXPECT_SAME(before, after)                                             \
	do {                                                                   \
		if (strcmp((before).bytes, (after).bytes) != 0) {              \
			snprintf(answer, size,                                 \
				 "line %d: before:\n%safter:\n%s", __LINE__,   \
				 (before).bytes, (after).bytes);               \
			return 1;                                              \
		}                                                              \
	} while (0)

/* Runs ip with the words of line; what it writes goes to out, if wanted. */
static int ip(const char *line, struct text *out)
{
	AUTO(str) char *words = mem_printf("ip %s", line);
	char *argv[32], *rest = words, bytes[4096];
	int status = 0, ends[2];
	ssize_t got;
	pid_t child;

	for (size_t i = 0; i + 1 < ARRAY_SIZE(argv); i++) {
		argv[i] = strsep(&rest, " ");
		argv[i + 1] = NULL;
		if (!argv[i])
			break;
	}
	if (pipe(ends) < 0)
		return 127;
	child = fork();
	if (!child) {
		if (out)
			dup2(ends[1], 1);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(ends[1]);
	while ((got = read(ends[0], bytes, sizeof(bytes))) > 0)
		if (out)
			text_put_bytes(out, bytes, (size_t)got);
	close(ends[0]);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

static void look(struct text *out)
{
	text_clear(out);
	ip("-4 route show table all", out);
	ip("-6 route show table all", out);
	ip("-4 rule", out);
	ip("-6 rule", out);
}

/* The kernel tells IPv6 of a carrier up to a second late
 * (net/core/link_watch.c), and routes change with that. */
static bool is_settled(const char *name)
{
	AUTO(str) char *words = mem_printf("-o link show %s", name);

	for (int i = 0; i < 300; i++) {
		AUTO_TEXT link = TEXT_NONE;

		if (!ip(words, &link) && strstr(text_get(&link), "state UP"))
			return true;
		usleep(10000);
	}
	return false;
}

/* Routes of the kernel's own, and their flag `linkdown`, come and go some
 * moments after the addresses they belong to. */
static void calm_down(void)
{
	AUTO_TEXT last = TEXT_NONE;

	for (int i = 0, same = 0; i < 300 && same < 5; i++) {
		AUTO_TEXT now = TEXT_NONE;

		look(&now);
		same = last.bytes && !strcmp(last.bytes, now.bytes) &&
				       !strstr(now.bytes, "linkdown")
			       ? same + 1
			       : 0;
		text_clear(&last);
		text_put(&last, text_get(&now));
		usleep(10000);
	}
}

/* No addresses that come by themselves a second later. */
static int scene_in_kernel(struct scene *scene)
{
	scene_begin(scene);
	scene->host = host_new();
	if (ip("link add wan0 type veth peer name far0", NULL) ||
	    ip("link set wan0 addrgenmode none", NULL) ||
	    ip("link set far0 addrgenmode none", NULL) ||
	    ip("link set far0 up", NULL) || ip("link set wan0 up", NULL) ||
	    !is_settled("wan0") || !is_settled("far0") ||
	    ip("address add 192.0.2.2/24 dev wan0", NULL) ||
	    ip("address add 2001:db8::2/64 dev wan0 nodad", NULL))
		return -1;
	calm_down();
	return 0;
}

/* Facts, wanted, observed, steps; all again when called again. */
static int plan(struct scene *scene, struct err *err)
{
	int rc;

	forget(scene);
	rc = host_read_facts(scene->host, &scene->facts, err);
	if (rc)
		return rc;
	backend_route.want(scene->tree, &scene->facts, &scene->report,
			   &scene->want);
	rc = backend_route.read(scene->host, scene->tree, &scene->facts, NULL,
				&scene->now, err);
	if (rc)
		return rc;
	backend_route.plan(&scene->now, &scene->want, &scene->facts, NULL,
			   &scene->report, &scene->plan, NULL);
	plan_sort(&scene->plan, backends);
	return report_err(&scene->report, err);
}

/* Steps twice: doing a done step again is harmless. */
static int apply(struct scene *scene, struct err *err)
{
	AUTO(mem) void *memory = mem_array(scene->plan.count, sizeof(void *));
	struct step **steps = memory;
	size_t failed, count = scene->plan.count;
	int rc = 0;

	for (size_t i = 0; i < count; i++)
		steps[i] = &scene->plan.items[i];
	for (int i = 0; i < 2 && !rc; i++) {
		rc = backend_route.apply(scene->host, steps, count, &failed,
					 err);
		if (!rc && failed != count)
			rc = err_set(err, EINVAL, "failed is %zu", failed);
	}
	for (size_t i = 0; i < count && !rc; i++)
		if (!steps[i]->done)
			rc = err_set(err, EINVAL, "step %zu not done", i);
	return rc;
}

/* ...and the second plan is empty, or err says what is in it. */
static int commit(struct scene *scene, struct err *err)
{
	AUTO_TEXT left = TEXT_NONE;
	int rc = plan(scene, err);

	if (!rc)
		rc = apply(scene, err);
	if (!rc)
		rc = plan(scene, err);
	for (size_t i = 0; i < scene->plan.count && !rc; i++) {
		text_put(&left, " ");
		step_print(&scene->plan.items[i], &left);
	}
	if (left.length)
		return err_set(err, EINVAL, "left:%s", text_get(&left));
	return rc;
}

static int there_and_back(void *arg, void *answer, size_t size)
{
	struct scene scene;
	AUTO_ERR err = ERR_NONE;
	AUTO_TEXT before = TEXT_NONE;
	AUTO_TEXT during = TEXT_NONE;
	AUTO_TEXT after = TEXT_NONE;

	(void)arg;
	if (scene_in_kernel(&scene))
		return space_cannot(answer, size, NO_DEVICES);
	ip("route add default via 192.0.2.254 dev wan0 metric 50", NULL);
	ip("-6 route add default via fe80::9 dev wan0 metric 60", NULL);
	ip("rule add from 10.0.0.0/8 lookup 77 priority 20000", NULL);
	look(&before);
	say(&scene, "adsl0 device=wan0 table=20000 mark=0x10000 "
		    "default-route=yes metric=51");
	EXPECT(commit(&scene, &err) == 0);
	look(&during);
	EXPECT(strstr(during.bytes,
		      "default via 192.0.2.254 dev wan0 table 20000 proto 84 "
		      "src 192.0.2.2 \n"));
	EXPECT(strstr(during.bytes, "192.0.2.0/24 dev wan0 table 20000 proto "
				    "84 scope link src 192.0.2.2 \n"));
	EXPECT(strstr(during.bytes, "default via 192.0.2.254 dev wan0 proto 84 "
				    "src 192.0.2.2 metric 51 \n"));
	EXPECT(strstr(during.bytes,
		      "default via fe80::9 dev wan0 table 20000 proto 84 src "
		      "2001:db8::2 metric 1024 pref medium\n"));
	EXPECT(strstr(during.bytes,
		      "20000:\tfrom 192.0.2.2 lookup 20000 proto 84\n"));
	EXPECT(strstr(during.bytes, "20001:\tfrom all fwmark 0x10000/0xff0000 "
				    "lookup 20000 proto 84\n"));
	EXPECT(strstr(during.bytes,
		      "20000:\tfrom 2001:db8::2 lookup 20000 proto 84\n"));
	say(&scene, "adsl0 enabled=no");
	EXPECT(commit(&scene, &err) == 0);
	look(&after);
	EXPECT_SAME(before, after);
	scene_end(&scene);
	return 0;
}

TEST(route, goes_there_and_leaves_nothing_behind)
{
	in_namespace(there_and_back);
}

/* Every setting changed in turn, with and without a second plan. */
static int changes(void *arg, void *answer, size_t size)
{
	static const char *const lines[] = {
		"adsl0 gateway=192.0.2.1 gateway6=2001:db8::1",
		"adsl0 gateway=192.0.2.3 gateway6=2001:db8::3",
		"adsl0 source=none source6=none",
		"adsl0 source=192.0.2.2/24 source6=2001:db8::2/64",
		"adsl0 source=192.0.2.7/25 source6=2001:db8::7/65",
		"adsl0 gateway=198.51.100.1 gateway6=2001:db8:1::1",
		"adsl0 gateway=onlink gateway6=onlink",
		"adsl0 gateway=192.0.2.1 gateway6=fe80::1",
		"adsl0 mark=0x20000 table=20007",
		"adsl0 gateway6=none",
		"adsl0 default-route=yes gateway6=fe80::1",
		"adsl0 metric=101",
		"adsl0 gateway=192.0.2.3 gateway6=fe80::2",
		"adsl0 source=auto source6=auto",
		"adsl0 default-route=no",
	};
	struct scene scene;
	AUTO_ERR err = ERR_NONE;
	AUTO_TEXT before = TEXT_NONE;
	AUTO_TEXT after = TEXT_NONE;

	(void)arg;
	if (scene_in_kernel(&scene))
		return space_cannot(answer, size, NO_DEVICES);
	look(&before);
	say(&scene, "adsl0 device=wan0 table=20000 mark=0x10000");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		say(&scene, lines[i]);
		if (commit(&scene, &err))
			err_prefix(&err, "%s: ", lines[i]);
		EXPECT(!err.code);
	}
	say(&scene, "adsl0 enabled=no");
	EXPECT(commit(&scene, &err) == 0);
	look(&after);
	EXPECT_SAME(before, after);
	scene_end(&scene);
	return 0;
}

TEST(route, changes_in_place_whatever_is_set)
{
	in_namespace(changes);
}

/* Another's routes in our places: refused, warned of, never touched. */
static int strangers(void *arg, void *answer, size_t size)
{
	struct scene scene;
	AUTO_ERR err = ERR_NONE;
	AUTO_TEXT before = TEXT_NONE;
	AUTO_TEXT after = TEXT_NONE;

	(void)arg;
	if (scene_in_kernel(&scene))
		return space_cannot(answer, size, NO_DEVICES);
	say(&scene, "adsl0 device=wan0 table=20000 mark=0x10000 "
		    "gateway=192.0.2.1 gateway6=none");
	ip("route add 10.0.0.0/8 via 192.0.2.9 table 20000", NULL);
	ip("route add unreachable 10.1.0.0/16 table 20000", NULL);
	look(&before);
	EXPECT(commit(&scene, &err) == 0);
	EXPECT(scene.report.count == 1);
	EXPECT(!strcmp(scene.report.items[0].text,
		       "table 20000 holds 2 routes that are not Tresse's "
		       "(route 10.0.0.0/8 via 192.0.2.9 dev wan0 table "
		       "20000)"));
	say(&scene, "adsl0 enabled=no");
	EXPECT(commit(&scene, &err) == 0);
	look(&after);
	EXPECT_SAME(before, after);

	ip("route add default via 192.0.2.9 table 20000", NULL);
	look(&before);
	say(&scene, "adsl0 enabled=yes");
	EXPECT(plan(&scene, &err) == -EEXIST);
	EXPECT(!strcmp(err.text,
		       "/paths/adsl0: there is a route default via 192.0.2.9 "
		       "dev wan0 table 20000 already, which is not Tresse's: "
		       "delete it, or give this path another table"));
	err_clear(&err);
	look(&after);
	EXPECT_SAME(before, after);
	scene_end(&scene);
	return 0;
}

TEST(route, never_touches_what_is_not_its_own)
{
	in_namespace(strangers);
}

/* Twins of our own under one key, and rules of ours that say more. */
static int surplus(void *arg, void *answer, size_t size)
{
	struct scene scene;
	AUTO_ERR err = ERR_NONE;
	AUTO_TEXT out = TEXT_NONE;

	(void)arg;
	if (scene_in_kernel(&scene))
		return space_cannot(answer, size, NO_DEVICES);
	say(&scene, "adsl0 device=wan0 table=20000 mark=0x10000 "
		    "gateway=192.0.2.1 gateway6=none");
	ip("route add default via 192.0.2.8 table 20000 proto 84", NULL);
	ip("route append default via 192.0.2.1 table 20000 proto 84 src "
	   "192.0.2.2",
	   NULL);
	ip("route append default via 192.0.2.7 table 20000 proto 84", NULL);
	ip("rule add from 192.0.2.2 iif lo lookup 20000 priority 20000 "
	   "protocol 84",
	   NULL);
	ip("rule add from 192.0.2.9 lookup 20000 priority 20000 protocol 84",
	   NULL);
	EXPECT(commit(&scene, &err) == 0);
	look(&out);
	EXPECT(!strstr(out.bytes, "192.0.2.8"));
	EXPECT(!strstr(out.bytes, "192.0.2.7"));
	EXPECT(!strstr(out.bytes, "192.0.2.9"));
	EXPECT(strstr(out.bytes, "from 192.0.2.2 iif lo lookup 20000"));
	scene_end(&scene);
	return 0;
}

TEST(route, clears_away_twins_of_its_own)
{
	in_namespace(surplus);
}

static int twin_rule(void *arg, void *answer, size_t size)
{
	struct scene scene;
	AUTO_ERR err = ERR_NONE;
	AUTO_TEXT before = TEXT_NONE;
	AUTO_TEXT after = TEXT_NONE;

	(void)arg;
	if (scene_in_kernel(&scene))
		return space_cannot(answer, size, NO_DEVICES);
	say(&scene, "adsl0 device=wan0 table=20000 mark=0x10000 "
		    "gateway=192.0.2.1 gateway6=none");
	ip("rule add from 192.0.2.2 lookup 20000 priority 20000 protocol 5",
	   NULL);
	look(&before);
	EXPECT(commit(&scene, &err) == 0);
	say(&scene, "adsl0 enabled=no");
	EXPECT(commit(&scene, &err) == 0);
	look(&after);
	EXPECT_SAME(before, after);
	scene_end(&scene);
	return 0;
}

TEST(route, leaves_a_foreign_twin_of_its_rule_alone)
{
	in_namespace(twin_rule);
}

static int device_gone(void *arg, void *answer, size_t size)
{
	struct scene scene;
	AUTO_ERR err = ERR_NONE;

	(void)arg;
	if (scene_in_kernel(&scene))
		return space_cannot(answer, size, NO_DEVICES);
	say(&scene, "adsl0 device=wan0 table=20000 mark=0x10000 "
		    "gateway=192.0.2.1 gateway6=fe80::1");
	EXPECT(commit(&scene, &err) == 0);
	say(&scene, "adsl0 enabled=no");
	EXPECT(plan(&scene, &err) == 0);
	EXPECT(scene.plan.count == 8);
	/* Between plan and apply. */
	ip("link delete wan0", NULL);
	EXPECT(apply(&scene, &err) == 0);
	EXPECT(commit(&scene, &err) == 0);
	scene_end(&scene);
	return 0;
}

TEST(route, a_device_that_went_took_its_routes_along)
{
	in_namespace(device_gone);
}

static int refused(void *arg, void *answer, size_t size)
{
	struct scene scene;
	AUTO_ERR err = ERR_NONE;
	struct step *steps[4];
	size_t failed = 9;

	(void)arg;
	if (scene_in_kernel(&scene))
		return space_cannot(answer, size, NO_DEVICES);
	say(&scene, "adsl0 device=wan0 table=20000 mark=0x10000 "
		    "gateway=192.0.2.1 gateway6=none source=192.0.2.7/32");
	ip("address add 192.0.2.7/32 dev wan0", NULL);
	EXPECT(plan(&scene, &err) == 0);
	EXPECT(scene.plan.count == 3);
	/* Between plan and apply. */
	ip("address delete 192.0.2.7/32 dev wan0", NULL);
	for (size_t i = 0; i < 3; i++)
		steps[i] = &scene.plan.items[i];
	EXPECT(backend_route.apply(scene.host, steps, 3, &failed, &err) ==
	       -EINVAL);
	EXPECT(failed == 0);
	EXPECT(!steps[0]->done && steps[1]->done && steps[2]->done);
	EXPECT(!strcmp(err.text,
		       "route default via 192.0.2.1 dev wan0 table 20000 src "
		       "192.0.2.7: Invalid argument (the kernel says: Invalid "
		       "prefsrc address)"));
	err_clear(&err);
	ip("link delete wan0", NULL);
	EXPECT(backend_route.apply(scene.host, steps, 3, &failed, &err) ==
	       -ENODEV);
	EXPECT(failed == 0);
	EXPECT(!strcmp(err.text,
		       "route default via 192.0.2.1 dev wan0 table 20000 src "
		       "192.0.2.7: wan0 is not there"));
	scene_end(&scene);
	return 0;
}

TEST(route, passes_on_why_the_kernel_refused)
{
	in_namespace(refused);
}

enum { PATHS = 300 };

/* Back to what was read before is the engine's undo. */
static int many(void *arg, void *answer, size_t size)
{
	struct scene scene;
	struct state first = STATE_NONE, second = STATE_NONE;
	AUTO_ERR err = ERR_NONE;
	AUTO_TEXT before = TEXT_NONE;
	AUTO_TEXT after = TEXT_NONE;

	(void)arg;
	if (scene_in_kernel(&scene))
		return space_cannot(answer, size, NO_DEVICES);
	ip("route add 10.0.0.0/8 via 192.0.2.9 table 20005", NULL);
	look(&before);
	for (unsigned i = 0; i < PATHS; i++) {
		AUTO(str)
		char *line = mem_printf("p%u device=wan0 table=%u mark=0x%x "
					"gateway=192.0.2.%u gateway6=fe80::%x",
					i, 20000 + i, (i % 255 + 1) << 16,
					i % 200 + 3, i + 1);

		say(&scene, line);
	}
	EXPECT(backend_route.read(scene.host, scene.tree, &scene.facts, NULL,
				  &first, &err) == 0);
	EXPECT(commit(&scene, &err) == 0);
	EXPECT(scene.now.count == PATHS * 8 + 1);
	forget(&scene);
	EXPECT(backend_route.read(scene.host, scene.tree, &scene.facts, NULL,
				  &second, &err) == 0);
	ip("route delete 10.0.0.0/8 via 192.0.2.9 table 20005", NULL);
	backend_route.plan(&second, &first, &scene.facts, NULL, &scene.report,
			   &scene.plan, NULL);
	plan_sort(&scene.plan, backends);
	EXPECT(apply(&scene, &err) == 0);
	ip("route add 10.0.0.0/8 via 192.0.2.9 table 20005", NULL);
	look(&after);
	EXPECT_SAME(before, after);
	scene_end(&scene);
	state_clear(&first);
	state_clear(&second);
	return 0;
}

TEST(route, goes_back_to_what_was_read_before)
{
	in_namespace(many);
}
