# SPDX-License-Identifier: MIT
# For bash-completion. plugflash says itself what may stand where, a line each; nothing of that is
# expanded by the shell.
_plugflash() {
	# shellcheck disable=SC2034 # _init_completion sets them
	local cur prev words cword word what stays=
	_init_completion -n := || return
	# Of what was typed alone: quotes that a name has of its own are not taken up again.
	words=("${words[@]//[\\\"\']/}")
	# shellcheck disable=SC2034 # what it is, this shell does not show
	while IFS=$'\t' read -r word what; do
		case $word in
		:files) _filedir ;;
		:directories) _filedir -d ;;
		*)
			COMPREPLY+=("$word")
			[[ $word == *[^A-Za-z0-9_./:=,+@%-]* ]] && compopt -o filenames
			;;
		esac
	done < <(plugflash complete -- "${words[@]:1:cword-1}" "${cur//[\\\"\']/}" 2>/dev/null)
	# Outside of quotes readline begins a word anew behind each of these.
	[[ $cur == [\"\']* ]] || stays=${cur%"${cur##*[:=]}"}
	COMPREPLY=("${COMPREPLY[@]#"$stays"}")
} &&
	complete -F _plugflash plugflash
