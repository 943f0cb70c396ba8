/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/who.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "model/base/mem.h"
#include "model/base/text.h"
#include "shell/utf8.h"

/* The environment is the user's own word: shown, never trusted, and cut. */
#define WORD_LIMIT 64

static void put_word(const char *word, size_t length, struct text *out)
{
	AUTO(str)
	char *copy =
		mem_strndup(word, length < WORD_LIMIT ? length : WORD_LIMIT);

	utf8_safe(copy, out);
}

static void put_user(struct text *out)
{
	const struct passwd *user = getpwuid(getuid());
	const char *sudo = getenv("SUDO_USER");

	if (user)
		put_word(user->pw_name, strlen(user->pw_name), out);
	else
		text_put(out, "somebody");
	text_printf(out, " (uid %u", (unsigned)getuid());
	if (sudo && *sudo) {
		text_put(out, ", sudo by ");
		put_word(sudo, strlen(sudo), out);
	}
	text_put(out, ")");
}

static const char *terminal_name(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		const char *name = isatty(fd) ? ttyname(fd) : NULL;

		if (name)
			return strncmp(name, "/dev/", 5) ? name : name + 5;
	}
	return NULL;
}

char *who_user_dup(void)
{
	struct text who = TEXT_NONE;

	put_user(&who);
	return text_take(&who);
}

char *who_dup(void)
{
	struct text who = TEXT_NONE;
	const char *terminal = terminal_name();
	const char *client = getenv("SSH_CLIENT");

	put_user(&who);
	if (terminal)
		text_printf(&who, ", %s", terminal);
	if (client && *client) {
		text_put(&who, ", from ");
		put_word(client, strcspn(client, " "), &who);
	}
	return text_take(&who);
}
