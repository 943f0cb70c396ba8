/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/tc/sorter.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model/base/err.h"
#include "model/base/mem.h"
#include "model/shard.h"

static const struct bpf_insn insns[] = {
	/* r0 = skb->priority >> 16 */
	{ BPF_LDX | BPF_W | BPF_MEM, BPF_REG_0, BPF_REG_1,
	  offsetof(struct __sk_buff, priority), 0 },
	{ BPF_ALU | BPF_RSH | BPF_K, BPF_REG_0, 0, 0, 16 },
	/* no shard: goto out */
	{ BPF_JMP | BPF_JGT | BPF_K, BPF_REG_0, 0, 3, SHARD_LAST },
	{ BPF_JMP | BPF_JLT | BPF_K, BPF_REG_0, 0, 2, SHARD_FIRST },
	/* return 1:ff00 + r0 */
	{ BPF_ALU | BPF_ADD | BPF_K, BPF_REG_0, 0, 0, 0x10000 | SHARD_MINOR },
	{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	/* out: return 0, "not mine" */
	{ BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0 },
	{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
};

static int bpf(int command, union bpf_attr *attr)
{
	int rc = (int)syscall(SYS_bpf, command, attr, sizeof(*attr));

	return rc < 0 ? -errno : rc;
}

static int read_tag(int fd, uint8_t tag[SORTER_TAG_SIZE])
{
	struct bpf_prog_info info;
	union bpf_attr attr;
	int rc;

	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uint64_t)(uintptr_t)&info;
	rc = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	if (!rc)
		memcpy(tag, info.tag, SORTER_TAG_SIZE);
	return rc;
}

int sorter_load(uint8_t tag[SORTER_TAG_SIZE], struct err *err)
{
	union bpf_attr attr;
	int fd, rc = 0;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attr.insns = (uint64_t)(uintptr_t)insns;
	attr.insn_cnt = ARRAY_SIZE(insns);
	attr.license = (uint64_t)(uintptr_t) "GPL";
	memcpy(attr.prog_name, "tresse_shards", sizeof("tresse_shards"));
	fd = bpf(BPF_PROG_LOAD, &attr);
	if (fd >= 0 && tag)
		rc = read_tag(fd, tag);
	if (fd >= 0 && rc == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	else
		rc = fd;
	return err_set(err, -rc,
		       "cannot load the program that leads into shards: %s",
		       strerror(-rc));
}
