// SPDX-License-Identifier: GPL-2.0-only
/* The runner of the guest tests, and their helpers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

/* The section "tests", made by TEST(). */
extern const struct test __start_tests[], __stop_tests[];

enum { PASS, FAIL, SKIP };

bool deterministic, may_skid;

static char remark[512];

static void __attribute__((noreturn)) verdict(int how, const char *fmt,
					      va_list ap)
{
	size_t used = strlen(remark);

	if (used && used + 3 < sizeof(remark)) {
		strcpy(remark + used, "; ");
		used += 2;
	}
	vsnprintf(remark + used, sizeof(remark) - used, fmt, ap);
	printf("%s", remark);
	fflush(stdout);
	_exit(how);
}

void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	verdict(FAIL, fmt, ap);
}

void skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	verdict(SKIP, fmt, ap);
}

void detail(const char *fmt, ...)
{
	size_t used = strlen(remark);
	va_list ap;

	if (used && used + 3 < sizeof(remark)) {
		strcpy(remark + used, ", ");
		used += 2;
	}
	va_start(ap, fmt);
	vsnprintf(remark + used, sizeof(remark) - used, fmt, ap);
	va_end(ap);
}

void near(const char *what, uint64_t got, uint64_t want, uint64_t tolerance)
{
	uint64_t off = got > want ? got - want : want - got;

	if (off > tolerance)
		fail("%s: %llu, expected %llu +- %llu", what,
		     (unsigned long long)got, (unsigned long long)want,
		     (unsigned long long)tolerance);
	detail("%s %llu (%+lld)", what, (unsigned long long)got,
	       (long long)(got - want));
}

int cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

void run_on(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		fail("CPU %d: %s", cpu, strerror(errno));
}

struct perf_event_attr event_attr(uint32_t type, uint64_t config, int where)
{
	struct perf_event_attr attr = {
		.type = type,
		.size = sizeof(attr),
		.config = config,
		.disabled = 1,
		.exclude_kernel = where == U,
		.exclude_user = where == K,
		.exclude_hv = 1,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING,
	};

	return attr;
}

int event_try(struct perf_event_attr *attr, pid_t pid, int cpu, int group)
{
	int fd = syscall(SYS_perf_event_open, attr, pid, cpu, group,
			 PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int event_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group)
{
	int fd = event_try(attr, pid, cpu, group);

	if (fd == -ENOENT || fd == -EOPNOTSUPP)
		skip("type %u config %#llx is not offered here (%s)",
		     attr->type, (unsigned long long)attr->config,
		     strerror(-fd));
	if (fd < 0)
		fail("perf_event_open type %u config %#llx: %s", attr->type,
		     (unsigned long long)attr->config, strerror(-fd));
	return fd;
}

int event_counter(uint32_t type, uint64_t config, int where, int group)
{
	struct perf_event_attr attr = event_attr(type, config, where);

	if (group >= 0)
		attr.disabled = 0;
	return event_open(&attr, 0, -1, group);
}

void event_enable(int fd)
{
	if (ioctl(fd, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP))
		fail("PERF_EVENT_IOC_ENABLE: %s", strerror(errno));
}

void event_disable(int fd)
{
	if (ioctl(fd, PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP))
		fail("PERF_EVENT_IOC_DISABLE: %s", strerror(errno));
}

struct count event_read(int fd)
{
	struct count c;
	ssize_t n = read(fd, &c, sizeof(c));

	if (n != sizeof(c))
		fail("read of an event: %zd, %s", n,
		     n < 0 ? strerror(errno) : "in error state");
	return c;
}

#define RING_PAGES 512
#define KERNEL (sizeof(long) == 8 ? 1ull << 63 : 0xc0000000) /* and above */

struct sampler sampler_open(uint32_t type, uint64_t config, int where,
			    uint64_t period, bool freq, uint64_t extra)
{
	struct perf_event_attr attr = event_attr(type, config, where);
	struct sampler s = { .size = (RING_PAGES + 1) * 4096UL };

	attr.freq = freq;
	attr.sample_period = period;
	attr.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_PERIOD | extra;
	s.fd = event_open(&attr, 0, -1, -1);
	s.ring = mmap(NULL, s.size, PROT_READ | PROT_WRITE, MAP_SHARED, s.fd, 0);
	if (s.ring == MAP_FAILED)
		fail("mmap of the ring: %s", strerror(errno));
	return s;
}

/* Copies n bytes at position pos of the ring. */
static void ring_copy(struct sampler *s, uint64_t pos, void *to, size_t n)
{
	const uint8_t *data = (const uint8_t *)s->ring + 4096;
	size_t i;

	for (i = 0; i < n; i++)
		((uint8_t *)to)[i] = data[(pos + i) % (RING_PAGES * 4096UL)];
}

void sampler_drain(struct sampler *s)
{
	struct perf_event_mmap_page *page = s->ring;
	uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
	uint64_t pos = page->data_tail;

	while (pos < head) {
		struct perf_event_header h;
		struct {
			uint64_t ip, period, nr;
		} body = { 0 };
		struct {
			uint64_t id, lost;
		} lost;

		ring_copy(s, pos, &h, sizeof(h));
		switch (h.type) {
		case PERF_RECORD_SAMPLE:
			ring_copy(s, pos + sizeof(h), &body,
				  h.size - sizeof(h) < sizeof(body) ?
				  h.size - sizeof(h) : sizeof(body));
			s->samples++;
			s->period_sum += body.period;
			if (body.ip >= (uintptr_t)loop_begin &&
			    body.ip <= (uintptr_t)loop_end)
				s->in_loop++;
			else
				s->elsewhere = body.ip;
			s->in_kernel += body.ip >= KERNEL;
			if (body.nr > s->max_chain)
				s->max_chain = body.nr;
			break;
		case PERF_RECORD_LOST:
			ring_copy(s, pos + sizeof(h), &lost, sizeof(lost));
			s->lost += lost.lost;
			break;
		case PERF_RECORD_THROTTLE:
			s->throttled++;
			break;
		}
		pos += h.size;
	}
	__atomic_store_n(&page->data_tail, pos, __ATOMIC_RELEASE);
}

/* Runs one test in a process of its own; returns its verdict. */
static int run_one(const struct test *t, int seconds)
{
	char text[sizeof(remark)] = "";
	size_t used = 0;
	int pipefd[2], status;
	ssize_t n;
	pid_t pid;
	static const char *const word[] = { "PASS", "FAIL", "SKIP" };
	int how;

	fflush(stdout);
	if (pipe(pipefd))
		abort();
	pid = fork();
	if (!pid) {
		dup2(pipefd[1], 1);
		close(pipefd[0]);
		close(pipefd[1]);
		alarm(seconds);
		t->run();
		printf("%s", remark);
		fflush(stdout);
		_exit(PASS);
	}
	close(pipefd[1]);
	while ((n = read(pipefd[0], text + used, sizeof(text) - 1 - used)) > 0)
		used += n;
	close(pipefd[0]);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) <= SKIP) {
		how = WEXITSTATUS(status);
	} else {
		how = FAIL;
		snprintf(text + used, sizeof(text) - used, "%s%s",
			 used ? "; " : "",
			 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) :
			 "ended in a strange way");
	}
	printf("%s %s%s%s\n", word[how], t->name, text[0] ? ": " : "", text);
	return how;
}

static int usage(const char *prog, int rc)
{
	printf("usage: %s [--list] [--deterministic] [--may-skid] [PATTERN...]\n"
	       "Runs the tests whose name starts with one of the PATTERNs (all),\n"
	       "prints PASS, FAIL or SKIP for each; status 1 when one failed.\n"
	       "  --deterministic  nothing depends on chance: all samples come\n"
	       "  --may-skid       a sample of user code may be in the kernel, as a\n"
	       "                   PMU's own driver has it when the interrupt is late\n",
	       prog);
	return rc;
}

int main(int argc, char **argv)
{
	int count[3] = { 0 }, i = 1;
	const struct test *t;
	bool list = false;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--list"))
			list = true;
		else if (!strcmp(argv[i], "--deterministic"))
			deterministic = true;
		else if (!strcmp(argv[i], "--may-skid"))
			may_skid = true;
		else
			return usage(argv[0], strcmp(argv[i], "--help") ? 2 : 0);
	}
	for (t = __start_tests; t < __stop_tests; t++) {
		bool wanted = i >= argc;
		int j;

		for (j = i; j < argc; j++)
			wanted |= !strncmp(t->name, argv[j], strlen(argv[j]));
		if (!wanted)
			continue;
		if (list)
			printf("%s\n", t->name);
		else
			count[run_one(t, 180)]++;
	}
	if (!list)
		printf("guest-tests: %d passed, %d failed, %d skipped\n",
		       count[PASS], count[FAIL], count[SKIP]);
	return count[FAIL] != 0;
}
