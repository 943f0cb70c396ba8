/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/space.h"

#include "backends/host.h"
#include "tests/unit/unit.h"

void in_namespace_with(space_job *job, void *arg, const char *expected)
{
	char answer[32768] = "";
	AUTO_ERR err = ERR_NONE;
	int rc = host_throw_away(job, arg, answer, sizeof(answer), &err);

	answer[sizeof(answer) - 1] = '\0';
	if (rc < 0)
		unit_skip("%s", err.text);
	else if (rc == SPACE_CANNOT)
		unit_skip("%s", answer);
	else
		ASSERT_TEXT(answer, expected);
}

void in_namespace(space_job *job)
{
	in_namespace_with(job, NULL, "");
}

int space_cannot(void *answer, size_t size, const char *why)
{
	snprintf(answer, size, "%s", why);
	return SPACE_CANNOT;
}
