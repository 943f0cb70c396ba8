/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/pause.h"

#include <poll.h>
#include <time.h>

#include "model/base/mem.h"
#include "model/kind.h"
#include "model/value.h"

static const int signals[PAUSE_SIGNALS] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH,
					    SIGCONT };

static volatile sig_atomic_t ended, redraw; /* ended: by which signal */
static unsigned depth;

static void note(int number)
{
	if (number == SIGWINCH || number == SIGCONT)
		redraw = 1;
	else
		ended = number;
}

void pause_begin(struct pause *pause)
{
	const struct sigaction action = { .sa_handler = note };
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < PAUSE_SIGNALS; i++)
		sigaddset(&held, signals[i]);
	sigprocmask(SIG_BLOCK, &held, &pause->before);
	if (!depth++)
		ended = redraw = 0;
	for (size_t i = 0; i < PAUSE_SIGNALS; i++)
		sigaction(signals[i], &action, &pause->actions[i]);
}

void pause_end(struct pause *pause)
{
	for (size_t i = 0; i < PAUSE_SIGNALS; i++)
		sigaction(signals[i], &pause->actions[i], NULL);
	depth--;
	if (!depth && ended && ended != SIGINT)
		raise(ended);
	sigprocmask(SIG_SETMASK, &pause->before, NULL);
}

uint64_t pause_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

enum waited pause_until(const struct pause *pause, uint64_t at_us)
{
	return pause_for_input(pause, -1, at_us);
}

enum waited pause_for_input(const struct pause *pause, int fd, uint64_t at_us)
{
	struct pollfd input = { fd, POLLIN, 0 };
	sigset_t open = pause->before;
	uint64_t now;

	for (size_t i = 0; i < PAUSE_SIGNALS; i++)
		sigdelset(&open, signals[i]);
	do {
		struct timespec rest = { 0, 0 };

		now = pause_now_us();
		if (now < at_us)
			rest = (struct timespec){
				.tv_sec = (time_t)((at_us - now) / 1000000u),
				.tv_nsec =
					(long)((at_us - now) % 1000000u) * 1000
			};
		if (ppoll(&input, fd >= 0, &rest, &open) > 0)
			return WAITED;
		if (ended)
			return WAITED_ENDED;
		if (redraw) {
			redraw = 0;
			return WAITED_REDRAW;
		}
	} while (pause_now_us() < at_us);
	return WAITED;
}

int pause_parse(const char *text, uint64_t *us, struct err *err)
{
	static const struct attr interval = { .name = "interval",
					      .type = &type_duration,
					      .min = 100000,
					      .max = 86400000000ull };
	struct value value = { .u = 0 };
	int rc = type_duration.parse(&interval, text, &value, err);

	if (rc < 0)
		return err_prefix(err, "interval=");
	*us = value.u;
	return 0;
}
