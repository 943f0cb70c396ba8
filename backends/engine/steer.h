/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * steer.h - packets of one mark or class come by a queue of their own.
 *
 * A tun device does not tell its reader the mark of a packet, nor which class
 * of the device rules have put it into (its priority). But of several queues
 * the kernel takes the one that a filter says (TUNSETSTEERINGEBPF, Linux 4.16,
 * drivers/net/tun.c), and that filter sees both:
 *
 *                         .-- mark & mask == value, or priority == class
 *     packet -- filter ---+                                --> the last queue
 *                         '-- else ------------------------> queue 0
 *
 * Nothing of the packet is changed, and no rule or queue of anybody else's is
 * in the way. The filter is one for all devices: it finds what to compare with
 * in a table, by the device's index, which is written to as memory. So the
 * engine loads it once, with the rights of its start (CAP_BPF), and needs none
 * later. It stays with the device until another one comes or the device goes.
 */
#ifndef BACKENDS_ENGINE_STEER_H
#define BACKENDS_ENGINE_STEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/err.h"

/* mask 0: no mark; class 0: none. */
struct steer_rule {
	uint32_t value, mask, class;
};

/* Loads the filter. What goes wrong is said by steer_attach(). */
void steer_open(void);

/* fd: of the first queue of that device. queue: the number of the one by which
 * they come; until there are so many it is the first. -EPERM and one sentence
 * where the filter could not be loaded. */
int steer_attach(int fd, const char *device, const struct steer_rule *rule,
		 unsigned queue, struct err *err);
/* Another rule; all zero: none, and everything comes by queue 0. */
void steer_set(const char *device, const struct steer_rule *rule);

/* Is the filter still the device's? The kernel does not tell, and whoever has
 * another queue of it may have taken it away: so a frame is sent that it
 * counts, if it sees it (tun_read() drops it). true also where that cannot be
 * tried, as of a device that is down. */
bool steer_holds(const char *device);
/* That frame: no packet, nor frame of others, is so short and begins so. */
enum { STEER_PROBE_BYTES = 15 };
bool steer_is_probe(const uint8_t *frame, size_t size);

#endif
