#!/bin/sh
# abitest.sh: conformance of the host, as a guest's kernel sees it; prints PASS
# and FAIL lines.  The guest must not have pvpmu.ko loaded.
insmod /lab/modules/pvpmu_abitest.ko 2>/dev/null
dmesg | sed -n 's/.*abitest: \(PASS\|FAIL\) /\1 abi: /p' | sed 's/ abi: / abi\//'
dmesg | grep -q 'abitest: [1-9][0-9]* passed, 0 failed'
