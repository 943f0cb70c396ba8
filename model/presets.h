/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * presets.h - kinds of line by name, and what each adds to an IP packet.
 *
 * The figures count everything between the IP header and the line, as modems
 * and tc-cake(8) tell them: pppoe-llc is 40. HTB counts from the link's own
 * header on, so on an Ethernet device 14 of the 40 are there already and its
 * `overhead` is 26; on a ppp device it is 40.
 */
#ifndef MODEL_PRESETS_H
#define MODEL_PRESETS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/kind.h"

struct preset {
	const char *name;
	enum linklayer linklayer;
	uint32_t above_ip; /* bytes */
	uint32_t mpu;	   /* bytes of the whole on the line */
	/* The line sends 65 bytes for 64, whatever they are. HTB has no such
	 * counting. */
	bool ptm;
};

/* For the tables of settings; the value is the index. */
extern const struct choice preset_choices[];
const struct preset *preset_at(uint64_t index);

/* HTB's overhead where `header` bytes of link header are counted already. It
 * takes no negative one (tc_ratespec.overhead is unsigned: 65532 adds 65,532
 * bytes, seen on 6.18; psched_l2t_ns()), so it is 0 then, and *excess the bytes
 * that each packet counts too many. */
uint32_t preset_overhead(const struct preset *preset, uint32_t header,
			 uint32_t *excess);

#endif
