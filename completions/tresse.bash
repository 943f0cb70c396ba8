# SPDX-License-Identifier: GPL-3.0-or-later
# TAB for tresse in bash: the program itself is asked, once a TAB.

_tresse() {
	local cur line text prefix
	cur=${COMP_WORDS[COMP_CWORD]}
	# bash cuts words at = and :, we do not: what stands in front of the last
	# such piece is there already and must not be given back.
	line=${COMP_LINE:0:COMP_POINT}
	[[ $cur == '=' || $cur == ':' ]] && cur=
	prefix=${line%"$cur"}
	prefix=${prefix##*[[:blank:]]}
	COMPREPLY=()
	while IFS=$'\t' read -r text _; do
		[[ $text == "$prefix"* ]] || continue
		text=${text#"$prefix"}
		[[ $text == */ || $text == *= ]] && compopt -o nospace
		[[ $text == *[[:blank:]]* ]] && printf -v text '%q' "$text"
		COMPREPLY+=("$text")
	done < <("${COMP_WORDS[0]}" --complete "$COMP_LINE" "$COMP_POINT" 2>/dev/null)
}
complete -o nosort -F _tresse tresse
