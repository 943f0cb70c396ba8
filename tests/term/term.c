/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * term - a person at a terminal, as a script.
 *
 *     term SCRIPT
 *
 * Runs programs in a pseudo-terminal whose screen it plays (vt.h), types keys,
 * waits for what has to come, and writes down what was done and seen. Lines of
 * a script, each repeated in the transcript:
 *
 *     $ COMMAND        sh runs it beside the terminal; its answer follows
 *     size 80x24       of the next program's terminal; 0x0: not known
 *     env NAME=VALUE   for the next programs; env NAME takes it away
 *     run COMMAND      in the terminal, by sh
 *     type KEYS        once nothing moves; see below
 *     wait TEXT        until it stands on the screen
 *     gone TEXT        until it does no more
 *     screen           what it looks like, once nothing moves
 *     rest             wait until nothing moves
 *     wipe             ...type Ctrl-L, and once more
 *     resize 40x10
 *     signal TERM      to the program in the foreground
 *     end              wait until the program has ended
 *     # COMMENT
 *
 * In KEYS, {TAB} is a key, {C-r} is Ctrl-R, {{} a brace, and {FILL 1000 x} a
 * thousand of them. Between {PASTE} and {/PASTE} it comes as terminals paste:
 * in brackets, if the program asked for them.
 *
 * It waits for conditions, never for a time: a program has nothing more to say
 * when it sleeps in a call that waits for a key, its input is used up and its
 * output was read. Anything that never comes is an error after a minute.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "model/base/mem.h"
#include "shell/utf8.h"
#include "tests/term/vt.h"

#define PATIENCE_MS 60000

static struct {
	int master, slave; /* slave: to look at its modes and its input */
	pid_t child;	   /* 0: none runs */
	int status;	   /* of the last one */
	unsigned rows, columns;
	struct termios before;
	pid_t woken; /* who has to wake up for what was typed; or 0 */
	long sleeps; /* how often it had slept by then */
	struct vt vt;
	unsigned line; /* of the script */
	const char *script;
} term = { .master = -1, .slave = -1, .rows = 24, .columns = 80 };

/* ---- the end ---- */

static void say(const struct text *text)
{
	fwrite(text_get(text), 1, text->length, stdout);
}

static void end_child(void)
{
	if (!term.child)
		return;
	kill(term.child, SIGKILL);
	waitpid(term.child, &term.status, 0);
	term.child = 0;
}

/* What is wrong stands in the transcript, too: a golden file never has it. */
static __attribute__((noreturn, format(printf, 1, 2))) void
give_up(const char *format, ...)
{
	AUTO_TEXT screen = TEXT_NONE;
	va_list args;

	printf("GIVEN UP at %s:%u: ", term.script, term.line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (term.vt.cells)
		vt_show(&term.vt, &screen);
	say(&screen);
	end_child();
	exit(1);
}

/* ---- input and output ---- */

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads what is there, waiting so long for the first byte. */
static bool drain(int wait_ms)
{
	struct pollfd input = { term.master, POLLIN, 0 };
	char bytes[4096];
	bool any = false;

	while (poll(&input, 1, any ? 0 : wait_ms) > 0) {
		ssize_t got = read(term.master, bytes, sizeof(bytes));

		if (got <= 0)
			break;
		vt_write(&term.vt, bytes, (size_t)got);
		any = true;
	}
	return any;
}

static bool has_ended(void)
{
	if (term.child && waitpid(term.child, &term.status, WNOHANG) > 0)
		term.child = 0;
	return !term.child;
}

static bool is_terminal(pid_t pid, unsigned long fd)
{
	AUTO(str) char *name = mem_printf("/proc/%d/fd/%lu", (int)pid, fd);
	char target[64] = "";

	return readlink(name, target, sizeof(target) - 1) > 0 &&
	       (!strncmp(target, "/dev/pts/", 9) ||
		!strcmp(target, "/dev/tty"));
}

/* A call in which a process waits for a key. */
static bool is_waiting_call(pid_t pid, long call, unsigned long first)
{
	static const long calls[] = {
		SYS_pselect6, SYS_ppoll,  SYS_epoll_pwait,
#ifdef SYS_poll
		SYS_poll,     SYS_select,
#endif
	};

	if (call == SYS_read)
		return is_terminal(pid, first);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i] == call)
			return true;
	return false;
}

static bool works(int pid)
{
	AUTO(str) char *name = mem_printf("/proc/%d/stat", pid);
	FILE *file = fopen(name, "re");
	char state = 'Z'; /* 'T': stopped, 'Z': dead */
	bool known = file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1;

	if (file)
		fclose(file);
	return known && !strchr("TZ", state);
}

/* A shell that asks another program for what TAB offers. */
static bool waits_for_child(pid_t pid)
{
	AUTO(str)
	char *name =
		mem_printf("/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *file = fopen(name, "re");
	bool found = false;
	int child;

	while (file && !found && fscanf(file, "%d", &child) == 1)
		found = works(child);
	if (file)
		fclose(file);
	return found;
}

/* Of a thread: in which call it sleeps; -1: in none. */
static long call_of(pid_t pid, pid_t thread, unsigned long *first)
{
	AUTO(str)
	char *name =
		mem_printf("/proc/%d/task/%d/syscall", (int)pid, (int)thread);
	FILE *file = fopen(name, "re");
	long call = -1;
	bool read = file && fscanf(file, "%ld %lx", &call, first) == 2;

	if (file)
		fclose(file);
	return read ? call : -1;
}

/* The others of a program with threads: fish colours what is typed in one. */
static bool others_wait(pid_t pid)
{
	AUTO(str) char *name = mem_printf("/proc/%d/task", (int)pid);
	DIR *folder = opendir(name);
	struct dirent *entry;
	bool wait = true;

	while (wait && folder && (entry = readdir(folder))) {
		pid_t thread = (pid_t)atoi(entry->d_name);
		unsigned long first;
		long call;

		if (thread <= 0 || thread == pid)
			continue;
		call = call_of(pid, thread, &first);
		wait = call == SYS_futex || is_waiting_call(pid, call, first);
	}
	if (folder)
		closedir(folder);
	return wait;
}

static bool waits_for_key(pid_t pid)
{
	unsigned long first = 0;
	long call = call_of(pid, pid, &first);

	return is_waiting_call(pid, call, first) && !waits_for_child(pid) &&
	       others_wait(pid);
}

/* How often it went to sleep by itself; -1: it is not there. */
static long sleeps_of(pid_t pid)
{
	AUTO(str) char *name = mem_printf("/proc/%d/status", (int)pid);
	FILE *file = fopen(name, "re");
	char line[128];
	long count = -1;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &count) == 1)
			break;
	if (file)
		fclose(file);
	return count;
}

static pid_t in_front(void)
{
	pid_t front = tcgetpgrp(term.master);

	return front > 0 ? front : term.child;
}

/* The kernel takes its time to hand over what was typed. Whoever reads whole
 * lines wakes up at the end of one. */
static void note_typing(void)
{
	struct termios modes;

	term.woken = 0;
	if (tcgetattr(term.slave, &modes) < 0 || modes.c_lflag & ICANON)
		return;
	term.woken = in_front();
	term.sleeps = sleeps_of(term.woken);
}

static bool has_noticed(void)
{
	if (term.woken && sleeps_of(term.woken) != term.sleeps)
		term.woken = 0;
	return !term.woken;
}

/* The one in front sleeps until a key comes, and all keys were taken. */
static bool is_idle(void)
{
	int unread = 0;

	if (has_ended())
		return true;
	if (ioctl(term.slave, FIONREAD, &unread) < 0 || unread)
		return false;
	return has_noticed() && waits_for_key(in_front());
}

static __attribute__((noreturn)) void tell_busy(void)
{
	pid_t front = tcgetpgrp(term.master);
	AUTO(str)
	char *look = mem_printf("ps -o pid,pgid,ppid,stat,wchan,args --ppid %d "
				"%d >&2; cat /proc/%d/syscall >&2",
				(int)front, (int)front, (int)front);
	const char *const argv[] = { "sh", "-c", look, NULL };
	pid_t child = fork();

	if (!child) {
		execv("/bin/sh", (char *const *)argv);
		_exit(127);
	}
	waitpid(child, NULL, 0);
	give_up("it does not come to rest");
}

/* Three looks, so that a program that is about to write is caught at it. */
static void settle(void)
{
	long end = now_ms() + PATIENCE_MS;
	unsigned quiet = 0;

	while (quiet < 3) {
		if (drain(quiet ? 5 : 1) || !is_idle())
			quiet = 0;
		else
			quiet++;
		if (now_ms() > end)
			tell_busy();
	}
}

static void send(const char *bytes, size_t length)
{
	long end = now_ms() + 6 * PATIENCE_MS;

	note_typing();
	while (length) {
		struct pollfd both = { term.master, POLLIN | POLLOUT, 0 };
		ssize_t sent = 0;

		poll(&both, 1, 1000);
		if (both.revents & POLLIN)
			drain(0);
		if (both.revents & POLLOUT)
			sent = write(term.master, bytes, length);
		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		}
		if (length && (now_ms() > end || has_ended()))
			give_up("nobody reads what is typed");
	}
}

/* ---- keys ---- */

static const struct key {
	const char *name, *bytes;
} keys[] = {
	{ "TAB", "\t" },       { "ENTER", "\r" },     { "ESC", "\033" },
	{ "UP", "\033[A" },    { "DOWN", "\033[B" },  { "RIGHT", "\033[C" },
	{ "LEFT", "\033[D" },  { "HOME", "\033[H" },  { "END", "\033[F" },
	{ "PGUP", "\033[5~" }, { "PGDN", "\033[6~" }, { "BS", "\177" },
	{ "DEL", "\033[3~" },  { "{", "{" },
};

static void put_paste(bool begins, struct text *out)
{
	if (term.vt.bracketed)
		text_put(out, begins ? "\033[200~" : "\033[201~");
}

static void put_fill(const char *what, struct text *out)
{
	char *rest;
	unsigned long count = strtoul(what, &rest, 10);

	while (*rest && count--)
		text_put(out, rest + 1);
}

static void put_key(const char *name, struct text *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].name, name)) {
			text_put(out, keys[i].bytes);
			return;
		}
	if (!strcmp(name, "PASTE") || !strcmp(name, "/PASTE"))
		put_paste(*name == 'P', out);
	else if (!strncmp(name, "FILL ", 5))
		put_fill(name + 5, out);
	else if (!strncmp(name, "C-", 2) && strlen(name) == 3)
		text_put_char(out, (char)(name[2] & 0x1f));
	else if (!strncmp(name, "M-", 2) && strlen(name) == 3)
		text_printf(out, "\033%c", name[2]);
	else
		give_up("no key is called {%s}", name);
}

static void type(const char *text)
{
	AUTO_TEXT out = TEXT_NONE;

	while (*text) {
		const char *end = *text == '{' ? strchr(text + 2, '}') : NULL;
		AUTO(str) char *name = NULL;

		if (!end) {
			text_put_char(&out, *text++);
			continue;
		}
		name = mem_strndup(text + 1, (size_t)(end - text - 1));
		put_key(name, &out);
		text = end + 1;
	}
	send(text_get(&out), out.length);
}

/* ---- looking ---- */

static bool shows(const char *text)
{
	AUTO_TEXT row = TEXT_NONE;

	for (unsigned at = 0; at < term.vt.rows; at++) {
		text_cut(&row, 0);
		vt_row(&term.vt, at, &row);
		if (strstr(text_get(&row), text))
			return true;
	}
	return false;
}

static void wait_until(const char *text, bool there)
{
	long end = now_ms() + PATIENCE_MS;

	while (shows(text) != there) {
		bool over = has_ended();

		if (!drain(10) && over)
			give_up("it ended before '%s' %s", text,
				there ? "came" : "went");
		if (now_ms() > end)
			give_up("'%s' does not %s", text,
				there ? "come" : "go");
	}
}

static void tell_complaints(void)
{
	say(&term.vt.complaints);
	text_cut(&term.vt.complaints, 0);
}

static void do_screen(const char *text)
{
	AUTO_TEXT screen = TEXT_NONE;

	(void)text;
	settle();
	vt_show(&term.vt, &screen);
	say(&screen);
	tell_complaints();
}

/* Not before the one before has been dealt with: what is typed ahead, while a
 * program gives the terminal to another, is echoed by the kernel. */
static void do_type(const char *text)
{
	settle();
	type(text);
}

static void do_wipe(const char *text)
{
	(void)text;
	settle();
	type("{C-l}");
	settle();
}

/* ---- the program ---- */

static void read_size(const char *text, unsigned *rows, unsigned *columns)
{
	if (sscanf(text, "%ux%u", columns, rows) != 2 || *rows > 500 ||
	    *columns > 500)
		give_up("'%s' is no size", text);
}

static void do_size(const char *text)
{
	read_size(text, &term.rows, &term.columns);
}

static void tell_size(unsigned rows, unsigned columns)
{
	struct winsize size = { .ws_row = (unsigned short)rows,
				.ws_col = (unsigned short)columns };

	ioctl(term.master, TIOCSWINSZ, &size);
}

static void do_resize(const char *text)
{
	settle();
	read_size(text, &term.rows, &term.columns);
	vt_resize(&term.vt, term.rows, term.columns);
	tell_size(term.rows, term.columns);
}

static void become(const char *command)
{
	AUTO(str) char *line = mem_printf("exec %s", command);

	close(term.master);
	login_tty(term.slave);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	execl("/bin/sh", "sh", "-c", line, (char *)NULL);
	_exit(127);
}

static void close_terminal(void)
{
	if (term.master < 0)
		return;
	close(term.master);
	close(term.slave);
	vt_clear(&term.vt);
}

static void do_run(const char *command)
{
	const char *name = getenv("TERM");

	end_child();
	close_terminal();
	if (openpty(&term.master, &term.slave, NULL, NULL, NULL) < 0)
		give_up("no pseudo-terminal: %s", strerror(errno));
	fcntl(term.master, F_SETFL, O_NONBLOCK);
	fcntl(term.master, F_SETFD, FD_CLOEXEC);
	fcntl(term.slave, F_SETFD, FD_CLOEXEC);
	tell_size(term.rows, term.columns);
	vt_init(&term.vt, term.rows ? term.rows : 24,
		term.columns ? term.columns : 80,
		!name || !strcmp(name, "dumb"));
	tcgetattr(term.slave, &term.before);
	fflush(stdout);
	term.child = fork();
	if (!term.child)
		become(command);
}

static void do_signal(const char *name)
{
	pid_t front = tcgetpgrp(term.master);

	settle();
	for (int number = 1; number < NSIG; number++) {
		const char *known = sigabbrev_np(number);

		if (!known || strcmp(known, name) != 0)
			continue;
		kill(front > 0 ? -front : term.child, number);
		return;
	}
	give_up("no signal is called %s", name);
}

static void tell_terminal(void)
{
	struct termios now;

	tcgetattr(term.slave, &now);
	if (now.c_lflag != term.before.c_lflag ||
	    now.c_iflag != term.before.c_iflag ||
	    now.c_oflag != term.before.c_oflag ||
	    memcmp(now.c_cc, term.before.c_cc, sizeof(now.c_cc)) != 0)
		puts("THE TERMINAL IS NOT AS BEFORE");
	if (term.vt.other)
		puts("THE SECOND SCREEN IS STILL SHOWN");
	if (term.vt.bracketed)
		puts("PASTES STILL COME IN BRACKETS");
	if (term.vt.hidden)
		puts("THE CURSOR IS STILL HIDDEN");
	if (term.vt.pen.style || term.vt.pen.colour)
		puts("WHAT IS WRITTEN NOW IS STILL PAINTED");
}

static void do_end(const char *text)
{
	long end = now_ms() + PATIENCE_MS;

	(void)text;
	while (!has_ended()) {
		drain(10);
		if (now_ms() > end)
			give_up("it does not end");
	}
	drain(0);
	if (WIFSIGNALED(term.status))
		printf("[%s]\n", sigabbrev_np(WTERMSIG(term.status)));
	else
		printf("[%d]\n", WEXITSTATUS(term.status));
	tell_terminal();
	tell_complaints();
}

/* ---- the script ---- */

static void do_shell(const char *command)
{
	AUTO(str) char *line = mem_printf("{ %s\n} 2>&1", command);
	const char *const argv[] = { "sh", "-c", line, NULL };
	int ends[2], status;
	char bytes[4096];
	pid_t child;
	ssize_t got;
	bool begins = true;

	fflush(stdout);
	if (pipe2(ends, O_CLOEXEC) < 0 || (child = fork()) < 0)
		give_up("no process: %s", strerror(errno));
	if (!child) {
		dup2(ends[1], 1);
		execv("/bin/sh", (char *const *)argv);
		_exit(127);
	}
	close(ends[1]);
	while ((got = read(ends[0], bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < got; i++) {
			if (begins)
				fputs("  ", stdout);
			putchar(bytes[i]);
			begins = bytes[i] == '\n';
		}
	close(ends[0]);
	waitpid(child, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		printf("  [%d]\n", WEXITSTATUS(status));
}

static void do_env(const char *text)
{
	const char *equals = strchr(text, '=');
	AUTO(str)
	char *name = mem_strndup(text, strcspn(text, "="));

	if (equals)
		setenv(name, equals + 1, 1);
	else
		unsetenv(name);
}

static void do_wait(const char *text)
{
	wait_until(text, true);
}

static void do_rest(const char *text)
{
	(void)text;
	settle();
}

static void do_gone(const char *text)
{
	wait_until(text, false);
}

static const struct step {
	const char *name;
	void (*run)(const char *text);
	bool inside; /* needs a program in the terminal */
} steps[] = {
	{ "$", do_shell, false },      { "size", do_size, false },
	{ "env", do_env, false },      { "run", do_run, false },
	{ "type", do_type, true },     { "wait", do_wait, true },
	{ "gone", do_gone, true },     { "screen", do_screen, true },
	{ "wipe", do_wipe, true },     { "rest", do_rest, true },
	{ "resize", do_resize, true }, { "signal", do_signal, true },
	{ "end", do_end, true },
};

static void do_line(const char *line)
{
	size_t length = strcspn(line, " ");

	puts(line);
	if (!*line || *line == '#')
		return;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (strlen(steps[i].name) != length ||
		    strncmp(steps[i].name, line, length) != 0)
			continue;
		if (steps[i].inside && term.master < 0)
			give_up("nothing was run yet");
		steps[i].run(line + length + (line[length] == ' '));
		return;
	}
	give_up("what is '%s'?", line);
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "re") : NULL;
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	if (!file) {
		fputs("usage: term SCRIPT\n", stderr);
		return 2;
	}
	utf8_start();
	signal(SIGPIPE, SIG_IGN);
	term.script = argv[1];
	while ((length = getline(&line, &room, file)) > 0) {
		term.line++;
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		do_line(line);
	}
	free(line);
	fclose(file);
	end_child();
	close_terminal();
	return 0;
}
