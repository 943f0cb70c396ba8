/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/steer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model/base/mem.h"

enum { SLOTS = 4096 };

/* Of a device, at its index modulo SLOTS; device 0: free. probes: how many the
 * filter has seen. */
struct slot {
	uint32_t device, value, mask, class, probes, queue;
};
/* Of an array's elements that are written to as memory. */
_Static_assert(sizeof(struct slot) % 8 == 0, "the kernel rounds up to 8");

static struct {
	int filter;	    /* -1: none */
	int error;	    /* why; 0: nobody tried */
	struct slot *slots; /* the filter's table */
} steer = { .filter = -1 };

static int bpf(int command, union bpf_attr *attr)
{
	int rc = (int)syscall(SYS_bpf, command, attr, sizeof(*attr));

	return rc < 0 ? -errno : rc;
}

static int table_new(void)
{
	union bpf_attr attr;
	void *slots;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(uint32_t);
	attr.value_size = sizeof(struct slot);
	attr.max_entries = SLOTS;
	attr.map_flags = BPF_F_MMAPABLE; /* Linux 5.5 */
	fd = bpf(BPF_MAP_CREATE, &attr);
	if (fd < 0)
		return fd;
	slots = mmap(NULL, SLOTS * sizeof(struct slot), PROT_READ | PROT_WRITE,
		     MAP_SHARED, fd, 0);
	if (slots == MAP_FAILED) {
		close(fd);
		return -errno;
	}
	steer.slots = slots;
	return fd;
}

#define INSN(code, to, from, offset, value)                                    \
	{                                                                      \
		(code), (to), (from), (offset), (value)                        \
	}
#define FIELD(to, from, type, name)                                            \
	INSN(BPF_LDX | BPF_W | BPF_MEM, to, from, offsetof(type, name), 0)
/* The instructions `no` and `yes`, and what follows the counting of a probe. */
enum { MARK = 18, NO = 26, YES = 28 };
#define GO(from, to) (short)((to) - (from)-1)

static int filter_new(int table)
{
	const struct bpf_insn insns[] = {
		FIELD(BPF_REG_6, BPF_REG_1, struct __sk_buff, mark),
		FIELD(BPF_REG_7, BPF_REG_1, struct __sk_buff, ifindex),
		FIELD(BPF_REG_8, BPF_REG_1, struct __sk_buff, priority),
		FIELD(BPF_REG_9, BPF_REG_1, struct __sk_buff, len),
		/* r0 = the slot of r7 */
		INSN(BPF_ALU | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_7, 0, 0),
		INSN(BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, 0, SLOTS - 1),
		INSN(BPF_STX | BPF_W | BPF_MEM, BPF_REG_10, BPF_REG_2, -4, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0,
		     table),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, GO(12, NO), 0),
		/* another device's, or none's: no */
		FIELD(BPF_REG_1, BPF_REG_0, struct slot, device),
		INSN(BPF_JMP | BPF_JNE | BPF_X, BPF_REG_1, BPF_REG_7,
		     GO(14, NO), 0),
		/* counted: a probe */
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_9, 0, GO(15, MARK),
		     STEER_PROBE_BYTES),
		INSN(BPF_ALU | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 1),
		INSN(BPF_STX | BPF_W | BPF_XADD, BPF_REG_0, BPF_REG_1,
		     offsetof(struct slot, probes), 0),
		FIELD(BPF_REG_1, BPF_REG_0, struct slot, class),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, 1, 0),
		INSN(BPF_JMP | BPF_JEQ | BPF_X, BPF_REG_1, BPF_REG_8,
		     GO(20, YES), 0),
		FIELD(BPF_REG_1, BPF_REG_0, struct slot, mask),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, GO(22, NO), 0),
		INSN(BPF_ALU | BPF_AND | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0),
		FIELD(BPF_REG_1, BPF_REG_0, struct slot, value),
		INSN(BPF_JMP | BPF_JEQ | BPF_X, BPF_REG_6, BPF_REG_1,
		     GO(25, YES), 0),
		/* no: queue 0 */
		INSN(BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		/* yes: that queue */
		FIELD(BPF_REG_0, BPF_REG_0, struct slot, queue),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = ARRAY_SIZE(insns);
	attr.license = (uint64_t)(uintptr_t) "GPL";
	memcpy(attr.prog_name, "tresse_steer", sizeof("tresse_steer"));
	return bpf(BPF_PROG_LOAD, &attr);
}

void steer_open(void)
{
	int table = table_new(), filter;

	if (table < 0) {
		steer.error = -table;
		return;
	}
	filter = filter_new(table);
	close(table); /* the filter has it */
	if (filter < 0) {
		steer.error = -filter;
		munmap(steer.slots, SLOTS * sizeof(struct slot));
		steer.slots = NULL;
		return;
	}
	steer.filter = filter;
}

static struct slot *slot_of(uint32_t device)
{
	return &steer.slots[device % SLOTS];
}

/* Of a device that is gone it is free again. */
static bool is_anothers(const struct slot *slot, uint32_t device)
{
	char name[IF_NAMESIZE];

	return slot->device && slot->device != device &&
	       if_indextoname(slot->device, name);
}

static void fill(uint32_t device, const struct steer_rule *rule)
{
	struct slot *slot = slot_of(device);

	/* In between it is nobody's. */
	__atomic_store_n(&slot->device, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->value, rule->value, __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->mask, rule->mask, __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->class, rule->class, __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->device, device, __ATOMIC_SEQ_CST);
}

int steer_attach(int fd, const char *device, const struct steer_rule *rule,
		 unsigned queue, struct err *err)
{
	uint32_t index = if_nametoindex(device);

	if (steer.filter < 0)
		return err_set(
			err, EPERM,
			"duplicate-mark, duplicate-class: the kernel gives "
			"the engine no filter for them (bpf: %s): it "
			"wants CAP_BPF when it starts, and Linux 5.8",
			strerror(steer.error ? steer.error : ENOSYS));
	if (!index)
		return err_set(err, ENODEV, "device %s: %m", device);
	if (is_anothers(slot_of(index), index))
		return err_set(err, EBUSY,
			       "devices %s and number %u share a place of the "
			       "filter: make %s anew",
			       device, slot_of(index)->device, device);
	__atomic_store_n(&slot_of(index)->queue, queue, __ATOMIC_SEQ_CST);
	fill(index, rule);
	if (ioctl(fd, TUNSETSTEERINGEBPF, &steer.filter) < 0)
		return err_set(err, errno, "device %s takes no filter: %m",
			       device);
	return 0;
}

void steer_set(const char *device, const struct steer_rule *rule)
{
	uint32_t index = if_nametoindex(device);

	if (index && steer.filter >= 0 && !is_anothers(slot_of(index), index))
		fill(index, rule);
}

/* --- is it there? --------------------------------------------------------- */

/* As a frame: to nobody (02:...), of an EtherType for experiments (IEEE 802,
 * 9.2.3). */
static const uint8_t probe[STEER_PROBE_BYTES] = {
	0x02, 't', 'r', 's', 's', 0, 0x02, 't', 'r', 's', 's', 1, 0x88, 0xb5,
};

bool steer_is_probe(const uint8_t *frame, size_t size)
{
	return size == sizeof(probe) && !memcmp(frame, probe, size);
}

/* Past its queues: so it has been seen by the filter, or not, when this
 * returns. false: it could not be sent. */
static bool send_probe(uint32_t device)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(0x88b5),
				  .sll_ifindex = (int)device };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1;
	bool sent = fd >= 0 &&
		    !setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one,
				sizeof(one)) &&
		    sendto(fd, probe, sizeof(probe), MSG_DONTWAIT,
			   (struct sockaddr *)&to, sizeof(to)) == sizeof(probe);

	if (fd >= 0)
		close(fd);
	return sent;
}

bool steer_holds(const char *device)
{
	uint32_t index = if_nametoindex(device), before;
	const struct slot *slot;

	if (!index || steer.filter < 0)
		return true;
	slot = slot_of(index);
	before = __atomic_load_n(&slot->probes, __ATOMIC_SEQ_CST);
	return !send_probe(index) ||
	       __atomic_load_n(&slot->probes, __ATOMIC_SEQ_CST) != before;
}
