/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arguments of the commands that begin, commit and look back. */
#include <string.h>

#include "model/kind.h"
#include "shell/change.h"
#include "shell/healthy.h"
#include "shell/match.h"

#define WAIT_LEAST UINT64_C(1000000)
#define WAIT_MOST  UINT64_C(86400000000)

static const struct attr wait_attr = { .name = "confirm",
				       .type = &type_duration };

int wait_parse(const char *text, int64_t *us, struct err *err)
{
	struct value value = { 0 };
	int rc;

	*us = 0;
	if (!strcmp(text, "none"))
		return 0;
	rc = value_parse(&wait_attr, text, &value, err);
	if (rc < 0)
		return err_prefix(err, "confirm=");
	if (value.u < WAIT_LEAST || value.u > WAIT_MOST)
		return err_set(err, EINVAL,
			       "confirm=%s: has to be from 1s to 24h", text);
	*us = (int64_t)value.u;
	return 0;
}

static int check_wait(const struct match *match, const struct arg *arg,
		      const char *text, struct err *err)
{
	int64_t us;

	(void)match;
	(void)arg;
	return wait_parse(text, &us, err);
}

static void complete_wait(const struct match *match, const struct arg *arg,
			  const char *prefix, struct candidates *to)
{
	(void)match;
	(void)arg;
	(void)prefix;
	to->offer(to, "60s", "a minute to see whether all is well");
	to->offer(to, "5min", "for what takes a while to show");
	to->offer(to, "none", "it stays, whatever set global confirm= says");
}

const struct arg_type type_wait = {
	.name = "duration",
	.hint = "60s, 5min, from 1s to 24h; or none",
	.check = check_wait,
	.complete = complete_wait,
};

#define HOLD_MOST UINT64_C(3600000000)

static const struct attr hold_attr = { .name = "until-healthy",
				       .type = &type_duration };

int hold_parse(const char *text, uint64_t *us, struct err *err)
{
	struct value value = { .u = HEALTHY_HOLD_US };
	int rc = *text ? value_parse(&hold_attr, text, &value, err) : 0;

	if (rc < 0)
		return err_prefix(err, "until-healthy=");
	if (value.u < WAIT_LEAST || value.u > HOLD_MOST)
		return err_set(err, EINVAL,
			       "until-healthy=%s: has to be from 1s to 1h",
			       text);
	*us = value.u;
	return 0;
}

static int check_hold(const struct match *match, const struct arg *arg,
		      const char *text, struct err *err)
{
	uint64_t us;

	(void)match;
	(void)arg;
	return hold_parse(text, &us, err);
}

static void complete_hold(const struct match *match, const struct arg *arg,
			  const char *prefix, struct candidates *to)
{
	(void)match;
	(void)arg;
	(void)prefix;
	to->offer(to, "10s", "well for ten seconds, as without a value");
	to->offer(to, "1min", "for what comes and goes");
}

const struct arg_type type_hold = {
	.name = "duration",
	.hint = "10s, 1min, from 1s to 1h; alone: 10s",
	.check = check_hold,
	.complete = complete_hold,
};

static const struct attr loss_attr = { .name = "loss",
				       .type = &type_percent,
				       .max = 10000 };

int loss_parse(const char *text, uint64_t *loss, struct err *err)
{
	struct value value = { 0 };
	int rc = value_parse(&loss_attr, text, &value, err);

	*loss = value.u;
	return rc < 0 ? err_prefix(err, "loss=") : 0;
}

static int check_loss(const struct match *match, const struct arg *arg,
		      const char *text, struct err *err)
{
	uint64_t loss;

	(void)match;
	(void)arg;
	return loss_parse(text, &loss, err);
}

const struct arg_type type_loss = {
	.name = "percent",
	.hint = "5%, 0.5%",
	.check = check_loss,
};

const struct arg_type type_words = {
	.name = "text",
	.hint = "free text, in quotes if it has blanks",
};

int revision_parse(const char *text, uint64_t *number, struct err *err)
{
	const char *digits = text + (*text == 'r');

	if (*digits && strlen(digits) <= 18 &&
	    strspn(digits, "0123456789") == strlen(digits)) {
		*number = strtoull(digits, NULL, 10);
		return 0;
	}
	return err_set(err, EINVAL,
		       "'%s' is no revision: a number, as history shows it",
		       text);
}

static int check_revision(const struct match *match, const struct arg *arg,
			  const char *text, struct err *err)
{
	uint64_t number;

	(void)match;
	(void)arg;
	return revision_parse(text, &number, err);
}

const struct arg_type type_revision = {
	.name = "revision",
	.hint = "the number of a revision, as history shows it; 0 is the empty "
		"configuration",
	.check = check_revision,
};

static int check_count(const struct match *match, const struct arg *arg,
		       const char *text, struct err *err)
{
	(void)match;
	if (*text && *text != '0' && strlen(text) <= 9 &&
	    strspn(text, "0123456789") == strlen(text))
		return 0;
	return err_set(err, EINVAL, "%s '%s' is no number from 1", arg->name,
		       text);
}

const struct arg_type type_count = {
	.name = "number",
	.hint = "a number from 1",
	.check = check_count,
};

static void complete_against(const struct match *match, const struct arg *arg,
			     const char *prefix, struct candidates *to)
{
	to->offer(to, "running", "the configuration that was committed last");
	to->offer(to, "kernel", "what the running system has");
	type_file.complete(match, arg, prefix, to);
}

const struct arg_type type_against = {
	.name = "against",
	.hint = "running, kernel, a revision (r7), or a file (./r7)",
	.complete = complete_against,
};
