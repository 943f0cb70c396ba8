/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/home.h"

#include <unistd.h>

#include "model/base/mem.h"
#include "shell/state.h"
#include "tests/unit/unit.h"

void home_begin(struct home *home, const char *name)
{
	const char *state = getenv("XDG_STATE_HOME");

	*home = (struct home){ .folder = "/tmp/tresse.XXXXXX" };
	home->before = state ? mem_strdup(state) : NULL;
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(home->folder));
	setenv("XDG_STATE_HOME", home->folder, 1);
	home->file = state_path(name);
}

void home_end(struct home *home)
{
	AUTO(str) char *below = mem_printf("%s/tresse", home->folder);

	unlink(home->file);
	rmdir(below);
	CU_ASSERT_EQUAL(rmdir(home->folder), 0);
	if (home->before)
		setenv("XDG_STATE_HOME", home->before, 1);
	else
		unsetenv("XDG_STATE_HOME");
	free(home->before);
	free(home->file);
}
