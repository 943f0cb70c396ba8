/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/gate.h"

#include <openssl/crypto.h>
#include <string.h>

#include "backends/engine/wire.h"

enum { SECOND_US = 1000000 };

void gate_init(struct gate *gate, const uint8_t root[NOISE_KEY],
	       const uint8_t host_key[NOISE_KEY])
{
	memcpy(gate->host_key, host_key, NOISE_KEY);
	gate_share(gate, root);
}

void gate_share(struct gate *gate, const uint8_t root[NOISE_KEY])
{
	memcpy(gate->root, root, NOISE_KEY);
	gate->turn = 0;
}

/* --- cookies -------------------------------------------------------------- */

static void secret_of(const struct gate *gate, uint64_t turn,
		      uint8_t out[NOISE_KEY])
{
	uint8_t bytes[8];

	wire_put64(bytes, turn);
	noise_digest(gate->root, NOISE_KEY, bytes, sizeof(bytes), out);
}

static void take_turn(struct gate *gate, uint64_t now_us)
{
	uint64_t turn = now_us / GATE_COOKIE_US + 1;

	if (turn == gate->turn)
		return;
	secret_of(gate, turn, gate->secrets[0]);
	secret_of(gate, turn - 1, gate->secrets[1]);
	gate->turn = turn;
}

static void bake(const struct gate *gate, int which,
		 const struct handshake_source *of, uint8_t cookie[NOISE_MAC])
{
	noise_mac(gate->secrets[which], &of->size, 1, of->bytes, of->size,
		  cookie);
}

void gate_cookie(struct gate *gate, const struct handshake_source *to,
		 uint64_t now_us, uint8_t cookie[NOISE_MAC])
{
	take_turn(gate, now_us);
	bake(gate, 0, to, cookie);
}

bool gate_is_cookie(struct gate *gate, const struct handshake_source *from,
		    const uint8_t cookie[NOISE_MAC], uint64_t now_us)
{
	uint8_t wanted[NOISE_MAC];
	bool good = false;

	take_turn(gate, now_us);
	for (int i = 0; i < 2; i++) {
		bake(gate, i, from, wanted);
		good |= !CRYPTO_memcmp(wanted, cookie, NOISE_MAC);
	}
	return good;
}

void gate_mac(const uint8_t cookie[NOISE_MAC], const uint8_t *message,
	      size_t size, uint8_t mac[NOISE_MAC])
{
	uint8_t key[NOISE_KEY] = { 0 };

	memcpy(key, cookie, NOISE_MAC);
	noise_mac(key, message, size - NOISE_MAC, NULL, 0, mac);
}

static bool has_mac(struct gate *gate, const struct handshake_source *from,
		    const uint8_t *message, size_t size, uint64_t now_us)
{
	uint8_t cookie[NOISE_MAC], mac[NOISE_MAC];
	bool good = false;

	take_turn(gate, now_us);
	for (int i = 0; i < 2; i++) {
		bake(gate, i, from, cookie);
		gate_mac(cookie, message, size, mac);
		good |= !CRYPTO_memcmp(mac, message + size - NOISE_MAC,
				       NOISE_MAC);
	}
	return good;
}

/* --- rates ---------------------------------------------------------------- */

bool gate_may(uint64_t *clock, unsigned rate, unsigned burst, uint64_t now_us)
{
	uint64_t at = *clock > now_us ? *clock : now_us;
	uint64_t interval = SECOND_US / rate;

	if (at - now_us > interval * (burst - 1))
		return false;
	*clock = at + interval;
	return true;
}

static uint64_t *of_host(const struct gate *gate, uint64_t clocks[GATE_HOSTS],
			 const struct handshake_source *from)
{
	uint8_t mac[NOISE_MAC];
	size_t size = from->host ? from->host : from->size;

	noise_mac(gate->host_key, from->bytes, size, NULL, 0, mac);
	return &clocks[wire_get32(mac) % GATE_HOSTS];
}

enum refusal gate_admit(struct gate *gate, const uint8_t *message, size_t size,
			const struct handshake_source *from, uint64_t now_us,
			bool *notice)
{
	static const uint8_t none[NOISE_MAC];

	*notice = false;
	if (gate_may(&gate->all, GATE_RATE, GATE_RATE, now_us))
		return REFUSED_NOT;
	/* None at all is seen without a computation: a flood is made of them.
	 */
	if (!memcmp(message + size - NOISE_MAC, none, NOISE_MAC) ||
	    !has_mac(gate, from, message, size, now_us)) {
		*notice = gate_may(of_host(gate, gate->notices, from),
				   GATE_NOTICES, GATE_NOTICES_BURST, now_us);
		return REFUSED_COOKIE;
	}
	return gate_may(of_host(gate, gate->hosts, from), GATE_HOST_RATE,
			GATE_HOST_BURST, now_us)
		       ? REFUSED_NOT
		       : REFUSED_RATE;
}
