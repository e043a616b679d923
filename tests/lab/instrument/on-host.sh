#!/bin/sh
# The instrument's own test: the guest tests on the emulated machine itself, with
# the stock kernel's driver for AMD PMUs.
if ! dmesg | grep -q 'Fam17h+ core perfctr, AMD PMU driver'; then
	echo "FAIL driver: the stock kernel does not find the emulated PMU"
	exit 1
fi
echo "PASS driver: Fam17h+ core perfctr, AMD PMU driver"
version=0
[ "$LAB_PERFMON_V2" = 0 ] || version=2
if ! dmesg | grep -q "version: *$version\$"; then
	echo "FAIL driver: the PMU is not of version $version"
	exit 1
fi
echo "PASS driver: the PMU is of version $version"
if [ "$LAB_MODE" = det ]; then
	exec guest-tests --deterministic
fi
exec guest-tests --may-skid
