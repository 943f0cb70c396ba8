/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/mtu.h"

void mtu_init(struct mtu *mtu, uint16_t most, uint64_t now)
{
	*mtu = (struct mtu){
		.good = most < MTU_BASE ? most : MTU_BASE,
		.bad = (uint16_t)(most + 1),
		.most = most,
		.next = now,
	};
	/* Nothing above base to find out: but does base pass? */
	mtu->confirm = most <= MTU_BASE;
}

static uint16_t candidate(const struct mtu *mtu)
{
	if (mtu->confirm)
		return mtu->good;
	if (mtu->bad == mtu->most + 1 && !mtu->shrunk)
		return mtu->most;
	return (uint16_t)((mtu->good + mtu->bad) / 2);
}

static bool is_found(const struct mtu *mtu)
{
	return !mtu->confirm &&
	       (mtu->good >= mtu->most || mtu->bad - mtu->good <= MTU_STEP);
}

uint16_t mtu_due(const struct mtu *mtu, uint64_t now)
{
	return now >= mtu->next ? candidate(mtu) : 0;
}

static void rest(struct mtu *mtu, uint64_t now)
{
	mtu->tries = 0;
	mtu->probe = 0;
	mtu->next = now;
	if (!is_found(mtu))
		return;
	mtu->found = mtu->proven;
	mtu->next = now + MTU_RAISE_US;
	/* Then it is looked for anew, upwards. */
	mtu->bad = (uint16_t)(mtu->most + 1);
	mtu->shrunk = false;
	if (mtu->good >= mtu->most)
		mtu->confirm = true;
}

void mtu_sent(struct mtu *mtu, uint64_t counter, uint64_t now,
	      uint32_t patience_us)
{
	mtu->probe = candidate(mtu);
	mtu->counter = counter;
	mtu->tries++;
	mtu->next = now + 2ULL * patience_us + 100000;
}

bool mtu_acked(struct mtu *mtu, uint64_t counter, uint64_t now)
{
	uint16_t before = mtu->good;

	if (!mtu->probe || counter != mtu->counter)
		return false;
	mtu->good = mtu->probe;
	mtu->proven = true;
	mtu->confirm = false;
	mtu->lost = 0;
	rest(mtu, now);
	return mtu->good != before;
}

/* The base itself does not pass: look below it. */
static void shrink(struct mtu *mtu)
{
	mtu->bad = mtu->good;
	mtu->good = mtu->good > MTU_BASE ? MTU_BASE : MTU_LEAST;
	mtu->confirm = mtu->good > MTU_LEAST;
	mtu->shrunk = true;
	mtu->proven = mtu->found = false;
}

bool mtu_lost(struct mtu *mtu, uint64_t counter, uint64_t now)
{
	uint16_t before = mtu->good;

	if (!mtu->probe || counter != mtu->counter)
		return false;
	mtu->next = now;
	if (mtu->tries < MTU_TRIES)
		return false;
	if (mtu->confirm) {
		shrink(mtu);
	} else {
		mtu->bad = mtu->probe;
		/* Before anything between: does what is usual pass? */
		mtu->confirm = !mtu->proven && mtu->good > MTU_LEAST;
	}
	rest(mtu, now);
	return mtu->good != before;
}

void mtu_doubt(struct mtu *mtu, uint64_t now)
{
	if (mtu->confirm && mtu->tries)
		return; /* it is being tried */
	mtu->confirm = true;
	mtu->tries = 0;
	mtu->next = now;
}

static bool is_large(const struct mtu *mtu, uint16_t size)
{
	return size > MTU_LEAST && size <= mtu->good;
}

void mtu_note(struct mtu *mtu, uint16_t size, bool lost, uint64_t now)
{
	if (!lost && size >= mtu->hole)
		mtu->lost = 0;
	if (!lost && size >= mtu->gone)
		mtu->gone = 0; /* it was slow */
	if (!lost || !is_large(mtu, size))
		return;
	if (!mtu->lost || size < mtu->hole)
		mtu->hole = size;
	if (mtu->lost < MTU_HOLE && ++mtu->lost == MTU_HOLE)
		mtu_doubt(mtu, now);
}

void mtu_gone(struct mtu *mtu, uint16_t size)
{
	if (is_large(mtu, size) && (!mtu->gone || size < mtu->gone))
		mtu->gone = size;
}

void mtu_back(struct mtu *mtu, uint64_t now)
{
	if (mtu->gone)
		mtu_doubt(mtu, now);
	mtu->gone = 0;
}
