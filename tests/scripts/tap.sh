# SPDX-License-Identifier: MIT
# For the scripts beside it: prints TAP and remembers whether anything failed.
set -u
: "${BUILD:=build}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
count=0 failures=0

# check TEXT COMMAND...: "ok" when it succeeds; else what it printed follows as comments.
check() {
	local text=$1 output status
	shift
	count=$((count + 1))
	output=$("$@" 2>&1 </dev/null)
	status=$?
	if [ "$status" -eq 0 ]; then
		echo "ok $count - $text"
		return 0
	fi
	failures=$((failures + 1))
	echo "not ok $count - $text"
	printf '%s\n' "exit status $status" "$output" | sed 's/^/# /'
	return 1
}

# quiet COMMAND...: succeeds when the command does and prints nothing at all.
quiet() {
	local output
	output=$("$@" 2>&1) || { echo "exit status $?: $output"; return 1; }
	[ -z "$output" ] || { printf '%s\n' "$output"; return 1; }
}

# empty TEXT: for lists of offenders.
empty() {
	[ -z "$1" ] || { printf '%s\n' "$1"; return 1; }
}

fails() {
	! "$@"
}

# wait_for COMMAND...: until it succeeds; five minutes are a bound against hanging.
wait_for() {
	local deadline=$((SECONDS + 300))
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || { echo "not in five minutes: $*"; return 1; }
		sleep 0.02
	done
}

# ahead COMMAND...: an hour later by the wall clock, when nothing is awaited any more that may still
# follow a file. The sanitizer's library wants to be the first, which it need not be.
ahead() {
	CLOCK_AHEAD=3600 LD_PRELOAD=$(realpath "$BUILD/clock-preload.so") \
		ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0 "$@"
}

finish() {
	echo "1..$count"
	[ "$failures" -eq 0 ] && [ "$count" -gt 0 ]
	exit
}
