/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spell.h - a spell of a full line, in words. */
#ifndef SHELL_SPELL_H
#define SHELL_SPELL_H

#include "model/backend.h"
#include "model/base/text.h"

/* "out", "in" */
const char *spell_way(const struct spell *spell);
/* "lasts", "over", "cut" */
const char *spell_state_name(enum spell_state state);
/* "12.4s", "3s and still", "3s, cut" */
void spell_put_length(const struct spell *spell, struct text *out);

#endif
