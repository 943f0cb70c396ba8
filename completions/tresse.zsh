#compdef tresse
# SPDX-License-Identifier: GPL-3.0-or-later
# TAB for tresse in zsh: the program itself is asked, once a TAB.

_tresse() {
	local text help
	local -a whole_text whole_shown open_text open_shown
	while IFS=$'\t' read -r text help; do
		if [[ $text == */ || $text == *= ]]; then
			open_text+=("$text") open_shown+=("$text  $help")
		else
			whole_text+=("$text") whole_shown+=("$text  $help")
		fi
	done < <("${(Q)words[1]}" --complete "${(j: :)words[1,CURRENT]}" 2>/dev/null)
	(( $#open_text )) && compadd -V open -S '' -l -d open_shown -a open_text
	(( $#whole_text )) && compadd -V whole -l -d whole_shown -a whole_text
	(( $#open_text + $#whole_text ))
}

_tresse "$@"
