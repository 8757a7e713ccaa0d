/*
 * A tree of processes. The root (leader of session and group, subreaper) has as children
 *   writer, reader   a pipe between them, always with messages in it; they share a file offset with the root
 *   sharer           clone with CLONE_FILES: one descriptor table with the root
 *   orphan           member of a session whose leader is dead, with a group of its own
 *   grouped          member of a group whose leader is dead
 *   parent > child   a second generation; the child answers what the root asks through a socket
 *   stopped          stopped by SIGSTOP
 *   zombie           exited with 3, never waited for
 * All count in shared anonymous memory, where the root sees whether they go on.
 *
 * log: log
 * criu dump:
 * criu restore:
 */
#include "program.h"
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { WRITER, READER, SHARER, ORPHAN, GROUPED, PARENT, CHILD, ROLES };

static const char *const names[ROLES] = { "writer", "reader", "sharer", "orphan", "grouped", "parent", "child" };
static struct {
	volatile long count[ROLES];
	volatile pid_t pid[ROLES];
} *shared;
static int channel[2], pair[2], dead_pipe[2], journal, toggled;
static pid_t root, dead_session, dead_group, stopped, zombie;

#define MESSAGE 64
#define IN_FLIGHT 20

/* Starts a child that does TURN again and again; FLAGS are those of clone(2). */
static pid_t begin(int which, void (*turn)(void), int flags)
{
	pid_t pid = must(syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL), "clone");

	if (pid) {
		shared->pid[which] = pid;
		return pid;
	}
	role = names[which];
	ticks = 0;
	prctl(PR_SET_NAME, role);
	for (;;) {
		turn();
		shared->count[which]++;
		/* The orphan is init's child after a restore, so nothing else would end it together with the root. */
		if (kill(root, 0) < 0)
			_exit(0);
		end_tick();
	}
}

static void put_message(long number)
{
	char text[MESSAGE] = { 0 };

	snprintf(text, sizeof(text), "message %ld", number);
	expect(write(channel[1], text, MESSAGE) == MESSAGE, "the pipe cannot be written: %s", strerror(errno));
}

static void write_one(void)
{
	put_message(IN_FLIGHT + ticks);
	expect(write(journal, "w", 1) == 1, "the journal cannot be written");
}

static void read_one(void)
{
	char text[MESSAGE] = { 0 };

	expect(read(channel[0], text, MESSAGE) == MESSAGE && atol(text + 8) == ticks, "message %ld is \"%s\"", ticks, text);
	expect(write(journal, "r", 1) == 1, "the journal cannot be written");
}

static void toggle(void)
{
	fcntl(toggled, F_SETFD, fcntl(toggled, F_GETFD) ^ FD_CLOEXEC);
}

static void stay_orphan(void)
{
	if (ticks == 0)
		must(setpgid(0, 0), "setpgid");
	expect(getsid(0) == dead_session, "the session is %d, not %d", getsid(0), dead_session);
	expect(getpgid(0) == getpid(), "the group is %d", getpgid(0));
}

static void stay_grouped(void)
{
	if (ticks == 0)
		must(setpgid(0, dead_group), "setpgid");
	expect(getpgid(0) == dead_group, "the group is %d, not %d", getpgid(0), dead_group);
}

static void answer(void)
{
	char byte;

	while (recv(pair[1], &byte, 1, MSG_DONTWAIT) == 1)
		expect(send(pair[1], &byte, 1, 0) == 1, "the root cannot be answered");
}

static void stay_parent(void)
{
	if (ticks == 0)
		begin(CHILD, answer, 0);
	expect(waitpid(-1, NULL, WNOHANG) == 0, "the child is gone");
}

static void wait_for(pid_t pid)
{
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid");
}

/* A session leader that leaves a process behind, which then becomes the root's. */
static void set_up_orphan(void)
{
	dead_session = must(fork(), "fork");
	if (!dead_session) {
		dead_session = must(setsid(), "setsid");
		begin(ORPHAN, stay_orphan, 0);
		_exit(0);
	}
	wait_for(dead_session);
}

static void set_up_grouped(void)
{
	dead_group = must(fork(), "fork");
	if (!dead_group) {
		pause();
		_exit(0);
	}
	must(setpgid(dead_group, dead_group), "setpgid");
	begin(GROUPED, stay_grouped, 0);
	while (!shared->count[GROUPED])
		sleep_ns(1000000);
	kill(dead_group, SIGKILL);
	wait_for(dead_group);
}

static void set_up_stopped_and_zombie(void)
{
	siginfo_t info;

	stopped = must(fork(), "fork");
	if (!stopped)
		for (;;)
			pause();
	kill(stopped, SIGSTOP);
	if (waitpid(stopped, NULL, WUNTRACED) != stopped)
		die("the stopped child");
	zombie = must(fork(), "fork");
	if (!zombie)
		_exit(3);
	must(waitid(P_PID, zombie, &info, WEXITED | WNOWAIT), "the zombie");
}

static char state_of(pid_t pid)
{
	char path[32], text[256] = { 0 }, *end;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	end = strrchr(text, ')');
	return end ? end[2] : '-';
}

static void expect_children(void)
{
	static long last[ROLES], last_tick[ROLES];
	siginfo_t info = { 0 };

	for (int i = 0; i < ROLES; i++) {
		if (shared->count[i] != last[i] || !last_tick[i]) {
			last[i] = shared->count[i];
			last_tick[i] = ticks + 1;
		}
		expect(ticks + 1 - last_tick[i] < 20, "%s has not counted for a second", names[i]);
	}
	expect(waitid(P_PID, zombie, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid == zombie && info.si_status == 3,
	       "the zombie has pid %d and status %d", info.si_pid, info.si_status);
	/* t: criu still holds it, as tracer; R: it is about to stop again. */
	for (int i = 0; i < 100 && strchr("Tt", state_of(stopped)) == NULL; i++)
		sleep_ns(10000000);
	expect(strchr("Tt", state_of(stopped)) != NULL, "the stopped child has state %c", state_of(stopped));
	expect(getsid(shared->pid[ORPHAN]) == dead_session, "the orphan has session %d", getsid(shared->pid[ORPHAN]));
	expect(getpgid(shared->pid[GROUPED]) == dead_group, "the grouped child has group %d", getpgid(shared->pid[GROUPED]));
	expect(getsid(0) == getpid() && getpgid(0) == getpid(), "the root leads no session");
}

static void expect_shared_files(void)
{
	static long changes, changes_seen_at;
	static int flag = -1;
	static off_t offset;
	off_t now = lseek(journal, 0, SEEK_CUR);
	char byte = 0;

	if (fcntl(toggled, F_GETFD) != flag) {
		flag = fcntl(toggled, F_GETFD);
		changes_seen_at = ticks;
		changes++;
	}
	expect(ticks - changes_seen_at < 40, "the sharer's descriptor table is another, after %ld changes", changes);
	expect(now >= offset && now >= shared->count[WRITER] + shared->count[READER] - 2, "offset of the journal is %ld",
	       (long)now);
	offset = now;
	expect(write(dead_pipe[1], "x", 1) < 0 && errno == EPIPE, "the pipe without reader can be written");
	if (ticks > 1)
		expect(recv(pair[0], &byte, 1, 0) == 1 && byte == 'q', "the child did not answer");
	expect(send(pair[0], "q", 1, 0) == 1, "the child cannot be asked");
}

int main(int argc, char **argv)
{
	struct timeval limit = { 10, 0 };

	start(argc, argv, "log");
	root = getpid();
	signal(SIGPIPE, SIG_IGN);
	must(prctl(PR_SET_CHILD_SUBREAPER, 1), "subreaper");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("mmap");
	must(pipe(channel), "pipe");
	must(pipe2(dead_pipe, O_CLOEXEC), "pipe");
	close(dead_pipe[0]);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	must(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), "SO_RCVTIMEO");
	journal = create("journal", O_RDWR | O_TRUNC);
	toggled = must(fcntl(journal, F_DUPFD, 50), "dup");
	for (int number = 0; number < IN_FLIGHT; number++)
		put_message(number);
	if (*failure)
		die(failure);

	begin(WRITER, write_one, 0);
	begin(READER, read_one, 0);
	begin(PARENT, stay_parent, 0);
	set_up_orphan();
	set_up_grouped();
	set_up_stopped_and_zombie();
	begin(SHARER, toggle, CLONE_FILES);
	for (int i = 0; i < ROLES; i++)
		while (!shared->count[i])
			sleep_ns(1000000);
	say("ready");
	for (;;) {
		expect_children();
		expect_shared_files();
		end_tick();
	}
}
