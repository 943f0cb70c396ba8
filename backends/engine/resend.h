/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * resend.h - packets that are to be sent again, oldest first.
 *
 * An item remembers the datagram that was lost (lane and counter), so that one
 * that turns out to have arrived after all is not sent again.
 */
#ifndef BACKENDS_ENGINE_RESEND_H
#define BACKENDS_ENGINE_RESEND_H

#include <stdbool.h>
#include <stdint.h>

struct resend_item {
	uint64_t counter; /* of the lost datagram */
	uint32_t seq;
	uint32_t handle;
	uint32_t born_us; /* when it was first sent, low bits */
	uint16_t bucket;
	uint16_t size;
	uint8_t lane; /* id of the one that lost it */
	uint8_t tries;
	uint8_t wire; /* flags of the inner header to keep */
};

/* Zeroed is empty. */
struct resend {
	struct resend_item *items; /* a ring; owned */
	uint32_t room, head, tail; /* room is 0 or a power of two */
	uint64_t overflown;
};

enum { RESEND_MOST = 1 << 16 };

void resend_clear(struct resend *resend);
/* When it is full the item is lost: its packet will be missed. */
void resend_put(struct resend *resend, const struct resend_item *item);
/* The oldest; NULL for none. */
const struct resend_item *resend_head(const struct resend *resend);
void resend_drop(struct resend *resend);

#endif
