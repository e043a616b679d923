// SPDX-License-Identifier: GPL-2.0
/*
 * Where a task left user code, for an NMI at any point of the kernel's entry
 * code: frontends/linux/place.c, for 32 bits and for 64.
 */
#include "unit.h"
#undef BIT

#include "../../frontends/linux/pvpmu.h"

#define USER_IP 0x1230
#define USER_SP 0x4560
#define USER_BP 0x7890
#define KERNEL_IP 0x7ffff0000000ul
#define OLD_IP 0x9990

struct task_struct shim_task;
struct entry_stack shim_entry_stack;
struct cpuinfo_x86 boot_cpu_data;
struct tss_struct cpu_tss_rw;
u64 shim_cr3;

static struct pt_regs room;

static struct pt_regs *entry_frame(void)
{
	return (struct pt_regs *)(&shim_entry_stack + 1) - 1;
}

static void user_frame(struct pt_regs *frame, unsigned long ip)
{
	*frame = (struct pt_regs){
		.ip = ip,
		.cs = __USER_CS,
		.sp = USER_SP,
		.bp = USER_BP,
	};
}

/* The NMI finds the kernel with its stack pointer at @sp. */
static struct pt_regs *place_at(const void *sp, struct pt_regs *regs)
{
	*regs = (struct pt_regs){
		.ip = KERNEL_IP,
		.cs = 0x10,
		.sp = (unsigned long)sp,
		.bp = USER_BP,
	};
	return pvg_user_place(regs, &room);
}

static int begin(void **state)
{
	(void)state;
	shim_task = (struct task_struct){ 0 };
	shim_entry_stack = (struct entry_stack){ 0 };
	room = (struct pt_regs){ 0 };
	boot_cpu_data = (struct cpuinfo_x86){ 0 };
	return 0;
}

static void the_task_has_it_while_the_kernel_works(void **state)
{
	struct pt_regs regs;

	(void)state;
	user_frame(task_pt_regs(current), USER_IP);
	assert_ptr_equal(place_at(task_pt_regs(current), &regs),
			 task_pt_regs(current));
	assert_ptr_equal(place_at(shim_task.stack + 64, &regs),
			 task_pt_regs(current));
}

static void the_task_has_it_on_another_stack(void **state)
{
	static u8 irq_stack[256];
	struct pt_regs regs;

	(void)state;
	user_frame(task_pt_regs(current), USER_IP);
	assert_ptr_equal(place_at(irq_stack + 128, &regs),
			 task_pt_regs(current));
}

static void the_first_instruction_has_it_on_the_entry_stack(void **state)
{
	struct pt_regs regs, *place;

	(void)state;
	user_frame(task_pt_regs(current), OLD_IP);
	user_frame(entry_frame(), USER_IP);
	entry_frame()->bp = 0; /* not there yet */
	place = place_at(&entry_frame()->ip, &regs);
	assert_ptr_equal(place, &room);
	assert_int_equal(place->ip, USER_IP);
	assert_int_equal(place->sp, USER_SP);
	assert_int_equal(place->bp, USER_BP);
	assert_true(user_mode(place));
}

static void a_frame_on_the_entry_stack_is_it(void **state)
{
	struct pt_regs regs;

	(void)state;
	user_frame(task_pt_regs(current), OLD_IP);
	user_frame(entry_frame(), USER_IP);
	assert_ptr_equal(place_at(entry_frame(), &regs), entry_frame());
	assert_ptr_equal(place_at((u64 *)entry_frame() - 2, &regs),
			 entry_frame());
}

static void half_a_frame_is_none(void **state)
{
	struct pt_regs regs;

	(void)state;
	user_frame(task_pt_regs(current), OLD_IP);
	user_frame(entry_frame(), OLD_IP);
	assert_ptr_equal(place_at(&entry_frame()->cs, &regs), &regs);
	assert_ptr_equal(place_at(&shim_entry_stack + 1, &regs), &regs);
	assert_ptr_equal(place_at(&task_pt_regs(current)->cs, &regs), &regs);
	assert_ptr_equal(place_at(shim_task.stack + THREAD_SIZE, &regs), &regs);
}

static void five_words_of_the_tasks_frame_are_enough(void **state)
{
	struct pt_regs regs, *place;

	(void)state;
	user_frame(task_pt_regs(current), USER_IP);
	place = place_at(&task_pt_regs(current)->ip, &regs);
	assert_ptr_equal(place, &room);
	assert_int_equal(place->ip, USER_IP);
	assert_int_equal(place->bp, USER_BP);
}

static void no_frame_of_the_kernel_is_it(void **state)
{
	struct pt_regs regs;

	(void)state;
	user_frame(task_pt_regs(current), USER_IP);
	task_pt_regs(current)->cs = 0x10;
	assert_ptr_equal(place_at(shim_task.stack + 64, &regs), &regs);
}

#ifdef CONFIG_X86_64
static void right_behind_syscall_the_registers_have_it(void **state)
{
	struct pt_regs regs = {
		.ip = KERNEL_IP,
		.cs = 0x10,
		.sp = USER_SP,
		.bp = USER_BP,
		.cx = USER_IP,
		.r11 = 0x202,
	};
	struct pt_regs *place;

	(void)state;
	user_frame(task_pt_regs(current), OLD_IP);
	place = pvg_user_place(&regs, &room);
	assert_ptr_equal(place, &room);
	assert_int_equal(place->ip, USER_IP);
	assert_int_equal(place->sp, USER_SP);
	assert_int_equal(place->bp, USER_BP);
	assert_int_equal(place->flags, 0x202);
	assert_int_equal(place->cs, __USER_CS);
	shim_task.flags = TIF_ADDR32;
	assert_int_equal(pvg_user_place(&regs, &room)->cs, __USER32_CS);
}

/*
 * With page table isolation the kernel has no register but the stack pointer to
 * change CR3 with.  It has put that of the user away; the kernel's page table is
 * the one below the user's.
 */
static void while_cr3_changes_the_tss_has_the_stack_pointer(void **state)
{
	const u64 kernel = 0x2000, user = 0x3000;
	const u64 pcid = 0x806, keep = 1ull << 63;
	const u64 seen[] = { user, user | pcid, user | pcid | keep, kernel };
	struct pt_regs regs = {
		.ip = KERNEL_IP,
		.cs = 0x10,
		.cx = USER_IP,
	};
	struct pt_regs *place;
	u32 i;

	(void)state;
	boot_cpu_data.features = BIT(X86_FEATURE_PTI);
	cpu_tss_rw.x86_tss.sp2 = USER_SP;
	shim_cr3 = kernel | (pcid & 0xff);
	user_frame(task_pt_regs(current), OLD_IP);
	for (i = 0; i < ARRAY_SIZE(seen); i++) {
		regs.sp = seen[i];
		place = pvg_user_place(&regs, &room);
		assert_ptr_equal(place, &room);
		assert_int_equal(place->ip, USER_IP);
		assert_int_equal(place->sp, USER_SP);
	}
	/* Before it, and where there is no isolation */
	regs.sp = USER_SP + 8;
	assert_int_equal(pvg_user_place(&regs, &room)->sp, USER_SP + 8);
	boot_cpu_data.features = 0;
	regs.sp = user;
	assert_int_equal(pvg_user_place(&regs, &room)->sp, user);
}
#else
/* The stack pointer is below the frame before it is copied there. */
static void an_address_of_the_kernel_is_not_believed(void **state)
{
	struct pt_regs regs;

	(void)state;
	user_frame(task_pt_regs(current), KERNEL_IP);
	assert_ptr_equal(place_at(task_pt_regs(current), &regs), &regs);
}

static void sysenter_has_no_address_at_first(void **state)
{
	struct pt_regs regs;

	(void)state;
	user_frame(task_pt_regs(current), 0);
	assert_ptr_equal(place_at(task_pt_regs(current), &regs), &regs);
}
#endif

#define PLACE(test) cmocka_unit_test_setup(test, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE(the_task_has_it_while_the_kernel_works),
		PLACE(the_task_has_it_on_another_stack),
		PLACE(the_first_instruction_has_it_on_the_entry_stack),
		PLACE(a_frame_on_the_entry_stack_is_it),
		PLACE(half_a_frame_is_none),
		PLACE(five_words_of_the_tasks_frame_are_enough),
		PLACE(no_frame_of_the_kernel_is_it),
#ifdef CONFIG_X86_64
		PLACE(right_behind_syscall_the_registers_have_it),
		PLACE(while_cr3_changes_the_tss_has_the_stack_pointer),
#else
		PLACE(an_address_of_the_kernel_is_not_believed),
		PLACE(sysenter_has_no_address_at_first),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
