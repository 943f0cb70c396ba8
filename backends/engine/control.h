/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control.h - how the engine is told, and asked: a Unix socket, a line a
 * request, a line an answer, both JSON.
 *
 *     { "protocol": 1, "id": 7, "do": "set", "link": DESCRIPTION }
 *     { "id": 7, "done": RESULT }
 *     { "id": 7, "error": { "code": "EEXIST", "text": "..." } }
 *
 * id is anything and comes back. The protocol number is that of the request;
 * another one than ours is answered with an error that names ours.
 *
 *     do        with                  RESULT
 *     hello                           { "version", "protocol", "pid", "uid" }
 *     set       link: description.h,  {}
 *               keys: { digest: key }
 *     remove    link: its name        {}
 *     get                             [ descriptions without secrets ]
 *     status    link: name, or none   [ hub_status() of each, and "past": as
 *                                       below, with the last spell alone ]
 *     past      link: name, or none   past.h, of each
 *     follow                          {}
 *
 * Behind follow come lines without being asked for, as things happen, until one
 * of both hangs up; at is when the line became full, or when it last was:
 *
 *     { "moment": { "what": "full" or "free", "link", "member" or "peer",
 *       "way": "out" or "in", "at": us since 1970, "lasted-us": 0 for full,
 *       "rate": bit/s, "queue-us" } }
 *
 * Who may: hello, get, status, past and follow whoever may open the socket; set
 * and remove root and the engine's own user (SO_PEERCRED, unix(7)). A line of
 * more than CONTROL_LINE bytes ends the connection, and so does one that is not
 * complete, or an answer that is not taken, CONTROL_PATIENCE_US after the last
 * byte that moved. Any other bytes are answered with an error. Where
 * CONTROL_CLIENTS are connected, who comes takes the place of who has been
 * still for longest.
 */
#ifndef BACKENDS_ENGINE_CONTROL_H
#define BACKENDS_ENGINE_CONTROL_H

#include "backends/engine/engine.h"
#include "backends/engine/keeping.h"

enum {
	CONTROL_PROTOCOL = 1,
	CONTROL_LINE = 4 << 20,
	CONTROL_CLIENTS = 64,	   /* at a time */
	CONTROL_UNHEARD = 1 << 20, /* bytes a follower may be behind */
	CONTROL_PATIENCE_US = 10000000,
};

struct control;

/* Listens at path: a socket that nobody answers at is replaced. Of several that
 * start at once one has it: by flock() of the file PATH-lock. EADDRINUSE: there
 * is an engine already. engine is borrowed. */
struct control *control_new(const char *path, struct engine *engine,
			    struct err *err);
/* The same with a listening socket that systemd made (sd_listen_fds(3)). */
struct control *control_adopt(int fd, struct engine *engine);
/* The socket it made, for who may remove it; NULL: it is adopted. */
const struct keeping_socket *control_made(const struct control *control);
void control_free(struct control *control);
AUTO_DEFINE(control, struct control *, control_free)

/* A file descriptor that is readable when control_turn() has something to do,
 * and the time at which it has also without that; UINT64_MAX: never. */
int control_fd(const struct control *control);
uint64_t control_next(const struct control *control);
/* Tells those who follow, and decrefs the array of moments. now_us as below. */
void control_tell(struct control *control, json_t *moments, uint64_t now_us);
/* Some of what there is to do, so that who asks without end keeps nobody from
 * his turn. now_us: CLOCK_MONOTONIC. */
void control_turn(struct control *control, uint64_t now_us);

#endif
