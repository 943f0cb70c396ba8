/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c - tressed, the engine: options, signals, and the loop of control. */
#include <getopt.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "backends/engine/aead.h"
#include "backends/engine/control.h"
#include "backends/engine/keeper.h"
#include "backends/engine/notify.h"
#include "backends/engine/past.h"
#include "backends/engine/restore.h"
#include "backends/engine/sandbox.h"
#include "backends/engine/steer.h"
#include "backends/engine/tun.h"
#include "backends/engine/watch.h"
#include "backends/tunnel/client.h"

static const char usage[] =
	"usage: tressed [--socket PATH] [--store FILE] [--measured FILE]\n"
	"               [--user NAME]\n"
	"\n"
	"The engine of Tresse: carries the tunnels that tresse(8) describes.\n"
	"\n"
	"  -s, --socket PATH  where it is told and asked; TRESSE_SOCKET, or\n"
	"                     /run/tresse/engine.sock\n"
	"      --store FILE   what it starts with; TRESSE_STORE, or\n"
	"                     /var/lib/tresse/tresse.db\n"
	"      --measured FILE\n"
	"                     what it measures, kept over its end; the "
	"store's\n"
	"                     name and .measured\n"
	"      --user NAME    who it becomes, with CAP_NET_ADMIN and _RAW; "
	"tressed,\n"
	"                     or nobody where there is no such user\n"
	"  -V, --version      its version\n"
	"  -h, --help         this text\n"
	"\n"
	"SIGHUP: it reads the store again. SIGTERM, SIGINT: it ends.\n";

enum { LARGE = 64 << 10 };

struct options {
	const char *socket, *store, *measured, *user;
};

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

/* The exit status, or -1 to go on. */
static int options_read(int argc, char **argv, struct options *options)
{
	static const struct option rows[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "store", required_argument, NULL, 'S' },
		{ "measured", required_argument, NULL, 'm' },
		{ "user", required_argument, NULL, 'u' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "s:Vh", rows, NULL)) != -1)
		switch (option) {
		case 's': options->socket = optarg; break;
		case 'S': options->store = optarg; break;
		case 'm': options->measured = optarg; break;
		case 'u': options->user = optarg; break;
		case 'V': puts("tressed " TRESSE_VERSION); return 0;
		case 'h': fputs(usage, stdout); return 0;
		default: fputs(usage, stderr); return 2;
		}
	if (optind == argc)
		return -1;
	fprintf(stderr, "tressed: %s: what is that?\n%s", argv[optind], usage);
	return 2;
}

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

static void load(struct engine *engine, const char *store)
{
	AUTO_ERR err = ERR_NONE;
	json_t *links = keeper_links(&err);

	if (links)
		restore(engine, links);
	else
		fprintf(stderr, "tressed: %s: %s\n", store, err.text);
	json_decref(links);
}

/* false: it is to end. */
static bool hear(int fd, struct engine *engine, const char *store)
{
	struct signalfd_siginfo got;

	while (read(fd, &got, sizeof(got)) == sizeof(got)) {
		if (got.ssi_signo != SIGHUP)
			return false;
		notify("RELOADING=1");
		load(engine, store);
		notify("READY=1");
	}
	return true;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* For poll(2), at most a minute. */
static int wait_ms(const struct control *control, const struct engine *engine)
{
	uint64_t next = control_next(control), now = now_us();
	uint64_t save = engine_next(engine, now);

	if (save < next)
		next = save;
	if (next == UINT64_MAX)
		return -1;
	return next <= now	       ? 0
	       : next - now > 60000000 ? 60000
				       : (int)((next - now + 999) / 1000);
}

static int loop(struct control *control, struct engine *engine, int signals,
		const char *store)
{
	struct pollfd fds[] = {
		{ .fd = control_fd(control), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = watch_open(), .events = POLLIN },
		{ .fd = engine_names_fd(engine), .events = POLLIN },
		{ .fd = engine_news_fd(engine), .events = POLLIN },
		{ .fd = keeper_fd() }, /* for its end */
	};

	for (;;) {
		fds[5].fd = keeper_fd();
		if (poll(fds, ARRAY_SIZE(fds), wait_ms(control, engine)) < 0)
			continue;
		if (fds[1].revents && !hear(fds[1].fd, engine, store))
			return 0;
		if (fds[2].revents)
			watch_turn(fds[2].fd, engine);
		if (fds[3].revents)
			engine_names(engine);
		if (fds[4].revents)
			control_tell(control, engine_news(engine), now_us());
		if (fds[5].revents)
			keeper_look();
		engine_turn(engine, now_us());
		control_turn(control, now_us());
	}
}

/* By systemd's socket, or by one of our own. */
static struct control *control_open(const struct options *options,
				    struct engine *engine, struct err *err)
{
	if (sd_listen_fds(1) == 1)
		return control_adopt(SD_LISTEN_FDS_START, engine);
	return control_new(options->socket, engine, err);
}

/* Who it is from here on, for those who look (journal, systemctl status). */
static int become(const struct options *options, struct err *err)
{
	char who[SANDBOX_NAME];
	AUTO(str) char *status = NULL;

	if (sandbox_drop(options->user, who, err) < 0)
		return err->code;
	if (!sandbox_has_network())
		return err_set(err, EPERM,
			       "it lacks CAP_NET_ADMIN, and carries nothing "
			       "without it: start it as root, or by systemd");
	fprintf(stderr, "tressed: user %s\n", who);
	status = mem_printf("STATUS=user %s", who);
	notify(status);
	return 0;
}

static int serve(const struct options *options, struct engine *engine,
		 struct control *control, int signals, struct err *err)
{
	int status;

	aead_choose(); /* measured while nobody waits for it */
	steer_open();
	if (become(options, err) < 0)
		return 1;
	load(engine, options->store);
	malloc_trim(0);
	if (sandbox_lock(err) < 0)
		return 1;
	notify("READY=1");
	status = loop(control, engine, signals, options->store);
	notify("STOPPING=1");
	return status;
}

static const struct past_shelf measured = { keeper_read, keeper_write };

static int run(const struct options *options, struct err *err)
{
	/* Freed last: who starts while we end must not find the place of the
	 * engine free and its devices taken. */
	AUTO(control) struct control *control = NULL;
	AUTO(engine) struct engine *engine = engine_new(&measured);
	int signals = signals_open(), status;

	control = control_open(options, engine, err);
	if (!control)
		return 1;
	status = serve(options, engine, control, signals, err);
	engine_free(TAKE(engine));
	if (control_made(control))
		keeper_leave(control_made(control));
	return status;
}

int main(int argc, char **argv)
{
	struct options options = {
		.socket = client_path(),
		.store = setting("TRESSE_STORE", "/var/lib/tresse/tresse.db"),
	};
	AUTO_ERR err = ERR_NONE;
	AUTO(str) char *beside = NULL;
	struct keeping_files files;
	int status = options_read(argc, argv, &options);

	/* Of a peer's large tables only what is used is to be real. */
	mallopt(M_MMAP_THRESHOLD, LARGE);
	/* No thread allocates while packets flow: they need no heap each. */
	mallopt(M_ARENA_MAX, 1);
	if (status >= 0)
		return status;
	beside = mem_printf("%s.measured", options.store);
	if (!options.measured)
		options.measured = beside;
	files = (struct keeping_files){ options.store, options.measured,
					options.socket };
	notify_open();
	tun_by(keeper_tun);
	status = keeper_start(&files, &err) < 0 ? 1 : run(&options, &err);
	if (status)
		fprintf(stderr, "tressed: %s\n", err.text);
	return status;
}
