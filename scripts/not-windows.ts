// Stands in for wsl-utils, which oclif asks whether this Linux runs inside of Windows.
export const isWsl = false;
