/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine's keeper: what it is asked, and by whom it is not to be fooled. */
#include "backends/engine/keeping.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* --- hands that only count ------------------------------------------------ */

static struct {
	int links, tun, reads, writes, leaves;
	char last[64];
} done;

static int count_links(const struct keeping_files *files, char **bytes,
		       size_t *size, struct err *err)
{
	(void)files;
	(void)err;
	done.links++;
	*bytes = mem_strdup("[]");
	*size = 2;
	return 0;
}

static int count_tun(struct err *err)
{
	done.tun++;
	return err_set(err, ENODEV, "none here");
}

static int count_read(const struct keeping_files *files, char **bytes,
		      size_t *size, struct err *err)
{
	(void)files;
	(void)bytes;
	(void)size;
	(void)err;
	done.reads++;
	return 0;
}

static int count_write(const struct keeping_files *files, const char *bytes,
		       size_t size, struct err *err)
{
	(void)files;
	(void)err;
	done.writes++;
	snprintf(done.last, sizeof(done.last), "%.*s", (int)size, bytes);
	return 0;
}

static int count_leave(const struct keeping_files *files,
		       const struct keeping_socket *socket, struct err *err)
{
	(void)files;
	(void)socket;
	(void)err;
	done.leaves++;
	return 0;
}

static const struct keeping_hands counting = {
	count_links, count_tun, count_read, count_write, count_leave,
};

static unsigned all_done(void)
{
	return (unsigned)(done.links + done.tun + done.reads + done.writes +
			  done.leaves);
}

/* --- one packet ----------------------------------------------------------- */

/* The code of its answer; 1: none. */
static int hear(struct keeping *keeping, struct keeping_head head,
		const char *bytes)
{
	static struct keeping_packet packet;
	struct keeping_answer answer;
	size_t size = strlen(bytes);
	int code;

	packet.head = head;
	memcpy(packet.bytes, bytes, size);
	if (!keeping_hear(keeping, &packet, sizeof(head) + size, &answer))
		return 1;
	code = answer.code;
	CU_ASSERT(code <= 0);
	CU_ASSERT(!code || answer.size);
	keeping_answer_clear(&answer);
	return code;
}

static int hear_size(struct keeping *keeping, size_t size)
{
	static uint8_t zeros[sizeof(struct keeping_packet) + 64];
	struct keeping_answer answer;
	int code = 1;

	if (keeping_hear(keeping, zeros, size, &answer))
		code = answer.code;
	keeping_answer_clear(&answer);
	return code;
}

TEST(keeping, refuses_what_has_another_shape)
{
	struct keeping keeping = { .hands = &counting };
	static const struct keeping_head heads[] = {
		{ 1, 0, 0, 0, 0 },
		{ 1, 6, 0, 0, 0 },
		{ 1, UINT32_MAX, 0, 0, 0 },
		{ 1, KEEPING_LINKS, 1, 0, 0 },
		{ 1, KEEPING_LINKS, 0, 1, 0 },
		{ 1, KEEPING_TUN, 0, 0, 1 },
		{ 1, KEEPING_READ, -1, 0, 0 },
		{ 1, KEEPING_LEAVE, 0, 0, 0 },
		{ 1, KEEPING_WRITE, 0, 1, 0 },
		{ 1, KEEPING_WRITE, 0, 4, 4 },
		{ 1, KEEPING_WRITE, 0, KEEPING_MOST + 1, 0 },
		{ 1, KEEPING_WRITE, 0, UINT32_MAX, 0 },
	};

	memset(&done, 0, sizeof(done));
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		CU_ASSERT_EQUAL(hear(&keeping, heads[i], ""), -EBADMSG);
	for (uint32_t what = KEEPING_LINKS; what <= KEEPING_READ; what++)
		CU_ASSERT_EQUAL(hear(&keeping,
				     (struct keeping_head){ 1, what, 0, 0, 0 },
				     "/etc/shadow"),
				-EBADMSG);
	CU_ASSERT_EQUAL(
		hear(&keeping,
		     (struct keeping_head){ 1, KEEPING_LEAVE, 0, 11, 0 },
		     "/etc/shadow"),
		-EBADMSG);
	for (size_t size = 0; size < sizeof(struct keeping_head); size++)
		CU_ASSERT_EQUAL(hear_size(&keeping, size), -EBADMSG);
	CU_ASSERT_EQUAL(hear_size(&keeping, sizeof(struct keeping_packet) + 1),
			-EBADMSG);
	CU_ASSERT_EQUAL(all_done(), 0);
	keeping_clear(&keeping);
}

TEST(keeping, does_what_it_is_asked)
{
	struct keeping keeping = { .hands = &counting };

	memset(&done, 0, sizeof(done));
	CU_ASSERT_EQUAL(hear(&keeping,
			     (struct keeping_head){ 1, KEEPING_LINKS, 0, 0, 0 },
			     ""),
			0);
	CU_ASSERT_EQUAL(hear(&keeping,
			     (struct keeping_head){ 2, KEEPING_TUN, 0, 0, 0 },
			     ""),
			-ENODEV);
	CU_ASSERT_EQUAL(hear(&keeping,
			     (struct keeping_head){ 3, KEEPING_READ, 0, 0, 0 },
			     ""),
			0);
	CU_ASSERT_EQUAL(
		hear(&keeping,
		     (struct keeping_head){ 4, KEEPING_LEAVE, 0, 16, 0 },
		     "0123456789abcdef"),
		0);
	CU_ASSERT_EQUAL(done.links, 1);
	CU_ASSERT_EQUAL(done.tun, 1);
	CU_ASSERT_EQUAL(done.reads, 1);
	CU_ASSERT_EQUAL(done.leaves, 1);
	keeping_clear(&keeping);
}

static int piece(struct keeping *keeping, uint32_t id, uint32_t total,
		 uint32_t at, const char *bytes)
{
	return hear(keeping,
		    (struct keeping_head){ id, KEEPING_WRITE, 0, total, at },
		    bytes);
}

TEST(keeping, writes_what_came_whole_and_in_order)
{
	struct keeping keeping = { .hands = &counting };

	memset(&done, 0, sizeof(done));
	CU_ASSERT_EQUAL(piece(&keeping, 1, 6, 0, "ab"), 1);
	CU_ASSERT_EQUAL(piece(&keeping, 1, 6, 2, "cd"), 1);
	CU_ASSERT_EQUAL(done.writes, 0);
	CU_ASSERT_EQUAL(piece(&keeping, 1, 6, 4, "ef"), 0);
	CU_ASSERT_EQUAL(done.writes, 1);
	ASSERT_TEXT(done.last, "abcdef");
	/* Nothing is left of it. */
	CU_ASSERT_EQUAL(piece(&keeping, 1, 6, 4, "ef"), -EBADMSG);

	CU_ASSERT_EQUAL(piece(&keeping, 2, 0, 0, ""), 0);
	CU_ASSERT_EQUAL(done.writes, 2);
	ASSERT_TEXT(done.last, "");
	keeping_clear(&keeping);
}

TEST(keeping, forgets_what_came_in_another_order)
{
	static const struct {
		uint32_t id, total, at;
		const char *bytes;
	} wrong[] = {
		{ 1, 6, 3, "cd" },	   { 1, 6, 1, "bc" },
		{ 2, 6, 2, "cd" },	   { 1, 7, 2, "cd" },
		{ 1, 6, 2, "" },	   { 1, 6, 2, "cdefg" },
		{ 1, 6, UINT32_MAX, "c" },
	};

	memset(&done, 0, sizeof(done));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct keeping keeping = { .hands = &counting };

		CU_ASSERT_EQUAL(piece(&keeping, 1, 6, 0, "ab"), 1);
		CU_ASSERT_EQUAL(piece(&keeping, wrong[i].id, wrong[i].total,
				      wrong[i].at, wrong[i].bytes),
				-EBADMSG);
		CU_ASSERT_EQUAL(piece(&keeping, 1, 6, 2, "cdef"), -EBADMSG);
		/* And who begins anew is heard. */
		CU_ASSERT_EQUAL(piece(&keeping, 3, 2, 0, "xy"), 0);
		ASSERT_TEXT(done.last, "xy");
		keeping_clear(&keeping);
	}
	CU_ASSERT_EQUAL((size_t)done.writes, ARRAY_SIZE(wrong));
}

/* --- files ---------------------------------------------------------------- */

struct place {
	char folder[32];
	char *store, *measured, *fresh, *other, *socket;
	struct keeping_files files;
};

static void open_place(struct place *place)
{
	snprintf(place->folder, sizeof(place->folder), "/tmp/tresse-k-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL(mkdtemp(place->folder));
	place->store = mem_printf("%s/s.db", place->folder);
	place->measured = mem_printf("%s/m", place->folder);
	place->fresh = mem_printf("%s/m.new", place->folder);
	place->other = mem_printf("%s/other", place->folder);
	place->socket = mem_printf("%s/sock", place->folder);
	place->files = (struct keeping_files){ place->store, place->measured,
					       place->socket };
}

static void close_place(struct place *place)
{
	char *names[] = { place->store, place->measured, place->fresh,
			  place->other, place->socket };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		unlink(names[i]);
		free(names[i]);
	}
	CU_ASSERT_EQUAL(rmdir(place->folder), 0);
}

static int put(const struct place *place, const char *text, struct err *err)
{
	return keeping_hands.write(&place->files, text, strlen(text), err);
}

static void reads_as(const struct place *place, const char *text)
{
	AUTO(str) char *bytes = NULL;
	AUTO_ERR err = ERR_NONE;
	size_t size = 0;

	CU_ASSERT_EQUAL(keeping_hands.read(&place->files, &bytes, &size, &err),
			0);
	CU_ASSERT_EQUAL(size, strlen(text));
	CU_ASSERT(!size || !memcmp(bytes, text, size));
}

TEST(keeping, reads_back_what_it_wrote)
{
	struct place place;
	struct stat about;
	AUTO_ERR err = ERR_NONE;

	open_place(&place);
	reads_as(&place, ""); /* there is none yet */
	CU_ASSERT_EQUAL(put(&place, "{}", &err), 0);
	reads_as(&place, "{}");
	CU_ASSERT_EQUAL(put(&place, "[1,2,3]", &err), 0);
	reads_as(&place, "[1,2,3]");
	CU_ASSERT(lstat(place.fresh, &about) < 0);
	close_place(&place);
}

TEST(keeping, writes_through_no_link)
{
	struct place place;
	struct stat about;
	AUTO_ERR err = ERR_NONE;

	open_place(&place);
	CU_ASSERT_EQUAL(symlink(place.other, place.fresh), 0);
	CU_ASSERT(put(&place, "{}", &err) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, place.measured));
	CU_ASSERT(lstat(place.other, &about) < 0);
	unlink(place.fresh);
	/* What was there is replaced, not written into. */
	CU_ASSERT_EQUAL(symlink(place.other, place.measured), 0);
	CU_ASSERT_EQUAL(put(&place, "{}", &err), 0);
	CU_ASSERT(lstat(place.other, &about) < 0);
	reads_as(&place, "{}");
	close_place(&place);
}

static int listen_at(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(name.sun_path, path, strlen(path));
	CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

TEST(keeping, removes_its_own_socket_and_no_other)
{
	struct keeping_socket ours;
	struct place place;
	struct stat about = { 0 };
	AUTO_ERR err = ERR_NONE;
	int fd;

	open_place(&place);
	fd = listen_at(place.socket);
	CU_ASSERT_EQUAL(stat(place.socket, &about), 0);
	ours = (struct keeping_socket){ about.st_dev, about.st_ino + 1 };
	CU_ASSERT(keeping_hands.leave(&place.files, &ours, &err) < 0);
	CU_ASSERT_EQUAL(stat(place.socket, &about), 0);
	ours.inode--;
	CU_ASSERT_EQUAL(keeping_hands.leave(&place.files, &ours, &err), 0);
	CU_ASSERT(stat(place.socket, &about) < 0);
	close(fd);
	/* Nor what is no socket. */
	fd = open(place.socket, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CU_ASSERT_EQUAL(fstat(fd, &about), 0);
	ours = (struct keeping_socket){ about.st_dev, about.st_ino };
	CU_ASSERT(keeping_hands.leave(&place.files, &ours, &err) < 0);
	CU_ASSERT_EQUAL(stat(place.socket, &about), 0);
	close(fd);
	close_place(&place);
}

/* --- by its socket -------------------------------------------------------- */

static pid_t run_keeper(const struct place *place, int *fd)
{
	int ends[2];
	pid_t child;

	CU_ASSERT_EQUAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		keeping_run(ends[1], &place->files);
		_exit(7);
	}
	close(ends[1]);
	*fd = ends[0];
	return child;
}

static void answered(int fd, uint32_t id, int code, const char *bytes)
{
	struct keeping_packet *packet = mem_alloc(sizeof(*packet));
	ssize_t got = recv(fd, packet, sizeof(*packet), 0);

	CU_ASSERT(got >= (ssize_t)sizeof(packet->head));
	CU_ASSERT_EQUAL(packet->head.id, id);
	CU_ASSERT_EQUAL(packet->head.code, code);
	if (bytes) {
		CU_ASSERT_EQUAL(packet->head.total, strlen(bytes));
		CU_ASSERT(!memcmp(packet->bytes, bytes, strlen(bytes)));
	}
	free(packet);
}

TEST(keeping, answers_by_its_socket_until_the_other_end_is_gone)
{
	static uint8_t large[sizeof(struct keeping_packet) + 100];
	struct keeping_head head = { .id = 9, .what = 77 };
	struct place place;
	int fd, status = 0;
	pid_t child;

	open_place(&place);
	child = run_keeper(&place, &fd);
	/* Descriptors that it did not ask for. */
	CU_ASSERT_EQUAL(keeping_send(fd, head, "abc", 3, fd), 0);
	answered(fd, 9, -EBADMSG, NULL);
	memcpy(large, &head, sizeof(head));
	CU_ASSERT_EQUAL(send(fd, large, sizeof(large), 0),
			(ssize_t)sizeof(large));
	answered(fd, 9, -EBADMSG, NULL);
	CU_ASSERT_EQUAL(send(fd, "x", 1, 0), 1);
	answered(fd, 0, -EBADMSG, NULL);
	head = (struct keeping_head){ .id = 10, .what = KEEPING_LINKS };
	CU_ASSERT_EQUAL(keeping_send(fd, head, NULL, 0, -1), 0);
	answered(fd, 10, 0, "null"); /* there is no store */
	head = (struct keeping_head){ .id = 11, .what = KEEPING_READ };
	CU_ASSERT_EQUAL(keeping_send(fd, head, NULL, 0, -1), 0);
	answered(fd, 11, 0, "");
	close(fd);
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	close_place(&place);
}

TEST(keeping, carries_more_than_one_packet_has_either_way)
{
	size_t size = KEEPING_PIECE * 3 + 17, got = 0;
	AUTO(str) char *bytes = mem_alloc(size);
	AUTO(mem) void *memory = mem_alloc(sizeof(struct keeping_packet));
	struct keeping_packet *packet = memory;
	struct keeping_head head = { .id = 3, .what = KEEPING_WRITE };
	struct place place;
	pid_t child;
	int fd;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	open_place(&place);
	child = run_keeper(&place, &fd);
	CU_ASSERT_EQUAL(keeping_send(fd, head, bytes, size, -1), 0);
	answered(fd, 3, 0, "");
	head = (struct keeping_head){ .id = 4, .what = KEEPING_READ };
	CU_ASSERT_EQUAL(keeping_send(fd, head, NULL, 0, -1), 0);
	while (got < size) {
		ssize_t n = recv(fd, packet, sizeof(*packet), 0) -
			    (ssize_t)sizeof(packet->head);

		CU_ASSERT_FATAL(n > 0 && (size_t)n <= size - got);
		CU_ASSERT_EQUAL(packet->head.total, size);
		CU_ASSERT_EQUAL(packet->head.at, got);
		CU_ASSERT(!memcmp(packet->bytes, bytes + got, (size_t)n));
		got += (size_t)n;
	}
	close(fd);
	waitpid(child, NULL, 0);
	close_place(&place);
}
