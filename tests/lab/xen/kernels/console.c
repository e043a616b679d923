// SPDX-License-Identifier: GPL-2.0-only
/* The console that Xen gives each guest: dom0 writes it to a file. */
#include "kernel.h"

#include <stdarg.h>

#include <public/event_channel.h>
#include <public/hvm/hvm_op.h>
#include <public/hvm/params.h>
#include <public/io/console.h>
#include <public/sched.h>

static volatile struct xencons_interface *ring;
static struct evtchn_send notice;
static bool closed;

static uint64_t hvm_param(uint32_t index)
{
	struct xen_hvm_param param = { .domid = DOMID_SELF, .index = index };

	hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, (uintptr_t)&param, 0, 0,
		  0);
	return param.value;
}

void console_init(void)
{
	if (guest.pv) {
		ring = page_of_frame(guest.start->console.domU.mfn);
		notice.port = guest.start->console.domU.evtchn;
	} else {
		ring = page_of_frame(hvm_param(HVM_PARAM_CONSOLE_PFN));
		notice.port = hvm_param(HVM_PARAM_CONSOLE_EVTCHN);
	}
}

static void notify(void)
{
	hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send,
		  (uintptr_t)&notice, 0, 0, 0);
}

static void put(char c)
{
	while (ring->out_prod - ring->out_cons >= sizeof(ring->out)) {
		notify();
		pause_ms(1);
	}
	ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = c;
	__sync_synchronize();
	ring->out_prod++;
}

static void put_number(uint32_t n, unsigned int base)
{
	if (n >= base)
		put_number(n / base, base);
	put("0123456789abcdef"[n % base]);
}

static void put_int(int n)
{
	if (n < 0)
		put('-');
	put_number(n < 0 ? -(uint32_t)n : (uint32_t)n, 10);
}

/* From now on nobody reads it. */
void console_close(void)
{
	closed = true;
}

/* %s, %d, %u and %x of 32 bits */
void print(const char *format, ...)
{
	va_list args;
	const char *text;

	if (closed)
		return;
	va_start(args, format);
	for (; *format; format++) {
		if (*format != '%') {
			put(*format);
			continue;
		}
		switch (*++format) {
		case 's':
			for (text = va_arg(args, const char *); *text; text++)
				put(*text);
			break;
		case 'd':
			put_int(va_arg(args, int));
			break;
		case 'u':
			put_number(va_arg(args, unsigned int), 10);
			break;
		case 'x':
			put_number(va_arg(args, unsigned int), 16);
			break;
		}
	}
	va_end(args);
	notify();
}

static char get(void)
{
	char c;

	while (ring->in_cons == ring->in_prod)
		pause_ms(20);
	__sync_synchronize();
	c = ring->in[MASK_XENCONS_IDX(ring->in_cons, ring->in)];
	__sync_synchronize();
	ring->in_cons++;
	return c;
}

unsigned int read_number(void)
{
	unsigned int n = 0;
	char c;

	for (c = get(); c != '\n' && c != '\r'; c = get())
		if (c >= '0' && c <= '9')
			n = n * 10 + (c - '0');
	return n;
}
