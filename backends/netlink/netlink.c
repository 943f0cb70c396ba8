/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/netlink/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "model/base/text.h"

/* Not in every kernel's headers yet. */
#ifndef NLM_F_DUMP_INTR
#define NLM_F_DUMP_INTR 0x10
#endif

enum {
	/* A dump's message is at most 32 kB (net/netlink/af_netlink.c:
	 * netlink_dump()), unless a link has hundreds of virtual functions. */
	RECEIVE_ROOM = 256 << 10,
	RECEIVE_BUFFER = 8 << 20,
	SEND_BUFFER = 1 << 20,
	CHUNK_BYTES = 128 << 10,
	CHUNK_MESSAGES = 1024,
	/* What one answer, sentence and all, takes of the receive buffer. */
	ANSWER_COST = 2048,
	DEADLINE_MS = 10000,
	/* All answers to what was sent at once, of which each has its own. */
	EXCHANGE_DEADLINES = 6,
	DUMP_TRIES = 5,
};

struct netlink {
	int fd;
	int protocol;
	uint32_t seq;	 /* of the last message sent */
	size_t chunk;	 /* messages whose answers fit the receive buffer */
	size_t received; /* bytes in room */
	unsigned deadline_ms;
	int64_t until_ms; /* of the exchange under way */
	bool stale;	  /* an answer did not come in time, but may still */
	char *room;	  /* owned; RECEIVE_ROOM */
};

/* ---- the socket ------------------------------------------------------ */

static void set_option(int fd, int level, int option, int value)
{
	/* What an old kernel does not know it does without. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* Past net.core.*mem_max only with CAP_NET_ADMIN in the first user namespace
 * (net/core/sock.c), so not in a rehearsal without root. */
static void set_buffer(int fd, int forced, int option, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) < 0)
		set_option(fd, SOL_SOCKET, option, bytes);
}

static size_t buffer_size(int fd, int option)
{
	int bytes = 0;
	socklen_t size = sizeof(bytes);

	if (getsockopt(fd, SOL_SOCKET, option, &bytes, &size) < 0 || bytes < 0)
		return 0;
	return (size_t)bytes;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void netlink_set_deadline(struct netlink *netlink, unsigned ms)
{
	struct timeval silence = { .tv_sec = ms / 1000,
				   .tv_usec = ms % 1000 * 1000 };

	netlink->deadline_ms = ms;
	(void)setsockopt(netlink->fd, SOL_SOCKET, SO_RCVTIMEO, &silence,
			 sizeof(silence));
}

static void set_up(struct netlink *netlink)
{
	int fd = netlink->fd;

	set_option(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
	set_option(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
	set_option(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER);
	netlink_set_deadline(netlink, netlink->deadline_ms);
	netlink->chunk = buffer_size(fd, SO_RCVBUF) / ANSWER_COST;
	if (netlink->chunk > CHUNK_MESSAGES)
		netlink->chunk = CHUNK_MESSAGES;
	if (!netlink->chunk)
		netlink->chunk = 1;
}

static int open_socket(struct netlink *netlink, struct err *err)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int protocol = netlink->protocol;

	netlink->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (netlink->fd < 0 ||
	    bind(netlink->fd, (void *)&self, sizeof(self)) < 0)
		return err_set(
			err, errno, "cannot open a netlink socket for %s: %s",
			protocol == NETLINK_NETFILTER ? "nftables" : "the net",
			strerror(errno));
	set_up(netlink);
	return 0;
}

struct netlink *netlink_open(int protocol, struct err *err)
{
	AUTO(netlink)
	struct netlink *netlink = mem_alloc(sizeof(*netlink));

	netlink->protocol = protocol;
	netlink->deadline_ms = DEADLINE_MS;
	netlink->room = mem_alloc(RECEIVE_ROOM);
	return open_socket(netlink, err) < 0 ? NULL : TAKE(netlink);
}

/* What was asked for there may still be under way, and the kernel begins no
 * other dump before (EBUSY): on from here with a socket that is new. */
static int renew(struct netlink *netlink, struct err *err)
{
	if (!netlink->stale)
		return 0;
	close(netlink->fd);
	netlink->stale = false;
	return open_socket(netlink, err);
}

void netlink_free(struct netlink *netlink)
{
	if (!netlink)
		return;
	if (netlink->fd >= 0)
		close(netlink->fd);
	free(netlink->room);
	free(netlink);
}

/* ---- messages -------------------------------------------------------- */

struct nl_msg *netlink_message(int type, int flags, const void *header,
			       size_t header_size, size_t size)
{
	size_t room = size ? NLMSG_SPACE(NLMSG_ALIGN(header_size) + size)
			   : (size_t)getpagesize();
	struct nl_msg *message = nlmsg_alloc_size(room);

	if (!message ||
	    !nlmsg_put(message, 0, 0, type, 0, flags | NLM_F_REQUEST) ||
	    (header_size && nlmsg_append(message, (void *)(uintptr_t)header,
					 header_size, NLMSG_ALIGNTO) < 0)) {
		fputs("tresse: out of memory\n", stderr);
		abort();
	}
	return message;
}

bool netlink_parse(const struct nlmsghdr *message, size_t header_size,
		   struct nlattr **attrs, int max)
{
	return nlmsg_parse((struct nlmsghdr *)(uintptr_t)message,
			   (int)header_size, attrs, max, NULL) >= 0;
}

uint32_t netlink_u32(const struct nlattr *attr, uint32_t otherwise)
{
	uint32_t u = otherwise;

	if (attr && nla_len(attr) >= (int)sizeof(u))
		memcpy(&u, nla_data(attr), sizeof(u));
	return u;
}

static void answer_clear(struct answer *answer)
{
	free(answer->words);
	*answer = (struct answer){ 0 };
}

void batch_add(struct batch *batch, struct nl_msg *message)
{
	batch->items = mem_grow(batch->items, batch->count, &batch->room,
				sizeof(*batch->items));
	batch->items[batch->count++] = (struct request){ .message = message };
}

void batch_clear(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		nlmsg_free(batch->items[i].message);
		answer_clear(&batch->items[i].answer);
	}
	free(batch->items);
	*batch = (struct batch)BATCH_NONE;
}

/* ---- reading what the kernel wrote ----------------------------------- */

/* The next whole message at *at, which moves behind it; NULL at the end. */
static const struct nlmsghdr *next_message(const char *bytes, size_t size,
					   size_t *at)
{
	const struct nlmsghdr *message;

	if (*at > size || size - *at < sizeof(*message))
		return NULL;
	message = (const void *)(bytes + *at);
	if (message->nlmsg_len < sizeof(*message) ||
	    message->nlmsg_len > size - *at)
		return NULL;
	*at += NLMSG_ALIGN((size_t)message->nlmsg_len);
	return message;
}

static size_t body_size(const struct nlmsghdr *message)
{
	return message->nlmsg_len - NLMSG_HDRLEN;
}

static const char *body(const struct nlmsghdr *message)
{
	return (const char *)message + NLMSG_HDRLEN;
}

/* The sentence among the attributes from offset on; NULL if there is none. */
static char *find_words(const struct nlmsghdr *message, size_t offset)
{
	size_t size = body_size(message);

	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	while (offset <= size && size - offset >= NLA_HDRLEN) {
		const struct nlattr *attr =
			(const void *)(body(message) + offset);

		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > size - offset)
			break;
		if ((attr->nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG)
			return mem_strndup((const char *)attr + NLA_HDRLEN,
					   attr->nla_len - NLA_HDRLEN);
		offset += NLA_ALIGN(attr->nla_len);
	}
	return NULL;
}

/* NLMSG_ERROR: code, the header it answers, the rest of the message unless that
 * was cut off, attributes. A message too short to hold a code is an error. */
static void read_error(const struct nlmsghdr *message, struct answer *answer)
{
	const struct nlmsgerr *error = (const void *)body(message);
	size_t offset = sizeof(*error);

	answer_clear(answer);
	if (body_size(message) < sizeof(*error)) {
		answer->code = -EBADMSG;
		return;
	}
	answer->code = error->error > 0 ? -EBADMSG : error->error;
	if (!(message->nlmsg_flags & NLM_F_CAPPED)) {
		if (error->msg.nlmsg_len < sizeof(error->msg))
			return;
		offset += NLMSG_ALIGN((size_t)error->msg.nlmsg_len) -
			  sizeof(error->msg);
	}
	answer->words = find_words(message, offset);
}

/* NLMSG_DONE: code of the dump, attributes. */
static void read_done(const struct nlmsghdr *message, struct answer *answer)
{
	int code = 0;

	answer_clear(answer);
	if (body_size(message) >= sizeof(code))
		memcpy(&code, body(message), sizeof(code));
	answer->code = code > 0 ? 0 : code;
	answer->words = find_words(message, NLMSG_ALIGN(sizeof(code)));
}

/* ---- sending and receiving ------------------------------------------- */

static int send_bytes(struct netlink *netlink, const void *bytes, size_t size,
		      struct err *err)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int rc = renew(netlink, err);
	ssize_t sent;

	if (rc < 0)
		return rc;
	if (size + 64 > buffer_size(netlink->fd, SO_SNDBUF))
		set_buffer(netlink->fd, SO_SNDBUFFORCE, SO_SNDBUF,
			   size > (1u << 29) ? 1 << 30 : (int)size + 4096);
	do {
		sent = sendto(netlink->fd, bytes, size, 0, (void *)&kernel,
			      sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	/* The kernel has worked meanwhile; from now on it only has to answer.
	 */
	netlink->until_ms =
		now_ms() + (int64_t)netlink->deadline_ms * EXCHANGE_DEADLINES;
	if (sent >= 0)
		return 0;
	if (errno == EMSGSIZE)
		return err_set(err, EMSGSIZE,
			       "%zu bytes for the kernel at once are more than "
			       "net.core.wmem_max lets through without root",
			       size);
	return err_set(err, errno, "cannot send to the kernel: %s",
		       strerror(errno));
}

static int too_late(struct netlink *netlink, struct err *err)
{
	netlink->stale = true;
	return err_set(err, ETIMEDOUT,
		       "the kernel did not answer within %g s (deadline of "
		       "/system)",
		       netlink->deadline_ms / 1000.0);
}

/* Fills room with what the kernel sent next. -EAGAIN: nothing there (flags
 * MSG_DONTWAIT), -ENOBUFS: something was lost. */
static int receive(struct netlink *netlink, int flags, struct err *err)
{
	for (;;) {
		struct sockaddr_nl from = { 0 };
		struct iovec part = { netlink->room, RECEIVE_ROOM };
		struct msghdr header = { .msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_iov = &part,
					 .msg_iovlen = 1 };
		ssize_t got = recvmsg(netlink->fd, &header, flags);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN && flags)
			return -EAGAIN;
		if (got < 0 && errno == EAGAIN)
			return too_late(netlink, err);
		if (got < 0 && errno == ENOBUFS)
			return err_set(err, ENOBUFS,
				       "answers of the kernel were lost: its "
				       "receive buffer ran over (raise "
				       "net.core.rmem_max)");
		if (got < 0)
			return err_set(err, errno,
				       "cannot receive from the kernel: %s",
				       strerror(errno));
		/* Any process may write to our address; only port 0 is the
		 * kernel. */
		if (header.msg_namelen != sizeof(from) || from.nl_pid != 0)
			continue;
		if (header.msg_flags & MSG_TRUNC)
			return err_set(err, EMSGSIZE,
				       "the kernel's answer is longer than "
				       "%d kB",
				       RECEIVE_ROOM >> 10);
		if (!flags && now_ms() > netlink->until_ms)
			return too_late(netlink, err);
		netlink->received = (size_t)got;
		return 0;
	}
}

/* ---- dumps ----------------------------------------------------------- */

struct dump {
	int (*each)(const struct nlmsghdr *message, void *arg);
	void *arg;
	uint32_t seq;
	int stopped;	  /* what each() stopped with */
	bool interrupted; /* the table changed under the dump */
	bool ended;
	struct answer answer;
};

static void take_dumped(struct dump *dump, const struct nlmsghdr *message)
{
	if (message->nlmsg_seq != dump->seq || dump->ended)
		return;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		dump->interrupted = true;
	switch (message->nlmsg_type) {
	case NLMSG_NOOP: return;
	case NLMSG_ERROR:
		read_error(message, &dump->answer);
		dump->ended = true;
		return;
	case NLMSG_DONE:
		read_done(message, &dump->answer);
		dump->ended = true;
		return;
	default:
		/* After a stop the rest is still read: the kernel begins no
		 * other dump on this socket before (EBUSY). */
		if (!dump->stopped)
			dump->stopped = dump->each(message, dump->arg);
	}
}

static int dump_once(struct netlink *netlink, struct nl_msg *request,
		     struct dump *dump, struct err *err)
{
	struct nlmsghdr *header = nlmsg_hdr(request);
	int rc;

	header->nlmsg_seq = dump->seq = ++netlink->seq;
	rc = send_bytes(netlink, header, header->nlmsg_len, err);
	while (!rc && !dump->ended) {
		const struct nlmsghdr *message;
		size_t at = 0;

		rc = receive(netlink, 0, err);
		if (rc < 0)
			break;
		while ((message = next_message(netlink->room, netlink->received,
					       &at)))
			take_dumped(dump, message);
	}
	return rc;
}

static int dump_result(const struct dump *dump, struct err *err)
{
	if (dump->stopped && err && err->code)
		return dump->stopped;
	if (dump->stopped)
		return err_set(err, -dump->stopped,
			       "cannot read the kernel's answer: %s",
			       strerror(-dump->stopped));
	return answer_err(&dump->answer, "reading from the kernel", err);
}

int netlink_get(struct netlink *netlink, struct nl_msg *request,
		int (*each)(const struct nlmsghdr *message, void *arg),
		void *arg, struct err *err)
{
	struct nlmsghdr *header = nlmsg_hdr(request);
	struct dump dump = { .each = each, .arg = arg };
	int rc;

	header->nlmsg_flags &= (uint16_t)~NLM_F_DUMP;
	header->nlmsg_flags |= NLM_F_ACK; /* which ends it */
	rc = dump_once(netlink, request, &dump, err);
	if (!rc)
		rc = dump_result(&dump, err);
	answer_clear(&dump.answer);
	return rc;
}

int netlink_dump(struct netlink *netlink, struct nl_msg *request,
		 int (*each)(const struct nlmsghdr *message, void *arg),
		 void (*restart)(void *arg), void *arg, struct err *err)
{
	struct nlmsghdr *header = nlmsg_hdr(request);

	header->nlmsg_flags |= NLM_F_DUMP;
	header->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	for (int i = 0; i < DUMP_TRIES; i++) {
		struct dump dump = { .each = each, .arg = arg };
		int rc;

		if (i && restart)
			restart(arg);
		rc = dump_once(netlink, request, &dump, err);
		if (!rc && (!dump.interrupted || dump.stopped))
			rc = dump_result(&dump, err);
		answer_clear(&dump.answer);
		/* A changed table may end a dump with EINTR too. */
		if (rc == -EINTR)
			dump.interrupted = true;
		if ((rc && rc != -EINTR) || !dump.interrupted || dump.stopped)
			return rc;
		err_clear(err);
	}
	return err_set(err, EAGAIN,
		       "the kernel's tables changed %d times while they were "
		       "read: try again",
		       DUMP_TRIES);
}

/* ---- batches --------------------------------------------------------- */

/* How many messages from first on go into one system call: so many that neither
 * they nor their answers fill a socket buffer. */
static size_t chunk_of(const struct netlink *netlink, const struct batch *batch,
		       size_t first)
{
	size_t bytes = 0, count = 0;

	while (first + count < batch->count && count < netlink->chunk) {
		const struct nlmsghdr *header =
			nlmsg_hdr(batch->items[first + count].message);

		bytes += NLMSG_ALIGN((size_t)header->nlmsg_len);
		if (count && bytes > CHUNK_BYTES)
			break;
		count++;
	}
	return count;
}

/* Numbers the message and puts it behind the others, aligned. One block of
 * memory, because sendmsg() takes at most 1024 parts. */
static void put_message(struct text *bytes, struct nlmsghdr *header,
			uint32_t seq)
{
	size_t size = header->nlmsg_len;

	header->nlmsg_seq = seq;
	text_put_bytes(bytes, header, size);
	text_fill(bytes, 0, NLMSG_ALIGN(size) - size);
}

/* Only the last message asks for an ACK. The kernel does one message after the
 * other and answers each that fails (netlink_rcv_skb() of
 * net/netlink/af_netlink.c), so when the last is answered the silent ones have
 * succeeded. */
struct answers {
	struct request *items; /* of the chunk */
	size_t count;
	uint32_t seq; /* of the first */
	bool *answered;
};

static bool all_answered(const struct answers *answers)
{
	return answers->answered[answers->count - 1];
}

static void take_answer(struct answers *answers, const struct nlmsghdr *message)
{
	uint32_t at = message->nlmsg_seq - answers->seq;

	if (message->nlmsg_type != NLMSG_ERROR || at >= answers->count ||
	    answers->answered[at])
		return;
	read_error(message, &answers->items[at].answer);
	answers->answered[at] = true;
}

static void take_answers(struct netlink *netlink, struct answers *answers)
{
	const struct nlmsghdr *message;
	size_t at = 0;

	while ((message = next_message(netlink->room, netlink->received, &at)))
		take_answer(answers, message);
}

/* The kernel works while we are in sendto(), so the answers are there already;
 * when some were lost the others can still be had. */
static int read_answers(struct netlink *netlink, struct answers *answers,
			struct err *err)
{
	int rc = 0;

	while (!rc && !all_answered(answers)) {
		rc = receive(netlink, 0, err);
		if (!rc)
			take_answers(netlink, answers);
	}
	if (rc == -ENOBUFS)
		while (!receive(netlink, MSG_DONTWAIT, NULL))
			take_answers(netlink, answers);
	return rc;
}

static int send_chunk(struct netlink *netlink, struct batch *batch,
		      size_t first, size_t count, struct err *err)
{
	AUTO(mem) void *answered = mem_array(count, sizeof(bool));
	struct answers answers = { batch->items + first, count,
				   netlink->seq + 1, answered };
	AUTO_TEXT bytes = TEXT_NONE;
	int rc;

	for (size_t i = first; i < first + count; i++) {
		struct nlmsghdr *header = nlmsg_hdr(batch->items[i].message);

		header->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
		if (i + 1 == first + count)
			header->nlmsg_flags |= NLM_F_ACK;
		put_message(&bytes, header, ++netlink->seq);
	}
	rc = send_bytes(netlink, bytes.bytes, bytes.length, err);
	if (!rc)
		rc = read_answers(netlink, &answers, err);
	for (size_t i = 0; rc && i < count; i++)
		if (!answers.answered[i])
			answers.items[i].answer.code = rc;
	return rc;
}

static size_t first_failed(const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		if (batch->items[i].answer.code)
			return i;
	return batch->count;
}

int netlink_send(struct netlink *netlink, struct batch *batch, size_t *failed,
		 struct err *err)
{
	size_t at = 0;
	int rc = 0;

	for (size_t i = 0; i < batch->count; i++)
		answer_clear(&batch->items[i].answer);
	while (!rc && at < batch->count) {
		size_t count = chunk_of(netlink, batch, at);

		rc = send_chunk(netlink, batch, at, count, err);
		at += count;
	}
	while (at < batch->count)
		batch->items[at++].answer.code = rc;
	if (failed)
		*failed = first_failed(batch);
	return rc;
}

/* ---- nftables' transactions ------------------------------------------ */

static void put_bracket(struct text *bytes, int type, int subsystem,
			uint32_t seq)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg body;
	} bracket = {
		{ .nlmsg_len = sizeof(bracket),
		  .nlmsg_type = (uint16_t)type,
		  .nlmsg_flags = NLM_F_REQUEST,
		  .nlmsg_seq = seq },
		{ .nfgen_family = AF_UNSPEC,
		  .version = NFNETLINK_V0,
		  .res_id = htons((uint16_t)subsystem) },
	};

	text_put_bytes(bytes, &bracket, sizeof(bracket));
}

/*
 * net/netfilter/nfnetlink.c, nfnetlink_rcv_batch(): every message is tried, and
 * one error aborts all. Answers are delivered at the end, in order: the errors,
 * and an ACK for whoever asked, also when the batch was aborted. Faults of the
 * batch itself (no privilege, commit refused) answer the BEGIN and come first.
 * So: an ACK asked for on the last message alone, and no error before it, mean
 * that it was committed. (An ACK on END says so directly, but only since 6.10.)
 */
struct verdict {
	struct batch *batch;
	size_t failed;	     /* batch->count: none */
	struct answer whole; /* of the BEGIN */
	uint32_t seq;	     /* of the BEGIN; messages follow */
	bool ended;
};

static void take_verdict(struct verdict *verdict,
			 const struct nlmsghdr *message)
{
	uint32_t at = message->nlmsg_seq - verdict->seq;
	size_t count = verdict->batch->count;

	if (message->nlmsg_type != NLMSG_ERROR || at > count)
		return;
	if (at == 0) {
		read_error(message, &verdict->whole);
		verdict->ended = verdict->whole.code != 0;
		return;
	}
	read_error(message, &verdict->batch->items[at - 1].answer);
	if (verdict->batch->items[at - 1].answer.code &&
	    at - 1 < verdict->failed)
		verdict->failed = at - 1;
	if (at == count)
		verdict->ended = true;
}

static int read_verdict(struct netlink *netlink, struct verdict *verdict,
			struct err *err)
{
	int flags = 0, rc;

	for (;;) {
		const struct nlmsghdr *message;
		size_t at = 0;

		AUTO_ERR fault = ERR_NONE;

		rc = receive(netlink, flags, &fault);
		if (rc == -EAGAIN && flags)
			return 0;
		/* So many errors that some were lost: which one was first is
		 * still in the queue. */
		if (rc == -ENOBUFS && !verdict->ended) {
			verdict->ended = true;
			verdict->whole.code = rc;
			flags = MSG_DONTWAIT;
			continue;
		}
		if (rc < 0)
			return err_move(err, &fault);
		while ((message = next_message(netlink->room, netlink->received,
					       &at)))
			take_verdict(verdict, message);
		if (verdict->ended)
			flags = MSG_DONTWAIT;
	}
}

static int verdict_err(const struct verdict *verdict, struct err *err)
{
	const struct batch *batch = verdict->batch;

	if (verdict->failed < batch->count)
		return answer_err(&batch->items[verdict->failed].answer,
				  "nftables", err);
	return answer_err(&verdict->whole, "nftables", err);
}

int netlink_transact(struct netlink *netlink, int subsystem,
		     struct batch *batch, size_t *failed, struct err *err)
{
	struct verdict verdict = { .batch = batch, .failed = batch->count };
	AUTO_TEXT bytes = TEXT_NONE;
	int rc;

	if (failed)
		*failed = batch->count;
	if (!batch->count)
		return 0;
	verdict.seq = ++netlink->seq;
	put_bracket(&bytes, NFNL_MSG_BATCH_BEGIN, subsystem, verdict.seq);
	for (size_t i = 0; i < batch->count; i++) {
		struct nlmsghdr *header = nlmsg_hdr(batch->items[i].message);

		answer_clear(&batch->items[i].answer);
		header->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
		if (i + 1 == batch->count)
			header->nlmsg_flags |= NLM_F_ACK;
		put_message(&bytes, header, ++netlink->seq);
	}
	put_bracket(&bytes, NFNL_MSG_BATCH_END, subsystem, ++netlink->seq);
	if (text_overflowed(&bytes))
		return err_set(err, E2BIG,
			       "nftables: more than %u MB in one transaction",
			       TEXT_LIMIT >> 20);
	rc = send_bytes(netlink, bytes.bytes, bytes.length, err);
	if (!rc)
		rc = read_verdict(netlink, &verdict, err);
	if (!rc)
		rc = verdict_err(&verdict, err);
	answer_clear(&verdict.whole);
	if (failed)
		*failed = verdict.failed;
	return rc;
}

int answer_err(const struct answer *answer, const char *what, struct err *err)
{
	if (!answer->code)
		return 0;
	err_set(err, -answer->code, "%s: %s", what, strerror(-answer->code));
	if (answer->words)
		err_append(err, " (the kernel says: %s)", answer->words);
	return answer->code;
}
