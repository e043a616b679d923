// SPDX-License-Identifier: GPL-2.0-only
/* Sampling. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest.h"

#define SLACK 200

/*
 * loop(n) sampled with period p: the count is exact, the samples' periods add
 * up to it within one period however few interrupts came, and where nothing
 * depends on chance nearly all of them came.
 */
static void sample_loop(uint64_t n, uint64_t p)
{
	struct sampler s = sampler_open(HW(INSTRUCTIONS), U, p, false, 0);
	struct count c;

	event_enable(s.fd);
	loop(n);
	event_disable(s.fd);
	sampler_drain(&s);
	c = event_read(s.fd);
	detail("period %llu: %llu of %llu samples", (unsigned long long)p,
	       (unsigned long long)s.samples, (unsigned long long)(n / p));
	near("count", c.value, n, SLACK);
	if (s.lost || s.throttled)
		fail("%llu lost, throttled %llu times",
		     (unsigned long long)s.lost,
		     (unsigned long long)s.throttled);
	if (s.period_sum > c.value || c.value - s.period_sum >= p + SLACK)
		fail("the samples' periods add up to %llu",
		     (unsigned long long)s.period_sum);
	/* with other CPUs about, an interrupt may come late, after the loop */
	if (s.in_loop < s.samples - (deterministic ? 0 : s.samples / 20))
		fail("%llu samples outside the loop at %p, the last at %#llx",
		     (unsigned long long)(s.samples - s.in_loop),
		     (const void *)loop_begin,
		     (unsigned long long)s.elsewhere);
	if (s.in_kernel && !may_skid)
		fail("%llu samples of user code in the kernel, the last outside the loop at %#llx",
		     (unsigned long long)s.in_kernel,
		     (unsigned long long)s.elsewhere);
	if (s.samples * 100 < n / p * (deterministic ? 98 : 20))
		fail("too few samples");
	close(s.fd);
}

TEST(period_10k, "sample/period-10000")
{
	sample_loop(2000000, 10000);
}

TEST(each_cpu, "sample/each-cpu")
{
	int cpu;

	for (cpu = 0; cpu < cpus(); cpu++) {
		run_on(cpu);
		sample_loop(2000000, 10000);
	}
}

TEST(period_100k, "sample/period-100000")
{
	sample_loop(20000000, 100000);
}

TEST(period_1m, "sample/period-1000000")
{
	sample_loop(20000000, 1000000);
}

TEST(cycles_period, "sample/cycles")
{
	struct sampler s = sampler_open(HW(CPU_CYCLES), U, 100000, false, 0);

	event_enable(s.fd);
	loop(5000000);
	event_disable(s.fd);
	sampler_drain(&s);
	near("count", event_read(s.fd).value, 10000000, 2 * SLACK);
	detail("%llu samples", (unsigned long long)s.samples);
	if (s.samples * 100 < 100 * (deterministic ? 98ULL : 20ULL))
		fail("too few samples");
}

TEST(branch_period, "sample/branches")
{
	struct sampler s = sampler_open(HW(BRANCH_INSTRUCTIONS), U, 10000,
					false, 0);

	event_enable(s.fd);
	loop(5000000);
	event_disable(s.fd);
	sampler_drain(&s);
	near("count", event_read(s.fd).value, 500000, SLACK);
	detail("%llu samples", (unsigned long long)s.samples);
	if (s.samples < 45 && deterministic)
		fail("too few samples");
}

TEST(freq, "sample/frequency")
{
	struct sampler s = sampler_open(HW(INSTRUCTIONS), U, 1000, true, 0);
	struct count c;

	event_enable(s.fd);
	loop(100000000);
	event_disable(s.fd);
	sampler_drain(&s);
	c = event_read(s.fd);
	near("count", c.value, 100000000, SLACK);
	detail("%llu samples in %llu ms", (unsigned long long)s.samples,
	       (unsigned long long)c.enabled / 1000000);
	/* perf finds its period in some steps; a tick without any is a fault */
	if (s.samples < 10)
		fail("too few samples");
	if (s.samples > 10 * (c.enabled / 1000000) + 1000)
		fail("too many samples");
	/* the period changes while the counter runs: about right, not exact */
	if (s.period_sum > c.value + c.value / 5)
		fail("periods add up to %llu",
		     (unsigned long long)s.period_sum);
}

TEST(chain, "sample/call-chain")
{
	struct sampler s = sampler_open(HW(INSTRUCTIONS), U, 100000, false,
					PERF_SAMPLE_CALLCHAIN);

	event_enable(s.fd);
	loop(5000000);
	event_disable(s.fd);
	sampler_drain(&s);
	detail("%llu samples, chains of up to %llu",
	       (unsigned long long)s.samples, (unsigned long long)s.max_chain);
	if (!s.samples || s.max_chain < 2)
		fail("no call chains");
}

TEST(kernel, "sample/kernel")
{
	struct sampler s = sampler_open(HW(INSTRUCTIONS), K, 10000, false, 0);
	int i;

	event_enable(s.fd);
	for (i = 0; i < 20000; i++)
		getppid();
	event_disable(s.fd);
	sampler_drain(&s);
	detail("%llu samples, count %llu", (unsigned long long)s.samples,
	       (unsigned long long)event_read(s.fd).value);
	if (s.samples < 10)
		fail("too few samples");
	if (s.in_loop)
		fail("user addresses in a kernel event");
}

TEST(change, "sample/period-change")
{
	struct sampler s = sampler_open(HW(INSTRUCTIONS), U, 1000000, false, 0);
	uint64_t before, p = 50000;

	event_enable(s.fd);
	loop(5000000);
	event_disable(s.fd);
	sampler_drain(&s);
	before = s.samples;
	event_enable(s.fd);
	if (ioctl(s.fd, PERF_EVENT_IOC_PERIOD, &p))
		fail("PERF_EVENT_IOC_PERIOD: %s", strerror(errno));
	loop(5000000);
	event_disable(s.fd);
	sampler_drain(&s);
	near("count", event_read(s.fd).value, 10000000, 5 * SLACK);
	detail("%llu samples before, %llu after", (unsigned long long)before,
	       (unsigned long long)(s.samples - before));
	if (s.samples - before < (deterministic ? 95 : 20))
		fail("the new period has no effect");
}

/*
 * When another event comes, perf takes all of the task away and adds them
 * again: a period that has begun goes on, however often that happens in it.
 */
TEST(resched, "sample/others-come-and-go")
{
	struct sampler s = sampler_open(HW(INSTRUCTIONS), U, 500000, false, 0);
	struct perf_event_attr other = event_attr(HW(CPU_CYCLES), U);
	struct count c;
	int i;

	other.disabled = 0;
	event_enable(s.fd);
	for (i = 0; i < 50; i++) {
		loop(200000);
		close(event_open(&other, 0, -1, -1));
	}
	event_disable(s.fd);
	sampler_drain(&s);
	c = event_read(s.fd);
	detail("%llu samples, count %llu", (unsigned long long)s.samples,
	       (unsigned long long)c.value);
	if (s.period_sum > c.value || c.value - s.period_sum >= 500000 + SLACK)
		fail("the samples' periods add up to %llu",
		     (unsigned long long)s.period_sum);
	if (s.samples < (deterministic ? 19 : 4))
		fail("too few samples");
}

/* After the last allowed overflow the event stops by itself. */
TEST(refresh, "sample/refresh-stops")
{
	struct sampler s = sampler_open(HW(INSTRUCTIONS), U, 100000, false, 0);
	uint64_t v;

	if (ioctl(s.fd, PERF_EVENT_IOC_REFRESH, 5))
		fail("PERF_EVENT_IOC_REFRESH: %s", strerror(errno));
	loop(20000000);
	sampler_drain(&s);
	v = event_read(s.fd).value;
	detail("%llu samples, stopped at %llu", (unsigned long long)s.samples,
	       (unsigned long long)v);
	if (s.samples != 5)
		fail("not 5 samples");
	if (v < 500000 || (deterministic && v > 520000))
		fail("stopped at the wrong place");
}

static volatile sig_atomic_t signals;

static void on_signal(int nr)
{
	(void)nr;
	signals++;
}

TEST(sigio, "sample/signal-on-overflow")
{
	struct perf_event_attr a = event_attr(HW(INSTRUCTIONS), U);
	int fd;

	a.sample_period = 200000;
	a.wakeup_events = 1;
	fd = event_open(&a, 0, -1, -1);
	signal(SIGIO, on_signal);
	fcntl(fd, F_SETOWN, getpid());
	fcntl(fd, F_SETFL, O_ASYNC);
	event_enable(fd);
	loop(4000000);
	event_disable(fd);
	detail("%d signals", (int)signals);
	if (signals < (deterministic ? 19 : 4))
		fail("too few signals");
}

TEST(two, "sample/two-at-once")
{
	struct sampler a = sampler_open(HW(INSTRUCTIONS), U, 100000, false, 0);
	struct sampler b = sampler_open(HW(CPU_CYCLES), U, 130000, false, 0);

	event_enable(a.fd);
	event_enable(b.fd);
	loop(10000000);
	event_disable(a.fd);
	event_disable(b.fd);
	sampler_drain(&a);
	sampler_drain(&b);
	near("instructions", event_read(a.fd).value, 10000000, 2 * SLACK);
	near("cycles", event_read(b.fd).value, 20000000, 4 * SLACK);
	detail("%llu of 100 and %llu of 153 samples",
	       (unsigned long long)a.samples, (unsigned long long)b.samples);
	if (a.samples < (deterministic ? 98 : 20) ||
	    b.samples < (deterministic ? 150 : 30))
		fail("too few samples");
}

#define RATE "/proc/sys/kernel/perf_event_max_sample_rate"
#define PERCENT "/proc/sys/kernel/perf_cpu_time_max_percent"

static unsigned int knob(const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned int value;

	if (!f || fscanf(f, "%u", &value) != 1)
		fail("%s: %s", path, strerror(errno));
	fclose(f);
	return value;
}

static void turn_knob(const char *path, unsigned int value)
{
	FILE *f = fopen(path, "w");

	if (!f || fprintf(f, "%u\n", value) < 0 || fclose(f))
		fail("%s: %s", path, strerror(errno));
}

/*
 * Samples may take a part of the CPU's time only, here the smallest that can be
 * asked for: perf hears what they take, and lowers the rate.
 */
TEST(guard, "sample/share-of-time")
{
	unsigned int rate = knob(RATE), percent = knob(PERCENT), after;
	/* before anything is changed: it may end the test */
	struct sampler s = sampler_open(HW(INSTRUCTIONS), U, 10000, false, 0);

	turn_knob(PERCENT, 1);
	turn_knob(RATE, 100000); /* refused while the percentage is 0 or 100 */
	event_enable(s.fd);
	loop(5000000);
	event_disable(s.fd);
	sampler_drain(&s);
	after = knob(RATE);
	turn_knob(RATE, rate);
	turn_knob(PERCENT, percent);
	detail("%llu samples, throttled %llu times, at most %u a second",
	       (unsigned long long)s.samples, (unsigned long long)s.throttled,
	       after);
	if (after >= 100000)
		fail("perf was not told");
}
