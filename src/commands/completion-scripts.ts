/**
 * What each shell takes. They ask `snaphaven __complete`, which answers a candidate a line (for zsh and fish with a tab
 * and what it does), or `:files` where paths are wanted.
 */
export const COMPLETION_SCRIPTS: Record<string, string> = {
	bash: `# snaphaven's completion for bash
_snaphaven() {
	local line
	COMPREPLY=()
	while IFS= read -r line; do
		if [[ $line == :files ]]; then
			compopt -o default
			return
		fi
		COMPREPLY+=("$line")
	done < <(snaphaven __complete bash "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
}
complete -F _snaphaven snaphaven
`,
	zsh: `#compdef snaphaven
# snaphaven's completion for zsh
_snaphaven() {
	local line
	local -a values shown
	for line in "\${(@f)$(snaphaven __complete zsh "\${(@Q)words[1,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}"; do
		if [[ $line == :files ]]; then
			compset -P '*='
			_files
			return
		fi
		[[ -n $line ]] || continue
		values+=("\${line%%$'\\t'*}")
		shown+=("\${line/$'\\t'/  }")
	done
	(( $#values )) && compadd -d shown -a values
}
if [[ \${funcstack[1]} == _snaphaven ]]; then
	_snaphaven "$@"
else
	compdef _snaphaven snaphaven
fi
`,
	fish: `# snaphaven's completion for fish
function __snaphaven_complete
	set -l lines (snaphaven __complete fish (commandline -opc) (commandline -ct) 2>/dev/null)
	if test "$lines[1]" = :files
		__fish_complete_path (commandline -ct)
		return
	end
	printf '%s\\n' $lines
end
complete -c snaphaven -e
complete -c snaphaven -f -a '(__snaphaven_complete)'
`,
}
