/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hostile bytes at the engine's socket, beside a client that behaves. */
#include "backends/engine/control.h"

#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define HELLO "{\"protocol\":1,\"id\":7,\"do\":\"hello\"}\n"

struct place {
	struct engine *engine;
	struct control *control;
	struct sockaddr_un name;
	socklen_t length;
	uint64_t now;
};

/* An address that the kernel chooses: unix(7), autobind. */
static void open_place(struct place *place)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*place = (struct place){ .name.sun_family = AF_UNIX,
				 .length = sizeof(sa_family_t),
				 .now = 1000000 };
	CU_ASSERT_EQUAL(
		bind(fd, (struct sockaddr *)&place->name, place->length), 0);
	place->length = sizeof(place->name);
	getsockname(fd, (struct sockaddr *)&place->name, &place->length);
	CU_ASSERT_EQUAL(listen(fd, 128), 0);
	place->engine = engine_new(NULL);
	place->control = control_adopt(fd, place->engine);
}

static void close_place(struct place *place)
{
	control_free(place->control);
	engine_free(place->engine);
}

static int dial(struct place *place)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	CU_ASSERT_EQUAL(
		connect(fd, (struct sockaddr *)&place->name, place->length), 0);
	return fd;
}

static void turns(struct place *place)
{
	for (int i = 0; i < 4; i++)
		control_turn(place->control, place->now);
}

/* As much as is taken; returns whether all of it was. */
static bool say(struct place *place, int fd, const char *bytes, size_t size)
{
	for (int still = 0; size && still < 4;) {
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

		turns(place);
		if (sent < 0 && errno != EAGAIN)
			return false;
		still = sent > 0 ? 0 : still + 1;
		bytes += sent > 0 ? sent : 0;
		size -= sent > 0 ? (size_t)sent : 0;
	}
	return !size;
}

/* What has come back; "hung up" if the engine did. */
static const char *heard(struct place *place, int fd)
{
	static char text[8192];
	ssize_t got;

	turns(place);
	got = recv(fd, text, sizeof(text) - 1, 0);
	if (got < 0)
		return errno == EAGAIN ? "" : "hung up";
	if (!got)
		return "hung up";
	text[got] = '\0';
	return text;
}

static bool serves(struct place *place, int fd)
{
	return say(place, fd, HELLO, strlen(HELLO)) &&
	       strstr(heard(place, fd), "\"done\":") != NULL;
}

static void answered(struct place *place, int fd, const char *bytes,
		     const char *with)
{
	const char *text;

	CU_ASSERT_TRUE(say(place, fd, bytes, strlen(bytes)));
	text = heard(place, fd);
	if (!strstr(text, with))
		ASSERT_TEXT(text, with);
}

TEST(control, answers_what_makes_no_sense)
{
	struct place place;
	int fd, other;

	open_place(&place);
	fd = dial(&place);
	other = dial(&place);
	answered(&place, fd, "\n", "EINVAL");
	answered(&place, fd, "hello\n", "no JSON object");
	answered(&place, fd, "\xff\xfe\x01\x80\n", "EINVAL");
	answered(&place, fd, "[]\n", "it is something else");
	answered(&place, fd, "{}\n", "protocol: this engine");
	answered(&place, fd, "{\"protocol\":2,\"id\":9,\"do\":\"hello\"}\n",
		 "EPROTONOSUPPORT");
	answered(&place, fd, "{\"protocol\":2,\"id\":9,\"do\":\"hello\"}\n",
		 "\"id\":9");
	answered(&place, fd, "{\"protocol\":1,\"protocol\":1}\n", "duplicate");
	answered(&place, fd, "{\"protocol\":1,\"do\":\"fly\"}\n", "do: is not");
	answered(&place, fd, "{\"protocol\":1,\"do\":7}\n", "do: is not");
	answered(&place, fd, "{\"protocol\":1,\"do\":\"set\"}\n",
		 "link: is no object");
	answered(&place, fd, "{\"protocol\":1,\"do\":\"set\",\"link\":7}\n",
		 "link: is no object");
	answered(&place, fd, "{\"protocol\":1,\"do\":\"remove\"}\n",
		 "is no name");
	answered(&place, fd,
		 "{\"protocol\":1,\"do\":\"status\",\"link\":\"none\"}\n",
		 "{\"done\":[]}");
	CU_ASSERT_TRUE(serves(&place, other));
	CU_ASSERT_TRUE(serves(&place, fd));
	close(fd);
	close(other);
	close_place(&place);
}

TEST(control, answers_deep_nesting)
{
	struct place place;
	char *deep = mem_alloc(200001);
	int fd;

	open_place(&place);
	fd = dial(&place);
	memset(deep, '[', 100000);
	memset(deep + 100000, ']', 99999);
	deep[199999] = '\n';
	CU_ASSERT_TRUE(say(&place, fd, deep, 200000));
	CU_ASSERT_PTR_NOT_NULL(strstr(heard(&place, fd), "EINVAL"));
	CU_ASSERT_TRUE(serves(&place, fd));
	close(fd);
	free(deep);
	close_place(&place);
}

TEST(control, hangs_up_on_a_line_without_end)
{
	struct place place;
	size_t size = 5 << 20;
	char *line = mem_alloc(size);
	int fd, other;

	open_place(&place);
	fd = dial(&place);
	other = dial(&place);
	memset(line, 'x', size);
	CU_ASSERT_FALSE(say(&place, fd, line, size));
	ASSERT_TEXT(heard(&place, fd), "hung up");
	CU_ASSERT_TRUE(serves(&place, other));
	close(fd);
	close(other);
	free(line);
	close_place(&place);
}

TEST(control, loses_patience_with_half_a_line_only)
{
	struct place place;
	int fd, other, gone;

	open_place(&place);
	fd = dial(&place);
	other = dial(&place);
	gone = dial(&place);
	CU_ASSERT_TRUE(serves(&place, other));
	CU_ASSERT_EQUAL(control_next(place.control), UINT64_MAX);
	CU_ASSERT_TRUE(say(&place, gone, "{\"protocol\"", 11));
	close(gone);
	turns(&place);
	CU_ASSERT_EQUAL(control_next(place.control), UINT64_MAX);

	CU_ASSERT_TRUE(say(&place, fd, "{\"protocol\"", 11));
	CU_ASSERT_EQUAL(control_next(place.control),
			place.now + CONTROL_PATIENCE_US);
	place.now += CONTROL_PATIENCE_US - 1;
	ASSERT_TEXT(heard(&place, fd), "");
	place.now++;
	ASSERT_TEXT(heard(&place, fd), "hung up");
	CU_ASSERT_TRUE(serves(&place, other));
	place.now += 100ULL * CONTROL_PATIENCE_US;
	CU_ASSERT_TRUE(serves(&place, other));
	close(fd);
	close(other);
	close_place(&place);
}

TEST(control, gives_the_place_of_the_stillest_to_who_comes)
{
	struct place place;
	int fds[70];

	open_place(&place);
	for (int i = 0; i < 70; i++) {
		fds[i] = dial(&place);
		turns(&place);
		CU_ASSERT_TRUE(serves(&place, fds[i]));
		/* Who asks again is not still. */
		CU_ASSERT_TRUE(serves(&place, fds[0]));
	}
	ASSERT_TEXT(heard(&place, fds[1]), "hung up");
	CU_ASSERT_TRUE(serves(&place, fds[0]));
	CU_ASSERT_TRUE(serves(&place, fds[7]));
	for (int i = 0; i < 70; i++)
		close(fds[i]);
	close_place(&place);
}

TEST(control, lets_who_asks_without_end_keep_nobody_from_his_turn)
{
	struct place place;
	char *many = mem_alloc(100 * strlen(HELLO) + 1);
	int fd, other;

	open_place(&place);
	fd = dial(&place);
	other = dial(&place);
	for (size_t i = 0; i < 100; i++)
		memcpy(many + i * strlen(HELLO), HELLO, strlen(HELLO));
	/* Never reads: his answers pile up no further than the socket. */
	for (int i = 0; i < 200; i++)
		say(&place, fd, many, strlen(many));
	CU_ASSERT_TRUE(serves(&place, other));
	CU_ASSERT_EQUAL(control_next(place.control),
			place.now + CONTROL_PATIENCE_US);
	place.now += CONTROL_PATIENCE_US;
	CU_ASSERT_TRUE(serves(&place, other));
	CU_ASSERT_EQUAL(control_next(place.control), UINT64_MAX);
	close(fd);
	close(other);
	free(many);
	close_place(&place);
}

#define FOLLOW "{\"protocol\":1,\"do\":\"follow\"}\n"

static json_t *one_moment(void)
{
	return json_pack("[{s:s, s:s}]", "what", "full", "link", "home0");
}

TEST(control, tells_those_who_follow_and_nobody_else)
{
	struct place place;
	int fd, other;

	open_place(&place);
	fd = dial(&place);
	other = dial(&place);
	say(&place, fd, FOLLOW, strlen(FOLLOW));
	CU_ASSERT_STRING_EQUAL(heard(&place, fd), "{\"done\":{}}\n");
	control_tell(place.control, one_moment(), place.now);
	CU_ASSERT_STRING_EQUAL(
		heard(&place, fd),
		"{\"moment\":{\"what\":\"full\",\"link\":\"home0\"}}\n");
	CU_ASSERT_STRING_EQUAL(heard(&place, other), "");
	CU_ASSERT_TRUE(serves(&place, other));
	CU_ASSERT_TRUE(serves(&place, fd));
	close(fd);
	close(other);
	close_place(&place);
}

TEST(control, leaves_who_follows_and_never_reads)
{
	struct place place;
	int fd;

	open_place(&place);
	fd = dial(&place);
	say(&place, fd, FOLLOW, strlen(FOLLOW));
	for (int i = 0; i < 100000; i++)
		control_tell(place.control, one_moment(), place.now);
	CU_ASSERT_EQUAL(control_next(place.control), UINT64_MAX);
	close(fd);
	close_place(&place);
}

TEST(control, says_which_directory_is_missing)
{
	AUTO(engine) struct engine *engine = engine_new(NULL);
	AUTO_ERR err = ERR_NONE;

	CU_ASSERT_PTR_NULL(control_new("/nowhere/at/all", engine, &err));
	CU_ASSERT_EQUAL(err.code, -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "--socket"));
}

/* After a crash systemd and a change may start one each: both find nobody
 * there, and the second must not take the socket from the first, who has the
 * devices. */
TEST(control, of_two_that_start_at_once_one_has_the_socket)
{
	AUTO(str) char *path = mem_printf("/tmp/tresse-%d.sock", getpid());
	AUTO(str) char *lock = mem_printf("%s-lock", path);
	struct engine *engine = engine_new(NULL);
	AUTO_ERR err = ERR_NONE;
	struct control *first = control_new(path, engine, &err), *second;

	CU_ASSERT_PTR_NOT_NULL_FATAL(first);
	/* Between its bind() and its listen() nobody is heard there either. */
	CU_ASSERT_EQUAL(unlink(path), 0);
	second = control_new(path, engine, &err);
	CU_ASSERT_PTR_NULL(second);
	CU_ASSERT_EQUAL(err.code, -EADDRINUSE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "another engine"));
	control_free(second);
	control_free(first);
	/* What a crash leaves behind is in nobody's way. */
	CU_ASSERT_EQUAL(access(lock, F_OK), 0);
	second = control_new(path, engine, NULL);
	CU_ASSERT_PTR_NOT_NULL(second);
	control_free(second);
	engine_free(engine);
	unlink(path);
	unlink(lock);
}
