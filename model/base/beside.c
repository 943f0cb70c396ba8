/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/base/beside.h"

#include <signal.h>

static void *run(void *arg)
{
	struct beside *beside = arg;

	beside->job(beside->work);
	return NULL;
}

void beside_start(struct beside *beside, bool worth, void (*job)(void *work),
		  void *work)
{
	sigset_t all, before;

	*beside = (struct beside){ .job = job, .work = work };
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	beside->runs =
		worth && !pthread_create(&beside->thread, NULL, run, beside);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!beside->runs)
		job(work);
}

void beside_end(struct beside *beside)
{
	if (beside->runs)
		pthread_join(beside->thread, NULL);
	beside->runs = false;
}
