/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/fdb.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { SECOND = 1000000 };

struct station {
	uint8_t bytes[FDB_ADDRESS];
};

/* An address of its own for each number. */
static struct station station(uint32_t number)
{
	struct station one = { { 0x02, 0x42 } };

	memcpy(one.bytes + 2, &number, sizeof(number));
	return one;
}

#define FIND(number, now) fdb_find(fdb, station(number).bytes, now)
#define LEARN(number, port, now)                                               \
	fdb_learn(fdb, station(number).bytes, port, now)

TEST(fdb, an_address_is_where_it_was_last_seen)
{
	AUTO(fdb) struct fdb *fdb = fdb_new(1);
	struct fdb_port a = { .count = 0 }, b = { .count = 0 };

	CU_ASSERT_PTR_NULL(FIND(1, 0));
	LEARN(1, &a, 0);
	LEARN(2, &b, 0);
	CU_ASSERT_PTR_EQUAL(FIND(1, 1), &a);
	CU_ASSERT_PTR_EQUAL(FIND(2, 1), &b);
	LEARN(1, &b, 2); /* carried to another port */
	CU_ASSERT_PTR_EQUAL(FIND(1, 3), &b);
	CU_ASSERT_EQUAL(a.count, 0);
	CU_ASSERT_EQUAL(b.count, 2);
	CU_ASSERT_EQUAL(b.moved, 1);
}

TEST(fdb, who_is_silent_for_five_minutes_is_forgotten)
{
	AUTO(fdb) struct fdb *fdb = fdb_new(2);
	struct fdb_port a = { .count = 0 };
	uint64_t now = 1000 * SECOND;

	LEARN(1, &a, now);
	LEARN(2, &a, now);
	LEARN(1, &a, now + 200ULL * SECOND); /* it said something again */
	CU_ASSERT_PTR_EQUAL(FIND(2, now + 299ULL * SECOND), &a);
	CU_ASSERT_PTR_NULL(FIND(2, now + 301ULL * SECOND));
	CU_ASSERT_PTR_EQUAL(FIND(1, now + 301ULL * SECOND), &a);
	CU_ASSERT_EQUAL(a.count, 2);
	fdb_age(fdb, now + 301ULL * SECOND);
	CU_ASSERT_EQUAL(a.count, 1);
}

TEST(fdb, a_port_that_floods_takes_nobody_elses_room)
{
	AUTO(fdb) struct fdb *fdb = fdb_new(3);
	struct fdb_port good = { .count = 0 }, evil = { .count = 0 };
	unsigned known = 0;

	for (uint32_t i = 0; i < 100; i++)
		LEARN(i, &good, 0);
	for (uint32_t i = 1000; i < 101000; i++)
		LEARN(i, &evil, SECOND);
	CU_ASSERT_EQUAL(evil.count, FDB_PORT_MOST);
	CU_ASSERT_EQUAL(evil.untold, 100000 - FDB_PORT_MOST);
	for (uint32_t i = 0; i < 100; i++)
		known += FIND(i, SECOND) == &good;
	CU_ASSERT_EQUAL(known, 100);
	for (uint32_t i = 100; i < 200; i++)
		LEARN(i, &good, SECOND);
	CU_ASSERT_EQUAL(good.count, 200);
	/* Nor does it take what it has no room for. */
	LEARN(5, &evil, SECOND);
	CU_ASSERT_PTR_EQUAL(FIND(5, SECOND), &good);
	/* Its own grow old like all others. */
	fdb_age(fdb, 302ULL * SECOND);
	CU_ASSERT_EQUAL(evil.count, 0);
}

TEST(fdb, no_group_and_no_zeros_are_learnt)
{
	AUTO(fdb) struct fdb *fdb = fdb_new(4);
	static const uint8_t all[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
			     none[6] = { 0 }, group[] = { 1, 0, 0x5e, 0, 0, 1 };
	struct fdb_port a = { .count = 0 };

	fdb_learn(fdb, all, &a, 0);
	fdb_learn(fdb, none, &a, 0);
	fdb_learn(fdb, group, &a, 0);
	CU_ASSERT_EQUAL(a.count, 0);
	CU_ASSERT_PTR_NULL(fdb_find(fdb, all, 0));
	CU_ASSERT_PTR_NULL(fdb_find(fdb, none, 0));
	CU_ASSERT_FALSE(fdb_is_source(none));
}

TEST(fdb, groups_of_bridges_stay_on_their_link)
{
	static const uint8_t stp[] = { 1, 0x80, 0xc2, 0, 0, 0 },
			     lldp[] = { 1, 0x80, 0xc2, 0, 0, 0x0e },
			     gmrp[] = { 1, 0x80, 0xc2, 0, 0, 0x20 };

	CU_ASSERT_TRUE(fdb_is_link_local(stp));
	CU_ASSERT_TRUE(fdb_is_link_local(lldp));
	CU_ASSERT_FALSE(fdb_is_link_local(gmrp));
}

TEST(fdb, a_port_that_goes_leaves_nothing_behind)
{
	AUTO(fdb) struct fdb *fdb = fdb_new(5);
	struct fdb_port a = { .count = 0 }, b = { .count = 0 };

	for (uint32_t i = 0; i < 200; i++)
		LEARN(i, i % 2 ? &a : &b, 0);
	fdb_forget(fdb, &a);
	CU_ASSERT_EQUAL(a.count, 0);
	CU_ASSERT_EQUAL(b.count, 100);
	CU_ASSERT_PTR_NULL(FIND(1, 0));
	CU_ASSERT_PTR_EQUAL(FIND(2, 0), &b);
}

/* Against a table that does not forget by chance: forty ports of 150. */
TEST(fdb, six_thousand_stations_find_room)
{
	AUTO(fdb) struct fdb *fdb = fdb_new(0x123456789abcdef);
	static struct fdb_port ports[40];
	unsigned known = 0;

	memset(ports, 0, sizeof(ports));
	for (uint32_t i = 0; i < 6000; i++)
		LEARN(i, &ports[i % 40], 0);
	for (uint32_t i = 0; i < 6000; i++) {
		struct fdb_port *port = FIND(i, 0);

		CU_ASSERT(!port || port == &ports[i % 40]);
		known += port != NULL;
	}
	CU_ASSERT(known > 5400);
}
