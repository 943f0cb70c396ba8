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
 *     packet -- filter ---+                                   --> queue 1
 *                         '-- else ---------------------------> queue 0
 *
 * Nothing of the packet is changed, and no rule or queue of anybody else's is
 * in the way. The filter is one for all devices: it finds what to compare with
 * in a table, by the device's index, which is written to as memory. So the
 * engine loads it once, with the rights of its start (CAP_BPF), and needs none
 * later. It stays with the device until another one comes or the device goes.
 */
#ifndef BACKENDS_ENGINE_STEER_H
#define BACKENDS_ENGINE_STEER_H

#include <stdint.h>

#include "model/base/err.h"

/* mask 0: no mark; class 0: none. */
struct steer_rule {
	uint32_t value, mask, class;
};

/* Loads the filter. What goes wrong is said by steer_attach(). */
void steer_open(void);

/* fd: of the first queue of that device. -EPERM and one sentence where the
 * filter could not be loaded. */
int steer_attach(int fd, const char *device, const struct steer_rule *rule,
		 struct err *err);
/* Another rule. */
void steer_set(const char *device, const struct steer_rule *rule);

#endif
