/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/hub.h"

#include <linux/if.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "backends/engine/hub_private.h"

enum {
	EVENTS = 64,
	KEEP_BYTES = 64 << 20, /* 100 ms at 5 Gbit/s */
	RESIZE_US = 50000,     /* all peers are looked at so often at most */
	DOORS_US = 2000,       /* a turn's time for those who call */
};

uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(UDP_CLOCK, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- who is next: a binary heap ------------------------------------------- */

static void put_at(struct hub *hub, struct peer *peer, size_t place)
{
	hub->heap[place] = peer;
	peer->place = place;
}

static void sift_up(struct hub *hub, size_t at)
{
	struct peer *peer = hub->heap[at];

	for (; at > 1 && hub->heap[at / 2]->next > peer->next; at /= 2)
		put_at(hub, hub->heap[at / 2], at);
	put_at(hub, peer, at);
}

static void sift_down(struct hub *hub, size_t at)
{
	struct peer *peer = hub->heap[at];

	for (size_t child; (child = at * 2) <= hub->heap_count; at = child) {
		if (child < hub->heap_count &&
		    hub->heap[child + 1]->next < hub->heap[child]->next)
			child++;
		if (hub->heap[child]->next >= peer->next)
			break;
		put_at(hub, hub->heap[child], at);
	}
	put_at(hub, peer, at);
}

void hub_schedule(struct hub *hub, struct peer *peer, uint64_t at)
{
	if (!peer->place) {
		if (hub->heap_count + 1 >= hub->heap_room) {
			hub->heap_room = hub->heap_room * 2 + 16;
			hub->heap = mem_resize(hub->heap,
					       hub->heap_room * sizeof(peer));
		}
		peer->next = at;
		put_at(hub, peer, ++hub->heap_count);
	}
	peer->next = at;
	sift_up(hub, peer->place);
	sift_down(hub, peer->place);
}

void hub_unschedule(struct hub *hub, struct peer *peer)
{
	size_t place = peer->place;
	struct peer *last;

	if (!place)
		return;
	peer->place = 0;
	last = hub->heap[hub->heap_count--];
	if (last == peer)
		return;
	put_at(hub, last, place);
	sift_up(hub, last->place);
	sift_down(hub, last->place);
}

/* --- the thread ----------------------------------------------------------- */

static void do_call(struct hub *hub)
{
	uint64_t count;

	if (read(hub->wake, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&hub->lock);
	if (hub->call)
		hub->call(hub, hub->call_arg);
	hub->call = NULL;
	pthread_cond_signal(&hub->done);
	pthread_mutex_unlock(&hub->lock);
}

void hub_call(struct hub *hub, void (*call)(struct hub *, void *), void *arg)
{
	uint64_t one = 1;

	if (!hub->started) {
		call(hub, arg);
		return;
	}
	pthread_mutex_lock(&hub->lock);
	hub->call = call;
	hub->call_arg = arg;
	if (write(hub->wake, &one, sizeof(one)) == sizeof(one))
		while (hub->call)
			pthread_cond_wait(&hub->done, &hub->lock);
	pthread_mutex_unlock(&hub->lock);
}

int hub_watch(struct hub *hub, int fd, void *data, struct err *err)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = data };

	if (epoll_ctl(hub->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return err_set(err, errno, "epoll: %m");
	return 0;
}

/* Whatever was done since may have given the handshake something to do, so it
 * is asked each time. */
static uint64_t next_time(struct hub *hub, uint64_t now)
{
	uint64_t next = handshake_timer(hub->handshake, now);

	if (hub->housekeeping < next)
		next = hub->housekeeping;
	if (hub->retry < next)
		next = hub->retry;
	if (hub->resize < next)
		next = hub->resize;
	if (hub->heap_count && hub->heap[1]->next < next)
		next = hub->heap[1]->next;
	return next;
}

static int wait_for(struct hub *hub, struct epoll_event *events)
{
	uint64_t now = clock_us(), next = next_time(hub, now);
	uint64_t wait = next > now ? next - now : 0;
	struct timespec time = { (time_t)(wait / 1000000),
				 (long)(wait % 1000000) * 1000 };
	int count;

	if (!hub_may_sleep(hub))
		time = (struct timespec){ 0 };
	count = epoll_pwait2(hub->epoll, events, EVENTS, &time, NULL);
	hub_wakes(hub);
	return count;
}

/* What the device may call its MTU where a payload has so many bytes. */
static uint16_t carried(const struct hub *hub, uint16_t payload)
{
	return payload > HUB_FRAME && hub->config.tap ? payload - HUB_FRAME
						      : payload;
}

void hub_mtu(struct hub *hub)
{
	uint64_t now = clock_us();

	if (hub->resize == UINT64_MAX)
		hub->resize = hub->resized + RESIZE_US > now
				      ? hub->resized + RESIZE_US
				      : now;
}

static void resize(struct hub *hub, uint64_t now)
{
	bool most = crew_mtu_is_most(hub->crew);
	uint16_t found = 0;
	struct peer *peer;

	hub->resize = UINT64_MAX;
	hub->resized = now;
	TAILQ_FOREACH (peer, &hub->peers, entry) {
		uint16_t mtu = peer->braid && handshake_session(peer->handshake)
				       ? braid_mtu(peer->braid)
				       : 0;

		if (mtu && (!found || (most ? mtu > found : mtu < found)))
			found = mtu;
	}
	crew_mtu_set(hub->crew, hub->part, carried(hub, found));
	hub->mtu = crew_mtu(hub->crew);
}

static void do_due(struct hub *hub)
{
	uint64_t now = clock_us();

	if (hub->housekeeping <= now)
		hub_housekeeping(hub, now);
	if (hub->retry <= now)
		hub_retry(hub, now);
	if (hub->resize <= now)
		resize(hub, now);
	/* Each once: who is never done must not keep the others waiting. */
	for (size_t i = hub->heap_count; i && hub->heap_count; i--) {
		if (hub->heap[1]->next > now)
			break;
		peer_work(hub->heap[1], now);
	}
	hub_flush(hub);
}

/* "home0", or "home0/2" of several: for top -H and perf. */
static void name_thread(const struct hub *hub)
{
	char name[16];

	if (hub->crew->count > 1)
		snprintf(name, sizeof(name), "%.12s/%u", hub->config.name,
			 hub->part % WIRE_PARTS);
	else
		snprintf(name, sizeof(name), "%.15s", hub->config.name);
	prctl(PR_SET_NAME, name, 0, 0, 0);
}

/* Its number, or UDP_DOORS. */
static unsigned door_of(const struct hub *hub, const void *what)
{
	unsigned i = 0;

	while (i < UDP_DOORS && hub->doors[i] != what)
		i++;
	return i;
}

/* Of those who call, as many as there is time for: they wait longer than those
 * who are in, each door as long as the others. */
static void open_doors(struct hub *hub, unsigned knocked)
{
	uint64_t begun = clock_us(), now = begun;

	for (unsigned i = 0; i < UDP_DOORS && now - begun < DOORS_US; i++) {
		unsigned door = hub->next_door;

		hub->next_door = (door + 1) % UDP_DOORS;
		if (!(knocked & 1U << door))
			continue;
		hub_receive(hub, hub->doors[door], now);
		now = clock_us();
	}
}

/* What has come by sockets; true: something can be read from the device. */
static bool look(struct hub *hub, const struct epoll_event *events, int count)
{
	unsigned knocked = 0;
	bool readable = false;

	for (int i = 0; i < count; i++) {
		void *what = events[i].data.ptr;
		unsigned door;

		if (what == &hub->wake || what == &hub->bell)
			continue;
		door = door_of(hub, what);
		if (what == hub->tun || what == hub->marked)
			readable = true;
		else if (door < UDP_DOORS)
			knocked |= 1U << door;
		else
			hub_receive(hub, what, clock_us());
	}
	if (knocked)
		open_doors(hub, knocked);
	return readable;
}

static void *run(void *arg)
{
	struct hub *hub = arg;
	struct epoll_event events[EVENTS];
	uint64_t writes;
	bool readable;

	name_thread(hub);
	while (!hub->ending) {
		int count = wait_for(hub, events);

		writes = tun_counters(hub->tun)->writes;
		hub->mtu = crew_mtu(hub->crew);
		readable = look(hub, events, count);
		hub_hear(hub, clock_us());
		do_due(hub);
		/* The kernel answers much of what it is handed (echo requests,
		 * what TCP acks) before the write returns. */
		if (readable || tun_counters(hub->tun)->writes != writes)
			hub_read(hub, clock_us());
		hub_ring(hub);
		/* Last: a call may free what an event points to. */
		for (int i = 0; i < count; i++)
			if (events[i].data.ptr == &hub->wake)
				do_call(hub);
	}
	return NULL;
}

/* --- life ----------------------------------------------------------------- */

/* By its edge, so that nobody has to read it. */
static int watch_bell(struct hub *hub, struct err *err)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET,
				     .data.ptr = &hub->bell };

	if (epoll_ctl(hub->epoll, EPOLL_CTL_ADD, hub->bell, &event) < 0)
		return err_set(err, errno, "epoll: %m");
	return 0;
}

static int open_all(struct hub *hub, struct err *err)
{
	hub->epoll = epoll_create1(EPOLL_CLOEXEC);
	hub->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	hub->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (hub->epoll < 0 || hub->wake < 0 || hub->bell < 0)
		return err_set(err, errno, "epoll: %m");
	if (hub_watch(hub, hub->wake, &hub->wake, err) < 0 ||
	    watch_bell(hub, err) < 0 ||
	    hub_watch(hub, tun_fd(hub->tun), hub->tun, err) < 0)
		return -EIO;
	switch_open(hub);
	return hub->udp ? hub_watch(hub, udp_fd(hub->udp), hub->udp, err) : 0;
}

static void memory(struct hub *hub)
{
	hub->room = udp_room_new();
	hub->keep = keep_new(KEEP_BYTES);
	for (int i = 0; i < HUB_BUNCHES; i++)
		hub->bunches[i].out = mem_alloc(HUB_OUT + 4096);
	hub->control = mem_alloc(HUB_CONTROL);
	hub->scratch = mem_alloc(HUB_SCRATCH + 65536);
	if (hub->config.server)
		hub->prefixes = inner_map_new();
	if (hub->crew->count > 1)
		hub->crowded =
			mem_array(HUB_NUMBERS + 1UL, sizeof(*hub->crowded));
}

int hub_start(struct hub *hub, struct err *err)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&hub->thread, NULL, run, hub);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc)
		return err_set(err, rc, "thread: %s", strerror(rc));
	hub->started = true;
	return 0;
}

struct hub *hub_new(struct crew *crew, unsigned part, struct tun *tun,
		    struct udp *udp, struct err *err)
{
	AUTO(hub) struct hub *hub = mem_alloc(sizeof(*hub));

	hub->crew = crew;
	hub->part = part;
	hub->config = crew->config;
	hub->tun = tun;
	hub->udp = udp;
	hub->epoll = hub->wake = hub->bell = -1;
	TAILQ_INIT(&hub->peers);
	TAILQ_INIT(&hub->members);
	hub->retry = hub->resize = UINT64_MAX;
	pthread_mutex_init(&hub->lock, NULL);
	pthread_cond_init(&hub->done, NULL);
	memory(hub);
	hub->mtu = crew_mtu(crew);
	hub->handshake =
		handshake_new(hub->config.secret, &hub_handshake_ops, hub);
	handshake_share(hub->handshake, part, crew->count, crew->cookie_root);
	return open_all(hub, err) < 0 ? NULL : TAKE(hub);
}

int hub_door(struct hub *hub, unsigned number, struct udp *udp, struct err *err)
{
	hub->doors[number] = udp;
	return hub_watch(hub, udp_fd(udp), udp, err);
}

struct marking {
	struct tun *tun;
	struct err *err;
	int rc;
};

static void take_marked(struct hub *hub, void *arg)
{
	struct marking *marking = arg;

	hub->marked = marking->tun;
	marking->rc =
		hub_watch(hub, tun_fd(hub->marked), hub->marked, marking->err);
}

int hub_marked(struct hub *hub, struct tun *tun, struct err *err)
{
	struct marking marking = { tun, err, 0 };

	hub_call(hub, take_marked, &marking);
	return marking.rc;
}

bool hub_has_marked(const struct hub *hub)
{
	return hub->marked;
}

int hub_tun_fd(const struct hub *hub)
{
	return tun_fd(hub->tun);
}

static void end(struct hub *hub, void *arg)
{
	(void)arg;
	hub->ending = true;
}

static void close_all(struct hub *hub)
{
	struct member *member;
	struct peer *peer;

	while ((peer = TAILQ_FIRST(&hub->peers)))
		peer_free(peer);
	while ((member = TAILQ_FIRST(&hub->members))) {
		TAILQ_REMOVE(&hub->members, member, entry);
		member_free(member);
	}
	handshake_free(hub->handshake);
	tun_free(hub->tun);
	tun_free(hub->marked);
	udp_free(hub->udp);
	for (unsigned i = 0; i < UDP_DOORS; i++)
		udp_free(hub->doors[i]);
	if (hub->epoll >= 0)
		close(hub->epoll);
	if (hub->wake >= 0)
		close(hub->wake);
	if (hub->bell >= 0)
		close(hub->bell);
}

void hub_end(struct hub *hub)
{
	if (!hub->started)
		return;
	hub_call(hub, end, NULL);
	pthread_join(hub->thread, NULL);
	hub->started = false;
}

void hub_free(struct hub *hub)
{
	if (!hub)
		return;
	hub_end(hub);
	close_all(hub);
	udp_room_free(hub->room);
	keep_free(hub->keep);
	inner_map_free(hub->prefixes);
	free(hub->numbers);
	free(hub->crowded);
	free(hub->heap);
	for (int i = 0; i < HUB_BUNCHES; i++)
		free(hub->bunches[i].out);
	free(hub->control);
	free(hub->scratch);
	pthread_mutex_destroy(&hub->lock);
	pthread_cond_destroy(&hub->done);
	explicit_bzero(&hub->config, sizeof(hub->config));
	free(hub);
}

static void get_lost(struct hub *hub, void *arg)
{
	*(bool *)arg = hub->lost;
}

bool hub_is_lost(struct hub *hub)
{
	bool lost = false;

	hub_call(hub, get_lost, &lost);
	return lost;
}

struct queues {
	struct tun *tun, *marked;
};

static void retake(struct hub *hub, void *arg)
{
	const struct queues *queues = arg;

	tun_free(hub->tun);
	tun_free(hub->marked);
	hub->tun = queues->tun;
	hub->marked = queues->marked;
	hub->lost = false;
	hub->error[0] = '\0';
	if (hub_watch(hub, tun_fd(hub->tun), hub->tun, NULL) < 0 ||
	    (hub->marked &&
	     hub_watch(hub, tun_fd(hub->marked), hub->marked, NULL) < 0))
		hub->lost = true;
}

void hub_retake(struct hub *hub, struct tun *tun, struct tun *marked)
{
	hub_call(hub, retake, &(struct queues){ tun, marked });
}

static void set_config(struct hub *hub, void *arg)
{
	const struct hub_config *fresh = arg;
	struct peer *peer;

	hub->config = *fresh;
	TAILQ_FOREACH (peer, &hub->peers, entry) {
		if (!peer->braid)
			continue;
		braid_slices(peer->braid, fresh->slice_us, fresh->slices,
			     clock_us());
		braid_policy_set(peer->braid, fresh->mode, clock_us());
		hub_schedule(hub, peer, 0);
	}
	hub->mtu = crew_mtu(hub->crew);
}

void hub_set(struct hub *hub, const struct hub_config *config)
{
	hub_call(hub, set_config, (void *)config);
}
