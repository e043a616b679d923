/* SPDX-License-Identifier: GPL-2.0-only */
#ifdef __x86_64__
#define A %rax
#define C %rcx
#define D %rdx
#define ARGUMENT mov %rdi, %rax; xor %edx, %edx
#else
#define A %eax
#define C %ecx
#define D %edx
#define ARGUMENT mov 4(%esp), %eax; mov 8(%esp), %edx
#endif
	.text
	.globl	loop
	.type	loop, @function
loop:
	ARGUMENT
	mov	$10, %ecx
	div	C
	.balign	64
	.globl	loop_begin
loop_begin:
	add	$1, D
	add	$1, C
	add	$1, D
	add	$1, C
	add	$1, D
	add	$1, C
	add	$1, D
	add	$1, C
	dec	A
	jnz	loop_begin
	.globl	loop_end
loop_end:
	ret
	.size	loop, . - loop
	.section .note.GNU-stack, "", @progbits
