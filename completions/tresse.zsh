#compdef tresse
# SPDX-License-Identifier: GPL-3.0-or-later
# TAB for tresse in zsh: the program itself is asked, once a TAB.

_tresse() {
	local text help line
	local -a whole whole_shown open open_shown
	local -i wide=0 i

	# What stands behind the cursor is not asked about.
	line="${(j: :)words[1,CURRENT-1]} $QIPREFIX$IPREFIX$PREFIX"
	while IFS=$'\t' read -r text help; do
		(( $#text > wide )) && wide=$#text
		if [[ $text == */ || $text == *= ]]; then
			open+=("$text") open_shown+=("$help")
		else
			whole+=("$text") whole_shown+=("$help")
		fi
	done < <("${(Q)words[1]}" --complete "$line" 2>/dev/null)
	for (( i = 1; i <= $#open; i++ )); do
		open_shown[i]="${(r:wide:)open[i]}  $open_shown[i]"
	done
	for (( i = 1; i <= $#whole; i++ )); do
		whole_shown[i]="${(r:wide:)whole[i]}  $whole_shown[i]"
	done
	# One a row, none wider than the terminal.
	open_shown=("${(@)open_shown[@]/(#m)*/${MATCH[1,COLUMNS-1]}}")
	whole_shown=("${(@)whole_shown[@]/(#m)*/${MATCH[1,COLUMNS-1]}}")
	(( $#open )) && compadd -V open -S '' -l -d open_shown -a open
	(( $#whole )) && compadd -V whole -l -d whole_shown -a whole
	(( $#open + $#whole ))
}

_tresse "$@"
