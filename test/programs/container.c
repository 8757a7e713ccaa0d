/*
 * A process in mount, pid, uts, ipc and net namespaces of its own, as container engines start one. Its root is
 * DIR/rootfs, with proc, a tmpfs with a file on /tmp and one with device nodes on /dev, and a bind mount of
 * /data on /mnt. It has System V shared memory, a message queue with messages, semaphores, a host name, and an
 * address and a listener on the loopback device of its namespace.
 * DIR/rootfs/bin/container must be this program. The process that was started writes the pid of the first process
 * inside to DIR/pid and ends together with that. DIR/rootfs must be a mount point when it is restored.
 *
 * log: rootfs/log
 * criu dump: --network-lock skip
 * criu restore: --root ROOTFS
 */
#include "program.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define KEY 0x63726d67

static const char host_name[] = "crimg-container";
static char *memory;
static int queue, semaphores, listener, scratch, data;

static void make(const char *dir)
{
	if (mkdir(dir, 0755) && errno != EEXIST)
		die(dir);
}

static void set_up_root(void)
{
	make("dev");
	make("tmp");
	make("proc");
	make("data");
	make("mnt");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "/");
	must(mount(".", ".", NULL, MS_BIND, NULL), "rootfs");
	must(chdir("../rootfs"), "rootfs");
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "the old root");
	must(chdir("/"), "/");
	must(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "/proc");
	must(mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=1777"), "/tmp");
	must(mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "size=64k,mode=755"), "/dev");
	must(mount("/data", "/mnt", NULL, MS_BIND, NULL), "/mnt");
	must(mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3)), "/dev/null");
}

static void set_up_ipc(void)
{
	struct { long type; char text[16]; } message = { 7, "a message" };

	memory = shmat(must(shmget(KEY, 8192, IPC_CREAT | 0600), "shmget"), NULL, 0);
	if (memory == (void *)-1)
		die("shmat");
	queue = must(msgget(KEY, IPC_CREAT | 0600), "msgget");
	must(msgsnd(queue, &message, sizeof(message.text), 0), "msgsnd");
	semaphores = must(semget(KEY, 3, IPC_CREAT | 0600), "semget");
	must(semctl(semaphores, 1, SETVAL, 5), "semctl");
}

static void set_up_net(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(8080), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct ifreq loopback = { .ifr_name = "lo" };

	listener = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	must(ioctl(listener, SIOCGIFFLAGS, &loopback), "lo");
	loopback.ifr_flags |= IFF_UP;
	must(ioctl(listener, SIOCSIFFLAGS, &loopback), "lo");
	must(bind(listener, (struct sockaddr *)&address, sizeof(address)), "bind");
	must(listen(listener, 4), "listen");
}

static void expect_ipc(void)
{
	struct { long type; char text[16]; } message = { 0, "" };

	expect(ticks == 0 || memory[4096] == (char)('a' + ticks % 26), "the shared memory holds %c", memory[4096]);
	memory[4096] = 'a' + (ticks + 1) % 26;
	expect(msgrcv(queue, &message, sizeof(message.text), 7, IPC_NOWAIT) == sizeof(message.text) &&
		       !strcmp(message.text, "a message"),
	       "the message queue gives \"%s\"", message.text);
	message.type = 7;
	expect(msgsnd(queue, &message, sizeof(message.text), IPC_NOWAIT) == 0, "the message queue takes nothing");
	expect(semctl(semaphores, 1, GETVAL) == 5, "the semaphore is %d", semctl(semaphores, 1, GETVAL));
}

static void expect_place(void)
{
	char name[65] = "", text[16] = "";
	struct stat st;

	expect(getpid() == 1 && getsid(0) == 1, "the pid is %d", getpid());
	expect(gethostname(name, sizeof(name)) == 0 && !strcmp(name, host_name), "the host name is %s", name);
	expect(pread(scratch, text, 16, 0) == 7 && !memcmp(text, "scratch", 7), "the file on /tmp differs");
	expect(stat("/tmp/scratch", &st) == 0 && st.st_size == 7, "/tmp/scratch is gone");
	expect(stat("/mnt/file", &st) == 0 && fstat(data, &st) == 0 && st.st_nlink == 1, "/mnt/file is gone");
	expect(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode), "/dev/null is gone");
	expect(stat("/proc/1/stat", &st) == 0, "/proc is gone");
}

/* In the new namespaces: the program is started again from the new root, since the old one is gone. */
static void enter(void)
{
	must(chdir("rootfs"), "rootfs");
	must(setsid(), "setsid");
	set_up_root();
	must(sethostname(host_name, strlen(host_name)), "sethostname");
	execl("/bin/container", "container", "/", NULL);
	die("/bin/container");
}

static void run(void)
{
	int null = must(open("/dev/null", O_RDWR), "/dev/null");

	for (int fd = 0; fd < 3; fd++)
		must(dup2(null, fd), "/dev/null");
	close(null);
	create_filled("/data/file", 'd', 100);
	data = must(open("/mnt/file", O_RDWR), "/mnt/file");
	scratch = create("/tmp/scratch", O_RDWR);
	must(write(scratch, "scratch", 7), "/tmp/scratch");
	set_up_ipc();
	set_up_net();
	say("ready");
	for (;;) {
		int accepting = 0;
		socklen_t length = sizeof(accepting);

		expect_place();
		expect_ipc();
		expect(getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &length) == 0 && accepting, "nothing listens");
		end_tick();
	}
}

int main(int argc, char **argv)
{
	char text[16];
	pid_t child;
	int fd;

	start(argc, argv, getpid() == 1 ? "log" : "rootfs/log");
	if (getpid() == 1)
		run();
	child = must(syscall(SYS_clone, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | SIGCHLD,
			     NULL, NULL, NULL, NULL), "clone");
	if (!child)
		enter();
	snprintf(text, sizeof(text), "%d\n", child);
	fd = create("pid", O_WRONLY | O_TRUNC);
	must(write(fd, text, strlen(text)), "pid");
	return waitpid(child, NULL, 0) == child ? 0 : 1;
}
