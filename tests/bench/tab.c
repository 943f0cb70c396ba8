/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tab - what TAB costs in a shell that is open: finding the candidates, without
 * start, store and drawing.
 *
 *     tab LINE
 *
 * Prints the lowest of twenty times, in us. The store is $TRESSE_STORE.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell/completion.h"
#include "shell/pause.h"
#include "shell/session.h"
#include "shell/words.h"

static uint64_t once(struct session *session, const char *line)
{
	struct completion completion;
	AUTO_WORDS words = WORDS_NONE;
	uint64_t from = pause_now_us(), took;
	char quote;

	if (!words_read_typed(&words, line, strlen(line), &quote))
		exit(1);
	completion_find(&completion, &session->place, &words);
	took = pause_now_us() - from;
	if (!completion.count) {
		fputs("tab: nothing found\n", stderr);
		exit(1);
	}
	completion_clear(&completion);
	return took;
}

int main(int argc, char **argv)
{
	struct session_options options = { .store = getenv("TRESSE_STORE") };
	struct session session;
	uint64_t least = UINT64_MAX;

	if (argc < 2 || !options.store)
		return 2;
	session_init(&session, &options, NULL);
	if (session_look(&session, NULL) < 0)
		return 1;
	for (int i = 0; i < 20; i++) {
		uint64_t took = once(&session, argv[1]);

		least = took < least ? took : least;
	}
	printf("%llu\n", (unsigned long long)least);
	session_clear(&session);
	return 0;
}
