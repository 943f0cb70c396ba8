/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/host.h"

#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/space.h"
#include "tests/unit/unit.h"

/* Runs ip with the words of line; its exit code, 127 if there is no ip. */
static int ip(const char *line)
{
	AUTO(str) char *words = mem_printf("ip %s", line);
	char *argv[32], *rest = words;
	int status = 0;
	pid_t child;

	for (size_t i = 0; i + 1 < ARRAY_SIZE(argv); i++) {
		argv[i] = strsep(&rest, " ");
		argv[i + 1] = NULL;
		if (!argv[i])
			break;
	}
	child = fork();
	if (!child) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

TEST(host, reads_the_facts_of_where_it_is)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(host) struct host *host = host_new();
	struct facts facts = { 0 };
	const struct link_fact *lo;

	facts_set_qdisc(&facts, "sfq", true);
	CU_ASSERT_EQUAL(host_read_facts(host, &facts, &err), 0);
	lo = facts_link(&facts, "lo");
	CU_ASSERT_PTR_NOT_NULL_FATAL(lo);
	CU_ASSERT(lo->flags & IFF_LOOPBACK);
	CU_ASSERT(lo->mtu > 0);
	CU_ASSERT_EQUAL(lo->index, host_link_index("lo", &err));
	CU_ASSERT(facts_qdisc(&facts, "sfq", NULL));
	CU_ASSERT_EQUAL(host_read_facts(host, &facts, &err), 0);
	CU_ASSERT_PTR_EQUAL(facts_link(&facts, "lo"), &facts.links[0]);
	facts_clear(&facts);
}

TEST(host, says_which_device_is_not_there)
{
	AUTO_ERR err = ERR_NONE;

	CU_ASSERT_EQUAL(host_link_index("nosuchdev0", &err), -ENODEV);
	ASSERT_TEXT(err.text, "nosuchdev0 is not there");
}

static int lo_is_up(void *arg, void *answer, size_t size)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(host) struct host *host = host_new();
	struct facts facts = { 0 };

	EXPECT(!strcmp(arg, "hello"));
	EXPECT(host_read_facts(host, &facts, &err) == 0);
	EXPECT(facts.link_count >= 1);
	EXPECT(facts.links[0].flags & IFF_UP);
	EXPECT(facts.default_count == 0);
	EXPECT(host_may_write(host, &err) == 0);
	facts_clear(&facts);
	snprintf(answer, size, "world");
	return 42;
}

TEST(host, brings_result_and_answer_out_of_the_throw_away_namespace)
{
	char argument[] = "hello", answer[512] = "";
	AUTO_ERR err = ERR_NONE;
	int rc = host_throw_away(lo_is_up, argument, answer, sizeof(answer),
				 &err);

	if (rc < 0) {
		unit_skip("%s", err.text);
		return;
	}
	ASSERT_TEXT(answer, "world");
	CU_ASSERT_EQUAL(rc, 42);
}

static int dies(void *arg, void *answer, size_t size)
{
	(void)arg;
	(void)answer;
	(void)size;
	_exit(3);
}

TEST(host, says_that_the_child_died)
{
	AUTO_ERR err = ERR_NONE;
	char answer[8];

	CU_ASSERT(host_throw_away(dies, NULL, answer, sizeof(answer), &err) <
		  0);
	CU_ASSERT_PTR_NOT_NULL(err.text);
}

static int big_answer(void *arg, void *answer, size_t size)
{
	(void)arg;
	memset(answer, 'x', size);
	return 0;
}

TEST(host, takes_answers_longer_than_a_pipe)
{
	size_t size = 1 << 20;
	AUTO_ERR err = ERR_NONE;
	AUTO(str) char *answer = mem_alloc(size);
	int rc = host_throw_away(big_answer, NULL, answer, size, &err);

	if (rc < 0) {
		unit_skip("%s", err.text);
		return;
	}
	CU_ASSERT_EQUAL(answer[0], 'x');
	CU_ASSERT_EQUAL(answer[size - 1], 'x');
}

static int figures(void *arg, void *answer, size_t size)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(host) struct host *host = host_new();
	struct facts facts = { 0 };
	const struct link_fact *wan;
	size_t with_peer = 0, networks = 0;

	(void)arg;
	if (ip("link add wan0 mtu 1492 txqueuelen 77 type veth peer name far0"))
		return 0; /* no veth or no ip */
	ip("link set wan0 up");
	ip("link set far0 up");
	ip("address add 192.0.2.2/24 dev wan0");
	ip("address add 10.0.0.1 peer 10.0.0.9 dev wan0");
	ip("route add default via 192.0.2.1 metric 50");
	ip("route add default via 192.0.2.3 metric 51 proto 84");
	ip("route add default metric 52 nexthop via 192.0.2.4 dev wan0 nexthop "
	   "dev lo");
	ip("route add default via 192.0.2.5 table 77");
	ip("route add unreachable default metric 53");
	EXPECT(host_read_facts(host, &facts, &err) == 0);
	wan = facts_link(&facts, "wan0");
	EXPECT(wan && wan->mtu == 1492 && wan->txqlen == 77);
	EXPECT(wan->carrier && wan->gso_max_segs > 0);
	for (size_t i = 0; i < facts.address_count; i++) {
		const struct address_fact *fact = &facts.addresses[i];

		if (fact->index != wan->index ||
		    fact->address.family != AF_INET)
			continue;
		if (fact->peer.family) {
			EXPECT(!memcmp(fact->address.bytes, "\12\0\0\1", 4));
			EXPECT(!memcmp(fact->peer.bytes, "\12\0\0\11", 4));
			with_peer++;
		} else {
			EXPECT(fact->address.length == 24);
			EXPECT(fact->scope == RT_SCOPE_UNIVERSE);
			networks++;
		}
	}
	EXPECT(with_peer == 1 && networks == 1);
	EXPECT(facts.default_count == 3);
	EXPECT(facts.defaults[0].metric == 50);
	EXPECT(facts.defaults[0].index == wan->index);
	EXPECT(!memcmp(facts.defaults[0].gateway.bytes, "\300\0\2\1", 4));
	EXPECT(facts.defaults[1].metric == 52);
	EXPECT(facts.defaults[1].gateway.bytes[3] == 4);
	EXPECT(facts.defaults[2].gateway.family == 0);
	facts_clear(&facts);
	return 0;
}

TEST(host, reads_links_addresses_and_default_routes)
{
	in_namespace(figures);
}

static int without_capability(void *arg, void *answer, size_t size)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[2] = { 0 };
	AUTO_ERR err = ERR_NONE;

	(void)arg;
	EXPECT(syscall(SYS_capset, &header, none) == 0);
	EXPECT(host_may_write(NULL, &err) == -EPERM);
	EXPECT(strstr(err.text, "CAP_NET_ADMIN"));
	return 0;
}

TEST(host, names_the_capability_that_is_missing)
{
	in_namespace(without_capability);
}

static int in_a_users_namespace(void *arg, void *answer, size_t size)
{
	AUTO_ERR err = ERR_NONE;

	(void)arg;
	/* All capabilities there are, but over another network. */
	if (unshare(CLONE_NEWUSER) < 0)
		return 0;
	EXPECT(host_may_write(NULL, &err) == -EPERM);
	EXPECT(strstr(err.text, "user namespace"));
	return 0;
}

TEST(host, capabilities_over_another_network_do_not_count)
{
	in_namespace(in_a_users_namespace);
}
