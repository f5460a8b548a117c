# SPDX-License-Identifier: Apache-2.0
#
# The guest of the accelerators' race (accelerator.c): goes to long mode, does a fixed amount of work,
# says so on COM1, and leaves by QEMU's isa-debug-exit. boot_sector.c holds what this gives:
#
#	as --64 -o sector.o boot_sector.s && objcopy -O binary -j .text sector.o sector.bin
#
# A BIOS loads it at 0x7c00 in real mode (IBM PC); the way to long mode is AMD64 APM volume 2, 14.6.

	.set	load, 0x7c00
	.set	tables, 0x1000		# three page tables, 4 KiB each
	.set	scratch, 0x10000	# 64 KiB that the work writes to
	.set	rounds, 5000000
	.set	com1, 0x3f8
	.set	debug_exit, 0xf4

	.code16
start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$load, %sp
	cld

	# One 2 MiB page, mapped to itself: PML4 -> PDPT -> PD.
	movw	$tables, %di
	movw	$(3 * 4096 / 2), %cx
	rep stosw
	movw	$(tables + 0x1003), tables
	movw	$(tables + 0x2003), tables + 0x1000
	movw	$0x0083, tables + 0x2000

	movl	%cr4, %eax
	orl	$0x20, %eax		# PAE
	movl	%eax, %cr4
	movl	$tables, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	# EFER
	rdmsr
	orl	$0x100, %eax		# LME
	wrmsr
	lgdt	gdt_pointer - start + load
	movl	%cr0, %eax
	orl	$0x80000001, %eax	# PG, PE
	movl	%eax, %cr0
	ljmp	$8, $(long_mode - start + load)

	.code64
long_mode:
	# Arithmetic, memory and branches, as a booting kernel has them.
	movl	$rounds, %ecx
	movl	$0x12345678, %eax
work:
	imull	$1664525, %eax, %eax
	addl	$1013904223, %eax
	movzwl	%ax, %edx
	andl	$0xfffc, %edx
	addl	%eax, scratch(%rdx)
	jns	even
	notl	%eax
even:
	decl	%ecx
	jnz	work

	leaq	message(%rip), %rsi
	movl	$com1, %edx
print:
	lodsb
	testb	%al, %al
	jz	leave
	outb	%al, %dx
	jmp	print
leave:
	movb	$0x31, %al
	movl	$debug_exit, %edx
	outb	%al, %dx
sleep:
	hlt
	jmp	sleep

message:
	.asciz	"vgrid: done\n"
	.balign	8
gdt:
	.quad	0
	.quad	0x00209a0000000000	# 64-bit code
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt - start + load

	.org	510
	.word	0xaa55
