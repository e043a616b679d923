#!/bin/sh
# The registers of PerfMonV2, on a host whose PMU no driver has touched, and seen
# from a guest, which is not to have them.
. lib.sh

report() { sed -n 's/.*perfmon_v2_test: \(PASS\|FAIL\)/\1/p'; }

insmod /lab/modules/perfmon_v2_test.ko reset=1
dmesg | report >/tmp/report
cat /tmp/report
check "no check failed, all were made" [ "$(grep -c ^PASS /tmp/report)" = 25 ]

# KVM of Linux 6.1 does not know of the registers: it intercepts and refuses them
lab-guest run g --tiny -- sh -c '
	insmod /lab/modules/perfmon_v2_test.ko absent=1
	dmesg' | report >/tmp/report
sed 's/^\(PASS\|FAIL\) /&guest: /' /tmp/report
check "none failed, all were made" [ "$(grep -c ^PASS /tmp/report)" = 8 ]
end
