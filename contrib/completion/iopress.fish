# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for iopress.  What there is to complete, "words" says.

set -g __iopress_words (dirname (status filename))/words
test -e $__iopress_words
or set -g __iopress_words \
    (dirname (status filename))/../../iopress/completion/words

function __iopress_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l candidates (sh $__iopress_words $words)
    switch "$candidates[1]"
        case :files
            __fish_complete_path (commandline -ct)
        case :folders
            __fish_complete_directories (commandline -ct)
        case '*'
            string join -- \n $candidates
    end
end

complete -c iopress -f -a '(__iopress_complete)'
