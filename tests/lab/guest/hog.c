// SPDX-License-Identifier: GPL-2.0-only
/*
 * hog CPU N [ON OFF [TID]]: takes N counters of a CPU from all others, with
 * pinned events, until it gets SIGTERM; with ON and OFF, for ON and not for OFF
 * microseconds in turn.  With TID it then prints the percentage of that thread's
 * own time in which an event of its could count in guest mode: what the host's
 * perf knows of the share that a guest's event can have had.  At SIGUSR1 it
 * prints that share's two sums so far: "at ENABLED RUNNING", in nanoseconds.
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

static volatile sig_atomic_t done, asked;

static void on_signal(int nr)
{
	if (nr == SIGUSR1)
		asked = 1;
	else
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

struct sums {
	uint64_t value, enabled, running;
};

static struct sums sums_of(int fd)
{
	struct sums c;

	if (read(fd, &c, sizeof(c)) != sizeof(c) || !c.enabled) {
		perror("read");
		exit(1);
	}
	return c;
}

static void print_share(struct sums c)
{
	printf("%.2f\n", 100. * c.running / c.enabled);
}

static void print_sums(struct sums c)
{
	printf("at %llu %llu\n", (unsigned long long)c.enabled,
	       (unsigned long long)c.running);
	fflush(stdout);
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
	sigaction(SIGUSR1, &action, NULL);
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
		if (asked && probe >= 0) {
			asked = 0;
			print_sums(sums_of(probe));
		}
	}
	if (probe >= 0)
		print_share(sums_of(probe));
	return 0;
}
