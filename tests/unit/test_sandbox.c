/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine and its keeper can do no more, tried by children. */
#include "backends/engine/sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/mem.h"
#include "tests/unit/unit.h"

static struct {
	char said[256]; /* what is wrong */
	char folder[32], secrets[64], store[64], fresh[64];
	pid_t parent;
} * shared;

#define WRONG(...) snprintf(shared->said, sizeof(shared->said), __VA_ARGS__)
#define MUST(condition)                                                        \
	do {                                                                   \
		if (!(condition) && !shared->said[0])                          \
			WRONG("line %d: %s", __LINE__, #condition);            \
	} while (0)

static void touch(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	CU_ASSERT(fd >= 0);
	close(fd);
}

/* A child does the job, with files beside it as the store's are. */
static void in_child(void (*job)(void))
{
	int status = 0;
	pid_t child;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	snprintf(shared->folder, sizeof(shared->folder),
		 "/tmp/tresse-s-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL(mkdtemp(shared->folder));
	chmod(shared->folder, 0755);
	snprintf(shared->secrets, sizeof(shared->secrets), "%s/db-secrets",
		 shared->folder);
	snprintf(shared->store, sizeof(shared->store), "%s/db", shared->folder);
	snprintf(shared->fresh, sizeof(shared->fresh), "%s/new",
		 shared->folder);
	touch(shared->secrets, 0600);
	touch(shared->store, 0644);
	shared->parent = getpid();
	child = fork();
	if (child == 0) {
		job();
		_exit(0);
	}
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT(WIFEXITED(status));
	if (!strcmp(shared->said, "cannot"))
		unit_skip("no user namespaces, or no other user, here");
	else
		ASSERT_TEXT(shared->said, "");
	unlink(shared->secrets);
	unlink(shared->store);
	unlink(shared->fresh);
	CU_ASSERT_EQUAL(rmdir(shared->folder), 0);
	munmap(shared, sizeof(*shared));
}

static bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool opens_of_parent(const char *what, int flags)
{
	AUTO(str)
	char *path = mem_printf("/proc/%d/%s", (int)shared->parent, what);

	return opens(path, flags);
}

static bool can_socket(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool can_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child > 0;
}

static bool can_run(void)
{
	char *const words[] = { (char *)"true", NULL };

	execv("/bin/true", words); /* is not seen again if it could */
	return false;
}

/* Root of a user namespace may have nobody to become. */
static bool may_become_others(void)
{
	int status = 1;
	pid_t child = fork();

	if (child == 0)
		_exit(setgroups(0, NULL) < 0 || setgid(65534) < 0 ||
		      setuid(65534) < 0);
	waitpid(child, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void *try_secrets(void *arg)
{
	(void)arg;
	MUST(!opens(shared->secrets, O_RDONLY));
	MUST(geteuid() != 0);
	return NULL;
}

static void *wait_for_end(void *arg)
{
	read(*(int *)arg, &(char){ 0 }, 1);
	return try_secrets(NULL);
}

/* --- the engine ----------------------------------------------------------- */

static void as_engine(void)
{
	char who[SANDBOX_NAME] = "";
	AUTO_ERR err = ERR_NONE;
	pthread_t before, after;
	int ends[2];

	MUST(setgroups(2, (gid_t[]){ 4, 27 }) == 0);
	MUST(opens("/etc/shadow", O_RDONLY)); /* else this shows nothing */
	MUST(opens(shared->secrets, O_RDONLY));
	MUST(sandbox_drop(NULL, who, &err) == 0);
	MUST(getgroups(0, NULL) == 0);
	MUST(prctl(PR_GET_DUMPABLE) == 0);
	MUST(pipe2(ends, O_CLOEXEC) == 0);
	MUST(!pthread_create(&before, NULL, wait_for_end, ends));
	MUST(sandbox_lock(&err) == 0);
	if (err.text)
		WRONG("%s", err.text);
	MUST(getuid() != 0 && geteuid() != 0 && getgid() != 0);
	MUST(!strstr(who, "root"));
	MUST(!opens("/etc/shadow", O_RDONLY));
	MUST(!opens(shared->secrets, O_RDONLY));
	MUST(!opens_of_parent("root/etc/shadow", O_RDONLY));
	MUST(!opens_of_parent("mem", O_RDONLY));
	MUST(!opens_of_parent("environ", O_RDONLY));
	/* What anybody may read it may, what anybody may write it may not. */
	MUST(opens(shared->store, O_RDONLY));
	MUST(opens("/etc/passwd", O_RDONLY));
	MUST(!opens(shared->store, O_RDWR));
	MUST(!opens(shared->fresh, O_WRONLY | O_CREAT));
	MUST(!opens("/dev/null", O_WRONLY));
	MUST(!opens("/tmp", O_TMPFILE | O_RDWR));
	MUST(unlink(shared->store) < 0);
	MUST(rename(shared->store, shared->fresh) < 0);
	MUST(setuid(0) < 0 && seteuid(0) < 0);
	MUST(!can_fork());
	MUST(!can_run());
	MUST(ptrace(PTRACE_ATTACH, shared->parent, NULL, NULL) < 0);
	MUST(!pthread_create(&after, NULL, try_secrets, NULL));
	MUST(write(ends[1], "x", 1) == 1);
	pthread_join(before, NULL);
	pthread_join(after, NULL);
	MUST(can_socket(AF_INET));
}

TEST(sandbox, of_the_engine_is_nobody_and_opens_no_file_of_root)
{
	if (geteuid() != 0 || !may_become_others()) {
		unit_skip("needs root, to become somebody else");
		return;
	}
	in_child(as_engine);
}

static void as_root(void)
{
	char who[SANDBOX_NAME] = "";
	AUTO_ERR err = ERR_NONE;

	MUST(sandbox_drop("root", who, &err) == 0);
	MUST(prctl(PR_GET_DUMPABLE) == 0);
	MUST(sandbox_lock(&err) == 0);
	MUST(geteuid() == 0);
	MUST(strstr(who, "root") != NULL);
	MUST(!opens(shared->store, O_RDWR));
	MUST(!can_fork());
	MUST(setuid(65534) < 0);
}

TEST(sandbox, of_an_engine_that_stays_root_is_one_too)
{
	if (geteuid() != 0) {
		unit_skip("needs root");
		return;
	}
	in_child(as_root);
}

static void as_stranger(void)
{
	char who[SANDBOX_NAME] = "";
	AUTO_ERR err = ERR_NONE;

	MUST(sandbox_drop("no-such-user", who, &err) == -ENOENT);
	MUST(err.text && strstr(err.text, "--user no-such-user: there is no"));
	MUST(geteuid() != 0 || opens(shared->secrets, O_RDONLY));
}

TEST(sandbox, says_that_there_is_no_such_user)
{
	in_child(as_stranger);
}

static void without_right(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[2] = { { 0 } };
	char who[SANDBOX_NAME] = "";
	AUTO_ERR err = ERR_NONE;

	MUST(syscall(SYS_capset, &header, none) == 0);
	MUST(sandbox_drop(NULL, who, &err) == -EPERM);
	MUST(err.text && strstr(err.text, "lacks CAP_SETUID"));
}

TEST(sandbox, does_not_stay_root_for_want_of_a_right)
{
	if (geteuid() != 0 || !may_become_others()) {
		unit_skip("needs root, that may become somebody else");
		return;
	}
	in_child(without_right);
}

static void as_oneself(void)
{
	char who[SANDBOX_NAME] = "";
	AUTO_ERR err = ERR_NONE;
	uid_t before;

	if (geteuid() == 0 && (setgid(12345) < 0 || setuid(12345) < 0)) {
		WRONG("cannot");
		return;
	}
	before = geteuid();
	MUST(sandbox_drop(NULL, who, &err) == 0);
	MUST(geteuid() == before);
	MUST(prctl(PR_GET_DUMPABLE) == 0);
	MUST(sandbox_lock(&err) == 0);
	MUST(!can_fork());
}

TEST(sandbox, of_who_is_not_root_leaves_him_who_he_is)
{
	in_child(as_oneself);
}

static bool put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 &&
		    write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* Root there, and nobody else; who that is outside does not matter. */
static void alone_in_a_namespace(void)
{
	AUTO(str) char *uids = mem_printf("0 %d 1", (int)geteuid());
	AUTO(str) char *gids = mem_printf("0 %d 1", (int)getegid());
	char who[SANDBOX_NAME] = "";
	AUTO_ERR err = ERR_NONE;

	if (unshare(CLONE_NEWUSER) < 0 ||
	    !put_text("/proc/self/setgroups", "deny") ||
	    !put_text("/proc/self/uid_map", uids) ||
	    !put_text("/proc/self/gid_map", gids)) {
		WRONG("cannot");
		return;
	}
	MUST(sandbox_drop(NULL, who, &err) == 0);
	MUST(strstr(who, "uid 0, this user namespace has no other"));
	MUST(sandbox_drop("nobody", who, &err) == -EINVAL);
	MUST(sandbox_drop("root", who, &err) == 0);
}

TEST(sandbox, stays_root_where_there_is_nobody_else)
{
	in_child(alone_in_a_namespace);
}

/* --- the keeper ----------------------------------------------------------- */

static void as_keeper(void)
{
	AUTO_ERR err = ERR_NONE;
	uid_t before = geteuid();

	MUST(sandbox_keeper(&err) == 0);
	if (err.text)
		WRONG("%s", err.text);
	MUST(geteuid() == before);
	MUST(opens(shared->secrets, O_RDONLY));
	MUST(opens(shared->fresh, O_WRONLY | O_CREAT));
	MUST(rename(shared->fresh, shared->store) == 0);
	MUST(!can_socket(AF_INET) && !can_socket(AF_INET6));
	MUST(!can_socket(AF_UNIX) && !can_socket(AF_NETLINK));
	MUST(!can_fork());
	MUST(!can_run());
	MUST(chmod(shared->store, 0777) < 0);
	MUST(chown(shared->store, 1, 1) < 0);
	MUST(setuid(0) < 0);
	MUST(ptrace(PTRACE_ATTACH, shared->parent, NULL, NULL) < 0);
}

TEST(sandbox, of_the_keeper_has_files_and_nothing_else)
{
	in_child(as_keeper);
}
