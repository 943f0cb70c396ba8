/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/presets.h"

#include <assert.h>

#include "model/base/mem.h"

/*
 *     pppoe  6 PPPoE, 2 PPP                    bridged  14 Ethernet
 *     pppoa  2 PPP                             ipoa     nothing
 *     llc    3 LLC, 5 SNAP (pppoa: 4 LLC)      vc       nothing
 *     aal5   8 trailer
 *
 * Bridging over ATM has 2 bytes of padding after LLC/SNAP and no FCS (RFC
 * 2684). PTM has the FCS of Ethernet (4), S and Ck (2), and its own CRC (2).
 * On a cable the CMTS counts the frame with its FCS; Ethernet has 8 of
 * preamble, 12 of gap and 4 of FCS.
 */
#define PRESETS(X)                                                             \
	X("pppoe-llc", ATM, 40, 0, false, "ADSL, PPPoE over LLC/SNAP")         \
	X("pppoe-vc", ATM, 32, 0, false, "ADSL, PPPoE over VC-Mux")            \
	X("pppoa-llc", ATM, 14, 0, false, "ADSL, PPPoA over LLC")              \
	X("pppoa-vc", ATM, 10, 0, false, "ADSL, PPPoA over VC-Mux")            \
	X("ipoa-llc", ATM, 16, 0, false, "ADSL, IP over LLC/SNAP")             \
	X("ipoa-vc", ATM, 8, 0, false, "ADSL, IP over VC-Mux")                 \
	X("bridged-llc", ATM, 32, 0, false, "ADSL, Ethernet over LLC/SNAP")    \
	X("bridged-vc", ATM, 24, 0, false, "ADSL, Ethernet over VC-Mux")       \
	X("pppoe-ptm", ETHERNET, 30, 0, true, "VDSL2, PPPoE")                  \
	X("pppoe-ptm-vlan", ETHERNET, 34, 0, true, "VDSL2, PPPoE in a VLAN")   \
	X("bridged-ptm", ETHERNET, 22, 0, true, "VDSL2, IP over Ethernet")     \
	X("bridged-ptm-vlan", ETHERNET, 26, 0, true,                           \
	  "VDSL2, IP over Ethernet in a VLAN")                                 \
	X("docsis", ETHERNET, 18, 64, false, "cable")                          \
	X("ethernet", ETHERNET, 38, 84, false,                                 \
	  "Ethernet with FCS, preamble and gap")                               \
	X("ethernet-vlan", ETHERNET, 42, 84, false, "the same in a VLAN")

#define AS_PRESET(word, cells, bytes, least, coded, what)                      \
	{ word, LINKLAYER_##cells, bytes, least, coded },
#define AS_CHOICE(word, cells, bytes, least, coded, what) { word, what },

static const struct preset presets[] = { PRESETS(AS_PRESET) };

const struct choice preset_choices[] = { PRESETS(AS_CHOICE){ NULL, NULL } };

const struct preset *preset_at(uint64_t index)
{
	assert(index < ARRAY_SIZE(presets));
	return &presets[index];
}

uint32_t preset_overhead(const struct preset *preset, uint32_t header,
			 uint32_t *excess)
{
	bool negative = preset->above_ip < header;

	if (excess)
		*excess = negative ? header - preset->above_ip : 0;
	return negative ? 0 : preset->above_ip - header;
}
