/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/control.h"

#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	READ_AT_ONCE = 64 << 10,
	TURNS = 64, /* reads, answers and greetings of one control_turn() */
	LARGE = 256 << 10, /* bytes of a line: it leaves holes in the heap */
};

struct client {
	TAILQ_ENTRY(client) entry;
	int fd;
	bool may_write, follows;
	uint64_t told;	/* the last time's number */
	uint64_t moved; /* when its last byte came or went */
	char *in;	/* owned: a line that is not complete */
	size_t in_size, in_room;
	char *out; /* owned: what was not taken yet */
	size_t out_size, out_done;
};

struct control {
	struct engine *engine;
	int lock;		    /* of the path that we made, or -1 */
	struct keeping_socket made; /* by us; 0: adopted */
	uid_t owner;		    /* who made it; may tell, like root */
	int listener, epoll;
	unsigned count;
	uint64_t now, told;
	TAILQ_HEAD(, client) clients; /* the stillest first */
};

/* --- answers -------------------------------------------------------------- */

static const char *code_name(int code)
{
	const char *name = strerrorname_np(code < 0 ? -code : code);

	return name ? name : "EIO";
}

static json_t *error_json(const struct err *err)
{
	json_t *error = json_object(), *answer = json_object();
	json_t *text = json_string(err->text ? err->text : "failed");

	json_object_set_new(error, "code", json_string(code_name(err->code)));
	json_object_set_new(error, "text", text ? text : json_string("?"));
	json_object_set_new(answer, "error", error);
	return answer;
}

static json_t *done_json(json_t *result)
{
	json_t *answer = json_object();

	json_object_set_new(answer, "done", result);
	return answer;
}

/* --- requests ------------------------------------------------------------- */

static json_t *do_hello(struct control *control, struct client *client,
			const json_t *request, struct err *err)
{
	(void)control;
	(void)client;
	(void)request;
	(void)err;
	return json_pack("{s:s, s:i, s:i, s:i}", "version", TRESSE_VERSION,
			 "protocol", CONTROL_PROTOCOL, "pid", (int)getpid(),
			 "uid", (int)geteuid());
}

static json_t *do_set(struct control *control, struct client *client,
		      const json_t *request, struct err *err)
{
	(void)client;
	if (engine_set(control->engine, json_object_get(request, "link"),
		       json_object_get(request, "keys"), err))
		return NULL;
	return json_object();
}

static json_t *do_remove(struct control *control, struct client *client,
			 const json_t *request, struct err *err)
{
	const char *name = json_string_value(json_object_get(request, "link"));

	(void)client;
	if (!name) {
		err_set(err, EINVAL, "remove: link: is no name");
		return NULL;
	}
	engine_remove(control->engine, name);
	return json_object();
}

static json_t *do_get(struct control *control, struct client *client,
		      const json_t *request, struct err *err)
{
	(void)client;
	(void)request;
	(void)err;
	return engine_get(control->engine);
}

static json_t *do_status(struct control *control, struct client *client,
			 const json_t *request, struct err *err)
{
	(void)client;
	(void)err;
	return engine_status(control->engine, json_string_value(json_object_get(
						      request, "link")));
}

static json_t *do_past(struct control *control, struct client *client,
		       const json_t *request, struct err *err)
{
	(void)client;
	(void)err;
	return engine_past(control->engine,
			   json_string_value(json_object_get(request, "link")));
}

static json_t *do_follow(struct control *control, struct client *client,
			 const json_t *request, struct err *err)
{
	(void)control;
	(void)request;
	(void)err;
	client->follows = true;
	return json_object();
}

static const struct verb {
	const char *name;
	bool writes;
	json_t *(*run)(struct control *, struct client *, const json_t *,
		       struct err *);
} verbs[] = {
	{ "hello", false, do_hello },	{ "set", true, do_set },
	{ "remove", true, do_remove },	{ "get", false, do_get },
	{ "status", false, do_status }, { "past", false, do_past },
	{ "follow", false, do_follow },
};

static json_t *run(struct control *control, struct client *client,
		   const json_t *request, struct err *err)
{
	const char *name = json_string_value(json_object_get(request, "do"));
	const json_t *protocol = json_object_get(request, "protocol");

	if (json_integer_value(protocol) != CONTROL_PROTOCOL) {
		err_set(err, EPROTONOSUPPORT,
			"protocol: this engine (%s) speaks %d", TRESSE_VERSION,
			CONTROL_PROTOCOL);
		return NULL;
	}
	for (size_t i = 0; name && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, name))
			continue;
		if (verbs[i].writes && !client->may_write) {
			err_set(err, EPERM, "%s: only root may", name);
			return NULL;
		}
		return verbs[i].run(control, client, request, err);
	}
	err_set(err, EINVAL,
		"do: is not hello, set, remove, get, status, "
		"past or follow");
	return NULL;
}

static json_t *answer_line(struct control *control, struct client *client,
			   const char *line, size_t size)
{
	AUTO_ERR err = ERR_NONE;
	json_error_t where;
	json_t *request =
		json_loadb(line, size, JSON_REJECT_DUPLICATES, &where);
	json_t *result = NULL, *answer;

	if (!json_is_object(request))
		err_set(&err, EINVAL, "no JSON object: %s",
			request ? "it is something else" : where.text);
	else
		result = run(control, client, request, &err);
	answer = result ? done_json(result) : error_json(&err);
	if (request && json_object_get(request, "id"))
		json_object_set(answer, "id", json_object_get(request, "id"));
	json_decref(request);
	return answer;
}

/* --- clients -------------------------------------------------------------- */

static void client_free(struct control *control, struct client *client)
{
	TAILQ_REMOVE(&control->clients, client, entry);
	control->count--;
	close(client->fd);
	mem_wipe(client->in, client->in_room);
	free(client->out);
	free(client);
}

static void want(struct control *control, struct client *client,
		 uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = client };

	epoll_ctl(control->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

static void moved(struct control *control, struct client *client)
{
	client->moved = control->now;
	TAILQ_REMOVE(&control->clients, client, entry);
	TAILQ_INSERT_TAIL(&control->clients, client, entry);
}

/* false: the other end is gone. */
static bool client_write(struct control *control, struct client *client)
{
	while (client->out_done < client->out_size) {
		ssize_t wrote = send(client->fd, client->out + client->out_done,
				     client->out_size - client->out_done,
				     MSG_NOSIGNAL | MSG_DONTWAIT);

		if (wrote < 0 && errno == EAGAIN) {
			want(control, client, EPOLLOUT);
			return true;
		}
		if (wrote < 0)
			return false;
		client->out_done += (size_t)wrote;
		moved(control, client);
	}
	if (client->out_size > LARGE)
		free(TAKE(client->out));
	client->out_size = client->out_done = 0;
	want(control, client, EPOLLIN);
	return true;
}

static void client_answer(struct client *client, json_t *answer)
{
	char *text = json_dumps(answer, JSON_COMPACT);
	size_t size = text ? strlen(text) : 0;

	json_decref(answer);
	client->out = mem_resize(client->out, client->out_size + size + 1);
	if (size)
		memcpy(client->out + client->out_size, text, size);
	client->out[client->out_size + size] = '\n';
	client->out_size += size + 1;
	free(text);
}

/* One line at a time: the next is looked at when the answer has gone. */
static bool client_lines(struct control *control, struct client *client)
{
	while (client->in_size && !client->out_size) {
		char *end = memchr(client->in, '\n', client->in_size);
		size_t size;

		if (!end)
			return client->in_size < CONTROL_LINE;
		size = (size_t)(end - client->in);
		client_answer(client,
			      answer_line(control, client, client->in, size));
		/* What many peers are told in is given back at once, not when
		 * the next one asks. */
		if (size > LARGE || client->out_size > LARGE)
			malloc_trim(0);
		client->in_size -= size + 1;
		memmove(client->in, end + 1, client->in_size);
		explicit_bzero(client->in + client->in_size, size + 1);
		if (!client_write(control, client))
			return false;
	}
	return true;
}

static bool client_read(struct control *control, struct client *client)
{
	ssize_t got;

	if (client->in_room - client->in_size < READ_AT_ONCE) {
		client->in_room = client->in_room * 2 + READ_AT_ONCE;
		client->in = mem_resize(client->in, client->in_room);
	}
	got = recv(client->fd, client->in + client->in_size, READ_AT_ONCE,
		   MSG_DONTWAIT);
	if (got > 0) {
		client->in_size += (size_t)got;
		moved(control, client);
	}
	return got > 0 || (got < 0 && errno == EAGAIN);
}

static void client_turn(struct control *control, struct client *client,
			uint32_t events)
{
	bool good = true;

	if (events & EPOLLOUT)
		good = client_write(control, client);
	else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		good = client_read(control, client);
	if (!good || !client_lines(control, client))
		client_free(control, client);
}

static void client_new(struct control *control)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t length = sizeof(who);
	struct client *client;
	int fd = accept4(control->listener, NULL, NULL,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (control->count >= CONTROL_CLIENTS)
		client_free(control, TAILQ_FIRST(&control->clients));
	client = mem_alloc(sizeof(*client));
	client->fd = fd;
	client->moved = control->now;
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length))
		client->may_write = who.uid == 0 || who.uid == control->owner;
	TAILQ_INSERT_TAIL(&control->clients, client, entry);
	control->count++;
	event.data.ptr = client;
	epoll_ctl(control->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* --- the socket ----------------------------------------------------------- */

struct control *control_adopt(int fd, struct engine *engine)
{
	struct control *control = mem_alloc(sizeof(*control));
	struct epoll_event event = { .events = EPOLLIN };

	control->engine = engine;
	control->lock = -1;
	control->listener = fd;
	control->owner = geteuid();
	control->epoll = epoll_create1(EPOLL_CLOEXEC);
	TAILQ_INIT(&control->clients);
	epoll_ctl(control->epoll, EPOLL_CTL_ADD, fd, &event);
	return control;
}

static bool is_answered(const struct sockaddr_un *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answered =
		!connect(fd, (const struct sockaddr *)name, sizeof(*name));

	close(fd);
	return answered;
}

/* Two that start at once, after a crash of the last one, both find nobody: the
 * second would take the socket away from the first, who has the devices. So who
 * holds the lock has the path; it goes with the process. */
static int lock_path(const char *path, struct err *err)
{
	AUTO(str) char *name = mem_printf("%s-lock", path);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ENOENT,
			       "%s: its directory is not there: make it, or "
			       "name another place with --socket",
			       path);
	if (fd < 0)
		return err_set(err, errno, "%s: %m", name);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	close(fd);
	return err_set(err, EADDRINUSE,
		       "%s: another engine has it, or is about to", path);
}

static int listen_at(const struct sockaddr_un *name, struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0117);
	int rc;

	unlink(name->sun_path);
	rc = bind(fd, (const struct sockaddr *)name, sizeof(*name));
	umask(mask);
	if (rc == 0 && listen(fd, CONTROL_CLIENTS * 2) == 0)
		return fd;
	err_set(err, errno, "%s: %m", name->sun_path);
	close(fd);
	return err->code;
}

static int take_path(const struct sockaddr_un *name, int *lock, struct err *err)
{
	int fd;

	/* One of a version that knows no lock. */
	if (is_answered(name))
		return err_set(err, EADDRINUSE,
			       "%s: an engine answers there already",
			       name->sun_path);
	*lock = lock_path(name->sun_path, err);
	if (*lock < 0)
		return *lock;
	fd = listen_at(name, err);
	if (fd < 0)
		close(*lock);
	return fd;
}

struct control *control_new(const char *path, struct engine *engine,
			    struct err *err)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	AUTO_ERR own = ERR_NONE;
	struct control *control;
	struct stat about;
	int fd, lock = -1;

	if (strlen(path) >= sizeof(name.sun_path)) {
		err_set(err, ENAMETOOLONG, "%s: is too long for a socket",
			path);
		return NULL;
	}
	memcpy(name.sun_path, path, strlen(path));
	fd = take_path(&name, &lock, &own);
	if (fd < 0) {
		err_move(err, &own);
		return NULL;
	}
	control = control_adopt(fd, engine);
	control->lock = lock;
	if (stat(path, &about) == 0)
		control->made =
			(struct keeping_socket){ about.st_dev, about.st_ino };
	return control;
}

const struct keeping_socket *control_made(const struct control *control)
{
	return control->made.inode ? &control->made : NULL;
}

void control_free(struct control *control)
{
	struct client *client;

	if (!control)
		return;
	while ((client = TAILQ_FIRST(&control->clients)))
		client_free(control, client);
	close(control->listener);
	close(control->epoll);
	if (control->lock >= 0)
		close(control->lock); /* last: until now the path is ours */
	free(control);
}

static json_t *moment_line(json_t *moment)
{
	return json_pack("{s:O}", "moment", moment);
}

void control_tell(struct control *control, json_t *moments, uint64_t now_us)
{
	struct client *client, *next;
	json_t *moment;
	size_t i;

	control->now = now_us;
	control->told++;
	for (client = TAILQ_FIRST(&control->clients);
	     client && json_array_size(moments); client = next) {
		next = TAILQ_NEXT(client, entry);
		/* Who is told goes to the end, and is met again there. */
		if (!client->follows || client->told == control->told)
			continue;
		client->told = control->told;
		/* Its patience begins with the first byte that is not taken. */
		if (!client->out_size)
			moved(control, client);
		json_array_foreach(moments, i, moment)
			client_answer(client, moment_line(moment));
		if (client->out_size - client->out_done > CONTROL_UNHEARD ||
		    !client_write(control, client))
			client_free(control, client);
	}
	json_decref(moments);
}

int control_fd(const struct control *control)
{
	return control->epoll;
}

/* Something is under way that its client has to go on with. */
static bool is_amid(const struct client *client)
{
	return client->in_size || client->out_size;
}

uint64_t control_next(const struct control *control)
{
	const struct client *client;

	TAILQ_FOREACH (client, &control->clients, entry)
		if (is_amid(client))
			return client->moved + CONTROL_PATIENCE_US;
	return UINT64_MAX;
}

static void lose_patience(struct control *control)
{
	struct client *client = TAILQ_FIRST(&control->clients), *next;

	for (; client; client = next) {
		next = TAILQ_NEXT(client, entry);
		if (is_amid(client) &&
		    control->now - client->moved >= CONTROL_PATIENCE_US)
			client_free(control, client);
	}
}

void control_turn(struct control *control, uint64_t now_us)
{
	struct epoll_event event;

	control->now = now_us;
	/* One at a time: a turn may free the client of the next event. */
	for (int i = 0; i < TURNS; i++) {
		if (epoll_wait(control->epoll, &event, 1, 0) != 1)
			break;
		if (event.data.ptr)
			client_turn(control, event.data.ptr, event.events);
		else
			client_new(control);
	}
	lose_patience(control);
}
