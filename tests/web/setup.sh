# SPDX-License-Identifier: MIT
# For the tests beside it: a browser, node, and the packages of npm that drive and judge the page, and judge the simulated chips,
# below build/web. Where one of these cannot be had the test fails and says so: it is not skipped.
set -u
: "${BUILD:=build}"
export BUILD

missing() {
	echo "not ok - $1"
	echo "1..1"
	exit 1
}

command -v node >/dev/null || missing "node is not installed: run  make deps"
command -v npm >/dev/null || missing "npm is not installed: run  make deps"
PLUGFLASH_BROWSER=$(command -v chromium) || missing "chromium is not installed: run  make deps"
export PLUGFLASH_BROWSER

# Once for each list of packages; two tests that begin together wait for one another.
install_packages() {
	local to=$BUILD/web

	mkdir -p "$to"
	exec 9>"$to/lock"
	flock 9
	cmp -s tests/web/package-lock.json "$to/installed" || {
		cp tests/web/package.json tests/web/package-lock.json "$to/" &&
			npm ci --prefix "$to" --cache "$to/npm-cache" --no-audit --no-fund --ignore-scripts \
				>"$to/npm.log" 2>&1 &&
			cp tests/web/package-lock.json "$to/installed" || {
			sed 's/^/# /' "$to/npm.log"
			missing "npm cannot install what tests/web/package-lock.json lists: is its registry in reach?"
		}
	}
	exec 9>&-
}
install_packages
