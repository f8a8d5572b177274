#compdef plugflash
# SPDX-License-Identifier: MIT
# plugflash says itself what may stand where, a line each; nothing of that is expanded by the shell.
local answer word
local -a answers
for answer in "${(@f)$(plugflash complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
	word=${answer%%$'\t'*}
	case $word in
	('') ;;
	(:files) _files && return ;;
	(:directories) _files -/ && return ;;
	(*) answers+=("${word//:/\\:}:${answer#*$'\t'}") ;;
	esac
done
_describe plugflash answers
