# SPDX-License-Identifier: GPL-3.0-or-later
# TAB for tresse in bash: the program itself is asked, once a TAB.

_tresse() {
	local cur line text help prefix wide=0 i
	local -a helps=()
	cur=${COMP_WORDS[COMP_CWORD]}
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-f | -[jqnh]*f | --file | --store)
		compopt -o default
		return
		;;
	esac
	# bash cuts words at = and :, we do not: what stands in front of the last
	# such piece is there already and must not be given back. Not so in quotes.
	line=${COMP_LINE:0:COMP_POINT}
	case $cur in
	[\"\']*)
		prefix=
		;;
	*)
		[[ $cur == '=' || $cur == ':' ]] && cur=
		prefix=${line%"$cur"}
		prefix=${prefix##*[[:blank:]]}
		;;
	esac
	COMPREPLY=()
	while IFS=$'\t' read -r text help; do
		[[ $text == "$prefix"* ]] || continue
		text=${text#"$prefix"}
		[[ $text == */ || $text == *= ]] && compopt -o nospace
		[[ $cur != [\"\']* && $text == *[[:blank:]]* ]] &&
			printf -v text '%q' "$text"
		COMPREPLY+=("$text")
		helps+=("$help")
		((${#text} > wide)) && wide=${#text}
	done < <("${COMP_WORDS[0]}" --complete "$COMP_LINE" "$COMP_POINT" 2>/dev/null)
	# A second TAB (63 is the letter ?) only shows what there is: with what it
	# is, cut so that each has a row of its own.
	if ((COMP_TYPE == 63 && ${#COMPREPLY[@]} > 1)); then
		for i in "${!COMPREPLY[@]}"; do
			printf -v text '%-*s  %s' "$wide" "${COMPREPLY[i]}" \
				"${helps[i]}"
			printf -v text '%-*s' $((${COLUMNS:-80} / 2)) "$text"
			COMPREPLY[i]=${text:0:${COLUMNS:-80}-1}
		done
	fi
}
complete -o nosort -F _tresse tresse
