# For plugin managers in the manner of oh-my-zsh.
source "${${(%):-%x}:A:h}/ullage.zsh"
