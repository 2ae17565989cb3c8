# For plugin managers of zsh, straight from the repository: oh-my-zsh, antidote, zinit and others look for this name.
source "${${(%):-%x}:A:h}/shell/ullage.zsh"
