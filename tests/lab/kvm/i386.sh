#!/bin/sh
# 32 bits: the same tests in a guest whose kernel, driver and programs are of 32
# bits, and a program of 32 bits in a guest of 64.
# kvm-lab: --i386
. lib.sh

lab-guest run a --i386 -- sh -c '[ "$(uname -m)" = i686 ] && guest-tests && rdpmc'
is "status of a 32 bit guest" $? 0

serve_start b
n=$(field 1 "$(ask 'perf stat -x, -e instructions:u workload32 spin 10000000 2>&1')")
check "a 32 bit program: $n" [ "$n" -ge 10000000 -a "$n" -le 10050000 ]
is "its own count" "$(ask 'workload32 count 1000000 3 >/dev/null; echo $?')" 0
ask 'perf record -e instructions:u -c 100000 -o /tmp/data workload32 spin 10000000 >/dev/null 2>&1'
# it looks for a program of its own that reads a 32 bit vDSO
n=$(ask 'perf script -i /tmp/data -F ip,sym 2>/dev/null | grep -c loop')
check "samples in its loop: $n of 100" [ "$n" -ge 50 -a "$n" -le 101 ]
serve_end
end
