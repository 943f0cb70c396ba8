/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keep.h - what was read from the tun device, for as long as it may be needed.
 *
 * A ring of bytes that packets are read straight into, so that they wait for
 * their turn, and for being sent again, without ever being copied. Each piece
 * of what was read (a super-packet has many) gets a handle; handles count up.
 * The oldest bytes give way to new ones; who asks for them then is told so.
 */
#ifndef BACKENDS_ENGINE_KEEP_H
#define BACKENDS_ENGINE_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/engine/tun.h"

struct keep;

/* bytes: what it may grow to; memory is taken as it is used. */
struct keep *keep_new(size_t bytes);
void keep_free(struct keep *keep);
AUTO_DEFINE(keep, struct keep *, keep_free)

/* Room for TUN_READ_MAX bytes; what is read there stays with keep_add(). */
uint8_t *keep_room(struct keep *keep);
/* The handle of its first piece. packet->data is what keep_room() gave. */
uint32_t keep_add(struct keep *keep, const struct tun_packet *packet);
/* The packet and the number of the piece; false: it has given way, and the ring
 * becomes longer. */
bool keep_find(struct keep *keep, uint32_t handle,
	       const struct tun_packet **packet, unsigned *index);
/* How many bytes have to stay, about, to be told every few seconds: the ring is
 * kept as short as that, and how far back was asked for meanwhile, allow, for
 * the sake of the processor's cache. */
void keep_need(struct keep *keep, size_t bytes);

#endif
