/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel of this shim offers, see frontends/linux/probes: as Linux 6.1 */
#define PROBE_STATIC_CALL 1
#define PROBE_TASK_CTX_OF_PMU 1
#define PROBE_SCHED_TASK_CTX 1
#define PROBE_CTX_TIME_SPLIT 1
#define PROBE_HRTIMER_SETUP 0
#define PROBE_HRTIMER_INIT 1
#define PROBE_EXTENDED_HW_TYPE 1
#define PROBE_USER_READ_FLAG 1
