/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel answers is tried in a throw-away network namespace. */
#include "backends/netlink/netlink.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "backends/host.h"
#include "tests/unit/space.h"
#include "tests/unit/unit.h"

static struct nl_msg *rule_message(int type, int flags, uint32_t priority)
{
	struct fib_rule_hdr header = { .family = AF_INET,
				       .table = RT_TABLE_UNSPEC,
				       .action = FR_ACT_TO_TBL };
	struct nl_msg *message =
		netlink_message(type, flags, &header, sizeof(header), 64);

	nla_put_u32(message, FRA_PRIORITY, priority);
	nla_put_u32(message, FRA_TABLE, 20000);
	return message;
}

static int count_each(const struct nlmsghdr *message, void *arg)
{
	(void)message;
	++*(size_t *)arg;
	return 0;
}

static int stop_each(const struct nlmsghdr *message, void *arg)
{
	(void)message;
	++*(size_t *)arg;
	return -ECANCELED;
}

static int dump_rules(struct netlink *netlink,
		      int (*each)(const struct nlmsghdr *, void *), void *arg,
		      struct err *err)
{
	struct fib_rule_hdr header = { .family = AF_INET };
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(RTM_GETRULE, 0, &header, sizeof(header), 0);

	return netlink_dump(netlink, request, each, NULL, arg, err);
}

TEST(netlink, dumps_what_is_there)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(netlink) struct netlink *netlink = netlink_open(0, &err);
	size_t seen = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(netlink);
	CU_ASSERT_EQUAL(dump_rules(netlink, count_each, &seen, &err), 0);
	CU_ASSERT(seen >= 1);
}

TEST(netlink, a_stopped_dump_leaves_the_socket_usable)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(netlink) struct netlink *netlink = netlink_open(0, &err);
	size_t seen = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(netlink);
	CU_ASSERT_EQUAL(dump_rules(netlink, stop_each, &seen, &err),
			-ECANCELED);
	CU_ASSERT_EQUAL(err.code, -ECANCELED);
	CU_ASSERT_EQUAL(seen, 1);
	err_clear(&err);
	CU_ASSERT_EQUAL(dump_rules(netlink, count_each, &seen, &err), 0);
	CU_ASSERT(seen >= 2);
}

static int three_answers(void *arg, void *answer, size_t size)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(netlink) struct netlink *netlink = netlink_open(0, &err);
	struct batch batch = BATCH_NONE;
	size_t failed, seen = 0;

	(void)arg;
	EXPECT(netlink);
	batch_add(&batch,
		  rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, 100));
	batch_add(&batch,
		  rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, 100));
	batch_add(&batch, rule_message(RTM_DELRULE, 0, 101));
	batch_add(&batch,
		  rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, 102));
	EXPECT(netlink_send(netlink, &batch, &failed, &err) == 0);
	EXPECT(failed == 1);
	EXPECT(batch.items[0].answer.code == 0);
	EXPECT(batch.items[1].answer.code == -EEXIST);
	EXPECT(batch.items[2].answer.code == -ENOENT);
	EXPECT(batch.items[3].answer.code == 0);
	batch_clear(&batch);
	EXPECT(dump_rules(netlink, count_each, &seen, &err) == 0);
	EXPECT(seen == 5);
	return 0;
}

TEST(netlink, answers_each_message_of_a_batch_by_itself)
{
	in_namespace(three_answers);
}

static int kernel_words(void *arg, void *answer, size_t size)
{
	struct rtmsg header = { .rtm_family = AF_INET,
				.rtm_table = RT_TABLE_MAIN,
				.rtm_type = RTN_UNICAST };
	AUTO_ERR err = ERR_NONE;
	AUTO(netlink) struct netlink *netlink = netlink_open(0, &err);
	struct batch batch = BATCH_NONE;
	uint32_t gateway = htonl(0xc0000201);
	struct nl_msg *message = netlink_message(RTM_NEWROUTE, NLM_F_CREATE,
						 &header, sizeof(header), 64);
	size_t failed;

	(void)arg;
	EXPECT(netlink);
	nla_put(message, RTA_GATEWAY, sizeof(gateway), &gateway);
	batch_add(&batch, message);
	EXPECT(netlink_send(netlink, &batch, &failed, &err) == 0);
	EXPECT(failed == 0);
	EXPECT(answer_err(&batch.items[0].answer, "route default", &err) ==
	       -ENETUNREACH);
	EXPECT(!strcmp(err.text,
		       "route default: Network is unreachable (the kernel "
		       "says: Nexthop has invalid gateway)"));
	batch_clear(&batch);
	return 0;
}

TEST(netlink, passes_the_kernels_own_words_on)
{
	in_namespace(kernel_words);
}

enum { MANY = 20000 };

static int many(void *arg, void *answer, size_t size)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(netlink) struct netlink *netlink = netlink_open(0, &err);
	struct batch batch = BATCH_NONE;
	size_t failed, seen = 0;

	(void)arg;
	EXPECT(netlink);
	/* No NLM_F_EXCL, or the kernel compares each rule with all. Every
	 * other one is refused. */
	for (uint32_t i = 0; i < MANY; i++)
		batch_add(&batch,
			  rule_message(i % 2 ? RTM_DELRULE : RTM_NEWRULE,
				       NLM_F_CREATE, i % 2 ? 9 : 30000 - i));
	EXPECT(netlink_send(netlink, &batch, &failed, &err) == 0);
	EXPECT(failed == 1);
	for (size_t i = 0; i < MANY; i++)
		EXPECT(batch.items[i].answer.code == (i % 2 ? -ENOENT : 0));
	batch_clear(&batch);
	EXPECT(dump_rules(netlink, count_each, &seen, &err) == 0);
	EXPECT(seen == 3 + MANY / 2);
	return 0;
}

TEST(netlink, loses_no_answer_of_twenty_thousand)
{
	in_namespace(many);
}

static struct nl_msg *table_message(int type, int flags, const char *name)
{
	struct nfgenmsg header = { .nfgen_family = NFPROTO_INET };
	struct nl_msg *message =
		netlink_message(NFNL_SUBSYS_NFTABLES << 8 | type, flags,
				&header, sizeof(header), 64);

	nla_put_string(message, NFTA_TABLE_NAME, name);
	return message;
}

static int dump_tables(struct netlink *netlink, size_t *seen, struct err *err)
{
	struct nfgenmsg header = { .nfgen_family = AF_UNSPEC };
	AUTO(nlmsg)
	struct nl_msg *request =
		netlink_message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, 0,
				&header, sizeof(header), 0);

	*seen = 0;
	return netlink_dump(netlink, request, count_each, NULL, seen, err);
}

static void add_tables(struct batch *batch, int count)
{
	char name[16];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		batch_add(batch,
			  table_message(NFT_MSG_NEWTABLE, NLM_F_CREATE, name));
	}
}

static int transaction(void *arg, void *answer, size_t size)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(netlink) struct netlink *netlink = netlink_open(12, &err);
	struct batch bad = BATCH_NONE, good = BATCH_NONE;
	size_t failed, seen;

	(void)arg;
	EXPECT(netlink);
	add_tables(&bad, 3000);
	batch_add(&bad, table_message(NFT_MSG_DELTABLE, 0, "nobody"));
	batch_add(&bad, table_message(NFT_MSG_NEWTABLE, NLM_F_CREATE, "z"));
	EXPECT(netlink_transact(netlink, NFNL_SUBSYS_NFTABLES, &bad, &failed,
				&err) == -ENOENT);
	EXPECT(failed == 3000);
	EXPECT(bad.items[3000].answer.code == -ENOENT);
	batch_clear(&bad);
	err_clear(&err);
	EXPECT(dump_tables(netlink, &seen, &err) == 0);
	EXPECT(seen == 0);

	add_tables(&good, 3000);
	EXPECT(netlink_transact(netlink, NFNL_SUBSYS_NFTABLES, &good, &failed,
				&err) == 0);
	EXPECT(failed == 3000);
	batch_clear(&good);
	EXPECT(dump_tables(netlink, &seen, &err) == 0);
	EXPECT(seen == 3000);
	return 0;
}

TEST(netlink, a_transaction_is_all_or_nothing)
{
	in_namespace(transaction);
}

static int flood(void *arg, void *answer, size_t size)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(netlink) struct netlink *netlink = netlink_open(12, &err);
	struct batch batch = BATCH_NONE;
	size_t failed, seen;
	int rc;

	(void)arg;
	EXPECT(netlink);
	add_tables(&batch, 5);
	for (int i = 0; i < 50000; i++)
		batch_add(&batch, table_message(NFT_MSG_DELTABLE, 0, "nobody"));
	rc = netlink_transact(netlink, NFNL_SUBSYS_NFTABLES, &batch, &failed,
			      &err);
	/* Without root so much may not go through the socket at once. */
	EXPECT(rc == -EMSGSIZE || (rc == -ENOENT && failed == 5));
	batch_clear(&batch);
	err_clear(&err);
	EXPECT(dump_tables(netlink, &seen, &err) == 0);
	EXPECT(seen == 0);
	return 0;
}

TEST(netlink, names_the_first_fault_though_answers_were_lost)
{
	in_namespace(flood);
}

static int foreign_subsystem(void *arg, void *answer, size_t size)
{
	AUTO_ERR err = ERR_NONE;
	AUTO(netlink) struct netlink *netlink = netlink_open(12, &err);
	struct batch batch = BATCH_NONE;
	size_t failed;

	(void)arg;
	EXPECT(netlink);
	add_tables(&batch, 1);
	/* Answered to the BEGIN, not to a message. */
	EXPECT(netlink_transact(netlink, 200, &batch, &failed, &err) < 0);
	EXPECT(failed == 1);
	EXPECT(err.code < 0);
	batch_clear(&batch);
	return 0;
}

TEST(netlink, tells_when_the_whole_batch_is_refused)
{
	in_namespace(foreign_subsystem);
}
