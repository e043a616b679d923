#!/bin/sh
# The instrument's own test: the guest tests on the emulated machine itself, with
# the stock kernel's driver for AMD PMUs.
if ! dmesg | grep -q 'Fam17h+ core perfctr, AMD PMU driver'; then
	echo "FAIL driver: the stock kernel does not find the emulated PMU"
	exit 1
fi
echo "PASS driver: Fam17h+ core perfctr, AMD PMU driver"
if [ "$LAB_MODE" = det ]; then
	exec guest-tests --deterministic
fi
exec guest-tests --may-skid
