# SPDX-License-Identifier: GPL-3.0-or-later
#
# reference.awk - the manual's reference from the program's own tables:
# `tresse -j help TOPIC`, a line a topic, becomes mdoc.

function plain(text)
{
	gsub(/\\n/, "\n", text)
	gsub(/\\"/, "\"", text)
	gsub(/\\\\/, "\\e", text)
	return text
}

# A line of text, which must not begin like a macro.
function line(text)
{
	text = plain(text)
	gsub(/\n\n/, "\n.Pp\n", text)
	while (match(text, /[a-zA-Z0-9)][.] [A-Z]/))
		text = substr(text, 1, RSTART + 1) "\n" substr(text, RSTART + 3)
	if (text ~ /^[.\047]/)
		text = "\\&" text
	print text
}

function string(key, value)
{
	if (key == "title") {
		split(value, part, / - /)
		print ".Ss " part[1]
		line(substr(value, length(part[1]) + 4))
	} else if (key == "usage") {
		print ".D1 " plain(value)
	} else if (key == "description" && depth == 1) {
		print ".Pp"
		line(value)
	} else if (key == "example" && depth == 1) {
		print ".Bd -literal -offset indent"
		print plain(value)
		print ".Ed"
	} else if (depth == 2) {
		field[key] = value
	}
}

# A row of a table is complete.
function row()
{
	if (!rows++)
		print ".Bl -tag -width Ds"
	if (list == "settings") {
		print ".It Ar " field["name"]
		line(field["help"])
		# A long choice may go on in the next line.
		gsub(/\|/, "|\\:", field["type"])
		print ".Pq " plain(field["type"] \
			(field["default"] ~ /^\(?required/ ? "; required" : \
			field["default"] != "" ? \
			"; default " field["default"] : ""))
	} else if (list == "readonly") {
		print ".It Ar " field["name"] " No (read only)"
		line(field["help"])
	} else {
		print ".It Ar " field["name"]
		line(field["help"])
	}
	delete field
}

{
	rest = $0
	depth = 0
	key = ""
	for (;;) {
		if (match(rest, /^"([^"\\]|\\.)*"/)) {
			word = substr(rest, 2, RLENGTH - 2)
			rest = substr(rest, RLENGTH + 1)
			if (rest ~ /^:/)
				key = word
			else
				string(key, word)
			continue
		}
		mark = substr(rest, 1, 1)
		if (mark == "")
			break
		rest = substr(rest, 2)
		if (mark == "[") {
			list = key
			rows = 0
		} else if (mark == "]") {
			if (rows)
				print ".El"
		} else if (mark == "{") {
			depth++
		} else if (mark == "}") {
			if (depth-- == 2)
				row()
		}
	}
}
