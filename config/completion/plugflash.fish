# SPDX-License-Identifier: MIT
# plugflash says itself what may stand where, a line each; nothing of that is expanded by the shell.
function __plugflash_complete
    set -l words (commandline -opc) (commandline -ct | string replace -ar '[\\\\"\']' '')
    for line in (plugflash complete -- $words[2..] 2>/dev/null)
        switch $line
            case ':files*'
                __fish_complete_path (commandline -ct)
            case ':directories*'
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c plugflash -f -a '(__plugflash_complete)'
