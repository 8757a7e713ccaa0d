export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_ACCMODE = 3;
