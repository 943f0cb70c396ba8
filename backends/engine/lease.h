/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lease.h - what a server grants a client: inner addresses, and how much of
 * what it sends is taken, so that it need not find out by loss.
 *
 * What goes over the wire, as a note (note.h), is a list: what, how many bytes
 * follow, and these. 1, an address: the length of its prefix and 4 or 16 bytes.
 * 2, a limit: 8 bytes, bit/s, little endian. 3, what the server has to say of
 * the client: a byte of flags (enum lease_said). What is not known is passed
 * over, so that a later version may say more.
 *
 * A client has agreed to be in an inner network, and to nothing else: whoever
 * runs the server must not come to carry traffic that goes elsewhere today. So
 * an address is taken only if it can be a host's, if its network is private (or
 * is the address alone), and if neither it nor its network is known to another
 * device of this host.
 */
#ifndef BACKENDS_ENGINE_LEASE_H
#define BACKENDS_ENGINE_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/err.h"
#include "model/value.h"

enum { LEASE_MOST = 8, LEASE_BYTES = LEASE_MOST * 19 + 10 + 3 };

/* Why the client does not get far. */
enum lease_said {
	LEASE_STRANGE = 1 << 0, /* its inner address is none of its own here */
	LEASE_TWINS = 1 << 1,	/* another host calls with its key */
};

/* Addresses with the lengths of their networks' prefixes. */
struct lease {
	size_t count;
	struct prefix addresses[LEASE_MOST];
	uint64_t limit_bps; /* 0: none */
	uint8_t said;	    /* enum lease_said */
};

/* Returns the bytes used, at most LEASE_BYTES. */
size_t lease_print(const struct lease *lease, uint8_t bytes[LEASE_BYTES]);
/* -EBADMSG: it makes no sense. */
int lease_parse(struct lease *lease, const uint8_t *bytes, size_t size);
bool lease_equal(const struct lease *a, const struct lease *b);

/* Is that an address that a client takes from a server? EINVAL and a sentence
 * if not. What is on the host is not looked at. */
int lease_check(const struct prefix *address, struct err *err);
/* "10.77.0.2/24" */
enum { LEASE_TEXT = 64 };
void lease_text(const struct prefix *address, char text[LEASE_TEXT]);

#endif
