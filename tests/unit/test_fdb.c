/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/fdb.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

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
#define COUNT(port) fdb_count(fdb, (port).number)

TEST(fdb, an_address_is_where_it_was_last_seen)
{
	AUTO(fdb) struct fdb *fdb = fdb_new(1);
	struct fdb_port a = { .number = 1 }, b = { .number = 2 };

	CU_ASSERT_EQUAL(FIND(1, 0), FDB_NO_PORT);
	LEARN(1, &a, 0);
	LEARN(2, &b, 0);
	CU_ASSERT_EQUAL(FIND(1, 1), a.number);
	CU_ASSERT_EQUAL(FIND(2, 1), b.number);
	LEARN(1, &b, 2); /* carried to another port */
	CU_ASSERT_EQUAL(FIND(1, 3), b.number);
	CU_ASSERT_EQUAL(COUNT(a), 0);
	CU_ASSERT_EQUAL(COUNT(b), 2);
	CU_ASSERT_EQUAL(b.moved, 1);
}

TEST(fdb, who_is_silent_for_five_minutes_is_forgotten)
{
	AUTO(fdb) struct fdb *fdb = fdb_new(2);
	struct fdb_port a = { .number = 1 };
	uint64_t now = 1000 * SECOND;

	LEARN(1, &a, now);
	LEARN(2, &a, now);
	LEARN(1, &a, now + 200ULL * SECOND); /* it said something again */
	CU_ASSERT_EQUAL(FIND(2, now + 299ULL * SECOND), a.number);
	CU_ASSERT_EQUAL(FIND(2, now + 301ULL * SECOND), FDB_NO_PORT);
	CU_ASSERT_EQUAL(FIND(1, now + 301ULL * SECOND), a.number);
	CU_ASSERT_EQUAL(COUNT(a), 2);
	fdb_age(fdb, now + 301ULL * SECOND);
	CU_ASSERT_EQUAL(COUNT(a), 1);
}

TEST(fdb, a_port_that_floods_takes_nobody_elses_room)
{
	AUTO(fdb) struct fdb *fdb = fdb_new(3);
	struct fdb_port good = { .number = 1 }, evil = { .number = FDB_PORTS };
	unsigned known = 0;

	for (uint32_t i = 0; i < 100; i++)
		LEARN(i, &good, 0);
	for (uint32_t i = 1000; i < 101000; i++)
		LEARN(i, &evil, SECOND);
	CU_ASSERT_EQUAL(COUNT(evil), FDB_PORT_MOST);
	CU_ASSERT_EQUAL(evil.untold, 100000 - FDB_PORT_MOST);
	for (uint32_t i = 0; i < 100; i++)
		known += FIND(i, SECOND) == good.number;
	CU_ASSERT_EQUAL(known, 100);
	for (uint32_t i = 100; i < 200; i++)
		LEARN(i, &good, SECOND);
	CU_ASSERT_EQUAL(COUNT(good), 200);
	/* Nor does it take what it has no room for. */
	LEARN(5, &evil, SECOND);
	CU_ASSERT_EQUAL(FIND(5, SECOND), good.number);
	/* Its own grow old like all others. */
	fdb_age(fdb, 302ULL * SECOND);
	CU_ASSERT_EQUAL(COUNT(evil), 0);
}

TEST(fdb, no_group_and_no_zeros_are_learnt)
{
	AUTO(fdb) struct fdb *fdb = fdb_new(4);
	static const uint8_t all[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
			     none[6] = { 0 }, group[] = { 1, 0, 0x5e, 0, 0, 1 };
	struct fdb_port a = { .number = 1 };

	fdb_learn(fdb, all, &a, 0);
	fdb_learn(fdb, none, &a, 0);
	fdb_learn(fdb, group, &a, 0);
	CU_ASSERT_EQUAL(COUNT(a), 0);
	CU_ASSERT_EQUAL(fdb_find(fdb, all, 0), FDB_NO_PORT);
	CU_ASSERT_EQUAL(fdb_find(fdb, none, 0), FDB_NO_PORT);
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
	struct fdb_port a = { .number = 1 }, b = { .number = 2 };

	for (uint32_t i = 0; i < 200; i++)
		LEARN(i, i % 2 ? &a : &b, 0);
	fdb_forget(fdb, a.number);
	CU_ASSERT_EQUAL(COUNT(a), 0);
	CU_ASSERT_EQUAL(COUNT(b), 100);
	CU_ASSERT_EQUAL(FIND(1, 0), FDB_NO_PORT);
	CU_ASSERT_EQUAL(FIND(2, 0), b.number);
}

/* Against a table that does not forget by chance: forty ports of 150. */
TEST(fdb, six_thousand_stations_find_room)
{
	AUTO(fdb) struct fdb *fdb = fdb_new(0x123456789abcdef);
	static struct fdb_port ports[40];
	unsigned known = 0;

	for (uint16_t i = 0; i < 40; i++)
		ports[i] = (struct fdb_port){ .number = i + 1U };
	for (uint32_t i = 0; i < 6000; i++)
		LEARN(i, &ports[i % 40], 0);
	for (uint32_t i = 0; i < 6000; i++) {
		uint16_t port = FIND(i, 0);

		CU_ASSERT(!port || port == ports[i % 40].number);
		known += port != FDB_NO_PORT;
	}
	CU_ASSERT(known > 5400);
}

TEST(fdb, a_port_without_a_number_learns_nothing)
{
	AUTO(fdb) struct fdb *fdb = fdb_new(6);
	struct fdb_port none = { .number = FDB_NO_PORT }, a = { .number = 1 };

	LEARN(1, &none, 0);
	CU_ASSERT_EQUAL(FIND(1, 0), FDB_NO_PORT);
	LEARN(1, &a, 0);
	LEARN(1, &none, 0);
	CU_ASSERT_EQUAL(FIND(1, 0), a.number);
}

/* --- several threads ------------------------------------------------------ */

enum { LEARNERS = 4, SHARED = 64, OWN = 300, ROUNDS = 200 };

struct learner {
	struct fdb *fdb;
	struct fdb_port port;
	pthread_barrier_t *barrier;
	unsigned strange; /* ports that nobody has */
};

/* Its own stations, too many, and those that all have in common. */
static void *learn_and_look(void *arg)
{
	struct learner *one = arg;
	struct fdb *fdb = one->fdb;

	pthread_barrier_wait(one->barrier);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		uint64_t now = round * 100 * SECOND;

		for (uint32_t i = 0; i < SHARED; i++) {
			LEARN(i, &one->port, now);
			one->strange += FIND(i, now) > LEARNERS;
		}
		for (uint32_t i = 0; i < OWN; i++)
			LEARN(1000U * one->port.number + i, &one->port, now);
		if (round % 16 == one->port.number)
			fdb_forget(fdb, one->port.number);
		if (round % 8 == one->port.number)
			fdb_age(fdb, now);
	}
	return NULL;
}

static void run_learners(struct learner *learners, struct fdb *fdb)
{
	pthread_t threads[LEARNERS];
	pthread_barrier_t barrier;

	pthread_barrier_init(&barrier, NULL, LEARNERS);
	for (uint16_t i = 0; i < LEARNERS; i++) {
		learners[i] = (struct learner){ .fdb = fdb,
						.port.number = i + 1U,
						.barrier = &barrier };
		pthread_create(&threads[i], NULL, learn_and_look, &learners[i]);
	}
	for (int i = 0; i < LEARNERS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
}

/* A place that was counted twice, or not at all, would show. */
TEST(fdb, many_threads_keep_it_right)
{
	AUTO(fdb) struct fdb *fdb = fdb_new(7);
	struct learner learners[LEARNERS];
	uint64_t now = (uint64_t)ROUNDS * 100 * SECOND;

	run_learners(learners, fdb);
	for (int i = 0; i < LEARNERS; i++) {
		CU_ASSERT_EQUAL(learners[i].strange, 0);
		CU_ASSERT(COUNT(learners[i].port) <= FDB_PORT_MOST);
		CU_ASSERT(learners[i].port.untold > 0);
		fdb_forget(fdb, learners[i].port.number);
		CU_ASSERT_EQUAL(COUNT(learners[i].port), 0);
	}
	for (uint32_t i = 0; i < SHARED; i++)
		CU_ASSERT_EQUAL(FIND(i, now), FDB_NO_PORT);
}

struct caller {
	struct learner learner;
	uint32_t *turn; /* atomic: two come to each address; UINT32_MAX: over */
};

/* Both call with the same new address in the same moment, as often as they come
 * to. */
static void *learn_new(void *arg)
{
	struct caller *one = arg;
	struct fdb *fdb = one->learner.fdb;

	for (uint32_t i = 0;; i++) {
		uint32_t turn =
			__atomic_fetch_add(one->turn, 1, __ATOMIC_SEQ_CST);

		while (turn < 2 * i + 2)
			turn = __atomic_load_n(one->turn, __ATOMIC_SEQ_CST);
		if (turn > UINT32_MAX / 2)
			return NULL;
		LEARN(i, &one->learner.port, i * (uint64_t)SECOND);
	}
}

TEST(fdb, an_address_that_two_threads_learn_at_once_is_in_one_place)
{
	enum { WHILE_US = 200000 };
	AUTO(fdb) struct fdb *fdb = fdb_new(8);
	struct caller callers[2];
	pthread_t threads[2];
	unsigned known = 0;
	uint32_t turn = 0, last;
	uint64_t now;

	for (uint16_t i = 0; i < 2; i++) {
		callers[i] =
			(struct caller){ { .fdb = fdb, .port.number = i + 1U },
					 &turn };
		pthread_create(&threads[i], NULL, learn_new, &callers[i]);
	}
	usleep(WHILE_US);
	last = __atomic_exchange_n(&turn, UINT32_MAX - 16, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	now = last / 2 * (uint64_t)SECOND;
	fdb_age(fdb, now);
	for (uint32_t i = 0; i <= last / 2; i++)
		known += FIND(i, now) != FDB_NO_PORT;
	CU_ASSERT_EQUAL(fdb_count(fdb, 1) + fdb_count(fdb, 2), known);
}
