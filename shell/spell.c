/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/spell.h"

#include "model/value.h"

const char *spell_way(const struct spell *spell)
{
	return spell->in ? "in" : "out";
}

const char *spell_state_name(enum spell_state state)
{
	static const char *const names[] = { [SPELL_LASTS] = "lasts",
					     [SPELL_OVER] = "over",
					     [SPELL_CUT] = "cut" };

	return names[state];
}

/* Tenths below ten seconds, whole ones below ten minutes, then minutes. */
static uint64_t calm(uint64_t us)
{
	uint64_t unit = us < 10000000	 ? 100000
			: us < 600000000 ? 1000000
					 : 60000000;

	return (us + unit / 2) / unit * unit;
}

void spell_put_length(const struct spell *spell, struct text *out)
{
	static const char *const ends[] = { [SPELL_LASTS] = " and still",
					    [SPELL_OVER] = "",
					    [SPELL_CUT] = ", cut" };
	uint64_t us = calm(spell->lasted_us);

	if (us >= 600000000)
		text_printf(out, "%llumin", (unsigned long long)us / 60000000);
	else
		text_printf(out, us < 10000000 ? "%.1fs" : "%.0fs",
			    (double)us / 1e6);
	text_put(out, ends[spell->state]);
}
