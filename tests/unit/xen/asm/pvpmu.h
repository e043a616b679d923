/* SPDX-License-Identifier: GPL-2.0 */
#include "../../../../backends/xen/asm-pvpmu.h"
