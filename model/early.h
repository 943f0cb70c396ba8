/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * early.h - a look at what is there, begun before anybody needs it.
 *
 *     a batch:  read, cut -> tree loaded -> lines run -.
 *     early:    what is there, all of it  -------------`-> as the seal has it?
 *
 * Most large batches say what is so already, and then the seal (seal.h) is all
 * that is asked for. To read 10,000 classes takes the kernel as long as all
 * the rest takes us, so both are done at once. The look has a thread, a store
 * and sockets of its own, and shares nothing.
 *
 * It is good for nothing but that question: where the answer is no, or anything
 * is to be changed, all is looked at anew under the lock. Whatever another
 * Tresse changes in between comes with another seal.
 */
#ifndef MODEL_EARLY_H
#define MODEL_EARLY_H

#include "model/backend.h"

struct early;

/* store is a file, host the caller's until the end: nobody else uses it. NULL:
 * there is nothing that it could be compared with. */
struct early *early_start(const char *store, struct host *host,
			  const struct backend *const *backends,
			  int (*read_facts)(struct host *host,
					    struct facts *facts,
					    struct err *err));
/* Waits for it and frees it. True: *seal is what it came down to. */
bool early_end(struct early *early, struct digest *seal);

#endif
