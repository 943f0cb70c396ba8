/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keys.h - single keys from the terminal, for what draws on the screen itself:
 * the picker, and the search in the history.
 *
 * A terminal sends one byte for most keys and a sequence that begins with ESC
 * for others; ESC alone is the key Esc if nothing follows at once. Nothing is
 * asked of the terminal.
 */
#ifndef SHELL_KEYS_H
#define SHELL_KEYS_H

#include <stdbool.h>

struct pause;

/* Other keys are their own bytes. */
enum key {
	KEY_ESCAPE = 256,
	KEY_ENTER,
	KEY_UP,
	KEY_DOWN,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_HOME,
	KEY_END,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_BACKSPACE,
	KEY_NONE, /* a sequence that is none of these */
};

#define KEY_CTRL(letter) ((letter)&0x1f)

/* Has a key been typed that nobody read? */
bool keys_waiting(void);
/* The next key from stdin; Ctrl-D where nobody is there any more. */
int keys_read(const struct pause *pause);

#endif
