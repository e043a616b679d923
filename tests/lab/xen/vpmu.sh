#!/bin/sh
# Xen booted with its own virtual PMU as well: both need the counters, so it says
# that it has only that one, and guests find no pvpmu.
# xen-lab: --xen-append vpmu=on
. lib.sh
xl dmesg | grep pvpmu:
check "Xen says why pvpmu stays off" sh -c \
	"xl dmesg | grep -q 'pvpmu: stays off: vpmu= is on'"
check "it is not on" sh -c '! xl dmesg | grep -q "pvpmu: on"'
stays_out dom0 sh -c
stays_out "pvh guest" lab-guest run a --type pvh --tiny --no-module -- sh -c
perf stat -x, -e instructions:u true 2>&1 | tee /tmp/stat
check "Xen's own counts" grep -q '^[1-9]' /tmp/stat
end
