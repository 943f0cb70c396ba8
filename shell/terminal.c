/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shell/terminal.h"

#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "model/base/mem.h"
#include "shell/screen.h"

static const int crashes[] = {
	SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS
};

static struct {
	bool guarded, moves;
	volatile sig_atomic_t second;
	struct termios modes;
	struct sigaction before[ARRAY_SIZE(crashes)];
	char *stack; /* owned; where ours is what overflowed */
} terminal;

#define SIGNAL_STACK 16384
#define SECOND_ON    "\033[?1049h\033[?25l\033[H\033[J"
#define SECOND_OFF   "\033[H\033[J\033[?25h\033[?1049l"

/* Only calls of signal-safety(7). */
static void put_back(void)
{
	/* Colours, the cursor, and pastes without brackets. */
	static const char plain[] = "\033[m\033[?25h\033[?2004l\r\n";

	if (terminal.moves && terminal.second)
		(void)!write(STDOUT_FILENO, SECOND_OFF, sizeof(SECOND_OFF) - 1);
	if (terminal.moves)
		(void)!write(STDOUT_FILENO, plain, sizeof(plain) - 1);
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal.modes);
}

static void on_crash(int number)
{
	put_back();
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &terminal.before[i], NULL);
	raise(number);
}

static void own_stack(bool on)
{
	stack_t stack = { .ss_size = SIGNAL_STACK,
			  .ss_flags = on ? 0 : SS_DISABLE };

	if (on)
		terminal.stack = mem_alloc(SIGNAL_STACK);
	stack.ss_sp = terminal.stack;
	sigaltstack(&stack, NULL);
	if (!on)
		free(TAKE(terminal.stack));
}

void terminal_guard(void)
{
	const struct sigaction action = { .sa_handler = on_crash,
					  .sa_flags = SA_ONSTACK | SA_NODEFER };

	if (terminal.guarded || tcgetattr(STDIN_FILENO, &terminal.modes) < 0)
		return;
	terminal.guarded = true;
	terminal.moves = screen_moves();
	own_stack(true);
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &action, &terminal.before[i]);
}

void terminal_unguard(void)
{
	if (!terminal.guarded)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &terminal.before[i], NULL);
	own_stack(false);
	terminal.guarded = false;
}

void terminal_second_screen(bool on)
{
	terminal.second = on;
	fputs(on ? SECOND_ON : SECOND_OFF, stdout);
	fflush(stdout);
}
