// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every operation, each with what it answers and which words of the area it
 * changes: the same lines come out of all kinds of guests, but for those that
 * say "own".
 */
#include "kernel.h"

#define SLOTS PVPMU_MAX_SLOTS
#define PERIOD 1000000u
/* Of events that go on for long: others are to run beside them */
#define SLOW_PERIOD 5000000
#define ROUNDS 2000000u /* of a loop of two instructions */

uint32_t leaf[3][4];
struct pvpmu_area area __attribute__((aligned(4096)));
static struct pvpmu_area before __attribute__((aligned(4096)));

bool discover(void)
{
	uint32_t base, i;

	for (base = PVPMU_CPUID_FIRST; base <= PVPMU_CPUID_LAST;
	     base += PVPMU_CPUID_STEP) {
		cpuid(base, leaf[0]);
		if (leaf[0][1] != PVPMU_SIGNATURE_EBX ||
		    leaf[0][2] != PVPMU_SIGNATURE_ECX ||
		    leaf[0][3] != PVPMU_SIGNATURE_EDX)
			continue;
		for (i = 1; i < 3; i++)
			cpuid(base + i, leaf[i]);
		return true;
	}
	return false;
}

/* The low 32 bits, and that the others are their sign */
int call(uint32_t op, uint32_t a, uint32_t b, uint32_t c)
{
	long answer = hypercall(leaf[1][3], leaf[2][0] + op, a, b, c, 0);

	if (answer != (int)answer)
		print("FAIL an answer of more than 32 bits\n");
	return (int)answer;
}

int setup(void *page)
{
	struct pvpmu_header_guest *line = page;
	uint64_t frame = frame_of(page);

	line->version = PVPMU_ABI_VERSION;
	line->features = leaf[1][2];
	return call(PVPMU_OP_SETUP, frame, frame >> 32, PVPMU_DELIVER_NONE);
}

void describe(unsigned int id, uint32_t type, uint64_t config, uint32_t flags,
	      uint64_t period)
{
	struct pvpmu_slot_guest *g = &area.slot[id].guest;

	memset(g, 0, sizeof(*g));
	g->type = type;
	g->config = config;
	g->flags = flags;
	g->period = period;
	g->leader = id;
}

static void describe_instructions(unsigned int id, uint32_t flags)
{
	describe(id, PVPMU_TYPE_HARDWARE, PVPMU_HW_INSTRUCTIONS, flags, 0);
}

static void remember(void)
{
	memcpy(&before, &area, sizeof(area));
}

/* Which words of the area are not what they were */
static void changed(const char *what)
{
	const uint32_t *old = (const uint32_t *)&before;
	const volatile uint32_t *new = (const volatile uint32_t *)&area;
	unsigned int i;

	print("PASS %s changes words", what);
	for (i = 0; i < PVPMU_AREA_SIZE / 4; i++)
		if (old[i] != new[i])
			print(" %u", i);
	print("\n");
	remember();
}

/* As gives(), and not a byte of the area changes. */
static void refused(const char *name, int wanted, uint32_t op, uint32_t a,
		    uint32_t b, uint32_t c)
{
	remember();
	gives(name, call(op, a, b, c), wanted);
	if (memcmp(&before, &area, sizeof(area)))
		result(false, "the area did not change", 0);
}

static void loop(uint32_t rounds)
{
	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(rounds) : : "cc");
}

/* Within 500 of @wanted? */
static void counts(const char *name, unsigned int id, uint64_t wanted)
{
	uint64_t got = area.slot[id].host.count;
	bool good = got >= wanted && got <= wanted + 500;

	result(good, name, good);
	if (!good)
		print("  %x%x\n", (uint32_t)(got >> 32), (uint32_t)got);
}

static void leaves(void)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		print("PASS leaf %u: %x %x %x\n", i, leaf[i][0], leaf[i][1],
		      leaf[i][3]);
	own("features", leaf[1][2] & (PVPMU_FEAT_LVTPC | PVPMU_FEAT_PV_NMI),
	    guest.pv ? PVPMU_FEAT_PV_NMI : PVPMU_FEAT_LVTPC);
}

static void without_area(void)
{
	uint32_t op;

	for (op = PVPMU_OP_DETACH; op <= PVPMU_OP_UPDATE; op++)
		refused("an operation without an area", PVPMU_ERR_NO_AREA, op,
			0, 0, 0);
	refused("no such operation", PVPMU_ERR_OPERATION, PVPMU_OP_UPDATE + 1,
		0, 0, 0);
	refused("another hypervisor's word", PVPMU_ERR_OPERATION,
		-leaf[2][0], 0, 0, 0);
}

static void queries(void)
{
	const int caps = PVPMU_CAP_COUNT | PVPMU_CAP_SAMPLE;
	uint32_t config;

	for (config = 0; config < PVPMU_HW_END; config++) {
		int answer = call(PVPMU_OP_QUERY, PVPMU_TYPE_HARDWARE, config,
				  0);

		if (answer < 0)
			gives("query", answer, PVPMU_ERR_EVENT);
		else
			gives("query", answer & caps, caps);
	}
	refused("query an unknown type", PVPMU_ERR_EVENT, PVPMU_OP_QUERY, 99, 0,
		0);
	refused("query a config with high bits", PVPMU_ERR_EVENT,
		PVPMU_OP_QUERY, PVPMU_TYPE_HARDWARE, 0, 1);
}

static void setups(void)
{
	uint64_t frame = frame_of(&area);

	refused("an unknown delivery", PVPMU_ERR_DELIVERY, PVPMU_OP_SETUP,
		frame, frame >> 32, 77);
	refused("a delivery of another kind of guest", PVPMU_ERR_DELIVERY,
		PVPMU_OP_SETUP, frame, frame >> 32,
		guest.pv ? PVPMU_DELIVER_LVTPC : PVPMU_DELIVER_PV_NMI);
	refused("a port that is none", PVPMU_ERR_RESERVED, PVPMU_OP_SETUP,
		frame, frame >> 32, PVPMU_DELIVER_NONE | 1 << 8);
	area.guest.version = PVPMU_ABI_VERSION + (1 << 16);
	refused("a guest of another major version", PVPMU_ERR_VERSION,
		PVPMU_OP_SETUP, frame, frame >> 32, PVPMU_DELIVER_NONE);
	area.guest.version = PVPMU_ABI_VERSION;
	area.guest.features = ~leaf[1][2];
	refused("a feature that is not served", PVPMU_ERR_VERSION,
		PVPMU_OP_SETUP, frame, frame >> 32, PVPMU_DELIVER_NONE);
	remember();
	gives("setup", setup(&area), PVPMU_OK);
	changed("setup");
	gives("setup again", setup(&area), PVPMU_OK);
	changed("setup again");
}

static void one_event(void)
{
	int enabled, disabled;

	refused("open an id too large", PVPMU_ERR_ID, PVPMU_OP_OPEN, SLOTS, 0,
		0);
	refused("enable a closed id", PVPMU_ERR_CLOSED, PVPMU_OP_ENABLE, 2, 0,
		0);
	describe_instructions(2, 0);
	refused("open with a second argument", PVPMU_ERR_RESERVED,
		PVPMU_OP_OPEN, 2, 1, 0);
	remember();
	gives("open", call(PVPMU_OP_OPEN, 2, 0, 0), PVPMU_OK);
	changed("open");
	refused("open twice", PVPMU_ERR_OPEN, PVPMU_OP_OPEN, 2, 0, 0);
	remember();
	enabled = call(PVPMU_OP_ENABLE, 2, 0, 0);
	loop(ROUNDS);
	disabled = call(PVPMU_OP_DISABLE, 2, 0, 0);
	gives("enable", enabled, PVPMU_OK);
	gives("disable", disabled, PVPMU_OK);
	changed("enable and disable");
	counts("what it counted is exact", 2, 2 * ROUNDS);
	loop(ROUNDS);
	gives("read", call(PVPMU_OP_READ, 2, 0, 0), PVPMU_OK);
	counts("a stopped event does not count", 2, 2 * ROUNDS);
	remember();
	gives("close", call(PVPMU_OP_CLOSE, 2, 0, 0), PVPMU_OK);
	changed("close");
	refused("close twice", PVPMU_ERR_CLOSED, PVPMU_OP_CLOSE, 2, 0, 0);
}

/* In a 32 bit PV guest nobody could tell one mode from the other. */
static void filters(void)
{
	bool none = guest.pv && sizeof(long) == 4;
	int caps = call(PVPMU_OP_QUERY, PVPMU_TYPE_HARDWARE,
			PVPMU_HW_INSTRUCTIONS, 0);

	own("filters that query tells of",
	    caps & (PVPMU_CAP_EXCLUDE_USER | PVPMU_CAP_EXCLUDE_KERNEL),
	    none ? 0 : PVPMU_CAP_EXCLUDE_USER | PVPMU_CAP_EXCLUDE_KERNEL);
	describe_instructions(4, PVPMU_FLAG_EXCLUDE_USER);
	describe_instructions(5, PVPMU_FLAG_EXCLUDE_KERNEL);
	describe_instructions(6, PVPMU_FLAGS_FILTERS);
	refused("both filters at once", PVPMU_ERR_FILTER, PVPMU_OP_OPEN, 6, 0,
		0);
	if (none) {
		own("kernel only", call(PVPMU_OP_OPEN, 4, 0, 0),
		    PVPMU_ERR_FILTER);
		own("user only", call(PVPMU_OP_OPEN, 5, 0, 0),
		    PVPMU_ERR_FILTER);
		return;
	}
	memset(&area.guest, 0, sizeof(area.guest));
	area.guest.open = area.guest.enable = 3 << 4;
	own("open both", call(PVPMU_OP_UPDATE, 0, 0, 0), PVPMU_OK);
	loop(ROUNDS);
	area.guest.open = area.guest.enable = 0;
	area.guest.disable = 3 << 4;
	own("stop both", call(PVPMU_OP_UPDATE, 0, 0, 0), PVPMU_OK);
	own("kernel only counts", area.slot[4].host.count / ROUNDS == 2, 1);
	own("user only counts", area.slot[5].host.count == 0, 1);
	call(PVPMU_OP_CLOSE, 4, 0, 0);
	call(PVPMU_OP_CLOSE, 5, 0, 0);
}

static void update(void)
{
	memset(&area.guest, 0, sizeof(area.guest));
	describe_instructions(0, 0);
	describe(1, 77, 0, 0, 0);
	describe(29, PVPMU_TYPE_HARDWARE, PVPMU_HW_CYCLES, 0, 0);
	area.guest.open = 1u | 2u | 1u << 29;
	area.guest.enable = 1u | 1u << 29;
	remember();
	gives("update, one of three bad", call(PVPMU_OP_UPDATE, 0, 0, 0),
	      PVPMU_ERR_PARTIAL);
	gives("the bad one's error", area.slot[1].host.error, PVPMU_ERR_EVENT);
	gives("a good one's error", area.slot[29].host.error, PVPMU_OK);
	loop(ROUNDS);
	memset(&area.guest, 0, sizeof(area.guest));
	area.guest.read = 1u << 29;
	area.guest.disable = 1u | 1u << 29;
	gives("update that disables and reads", call(PVPMU_OP_UPDATE, 0, 0, 0),
	      PVPMU_OK);
	gives("state", area.slot[0].host.state, PVPMU_STATE_STOPPED);
	result(area.slot[29].host.count >= 2 * area.slot[0].host.count,
	       "cycles, two for each instruction", 1);
	area.guest.flags = 1;
	refused("update with flags", PVPMU_ERR_RESERVED, PVPMU_OP_UPDATE, 0, 0,
		0);
	area.guest.flags = 0;
	area.guest.read = 1u << SLOTS;
	refused("update beyond the slots", PVPMU_ERR_ID, PVPMU_OP_UPDATE, 0, 0,
		0);
	memset(&area.guest, 0, sizeof(area.guest));
	area.guest.close = 1u | 1u << 29;
	gives("update that closes", call(PVPMU_OP_UPDATE, 0, 0, 0), PVPMU_OK);
}

/* Two of the same event count the same, to the last one. */
static void groups(void)
{
	if (!(leaf[1][2] & PVPMU_FEAT_GROUPS))
		return;
	memset(&area.guest, 0, sizeof(area.guest));
	describe_instructions(8, 0);
	describe_instructions(9, 0);
	area.slot[9].guest.leader = 8;
	area.guest.open = area.guest.enable = 3 << 8;
	gives("update that opens a group", call(PVPMU_OP_UPDATE, 0, 0, 0),
	      PVPMU_OK);
	loop(ROUNDS);
	area.guest.open = area.guest.enable = 0;
	area.guest.disable = 3 << 8;
	gives("update that stops it", call(PVPMU_OP_UPDATE, 0, 0, 0), PVPMU_OK);
	result(area.slot[8].host.time_running ==
		       area.slot[9].host.time_running,
	       "its members ran at the same time", 1);
	area.guest.disable = 0;
	area.guest.close = 3 << 8;
	gives("update that closes it", call(PVPMU_OP_UPDATE, 0, 0, 0),
	      PVPMU_OK);
	describe_instructions(9, 0);
	area.slot[9].guest.leader = 8;
	refused("a leader that is closed", PVPMU_ERR_GROUP, PVPMU_OP_OPEN, 9, 0,
		0);
}

/* Without an interrupt, by looking at the word */
static void overflows(void)
{
	describe(3, PVPMU_TYPE_HARDWARE, PVPMU_HW_INSTRUCTIONS, 0, PERIOD);
	gives("open to overflow", call(PVPMU_OP_OPEN, 3, 0, 0), PVPMU_OK);
	gives("enable", call(PVPMU_OP_ENABLE, 3, 0, 0), PVPMU_OK);
	loop(PERIOD * 5 / 4);
	gives("disable", call(PVPMU_OP_DISABLE, 3, 0, 0), PVPMU_OK);
	gives("overflows of 2.5 periods", area.slot[3].host.overflows, 2);
	gives("the pending word", area.overflow.pending, 1 << 3);
	gives("taken", __sync_fetch_and_and(&area.overflow.pending, 0), 1 << 3);
	gives("enable", call(PVPMU_OP_ENABLE, 3, 0, 0), PVPMU_OK);
	loop(PERIOD / 2);
	gives("disable", call(PVPMU_OP_DISABLE, 3, 0, 0), PVPMU_OK);
	gives("the rest of the period survived", area.slot[3].host.overflows,
	      3);
	gives("close", call(PVPMU_OP_CLOSE, 3, 0, 0), PVPMU_OK);
	describe(3, PVPMU_TYPE_HARDWARE, PVPMU_HW_INSTRUCTIONS, 0, 1);
	refused("a period too short", PVPMU_ERR_PERIOD, PVPMU_OP_OPEN, 3, 0, 0);
}

/* A whole life in one multicall */
static void multicall(void)
{
	static const uint32_t ops[][4] = {
		{ PVPMU_OP_QUERY, PVPMU_TYPE_HARDWARE, PVPMU_HW_END, 0 },
		{ PVPMU_OP_OPEN, 7 },
		{ PVPMU_OP_ENABLE, 7 },
		{ PVPMU_OP_READ, 7 },
		{ PVPMU_OP_DISABLE, 7 },
		{ PVPMU_OP_UPDATE },
		{ PVPMU_OP_CLOSE, 7 },
		{ PVPMU_OP_CLOSE, 7 },
		{ PVPMU_OP_UPDATE + 1 },
		{ PVPMU_OP_DETACH },
		{ PVPMU_OP_READ, 7 },
	};
	static struct multicall_entry entry[sizeof(ops) / sizeof(ops[0])];
	const unsigned int n = sizeof(ops) / sizeof(ops[0]);
	unsigned int i;

	memset(&area.guest, 0, sizeof(area.guest));
	describe_instructions(7, 0);
	for (i = 0; i < n; i++) {
		entry[i].op = leaf[1][3];
		entry[i].args[0] = leaf[2][0] + ops[i][0];
		entry[i].args[1] = ops[i][1];
		entry[i].args[2] = ops[i][2];
		entry[i].args[3] = ops[i][3];
	}
	gives("multicall",
	      (int)hypercall(__HYPERVISOR_multicall, (uintptr_t)entry, n, 0, 0,
			     0),
	      0);
	print("PASS multicall's results:");
	for (i = 0; i < n; i++)
		print(" %d", (int)(long)entry[i].result);
	print("\n");
	result((int)(long)entry[1].result == PVPMU_OK &&
		       (int)(long)entry[7].result == PVPMU_ERR_CLOSED &&
		       (int)(long)entry[n - 1].result == PVPMU_ERR_NO_AREA,
	       "as if called one by one", 1);
}

void test_calls(void)
{
	leaves();
	without_area();
	queries();
	setups();
	one_event();
	filters();
	update();
	groups();
	overflows();
	multicall();
}

/* In a domain that is not what it was: nothing is left, and all works. */
void test_anew(void)
{
	without_area();
	setups();
	one_event();
}

/* Takes a page, counters and a timer of the hypervisor's, and keeps them. */
void count_on(void)
{
	unsigned int id;

	gives("setup", setup(&area), PVPMU_OK);
	for (id = 0; id < 8; id++)
		describe(id, PVPMU_TYPE_HARDWARE,
			 id % 2 ? PVPMU_HW_CYCLES : PVPMU_HW_INSTRUCTIONS, 0,
			 id < 6 ? SLOW_PERIOD : 0);
	describe(8, PVPMU_TYPE_CLOCK, PVPMU_CLOCK_VCPU, 0, SLOW_PERIOD);
	area.guest.open = area.guest.enable = 0x1ff;
	gives("events of all kinds", call(PVPMU_OP_UPDATE, 0, 0, 0), PVPMU_OK);
}
