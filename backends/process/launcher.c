// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * pvpmu-process: runs a command and shows what it counted through pvpmu
 *
 * The main thread is the vCPU, the command is what it runs.  All counts come
 * out of the shared page, and everything is asked for by hypercall: this file
 * knows guest.h, and of the backend only how to make a VM.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "names.h"
#include "process.h"

#define EXIT_USAGE 2
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND 127
#define EXIT_BROKEN 125

/* Column where the names of events end */
#define NAMES_END 48

#define DEFAULT_EVENTS "clock,exits,instructions,cycles,branches,branch-misses"

/**
 * struct counted - an event of the command line
 * @name: as it was given
 * @event: what is asked for
 * @error: why it is not counted, 0 if it is
 * @user_only: kernel mode was left out, since this user may not count it
 * @samples: overflows that the interrupt function saw
 * @weight: events that they stand for
 */
struct counted {
	const char *name;
	struct pvpmu_event event;
	__s32 error;
	bool user_only;
	__u32 samples;
	__u64 weight;
};

/**
 * struct session - all of it
 * @vm: the machine
 * @vcpu: this thread
 * @guest: the guest on it
 * @events: what to count, in the slot of the same number
 * @count: how many
 * @period: sample period of each, 0 for none
 * @one: only the command's first thread is counted
 */
struct session {
	struct pvpmu_process_vm vm;
	struct pvpmu_process_vcpu vcpu;
	struct pvpmu_guest guest;
	struct counted events[PVPMU_MAX_SLOTS];
	__u32 count;
	__u64 period;
	bool one;
};

static const char usage_text[] =
	"Usage: pvpmu-process [-1] [-e EVENT,...] [-p PERIOD] -- CMD [ARG...]\n"
	"       pvpmu-process --list\n"
	"\n"
	"Runs CMD as the guest of a one-vCPU machine and prints what it "
	"counted,\n"
	"through the interface that a kernel in a VM would use.\n"
	"\n"
	"  -e, --event EVENT,...  what to count, \"NAME\" or \"rHEX\", with "
	"\":u\" or\n"
	"                         \":k\" for user or kernel mode only\n"
	"  -p, --period PERIOD    have an interrupt after every PERIOD events, "
	"and\n"
	"                         show what the samples add up to; implies -1\n"
	"  -1, --one              count the first thread of CMD only, not what "
	"it\n"
	"                         starts\n"
	"  -l, --list             list the events, and which exist on this "
	"machine\n"
	"  -h, --help             print this\n"
	"\n"
	"The exit status is that of CMD, 128 and the signal's number if one "
	"ended\n"
	"it, 127 if it is not found, 126 if it cannot be run, 125 if counting "
	"does\n"
	"not work at all, 2 if the command line is wrong.\n";

static const char *error_text(__s32 error)
{
	switch (error) {
	case PVPMU_ERR_EVENT:
	case PVPMU_ERR_FILTER:
		return "<not supported>";
	case PVPMU_ERR_PERIOD:
		return "<no such period>";
	case PVPMU_ERR_LIMIT:
		return "<limit reached>";
	default:
		return "<not counted>";
	}
}

/* The guest's performance interrupt: in a kernel, samples are taken here. */
static void on_interrupt(void *data)
{
	struct session *session = data;
	__u32 ids = pvpmu_guest_take_pending(&session->guest);
	struct pvpmu_slot_host line;
	__u32 id;

	for (id = 0; id < session->count; id++) {
		struct counted *event = &session->events[id];

		if (!(ids & 1u << id) ||
		    !pvpmu_guest_read(&session->guest, id, &line))
			continue;
		event->samples++;
		event->weight = line.overflow_total;
	}
}

static bool make_machine(struct session *session, pid_t target)
{
	static const struct pvpmu_limits limits = {
		.slots_vcpu = PVPMU_MAX_SLOTS,
		.slots_vm = PVPMU_MAX_SLOTS,
		.classes = PVPMU_CLASS_BASIC | PVPMU_CLASS_CACHE |
			   PVPMU_CLASS_HYPERVISOR | PVPMU_CLASS_RAW,
		.period_min = 1000,
		.clock_period_min = 100000,
		.overflow_rate = 10000,
	};
	const struct pvpmu_process_guest guest = {
		.target = target,
		.inherit = !session->one,
		.await_exec = true,
		.interrupt = on_interrupt,
		.data = session,
	};
	const struct pvpmu_machine machine = {
		.cpuid = pvpmu_process_cpuid,
		.call = pvpmu_process_call,
		.data = &session->vcpu,
	};
	void *page;

	page = mmap(NULL, PVPMU_AREA_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return false;
	pvpmu_process_vm_init(&session->vm, &limits, page, 1);
	if (!pvpmu_process_vcpu_init(&session->vcpu, &session->vm, &guest))
		return false;
	return !pvpmu_guest_setup(&session->guest, &machine, page, 0,
				  PVPMU_DELIVER_LVTPC);
}

static void end_machine(struct session *session)
{
	pvpmu_guest_call(&session->guest, PVPMU_OP_DETACH, 0, 0, 0);
	pvpmu_process_vcpu_end(&session->vcpu);
	munmap(session->vm.ram, PVPMU_AREA_SIZE);
}

/* Opens and starts the events of @ids with one call, and takes the answers. */
static void open_events(struct session *session, __u32 ids)
{
	const struct pvpmu_masks masks = { .open = ids, .enable = ids };
	struct pvpmu_slot_host line;
	__s32 error;
	__u32 id;

	for (id = 0; id < session->count; id++)
		if (ids & 1u << id)
			pvpmu_guest_describe(&session->guest, id,
					     &session->events[id].event);
	error = pvpmu_guest_update(&session->guest, &masks);
	for (id = 0; id < session->count; id++) {
		if (!(ids & 1u << id))
			continue;
		if (error == PVPMU_ERR_PARTIAL &&
		    pvpmu_guest_read(&session->guest, id, &line))
			session->events[id].error = line.error;
		else
			session->events[id].error = error;
	}
}

/* Where only user mode may be counted, that is better than nothing. */
static __u32 retry_user_only(struct session *session)
{
	__u32 ids = 0;
	__u32 id;

	for (id = 0; id < session->count; id++) {
		struct counted *event = &session->events[id];
		__s32 caps = pvpmu_guest_query(&session->guest, &event->event);

		if (event->error != PVPMU_ERR_EVENT || event->event.flags ||
		    caps < 0 || !(caps & (__s32)PVPMU_CAP_EXCLUDE_KERNEL))
			continue;
		event->event.flags = PVPMU_FLAG_EXCLUDE_KERNEL;
		event->user_only = true;
		ids |= 1u << id;
	}
	return ids;
}

static void start_counting(struct session *session)
{
	__u32 ids;

	open_events(session, (1u << session->count) - 1);
	ids = retry_user_only(session);
	if (ids)
		open_events(session, ids);
}

static void print_time(__u64 ns)
{
	fprintf(stderr, " %8llu.%03llu ms", ns / 1000000, ns / 1000 % 1000);
}

static void print_event(const struct session *session, __u32 id)
{
	const struct counted *event = &session->events[id];
	struct pvpmu_slot_host line;
	int width;

	if (event->error || !pvpmu_guest_read(&session->guest, id, &line)) {
		fprintf(stderr, "%20s  %s\n", error_text(event->error),
			event->name);
		return;
	}
	width = fprintf(stderr, "%20llu  %s%s", line.count, event->name,
			event->user_only ? ":u" : "");
	fprintf(stderr, "%*s", width < NAMES_END ? NAMES_END - width : 1, "");
	print_time(line.time_enabled);
	print_time(line.time_running);
	if (line.time_enabled)
		fprintf(stderr, "  %6.2f%%",
			100.0 * (double)line.time_running /
				(double)line.time_enabled);
	if (session->period)
		fprintf(stderr,
			"  %u overflows in %u interrupts, for %llu events",
			line.overflows, event->samples, event->weight);
	fprintf(stderr, "\n");
}

static void print_counts(const struct session *session, const char *command)
{
	bool hardware = false, missing = false;
	__u32 id;

	fprintf(stderr, "\n%20s  %-*s %15s %15s\n", command, NAMES_END - 22, "",
		"enabled", "running");
	for (id = 0; id < session->count; id++) {
		const struct counted *event = &session->events[id];

		print_event(session, id);
		if (event->event.type == PVPMU_TYPE_CLOCK ||
		    event->event.type == PVPMU_TYPE_HYPERVISOR)
			continue;
		if (event->error == PVPMU_ERR_EVENT)
			missing = true;
		else
			hardware = true;
	}
	if (missing && !hardware)
		fprintf(stderr, "\nThis machine shows no hardware counters to "
				"a process; see pvpmu-process --list.\n");
}

static void list_events(struct session *session)
{
	unsigned int i;

	for (i = 0; i < pvpmu_names_count; i++) {
		const struct pvpmu_event event = {
			.type = pvpmu_names[i].type,
			.config = pvpmu_names[i].config,
		};
		__s32 caps = pvpmu_guest_query(&session->guest, &event);

		if (caps < 0)
			printf("%-26s does not exist here\n",
			       pvpmu_names[i].name);
		else
			printf("%-26s counts%s%s%s\n", pvpmu_names[i].name,
			       caps & (__s32)PVPMU_CAP_SAMPLE ? ", samples"
							      : "",
			       caps & (__s32)PVPMU_CAP_EXCLUDE_KERNEL ? ", :u"
								      : "",
			       caps & (__s32)PVPMU_CAP_EXCLUDE_USER ? ", :k"
								    : "");
	}
}

static bool parse_events(struct session *session, char *list)
{
	char *name;

	session->count = 0;
	for (name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		struct counted *event = &session->events[session->count];

		if (session->count == PVPMU_MAX_SLOTS) {
			fprintf(stderr, "pvpmu-process: more than %u events\n",
				PVPMU_MAX_SLOTS);
			return false;
		}
		if (!pvpmu_name_parse(name, &event->event)) {
			fprintf(stderr, "pvpmu-process: no event '%s'\n", name);
			return false;
		}
		event->name = name;
		session->count++;
	}
	if (!session->count)
		fprintf(stderr, "pvpmu-process: no events\n");
	return session->count > 0;
}

static bool parse_period(struct session *session, const char *text)
{
	char *end;

	errno = 0;
	session->period = strtoull(text, &end, 10);
	return !errno && *text >= '0' && *text <= '9' && !*end &&
	       session->period && session->period <= PVPMU_PERIOD_MAX;
}

/* The command, in the child: waits until it is looked after, then becomes
 * CMD, or says why it cannot. */
static void become(char **command, int go, int failure)
{
	char byte;
	int error;

	if (read(go, &byte, 1) != 1)
		_exit(EXIT_BROKEN);
	execvp(command[0], command);
	error = errno;
	if (write(failure, &error, sizeof(error)) != sizeof(error))
		_exit(EXIT_BROKEN);
	_exit(EXIT_CANNOT_RUN);
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

static int wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_BROKEN;
	return exit_status(status);
}

/* Reads until the other end is closed, as execve(2) does; performance signals
 * come in between. */
static bool read_failure(int fd, int *error)
{
	ssize_t len;

	do {
		len = read(fd, error, sizeof(*error));
	} while (len < 0 && errno == EINTR);
	return len == sizeof(*error);
}

static int run(struct session *session, char **command)
{
	struct pvpmu_masks all = { 0 };
	int go[2], failure[2];
	int error, status;
	pid_t child;

	if (pipe2(go, O_CLOEXEC) || pipe2(failure, O_CLOEXEC)) {
		perror("pvpmu-process: pipe");
		return EXIT_BROKEN;
	}
	child = fork();
	if (child < 0) {
		perror("pvpmu-process: fork");
		return EXIT_BROKEN;
	}
	if (!child) {
		/* or it would wait for itself, should the parent give up */
		close(go[1]);
		become(command, go[0], failure[1]);
	}
	close(go[0]);
	close(failure[1]);

	if (!make_machine(session, child)) {
		fprintf(stderr, "pvpmu-process: cannot make the machine\n");
		close(go[1]);
		wait_for(child);
		return EXIT_BROKEN;
	}
	start_counting(session);

	/* What the terminal sends is for the command. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	if (write(go[1], "", 1) != 1)
		perror("pvpmu-process: write");
	if (read_failure(failure[0], &error)) {
		fprintf(stderr, "pvpmu-process: %s: %s\n", command[0],
			strerror(error));
		wait_for(child);
		end_machine(session);
		return error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
	}
	session->vcpu.guest.await_exec = false;
	status = wait_for(child);

	all.disable = (1u << session->count) - 1;
	pvpmu_guest_update(&session->guest, &all);
	print_counts(session, command[0]);
	end_machine(session);
	return status;
}

static int list(struct session *session)
{
	session->one = true;
	if (!make_machine(session, 0)) {
		fprintf(stderr, "pvpmu-process: cannot make the machine\n");
		return EXIT_BROKEN;
	}
	list_events(session);
	end_machine(session);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "event", required_argument, NULL, 'e' },
		{ "period", required_argument, NULL, 'p' },
		{ "one", no_argument, NULL, '1' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static char default_events[] = DEFAULT_EVENTS;
	static struct session session;
	char *events = default_events;
	__u32 id;
	int c;

	while ((c = getopt_long(argc, argv, "+e:p:1lh", options, NULL)) != -1) {
		switch (c) {
		case 'e':
			events = optarg;
			break;
		case 'p':
			if (!parse_period(&session, optarg)) {
				fprintf(stderr,
					"pvpmu-process: no period '%s'\n",
					optarg);
				return EXIT_USAGE;
			}
			session.one = true;
			break;
		case '1':
			session.one = true;
			break;
		case 'l':
			return list(&session);
		case 'h':
			fputs(usage_text, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage_text, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	if (!parse_events(&session, events))
		return EXIT_USAGE;
	for (id = 0; id < session.count; id++)
		session.events[id].event.period = session.period;
	return run(&session, argv + optind);
}
