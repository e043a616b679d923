/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where Xen enters: pv_start in the mode that the kernel is compiled for, with
 * Xen's own page tables, and pvh_start in 32 bit mode without paging.  Both
 * have a stack, and go to main(what they got from Xen, is it PV?).
 */
#include <public/elfnote.h>

#ifdef __x86_64__
#define WORD .quad
#else
#define WORD .long
#endif

#define STACK_SIZE 32768

	.macro	note type, content:vararg
	.pushsection .note.Xen, "a", @note
	.balign	4
	.long	4, 2f - 1f, \type
	.asciz	"Xen"
1:	\content
2:	.balign	4
	.popsection
	.endm

	note	XEN_ELFNOTE_GUEST_OS, .asciz "pvpmu-test"
	note	XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
	note	XEN_ELFNOTE_LOADER, .asciz "generic"
	note	XEN_ELFNOTE_PAE_MODE, .asciz "yes"
	note	XEN_ELFNOTE_VIRT_BASE, WORD 0
	note	XEN_ELFNOTE_PADDR_OFFSET, WORD 0
	note	XEN_ELFNOTE_ENTRY, WORD pv_start
	note	XEN_ELFNOTE_HYPERCALL_PAGE, WORD hypercall_page
	note	XEN_ELFNOTE_PHYS32_ENTRY, .long pvh_start

	.text
	.globl	pv_start
pv_start:
	cld
#ifdef __x86_64__
	mov	$stack + STACK_SIZE, %rsp
	mov	%rsi, %rdi
	mov	$1, %esi
	call	main
#else
	mov	$stack + STACK_SIZE, %esp
	push	$1
	push	%esi
	call	main
#endif
	ud2

	.code32
pvh_start:
	cld
	mov	$stack + STACK_SIZE, %esp
	lgdt	gdt_pointer
#ifdef __x86_64__
	mov	%cr4, %eax
	or	$0x20, %eax		/* PAE */
	mov	%eax, %cr4
	mov	$level4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	/* EFER.LME */
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0
#endif
	ljmp	$8, $1f
#ifdef __x86_64__
	.code64
#endif
1:	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
#ifdef __x86_64__
	mov	%ebx, %edi
	xor	%esi, %esi
	call	main
#else
	push	$0
	push	%ebx
	call	main
#endif
	ud2

	.balign	4096
	.globl	hypercall_page
hypercall_page:
	.skip	4096

	.data
	.balign	8
gdt:
	.quad	0
#ifdef __x86_64__
	.quad	0x00af9b000000ffff
#else
	.quad	0x00cf9b000000ffff
#endif
	.quad	0x00cf93000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

#ifdef __x86_64__
	/* PVH only: the first four GiB where they are */
	.balign	4096
level4:
	.quad	level3 + 7
	.skip	4096 - 8
level3:
	.quad	level2 + 7, level2 + 0x1007, level2 + 0x2007, level2 + 0x3007
	.skip	4096 - 32
level2:
	.set	page, 0
	.rept	2048
	.quad	page + 0x87
	.set	page, page + 0x200000
	.endr
#endif

	.bss
	.balign	4096
stack:
	.skip	STACK_SIZE
	.section .note.GNU-stack, "", @progbits
