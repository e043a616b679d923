/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands in the place of the decompressor of a 32 bit kernel, which takes
 * half a minute in an emulated CPU.  The kernel follows as it is to lie in
 * memory, from "image" on, BYTES of it: it is moved to WHERE it runs, and
 * entered there with esi, which leads to the boot parameters, as it was.
 */
#define LOADED 0x100000

	.code32
	.globl	_start
_start:	mov	%esi, %ebx
	mov	$(LOADED + image - _start + BYTES - 4), %esi
	mov	$(WHERE + BYTES - 4), %edi
	mov	$(BYTES / 4), %ecx
	std			/* the two places may overlap */
	rep movsl
	cld
	mov	%ebx, %esi
	mov	$WHERE, %eax
	jmp	*%eax
	.balign	16
image:
	.section .note.GNU-stack, "", @progbits
