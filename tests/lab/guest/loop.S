/* SPDX-License-Identifier: GPL-2.0-only */
	.text
	.globl	loop
	.type	loop, @function
loop:
	mov	%rdi, %rax
	xor	%edx, %edx
	mov	$10, %ecx
	div	%rcx
	.balign	64
	.globl	loop_begin
loop_begin:
	add	$1, %rdx
	add	$1, %rcx
	add	$1, %rdx
	add	$1, %rcx
	add	$1, %rdx
	add	$1, %rcx
	add	$1, %rdx
	add	$1, %rcx
	dec	%rax
	jnz	loop_begin
	.globl	loop_end
loop_end:
	ret
	.size	loop, . - loop
	.section .note.GNU-stack, "", @progbits
