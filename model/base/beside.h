/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * beside.h - something that is done while its caller does something else.
 *
 *     struct beside beside;
 *     beside_start(&beside, true, job, &work);
 *     ...what shares nothing with it that either of them changes...
 *     beside_end(&beside);
 *
 * Where no thread can be had it is done at once. Signals are not for it.
 */
#ifndef MODEL_BASE_BESIDE_H
#define MODEL_BASE_BESIDE_H

#include <pthread.h>
#include <stdbool.h>

struct beside {
	pthread_t thread;
	bool runs;
	void (*job)(void *work);
	void *work;
};

/* beside and work stay where they are until the end. Of little, which is not
 * worth a thread, it is done at once. */
void beside_start(struct beside *beside, bool worth, void (*job)(void *work),
		  void *work);
/* Waits for it. To end what never began, all zero, is fine; so is twice. */
void beside_end(struct beside *beside);

#endif
