/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backends/engine/sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model/base/mem.h"

/* --- rights --------------------------------------------------------------- */

enum { OVERFLOW_ID = 65534 }; /* nobody's, where nobody is not known either */

struct user {
	uid_t uid;
	gid_t gid;
	const char *name; /* borrowed */
};

static bool find(const char *name, struct user *user)
{
	const struct passwd *found = getpwnam(name);

	if (found)
		*user = (struct user){ found->pw_uid, found->pw_gid, name };
	return found != NULL;
}

/* Without a capability to do so he stays root, which is not what was asked for.
 */
static int cannot(const struct user *user, struct err *err)
{
	return errno == EPERM
		       ? err_set(err, EPERM,
				 "to become user %s it lacks CAP_SETUID or "
				 "CAP_SETGID: start it with them, or with "
				 "--user root",
				 user->name)
		       : err_set(err, errno, "to become user %s: %m",
				 user->name);
}

/* 1: this user namespace does not have him (user_namespaces(7)). All groups go
 * while we are still root, and the user last. */
static int become(const struct user *user, struct err *err)
{
	if (user->uid == geteuid()) {
		setgroups(0, NULL); /* best effort: he may be no root */
		return 0;
	}
	if (setresgid(user->gid, user->gid, user->gid) == 0 &&
	    setgroups(0, NULL) == 0 &&
	    setresuid(user->uid, user->uid, user->uid) == 0)
		return 0;
	return errno == EINVAL ? 1 : cannot(user, err);
}

static void call_ourselves(const char *why, char who[SANDBOX_NAME])
{
	const struct passwd *found = getpwuid(geteuid());

	snprintf(who, SANDBOX_NAME, "%s (uid %u%s)",
		 found ? found->pw_name : "of no name", (unsigned)geteuid(),
		 why);
}

static int choose(const char *name, char who[SANDBOX_NAME], struct err *err)
{
	struct user user = { OVERFLOW_ID, OVERFLOW_ID, "nobody" };
	const char *why = "";
	int rc = 0;

	if (name && !find(name, &user))
		return err_set(err, ENOENT,
			       "--user %s: there is no such user: make it, or "
			       "leave that out",
			       name);
	if (name) {
		rc = become(&user, err);
		if (rc > 0)
			rc = err_set(err, EINVAL,
				     "--user %s: this user namespace does not "
				     "have it",
				     name);
		if (!rc && !user.uid)
			why = ", as it was told to stay";
	} else if (geteuid() == 0) {
		if (!find(SANDBOX_USER, &user) && !find("nobody", &user))
			user.name = "nobody";
		rc = become(&user, err);
		why = rc ? ", this user namespace has no other"
		      : !strcmp(user.name, SANDBOX_USER)
			      ? ""
			      : ", there is no user " SANDBOX_USER;
	}
	call_ourselves(why, who);
	return rc < 0 ? rc : 0;
}

/* Of what we have, these. */
static int keep_capabilities(uint32_t mask, struct err *err)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (syscall(SYS_capget, &header, data) < 0)
		return err_set(err, errno, "capabilities: %m");
	mask &= data[0].permitted;
	data[0].effective = data[0].permitted = mask;
	data[0].inheritable = data[1].inheritable = 0;
	data[1].effective = data[1].permitted = 0;
	if (syscall(SYS_capset, &header, data) < 0)
		return err_set(err, errno, "capabilities: %m");
	return 0;
}

bool sandbox_has_network(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = { { 0 } };

	return syscall(SYS_capget, &header, data) == 0 &&
	       data[0].effective & 1U << CAP_NET_ADMIN;
}

static int gain_no_more(struct err *err)
{
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* best effort */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "privileges: %m");
	return 0;
}

/* After the last change of rights, which the kernel answers with
 * fs.suid_dumpable. */
static int shut(struct err *err)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(err, errno, "no cores: %m");
	return 0;
}

int sandbox_drop(const char *user, char who[SANDBOX_NAME], struct err *err)
{
	int rc = gain_no_more(err);

	if (!rc && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		rc = err_set(err, errno, "privileges: %m");
	if (!rc)
		rc = choose(user, who, err);
	/* To make devices, to mark packets, to set their MTU. */
	if (!rc)
		rc = keep_capabilities(1U << CAP_NET_ADMIN | 1U << CAP_NET_RAW,
				       err);
	return rc < 0 ? rc : shut(err);
}

/* --- system calls --------------------------------------------------------- */

/* What both the engine and its keeper do. */
static const int allowed[] = {
	/* packets and waiting */
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(restart_syscall),
	/* files */
	SCMP_SYS(close),
	SCMP_SYS(fcntl),
	SCMP_SYS(lseek),
	SCMP_SYS(fstat),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd),
	/* memory and threads */
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mprotect),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(tgkill),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	/* who and what */
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrandom),
	SCMP_SYS(uname),
	SCMP_SYS(sysinfo),
	SCMP_SYS(prlimit64),
	SCMP_SYS(getrlimit),
};

static const int allowed_engine[] = {
	/* packets and waiting */
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(eventfd2),
	SCMP_SYS(signalfd4),
	/* sockets and devices */
	SCMP_SYS(socket),
	SCMP_SYS(socketpair),
	SCMP_SYS(bind),
	SCMP_SYS(connect),
	SCMP_SYS(listen),
	SCMP_SYS(accept4),
	SCMP_SYS(accept),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(ioctl),
	SCMP_SYS(dup),
	/* files */
	SCMP_SYS(getdents64),
	/* memory and threads */
	SCMP_SYS(set_robust_list),
	SCMP_SYS(get_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(membarrier),
};

/* What the keeper does: SQLite's file, one that is written and renamed. */
static const int allowed_keeper[] = {
	SCMP_SYS(open),	     SCMP_SYS(openat),	  SCMP_SYS(pwrite64),
	SCMP_SYS(unlink),    SCMP_SYS(unlinkat),  SCMP_SYS(rename),
	SCMP_SYS(renameat),  SCMP_SYS(renameat2), SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(ftruncate), SCMP_SYS(umask),
};

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return rc;
}

static int rules_engine(scmp_filter_ctx filter)
{
	const unsigned writes = O_ACCMODE | O_CREAT | O_TRUNC;
	/* For all threads: what the store asked for runs already. */
	int rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	if (!rc)
		rc = allow(filter, allowed_engine, ARRAY_SIZE(allowed_engine));
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, writes, 0));
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat),
				      1,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, writes, 0));
	/* Threads, but no processes. The flags of clone3 cannot be looked at:
	 * without it the C library takes clone. */
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone),
				      1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD,
					      CLONE_THREAD));
	/* A thread gives itself a name. */
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl),
				      1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
				      SCMP_SYS(clone3), 0);
	return rc;
}

static int rules_keeper(scmp_filter_ctx filter)
{
	int rc = allow(filter, allowed_keeper, ARRAY_SIZE(allowed_keeper));

	/* It ends with the engine. */
	if (!rc)
		rc = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
			SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG, 0));
	return rc;
}

static int lock_by(int (*rules)(scmp_filter_ctx), struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = filter ? allow(filter, allowed, ARRAY_SIZE(allowed)) : -ENOMEM;

	if (!rc)
		rc = rules(filter);
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc)
		return err_set(err, -rc, "seccomp: %s", strerror(-rc));
	return 0;
}

int sandbox_lock(struct err *err)
{
	return lock_by(rules_engine, err);
}

int sandbox_keeper(struct err *err)
{
	int rc = gain_no_more(err);

	setgroups(0, NULL); /* best effort */
	if (!rc)
		rc = keep_capabilities(0, err);
	if (!rc)
		rc = shut(err);
	return rc < 0 ? rc : lock_by(rules_keeper, err);
}
