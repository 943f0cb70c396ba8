/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c - tressed, the engine: options, signals, and the loop of control. */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "backends/engine/control.h"
#include "backends/engine/watch.h"

static const char usage[] =
	"usage: tressed [--socket PATH]\n"
	"\n"
	"The engine of Tresse: carries the tunnels that tresse(8) describes.\n"
	"\n"
	"  -s, --socket PATH  where it is told and asked; TRESSE_SOCKET, or\n"
	"                     /run/tresse/engine.sock\n"
	"  -V, --version      its version\n"
	"  -h, --help         this text\n";

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int loop(struct control *control, struct engine *engine)
{
	struct pollfd fds[3] = {
		{ .fd = control_fd(control), .events = POLLIN },
		{ .fd = signals_open(), .events = POLLIN },
		{ .fd = watch_open(), .events = POLLIN },
	};

	for (;;) {
		struct signalfd_siginfo got;

		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[2].revents)
			watch_turn(fds[2].fd, engine);
		if (fds[0].revents)
			control_turn(control);
		if (fds[1].revents &&
		    read(fds[1].fd, &got, sizeof(got)) == sizeof(got) &&
		    got.ssi_signo != SIGHUP)
			return 0;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	AUTO(engine) struct engine *engine = engine_new();
	AUTO(control) struct control *control = NULL;
	const char *path = getenv("TRESSE_SOCKET");
	AUTO_ERR err = ERR_NONE;
	int option;

	while ((option = getopt_long(argc, argv, "s:Vh", options, NULL)) != -1)
		switch (option) {
		case 's': path = optarg; break;
		case 'V': puts("tressed " TRESSE_VERSION); return 0;
		case 'h': fputs(usage, stdout); return 0;
		default: fputs(usage, stderr); return 2;
		}
	control = control_new(path ? path : "/run/tresse/engine.sock", engine,
			      &err);
	if (!control) {
		fprintf(stderr, "tressed: %s\n", err.text);
		return 1;
	}
	return loop(control, engine);
}
