/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/resend.h"

#include "model/base/mem.h"

void resend_clear(struct resend *resend)
{
	free(resend->items);
	*resend = (struct resend){ 0 };
}

static void grow(struct resend *resend)
{
	uint32_t room = resend->room ? 2 * resend->room : 256;
	struct resend_item *items = mem_array(room, sizeof(*items));
	uint32_t count = 0;

	for (uint32_t i = resend->head; i != resend->tail; i++)
		items[count++] = resend->items[i & (resend->room - 1)];
	free(resend->items);
	resend->items = items;
	resend->room = room;
	resend->head = 0;
	resend->tail = count;
}

void resend_put(struct resend *resend, const struct resend_item *item)
{
	if (resend->tail - resend->head == resend->room) {
		if (resend->room == RESEND_MOST) {
			resend->overflown++;
			return;
		}
		grow(resend);
	}
	resend->items[resend->tail++ & (resend->room - 1)] = *item;
}

const struct resend_item *resend_head(const struct resend *resend)
{
	if (resend->head == resend->tail)
		return NULL;
	return &resend->items[resend->head & (resend->room - 1)];
}

void resend_drop(struct resend *resend)
{
	resend->head++;
}
