// SPDX-License-Identifier: GPL-2.0-only
/*
 * hog CPU N [ON OFF [TID]]: takes N counters of a CPU from all others, with
 * pinned events, until it gets SIGTERM; with ON and OFF, for ON and not for OFF
 * microseconds in turn.  With TID it then prints the percentage of that thread's
 * own time in which an event of its could count in guest mode: what the host's
 * perf knows of the share that a guest's event can have had.
 */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST 16

static volatile sig_atomic_t done;

static void on_signal(int nr)
{
	(void)nr;
	done = 1;
}

static int event(pid_t tid, int cpu, int pinned)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.disabled = pinned,
		.pinned = pinned,
		.exclude_host = !pinned,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING,
	};
	int fd = syscall(SYS_perf_event_open, &attr, tid, cpu, -1, 0);

	if (fd < 0) {
		perror("perf_event_open");
		exit(1);
	}
	return fd;
}

static void switch_all(const int *fd, int n, unsigned long how)
{
	while (n--)
		ioctl(fd[n], how, 0);
}

static void pause_for(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

static void print_share(int fd)
{
	struct {
		uint64_t value, enabled, running;
	} c;

	if (read(fd, &c, sizeof(c)) != sizeof(c) || !c.enabled) {
		perror("read");
		exit(1);
	}
	printf("%.2f\n", 100. * c.running / c.enabled);
}

int main(int argc, char **argv)
{
	int cpu, n, i, probe = -1, fd[MOST];
	struct sigaction action = { .sa_handler = on_signal };
	long on, off;

	if (argc < 3 || argc == 4 || argc > 6) {
		fprintf(stderr, "usage: hog CPU N [ON OFF [TID]]\n");
		return 2;
	}
	cpu = atoi(argv[1]);
	n = atoi(argv[2]);
	on = argc > 4 ? atol(argv[3]) : 0;
	off = argc > 4 ? atol(argv[4]) : 0;
	if (n > MOST)
		n = MOST;
	sigaction(SIGTERM, &action, NULL);
	for (i = 0; i < n; i++)
		fd[i] = event(-1, cpu, 1);
	if (argc > 5)
		probe = event(atoi(argv[5]), -1, 0);
	while (!done) {
		switch_all(fd, n, PERF_EVENT_IOC_ENABLE);
		if (!off) {
			pause();
			break;
		}
		pause_for(on);
		switch_all(fd, n, PERF_EVENT_IOC_DISABLE);
		pause_for(off);
	}
	if (probe >= 0)
		print_share(probe);
	return 0;
}
