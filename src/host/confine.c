// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include <cap-ng.h>
#include <seccomp.h>

#include "confine.h"
#include "log.h"
#include "util.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAVE_SANITIZER	1
#else
#define HAVE_SANITIZER	0
#endif

/* What the programs do once they serve; and what the C library does for them. */
static const int calls[] = {
	/* sockets, with their files */
	SCMP_SYS(accept4), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(getsockopt),
	SCMP_SYS(shutdown),
	/* guest memory */
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
	SCMP_SYS(madvise), SCMP_SYS(fallocate), SCMP_SYS(fstat),
	SCMP_SYS(fstatfs), SCMP_SYS(lseek), SCMP_SYS(brk),
	/* signals of the VMM, the loop */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(fcntl), SCMP_SYS(close),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
	SCMP_SYS(epoll_ctl), SCMP_SYS(timerfd_settime),
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
	/* the pressure, the file of counters, sockets that are removed */
	SCMP_SYS(pread64), SCMP_SYS(openat), SCMP_SYS(rename),
	SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(newfstatat), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(fchmod), SCMP_SYS(ftruncate), SCMP_SYS(lstat),
	/* signals, the end */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(futex),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
	SCMP_SYS(getrandom), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static void drop_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int err = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; i < ARRAY_SIZE(calls) && !err; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	if (!err)
		err = seccomp_load(ctx);
	if (err)
		log_warn("system calls are not restricted: %s", strerror(-err));
	seccomp_release(ctx);
}

bool confine(void)
{
	bool dropped;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		log_warn("new privileges cannot be ruled out: %s",
			 strerror(errno));
	/* The bounding set can be emptied only by who may do that. */
	capng_get_caps_process();
	capng_clear(CAPNG_SELECT_CAPS);
	dropped = !capng_apply(CAPNG_SELECT_CAPS);
	if (!dropped)
		log_warn("capabilities cannot be dropped");
	if (!HAVE_SANITIZER)
		drop_calls();
	return dropped;
}
