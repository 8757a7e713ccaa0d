#!/bin/bash
# start.sh OUTPUT PROGRAM ARGUMENT...: becomes PROGRAM with its output in a file and no other descriptor of the
# starter's, since a checkpoint can take none that leads outside of the dumped tree.
exec >>"$1" 2>&1
shift
for fd in /proc/$$/fd/*; do
  fd=${fd##*/}
  # 255 is this script, which bash closes itself.
  ((fd > 2 && fd != 255)) && eval "exec $fd>&-"
done
exec "$@"
