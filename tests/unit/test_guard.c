/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <stdlib.h>

#include "backends/guard.h"
#include "backends/host.h"
#include "model/txn.h"
#include "tests/unit/unit.h"

TEST(guard, reads_both_ends_of_an_ssh_connection)
{
	struct guard guard;

	CU_ASSERT_TRUE(guard_parse(&guard, "192.0.2.1 50022 192.0.2.2 22"));
	CU_ASSERT_EQUAL(guard.life.peer.family, AF_INET);
	CU_ASSERT_EQUAL(guard.life.peer.bytes[3], 1);
	CU_ASSERT_EQUAL(guard.life.own.bytes[3], 2);
	CU_ASSERT_TRUE(guard_parse(&guard, "2001:db8::1 50022 2001:db8::2 22"));
	CU_ASSERT_EQUAL(guard.life.peer.length, 128);
}

TEST(guard, takes_nothing_else_for_one)
{
	static const char *const wrong[] = {
		"",
		"192.0.2.1",
		"192.0.2.1 22",
		"192.0.2.1 22 host 22",
		"192.0.2.1 22 2001:db8::2 22",
		"fe80::1%eth0 22 fe80::2%eth0 22",
		"; reboot",
	};
	struct guard guard;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CU_ASSERT_FALSE(guard_parse(&guard, wrong[i]));
}

/* In a namespace whose lo is the only device. */
static int ask(void *arg, void *answer, size_t size)
{
	AUTO(host) struct host *host = host_new();
	struct txn txn = { .host = host };
	struct guard guard;

	(void)arg, (void)answer, (void)size;
	if (!guard_parse(&guard, "127.0.0.9 1 127.0.0.1 22") ||
	    guard_watch(&txn, NULL, false, &guard, NULL) < 0 ||
	    !guard.before[WAY_PLAIN].index ||
	    guard_watch(&txn, NULL, true, &guard, NULL) < 0)
		return 1;
	guard.before[WAY_PLAIN].index++; /* as if it had been another device */
	if (guard_watch(&txn, NULL, true, &guard, NULL) != -EHOSTUNREACH)
		return 2;
	/* Nobody there before: nobody to lose. */
	if (!guard_parse(&guard, "203.0.113.1 1 203.0.113.2 22") ||
	    guard_watch(&txn, NULL, false, &guard, NULL) < 0 ||
	    guard.before[WAY_PLAIN].index)
		return 3;
	return guard_watch(&txn, NULL, true, &guard, NULL) < 0 ? 4 : 0;
}

TEST(guard, a_way_that_changes_is_refused)
{
	AUTO_ERR err = ERR_NONE;
	int rc = host_throw_away(ask, NULL, NULL, 0, &err);

	if (rc < 0)
		unit_skip("%s", err.text);
	else
		CU_ASSERT_EQUAL(rc, 0);
}
