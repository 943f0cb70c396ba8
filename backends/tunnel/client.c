/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/tunnel/client.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backends/engine/control.h"
#include "model/base/mem.h"

enum {
	PATIENCE_MS = 15000,
	START_MS = 5000,
	ANSWER_MAX = 64 << 20,
};

const char *client_path(void)
{
	const char *path = getenv("TRESSE_SOCKET");

	return path && *path ? path : "/run/tresse/engine.sock";
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int dial(struct err *err)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	const char *path = client_path();
	int fd, rc;

	if (strlen(path) >= sizeof(name.sun_path))
		return err_set(err, ENAMETOOLONG,
			       "%s: is too long for a socket", path);
	memcpy(name.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0)
		return fd;
	if (errno == EACCES || errno == EPERM)
		rc = err_set(err, EPERM,
			     "the engine at %s may only be asked by root",
			     path);
	else
		rc = err_set(err, ECONNREFUSED,
			     "no engine answers at %s: `tresse repair` starts "
			     "it (or systemctl start tressed)",
			     path);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int send_all(int fd, const char *text, size_t size, struct err *err)
{
	while (size) {
		ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return err_set(err, EIO, "the engine has gone: %m");
		text += sent;
		size -= (size_t)sent;
	}
	return 0;
}

/* A line, or NULL. */
static char *receive(int fd, struct err *err)
{
	int64_t until = now_ms() + PATIENCE_MS;
	size_t size = 0, room = 0;
	char *text = NULL;

	while (!size || text[size - 1] != '\n') {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (poll(&wait, 1, (int)(until - now_ms())) == 0 ||
		    now_ms() > until || size > ANSWER_MAX) {
			err_set(err, ETIMEDOUT,
				"the engine has not answered in %d s",
				PATIENCE_MS / 1000);
			break;
		}
		if (room - size < 4096) {
			room = room * 2 + 65536;
			text = mem_resize(text, room);
		}
		got = recv(fd, text + size, room - size - 1, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			err_set(err, EIO, "the engine hung up");
			break;
		}
		size += (size_t)got;
		text[size] = '\0';
	}
	if (size && text[size - 1] == '\n')
		return text;
	free(text);
	return NULL;
}

/* The engine names its errors; the number decides our exit code. */
static int code_of(const char *name)
{
	for (int code = 1; name && code < 134; code++) {
		const char *known = strerrorname_np(code);

		if (known && !strcmp(known, name))
			return code;
	}
	return EIO;
}

static json_t *result_of(const char *text, struct err *err)
{
	json_t *answer = json_loads(text, 0, NULL);
	json_t *done = json_object_get(answer, "done");
	const json_t *error = json_object_get(answer, "error");
	const char *said = json_string_value(json_object_get(error, "text"));

	json_incref(done);
	if (!done)
		err_set(err,
			code_of(json_string_value(
				json_object_get(error, "code"))),
			"%s", said ? said : "the engine speaks in riddles");
	json_decref(answer);
	return done;
}

json_t *client_ask(json_t *request, struct err *err)
{
	char *text, *answer = NULL;
	json_t *done = NULL;
	int fd = dial(err);

	if (fd < 0) {
		json_decref(request);
		return NULL;
	}
	json_object_set_new(request, "protocol",
			    json_integer(CONTROL_PROTOCOL));
	text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (text && !send_all(fd, text, strlen(text), err) &&
	    !send_all(fd, "\n", 1, err))
		answer = receive(fd, err);
	if (text)
		mem_wipe(text, strlen(text));
	if (answer)
		done = result_of(answer, err);
	free(answer);
	close(fd);
	return done;
}

int client_follow(struct err *err)
{
	AUTO(str)
	char *text = mem_printf("{\"protocol\":%d,\"do\":\"follow\"}\n",
				CONTROL_PROTOCOL);
	int fd = dial(err);

	if (fd >= 0 && send_all(fd, text, strlen(text), err)) {
		close(fd);
		return err->code;
	}
	return fd;
}

/* --- starting one --------------------------------------------------------- */

static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	close_range(3, ~0U, 0);
}

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value;
}

/* Its unit is for the machine's own network, store and socket (sd_booted(3)).
 */
static bool is_systemds(void)
{
	struct stat folder, ours, its;

	return !is_set("TRESSE_SOCKET") && !is_set("TRESSE_STORE") &&
	       stat("/run/systemd/system", &folder) == 0 &&
	       stat("/proc/self/ns/net", &ours) == 0 &&
	       stat("/proc/1/ns/net", &its) == 0 && ours.st_ino == its.st_ino &&
	       ours.st_dev == its.st_dev;
}

/* An engine that systemd has started comes back when it dies. False: it has no
 * such unit, or does not want to. */
static bool ask_systemd(int64_t until)
{
	struct timespec pause = { 0, 5000000 };
	pid_t child = fork(), ended;
	int status = 1;

	if (child == 0) {
		leave_terminal();
		execlp("systemctl", "systemctl", "--no-ask-password", "start",
		       "tressed.socket", (char *)NULL);
		_exit(127);
	}
	if (child < 0)
		return false;
	while ((ended = waitpid(child, &status, WNOHANG)) == 0) {
		if (now_ms() > until)
			kill(child, SIGKILL);
		nanosleep(&pause, NULL);
	}
	return ended == child && status == 0;
}

/* Beside our own program, as in a build directory; else where programs are. */
static void run_engine(void)
{
	char path[4096 + 16];
	ssize_t size = readlink("/proc/self/exe", path, 4096);
	char *slash;

	leave_terminal();
	if (size > 0) {
		path[size] = '\0';
		slash = strrchr(path, '/');
		memcpy(slash + 1, "tressed", sizeof("tressed"));
		execl(path, "tressed", "--socket", client_path(), (char *)NULL);
	}
	execlp("tressed", "tressed", "--socket", client_path(), (char *)NULL);
	_exit(127);
}

static bool answers(void)
{
	AUTO_ERR err = ERR_NONE;
	json_t *done = client_ask(json_pack("{s:s}", "do", "hello"), &err);

	json_decref(done);
	return done != NULL;
}

/* Twice forked: it is nobody's child, and nobody has to wait for it. */
static void spawn(void)
{
	pid_t child = fork();

	if (child == 0) {
		if (fork() == 0)
			run_engine();
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

static void make_folder(void)
{
	AUTO(str) char *folder = mem_strdup(client_path());
	char *slash = strrchr(folder, '/');

	if (slash && slash != folder) {
		*slash = '\0';
		mkdir(folder, 0755);
	}
}

int client_start(struct err *err)
{
	int64_t until = now_ms() + START_MS;
	struct timespec pause = { 0, 5000000 };

	if (answers())
		return 0;
	if (!is_systemds() || !ask_systemd(until)) {
		make_folder();
		spawn();
	}
	while (!answers()) {
		if (now_ms() > until)
			return err_set(err, ETIMEDOUT,
				       "the engine did not start; run "
				       "`tressed --socket %s` to see why",
				       client_path());
		nanosleep(&pause, NULL);
	}
	return 0;
}
