#!/bin/bash
# A shell script that counts in a loop, with its log as descriptor 3, an input file read line by line as
# descriptor 4, a temporary directory as working directory and a child for every pause.
#
# log: log
# criu dump:
# criu restore:
cd "$1" || exit 2
exec 3>>log
printf '%s\n' {1..100000} >input
exec 4<input
mkdir work && cd work || exit 2
count=0
echo ready >&3
while :; do
  read -r line <&4
  count=$((count + 1))
  if [ "$line" = $count ]; then
    echo "tick $count ok" >&3
  else
    echo "tick $count FAIL: line $line of input" >&3
  fi
  sleep 0.05
done
