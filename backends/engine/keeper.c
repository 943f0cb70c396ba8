/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "backends/engine/notify.h"
#include "backends/engine/sandbox.h"

static struct {
	int fd; /* -1: none, or gone */
	pid_t process;
	uint32_t id; /* of what was asked last */
} keeper = { .fd = -1 };

/* --- the keeper ----------------------------------------------------------- */

static const int unheard[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };

/* Who ends a whole group of processes does not end it before the engine, which
 * may have something to write yet. */
static int settle(pid_t engine, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(unheard); i++)
		signal(unheard[i], SIG_IGN);
	prctl(PR_SET_NAME, "tressed-keeper");
	if (sandbox_keeper(err) < 0)
		return err->code;
	/* Behind that: who changes his rights is forgotten. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(err, errno, "its end with the engine's: %m");
	return getppid() == engine ? 0 : -ESRCH;
}

/* Of the engine's files it keeps those that every process has. */
static void close_others(int fd)
{
	if (fd > 3)
		close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0U, 0);
}

__attribute__((noreturn)) static void
be_keeper(int fd, pid_t engine, const struct keeping_files *files)
{
	struct keeping_head head = { 0 };
	AUTO_ERR err = ERR_NONE;

	close_others(fd);
	head.code = settle(engine, &err);
	keeping_send(fd, head, err.text, err.text ? strlen(err.text) : 0, -1);
	if (!head.code)
		keeping_run(fd, files);
	_exit(head.code ? 1 : 0);
}

/* --- asking --------------------------------------------------------------- */

static void lose(void)
{
	if (keeper.fd < 0)
		return;
	close(keeper.fd);
	keeper.fd = -1;
	fprintf(stderr,
		"tressed: its keeper (process %d) has ended: tunnels go on, "
		"but what is new needs it: restart tressed\n",
		(int)keeper.process);
	notify("STATUS=without its keeper: restart it");
}

static const char *const ended =
	"the engine's keeper has ended: restart tressed";

static int gone(struct err *err)
{
	lose();
	return err_set(err, EPIPE, "%s", ended);
}

static int is_late(struct err *err)
{
	return err_set(err, ETIMEDOUT,
		       "the engine's keeper has not answered in %d s: is a "
		       "disk stuck?",
		       KEEPER_PATIENCE_MS / 1000);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int passed_with(struct msghdr *message)
{
	struct cmsghdr *with = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (with && with->cmsg_level == SOL_SOCKET &&
	    with->cmsg_type == SCM_RIGHTS &&
	    with->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(with), sizeof(int));
	return fd;
}

/* The next packet of it; its size without the head. */
static int receive(struct keeping_packet *packet, int *fd, struct err *err)
{
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
	struct iovec part = { packet, sizeof(*packet) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = room,
				  .msg_controllen = sizeof(room) };
	int64_t until = now_ms() + KEEPER_PATIENCE_MS;
	struct pollfd wait = { .fd = keeper.fd, .events = POLLIN };
	ssize_t got;
	int left;

	do {
		left = (int)(until - now_ms());
		if (left <= 0 || poll(&wait, 1, left) == 0)
			return is_late(err);
		got = recvmsg(keeper.fd, &message,
			      MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got < (ssize_t)sizeof(packet->head))
		return gone(err);
	*fd = passed_with(&message);
	return (int)((size_t)got - sizeof(packet->head));
}

/* All pieces of the answer to what was asked last; those of an answer that
 * nobody waited for any more are left out. */
static int hear(struct keeping_answer *answer, struct err *err)
{
	AUTO(mem) void *memory = mem_alloc(sizeof(struct keeping_packet));
	struct keeping_packet *packet = memory;
	size_t total = SIZE_MAX;

	*answer = (struct keeping_answer){ .fd = -1 };
	while (answer->size < total) {
		int fd = -1, size = receive(packet, &fd, err);

		if (size < 0)
			return size;
		if (packet->head.id != keeper.id) {
			if (fd >= 0)
				close(fd);
			continue;
		}
		if (fd >= 0 && answer->fd < 0)
			answer->fd = fd;
		answer->code = packet->head.code;
		total = packet->head.total;
		if (!answer->bytes)
			answer->bytes = mem_alloc(total + 1);
		if ((size_t)size > total - answer->size)
			return gone(err);
		memcpy(answer->bytes + answer->size, packet->bytes,
		       (size_t)size);
		answer->size += (size_t)size;
	}
	mem_wipe(TAKE(memory), sizeof(*packet));
	if (answer->code)
		return err_set(err, -answer->code, "%s", answer->bytes);
	return 0;
}

static int ask(enum keeping_what what, const void *bytes, size_t size,
	       struct keeping_answer *answer, struct err *err)
{
	struct keeping_head head = { .id = ++keeper.id, .what = what };
	int rc;

	*answer = (struct keeping_answer){ .fd = -1 };
	if (keeper.fd < 0)
		return gone(err);
	rc = keeping_send(keeper.fd, head, bytes, size, -1);
	if (rc == -EAGAIN)
		return is_late(err);
	if (rc < 0)
		return gone(err);
	rc = hear(answer, err);
	if (rc < 0)
		keeping_answer_clear(answer);
	return rc;
}

/* --- what is asked -------------------------------------------------------- */

json_t *keeper_links(struct err *err)
{
	struct keeping_answer answer;
	json_t *links = NULL;

	if (ask(KEEPING_LINKS, NULL, 0, &answer, err) < 0)
		return NULL;
	links = json_loadb(answer.bytes, answer.size, JSON_DECODE_ANY, NULL);
	if (!links)
		err_set(err, EBADMSG, "its keeper speaks in riddles");
	keeping_answer_clear(&answer);
	return links;
}

int keeper_tun(struct err *err)
{
	struct keeping_answer answer;
	int rc = ask(KEEPING_TUN, NULL, 0, &answer, err);

	if (rc < 0)
		return rc;
	rc = answer.fd;
	answer.fd = -1;
	keeping_answer_clear(&answer);
	return rc < 0 ? err_set(err, EMFILE, "/dev/net/tun: too many files")
		      : rc;
}

int keeper_read(char **bytes, size_t *size, struct err *err)
{
	struct keeping_answer answer;
	int rc = ask(KEEPING_READ, NULL, 0, &answer, err);

	*size = rc < 0 ? 0 : answer.size;
	*bytes = rc < 0 ? NULL : TAKE(answer.bytes);
	keeping_answer_clear(&answer);
	return rc;
}

int keeper_write(const char *bytes, size_t size, struct err *err)
{
	struct keeping_answer answer;
	int rc;

	if (size > KEEPING_MOST)
		return err_set(err, EFBIG, "more than %d MB is not kept",
			       KEEPING_MOST >> 20);
	rc = ask(KEEPING_WRITE, bytes, size, &answer, err);
	keeping_answer_clear(&answer);
	return rc;
}

void keeper_leave(const struct keeping_socket *socket)
{
	struct keeping_answer answer;
	AUTO_ERR err = ERR_NONE;

	ask(KEEPING_LEAVE, socket, sizeof(*socket), &answer, &err);
	keeping_answer_clear(&answer);
}

int keeper_fd(void)
{
	return keeper.fd;
}

void keeper_look(void)
{
	struct pollfd look = { .fd = keeper.fd };

	if (keeper.fd >= 0 && poll(&look, 1, 0) == 1 &&
	    look.revents & (POLLHUP | POLLERR))
		lose();
}

const char *keeper_error(void)
{
	return keeper.process > 0 && keeper.fd < 0 ? ended : NULL;
}

/* --- the beginning -------------------------------------------------------- */

int keeper_start(const struct keeping_files *files, struct err *err)
{
	const struct timeval patience = { KEEPER_PATIENCE_MS / 1000, 0 };
	struct keeping_answer answer;
	pid_t engine = getpid();
	int ends[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, errno, "its keeper: %m");
	keeper.process = fork();
	if (keeper.process == 0)
		be_keeper(ends[1], engine, files);
	close(ends[1]);
	if (keeper.process < 0) {
		close(ends[0]);
		return err_set(err, errno, "its keeper: %m");
	}
	keeper.fd = ends[0];
	setsockopt(keeper.fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		   sizeof(patience));
	signal(SIGCHLD, SIG_IGN); /* nobody has to wait for it */
	rc = hear(&answer, err);
	keeping_answer_clear(&answer);
	return rc < 0 ? err_prefix(err, "its keeper: ") : 0;
}
