/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "backends/engine/hub.h"

enum {
	AGAIN_S = 30, /* names are looked up so often */
	/* While one of them is not known, or nobody answers where it led. */
	AGAIN_BAD_S = 3,
	NAMES = 256,
};

struct resolver {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change;
	bool started, ending;
	bool fresh;   /* there is a name that was not asked for yet */
	bool hurried; /* one has led nowhere */
	int fd;
	json_t *known; /* name: [ addresses ] */
};

/* --- asking --------------------------------------------------------------- */

static json_t *ask(const char *name)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
				  .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *found = NULL;
	json_t *list = json_array();

	if (getaddrinfo(name, NULL, &hints, &found))
		return list;
	for (const struct addrinfo *at = found; at; at = at->ai_next) {
		char host[NI_MAXHOST];

		if (!getnameinfo(at->ai_addr, at->ai_addrlen, host,
				 sizeof(host), NULL, 0, NI_NUMERICHOST) &&
		    !strchr(host, '%'))
			json_array_append_new(list, json_string(host));
	}
	freeaddrinfo(found);
	return list;
}

/* A copy: the names may change while one is asked for. */
static json_t *names_of(struct resolver *resolver)
{
	json_t *names = json_array(), *value;
	const char *name;

	json_object_foreach(resolver->known, name, value)
		json_array_append_new(names, json_string(name));
	return names;
}

/* true: all names are known. */
static bool ask_all(struct resolver *resolver)
{
	json_t *names = names_of(resolver), *name;
	bool changed = false, all = true;
	uint64_t one = 1;
	size_t i;

	pthread_mutex_unlock(&resolver->lock);
	json_array_foreach(names, i, name)
	{
		const char *text = json_string_value(name);
		json_t *list = ask(text);

		pthread_mutex_lock(&resolver->lock);
		/* No answer is no news. */
		if (json_array_size(list) &&
		    !json_equal(list, json_object_get(resolver->known, text))) {
			json_object_set(resolver->known, text, list);
			changed = true;
		}
		all = all &&
		      json_array_size(json_object_get(resolver->known, text));
		pthread_mutex_unlock(&resolver->lock);
		json_decref(list);
	}
	json_decref(names);
	if (changed && write(resolver->fd, &one, sizeof(one)) < 0)
		changed = false; /* it is readable already */
	pthread_mutex_lock(&resolver->lock);
	return all;
}

/* Not by the wall clock: set back, it would keep us waiting. */
static void wait_turn(struct resolver *resolver, time_t asked, bool all)
{
	int rc = 0;

	while (!rc && !resolver->ending && !resolver->fresh) {
		bool soon = !all || resolver->hurried;
		struct timespec until = {
			.tv_sec = asked + (soon ? AGAIN_BAD_S : AGAIN_S),
		};

		rc = pthread_cond_clockwait(&resolver->change, &resolver->lock,
					    CLOCK_MONOTONIC, &until);
	}
}

static void *run(void *arg)
{
	struct resolver *resolver = arg;

	pthread_mutex_lock(&resolver->lock);
	while (!resolver->ending) {
		struct timespec now;
		bool all;

		resolver->fresh = resolver->hurried = false;
		all = ask_all(resolver);
		clock_gettime(CLOCK_MONOTONIC, &now);
		wait_turn(resolver, now.tv_sec, all);
	}
	pthread_mutex_unlock(&resolver->lock);
	return NULL;
}

/* --- life ----------------------------------------------------------------- */

struct resolver *resolver_new(void)
{
	struct resolver *resolver = mem_alloc(sizeof(*resolver));

	pthread_mutex_init(&resolver->lock, NULL);
	pthread_cond_init(&resolver->change, NULL);
	resolver->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	resolver->known = json_object();
	return resolver;
}

/* Only with the first name: most links need none. */
static void start(struct resolver *resolver)
{
	sigset_t all, old;

	if (resolver->started)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	resolver->started =
		!pthread_create(&resolver->thread, NULL, run, resolver);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	pthread_mutex_lock(&resolver->lock);
	resolver->ending = true;
	pthread_cond_signal(&resolver->change);
	pthread_mutex_unlock(&resolver->lock);
	/* It may be waiting for a name server; then it is left behind, and so
	 * is what it holds: the program ends. */
	if (resolver->started) {
		pthread_detach(resolver->thread);
		return;
	}
	close(resolver->fd);
	json_decref(resolver->known);
	free(resolver);
}

int resolver_fd(const struct resolver *resolver)
{
	return resolver->fd;
}

void resolver_heard(struct resolver *resolver)
{
	uint64_t count;

	while (read(resolver->fd, &count, sizeof(count)) > 0)
		;
}

void resolver_hurry(struct resolver *resolver)
{
	pthread_mutex_lock(&resolver->lock);
	if (!resolver->hurried)
		pthread_cond_signal(&resolver->change);
	resolver->hurried = true;
	pthread_mutex_unlock(&resolver->lock);
}

/* --- filling in ----------------------------------------------------------- */

static bool is_numeric(const char *host)
{
	uint8_t bytes[16];

	return *host == '[' || inet_pton(AF_INET, host, bytes) == 1;
}

static void append(json_t *to, const char *host, const char *port)
{
	AUTO(str)
	char *text = strchr(host, ':') ? mem_printf("[%s]%s", host, port)
				       : mem_printf("%s%s", host, port);

	json_array_append_new(to, json_string(text));
}

/* port begins with its colon. */
static void append_known(struct resolver *resolver, json_t *to,
			 const char *host, const char *port)
{
	json_t *list, *address;
	size_t i;

	pthread_mutex_lock(&resolver->lock);
	list = json_object_get(resolver->known, host);
	if (!list && json_object_size(resolver->known) < NAMES) {
		json_object_set_new(resolver->known, host, json_array());
		resolver->fresh = true;
		pthread_cond_signal(&resolver->change);
	}
	json_array_foreach(list, i,
			   address) if (json_array_size(to) < HUB_ENDPOINTS)
		append(to, json_string_value(address), port);
	pthread_mutex_unlock(&resolver->lock);
}

static bool fill_peer(struct resolver *resolver, json_t *peer)
{
	json_t *list = json_object_get(peer, "endpoints");
	json_t *filled = json_array(), *item;
	bool named = false;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);
		const char *port = text ? strrchr(text, ':') : NULL;
		AUTO(str) char *host = NULL;

		if (port)
			host = mem_strndup(text, (size_t)(port - text));
		if (!host || is_numeric(host)) {
			json_array_append(filled, item);
			continue;
		}
		named = true;
		append_known(resolver, filled, host, port);
	}
	if (list)
		json_object_set_new(peer, "endpoints", filled);
	else
		json_decref(filled);
	return named;
}

bool resolver_fill(struct resolver *resolver, json_t *description)
{
	json_t *peer;
	bool named = false;
	size_t i;

	json_array_foreach(json_object_get(description, "peers"), i,
			   peer) if (json_is_object(peer) &&
				     fill_peer(resolver, peer)) named = true;
	if (named)
		start(resolver);
	return named;
}
