# SPDX-License-Identifier: GPL-3.0-or-later
# TAB for tresse in fish: the program itself is asked, once a TAB.

function __tresse_complete
    set -l line (commandline -cp)
    tresse --complete "$line" 2>/dev/null
end

complete -c tresse -f -k -a '(__tresse_complete)'
