/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/gate.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { SECOND = 1000000, SIZE = 60 };

static const struct handshake_source alice = { { 192, 0, 2, 1, 7 }, 5, 4 };
static const struct handshake_source her_port = { { 192, 0, 2, 1, 8 }, 5, 4 };
static const struct handshake_source bob = { { 192, 0, 2, 2, 7 }, 5, 4 };

struct scene {
	struct gate gate;
	uint8_t message[SIZE];
	uint64_t now;
	bool notice;
};

static void begin(struct scene *scene, uint8_t root)
{
	uint8_t roots[NOISE_KEY], host_key[NOISE_KEY];

	memset(scene, 0, sizeof(*scene));
	memset(roots, root, sizeof(roots));
	memset(host_key, 9, sizeof(host_key));
	gate_init(&scene->gate, roots, host_key);
	memset(scene->message, 5, SIZE - NOISE_MAC);
	scene->now = 1000ULL * SECOND;
}

static enum refusal knock(struct scene *scene,
			  const struct handshake_source *from)
{
	return gate_admit(&scene->gate, scene->message, SIZE, from, scene->now,
			  &scene->notice);
}

/* From here on the message has a cookie of that address. */
static void bring(struct scene *scene, const struct handshake_source *to)
{
	uint8_t cookie[NOISE_MAC];

	gate_cookie(&scene->gate, to, scene->now, cookie);
	gate_mac(cookie, scene->message, SIZE,
		 scene->message + SIZE - NOISE_MAC);
}

static void flood(struct scene *scene)
{
	for (int i = 0; i < GATE_RATE; i++)
		CU_ASSERT_EQUAL(knock(scene, &bob), REFUSED_NOT);
}

TEST(gate, is_open_to_all_until_there_are_too_many)
{
	struct scene scene;
	unsigned admitted = 0;

	begin(&scene, 1);
	flood(&scene);
	CU_ASSERT(!scene.notice);
	CU_ASSERT_EQUAL(knock(&scene, &alice), REFUSED_COOKIE);
	CU_ASSERT(scene.notice);
	scene.now += SECOND / 2;
	for (int i = 0; i < GATE_RATE; i++)
		admitted += knock(&scene, &alice) == REFUSED_NOT;
	CU_ASSERT_EQUAL(admitted, GATE_RATE / 2);
}

TEST(gate, lets_who_has_a_cookie_in_by_its_own_address_alone)
{
	struct scene scene;

	begin(&scene, 1);
	flood(&scene);
	bring(&scene, &alice);
	CU_ASSERT_EQUAL(knock(&scene, &alice), REFUSED_NOT);
	CU_ASSERT_EQUAL(knock(&scene, &her_port), REFUSED_COOKIE);
	CU_ASSERT_EQUAL(knock(&scene, &bob), REFUSED_COOKIE);
	scene.message[0] ^= 1;
	CU_ASSERT_EQUAL(knock(&scene, &alice), REFUSED_COOKIE);
}

TEST(gate, gives_each_host_its_share_whatever_its_ports)
{
	struct scene scene;

	begin(&scene, 1);
	flood(&scene);
	bring(&scene, &alice);
	for (int i = 0; i < GATE_HOST_BURST; i++)
		CU_ASSERT_EQUAL(knock(&scene, &alice), REFUSED_NOT);
	CU_ASSERT_EQUAL(knock(&scene, &alice), REFUSED_RATE);
	CU_ASSERT(!scene.notice);
	bring(&scene, &her_port);
	CU_ASSERT_EQUAL(knock(&scene, &her_port), REFUSED_RATE);
	bring(&scene, &bob);
	CU_ASSERT_EQUAL(knock(&scene, &bob), REFUSED_NOT);
}

TEST(gate, sends_a_host_no_more_cookies_than_it_can_use)
{
	struct scene scene;
	unsigned sent = 0;

	begin(&scene, 1);
	flood(&scene);
	for (int i = 0; i < 1000; i++) {
		CU_ASSERT_EQUAL(knock(&scene, &alice), REFUSED_COOKIE);
		sent += scene.notice;
	}
	CU_ASSERT_EQUAL(sent, GATE_NOTICES_BURST);
	CU_ASSERT_EQUAL(knock(&scene, &bob), REFUSED_COOKIE);
	CU_ASSERT(scene.notice);
}

TEST(gate, knows_a_cookie_for_two_turns)
{
	uint8_t cookie[NOISE_MAC];
	struct scene scene;

	begin(&scene, 1);
	scene.now -= scene.now % GATE_COOKIE_US;
	gate_cookie(&scene.gate, &alice, scene.now, cookie);
	for (int turn = 0; turn < 3; turn++, scene.now += GATE_COOKIE_US) {
		uint64_t last = scene.now + GATE_COOKIE_US - 1;

		CU_ASSERT_EQUAL(gate_is_cookie(&scene.gate, &alice, cookie,
					       scene.now),
				turn < 2);
		CU_ASSERT_EQUAL(gate_is_cookie(&scene.gate, &alice, cookie,
					       last),
				turn < 2);
	}
}

TEST(gate, knows_the_cookies_of_its_root_and_no_other)
{
	struct scene one, same, other;
	uint8_t cookie[NOISE_MAC];

	begin(&one, 1);
	begin(&same, 1);
	begin(&other, 2);
	gate_cookie(&one.gate, &alice, one.now, cookie);
	CU_ASSERT(gate_is_cookie(&same.gate, &alice, cookie, one.now));
	CU_ASSERT(!gate_is_cookie(&other.gate, &alice, cookie, one.now));
	gate_share(&other.gate, one.gate.root);
	CU_ASSERT(gate_is_cookie(&other.gate, &alice, cookie, one.now));
}
