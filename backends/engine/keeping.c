/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/keeping.h"
#include "model/base/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/engine/restore.h"

/* --- root's files --------------------------------------------------------- */

static int links_of(const struct keeping_files *files, char **bytes,
		    size_t *size, struct err *err)
{
	json_t *links = restore_read(files->store, err);
	char *text;

	if (!links)
		return err->code;
	text = json_dumps(links, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(links);
	if (!text)
		return err_set(err, EILSEQ, "what it asks for is no text");
	*bytes = text;
	*size = strlen(text);
	return 0;
}

static int tun_of_root(struct err *err)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? err_set(err, errno, "/dev/net/tun: %m") : fd;
}

static int read_all(int fd, char *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = read(fd, bytes + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -EIO;
		done += (size_t)got;
	}
	return 0;
}

static int measured_read(const struct keeping_files *files, char **bytes,
			 size_t *size, struct err *err)
{
	int fd = open(files->measured, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat about;
	int rc = 0;

	*bytes = NULL;
	*size = 0;
	if (fd < 0)
		return errno == ENOENT
			       ? 0
			       : err_set(err, errno, "%s: %m", files->measured);
	if (fstat(fd, &about) < 0 || !S_ISREG(about.st_mode) ||
	    about.st_size > KEEPING_MOST)
		rc = err_set(err, EFBIG, "%s: is not what was kept there",
			     files->measured);
	if (!rc && about.st_size > 0) {
		*size = (size_t)about.st_size;
		*bytes = mem_alloc(*size);
		if (read_all(fd, *bytes, *size) < 0) {
			free(TAKE(*bytes));
			*size = 0;
			rc = err_set(err, EIO, "%s: cannot be read",
				     files->measured);
		}
	}
	close(fd);
	return rc;
}

/* Written beside and renamed: a reader, or a crash, sees the old or the new. */
static int measured_write(const struct keeping_files *files, const char *bytes,
			  size_t size, struct err *err)
{
	AUTO(str) char *fresh = mem_printf("%s.new", files->measured);
	int fd = open(fresh,
		      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		      0644);
	int rc = fd < 0 ? -errno : file_write(fd, bytes, size);

	if (fd >= 0 && close(fd) < 0 && !rc)
		rc = -errno;
	if (!rc && rename(fresh, files->measured) < 0)
		rc = -errno;
	return rc < 0 ? err_set(err, -rc, "%s: %s", files->measured,
				strerror(-rc))
		      : 0;
}

static int leave(const struct keeping_files *files,
		 const struct keeping_socket *socket, struct err *err)
{
	struct stat about;

	if (!files->socket || lstat(files->socket, &about) < 0 ||
	    !S_ISSOCK(about.st_mode) || about.st_dev != socket->device ||
	    about.st_ino != socket->inode)
		return err_set(err, ENOENT, "it is another's socket");
	if (unlink(files->socket) < 0)
		return err_set(err, errno, "%s: %m", files->socket);
	return 0;
}

const struct keeping_hands keeping_hands = {
	.links = links_of,
	.tun = tun_of_root,
	.read = measured_read,
	.write = measured_write,
	.leave = leave,
};

/* --- one packet ----------------------------------------------------------- */

static bool refuse(struct keeping_answer *answer, const char *why)
{
	answer->code = -EBADMSG;
	answer->bytes = mem_strdup(why);
	answer->size = strlen(why);
	return true;
}

static bool conclude(struct keeping_answer *answer, int rc,
		     const struct err *err)
{
	if (rc >= 0)
		return true;
	free(answer->bytes);
	answer->code = rc;
	answer->bytes = mem_strdup(err->text ? err->text : strerror(-rc));
	answer->size = strlen(answer->bytes);
	return true;
}

/* All of it has come. */
static bool do_write(struct keeping *keeping, struct keeping_answer *answer)
{
	AUTO_ERR err = ERR_NONE;
	int rc = keeping->hands->write(keeping->files, keeping->bytes,
				       keeping->size, &err);

	keeping_clear(keeping);
	return conclude(answer, rc, &err);
}

/* Nothing may come twice, or be left out. */
static bool take_piece(struct keeping *keeping, const struct keeping_head *head,
		       const void *bytes, size_t size,
		       struct keeping_answer *answer)
{
	bool first = !head->at;

	if (first) {
		keeping_clear(keeping);
		if (head->total > KEEPING_MOST)
			return refuse(answer, "that is more than is kept");
		keeping->id = head->id;
		keeping->total = head->total;
		keeping->bytes = mem_alloc(1);
	}
	if (!keeping->bytes || head->id != keeping->id ||
	    head->total != keeping->total || head->at != keeping->size ||
	    size > keeping->total - keeping->size ||
	    (!size && keeping->total)) {
		keeping_clear(keeping);
		return refuse(answer, "this is no piece of what is written");
	}
	keeping->bytes = mem_resize(keeping->bytes, keeping->size + size + 1);
	memcpy(keeping->bytes + keeping->size, bytes, size);
	keeping->size += size;
	return keeping->size == keeping->total && do_write(keeping, answer);
}

static bool do_leave(struct keeping *keeping, const struct keeping_head *head,
		     const void *bytes, size_t size,
		     struct keeping_answer *answer)
{
	AUTO_ERR err = ERR_NONE;
	struct keeping_socket socket;

	if (size != sizeof(socket) || head->total != size || head->at)
		return refuse(answer, "this is no socket's name");
	memcpy(&socket, bytes, sizeof(socket));
	return conclude(answer,
			keeping->hands->leave(keeping->files, &socket, &err),
			&err);
}

/* What is asked with a head alone. */
static bool do_asked(struct keeping *keeping, const struct keeping_head *head,
		     struct keeping_answer *answer)
{
	const struct keeping_hands *hands = keeping->hands;
	AUTO_ERR err = ERR_NONE;
	int rc;

	if (head->what == KEEPING_LINKS)
		rc = hands->links(keeping->files, &answer->bytes, &answer->size,
				  &err);
	else if (head->what == KEEPING_READ)
		rc = hands->read(keeping->files, &answer->bytes, &answer->size,
				 &err);
	else
		rc = answer->fd = hands->tun(&err);
	return conclude(answer, rc, &err);
}

bool keeping_hear(struct keeping *keeping, const void *packet, size_t size,
		  struct keeping_answer *answer)
{
	const uint8_t *bytes =
		(const uint8_t *)packet + sizeof(struct keeping_head);
	struct keeping_head head = { 0 };

	*answer = (struct keeping_answer){ .fd = -1 };
	if (size < sizeof(head) || size > sizeof(struct keeping_packet))
		return refuse(answer, "a packet is not that small or large");
	memcpy(&head, packet, sizeof(head));
	size -= sizeof(head);
	if (head.code)
		return refuse(answer, "what is asked has no code");
	switch (head.what) {
	case KEEPING_WRITE:
		return take_piece(keeping, &head, bytes, size, answer);
	case KEEPING_LEAVE:
		return do_leave(keeping, &head, bytes, size, answer);
	case KEEPING_LINKS:
	case KEEPING_TUN:
	case KEEPING_READ:
		if (size || head.total || head.at)
			return refuse(answer, "this is asked without bytes");
		return do_asked(keeping, &head, answer);
	default: return refuse(answer, "nobody knows what that is");
	}
}

void keeping_answer_clear(struct keeping_answer *answer)
{
	if (answer->bytes)
		mem_wipe(answer->bytes, answer->size);
	if (answer->fd >= 0)
		close(answer->fd);
	*answer = (struct keeping_answer){ .fd = -1 };
}

void keeping_clear(struct keeping *keeping)
{
	free(keeping->bytes);
	keeping->bytes = NULL;
	keeping->size = keeping->total = 0;
}

/* --- packet by packet ----------------------------------------------------- */

static int send_piece(int fd, const struct keeping_head *head,
		      const char *bytes, size_t size, int passed)
{
	struct iovec parts[2] = { { (void *)head, sizeof(*head) },
				  { (void *)bytes, size } };
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent;

	if (passed >= 0) {
		struct cmsghdr *with = (struct cmsghdr *)room;

		message.msg_control = room;
		message.msg_controllen = sizeof(room);
		with->cmsg_level = SOL_SOCKET;
		with->cmsg_type = SCM_RIGHTS;
		with->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(with), &passed, sizeof(int));
	}
	do
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int keeping_send(int fd, struct keeping_head head, const char *bytes,
		 size_t size, int passed)
{
	int rc = 0;

	head.total = (uint32_t)size;
	head.at = 0;
	if (!bytes)
		bytes = "";
	do {
		size_t piece = size - head.at < KEEPING_PIECE ? size - head.at
							      : KEEPING_PIECE;

		rc = send_piece(fd, &head, bytes + head.at, piece,
				head.at ? -1 : passed);
		head.at += (uint32_t)piece;
	} while (!rc && head.at < size);
	return rc;
}

/* Descriptors that the engine passes are closed by the kernel: there is no room
 * for them. */
void keeping_run(int fd, const struct keeping_files *files)
{
	struct keeping keeping = { .files = files, .hands = &keeping_hands };
	static struct keeping_packet packet;
	struct keeping_answer answer;

	for (;;) {
		ssize_t got = recv(fd, &packet, sizeof(packet), MSG_TRUNC);
		struct keeping_head head = { 0 };
		int rc = 0;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		if ((size_t)got >= sizeof(head))
			head = packet.head;
		if (keeping_hear(&keeping, &packet, (size_t)got, &answer)) {
			head.code = answer.code;
			rc = keeping_send(fd, head, answer.bytes, answer.size,
					  answer.fd);
			keeping_answer_clear(&answer);
		}
		if (rc < 0)
			break;
	}
	keeping_clear(&keeping);
}
