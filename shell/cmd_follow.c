/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells what others change, as they do it: follow. */
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "shell/follow.h"
#include "shell/screen.h"
#include "shell/session.h"
#include "shell/spell.h"

/* "/classes/uplink/bulk: differs: ~ class wan0 1:20 rate 3mbit -> 1mbit" */
static void put_line(const struct happening *happening, struct text *out)
{
	const char *path = happening->path;

	text_printf(out, "%s%s%s: %s", path, path[0] ? ": " : "",
		    happening->what, happening->text);
	if (happening->by)
		text_printf(out, ", by %s", happening->by);
}

static bool tell_log(const struct happening *happening, void *arg)
{
	AUTO_TEXT line = TEXT_NONE;

	(void)arg;
	put_line(happening, &line);
	syslog(!strcmp(happening->what, "failed") ? LOG_ERR
	       : happening->spell		  ? LOG_NOTICE
						  : LOG_WARNING,
	       "%s", text_get(&line));
	return true;
}

static void show_fields(struct output *output,
			const struct happening *happening)
{
	output_number(output, "at", (uint64_t)time(NULL));
	output_field(output, "what", happening->what);
	output_field(output, "path", happening->path);
	output_field(output, "text", happening->text);
	if (happening->by)
		output_field(output, "by", happening->by);
	if (!happening->spell)
		return;
	output_field(output, "way", spell_way(happening->spell));
	output_number(output, "began_us", (uint64_t)happening->spell->began_us);
	output_number(output, "lasted_us", happening->spell->lasted_us);
	output_number(output, "rate", happening->spell->rate_bps);
	output_number(output, "queue_us", happening->spell->queue_us);
}

static bool tell(const struct happening *happening, void *arg)
{
	struct output *output = arg;
	AUTO_TEXT line = TEXT_NONE;

	output_begin(output);
	if (output_is_json(output)) {
		show_fields(output, happening);
	} else {
		text_put_clock(&line, time(NULL));
		text_put_char(&line, ' ');
		put_line(happening, &line);
		output_answer(output, NULL, text_get(&line));
	}
	output_end(output);
	output_flush(output);
	return !output_is_broken(output);
}

static int follow_run(struct session *session, const struct match *match,
		      struct err *err)
{
	const char *log = match_value(match, "log");
	bool to_log = log && !strcmp(log, "syslog");
	const struct follow_options options = {
		.store = session->options.store,
		.tell = to_log ? tell_log : tell,
		.arg = session->output,
	};
	int rc;

	if (session->options.dry)
		return err_set(err, EINVAL,
			       "follow does what drift= says, and has no dry "
			       "run: drift shows how things stand");
	if (session->gathering)
		return err_set(err, ECANCELED,
			       "follow stands alone: not in a batch");
	output_end(session->output);
	if (output_is_terminal(session->output))
		output_say(session->output, SAY_DONE,
			   "Following; Ctrl-C ends it.");
	if (to_log)
		openlog("tresse", LOG_PID, LOG_DAEMON);
	rc = follow(&options, err);
	if (output_is_terminal(session->output) && screen_moves()) {
		fputs("\r\033[K", stdout); /* the terminal wrote ^C there */
		fflush(stdout);
	}
	if (to_log)
		closelog();
	output_begin(session->output);
	return rc;
}

static const struct choice logs[] = {
	{ "stdout", "lines, or with -j documents; that, if left out" },
	{ "syslog", "the system's log" },
	{ NULL, NULL }
};

static const struct arg follow_args[] = {
	{ .name = "log",
	  .type = &type_choice,
	  .choices = logs,
	  .help = "where it is told" },
	{ 0 },
};

const struct command command_follow = {
	.name = "follow",
	.summary = "tell what others change, and which lines are full, until "
		   "Ctrl-C",
	.man = "Hears from the kernel what is changed in tc, nftables, links, "
	       "addresses, routes and rules, looks where that differs from the "
	       "store, and tells it; drift then knows since when it differs, "
	       "and who did it, as far as the kernel tells. tresse-follow."
	       "service does this from boot on; without systemd, `tresse "
	       "follow log=syslog &`. One process a store follows.\n\n"
	       "Lines of tunnels that become full, and are no longer, are told "
	       "too (saturation). An engine that has ended differs from the "
	       "store like anything else.\n\n"
	       "What becomes of it is said by drift=, on /system, a path, an "
	       "uplink or a class, for all below it. report: it is told. "
	       "repair: that object is put back, and no other; after three "
	       "times within a minute it is left until it has agreed for a "
	       "minute, so that two programs do not fight for ever. adopt: "
	       "rate, ceil, bursts, prio, quantum and queue of a class, and "
	       "the gateway of a path, become settings, as a new revision "
	       "whose reason is `adopted`; what no setting can say is told and "
	       "left. ignore: nothing is said, by drift neither.\n\n"
	       "What is foreign in a place of Tresse's has no path: /system "
	       "decides.",
	.example = "follow\nfollow log=syslog",
	.see = "drift, repair, watch",
	.json = "at:int what:string path:string text:string by?:string "
		"way?:out|in began_us?:int lasted_us?:int rate?:int "
		"queue_us?:int",
	.args = follow_args,
	.run = follow_run,
};
