perf record -e cpu-clock -F 4000 -o /tmp/lead/perf.data /tmp/lead/spec1 bench forward --rows 8 --context 256 --rounds 25 >/dev/null 2>&1
