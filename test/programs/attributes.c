/*
 * Processes with everything a task can have beside memory and files. The root (leader of its session) has as children
 *   nobody    another user with groups, no capabilities, no_new_privs, two seccomp filters, a name that is no ASCII
 *   capable   capabilities that were cut: bounding, inheritable, ambient sets, secure bits
 *   strict    strict seccomp mode: it only answers the bytes that the root sends
 *   jailed    another root directory
 *   odd       personality, oom_score_adj, nice, scheduling, limits, no huge pages, not dumpable, death signal, barriers
 *   stopped   three threads, stopped by SIGSTOP; SIGCONT lets them count
 *   zombies   one exited with 7, one killed by SIGTERM
 *   silent    ends without a signal to its parent
 * All but the last five write ticks of their own.
 *
 * log: log
 */
#include "program.h"
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define NAME "z\xc3\xa4hl \xe2\x9c\x93"

static struct {
	volatile pid_t tids[3];
	volatile long counts[3];
} *shared;
static pid_t root, stopped, exited, killed, silent, strict;
static int to_strict[2], from_strict[2];
static volatile long children_told;

/* The words behind NAME: in /proc/PID/status. */
static const char *status_of(pid_t pid, const char *name)
{
	static char text[8192], found[256];
	char path[64], *at;
	int fd, got;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY);
	got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got < 0 ? 0 : got] = 0;
	at = strstr(text, name);
	if (!at)
		return "";
	snprintf(found, sizeof(found), "%.*s", (int)strcspn(at + strlen(name) + 1, "\n"), at + strlen(name) + 1);
	return found;
}

static void read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY), got = fd < 0 ? 0 : read(fd, text, size - 1);

	text[got < 0 ? 0 : got] = 0;
	close(fd);
}

static void write_file(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY), path);

	if (write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

/* Starts a child that sets itself up and then does TURN again and again. */
static pid_t begin(const char *name, void (*set_up)(void), void (*turn)(void))
{
	int ready[2];
	char byte;
	pid_t pid;

	must(pipe(ready), "pipe");
	pid = must(fork(), "fork");
	if (pid) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			die(name);
		close(ready[0]);
		return pid;
	}
	role = name;
	ticks = 0;
	set_up();
	if (write(ready[1], "r", 1) != 1)
		_exit(4);
	close(ready[0]);
	close(ready[1]);
	for (;;) {
		turn();
		end_tick();
	}
}

static void install(int flags, const struct sock_filter *code, int count)
{
	struct sock_fprog program = { count, (struct sock_filter *)code };

	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program), "seccomp");
}

static void be_nobody(void)
{
	static const struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	/* getppid(2) fails with ENOTTY. */
	static const struct sock_filter deny[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	gid_t groups[] = { 6, 5, 4711 };

	must(prctl(PR_SET_NAME, NAME), "name");
	must(setgroups(3, groups), "setgroups");
	must(setresgid(65534, 65534, 4242), "setresgid");
	must(setresuid(65534, 65534, 4343), "setresuid");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	install(SECCOMP_FILTER_FLAG_LOG, allow, 1);
	install(0, deny, 4);
}

static void stay_nobody(void)
{
	char name[16] = { 0 };
	uid_t ruid = 0, euid = 0, suid = 0;
	gid_t rgid = 0, egid = 0, sgid = 0, groups[8] = { 0 };

	getresuid(&ruid, &euid, &suid);
	getresgid(&rgid, &egid, &sgid);
	expect(ruid == 65534 && euid == 65534 && suid == 4343, "users are %d %d %d", ruid,
	       euid, suid);
	expect(rgid == 65534 && egid == 65534 && sgid == 4242, "groups are %d %d %d",
	       rgid, egid, sgid);
	expect(getgroups(8, groups) == 3 && groups[0] == 5 && groups[1] == 6 && groups[2] == 4711, "other groups: %d %d %d",
	       groups[0], groups[1], groups[2]);
	expect(strtoull(status_of(getpid(), "CapPrm:"), NULL, 16) == 0, "it has capabilities");
	expect(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no_new_privs is gone");
	expect(syscall(SYS_getppid) < 0 && errno == ENOTTY, "the filter does not bind");
	expect(atoi(status_of(getpid(), "Seccomp_filters:")) == 2, "it has %s filters", status_of(getpid(), "Seccomp_filters:"));
	expect(prctl(PR_GET_NAME, name) == 0 && strcmp(name, NAME) == 0, "its name is %s", name);
}

#define BIT(cap) (1ULL << (cap))
#define KEPT (BIT(CAP_KILL) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_CHOWN))

static void be_capable(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { KEPT & ~BIT(CAP_CHOWN), KEPT, BIT(CAP_NET_BIND_SERVICE) }, { 0, 0, 0 } };

	must(prctl(PR_CAPBSET_DROP, CAP_SYS_TIME, 0, 0, 0), "bounding set");
	must(prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0), "bounding set");
	must(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS | SECBIT_NOROOT | SECBIT_NOROOT_LOCKED),
	     "secure bits");
	must(setresuid(1000, 1000, 1000), "setresuid");
	must(syscall(SYS_capset, &head, data), "capset");
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0), "ambient set");
}

static void stay_capable(void)
{
	static unsigned long long bounding;
	unsigned long long now = strtoull(status_of(getpid(), "CapBnd:"), NULL, 16);

	if (!bounding)
		bounding = now;
	expect(getuid() == 1000, "it is user %d", getuid());
	expect(strtoull(status_of(getpid(), "CapPrm:"), NULL, 16) == KEPT, "permitted are %s", status_of(getpid(), "CapPrm:"));
	expect(strtoull(status_of(getpid(), "CapEff:"), NULL, 16) == (KEPT & ~BIT(CAP_CHOWN)), "effective are %s",
	       status_of(getpid(), "CapEff:"));
	expect(strtoull(status_of(getpid(), "CapInh:"), NULL, 16) == BIT(CAP_NET_BIND_SERVICE), "inheritable are %s",
	       status_of(getpid(), "CapInh:"));
	expect(strtoull(status_of(getpid(), "CapAmb:"), NULL, 16) == BIT(CAP_NET_BIND_SERVICE), "ambient are %s",
	       status_of(getpid(), "CapAmb:"));
	expect(now == bounding && !(now & (BIT(CAP_SYS_TIME) | BIT(CAP_SYS_BOOT))), "bounding are %llx", now);
	expect(prctl(PR_GET_SECUREBITS) == (SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS | SECBIT_NOROOT | SECBIT_NOROOT_LOCKED),
	       "secure bits are %x", prctl(PR_GET_SECUREBITS));
}

/* Only read(2), write(2) and _exit(2) are left. */
static void be_strict(void)
{
	char byte;

	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), "strict");
	for (;;)
		if (read(to_strict[0], &byte, 1) != 1 || write(from_strict[1], &byte, 1) != 1)
			syscall(SYS_exit, 5);
}

static void be_jailed(void)
{
	must(mkdir("jail", 0755), "jail");
	must(mkdir("jail/cell", 0755), "cell");
	close(create("jail/cell/inside", O_WRONLY));
	must(chroot("jail"), "chroot");
	must(chdir("/cell"), "chdir");
	umask(0117);
}

static void stay_jailed(void)
{
	char path[64] = "";
	mode_t mask = umask(0117);

	expect(getcwd(path, sizeof(path)) && strcmp(path, "/cell") == 0, "its directory is %s", path);
	expect(access("/cell/inside", F_OK) == 0 && access("inside", F_OK) == 0, "its root has no /cell/inside");
	expect(access("/proc", F_OK) < 0, "it can leave its root");
	expect(mask == 0117, "umask is %o", mask);
}

static void *idle(void *arg)
{
	struct sched_param none = { 0 };

	must(prctl(PR_SET_NAME, "idler"), "name");
	must(sched_setscheduler(0, SCHED_IDLE, &none), "SCHED_IDLE");
	__atomic_store_n((pid_t *)arg, gettid(), __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return NULL;
}

static pid_t idler;

static void be_odd(void)
{
	struct sched_param none = { 0 };
	pthread_t thread;

	must(personality(ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT), "personality");
	write_file("/proc/self/oom_score_adj", "321");
	must(setpriority(PRIO_PROCESS, 0, 7), "nice");
	must(sched_setscheduler(0, SCHED_BATCH, &none), "SCHED_BATCH");
	must(setrlimit(RLIMIT_STACK, &(struct rlimit){ 1 << 20, 1 << 22 }), "RLIMIT_STACK");
	must(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 77, 99 }), "RLIMIT_NOFILE");
	must(setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){ 1234, 2345 }), "RLIMIT_SIGPENDING");
	must(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), "THP");
	must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "subreaper");
	must(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), "membarrier");
	if (pthread_create(&thread, NULL, idle, &idler))
		die("pthread_create");
	while (!__atomic_load_n(&idler, __ATOMIC_SEQ_CST))
		sleep_ns(1000000);
	must(prctl(PR_SET_PDEATHSIG, SIGUSR2), "death signal");
	must(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "dumpable");
}

static void stay_odd(void)
{
	struct rlimit limit = { 0 };
	char text[64];
	int value = 0;

	expect(personality(0xffffffff) == (ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT), "personality is %x", personality(0xffffffff));
	read_file("/proc/self/oom_score_adj", text, sizeof(text));
	expect(atoi(text) == 321, "oom_score_adj is %s", text);
	expect(getpriority(PRIO_PROCESS, 0) == 7, "nice is %d", getpriority(PRIO_PROCESS, 0));
	expect(sched_getscheduler(0) == SCHED_BATCH, "policy is %d", sched_getscheduler(0));
	expect(sched_getscheduler(idler) == SCHED_IDLE, "policy of the thread is %d", sched_getscheduler(idler));
	getrlimit(RLIMIT_STACK, &limit);
	expect(limit.rlim_cur == 1 << 20 && limit.rlim_max == 1 << 22, "RLIMIT_STACK is %lu",
	       (unsigned long)limit.rlim_cur);
	getrlimit(RLIMIT_NOFILE, &limit);
	expect(limit.rlim_cur == 77 && limit.rlim_max == 99, "RLIMIT_NOFILE is %lu",
	       (unsigned long)limit.rlim_cur);
	getrlimit(RLIMIT_SIGPENDING, &limit);
	expect(limit.rlim_cur == 1234 && limit.rlim_max == 2345,
	       "RLIMIT_SIGPENDING is %lu", (unsigned long)limit.rlim_cur);
	expect(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1, "huge pages are allowed");
	expect(prctl(PR_GET_CHILD_SUBREAPER, &value) == 0 && value == 1, "it is no subreaper");
	expect(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0, "it is not registered for barriers");
	prctl(PR_GET_PDEATHSIG, &value);
	expect(value == SIGUSR2, "death signal is %d", value);
	expect(prctl(PR_GET_DUMPABLE) == 0, "dumpable is %d", prctl(PR_GET_DUMPABLE));
}

static void *count(void *arg)
{
	long me = (long)arg;

	shared->tids[me] = gettid();
	for (;;) {
		shared->counts[me]++;
		sleep_ns(5000000);
	}
	return NULL;
}

static void begin_stopped(void)
{
	pthread_t thread;

	stopped = must(fork(), "fork");
	if (!stopped) {
		role = "stopped";
		for (long i = 1; i < 3; i++)
			if (pthread_create(&thread, NULL, count, (void *)i))
				die("pthread_create");
		count((void *)0);
	}
	while (!shared->counts[0] || !shared->counts[1] || !shared->counts[2])
		sleep_ns(1000000);
	kill(stopped, SIGSTOP);
	if (waitpid(stopped, NULL, WUNTRACED) != stopped)
		die("the stopped child");
}

static void begin_dead(void)
{
	siginfo_t info;

	exited = must(fork(), "fork");
	if (!exited) {
		setpgid(0, 0);
		_exit(7);
	}
	killed = must(fork(), "fork");
	if (!killed) {
		signal(SIGTERM, SIG_DFL);
		prctl(PR_SET_NAME, "victim");
		kill(getpid(), SIGTERM);
	}
	must(waitid(P_PID, exited, &info, WEXITED | WNOWAIT), "the zombie");
	must(waitid(P_PID, killed, &info, WEXITED | WNOWAIT), "the zombie");
}

static void begin_silent(void)
{
	silent = must(syscall(SYS_clone, 0, NULL, NULL, NULL, NULL), "clone");
	if (!silent)
		for (;;)
			pause();
}

/* Field NUMBER of /proc/PID/stat, from the third on. */
static long stat_field(pid_t pid, int number)
{
	char path[64], text[1024], *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	read_file(path, text, sizeof(text));
	at = strrchr(text, ')');
	if (!at)
		return -1;
	for (at += 2; number > 3 && at; number--)
		at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL;
	return !at ? -1 : number == 3 && (*at < '0' || *at > '9') && *at != '-' ? *at : atol(at);
}

static void on_child(int signal)
{
	(void)signal;
	children_told++;
}

static void stay_root(void)
{
	static long told = -1, counts[3];
	static int was_continued;
	siginfo_t info = { 0 };
	char byte = 0, name[64] = "";
	long state = stat_field(stopped, 3);

	if (told < 0)
		told = children_told;
	if (state == 'T' && !was_continued)
		for (int i = 0; i < 3; i++) {
			expect(!counts[i] || counts[i] == shared->counts[i], "the stopped thread %d counts", i);
			counts[i] = shared->counts[i];
			expect(stat_field(shared->tids[i], 3) == 'T', "thread %d is not stopped", i);
		}
	else
		was_continued = 1;
	/* The end of a stop is told, once. */
	expect(children_told == told || (was_continued && children_told == told + 1), "%ld signals of children came",
	       children_told - told);
	waitid(P_PID, exited, &info, WEXITED | WNOWAIT | WNOHANG);
	expect(info.si_pid == exited &&
		       info.si_code == CLD_EXITED && info.si_status == 7, "the exited child has code %d, status %d", info.si_code,
	       info.si_status);
	expect(getpgid(exited) == exited, "the exited child has group %d", getpgid(exited));
	waitid(P_PID, killed, &info, WEXITED | WNOWAIT | WNOHANG);
	expect(info.si_pid == killed &&
		       info.si_code == CLD_KILLED && info.si_status == SIGTERM, "the killed child has code %d, status %d",
	       info.si_code, info.si_status);
	snprintf(name, sizeof(name), "%s", status_of(killed, "Name:"));
	expect(strcmp(name, "victim") == 0, "the killed child is called %s", name);
	expect(stat_field(silent, 38) == 0, "the silent child has exit signal %ld", stat_field(silent, 38));
	expect(stat_field(stopped, 38) == SIGCHLD, "the stopped child has exit signal %ld", stat_field(stopped, 38));
	expect(write(to_strict[1], "s", 1) == 1 && read(from_strict[0], &byte, 1) == 1 && byte == 's', "strict does not answer");
	expect(atoi(status_of(strict, "Seccomp:")) == 1, "strict has seccomp mode %s", status_of(strict, "Seccomp:"));
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_child, .sa_flags = SA_RESTART };

	start(argc, argv, "log");
	root = getpid();
	/* Users without rights here write to it as well. */
	must(fchmod(log_fd, 0666), "log");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("mmap");
	must(pipe(to_strict), "pipe");
	must(pipe(from_strict), "pipe");
	must(sigaction(SIGCHLD, &action, NULL), "SIGCHLD");
	begin("nobody", be_nobody, stay_nobody);
	begin("capable", be_capable, stay_capable);
	begin("jailed", be_jailed, stay_jailed);
	begin("odd", be_odd, stay_odd);
	strict = must(fork(), "fork");
	if (!strict)
		be_strict();
	begin_stopped();
	begin_dead();
	begin_silent();
	while (atoi(status_of(strict, "Seccomp:")) != 1)
		sleep_ns(1000000);
	say("stopped %d", stopped);
	say("ready");
	for (;;) {
		stay_root();
		end_tick();
	}
}
