/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/keys.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "model/base/mem.h"
#include "shell/pause.h"

/* What follows ESC comes at once, or somebody pressed Esc. */
#define SEQUENCE_US 100000

static const struct sequence {
	const char *bytes; /* behind ESC [ or ESC O */
	int key;
} sequences[] = {
	{ "A", KEY_UP },    { "B", KEY_DOWN },	   { "C", KEY_RIGHT },
	{ "D", KEY_LEFT },  { "H", KEY_HOME },	   { "F", KEY_END },
	{ "1~", KEY_HOME }, { "7~", KEY_HOME },	   { "4~", KEY_END },
	{ "8~", KEY_END },  { "5~", KEY_PAGE_UP }, { "6~", KEY_PAGE_DOWN },
	{ "M", KEY_ENTER },
};

bool keys_waiting(void)
{
	struct pollfd input = { STDIN_FILENO, POLLIN, 0 };

	return poll(&input, 1, 0) > 0;
}

static int read_byte(void)
{
	unsigned char byte;

	return read(STDIN_FILENO, &byte, 1) == 1 ? byte : -1;
}

static int read_soon(const struct pause *pause)
{
	pause_for_input(pause, STDIN_FILENO, pause_now_us() + SEQUENCE_US);
	return keys_waiting() ? read_byte() : -1;
}

static int read_sequence(const struct pause *pause)
{
	int byte = read_soon(pause);
	char bytes[8] = "";
	size_t length = 0;

	if (byte < 0)
		return KEY_ESCAPE;
	if (byte != '[' && byte != 'O')
		return KEY_NONE;
	do {
		byte = read_soon(pause);
		if (byte >= 0 && length + 1 < sizeof(bytes))
			bytes[length++] = (char)byte;
	} while (byte >= 0 && (byte < 0x40 || byte > 0x7e));
	for (size_t i = 0; i < ARRAY_SIZE(sequences); i++)
		if (!strcmp(sequences[i].bytes, bytes))
			return sequences[i].key;
	return KEY_NONE;
}

int keys_read(const struct pause *pause)
{
	int byte = read_byte();

	switch (byte) {
	case -1: return KEY_CTRL('d');
	case 033: return read_sequence(pause);
	case '\r':
	case '\n': return KEY_ENTER;
	case 8:
	case 127: return KEY_BACKSPACE;
	case 16: return KEY_UP;	  /* Ctrl-P */
	case 14: return KEY_DOWN; /* Ctrl-N */
	default: return byte;
	}
}
